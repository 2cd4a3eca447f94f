//! What nobody may see, taken out of everything that is told.

/// What is said in its place.
const SEALED: &str = "[sealed]";

/// What is shorter hides nothing, and would hide half of every text.
const SHORTEST: usize = 4;

/// The parts of a cookie that are worth hiding by themselves.
const SHORTEST_PART: usize = 8;

/// Values that must not be told.
#[derive(Default)]
pub struct Veil {
    /// The longest first, so that no rest of one is left where another stands in it.
    values: Vec<String>,
}

impl Veil {
    /// A veil over these values, and over what cookies among them are made of.
    pub fn over<'v>(values: impl IntoIterator<Item = &'v str>) -> Veil {
        let mut hidden = Vec::new();
        for value in values {
            let value = value.trim();
            if value.len() >= SHORTEST {
                hidden.push(value.to_owned());
            }
            for pair in value.split([';', '\n']) {
                let part = pair.split_once('=').map(|(_, part)| part.trim());
                hidden.extend(part.filter(|part| part.len() >= SHORTEST_PART).map(str::to_owned));
            }
        }
        hidden.sort_by_key(|value| std::cmp::Reverse(value.len()));
        hidden.dedup();
        Veil { values: hidden }
    }

    /// A text without any of them.
    pub fn text(&self, text: &str) -> String {
        let mut told = text.to_owned();
        for value in &self.values {
            if told.contains(value.as_str()) {
                told = told.replace(value.as_str(), SEALED);
            }
        }
        told
    }
}

impl std::fmt::Debug for Veil {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[a veil]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_and_no_part_of_a_cookie_is_left() {
        let veil = Veil::over([
            "hunter2",
            "hunter2hunter3",
            "session=0123456789abcdef; a=b",
            "ab",
            "",
        ]);
        assert_eq!(
            veil.text("hunter2hunter3 hunter2 a=b 0123456789abcdef about"),
            "[sealed] [sealed] a=b [sealed] about"
        );
        assert_eq!(format!("{veil:?}"), "[a veil]");
    }
}
