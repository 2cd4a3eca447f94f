//! Making: builds and packages, the files that ask for them, and the manifest itself.

use crate::core::{Core, Message};
use crate::door::files;
use crate::start::Config;
use std::collections::BTreeMap;
use tokio::sync::mpsc::UnboundedSender;
use towpath_api::Apply;
use towpath_engine::Engine;
use towpath_model::run::{Build, Product, Source};
use towpath_model::unit::Name;
use towpath_store::Seq;

#[derive(Debug)]
pub(crate) struct Maker {}

impl Maker {
    pub(crate) fn new(_config: &Config, _inbox: UnboundedSender<Message>) -> Self {
        Maker {}
    }
    pub(crate) fn watch(&mut self, _product: &Product) {}
    pub(crate) async fn end(&mut self) {}
}

pub(crate) async fn digests(apply: &Apply) -> BTreeMap<Name, String> {
    apply
        .product
        .components
        .keys()
        .map(|name| (name.clone(), "x".to_owned()))
        .collect()
}
pub(crate) async fn unchanged(_sources: Vec<Source>) -> bool {
    let _ = files::read;
    true
}
impl<E: Engine> Core<E> {
    pub(crate) fn build(&mut self, _seq: Seq, _build: &Build) {}
    pub(crate) fn pack(&mut self, _seq: Seq, _name: Name) {}
}
