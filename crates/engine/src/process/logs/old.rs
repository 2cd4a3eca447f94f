//! Old logs: those of instances that have gone are removed, but for the newest ones of each component.

use super::door;
use crate::process::Inner;
use std::sync::Weak;
use towpath_keeper::{KEPT_LOGS, Layout};
use towpath_model::run::InstanceId;

/// Removes old logs each time that instances have been started: only then there are more of them.
pub(crate) async fn look_after_old_ones(inner: Weak<Inner>) {
    loop {
        let (layout, started) = {
            let Some(inner) = inner.upgrade() else { return };
            (inner.layout.clone(), std::sync::Arc::clone(&inner.has_started))
        };
        started.notified().await;
        if door::beside(move || remove_old(&layout)).await.is_none() {
            return;
        }
    }
}

fn remove_old(layout: &Layout) {
    for component in door::names_of_logs(layout) {
        for number in door::logs_of(layout, &component)
            .into_iter()
            .rev()
            .skip(KEPT_LOGS)
        {
            let id = InstanceId::new(&component, number);
            if !door::has_instance(layout, &id) {
                door::remove_log(layout, &id);
            }
        }
    }
}
