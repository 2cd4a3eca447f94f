//! The rules that a manifest is checked against, each with a stable code and a page that explains it.
//!
//! A code never changes its meaning and is never used again. The first two digits are its family. Each page holds a
//! manifest that breaks the rule and one that keeps it; a test checks both.

mod components;
mod costs;
mod edge;
mod environments;
mod gates;
mod names;
mod reading;
mod resources;
mod secrets;
mod words;

pub use components::*;
pub use costs::*;
pub use edge::*;
pub use environments::*;
pub use gates::*;
pub use names::*;
pub use reading::*;
pub use resources::*;
pub use secrets::*;
pub use words::*;

/// How bad it is to break a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gravity {
    /// It cannot work or is unsafe.
    Error,
    /// It works, and a careful engineer would look again.
    Warning,
}

impl Gravity {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Gravity::Error => "error",
            Gravity::Warning => "warning",
        }
    }
}

/// A rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// The stable code, `TP0101`.
    pub id: &'static str,
    /// How bad it is.
    pub gravity: Gravity,
    /// The rule in a sentence.
    pub title: &'static str,
    /// What it means, why it is a rule, and how to keep it, in Markdown.
    pub page: &'static str,
}

impl Code {
    /// The manifests on its page that break it (`wrong`) or keep it (`right`).
    pub fn examples(&self, mark: &str) -> Vec<String> {
        let fence = format!("```toml {mark}\n");
        let block = |rest: &str| Some(format!("{}\n", rest.split("\n```").next()?));
        self.page.split(&fence).skip(1).filter_map(block).collect()
    }
}

/// The rules about one thing.
#[derive(Debug)]
pub struct Family {
    /// The digits that their codes begin with, `TP01`.
    pub prefix: &'static str,
    /// What they are about.
    pub title: &'static str,
    /// The rules, by code.
    pub codes: &'static [&'static Code],
}

/// Every family, in the order of their codes.
pub static FAMILIES: &[&Family] = &[
    &reading::FAMILY,
    &words::FAMILY,
    &names::FAMILY,
    &components::FAMILY,
    &resources::FAMILY,
    &environments::FAMILY,
    &gates::FAMILY,
    &secrets::FAMILY,
    &edge::FAMILY,
    &costs::FAMILY,
];

/// The rule with that code, however it is capitalized.
pub fn find(id: &str) -> Option<&'static Code> {
    let wanted = id.trim().to_ascii_uppercase();
    FAMILIES
        .iter()
        .flat_map(|family| family.codes)
        .copied()
        .find(|code| code.id == wanted)
}

/// Declares the rules of a family: a static for each, and the family.
macro_rules! codes {
    ($prefix:literal $title:literal; $($id:ident $name:ident $gravity:ident $rule:literal;)+) => {
        $(
            #[doc = $rule]
            pub static $name: $crate::code::Code = $crate::code::Code {
                id: stringify!($id),
                gravity: $crate::code::Gravity::$gravity,
                title: $rule,
                page: include_str!(concat!("pages/", stringify!($id), ".md")),
            };
        )+

        pub(crate) static FAMILY: $crate::code::Family =
            $crate::code::Family { prefix: $prefix, title: $title, codes: &[$(&$name),+] };
    };
}
use codes;
