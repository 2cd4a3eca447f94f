//! `towpath schema`: the JSON Schema of the manifest.

use super::Context;
use crate::failure::Failure;

pub(super) fn run(context: &Context) -> Result<(), Failure> {
    context
        .terminal
        .result(&format!("{:#}\n", towpath_manifest::schema()))
}
