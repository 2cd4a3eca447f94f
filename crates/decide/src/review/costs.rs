//! Rules about costs.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
