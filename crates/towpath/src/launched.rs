//! Temporary.
use crate::command::Context;
use crate::door::files::Place;
use crate::failure::Failure;
use towpath_model::run::{Product, Variables};
pub(crate) struct Launched {
    pub(crate) product: Product,
    pub(crate) values: Variables,
    pub(crate) base: Variables,
}
pub(crate) fn launch(_: &Context, _: &Place, _: &str) -> Result<Launched, Failure> {
    Err(Failure::told())
}
