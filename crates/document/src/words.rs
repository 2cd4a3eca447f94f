//! Values as people write them, and text that cannot break the page that it stands in.

use towpath_model::unit::{Amount, Ramp};
use towpath_model::unit::{Bytes, Cpu, Duration, Hold, Rate, RateKey, Schedule, Trigger, Url, Window};

/// Something typed or named exactly: a code span.
pub(crate) fn code(text: impl ToString) -> String {
    let text = text.to_string().replace(['\n', '\r', '\t'], " ");
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    // In a table a bar is written with a backslash, and one that stands there already would undo that.
    if text.contains("\\|") {
        return format!("<code>{}</code>", as_entities(text));
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

fn as_entities(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || c == ' ' {
            out.push(c);
        } else {
            out.push_str(&format!("&#{};", u32::from(c)));
        }
    }
    out
}

/// Text that somebody wrote: code between backticks stays code, everything else is plain.
pub(crate) fn text(written: &str) -> String {
    let written = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    let mut rest = written.as_str();
    while let Some((before, after)) = rest.split_once('`') {
        plain(before, &mut out);
        match after.split_once('`') {
            Some((inside, behind)) if !inside.trim().is_empty() => {
                out.push_str(&code(inside));
                rest = behind;
            }
            _ => {
                out.push_str("\\`");
                rest = after;
            }
        }
    }
    plain(rest, &mut out);
    at_line_start(out)
}

/// Puts a backslash before whatever Markdown would read as more than a letter.
fn plain(text: &str, out: &mut String) {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: Option<usize>| index.and_then(|index| chars.get(index)).copied();
    for (index, c) in chars.iter().copied().enumerate() {
        let (before, after) = (at(index.checked_sub(1)), at(Some(index + 1)));
        let within_word = [before, after]
            .iter()
            .all(|c| c.is_some_and(char::is_alphanumeric));
        let special = match c {
            '\\' | '*' | '[' | ']' | '<' => true,
            '_' => !within_word,
            '~' => before == Some('~') || after == Some('~'),
            '&' => after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '#'),
            '$' => !after.is_some_and(|c| c.is_ascii_digit()),
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
}

/// Protects the first character, which alone can begin a heading, a quotation or a list.
fn at_line_start(text: String) -> String {
    match text.chars().next() {
        Some('#' | '>' | '-' | '+' | '=' | '~') => format!("\\{text}"),
        Some(c) if c.is_ascii_digit() => {
            let digits = text.chars().take_while(char::is_ascii_digit).count();
            match text[digits..].chars().next() {
                Some('.' | ')') if text[digits + 1..].starts_with(' ') => {
                    format!("{}\\{}", &text[..digits], &text[digits..])
                }
                _ => text,
            }
        }
        _ => text,
    }
}

/// The text as a whole sentence.
pub(crate) fn sentence(written: &str) -> String {
    let text = capital(&text(written));
    match text.chars().last() {
        None => text,
        Some('.' | '!' | '?' | ':' | '…') => text,
        Some(_) => format!("{text}."),
    }
}

/// The text with a capital at its beginning.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Optional text, or nothing.
pub(crate) fn maybe(written: &Option<String>) -> String {
    written.as_deref().map(text).unwrap_or_default()
}

/// Parts that are there, one after the other as sentences of a cell.
pub(crate) fn sentences<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts: Vec<String> = parts
        .into_iter()
        .map(sentence)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<T: AsRef<str>>(parts: &[T]) -> String {
    joined(parts, "and")
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn either<T: AsRef<str>>(parts: &[T]) -> String {
    joined(parts, "or")
}

fn joined<T: AsRef<str>>(parts: &[T], word: &str) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .map(AsRef::as_ref)
        .filter(|part| !part.is_empty())
        .collect();
    match parts.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} {word} {last}", others.join(", ")),
    }
}

/// Things by their exact names, as a list.
pub(crate) fn codes<T: ToString>(parts: impl IntoIterator<Item = T>) -> String {
    let parts: Vec<String> = parts.into_iter().map(|part| code(part.to_string())).collect();
    list(&parts)
}

/// Texts, as a list.
pub(crate) fn texts<'a>(parts: impl IntoIterator<Item = &'a String>) -> String {
    let parts: Vec<String> = parts.into_iter().map(|part| text(part)).collect();
    list(&parts)
}

/// `1 instance`, `2 instances`.
pub(crate) fn count(number: u32, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{} {what}s", grouped(u64::from(number))),
    }
}

/// A number with commas between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `30 minutes`, `90 days`, `1 year`.
pub(crate) fn time(duration: Duration) -> String {
    let years = duration.days() / 365;
    if years > 0 && duration == Duration::from_days(years * 365) {
        return if years == 1 {
            "1 year".to_owned()
        } else {
            format!("{years} years")
        };
    }
    duration.spoken()
}

/// `30-minute`, before a noun.
pub(crate) fn each_time(duration: Duration) -> String {
    match time(duration).strip_prefix("1 ") {
        Some(unit) if !unit.contains(' ') => format!("every {unit}"),
        _ => format!("every {}", time(duration)),
    }
}

