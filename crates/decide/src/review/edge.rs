//! Rules about edge.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
