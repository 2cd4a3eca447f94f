//! Fields as forms send them: `name=Kingfisher&way=up`.

/// What is read of a form: its fields in the order in which they stand.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads fields. What is no field is left out.
    pub(crate) fn read(text: &str) -> Form {
        let fields = text.split('&').filter_map(|field| field.split_once('='));
        Form(
            fields
                .map(|(name, value)| (decoded(name), decoded(value)))
                .collect(),
        )
    }

    /// The text of a field.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(known, _)| known == name)?;
        Some(&field.1)
    }

    /// The number in a field.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }
}

/// Writes fields.
pub(crate) fn write(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    fields.join("&")
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(bytes.get(at + 1..at + 3))) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digits: Option<&[u8]>) -> Option<u8> {
    let digits = std::str::from_utf8(digits?).ok()?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = write(&[
            ("name", "Queen of Spades & Co 100%".to_owned()),
            ("boat", "7".to_owned()),
        ]);
        let form = Form::read(&text);
        assert_eq!(form.text("name"), Some("Queen of Spades & Co 100%"));
        assert_eq!(form.number("boat"), Some(7));
        assert_eq!(form.text("way"), None);
    }

    #[test]
    fn a_broken_escape_stands_for_itself() {
        assert_eq!(Form::read("a=%zz%4&b=%+1").text("a"), Some("%zz%4"));
        assert_eq!(Form::read("b=%+1").text("b"), Some("% 1"));
    }
}