/// `256 MiB`.
pub(crate) fn size(bytes: Bytes) -> String {
    let text = bytes.to_string();
    match text.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => format!("{} {}", &text[..at], &text[at..]),
        None => text,
    }
}

/// `2 CPUs`, `0.5 CPU`.
pub(crate) fn cpu(cpu: Cpu) -> String {
    let millis = cpu.millis();
    let whole = millis / 1000;
    let rest = format!("{:03}", millis % 1000);
    let rest = rest.trim_end_matches('0');
    let number = if rest.is_empty() {
        whole.to_string()
    } else {
        format!("{whole}.{rest}")
    };
    format!("{number} CPU{}", if millis > 1000 { "s" } else { "" })
}

/// `100/s per IP`.
pub(crate) fn rate(rate: &Rate) -> String {
    match rate.key() {
        Some(RateKey::Ip) => rate.to_string().replace("per ip", "per IP"),
        _ => rate.to_string(),
    }
}

/// An address without the password that might stand in it.
pub(crate) fn url(url: &Url) -> String {
    let shown = match url.password() {
        Some(password) if !password.is_empty() => url.as_str().replacen(&format!(":{password}@"), ":…@", 1),
        _ => url.as_str().to_owned(),
    };
    if shown.starts_with("http") && !shown.contains(['<', '>', '|', '\\', '`', ' ', '*', '_', '[', ']']) {
        shown
    } else {
        code(shown)
    }
}

/// A schedule in words.
pub(crate) fn schedule(schedule: &Schedule) -> String {
    schedule.spoken()
}

/// A window in words.
pub(crate) fn window(window: &Window) -> String {
    window.spoken()
}

/// What makes a change arrive: `on every pull request`, `on a push to main`, `on a tag v*`.
pub(crate) fn trigger(trigger: &Trigger) -> String {
    match trigger {
        Trigger::PullRequest => "on every pull request".to_owned(),
        Trigger::Push(branch) => format!("on a push to {}", code(branch)),
        Trigger::Tag(tag) => format!("on a tag {}", code(tag)),
        Trigger::Manual => "by hand".to_owned(),
        Trigger::Schedule(when) => when.spoken(),
    }
}

/// The same, for the arrow of a diagram.
pub(crate) fn trigger_label(trigger: &Trigger) -> String {
    match trigger {
        Trigger::PullRequest => "pull request".to_owned(),
        Trigger::Push(branch) => format!("push to {branch}"),
        Trigger::Tag(tag) => format!("tag {tag}"),
        Trigger::Manual => "by hand".to_owned(),
        Trigger::Schedule(when) => when.spoken(),
    }
}

/// One step of a rollout: `10% of traffic for 30 minutes`.
pub(crate) fn step(ramp: &Ramp, unit: &str) -> String {
    let amount = match ramp.amount() {
        Amount::Share(share) if share.rest().is_zero() => "everything".to_owned(),
        Amount::Share(share) => format!("{share} of {unit}"),
        Amount::Count { .. } => ramp.amount().to_string(),
        Amount::Same => "a pause".to_owned(),
    };
    match ramp.hold() {
        Hold::None => amount,
        Hold::For(duration) => format!("{amount} for {}", time(duration)),
        Hold::Person => format!("{amount} until somebody says go on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::unit::known;

    #[test]
    fn odd_text_stays_text() {
        for (written, shown) in [
            ("plain", "plain"),
            (
                "a [link](http://x) and *stars*",
                "a \\[link\\](http://x) and \\*stars\\*",
            ),
            ("<script>alert(1)</script>", "\\<script>alert(1)\\</script>"),
            (
                "keep `code | here` but one ` alone",
                "keep `code | here` but one \\` alone",
            ),
            ("# no heading", "\\# no heading"),
            ("- no point", "\\- no point"),
            ("1. no step", "1\\. no step"),
            ("two\nlines\r\nhere", "two lines here"),
            ("snake_case and _this_", "snake_case and \\_this\\_"),
            ("AT&amp;T & Co", "AT\\&amp;T & Co"),
            ("$5 and $x$", "$5 and \\$x\\$"),
            ("back\\slash", "back\\\\slash"),
        ] {
            assert_eq!(text(written), shown);
        }
    }

    #[test]
    fn code_takes_whatever_it_is_given() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("a \\| b"), "<code>a &#92;&#124; b</code>");
        assert_eq!(code(" "), "");
    }

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(time(known("1y")), "1 year");
        assert_eq!(time(known("90m")), "1 hour 30 minutes");
        assert_eq!(each_time(known("1m")), "every minute");
        assert_eq!(size(known("256MiB")), "256 MiB");
        assert_eq!(size(known("1.75GB")), "1.75 GB");
        assert_eq!(cpu(known("0.5")), "0.5 CPU");
        assert_eq!(cpu(known("2")), "2 CPUs");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(
            step(&known("10% for 30m"), "traffic"),
            "10% of traffic for 30 minutes"
        );
        assert_eq!(step(&known("100%"), "traffic"), "everything");
        assert_eq!(
            url(&known("https://me:secret@example.com/x")),
            "https://me:…@example.com/x"
        );
    }
}
