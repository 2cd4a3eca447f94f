//! `towpath explain`: what a code or a word means, and what holds here and why.

use super::Context;
use crate::checked::{Checked, check};
use crate::cli::Explain;
use crate::door::clock;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::releasing::aim;
use crate::talk;
use crate::view;
use std::fmt::Write;
use towpath_api::{ClientError, Story};
use towpath_manifest::{Explained, Origin, Reading, explain_path, nearest, print_value};
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::environment::Environment;
use towpath_model::run::State;
use towpath_model::spec::{Difference, Kind as NodeKind, Node, Path, Step, Tree, differences};
use towpath_model::word::{Shape, Table, prose, summary};

pub(super) fn run(context: &Context, args: Explain) -> Result<(), Failure> {
    if let Some((environment, number)) = rollout(&args) {
        return story(context, &environment, number, args.json);
    }
    if args.json {
        let failure = Failure::new(Kind::User, "only the story of a rollout is told as JSON");
        return Err(failure.hint("`towpath explain ENV NUMBER --json`"));
    }
    let text = match args.what.as_deref() {
        None => all_words(),
        Some(what) if what.trim_matches(['.', ' ']).is_empty() => all_words(),
        Some(what) if looks_like_code(what) => page(what)?,
        Some(what) if Desired::table().field(what).is_none() && !what.contains('.') => {
            match component(what, &args)? {
                Some(text) => text,
                None => word(what, &args)?,
            }
        }
        Some(what) => word(what, &args)?,
    };
    context.terminal.result(&text)
}

/// The rollout that is meant: `prod 7`. A folder with a number as its name is written with a path: `./7`.
fn rollout(args: &Explain) -> Option<(String, u64)> {
    let (what, number) = (args.what.as_ref()?, args.at.path.as_ref()?);
    let number = number.to_str()?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    Some((what.clone(), number.parse().ok().filter(|_| digits)?))
}

/// All of a rollout, however long ago it was.
fn story(context: &Context, environment: &str, number: u64, json: bool) -> Result<(), Failure> {
    let here = aim(environment, None)?;
    let told: Story = super::releases::ask(&here, &format!("/rollouts/{number}"))?;
    if json {
        return context.terminal.result(&super::releases::json(&told)?);
    }
    let text = view::story::story(&told, &here.environment, &clock::zone());
    context.terminal.result(&text)
}

fn looks_like_code(what: &str) -> bool {
    what.get(..2)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("tp"))
        && what.len() > 2
        && what.chars().skip(2).all(|letter| letter.is_ascii_digit())
}

/// Every word of the root with what it says.
fn all_words() -> String {
    let mut text =
        String::from("The words of a manifest; `towpath explain WORD` tells more about one of them\n\n");
    let width = Desired::table()
        .fields
        .iter()
        .map(|field| field.name.len())
        .max()
        .unwrap_or_default();
    for field in &Desired::table().fields {
        let _ = writeln!(text, "  {:width$}  {}", field.name, summary(field.about));
    }
    text
}

/// The page of a code.
fn page(what: &str) -> Result<String, Failure> {
    let Some(found) = code::find(what) else {
        let all = code::FAMILIES
            .iter()
            .flat_map(|family| family.codes)
            .map(|code| code.id);
        let hint = nearest(&what.to_uppercase(), all).map(|near| format!("did you mean {near}?"));
        let failure = Failure::new(Kind::User, format!("there is no code {}", what.to_uppercase()));
        return Err(match hint {
            Some(hint) => failure.hint(hint),
            None => failure.hint("codes are printed in front of what `towpath check` tells"),
        });
    };
    Ok(format!(
        "{} ({}): {}\n\n{}\n",
        found.id,
        found.gravity.word(),
        found.title,
        unfenced(found.page.trim_end())
    ))
}

/// A page for a terminal: what Markdown marks with fences is set in, under a line that says what it is.
fn unfenced(page: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(mark) => {
                inside = true;
                match mark {
                    "toml wrong" => text.push_str("This breaks it:\n\n"),
                    "toml right" => text.push_str("This keeps it:\n\n"),
                    _ => {}
                }
            }
            None if inside && !line.is_empty() => text.push_str(&format!("    {line}\n")),
            None => text.push_str(&format!("{line}\n")),
        }
    }
    text.trim_end().to_owned()
}

