//! The checks: each says a promise of the trait.

use super::{Bed, Does, lines, now, order, patiently, runs, until, while_time_passes, within};
use crate::{Engine, EngineError, LogQuery, Start, Stream};
use towpath_model::desired::component::Restart;
use towpath_model::run::{Exit, InstanceId, Life};
use towpath_model::unit::{Duration, Name, known};

pub async fn a_start_is_answered_with_an_instance_that_runs<B: Bed>(bed: &B) {
    let mut start = order(bed, "web", 1, Does::Stays);
    start.port = Some(4711);
    let seen = bed.engine().start(start.clone()).await.unwrap();
    assert!(runs(&seen), "{seen:?}");
    assert_eq!(
        (seen.id, seen.digest.as_str(), seen.port, seen.restarts),
        (start.id, "a digest", Some(4711), 0)
    );
}

pub async fn a_second_start_leaves_what_runs_as_it_is<B: Bed>(bed: &B) {
    let start = order(bed, "web", 1, Does::Stays);
    let first = bed.engine().start(start.clone()).await.unwrap();
    let mut other = start;
    other.digest = "another digest".to_owned();
    assert_eq!(bed.engine().start(other).await.unwrap(), first);
    assert_eq!(bed.engine().observe().await.unwrap(), [first]);
}

pub async fn every_instance_is_observed_with_what_it_was_started_from<B: Bed>(bed: &B) {
    assert_eq!(bed.engine().observe().await.unwrap(), []);
    let mut started = Vec::new();
    for (component, number) in [("api", 1), ("api", 2), ("web", 7)] {
        let start = order(bed, component, number, Does::Stays);
        started.push(bed.engine().start(start).await.unwrap());
    }
    let mut seen = bed.engine().observe().await.unwrap();
    seen.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(seen, started);
}

pub async fn what_was_stopped_is_seen_as_ended_until_it_is_forgotten<B: Bed>(bed: &B) {
    let start = order(bed, "web", 1, Does::Stays);
    bed.engine().start(start.clone()).await.unwrap();
    let stopped = while_time_passes(bed, bed.engine().stop(&start.id, patiently()))
        .await
        .unwrap();
    let Life::Ended { exit } = &stopped.life else {
        panic!("it has ended: {stopped:?}");
    };
    assert!(!matches!(exit, Exit::TooSlow { .. }), "{exit}");
    assert_eq!(now(bed, &start.id).await, Some(stopped));
    bed.engine().forget(&start.id).await.unwrap();
    assert_eq!(bed.engine().observe().await.unwrap(), []);
}

pub async fn what_is_called_twice_is_answered_twice<B: Bed>(bed: &B) {
    let start = order(bed, "web", 1, Does::Stays);
    bed.engine().start(start.clone()).await.unwrap();
    let first = while_time_passes(bed, bed.engine().stop(&start.id, patiently()))
        .await
        .unwrap();
    let second = bed.engine().stop(&start.id, patiently()).await.unwrap();
    assert_eq!(first, second);
    bed.engine().forget(&start.id).await.unwrap();
    bed.engine().forget(&start.id).await.unwrap();
}

pub async fn what_nobody_knows_is_told_as_unknown<B: Bed>(bed: &B) {
    let id = InstanceId::new(&known::<Name>("nobody"), 1);
    for answer in [
        bed.engine().stop(&id, patiently()).await,
        bed.engine().restart(&id, patiently()).await,
    ] {
        assert!(
            matches!(&answer, Err(EngineError::Unknown(unknown)) if *unknown == id),
            "{answer:?}"
        );
    }
}

pub async fn what_runs_cannot_be_forgotten<B: Bed>(bed: &B) {
    let start = order(bed, "web", 1, Does::Stays);
    let seen = bed.engine().start(start.clone()).await.unwrap();
    assert!(bed.engine().forget(&start.id).await.is_err());
    assert_eq!(now(bed, &start.id).await, Some(seen));
}

/// Starts one that is deaf, and waits until it is.
async fn deaf<B: Bed>(bed: &B) -> Start {
    let start = order(bed, "web", 1, Does::Deaf);
    bed.engine().start(start.clone()).await.unwrap();
    lines(bed, LogQuery::default(), |line| line.text == "deaf", 1).await;
    start
}

pub async fn one_that_is_deaf_is_killed_and_that_is_told<B: Bed>(bed: &B) {
    let start = deaf(bed).await;
    let time = Duration::from_millis(100);
    let stopped = while_time_passes(bed, bed.engine().stop(&start.id, within(time)))
        .await
        .unwrap();
    let exit = Exit::TooSlow { within: time };
    assert_eq!(stopped.life, Life::Ended { exit });
}

