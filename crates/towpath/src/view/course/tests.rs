//! Rollouts as people see them at three in the morning.

use super::super::status::tests::shown;
use super::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_model::desired::rollout::{Strategy, WhenInconclusive};
use towpath_model::run::{Course, Ended, Exit, Frozen, Leg, Moved, Refusal, Step, Trouble, Vigil, Way};
use towpath_model::unit::{Duration as Span, known};

const OLD: &str = "9e2b1c0d11112222";
const NEW: &str = "4f1c2b3a33334444";

fn id(text: &str) -> ReleaseId {
    ReleaseId::new(text)
}

fn way(strategy: Strategy) -> Arc<Way> {
    Arc::new(Way {
        of: None,
        strategy,
        steps: Vec::new(),
        tenants: None,
        gates: Vec::new(),
        after: Vec::new(),
        bake: known("10m"),
        warm: known("10m"),
        judge_every: known("1m"),
        min_sample: 300,
        inconclusive: WhenInconclusive::Hold,
        extend: known("2h"),
        surge: 2_500,
        missing: 0,
        progress: known("10m"),
        auto_rollback: true,
        window: None,
        zone: known("UTC"),
    })
}

fn moved() -> Moved {
    Moved {
        resource: known("db"),
        migration: "007_add.sql".to_owned(),
    }
}

/// A canary of two components, at a stage.
fn rollout(at: usize) -> Rollout {
    let leg = Leg {
        components: vec![known("api"), known("web")],
        way: way(Strategy::Canary),
        apart: false,
        steps: vec![Step::all(), Step::all(), Step::all()],
        step: 1,
        grown: 1_250,
        moved: 1_250,
        left: 0,
        early: false,
        tenants: None,
    };
    Rollout {
        number: 7,
        from: Some(id(OLD)),
        to: id(NEW),
        is_rollback: false,
        rehearses: false,
        by: "ana".to_owned(),
        began: "2026-11-22T03:00:00Z".parse().expect("a moment"),
        stages: vec![
            Stage::Migrate(vec![moved()]),
            Stage::Leg(leg),
            Stage::Bake(way(Strategy::Canary)),
        ],
        at,
        vigil: Vigil::default(),
        idle: towpath_model::run::Clock::default(),
        unwell: towpath_model::run::Clock::default(),
        restarts: (0, 0),
        calm: towpath_model::run::Clock::default(),
        paused: None,
        back: None,
        switched: false,
    }
}

fn told(rollout: Option<Rollout>, because: Reason) -> CourseTold {
    let shares = match &rollout {
        Some(rollout) if rollout.at == 1 => {
            BTreeMap::from([(known("web"), vec![(id(OLD), 8_750), (id(NEW), 1_250)])])
        }
        _ => BTreeMap::new(),
    };
    CourseTold {
        course: Course {
            current: Some(id(OLD)),
            number: 7,
            rollout,
            ..Course::default()
        },
        words: because.to_string(),
        because: Some(because),
        awaits: Vec::new(),
        shares,
    }
}

fn ended(to: &str, current: &str, promoted: bool, because: Reason) -> CourseTold {
    let mut told = told(None, Reason::Rests(id(current)));
    told.course.current = Some(id(current));
    told.course.ended = Some(Ended {
        number: 7,
        from: Some(id(OLD)),
        to: id(to),
        promoted,
        because,
        at: "2026-11-22T03:10:00Z".parse().expect("a moment"),
        took: Span::from_millis(72_400),
    });
    told
}

fn back() -> CourseTold {
    let why = Reason::Failed(known("web"), Trouble::Ended(Exit::Code { code: 1 }));
    let mut coming = rollout(1);
    coming.back = Some(why.clone());
    told(Some(coming), Reason::Returns(Box::new(why)))
}