/// Why a component is as it is, where the word is the name of one.
fn component(what: &str, args: &Explain) -> Result<Option<String>, Failure> {
    let path = args
        .at
        .path
        .iter()
        .map(|path| path.to_string_lossy().into_owned());
    let words: Vec<String> = path.collect();
    // Without a manifest a word can still be explained.
    let Ok(here) = Here::find(&words, args.env.as_deref(), Purpose::Running) else {
        return Ok(None);
    };
    if !here.names.is_component(what) {
        return Ok(None);
    }
    let asked = talk::wait(async {
        let path = format!("/components/{what}/explain");
        Ok(here.client().ask(http::Method::GET, &path, &()).await)
    })?;
    match asked {
        Ok(explained) => Ok(Some(view::explained::explained(&explained, clock::now()))),
        Err(ClientError::Nobody) => unattended(what, &here).map(Some),
        // A resource that somebody else has does not run here.
        Err(ClientError::Refused(problem)) if problem.code == "unknown-component" => Ok(None),
        Err(error) => Err(talk::failed(&error, &here)),
    }
}

/// What there is to say of a component that nobody looks after: what the manifest knows, and what its keepers do.
fn unattended(name: &str, here: &Here) -> Result<String, Failure> {
    let status = talk::unattended(here)?;
    let word = here
        .names
        .table(name)
        .map_or_else(|| name.to_owned(), |table| format!("{table}.{name}"));
    let up = here.again("up");
    let next = format!("`towpath explain {word}` tells what the manifest says of it");
    let state = |of: &str| status.components.iter().find(|one| one.name == of);
    let Some(component) = state(name) else {
        return Ok(format!(
            "{name} does not run: no steward looks after {}\n  `{up}` starts it\n  {next}\n",
            here.title()
        ));
    };
    let does = match component.instances.is_empty() {
        true => format!("`{up}` starts it"),
        false => format!("`{up}` takes it over"),
    };
    let known = here.known();
    let written = known.as_ref().and_then(|product| product.components.get(name));
    let needs = written.iter().flat_map(|one| &one.needs).map(|need| {
        let state = state(need.name.as_str()).map_or(State::Stopped, |one| one.state);
        format!("{} is {state}", need.name)
    });
    Ok(view::explained::explained(
        &towpath_api::Explained {
            component: component.clone(),
            place: written.map(|one| format!("{}:{}", one.at.file, one.at.line)),
            needs: needs.collect(),
            history: Vec::new(),
            next: vec![does, next],
        },
        clock::now(),
    ))
}

/// A word, with the value that it has here when there is a manifest.
fn word(what: &str, args: &Explain) -> Result<String, Failure> {
    let (path, inside) = laid_below(Path::parse(what));
    let environment = args.env.clone().or(inside);
    let checked = match check(args.at.path.as_deref()) {
        Ok(checked) => Some(checked),
        // Without a manifest the language can still be explained; a place that was named has to be there.
        Err(failure) if args.at.path.is_some() || args.env.is_some() => return Err(failure),
        Err(_) => None,
    };
    let empty;
    let reading = match &checked {
        Some(checked) => &checked.reading,
        None => {
            empty = towpath_manifest::read("towpath.toml", &std::collections::BTreeMap::new());
            &empty
        }
    };
    if let (Some(checked), Some(environment)) = (&checked, &environment) {
        checked.product(Some(environment))?;
    }
    let mut explained = explain_path(reading, &path, environment.as_deref())
        .map_err(|(right, known)| unknown(reading, &path, &right, &known))?;
    if let (Some(checked), Some(value)) = (&checked, &explained.value) {
        explained.value = Some(checked.veiled(value));
    }
    Ok(render(&explained, checked.as_ref(), environment.as_deref()))
}

/// `environment.prod.service.web` is `service.web` in prod.
fn laid_below(path: Path) -> (Path, Option<String>) {
    let [Step::Key(first), Step::Key(name), Step::Key(word), ..] = path.steps() else {
        return (path, None);
    };
    let own = Environment::table().field(word).is_some();
    if first != "environment" || own || Desired::table().field(word).is_none() {
        return (path, None);
    }
    let name = name.clone();
    let below = path.steps()[2..]
        .iter()
        .fold(Path::root(), |path, step| match step {
            Step::Key(name) => path.key(name),
            Step::Nth(index) => path.nth(*index),
        });
    (below, Some(name))
}

