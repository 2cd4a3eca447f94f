//! What is kept closed for a while, by hand.

use crate::unit::Cidr;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A time in which visitors are told to come later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Why, in words for visitors.
    #[serde(default)]
    pub because: Option<String>,
    /// When it was begun.
    pub since: Timestamp,
    /// When it ends by itself; when somebody ends it where nothing is said.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// The networks whose visitors are let in.
    #[serde(default)]
    pub let_in: Vec<Cidr>,
}

impl Maintenance {
    /// Whether it holds at this time.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether somebody who comes from there at this time is told to come later.
    pub fn keeps_out(&self, from: IpAddr, now: Timestamp) -> bool {
        self.holds(now) && !self.let_in.iter().any(|network| network.contains(from))
    }

    /// In how many seconds somebody may come again, as far as that was said.
    pub fn seconds_left(&self, now: Timestamp) -> Option<u64> {
        let left = self.until?.as_second().saturating_sub(now.as_second());
        Some(u64::try_from(left).unwrap_or(0).max(1))
    }
}
