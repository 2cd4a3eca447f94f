//! Which of those who are known may pass.
//!
//! Where people or domains are named, somebody has to be one of the people or have an address of one of the domains, and an
//! address counts only where the provider says that it is theirs: many let everybody write down any. Where groups are named,
//! they have to be in one of them as well. So each of the lists may be shortened to keep somebody out, and lengthening one lets
//! nobody in whom the other one keeps out.

use towpath_model::run::Access;

/// Why somebody who is known may not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// It is not certain that their address is theirs.
    Unverified,
    /// They are none of those who are named.
    Unnamed,
    /// They are in none of the groups.
    Ungrouped,
}

impl Stranger {
    pub(super) fn words(self) -> &'static str {
        match self {
            Stranger::Unverified => {
                "You are signed in, and your provider does not say that your e-mail address is yours. Have it verified there."
            }
            Stranger::Unnamed => "You are signed in, and are none of those who may pass.",
            Stranger::Ungrouped => "You are signed in, and are in none of the groups that may pass.",
        }
    }
}

/// Whether somebody may pass: by an address that is theirs, in small letters, and by their groups.
pub(super) fn admit(access: &Access, address: Option<&str>, groups: &[String]) -> Result<(), Stranger> {
    let is_for_all = access.people.is_empty() && access.domains.is_empty();
    if !is_for_all {
        let address = address.ok_or(Stranger::Unverified)?;
        let mut people = access.people.iter();
        let domain = address.rsplit_once('@').map(|(_, domain)| domain);
        let is_person = people.any(|one| one.as_str().eq_ignore_ascii_case(address));
        let is_at_home = domain.is_some_and(|domain| access.domains.iter().any(|one| one.as_str() == domain));
        if !(is_person || is_at_home) {
            return Err(Stranger::Unnamed);
        }
    }
    let is_member = access.groups.is_empty() || access.groups.iter().any(|one| groups.contains(one));
    is_member.then_some(()).ok_or(Stranger::Ungrouped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::desired::edge::SignIn;
    use towpath_model::unit::{Domain, Email, Unit};

    fn access(people: &[&str], domains: &[&str], groups: &[&str]) -> Access {
        let email = |one: &&str| Email::parse(one).expect("an address");
        let domain = |one: &&str| Domain::parse(one).expect("a domain");
        Access {
            people: people.iter().map(email).collect(),
            domains: domains.iter().map(domain).collect(),
            groups: groups.iter().map(|one| (*one).to_owned()).collect(),
            ..Access::by(SignIn::Oidc)
        }
    }

    #[test]
    fn people_or_domains_and_groups() {
        let ops = ["ops".to_owned()];
        let none: [String; 0] = [];
        let all = access(&[], &[], &[]);
        assert_eq!(admit(&all, None, &none), Ok(()));
        let named = access(&["Ana@example.org"], &["example.com"], &[]);
        assert_eq!(admit(&named, Some("ana@example.org"), &none), Ok(()));
        assert_eq!(admit(&named, Some("bo@example.com"), &none), Ok(()));
        assert_eq!(
            admit(&named, Some("bo@example.org"), &none),
            Err(Stranger::Unnamed)
        );
        assert_eq!(
            admit(&named, Some("bo@notexample.com"), &none),
            Err(Stranger::Unnamed)
        );
        assert_eq!(
            admit(&named, Some("bo@a.example.com"), &none),
            Err(Stranger::Unnamed)
        );
        assert_eq!(
            admit(&named, Some("bo@example.com@evil.org"), &none),
            Err(Stranger::Unnamed)
        );
        assert_eq!(admit(&named, None, &none), Err(Stranger::Unverified));
        let both = access(&[], &["example.com"], &["ops"]);
        assert_eq!(admit(&both, Some("bo@example.com"), &ops), Ok(()));
        assert_eq!(
            admit(&both, Some("bo@example.com"), &none),
            Err(Stranger::Ungrouped)
        );
        assert_eq!(admit(&both, Some("bo@example.org"), &ops), Err(Stranger::Unnamed));
    }
}
