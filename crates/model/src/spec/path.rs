//! The path to a node: `service.edge.uses[0]`.

use std::fmt;

/// One step down the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a table.
    Key(String),
    /// Into a list.
    Nth(usize),
}

/// The way from the root of a manifest to one of its nodes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(Vec<Step>);

impl Path {
    /// The root.
    pub fn root() -> Self {
        Path::default()
    }

    /// The path through these tables.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Path(names.into_iter().map(|name| Step::Key(name.to_owned())).collect())
    }

    /// Reads `service.edge.uses[0]`; an index that is no number is taken as part of the name.
    pub fn parse(text: &str) -> Self {
        let mut steps = Vec::new();
        for part in text.split('.').filter(|part| !part.is_empty()) {
            let (name, rest) = part.split_once('[').unwrap_or((part, ""));
            if !name.is_empty() {
                steps.push(Step::Key(name.to_owned()));
            }
            for index in rest.split('[') {
                if let Ok(number) = index.trim_end_matches(']').parse() {
                    steps.push(Step::Nth(number));
                }
            }
        }
        Path(steps)
    }

    /// The path to an entry below this one.
    #[must_use]
    pub fn key(&self, name: impl AsRef<str>) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(name.as_ref().to_owned()));
        Path(steps)
    }

    /// The path to an element below this one.
    #[must_use]
    pub fn nth(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Nth(index));
        Path(steps)
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The path without its last step; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Path(rest.to_vec()))
    }

    /// The name of the last step, or the empty text.
    pub fn last(&self) -> &str {
        match self.0.last() {
            Some(Step::Key(name)) => name,
            _ => "",
        }
    }

    /// Whether the other path is this one or lies below it.
    pub fn holds(&self, other: &Path) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl FromIterator<Step> for Path {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Path(steps.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(name) if position == 0 => write!(f, "{name}")?,
                Step::Key(name) => write!(f, ".{name}")?,
                Step::Nth(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
