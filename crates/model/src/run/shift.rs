//! A shift: how many instances of a component run at certain times.

use crate::unit::Window;
use serde::{Deserialize, Serialize};

/// How many instances of a component run at certain times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// When, with its time zone.
    pub when: Window,
    /// How many.
    pub instances: u32,
}