fn unknown(reading: &Reading, path: &Path, right: &Path, known: &[String]) -> Failure {
    let wrong = path.steps().get(right.steps().len());
    let wrong = match wrong {
        Some(Step::Key(name)) => name.clone(),
        Some(Step::Nth(index)) => format!("[{index}]"),
        None => String::new(),
    };
    let place = if right.steps().is_empty() {
        "the manifest".to_owned()
    } else {
        format!("`{right}`")
    };
    let failure = Failure::new(Kind::User, format!("`{wrong}` is not a word of {place}"));
    match nearest(&wrong, known.iter().map(String::as_str)) {
        Some(near) => failure.hint(format!("did you mean `{}`?", right.key(near))),
        None if known.is_empty() => failure.hint(match explain_path(reading, right, None) {
            Ok(Explained {
                shape: Shape::List(_),
                ..
            }) => format!("it is a list; its first is `{right}[0]`"),
            _ => format!("{place} has nothing below it"),
        }),
        None if right.steps().is_empty() => failure.hint(elsewhere(reading, &wrong)),
        None => failure.hint(format!("it knows {}", known.join(", "))),
    }
}

/// Where a word stands that is none of the root: the name of something here, or a word of a table.
fn elsewhere(reading: &Reading, word: &str) -> String {
    const SHOWN: usize = 4;
    let fields = &Desired::table().fields;
    let named = fields.iter().find(|field| {
        reading
            .root
            .get(field.name)
            .is_some_and(|all| all.get(word).is_some())
    });
    if let Some(field) = named {
        return format!("did you mean `{}.{word}`?", field.name);
    }
    let holders: Vec<String> = fields
        .iter()
        .filter_map(|field| {
            let (table, name) = match (field.shape)() {
                Shape::Map(_, value) => (table_of(value())?, ".NAME"),
                shape => (table_of(shape)?, ""),
            };
            let kind = field.kind;
            let holds = table.field(word).is_some_and(|found| found.belongs_to(kind));
            holds.then(|| format!("`{}{name}.{word}`", field.name))
        })
        .collect();
    match &holders[..] {
        [] => "`towpath explain` lists all words".to_owned(),
        [only] => format!("did you mean {only}?"),
        several => {
            let shown = &several[..several.len().min(SHOWN)];
            let more = if several.len() > SHOWN { " and others" } else { "" };
            format!("say which one: {}{more}", shown.join(", "))
        }
    }
}

fn render(explained: &Explained, checked: Option<&Checked>, environment: Option<&str>) -> String {
    let mut text = format!("{}\n", explained.path);
    if let Some(field) = explained.field {
        let _ = writeln!(text, "\n{}", prose(field.about));
    }
    let _ = writeln!(text, "\n  is       {}", is(explained.shape));
    if let Shape::Choice(choices) = explained.shape {
        for choice in choices {
            let _ = writeln!(text, "             {:12} {}", choice.word, summary(choice.about));
        }
    }
    match (&explained.default, explained.field) {
        (Some(default), _) => text.push_str(&format!("  default  {}\n", print_value(default))),
        (None, Some(field)) if field.required => {
            text.push_str("  default  none: it has to be written\n");
        }
        _ => {}
    }
    if let Some(field) = explained.field.filter(|field| !field.on.is_empty()) {
        let _ = writeln!(text, "  in       {}", field.on.join(", "));
    }
    if let Some(field) = explained.field.filter(|field| !field.example.is_empty()) {
        let _ = writeln!(text, "  such as  {}", example(field.example, explained.shape));
    }
    if checked.is_some() {
        here(&mut text, explained, environment);
    }
    if let Some(table) = table_of(explained.shape) {
        if table.overlays {
            laid_over(&mut text, explained, checked);
        }
        fields(&mut text, table, explained, checked);
    }
    text
}

/// The value here, and where it came from.
fn here(text: &mut String, explained: &Explained, environment: Option<&str>) {
    let named = environment.or_else(|| environment_in(&explained.path));
    let place = named.map_or_else(|| "here".to_owned(), |name| format!("in {name}"));
    let from = match &explained.origin {
        // A name of the writer's choice stands in a table of the root, without a field of its own.
        Origin::Nothing if explained.field.is_none() && explained.path.steps().len() == 2 => {
            "not declared".to_owned()
        }
        Origin::Nothing => "not set".to_owned(),
        Origin::Default => "the default".to_owned(),
        Origin::Line { file, line } => format!("written at {file}:{line}"),
        Origin::Environment { name, file, line } => {
            format!("laid over by environment {name} at {file}:{line}")
        }
    };
    let value = explained.value.as_deref().or(explained.default.as_ref());
    let simple = value.filter(|node| node.table().is_none_or(|_| explained.field.is_some()));
    match simple {
        Some(node) if node.kind != NodeKind::Off => {
            let width = place.chars().count().max(9);
            let value = cut(print_value(node), 400);
            let _ = writeln!(text, "\n{place:width$}  {value}\n{:width$}  {from}", "");
        }
        Some(_) => text.push_str(&format!(
            "
{place:9}  switched off
           {from}
"
        )),
        None => text.push_str(&format!(
            "
{place:9}  {from}
"
        )),
    }
}

