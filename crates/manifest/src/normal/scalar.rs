//! Single values: text, numbers, units, choices, references.

use super::at_value;
use super::synonym::choice;
use towpath_model::code;
use towpath_model::finding::{Finding, Shown, listed};
use towpath_model::near::nearest;
use towpath_model::spec::{Kind, Node};

use towpath_model::word::{Choice, Field, Shape, UnitShape};

/// The normal form of a single value, or what is wrong with it. `name` spells out the field for a message.
pub(super) fn scalar(node: &Node, shape: Shape, name: &dyn Fn() -> String) -> Result<Kind, Box<Finding>> {
    match shape {
        Shape::Text | Shape::Refer(_) => node
            .scalar()
            .map(Kind::Text)
            .ok_or_else(|| wrong_type(node, name, "text", "between quotation marks")),
        Shape::Bool => match &node.kind {
            Kind::Bool(flag) => Ok(Kind::Bool(*flag)),
            Kind::Text(text) => {
                let mut finding = wrong_type(node, name, "true or false", "without quotation marks");
                match text.trim().to_lowercase().as_str() {
                    "true" | "yes" | "on" | "enabled" => finding.hint = Some("write true".to_owned()),
                    "false" | "no" | "off" | "disabled" => finding.hint = Some("write false".to_owned()),
                    _ => {}
                }
                Err(finding)
            }
            _ => Err(wrong_type(node, name, "true or false", "without quotation marks")),
        },
        Shape::Integer { least, most } => integer(node, least, most, name),
        Shape::Unit(unit) => measured(node, unit, name),
        Shape::Choice(choices) => chosen(node, choices, name),
        Shape::List(_) | Shape::Map(..) | Shape::Table(_) => {
            Err(wrong_type(node, name, "a single value", ""))
        }
    }
}

fn wrong_type(node: &Node, name: &dyn Fn() -> String, wanted: &str, how: &str) -> Box<Finding> {
    let message = format!("`{}` has to be {wanted}, not {}", name(), node.what());
    let hint = (!how.is_empty()).then(|| format!("write {wanted} {how}"));
    Box::new(
        Finding::new(&code::WRONG_TYPE, at_value(node), message)
            .label(format!("{wanted} is expected"))
            .maybe_hint(hint),
    )
}

fn integer(node: &Node, least: i64, most: i64, name: &dyn Fn() -> String) -> Result<Kind, Box<Finding>> {
    match &node.kind {
        Kind::Integer(number) if (least..=most).contains(number) => Ok(Kind::Integer(*number)),
        Kind::Integer(number) => {
            let bound = if *number < least {
                format!("at least {least}")
            } else {
                format!("at most {most}")
            };
            let message = format!("`{}` is {number}, but has to be {bound}", name());
            Err(Box::new(
                Finding::new(&code::OUT_OF_BOUNDS, at_value(node), message)
                    .label(bound)
                    .hint(format!("write a whole number from {least} to {most}")),
            ))
        }
        Kind::Text(text) if text.trim().parse::<i64>().is_ok() => {
            let mut finding = wrong_type(node, name, "a whole number", "");
            finding.hint = Some(format!("write {} without quotation marks", text.trim()));
            Err(finding)
        }
        _ => Err(wrong_type(
            node,
            name,
            "a whole number",
            "without quotation marks or a fraction",
        )),
    }
}

fn measured(node: &Node, unit: UnitShape, name: &dyn Fn() -> String) -> Result<Kind, Box<Finding>> {
    let such_as = || listed(unit.examples.iter().copied().take(3), "or");
    let text = match &node.kind {
        Kind::Text(text) | Kind::Decimal(text) => text.clone(),
        Kind::Integer(number) => number.to_string(),
        Kind::List(elements) if elements.len() == 1 => {
            let mut finding = wrong_type(node, name, unit.what, "");
            finding.hint = Some(match alone(&elements[0], unit) {
                Some(one) => format!("there is only one: write \"{one}\", without brackets"),
                None => format!("write one alone, such as {}", such_as()),
            });
            return Err(finding);
        }
        _ => {
            let mut finding = wrong_type(node, name, unit.what, "");
            finding.hint = Some(format!("write it as text, such as {}", such_as()));
            return Err(finding);
        }
    };
    if text.trim().is_empty() {
        let message = format!("`{}` is empty, but has to be {}", name(), unit.what);
        let finding = Finding::new(&code::WRONG_VALUE, at_value(node), message);
        return Err(Box::new(
            finding
                .label(format!("{} is expected", unit.what))
                .hint(format!("write it such as {}", such_as())),
        ));
    }
    match (unit.check)(&text) {
        Ok(()) => Ok(Kind::Text(text)),
        Err(misread) => {
            let message = format!("`{}` is not {}: it {}", Shown(&text), unit.what, misread.because);
            let hint = match misread.meant {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("{} is written such as {}", unit.what, such_as()),
            };
            Err(Box::new(
                Finding::new(&code::WRONG_VALUE, at_value(node), message)
                    .label(format!("{} is expected", unit.what))
                    .hint(hint),
            ))
        }
    }
}

/// A number without its unit, in the unit that the field is usually written in: backups are kept for days, and
/// health checks wait for seconds.
pub(super) fn in_usual_unit(number: i64, field: &Field, unit: UnitShape, kind: &str) -> Option<String> {
    let example = Some(field.example.trim_matches('"').to_owned()).filter(|text| !text.is_empty());
    let usual = example.or_else(|| (field.default)(kind)?.scalar())?;
    let suffix = usual.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let simple = suffix.len() < usual.len() && suffix.chars().all(char::is_alphabetic);
    let text = format!("{number}{suffix}");
    (simple && !suffix.is_empty() && (unit.check)(&text).is_ok()).then_some(text)
}

/// What the only value of a list means, if anything.
fn alone(element: &Node, unit: UnitShape) -> Option<String> {
    let text = element.scalar()?;
    match (unit.check)(&text) {
        Ok(()) => Some(text),
        Err(misread) => misread.meant,
    }
}

fn chosen(node: &Node, choices: &[Choice], name: &dyn Fn() -> String) -> Result<Kind, Box<Finding>> {
    let words = || choices.iter().map(|choice| choice.word);
    let Some(text) = node.scalar() else {
        return Err(wrong_type(node, name, "one of a few words", ""));
    };
    if words().any(|word| word == text) {
        return Ok(Kind::Text(text));
    }
    let message = format!("`{}` cannot be `{}`", name(), Shown(&text));
    let same = words().find(|word| choice(&text).contains(word));
    let hint = match same.or_else(|| nearest(&text, words())) {
        Some(word) => format!("did you mean \"{word}\"?"),
        None => format!("it is one of {}", listed(words(), "or")),
    };
    Err(Box::new(
        Finding::new(&code::WRONG_CHOICE, at_value(node), message)
            .label("not one of the words for it")
            .hint(hint),
    ))
}
