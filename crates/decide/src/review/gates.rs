//! Rules about gates.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