/// The environment that a path leads into: `environment.prod.engine` holds in prod.
fn environment_in(path: &Path) -> Option<&str> {
    match path.steps() {
        [Step::Key(table), Step::Key(name), _, ..] if table == "environment" => Some(name),
        _ => None,
    }
}

/// What an environment changes of the product.
fn laid_over(text: &mut String, explained: &Explained, checked: Option<&Checked>) {
    let Some(checked) = checked else { return };
    let name = explained.path.last();
    let Some(layer) = checked.reading.environments.get(name) else {
        return;
    };
    let changed: Vec<Difference> = differences(&checked.reading.root, &layer.tree)
        .into_iter()
        .filter(|difference| !Path::of(["environment"]).holds(&difference.path))
        .collect();
    if changed.is_empty() {
        let _ = writeln!(text, "\n{name} changes nothing of the product");
        return;
    }
    let _ = writeln!(text, "\n{name} changes of the product");
    for difference in changed {
        let side = |side: &Option<Tree>| {
            side.as_ref()
                .map_or_else(|| "nothing".to_owned(), |node| short(&checked.veiled(node)))
        };
        let _ = writeln!(
            text,
            "  {}\n      {} -> {}",
            difference.path,
            side(&difference.before),
            side(&difference.after)
        );
    }
}

/// The fields of a table, each with its value here or its default.
fn fields(text: &mut String, table: &'static Table, explained: &Explained, checked: Option<&Checked>) {
    let kind = explained.kind.as_str();
    let width = table
        .fields_on(kind)
        .map(|field| field.name.len())
        .max()
        .unwrap_or_default();
    let _ = writeln!(text, "\n{}\n", prose(table.about));
    for field in table.fields_on(kind) {
        let written = explained.value.as_ref().and_then(|node| node.get(field.name));
        let default = (field.default)(kind);
        let value = match (written, default) {
            (Some(node), _) => format!("= {}", short(node)),
            (None, Some(default)) if checked.is_some() => format!("= {}  (default)", short(&default)),
            (None, Some(default)) => format!("default {}", short(&default)),
            (None, None) if field.required => "required".to_owned(),
            (None, None) => String::new(),
        };
        let line = format!("  {:width$}  {}", field.name, summary(field.about));
        let _ = if value.is_empty() {
            writeln!(text, "{line}")
        } else {
            writeln!(text, "{line}\n  {:width$}  {value}", "")
        };
    }
}

/// A value on one line, cut where it is long.
fn short(node: &Node) -> String {
    cut(print_value(node), 80)
}

/// A text of at most so many letters.
fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

/// The table that a shape leads to without a name in between.
fn table_of(shape: Shape) -> Option<&'static Table> {
    match shape {
        Shape::Table(table) => Some(table()),
        Shape::List(element) => table_of(element()),
        Shape::Map(_, value) => table_of(value()),
        _ => None,
    }
}

fn is(shape: Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Bool => "true or false".to_owned(),
        Shape::Integer { least, most } => format!("a whole number from {least} to {most}"),
        Shape::Unit(unit) => {
            let examples: Vec<String> = unit
                .examples
                .iter()
                .take(6)
                .map(|one| format!("\"{one}\""))
                .collect();
            format!("{}: {}", unit.what, examples.join(", "))
        }
        Shape::Choice(_) => "one of".to_owned(),
        Shape::Refer(tables) => {
            let tables: Vec<String> = tables.iter().map(|table| format!("[{table}.NAME]")).collect();
            format!("the NAME of one of {}", tables.join(", "))
        }
        Shape::List(element) => format!("a list (one alone needs no brackets), each {}", is(element())),
        Shape::Map(_, value) => format!("a table of named things, each {}", is(value())),
        Shape::Table(table) => match table().short {
            [] => "a table".to_owned(),
            fields => format!("a table, or alone its `{}`", fields.join("` and `")),
        },
    }
}

fn example(text: &str, shape: Shape) -> String {
    let plain = matches!(shape, Shape::Integer { .. } | Shape::Bool) || text.starts_with(['{', '[']);
    if plain {
        text.to_owned()
    } else {
        format!("\"{text}\"")
    }
}