pub async fn a_second_stop_hurries_the_first_one<B: Bed>(bed: &B) {
    let start = deaf(bed).await;
    let first = bed.engine().stop(&start.id, within(Duration::from_hours(1)));
    let both = async {
        tokio::join!(first, async {
            until(bed, &start.id, |seen| matches!(seen.life, Life::Stopping { .. })).await;
            bed.engine()
                .stop(&start.id, within(Duration::from_millis(50)))
                .await
        })
    };
    let (first, second) = while_time_passes(bed, both).await;
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first, second);
    assert!(
        matches!(
            &first.life,
            Life::Ended {
                exit: Exit::TooSlow { .. }
            }
        ),
        "{first:?}"
    );
}

pub async fn a_policy_decides_what_follows_an_end<B: Bed>(bed: &B) {
    let table = [
        (Restart::Never, 3, false),
        (Restart::OnFailure, 0, false),
        (Restart::OnFailure, 3, true),
        (Restart::Always, 0, true),
    ];
    for (number, (policy, code, again)) in (1..).zip(table) {
        let mut start = order(bed, "job", number, Does::Ends(code));
        start.restart = policy;
        bed.engine().start(start.clone()).await.unwrap();
        if again {
            until(bed, &start.id, |seen| seen.restarts > 0).await;
        } else {
            let seen = until(bed, &start.id, |seen| seen.life.is_over()).await;
            let exit = Exit::Code { code };
            assert_eq!((seen.life, seen.restarts), (Life::Ended { exit }, 0));
        }
    }
}

pub async fn one_that_ends_again_and_again_is_told_as_looping<B: Bed>(bed: &B) {
    let mut start = order(bed, "job", 1, Does::Ends(3));
    start.restart = Restart::Always;
    bed.engine().start(start.clone()).await.unwrap();
    let seen = until(bed, &start.id, |seen| {
        matches!(seen.life, Life::Resting { looping: true, .. })
    })
    .await;
    assert!(seen.restarts >= 4, "{seen:?}");
    let stopped = bed.engine().stop(&start.id, patiently()).await.unwrap();
    let exit = Exit::Code { code: 3 };
    assert_eq!(stopped.life, Life::Ended { exit });
}

pub async fn one_that_cannot_be_started_says_why<B: Bed>(bed: &B) {
    let mut start = order(bed, "web", 1, Does::Missing);
    start.restart = Restart::Always;
    let seen = bed.engine().start(start).await.unwrap();
    let Life::Ended {
        exit: Exit::NotStarted { why },
    } = seen.life
    else {
        panic!("it was not started: {seen:?}");
    };
    assert!(!why.is_empty());
}

pub async fn a_restart_keeps_everything_but_the_process<B: Bed>(bed: &B) {
    let mut start = order(bed, "web", 1, Does::Stays);
    start.port = Some(4711);
    let before = bed.engine().start(start.clone()).await.unwrap();
    let after = while_time_passes(bed, bed.engine().restart(&start.id, patiently()))
        .await
        .unwrap();
    assert!(runs(&after), "{after:?}");
    assert_ne!(before.life.pid(), after.life.pid());
    assert_eq!(
        (after.id, after.port, after.digest, after.restarts),
        (before.id, before.port, before.digest, 0)
    );
}

pub async fn what_has_ended_is_started_again_by_a_restart<B: Bed>(bed: &B) {
    let start = order(bed, "web", 1, Does::Stays);
    bed.engine().start(start.clone()).await.unwrap();
    while_time_passes(bed, bed.engine().stop(&start.id, patiently()))
        .await
        .unwrap();
    let again = while_time_passes(bed, bed.engine().restart(&start.id, patiently()))
        .await
        .unwrap();
    assert!(runs(&again), "{again:?}");
}

pub async fn one_that_runs_for_too_long_is_ended<B: Bed>(bed: &B) {
    let mut start = order(bed, "job", 1, Does::Stays);
    let within = Duration::from_millis(100);
    start.timeout = Some(within);
    bed.engine().start(start.clone()).await.unwrap();
    let seen = until(bed, &start.id, |seen| seen.life.is_over()).await;
    let exit = Exit::TimedOut { within };
    assert_eq!(seen.life, Life::Ended { exit });
}

pub async fn never_do_two_with_one_lease_live<B: Bed>(bed: &B) {
    let mut first = order(bed, "bot", 1, Does::Stays);
    first.lease = Some(known("bot"));
    let mut second = order(bed, "bot", 2, Does::Stays);
    second.lease = Some(known("bot"));
    assert!(runs(&bed.engine().start(first.clone()).await.unwrap()));
    let waits = bed.engine().start(second.clone()).await.unwrap();
    let Life::Resting { after, looping, .. } = &waits.life else {
        panic!("it waits: {waits:?}");
    };
    assert!(after.to_string().contains("lease `bot`") && !looping, "{after}");
    while_time_passes(bed, bed.engine().stop(&first.id, patiently()))
        .await
        .unwrap();
    let lives = until(bed, &second.id, runs).await;
    assert_eq!(lives.restarts, 0);
    // One that waits can be stopped as well.
    let mut third = order(bed, "bot", 3, Does::Stays);
    third.lease = Some(known("bot"));
    bed.engine().start(third.clone()).await.unwrap();
    let stopped = bed.engine().stop(&third.id, patiently()).await.unwrap();
    assert!(stopped.life.is_over(), "{stopped:?}");
}

