//! Takes the values of secrets out of what is told and kept.

use towpath_model::run::{Evidence, Found, Verdict};
use towpath_model::sealed::Sealed;

/// What stands in place of a value.
const VEIL: &str = "…";

/// A value that is shorter stands in half of all lines: taking it out would tell where it is, and leave nothing to read.
const SHORTEST: usize = 4;

/// Values that are not told.
pub(crate) struct Veil {
    values: Vec<Sealed<String>>,
}

impl Veil {
    /// Over these. A value of several lines is not told line by line, either.
    pub(crate) fn over(secrets: &[Sealed<String>]) -> Self {
        let mut values: Vec<String> = Vec::new();
        for secret in secrets {
            let value = secret.open().trim();
            let parts = value.lines().map(str::trim).chain([value]);
            values.extend(
                parts
                    .filter(|part| part.chars().count() >= SHORTEST)
                    .map(str::to_owned),
            );
        }
        // One may be a part of another.
        values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        values.dedup();
        Veil {
            values: values.into_iter().map(Sealed::new).collect(),
        }
    }

    /// A text as it may be told.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut told = text.to_owned();
        for value in &self.values {
            if told.contains(value.open().as_str()) {
                told = told.replace(value.open().as_str(), VEIL);
            }
            // What was cut may end in the middle of a value.
            if let Some(cut) = told.strip_suffix(VEIL)
                && let Some(begin) = begins(cut, value.open())
            {
                told = format!("{}{VEIL}", &cut[..begin]);
            }
        }
        told
    }

    /// What was found, as it may be told.
    pub(crate) fn found(&self, found: Found) -> Found {
        Found {
            verdict: match found.verdict {
                Verdict::Pass => Verdict::Pass,
                Verdict::Fail(why) => Verdict::Fail(self.text(&why)),
                Verdict::Inconclusive(why) => Verdict::Inconclusive(self.text(&why)),
                Verdict::Waived(why) => Verdict::Waived(self.text(&why)),
                Verdict::Awaits(why) => Verdict::Awaits(self.text(&why)),
            },
            measured: found.measured.map(|text| self.text(&text)),
            bound: found.bound.map(|text| self.text(&text)),
            evidence: found
                .evidence
                .into_iter()
                .map(|one| Evidence {
                    name: self.text(&one.name),
                    text: one
                        .text
                        .lines()
                        .map(|line| self.text(line))
                        .collect::<Vec<_>>()
                        .join("\n"),
                    digest: one.digest,
                })
                .collect(),
        }
    }
}

/// Where a value begins that a text ends in the middle of.
fn begins(text: &str, value: &str) -> Option<usize> {
    let mut ends = value
        .char_indices()
        .map(|(at, _)| at)
        .filter(|at| *at >= SHORTEST);
    let longest = ends
        .by_ref()
        .filter(|end| text.ends_with(&value[..*end]))
        .last()?;
    Some(text.len() - longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn veil(values: &[&str]) -> Veil {
        let sealed: Vec<Sealed<String>> = values
            .iter()
            .map(|value| Sealed::new((*value).to_owned()))
            .collect();
        Veil::over(&sealed)
    }

    #[test]
    fn a_value_is_not_told_whole_or_by_its_beginning_or_by_its_lines() {
        let veil = veil(&["hunter22", "hunter22-longer", "first line\nsecond line", "no"]);
        for (text, told) in [
            ("it is hunter22 twice: hunter22", "it is … twice: …"),
            ("hunter22-longer", "…"),
            ("cut off: hunte…", "cut off: …"),
            ("a second line of it", "a … of it"),
            ("no is too short to hide", "no is too short to hide"),
        ] {
            assert_eq!(veil.text(text), told);
        }
    }
}
