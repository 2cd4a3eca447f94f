//! A rollback that is rehearsed, and why one is not.

use super::*;
use crate::rollout::tests::release;
use crate::rollout::{Decision, Known, Signals, Wish, advance, ask};
use std::sync::Arc;
use towpath_model::desired::rollout::Strategy;
use towpath_model::run::Frozen;
use towpath_model::unit::known as unit;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// Two releases that have nothing but their frame, and so need nobody to become well.
fn known() -> Known {
    let bare = |id: &str, manifest: &str| {
        let (id, release) = release(id, Strategy::Rolling, "a");
        let mut release = (*release).clone();
        release.content.components.clear();
        release.content.schema.clear();
        release.content.manifest = manifest.to_owned();
        let mut frame = (*release.content.frame).clone();
        frame.rehearse = Some(Rehearsal {
            every: unit("daily 02:00"),
            within: unit("2m"),
        });
        release.content.frame = Arc::new(frame);
        (id, Arc::new(release))
    };
    Known::from([bare("v1", "one"), bare("v2", "two")])
}

fn resting() -> Course {
    Course {
        current: Some(ReleaseId::new("v2")),
        before: Some(ReleaseId::new("v1")),
        number: 2,
        ..Course::default()
    }
}

fn look(course: &Course, now: &str) -> Decision {
    let seen = Signals {
        known: true,
        edge: Some(u64::MAX),
        ..Signals::default()
    };
    advance(course, &seen, &known(), at(now))
}

#[test]
fn at_its_time_it_goes_back_and_forward_again_and_keeps_what_it_took() {
    let first = look(&resting(), "2026-11-22T01:00:00Z");
    assert!(first.keep, "from when on it is looked for is part of the course");
    assert_eq!(first.again, Some(at("2026-11-22T02:00:00Z")));
    let early = look(&first.next, "2026-11-22T01:59:00Z");
    assert_eq!(early.next.number, 2);
    let done = look(&first.next, "2026-11-22T02:00:01Z").next;
    // Nothing has to become well: both ways are walked in one look.
    assert_eq!((done.number, done.current), (4, Some(ReleaseId::new("v2"))));
    assert_eq!(done.before, Some(ReleaseId::new("v1")));
    let rehearsed = done.rehearsed.clone().expect("it was rehearsed");
    assert_eq!(
        (rehearsed.at, rehearsed.took),
        (at("2026-11-22T02:00:00Z"), Some(unit("0s")))
    );
    assert_eq!(rehearsed.release, Some(ReleaseId::new("v1")));
    // Once for each time, whoever reads the course.
    let read: Course = serde_json::from_value(serde_json::json!(Course {
        current: Some(ReleaseId::new("v2")),
        ..done
    }))
    .unwrap();
    let again = look(&read, "2026-11-22T02:00:02Z");
    assert_eq!(
        (again.next.number, again.again),
        (4, Some(at("2026-11-22T03:00:02Z")))
    );
}

/// Why it was not done.
fn left_out(course: Course, now: &str) -> String {
    let asked = look(&course, "2026-11-22T01:00:00Z").next;
    let number = asked.number;
    let next = look(&asked, now).next;
    assert_eq!(next.number, number, "nothing began");
    let again = look(&next, now).next;
    assert_eq!(again.rehearsed, next.rehearsed, "it is said once");
    next.rehearsed.expect("it is said").to_string()
}

#[test]
fn where_it_would_not_be_safe_it_says_why() {
    let now = "2026-11-22T02:00:01Z";
    let alone = Course {
        before: None,
        ..resting()
    };
    assert_eq!(
        left_out(alone, now),
        "no rollback was rehearsed: it could not begin: there is no earlier release to go back to"
    );
    let frozen = Course {
        frozen: Some(Frozen {
            until: at("2026-11-23T00:00:00Z"),
            why: "holidays".to_owned(),
            by: "ana".to_owned(),
        }),
        ..resting()
    };
    assert!(left_out(frozen, now).contains("nothing goes forward until"));
    let contracted = Course {
        contracted: vec![towpath_model::run::Moved {
            resource: unit("db"),
            migration: "3".to_owned(),
        }],
        ..resting()
    };
    assert!(left_out(contracted, now).contains("which has taken away what it needs"));
    assert!(left_out(resting(), "2026-11-22T05:00:00Z").contains("nobody looked at its time"));
}

#[test]
fn one_that_is_due_while_something_is_under_way_is_left_out() {
    let known = known();
    let course = look(&resting(), "2026-11-22T01:00:00Z").next;
    let now = at("2026-11-22T01:59:59Z");
    let (mut course, _) = ask(
        &course,
        &Wish::Deploy(ReleaseId::new("v1")),
        "ana",
        &known,
        None,
        now,
    )
    .unwrap();
    if let Some(rollout) = &mut course.rollout {
        rollout.paused = Some("ana".to_owned());
    }
    let next = look(&course, "2026-11-22T02:00:01Z").next;
    assert_eq!(next.number, 3);
    let told = next.rehearsed.expect("it is said").to_string();
    assert_eq!(told, "no rollback was rehearsed: rollout 3 was under way");
}

#[test]
fn a_way_back_that_fails_brings_nothing_forward() {
    let mut course = look(&resting(), "2026-11-22T01:00:00Z").next;
    course.rehearsing = Some(Rehearsing {
        number: 2,
        at: at("2026-11-22T00:00:00Z"),
        within: unit("2m"),
    });
    course.next = Some(Next {
        to: ReleaseId::new("v2"),
        is_rollback: false,
        by: BY.to_owned(),
        rehearses: true,
    });
    let known = known();
    let (with, _) = ask(
        &resting(),
        &Wish::Rollback(None),
        "ana",
        &known,
        None,
        at("2026-11-22T00:00:00Z"),
    )
    .unwrap();
    let rollout = Rollout {
        number: 2,
        ..with.rollout.expect("it began")
    };
    let end = Ended {
        number: 2,
        from: None,
        to: ReleaseId::new("v1"),
        promoted: false,
        because: Reason::Aborted("ana".to_owned()),
        at: at("2026-11-22T00:00:01Z"),
        took: unit("1s"),
    };
    ended(&mut course, &rollout, &end);
    assert_eq!((course.next, course.rehearsing), (None, None));
    let told = course.rehearsed.expect("it is said").to_string();
    assert_eq!(told, "no rollback was rehearsed: it was aborted by ana");
}
