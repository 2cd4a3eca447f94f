//! Rules about resources.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
