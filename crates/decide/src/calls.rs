//! Who of the components may call whom.
//!
//! **What it decides.** Whether a call of a component goes on, by what the caller has shown: a certificate of the product's own
//! authority that names it. What a manifest says in `uses` may be called, and nothing else: whoever breaks into one component
//! reaches what that one uses, and not the rest.
//!
//! **When it refuses.** A certificate of the right authority that names no component of the product; one that holds no more,
//! though its connection was begun when it did; and a caller whose manifest does not say that it uses the called one.

use std::fmt;
use towpath_model::run::Mutual;

/// Who calls, as they have shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The component that the certificate names; nothing where it names none.
    pub component: Option<String>,
    /// Until when the certificate holds, in seconds since 1970.
    pub until: i64,
}

/// Why a call goes on or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// The caller uses the called one.
    Uses(String),
    /// Its certificate names nobody.
    Nobody,
    /// Its certificate holds no more.
    Over,
    /// Nothing says that it uses the called one.
    UsesNot(String),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Uses(caller) => write!(f, "{caller} uses it"),
            Because::Nobody => f.write_str("the certificate names no component"),
            Because::Over => {
                f.write_str("the certificate has ended: connect anew with the one that has replaced it")
            }
            Because::UsesNot(caller) => write!(f, "`{caller}` does not name it in `uses`"),
        }
    }
}

/// Whether a call goes on, and why. Seconds since 1970 are now.
pub fn may_call(mutual: &Mutual, caller: &Caller, now: i64) -> (bool, Because) {
    let Some(component) = &caller.component else {
        return (false, Because::Nobody);
    };
    if caller.until < now {
        return (false, Because::Over);
    }
    match mutual.callers.contains(component.as_str()) {
        true => (true, Because::Uses(component.clone())),
        false => (false, Because::UsesNot(component.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::unit::{Name, Unit};

    #[test]
    fn a_component_calls_what_it_uses_while_its_certificate_holds() {
        let mutual = Mutual {
            callers: [Name::parse("web").expect("a name")].into(),
        };
        let asks = |component: Option<&str>, now| {
            let component = component.map(str::to_owned);
            may_call(&mutual, &Caller { component, until: 10 }, now)
        };
        let told = |component, now| {
            let (may, because) = asks(component, now);
            format!("{may}: {because}")
        };
        assert_eq!(told(Some("web"), 10), "true: web uses it");
        assert_eq!(told(Some("jobs"), 10), "false: `jobs` does not name it in `uses`");
        assert_eq!(told(None, 10), "false: the certificate names no component");
        assert!(!asks(Some("web"), 11).0);
        assert_eq!(asks(Some("web"), 11).1, Because::Over);
    }
}