pub async fn every_change_is_told_and_only_once_handed_out<B: Bed>(bed: &B) {
    let mut changes = bed.engine().changes().unwrap();
    assert!(bed.engine().changes().is_none());
    let start = order(bed, "web", 1, Does::Stays);
    let mut lives = vec![bed.engine().start(start.clone()).await.unwrap()];
    lives.push(
        while_time_passes(bed, bed.engine().stop(&start.id, patiently()))
            .await
            .unwrap(),
    );
    let mut told = Vec::new();
    while told.last() != lives.last() {
        told.push(while_time_passes(bed, changes.recv()).await.unwrap());
    }
    assert_eq!(told.first(), lives.first());
    assert!(
        told.iter().any(|seen| matches!(seen.life, Life::Stopping { .. })),
        "{told:?}"
    );
}

pub async fn lines_are_read_in_their_order_and_by_what_is_asked<B: Bed>(bed: &B) {
    for (component, number) in [("api", 1), ("web", 2)] {
        let start = order(
            bed,
            component,
            number,
            Does::Says("to its output", "to its errors"),
        );
        bed.engine().start(start).await.unwrap();
    }
    let said = |line: &crate::LogLine| line.stream != Stream::Engine;
    let all = lines(bed, LogQuery::default(), said, 4).await;
    assert!(all.is_sorted_by_key(|line| line.at), "{all:?}");
    let of_web = LogQuery {
        components: vec![known("web")],
        ..LogQuery::default()
    };
    let mut web = lines(bed, of_web.clone(), said, 2).await;
    assert!(web.iter().all(|line| line.id.to_string() == "web.2"), "{web:?}");
    web.retain(said);
    web.sort_by(|one, other| one.text.cmp(&other.text));
    let told: Vec<_> = web.iter().map(|line| (line.stream, line.text.as_str())).collect();
    assert_eq!(
        told,
        [(Stream::Err, "to its errors"), (Stream::Out, "to its output")]
    );
    let last = LogQuery {
        last: Some(3),
        ..LogQuery::default()
    };
    assert_eq!(lines(bed, last, said, 1).await, all[all.len() - 3..]);
    let since = LogQuery {
        since: Some(all[2].at),
        ..of_web
    };
    let since = lines(bed, since, |_| true, 0).await;
    assert!(since.iter().all(|line| line.at >= all[2].at), "{since:?}");
}

pub async fn lines_that_come_are_followed_over_a_restart<B: Bed>(bed: &B) {
    let start = order(bed, "web", 1, Does::Says("here", "there"));
    bed.engine().start(start.clone()).await.unwrap();
    lines(bed, LogQuery::default(), |line| line.text == "here", 1).await;
    let query = LogQuery {
        follow: true,
        ..LogQuery::default()
    };
    let mut followed = bed.engine().logs(query).await.unwrap();
    while_time_passes(bed, bed.engine().restart(&start.id, patiently()))
        .await
        .unwrap();
    let other = order(bed, "api", 1, Does::Says("new", "new"));
    bed.engine().start(other).await.unwrap();
    let (mut here, mut new) = (0, 0);
    while here < 2 || new < 2 {
        let line = while_time_passes(bed, followed.recv()).await.unwrap();
        here += usize::from(line.text == "here");
        new += usize::from(line.text == "new");
    }
    assert_eq!((here, new), (2, 2));
}

pub async fn only_instances_that_there_are_use_something<B: Bed>(bed: &B) {
    let start = order(bed, "web", 1, Does::Stays);
    bed.engine().start(start.clone()).await.unwrap();
    let nobody = InstanceId::new(&known::<Name>("nobody"), 1);
    let used = bed.engine().usage(&[nobody, start.id.clone()]).await;
    assert_eq!(used.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&start.id]);
}

pub async fn a_new_engine_adopts_what_the_old_one_started<B: Bed>(bed: &B) {
    let stays = order(bed, "web", 1, Does::Stays);
    let ended = order(bed, "job", 1, Does::Ends(3));
    let runs = bed.engine().start(stays.clone()).await.unwrap();
    bed.engine().start(ended.clone()).await.unwrap();
    let ended = until(bed, &ended.id, |seen| seen.life.is_over()).await;
    let engine = bed.anew();
    assert_eq!(engine.observe().await.unwrap(), [ended, runs]);
    let mut changes = engine.changes().unwrap();
    let stopped = while_time_passes(bed, engine.stop(&stays.id, patiently()))
        .await
        .unwrap();
    assert!(stopped.life.is_over(), "{stopped:?}");
    let mut told = while_time_passes(bed, changes.recv()).await.unwrap();
    while told != stopped {
        told = while_time_passes(bed, changes.recv()).await.unwrap();
    }
}