#[test]
fn each_change_is_a_line_and_time_that_passes_is_not() {
    let mut following = Following::default();
    let watched = |seconds| Reason::Watches(Span::from_secs(seconds), known("30m"));
    let heard = [
        told(Some(rollout(0)), Reason::Migrates(moved())),
        told(Some(rollout(1)), Reason::Starts(known("web"), 1, 4)),
        told(Some(rollout(1)), Reason::Starts(known("web"), 4, 4)),
        told(Some(rollout(1)), watched(0)),
        told(Some(rollout(1)), watched(10)),
        told(Some(rollout(1)), watched(20)),
        back(),
        ended(NEW, OLD, false, Reason::Aborted("ana".to_owned())),
    ];
    let lines: Vec<String> = heard.iter().filter_map(|told| following.hear(told)).collect();
    insta::assert_snapshot!(shown(&lines.concat()), @r"
    9e2b1c0d -> 4f1c2b3a  migrate `007_add.sql` of `db`  migration `007_add.sql` of `db` runs
    9e2b1c0d -> 4f1c2b3a  canary api, web, step 2 of 3, 12.5%  web  9e2b1c0d 87.5%  4f1c2b3a 12.5%  1 of 4 new instances of `web` are ready
    9e2b1c0d -> 4f1c2b3a  canary api, web, step 2 of 3, 12.5%  web  9e2b1c0d 87.5%  4f1c2b3a 12.5%  4 of 4 new instances of `web` are ready
    9e2b1c0d -> 4f1c2b3a  canary api, web, step 2 of 3, 12.5%  web  9e2b1c0d 87.5%  4f1c2b3a 12.5%  it has been watched for 0s of 30m
    9e2b1c0d <- 4f1c2b3a  canary api, web, step 2 of 3, 12.5%  web  9e2b1c0d 87.5%  4f1c2b3a 12.5%  it goes back: `web` fails: it ended with code 1
    release 9e2b1c0d11112222 is current, and nothing is under way
    ");
}

#[test]
fn a_live_view_has_the_stages_the_shares_and_the_reason() {
    let view = |told: &CourseTold| {
        let mut following = Following::default();
        following.hear(told);
        let lines = following.live(Duration::from_millis(12_300), (70, 20));
        assert!(lines.iter().all(|line| paint::width(line) <= 70));
        shown(&lines.join("\n"))
    };
    insta::assert_snapshot!(view(&told(Some(rollout(1)), Reason::Starts(known("web"), 1, 4))), @r"
    9e2b1c0d -> 4f1c2b3a  12.3s
    ✓ migrate `007_add.sql` of `db`
    ⠸ canary api, web, step 2 of 3, 12.5%
    · watch for 10m
      web  9e2b1c0d 87.5%  4f1c2b3a 12.5%
    1 of 4 new instances of `web` are ready
    ");
    insta::assert_snapshot!(view(&told(Some(rollout(2)), Reason::AwaitsPerson)), @r"
    9e2b1c0d -> 4f1c2b3a  12.3s
    ✓ migrate `007_add.sql` of `db`
    ✓ canary api, web, step 2 of 3, 12.5%
    ‖ watch for 10m
    it waits for a person; `towpath rollout` approves or aborts
    ");
    insta::assert_snapshot!(view(&back()), @r"
    9e2b1c0d <- 4f1c2b3a  12.3s
    ✓ migrate `007_add.sql` of `db`
    ⠸ canary api, web, step 2 of 3, 12.5%
    · watch for 10m
      web  9e2b1c0d 87.5%  4f1c2b3a 12.5%
    it goes back: `web` fails: it ended with code 1
    ");
}

fn ends(told: &CourseTold, to: Option<&str>, wait: bool) -> String {
    let to = to.map(str::to_owned);
    match outcome(told, "prod", &Asked { to, after: 6, wait }) {
        Outcome::Well(text) => format!("0 {text}"),
        Outcome::Failed(text) => format!("1 {text}"),
        Outcome::Refused(text) => format!("2 {text}"),
        Outcome::Held(text, hint) => format!("3 {text}\n  help: {hint}"),
    }
}

#[test]
fn how_it_ended_is_told_with_the_code_that_says_so() {
    let failed = Reason::Failed(known("web"), Trouble::Loops(Exit::Code { code: 1 }));
    let refused = Reason::Refused(Refusal::StandsAlone(known("web"), "rolling".to_owned()));
    let unchanged = told(None, Reason::Unchanged);
    let all = [
        ends(&ended(NEW, NEW, true, Reason::Promoted), Some(NEW), true),
        ends(
            &ended(OLD, OLD, true, Reason::RolledBack("ana".to_owned())),
            None,
            true,
        ),
        ends(&unchanged, Some(OLD), true),
        ends(&ended(NEW, OLD, false, failed), Some(NEW), true),
        ends(&ended(NEW, OLD, false, refused), Some(NEW), true),
        ends(
            &told(Some(rollout(1)), Reason::Starts(known("web"), 1, 4)),
            Some(NEW),
            false,
        ),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    0 4f1c2b3a is current in prod, after 1m12.4s
    0 9e2b1c0d is current in prod, after 1m12.4s: it was rolled back by ana
    0 9e2b1c0d is current in prod: it is what runs already
    1 4f1c2b3a has come back from prod, after 1m12.4s: `web` fails: it ends again and again: ended with code 1; 9e2b1c0d is current again
    2 4f1c2b3a is not deployed to prod: it could not begin: `web` cannot be rolled out as `rolling`: two of it cannot stand beside each other, and that would be an outage nobody asked for; write `rollout = "recreate"` for it, or take its `port` out
    0 prod: 9e2b1c0d -> 4f1c2b3a  canary api, web, step 2 of 3, 12.5%  web  9e2b1c0d 87.5%  4f1c2b3a 12.5%  1 of 4 new instances of `web` are ready
    "#);
}

#[test]
fn what_holds_says_who_can_let_it_go_on() {
    let until = "2026-11-23T08:00:00Z".parse().expect("a moment");
    let holds = [
        Reason::AwaitsPerson,
        Reason::Paused("ana".to_owned()),
        Reason::Frozen {
            until,
            why: "holidays".to_owned(),
        },
        Reason::OutsideWindow("weekdays 08:00-16:00".to_owned()),
        Reason::Undecided("12 of 300 requests".to_owned()),
        Reason::Awaits("yes: it awaits the yes of ana@example.com".to_owned()),
        Reason::Disputed("`web` fails".to_owned()),
    ];
    let lines = holds.map(|because| ends(&told(Some(rollout(1)), because), Some(NEW), true));
    insta::assert_snapshot!(lines.join("\n"), @r"
    3 4f1c2b3a holds in prod: it waits for a person; `towpath rollout` approves or aborts
      help: `towpath rollout prod approve` or `abort`
    3 4f1c2b3a holds in prod: it was paused by ana; `towpath rollout` resumes
      help: `towpath rollout prod resume` or `abort`
    3 4f1c2b3a holds in prod: nothing goes forward until 2026-11-23T08:00:00Z: holidays
      help: it goes on by itself then; `towpath thaw prod` ends a freeze of a person, `towpath rollout prod abort` brings it back
    3 4f1c2b3a holds in prod: it goes on only weekdays 08:00-16:00
      help: it goes on by itself then; `towpath rollout prod abort` brings it back
    3 4f1c2b3a holds in prod: there was too little to judge by in all its time: 12 of 300 requests; `towpath rollout` approves, skips or aborts
      help: `towpath rollout prod skip --reason TEXT`, `approve` or `abort`
    3 4f1c2b3a holds in prod: yes: it awaits the yes of ana@example.com
      help: `towpath rollout prod skip --reason TEXT`, `approve` or `abort`
    3 4f1c2b3a holds in prod: `web` fails, and nothing goes back by itself here; `towpath rollout` skips or aborts
      help: `towpath rollout prod skip --reason TEXT`, `approve` or `abort`
    ");
}

#[test]
fn what_is_frozen_and_rests_says_so() {
    let mut frozen = told(None, Reason::Rests(id(OLD)));
    frozen.course.frozen = Some(Frozen {
        until: "2026-11-23T08:00:00Z".parse().expect("a moment"),
        why: "holidays".to_owned(),
        by: "ana".to_owned(),
    });
    insta::assert_snapshot!(ends(&frozen, None, false), @"0 prod: nothing goes forward until 2026-11-23T08:00:00Z: holidays");
    frozen.course.frozen = None;
    assert_eq!(
        ends(&frozen, None, false),
        "0 prod: release 9e2b1c0d11112222 is current, and nothing is under way"
    );
    // How the one before ended is no news to whoever asks for what runs already.
    let mut earlier = ended(OLD, OLD, true, Reason::Promoted);
    earlier.course.ended.as_mut().expect("it has ended").number = 6;
    assert_eq!(
        ends(&earlier, Some(OLD), true),
        "0 9e2b1c0d is current in prod: it is what runs already"
    );
}

#[test]
fn parts_of_ten_thousand_are_told_as_people_say_them() {
    for (parts, text) in [
        (0, "0%"),
        (10_000, "100%"),
        (1_250, "12.5%"),
        (1, "0.01%"),
        (1_005, "10.05%"),
    ] {
        assert_eq!(percent(parts), text);
    }
}
