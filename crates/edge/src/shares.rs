//! Which release a visitor gets, while more than one answers for a target.
//!
//! **Visitors are spread over ten thousand buckets, and releases own ranges of buckets.** A visitor keeps its bucket for good
//! and never learns it; a range grows and shrinks at its edges. So whoever got the new release at a tenth still has it at a
//! quarter, and comes back to the old one when the share is taken away again: a change moves as many buckets as it has to, and
//! no others (`division`). Had the cookie named a release, everybody who once got the new one would stay with it, and the share
//! would drift with each step.
//!
//! **Whose bucket it is.** A cookie says it, which only this edge can make and read (`key`). Whoever brings none, or one that is
//! not ours, is looked at more closely: credentials in its headers are somebody who stays the same, and their digest is the
//! bucket. Everybody else is a newcomer, gets the next bucket of a sequence, and a cookie with it. The sequence goes through all
//! buckets before one comes twice, and whatever part of it has passed is spread evenly: ten thousand requests of clients that
//! keep no cookies meet the weights to the request, though all of them come from one address. A digest of address and
//! program would keep such clients together, and would send a whole office, or a load test, to one release; so it is
//! asked for by name (`Visitors::Address`), where clients without cookies have to stay.
//!
//! **A page and what it calls** get the same release of each component, because a bucket is one of the product and not of a component.
//! The cookie is for the widest name that is surely the product's own: what is above its `localhost` names, or a domain of
//! its own that stands above the one that was asked (a page at `example.com`, its interface at `api.example.com`). A script that
//! asks another origin has to say `credentials: "include"`, as for every cookie. Components among themselves pass the bucket on in
//! a header, which is taken from nobody outside.
//!
//! **When a release cannot answer**, because none of its instances is ready or all have refused, its visitors get the one that
//! has most, and that is counted: a canary that dies cuts nobody off. Where its instances have as much open as they may, its
//! visitors wait for them as everybody does: else the share would not be the one that is judged.
//!
//! **A probe asks for a release by its name**, in a header that only who holds the key of the edge can write, for a time. It
//! gets an answer of that release or none.
//!
//! **What it costs.** As long as no target of the product has two releases with a share, a request reads one boolean: no cookie is
//! looked for, nothing is hashed, nobody is given anything.

mod bucket;
mod division;
mod key;
mod way;

use serde::{Deserialize, Serialize};

pub(crate) use bucket::{Bucket, Sequence};
pub use division::Division;
pub(crate) use division::Ranges;
pub use key::{FORCED, Key};
pub(crate) use way::{Wish, enter, of_connection};

/// Parts of the whole: a share is so many of ten thousand buckets.
pub const WHOLE: u16 = 10_000;

/// What a release gets of a target's visitors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The release.
    pub release: String,
    /// How many of ten thousand visitors. What is missing to ten thousand in all gets the first one; what is too much is cut
    /// off the last ones.
    pub parts: u16,
    /// Those of the ready instances that belong to it, by their ids.
    #[serde(default)]
    pub instances: Vec<String>,
}

/// By what a visitor without a bucket is known again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visitors {
    /// A cookie of ours, or else credentials; newcomers are spread evenly.
    #[default]
    Cookie,
    /// The address and the program that asks.
    Address,
    /// What stands in this header; who does not send it is spread evenly.
    Header(String),
    /// Nothing: each request is spread evenly by itself.
    Nobody,
}

/// The releases of a target. Without any, what it is asked carries no release and costs nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Releases {
    /// Their shares, the oldest first.
    pub shares: Vec<Share>,
    /// By what visitors are known again.
    pub visitors: Visitors,
    /// Which buckets are whose so far. Whoever sets shares leaves it empty: the edge goes on from what it has.
    pub division: Division,
}
