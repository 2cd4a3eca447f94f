//! What holds for everything that visitors reach: whom the edge lets in and believes, and the certificate of each domain.

use crate::unit::Cidr;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What holds for everything that visitors reach.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Front {
    /// Where it listens.
    pub listen: Listen,
    /// Plain HTTP is answered with the HTTPS address, under every domain that has a certificate.
    pub https_only: bool,
    /// The protocols that visitors may choose from, as they are named in a handshake; all that there are where none is.
    pub protocols: Vec<String>,
    /// Only connections from these networks are taken; all are where none is named.
    pub allow: Vec<Cidr>,
    /// What these say of a visitor is believed.
    pub forwarders: Vec<Cidr>,
    /// Connections from forwarders begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// Where certificates are asked for.
    pub acme: Option<Acme>,
    /// The certificate of each domain. What is not here is a name of this machine, or nobody's.
    pub domains: BTreeMap<String, Certificate>,
}

/// Where visitors come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listen {
    /// The addresses, none of them twice or part of another; this machine alone where there is none.
    pub addresses: Vec<IpAddr>,
    /// The port for HTTPS, and no other one; a free one where nothing is said.
    pub https: Option<u16>,
    /// The same for plain HTTP.
    pub http: Option<u16>,
}

impl Listen {
    /// Whether others than this machine reach it.
    pub fn is_open(&self) -> bool {
        self.addresses.iter().any(|address| !address.is_loopback())
    }
}

/// An authority that hands out certificates to whoever shows that a domain is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acme {
    /// The address of its directory.
    pub directory: String,
    /// A file with the roots that the authority's own address is checked with, besides the system's.
    #[serde(default)]
    pub root: Option<String>,
    /// How it looks whether a domain is ours; both in turn where nothing is said.
    #[serde(default)]
    pub challenge: Option<Challenge>,
}

/// How an authority looks whether a domain is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Challenge {
    /// By a path, at port 80 of the domain.
    Http,
    /// By a handshake, at port 443 of the domain.
    Tls,
}

/// Where the certificate of a domain comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    /// From the authority that the front names.
    Acme,
    /// From files, which may be exchanged at any time.
    Files {
        /// The file with the certificate and those between it and its root.
        chain: String,
        /// The file with its key.
        key: String,
    },
    /// Something in front has it. What comes from there may be encrypted, and nobody checks with what.
    InFront,
    /// It has none, and plain HTTP is what is meant.
    Off,
    /// It would be asked for elsewhere, and for this reason it is not here.
    Local {
        /// Why.
        because: String,
    },
}

/// How the certificate of a domain is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certified {
    /// The domain.
    pub domain: String,
    /// Where it comes from, in words.
    pub from: String,
    /// Until when the one that visitors see holds; nothing where there is none of the domain's own.
    pub until: Option<Timestamp>,
    /// The word of its authority that visitors get with it, where it says whom to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stapled: Option<String>,
    /// What is wrong.
    pub wrong: Option<String>,
    /// What is done next, or who has to do what.
    pub next: String,
}
