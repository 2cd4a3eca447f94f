//! The canal as JSON, for the site and the extension.

use crate::flight::{Boat, Flight, LOCKS, Stage, cruise};

/// All that a page needs to draw the canal. `by` is the instance that tells it.
pub(crate) fn json(flight: &Flight, now: u64, pace: u64, by: u16) -> String {
    let locks: Vec<String> = (1..=LOCKS).map(|lock| self::lock(flight, lock)).collect();
    let boats: Vec<String> = flight.boats.iter().map(boat).collect();
    format!(
        "{{\"now\":{now},\"by\":{by},\"cruise\":{},\"passages\":{},\"waiting\":{},\"locks\":[{}],\"boats\":[{}]}}",
        cruise(pace),
        flight.passages,
        flight.waiting(),
        locks.join(","),
        boats.join(",")
    )
}

fn lock(flight: &Flight, number: u64) -> String {
    let inside = |boat: &&Boat| boat.stage == Stage::Locking && boat.lock() == Some(number);
    let boat = flight.boats.iter().find(inside);
    format!(
        "{{\"number\":{number},\"full\":{},\"boat\":{}}}",
        flight.full[number as usize - 1],
        boat.map_or("null".to_owned(), |boat| boat.number.to_string())
    )
}

fn boat(boat: &Boat) -> String {
    format!(
        "{{\"number\":{},\"name\":{},\"length\":{},\"way\":\"{}\",\"pound\":{},\"stage\":\"{}\",\"since\":{},\"lock\":{}}}",
        boat.number,
        quoted(&boat.name),
        boat.length,
        boat.way.word(),
        boat.pound,
        boat.stage.word(),
        boat.since,
        boat.lock().map_or("null".to_owned(), |lock| lock.to_string())
    )
}

/// A text as JSON has it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if letter.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_text_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\"b\\c\n\u{7f}é"), "\"a\\\"b\\\\c\\u000a\\u007fé\"");
    }
}
