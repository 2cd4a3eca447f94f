//! What the edge keeps in front of a component, spelled out.
//!
//! A part of an address space has whole rules, not differences: what holds for its component is in them already, so that a
//! request is measured by one set of rules and nobody has to lay one over the other while it waits.

use crate::desired::edge::{BotRule, SignIn};
use crate::unit::{Cidr, Domain, Duration, Email, Rate, Url};
use serde::{Deserialize, Serialize};

/// What the edge keeps in front of a component, or of a part of its address space.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Headers of every answer, where the component itself has not said them.
    pub headers: Vec<(String, String)>,
    /// Only visitors from these networks pass; all do where none is named.
    pub allow: Vec<Cidr>,
    /// What a request may take.
    pub bounds: Bounds,
    /// Headers that a request has to carry.
    pub require: Vec<Carried>,
    /// A request that changes something has to come from the product's own pages.
    pub own_pages: bool,
    /// What is refused by how it looks.
    pub unwanted: Unwanted,
    /// Who may pass.
    pub access: Option<Access>,
    /// The names of the values that calls of other components are signed with; none is where nothing is named.
    pub signs: Vec<String>,
    /// How long the edge may keep answers that their component lets it keep, at most.
    pub cache: Option<Duration>,
    /// Browsers may tell the edge how they had its pages.
    pub vitals: bool,
    /// Browsers may tell the edge what the policy of its pages forbade.
    pub reports: bool,
}

/// What a request may take.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bounds {
    /// How many requests in a time, and whose are counted together.
    pub rate: Option<Rate>,
    /// The bytes of a body.
    pub body: Option<u64>,
    /// How many are open at one instance before others are preferred.
    pub soft: Option<u32>,
    /// How many are open at one instance at most; more wait.
    pub hard: Option<u32>,
    /// An instance is given all that comes, though more at once may bring nothing.
    pub unshed: bool,
    /// How long it may take until an answer begins.
    pub time: Option<Duration>,
}

/// A header that a request has to carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Its name.
    pub header: String,
    /// The methods that need it; all where none is named.
    pub methods: Vec<String>,
    /// A token of this issuer stands in it.
    #[serde(default)]
    pub issuer: Option<Url>,
    /// The token is for this one.
    #[serde(default)]
    pub audience: Option<String>,
}

/// What is refused by how it looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unwanted {
    /// What happens to requests that look automatic.
    pub bots: BotRule,
    /// Parts of paths.
    pub paths: Vec<String>,
    /// Queries and paths that look like an injection.
    pub injections: bool,
}

impl Default for Unwanted {
    fn default() -> Self {
        Unwanted {
            bots: BotRule::Allow,
            paths: Vec::new(),
            injections: false,
        }
    }
}

/// Who may pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Access {
    /// How they sign in.
    pub sign_in: SignIn,
    /// The provider that they sign in at.
    pub issuer: Option<Url>,
    /// Who the product is at the provider.
    #[serde(default)]
    pub client: Option<String>,
    /// The file with the certificates of those who sign certificates.
    #[serde(default)]
    pub authority: Option<String>,
    /// The name of the value that the client shows to the provider, or that the password or the token is checked with.
    pub secret: Option<String>,
    /// Only these people.
    pub people: Vec<Email>,
    /// Only people with an address of these domains.
    pub domains: Vec<Domain>,
    /// Only members of these groups.
    pub groups: Vec<String>,
    /// How long a sign-in lasts.
    pub lasts: Duration,
    /// When everybody was signed out last, in milliseconds since 1970: sessions are bound to it.
    #[serde(default, skip_serializing_if = "is_never")]
    pub since: u64,
    /// The file with the list of what the authority has signed, where that is the product's own: what is not in it, or was taken
    /// back, does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<String>,
}

impl Access {
    /// A sign-in of which nothing else is said: everybody who can do it passes, and it lasts for a day of work.
    pub fn by(sign_in: SignIn) -> Self {
        Access {
            sign_in,
            issuer: None,
            client: None,
            authority: None,
            secret: None,
            people: Vec::new(),
            domains: Vec::new(),
            groups: Vec::new(),
            lasts: Duration::from_hours(12),
            since: 0,
            issued: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_never(moment: &u64) -> bool {
    *moment == 0
}
