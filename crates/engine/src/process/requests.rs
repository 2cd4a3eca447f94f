//! What keepers are told, made of what the engine is told.

use crate::Start;
use towpath_keeper::wire::Order;
use towpath_keeper::{Grounds, Layout};

/// The order for a keeper. Here seals are opened: the order goes over a socket into the keeper's memory, and nowhere else.
pub(super) fn order(start: &Start, layout: &Layout, grounds: &Grounds) -> Order {
    let opened = |values: &[(String, towpath_model::sealed::Sealed<String>)]| {
        values
            .iter()
            .map(|(name, value)| (name.clone(), value.open().clone()))
            .collect()
    };
    Order {
        state: layout.state().to_string_lossy().into_owned(),
        id: start.id.clone(),
        digest: start.digest.clone(),
        command: start.command.clone(),
        dir: start.dir.clone(),
        env: opened(&start.env),
        files: opened(&start.files),
        port: start.port,
        limits: start.limits,
        restart: start.restart,
        stop: start.stop.clone(),
        timeout: start.timeout,
        lease: start.lease.clone(),
        grounds: grounds.clone(),
    }
}
