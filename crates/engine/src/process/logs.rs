//! Reading logs: those that there are, merged by time, and those that come.

mod follow;
mod old;
mod tail;

pub(super) use old::look_after_old_ones;

use super::door;
use crate::{EngineError, Lines, LogLine, LogQuery};
use std::collections::VecDeque;
use tail::{Tail, merge};
use tokio::sync::mpsc::{Sender, channel};
use towpath_keeper::Layout;
use towpath_model::run::InstanceId;
use towpath_model::unit::Name;

/// So many lines wait for their reader; then the files wait.
const WAITING: usize = 512;

/// Starts reading. It ends when everything was read, or when nobody wants it any more.
pub(super) fn read(layout: Layout, query: LogQuery) -> Result<Lines, EngineError> {
    let (to, lines) = channel(WAITING);
    if query.follow {
        // Watching begins before reading, so that nothing falls between the two.
        let watch = follow::Watch::new(&layout, &query.components)
            .map_err(|source| EngineError::system("watching the logs", layout.logs().display(), source))?;
        tokio::spawn(follow::run(layout, query, watch, to));
    } else {
        tokio::task::spawn_blocking(move || {
            let mut tails = tails(&layout, &query);
            what_there_is(&mut tails, &query, &mut |line| to.blocking_send(line).is_ok());
        });
    }
    Ok(lines)
}

/// The components whose logs are wanted.
fn components(layout: &Layout, query: &LogQuery) -> Vec<Name> {
    match query.components.as_slice() {
        [] => door::names_of_logs(layout),
        named => named.to_vec(),
    }
}

/// All logs that are wanted, each at its beginning, or where its last lines begin.
fn tails(layout: &Layout, query: &LogQuery) -> Vec<Tail> {
    let mut tails = Vec::new();
    for component in components(layout, query) {
        for number in door::logs_of(layout, &component) {
            tails.extend(Tail::both_parts(
                layout,
                &InstanceId::new(&component, number),
                query.last,
            ));
        }
    }
    tails
}

/// Hands out the lines that there are. It ends early when they are not wanted any more.
fn what_there_is(tails: &mut [Tail], query: &LogQuery, hand_out: &mut dyn FnMut(LogLine) -> bool) -> bool {
    let is_wanted = |line: &LogLine| query.since.is_none_or(|since| line.at >= since);
    let Some(last) = query.last else {
        return merge(tails, &mut |line| !is_wanted(&line) || hand_out(line));
    };
    let mut newest = VecDeque::new();
    merge(tails, &mut |line| {
        if is_wanted(&line) {
            newest.push_back(line);
        }
        if newest.len() > last {
            newest.pop_front();
        }
        true
    });
    newest.into_iter().all(hand_out)
}

/// Sends a line from beside the runtime.
fn handed_to(to: &Sender<LogLine>) -> impl FnMut(LogLine) -> bool + '_ {
    move |line| to.blocking_send(line).is_ok()
}
