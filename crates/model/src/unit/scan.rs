//! Reading numbers and words from short texts, exactly and without ever panicking.

use super::{LONGEST_TEXT, Misread};

/// The trimmed text, if it is of a size and shape worth reading.
pub(super) fn bounded(text: &str) -> Result<&str, Misread> {
    if text.len() > LONGEST_TEXT {
        return Err(Misread::new(format!("is longer than {LONGEST_TEXT} bytes")));
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(Misread::new("is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(Misread::new(
            "has a line break or another control character in it",
        ));
    }
    Ok(text)
}

/// A number that is not negative, exactly as written: `digits` divided by ten to the `scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) digits: u128,
    pub(super) scale: u32,
}

/// Ten to this power, times any factor that is used here (at most 2^63), still fits 128 bits.
const MOST_DIGITS: usize = 28;

impl Number {
    /// The number times the factor, and whether nothing was cut off.
    pub(super) fn times(self, factor: u64) -> Option<(u128, bool)> {
        let divisor = 10_u128.checked_pow(self.scale)?;
        let whole = (self.digits / divisor).checked_mul(u128::from(factor))?;
        // The rest is below ten to the 28th: times a factor of at most 2^34 it always fits.
        let rest = (self.digits % divisor).checked_mul(u128::from(factor))?;
        let sum = whole.checked_add(rest / divisor)?;
        Some((sum, rest % divisor == 0))
    }

    /// The number, if it is whole.
    pub(super) fn whole(self) -> Option<u64> {
        match self.times(1)? {
            (n, true) => u64::try_from(n).ok(),
            _ => None,
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self.digits == 0
    }
}

/// Walks over a text from left to right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.trim() }
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Steps over spaces and the given marks.
    pub(super) fn skip(&mut self, marks: &[char]) {
        self.rest = self
            .rest
            .trim_start_matches(|c: char| c.is_whitespace() || marks.contains(&c));
    }

    /// Takes the prefix, if it stands here.
    pub(super) fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    /// Takes one of the words, if it stands here as a whole word, whatever its case.
    pub(super) fn take_word(&mut self, words: &[&str]) -> bool {
        let mut ahead = *self;
        let word = ahead.word();
        let found = words.iter().any(|w| w.eq_ignore_ascii_case(word));
        if found {
            *self = ahead;
        }
        found
    }

    /// The letters that stand here (perhaps none), and the spaces behind them.
    pub(super) fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| !c.is_alphabetic() && c != '%')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }

    /// A number: digits in groups (`10 000`, `10,000`, `10_000`) and perhaps a fraction.
    pub(super) fn number(&mut self) -> Result<Number, Misread> {
        self.refuse_sign()?;
        let (mut digits, mut count, mut scale) = (0_u128, 0_usize, 0_u32);
        let mut after_point = false;
        let bytes = self.rest.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if byte.is_ascii_digit() {
                count += 1;
                if count > MOST_DIGITS {
                    return Err(Misread::new("has more digits than can be kept"));
                }
                digits = digits * 10 + u128::from(byte - b'0');
                scale += u32::from(after_point);
                at += 1;
            } else if byte == b'.' && !after_point && next_is_digit(bytes, at) {
                after_point = true;
                at += 1;
            } else if !after_point && count > 0 && is_group(bytes, at) {
                at += 1;
            } else {
                break;
            }
        }
        if count == 0 {
            return Err(Misread::new("does not start with a number"));
        }
        if bytes.get(at) == Some(&b',') && next_is_digit(bytes, at) {
            let fixed = self.rest.replacen(',', ".", 1);
            return Err(Misread::new("has a comma where the decimal point stands").meant(fixed));
        }
        self.rest = self.rest[at..].trim_start();
        Ok(Number { digits, scale })
    }

    fn refuse_sign(&self) -> Result<(), Misread> {
        let mut chars = self.rest.chars();
        match chars.next() {
            Some('-' | '\u{2212}') => Err(Misread::new("is negative")),
            Some('+') => Err(Misread::new("has a plus sign in front").meant(chars.as_str().trim())),
            _ => Ok(()),
        }
    }
}

fn next_is_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
}

/// Whether a separator stands here with exactly three digits behind it.
fn is_group(bytes: &[u8], at: usize) -> bool {
    matches!(bytes[at], b' ' | b',' | b'_')
        && (1..=3).all(|n| bytes.get(at + n).is_some_and(u8::is_ascii_digit))
        && !bytes.get(at + 4).is_some_and(u8::is_ascii_digit)
}

/// The known word that is nearest to what was written, if one is near.
pub(super) fn nearest<'w>(written: &str, known: &[&'w str]) -> Option<&'w str> {
    let written: Vec<char> = written.to_lowercase().chars().take(24).collect();
    let allowed = if written.len() < 4 { 1 } else { 2 };
    known
        .iter()
        .map(|word| (distance(&written, word), *word))
        .filter(|(steps, word)| *steps <= allowed && *steps < word.chars().count())
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, word)| word)
}

/// How many letters must be added, removed or changed.
fn distance(written: &[char], known: &str) -> usize {
    let mut row: Vec<usize> = (0..=written.len()).collect();
    for (i, letter) in known.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, other) in written.iter().enumerate() {
            let change = corner + usize::from(letter != other.to_ascii_lowercase());
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[written.len()]
}

/// `digits` divided by ten to the `scale`, without zeros at the end.
pub(super) fn plain(digits: u64, scale: u32) -> String {
    let mut text = format!("{digits:0>width$}", width = scale as usize + 1);
    if scale > 0 {
        text.insert(text.len() - scale as usize, '.');
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}
