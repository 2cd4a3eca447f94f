//! What is said with a machine as a whole: what is on it, and who may speak to it.

use crate::verb::Verb;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `GET /v1`: the machine, and what is on it of what whoever asks may see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Machine {
    /// The version of Towpath that it is.
    pub version: String,
    /// The products, in the order of their names.
    pub products: Vec<Kept>,
}

/// A product on a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Its environments, in the order of their names.
    pub environments: Vec<String>,
}

/// `POST /v1/tokens`: somebody may do something from elsewhere. Answered by `Minted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mint {
    /// With this product.
    pub product: String,
    /// In these environments; in all of them, when empty.
    #[serde(default)]
    pub environments: Vec<String>,
    /// This.
    pub may: Vec<Verb>,
    /// For so many seconds.
    pub lasts: u64,
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
}

/// A token that was made. Its text is told here and never again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Minted {
    /// The whole of it: `towpath1.ID.SECRET.PIN`.
    pub token: String,
    /// What it is for.
    pub told: TokenTold,
}

/// `GET /v1/tokens`: all tokens. `DELETE /v1/tokens/ID` takes one back, and is answered by the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tokens {
    /// Each, the oldest first.
    pub tokens: Vec<TokenTold>,
}

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenTold {
    /// Which one.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// The product.
    pub product: String,
    /// The environments; all of them, when empty.
    pub environments: Vec<String>,
    /// What it allows.
    pub may: Vec<Verb>,
    /// When it was made.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub created: Timestamp,
    /// Who has made it: a user of the machine.
    pub by: String,
    /// When it ends.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub expires: Timestamp,
    /// When it was used last, to the hour.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub used: Option<Timestamp>,
}

/// `POST /v1/trusts`: the jobs of a pipeline may do something, by the identity that their issuer gives them. Answered by
/// `TrustTold`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trust {
    /// With this product.
    pub product: String,
    /// In this environment.
    pub environment: String,
    /// This: `read`, `deploy` or `operate`.
    pub may: Vec<Verb>,
    /// Who issues the identities: `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// For whom they have to be made out; for this machine (`towpath:PIN`), where nothing is said.
    #[serde(default)]
    pub audience: Option<String>,
    /// What each claim has to be like: one of these patterns.
    pub claims: BTreeMap<String, Vec<String>>,
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
}

/// `GET /v1/trusts`: all of them. `DELETE /v1/trusts/ID` takes one back with the tokens that it has given, and is answered by the
/// same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trusts {
    /// Each, the oldest first.
    pub trusts: Vec<TrustTold>,
}

/// Who is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrustTold {
    /// Which one.
    pub id: String,
    /// What it allows, where, and to whom. Its audience is always said.
    #[serde(flatten)]
    pub what: Trust,
    /// The key of the machine, which a job has to know before it shows its identity.
    pub pin: String,
    /// When it was made.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub created: Timestamp,
    /// Who has made it: a user of the machine.
    pub by: String,
}

/// `POST /v1/exchange`: a job shows its identity, and is given a token for a quarter of an hour. Answered by `Minted`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Exchange {
    /// The product.
    pub product: String,
    /// The environment.
    pub environment: String,
    /// The identity: a signed token of an issuer (JWT). It is good for one exchange.
    pub identity: String,
}
