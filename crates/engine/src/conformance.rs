//! What every engine has to do: one suite for all of them, for tests.
//!
//! Each check is a function of a `Bed`, which has an engine and knows commands that do what a check needs. A check waits
//! for what it wants to see, and lets time pass meanwhile: on a real engine that is a moment of ours, on a fake one it is
//! an instant. `conformance!` makes a test of every check.
#![allow(
    clippy::unwrap_used,
    reason = "this is made for tests only, where a broken promise is a panic"
)]

mod checks;

pub use checks::*;

use crate::{Engine, LogLine, LogQuery, Start};
use std::future::Future;
use std::pin::pin;
use towpath_model::desired::component::Restart;
use towpath_model::run::{InstanceId, Life, Limits, Seen, Stop};
use towpath_model::unit::{Duration, Name, known};

/// So often something is looked for before it is given up, a step of `Bed::pass` apart.
const LOOKS: usize = 3000;
/// The time between two looks.
const STEP: Duration = Duration::from_millis(10);

/// Where an engine is checked.
pub trait Bed: Sync {
    /// The engine.
    type Engine: Engine;

    /// The engine that is checked.
    fn engine(&self) -> &Self::Engine;

    /// An engine that finds what the first one has left, as that of a new steward does.
    fn anew(&self) -> Self::Engine;

    /// A command that does this.
    fn command(&self, does: Does<'_>) -> String;

    /// Lets a time pass. A real bed waits less where it can.
    fn pass(&self, time: Duration) -> impl Future<Output = ()> + Send;

    /// Ends everything that is left on it.
    fn clear(&self) -> impl Future<Output = ()> + Send;
}

/// What a command does.
#[derive(Debug, Clone, Copy)]
pub enum Does<'a> {
    /// Runs until it is asked to stop.
    Stays,
    /// Writes this to its output and that to its errors, and stays.
    Says(&'a str, &'a str),
    /// Ends at once with this code.
    Ends(i32),
    /// Does not hear that it is asked to stop, and says `deaf` when it has stopped hearing.
    Deaf,
    /// Cannot be started.
    Missing,
}

/// What is started to do this, with a name and a number of its own.
pub fn order<B: Bed>(bed: &B, component: &str, number: u64, does: Does<'_>) -> Start {
    Start {
        id: InstanceId::new(&known::<Name>(component), number),
        digest: "a digest".to_owned(),
        command: bed.command(does),
        dir: "/".to_owned(),
        env: Vec::new(),
        files: Vec::new(),
        port: None,
        limits: Limits {
            memory: None,
            cpu: None,
            pids: 100,
        },
        restart: Restart::Never,
        stop: patiently(),
        timeout: None,
        lease: None,
    }
}

/// A stop with time enough.
pub fn patiently() -> Stop {
    within(Duration::from_secs(20))
}

/// A stop with so much time.
pub fn within(time: Duration) -> Stop {
    Stop {
        signal: "TERM".to_owned(),
        within: time,
        drain: Duration::ZERO,
    }
}

/// How an instance is now.
pub async fn now<B: Bed>(bed: &B, id: &InstanceId) -> Option<Seen> {
    let all = bed.engine().observe().await.unwrap();
    all.into_iter().find(|seen| seen.id == *id)
}

/// Waits until an instance is as is wanted.
pub async fn until<B: Bed>(bed: &B, id: &InstanceId, is_wanted: impl Fn(&Seen) -> bool) -> Seen {
    let mut last = None;
    for _ in 0..LOOKS {
        last = now(bed, id).await;
        if let Some(seen) = last.as_ref().filter(|seen| is_wanted(seen)) {
            return seen.clone();
        }
        bed.pass(STEP).await;
    }
    panic!("{id} did not become what was wanted: {last:?}");
}

/// Waits for an answer while time passes.
pub async fn while_time_passes<B: Bed, T>(bed: &B, answer: impl Future<Output = T>) -> T {
    let mut answer = pin!(answer);
    for _ in 0..LOOKS {
        tokio::select! {
            biased;
            done = &mut answer => return done,
            () = bed.pass(STEP) => {}
        }
    }
    panic!("there was no answer");
}

/// Waits until the log has so many lines that are wanted, and answers all of them.
pub async fn lines<B: Bed>(
    bed: &B,
    query: LogQuery,
    is_wanted: impl Fn(&LogLine) -> bool,
    count: usize,
) -> Vec<LogLine> {
    for _ in 0..LOOKS {
        let mut read = bed.engine().logs(query.clone()).await.unwrap();
        let mut lines = Vec::new();
        while let Some(line) = read.recv().await {
            lines.push(line);
        }
        if lines.iter().filter(|line| is_wanted(line)).count() >= count {
            return lines;
        }
        bed.pass(STEP).await;
    }
    panic!("there are no {count} such lines");
}

/// Whether it runs.
pub fn runs(seen: &Seen) -> bool {
    matches!(seen.life, Life::Running { .. })
}

/// Makes a test of every check: `conformance!(an_expression_that_makes_a_bed)`.
#[macro_export]
macro_rules! conformance {
    ($bed:expr) => {
        $crate::conformance!(
            $bed,
            a_start_is_answered_with_an_instance_that_runs
            a_second_start_leaves_what_runs_as_it_is
            every_instance_is_observed_with_what_it_was_started_from
            what_was_stopped_is_seen_as_ended_until_it_is_forgotten
            what_is_called_twice_is_answered_twice
            what_nobody_knows_is_told_as_unknown
            what_runs_cannot_be_forgotten
            one_that_is_deaf_is_killed_and_that_is_told
            a_second_stop_hurries_the_first_one
            a_policy_decides_what_follows_an_end
            one_that_ends_again_and_again_is_told_as_looping
            one_that_cannot_be_started_says_why
            a_restart_keeps_everything_but_the_process
            what_has_ended_is_started_again_by_a_restart
            one_that_runs_for_too_long_is_ended
            never_do_two_with_one_lease_live
            every_change_is_told_and_only_once_handed_out
            lines_are_read_in_their_order_and_by_what_is_asked
            lines_that_come_are_followed_over_a_restart
            only_instances_that_there_are_use_something
            a_new_engine_adopts_what_the_old_one_started
        );
    };
    ($bed:expr, $($check:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                let bed = $bed;
                $crate::conformance::$check(&bed).await;
                $crate::conformance::Bed::clear(&bed).await;
            }
        )*
    };
}
