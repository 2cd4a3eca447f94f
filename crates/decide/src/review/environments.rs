//! Rules about environments.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
