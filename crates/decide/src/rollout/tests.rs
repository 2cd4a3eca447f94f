//! Rollouts from any state on, cut journals, and what releases are.

use super::*;
use crate::tend::tests::service;
use towpath_model::desired::resource::Phase;
use towpath_model::desired::rollout::{Strategy, WhenInconclusive};
use towpath_model::desired::secret::Delivery;
use towpath_model::run::{
    ALL, Content, Frame, Front, Kind, Migration, Origin, Portion, Schema, Step, Value, Variable, Way,
};
use towpath_model::unit::known as unit;

fn way(strategy: Strategy) -> Way {
    Way {
        of: None,
        strategy,
        steps: vec![Step {
            parts: 1_000,
            hold: Some(Duration::from_secs(30)),
            ..Step::all()
        }],
        tenants: None,
        gates: vec!["login".to_owned()],
        after: vec!["smoke".to_owned()],
        bake: Duration::from_secs(60),
        warm: Duration::from_secs(60),
        judge_every: Duration::from_secs(10),
        min_sample: 300,
        inconclusive: WhenInconclusive::Hold,
        extend: Duration::from_secs(20),
        surge: 2_500,
        missing: 0,
        progress: Duration::from_minutes(1),
        auto_rollback: true,
        window: None,
        zone: unit("UTC"),
    }
}

pub(super) fn release(id: &str, strategy: Strategy, build: &str) -> (ReleaseId, Arc<Release>) {
    let kinds = [
        ("web", Kind::Service),
        ("jobs", Kind::Worker),
        ("bot", Kind::Bot),
        ("night", Kind::Job),
        ("pages", Kind::Site),
    ];
    let portion = |(name, kind): (&str, Kind)| {
        let mut component = service(name, &[]);
        component.kind = kind;
        component.single = kind == Kind::Bot;
        component.instances = u32::from(kind != Kind::Job && kind != Kind::Site);
        let portion = Portion {
            artifact: Some(build.to_owned()),
            digest: format!("{name}@{build}"),
            way: Arc::new(way(strategy)),
            component: Arc::new(component),
        };
        (unit(name), portion)
    };
    let migration = |(name, phase): (&str, Phase)| Migration {
        name: name.to_owned(),
        phase,
        digest: name.to_owned(),
    };
    let phases = [
        ("1", Phase::Expand),
        ("2", Phase::Backfill),
        ("3", Phase::Contract),
    ];
    let many = usize::from(id > "v1") * 3;
    let content = Content {
        manifest: id.to_owned(),
        frame: Arc::new(frame()),
        components: kinds.into_iter().map(portion).collect(),
        secrets: BTreeMap::from([("KEY".to_owned(), 1)]),
        flags: BTreeMap::from([(unit("new"), false)]),
        schema: BTreeMap::from([(
            unit("db"),
            Schema {
                migrations: phases.into_iter().take(many).map(migration).collect(),
                contract: None,
                window: None,
            },
        )]),
        questions: Arc::default(),
    };
    let id = ReleaseId::new(id);
    let release = Release {
        id: id.clone(),
        content,
        origin: Origin::default(),
    };
    (id, Arc::new(release))
}

/// What is the same in all of them.
fn frame() -> Frame {
    Frame {
        product: unit("shop"),
        environment: unit("prod"),
        error_page: None,
        front: Front::default(),
        credentials: None,
        closed: Vec::new(),
        zone: unit("UTC"),
        keep: 5,
        rehearse: None,
    }
}

fn all() -> Known {
    Known::from([
        release("v1", Strategy::Rolling, "a"),
        release("v2", Strategy::Canary, "b"),
        release("v3", Strategy::BlueGreen, "c"),
        release("v4", Strategy::Recreate, "d"),
    ])
}

/// Chance that can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Anything that could be seen, whether or not it fits what was done.
fn anything(dice: &mut Dice, course: &Course, known: &Known) -> Signals {
    let mut signals = Signals {
        known: dice.below(20) > 0,
        edge: (dice.below(6) > 0).then(|| course.turn.saturating_sub(dice.below(2))),
        ..Signals::default()
    };
    for release in known.values() {
        for (name, portion) in &release.content.components {
            let trouble = match dice.below(60) {
                0 => Some(Trouble::Late("nobody answers".to_owned())),
                1 => Some(Trouble::Lost("answered 500".to_owned())),
                2 => Some(Trouble::NotStarted("there is none".to_owned())),
                _ => None,
            };
            let sight = signals.sights.entry(name.clone()).or_default();
            sight.wanted = (dice.below(9) > 0).then(|| u32::try_from(dice.below(3)).unwrap_or(1));
            let ready = u32::from(dice.below(9) > 0) * 3;
            let tally = Tally {
                stands: ready,
                ready,
                restarts: u32::from(dice.below(200) == 0),
                trouble,
            };
            sight.sides.insert(portion.digest.clone(), tally);
        }
    }
    if dice.below(9) > 0 {
        let ran = ["1", "2", "3"].into_iter().filter(|_| dice.below(2) == 0);
        signals.moved.insert(unit("db"), ran.map(str::to_owned).collect());
    }
    if dice.below(30) == 0 {
        signals.closed = Some((Timestamp::UNIX_EPOCH, "a holiday".to_owned()));
    }
    signals
}

fn wish(dice: &mut Dice, now: Timestamp) -> Wish {
    let id = ReleaseId::new(["v1", "v2", "v3", "v4", "v9"][usize::try_from(dice.below(5)).unwrap_or(0)]);
    match dice.below(12) {
        0..=4 => Wish::Deploy(id),
        5 => Wish::Rollback(None),
        6 => Wish::Rollback(Some(id)),
        7 => Wish::Abort,
        8 => Wish::Approve,
        9 => Wish::Skip("it is known".to_owned()),
        10 => [Wish::Pause, Wish::Resume, Wish::Thaw][usize::try_from(dice.below(3)).unwrap_or(0)].clone(),
        _ => Wish::Freeze {
            until: now,
            why: "a holiday".to_owned(),
        },
    }
}

/// Whether each leg is a place that exists, whatever led there.
fn is_sound(course: &Course, known: &Known, sights: &BTreeMap<Name, Sight>) {
    assert!(course.current.as_ref().is_none_or(|id| known.contains_key(id)));
    for stage in course.rollout.iter().flat_map(|rollout| &rollout.stages) {
        if let towpath_model::run::Stage::Leg(leg) = stage {
            assert!(
                leg.grown <= ALL && leg.moved <= ALL && leg.left <= leg.moved,
                "{leg:?}"
            );
            assert!(leg.moved <= leg.grown, "{leg:?}");
        }
    }
    for (name, row) in lineup(course, known, sights) {
        let parts: u32 = row.sides.iter().map(|side| u32::from(side.parts)).sum();
        assert!(parts <= u32::from(ALL), "{name}: {row:?}");
        let bots = row.sides.iter().filter(|side| side.component.single).count();
        assert!(bots <= 1, "{name}: {row:?}");
    }
}

#[test]
fn every_course_and_everything_seen_has_an_answer() {
    let known = all();
    let mut ends = 0;
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let mut course = Course::default();
        let mut now = Timestamp::UNIX_EPOCH;
        let mut tasks = BTreeMap::new();
        for _ in 0..200 {
            let jump = i64::try_from(dice.below(20)).unwrap_or(0) - 2;
            now += jiff::SignedDuration::from_secs(jump);
            if dice.below(12) == 0 {
                let wish = wish(&mut dice, now);
                if let Ok((next, _)) = ask(&course, &wish, "ana", &known, None, now) {
                    course = next;
                }
            }
            let mut seen = anything(&mut dice, &course, &known);
            seen.tasks.clone_from(&tasks);
            let decision = advance(&course, &seen, &known, now);
            assert!(!decision.because.to_string().is_empty());
            for act in &decision.acts {
                let doing = match dice.below(9) {
                    0 => Doing::Failed("no".to_owned()),
                    1 => Doing::Underway,
                    2 => Doing::Judged(Verdict::Inconclusive("too little".to_owned())),
                    _ => Doing::Judged(Verdict::Pass),
                };
                tasks.insert(act.task.clone(), doing);
            }
            let again = advance(&course, &seen, &known, now);
            assert_eq!(decision, again, "the same is decided the same way");
            is_sound(&decision.next, &known, &seen.sights);
            ends += u32::from(decision.next.ended != course.ended);
            course = decision.next;
        }
    }
    assert!(ends > 100, "only {ends} rollouts ended");
}

#[test]
fn a_journal_that_is_cut_at_any_byte_gives_the_course_that_was_written_last() {
    let known = all();
    let mut dice = Dice(4);
    let mut course = Course::default();
    let (mut text, mut ends) = (String::new(), vec![(0, Course::default())]);
    let mut now = Timestamp::UNIX_EPOCH;
    for turn in 0..40 {
        now += jiff::SignedDuration::from_secs(7);
        if turn % 10 == 0 {
            let to = Wish::Deploy(ReleaseId::new(["v1", "v2", "v3", "v4"][turn / 10]));
            course = ask(&course, &to, "ana", &known, None, now).map_or(course.clone(), |(next, _)| next);
        }
        let seen = anything(&mut dice, &course, &known);
        course = advance(&course, &seen, &known, now).next;
        text.push_str(&serde_json::to_string(&course).unwrap());
        text.push('\n');
        ends.push((text.len(), course.clone()));
    }
    for cut in 0..=text.len() {
        let whole = text.as_bytes()[..cut]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let written = ends
            .iter()
            .rev()
            .find(|(end, _)| *end <= cut)
            .map(|(_, course)| course);
        let last = text[..whole].lines().next_back();
        let is_end = cut == whole;
        // Between two ends it is the same line again: it is read once for each.
        if is_end || cut + 1 == text.len() {
            let read: Course = last.map_or_else(Course::default, |line| serde_json::from_str(line).unwrap());
            assert_eq!(Some(&read), written, "cut at {cut}");
        } else {
            assert_eq!(
                ends.iter()
                    .rev()
                    .find(|(end, _)| *end <= cut)
                    .map(|(end, _)| *end),
                Some(whole)
            );
        }
    }
}

#[test]
fn a_release_has_the_name_of_all_of_its_content() {
    let (_, one) = release("v2", Strategy::Canary, "b");
    let id = identify(&one.content);
    assert_eq!(id, identify(&one.content.clone()));
    let changes: [fn(&mut Content); 5] = [
        |content| content.manifest.push('x'),
        |content| *content.secrets.get_mut("KEY").unwrap() = 2,
        |content| *content.flags.get_mut("new").unwrap() = true,
        |content| content.schema.get_mut("db").unwrap().migrations.clear(),
        |content| content.components.get_mut("web").unwrap().artifact = None,
    ];
    for change in changes {
        let mut other = one.content.clone();
        change(&mut other);
        assert_ne!(identify(&other), id);
        assert!(
            !diff(&one.content, &other).is_empty(),
            "what is another name is a difference"
        );
    }
}

#[test]
fn a_difference_names_variables_and_secrets_and_no_value_of_one() {
    let (_, one) = release("v2", Strategy::Canary, "b");
    let mut other = one.content.clone();
    *other.secrets.get_mut("KEY").unwrap() = 2;
    let web = other.components.get_mut("web").unwrap();
    web.artifact = Some("c".to_owned());
    let mut component = (*web.component).clone();
    component.env.insert(
        "TOKEN".to_owned(),
        Variable {
            value: Value::Sealed("KEY".to_owned()),
            deliver: Delivery::Variable,
        },
    );
    web.component = Arc::new(component);
    other.components.remove("bot");
    let said: Vec<String> = diff(&one.content, &other)
        .iter()
        .map(|one| format!("{:?} {one}", one.area))
        .collect();
    assert!(
        said.contains(&"Secret secrets.KEY: 1 -> 2".to_owned()),
        "{said:?}"
    );
    assert!(
        said.contains(&"Code components.web.artifact: b -> c".to_owned()),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|line| line.starts_with("Env components.web.component.env.TOKEN")),
        "{said:?}"
    );
    assert!(
        said.contains(&"Config components.bot: gone, was there".to_owned()),
        "{said:?}"
    );
}

#[test]
fn what_is_needed_is_kept_however_old_it_is() {
    let known = all();
    let made = known.keys().enumerate().map(|(nth, id)| {
        let at = Timestamp::from_second(i64::try_from(nth).unwrap()).unwrap();
        (id.clone(), at)
    });
    let made: BTreeMap<ReleaseId, Timestamp> = made.collect();
    let course = Course {
        current: Some(ReleaseId::new("v1")),
        ..Course::default()
    };
    assert_eq!(prune(&course, &made, &known, 2), [ReleaseId::new("v2")]);
}

/// What is told of one look at a course.
fn told(course: &mut Course, seen: &Signals, known: &Known, last: &mut Option<Reason>) -> Vec<String> {
    let now = Timestamp::UNIX_EPOCH;
    let decision = advance(course, seen, known, now);
    let lines = story::steps(course, &decision, last.as_ref(), now);
    if story::is_told(&decision.because) {
        *last = Some(decision.because.clone());
    }
    *course = decision.next;
    let text =
        |(number, line): story::Told| format!("{number} {} | {} | {}", line.what, line.about, line.because);
    lines.into_iter().map(text).collect()
}

#[test]
fn the_story_of_a_rollout_names_each_step_and_each_reason_once() {
    let known = Known::from([
        release("v1", Strategy::Rolling, "a"),
        release("v4", Strategy::Recreate, "d"),
    ]);
    let before = Course {
        current: Some(ReleaseId::new("v1")),
        number: 6,
        ..Course::default()
    };
    let now = Timestamp::UNIX_EPOCH;
    let wish = Wish::Deploy(ReleaseId::new("v4"));
    let (mut course, _) = ask(&before, &wish, "ana", &known, None, now).unwrap();
    let (number, begins) = story::begun(&before, &course, now).unwrap();
    assert_eq!(
        (number, begins.what.as_str(), begins.by.as_deref()),
        (7, "begins", Some("ana"))
    );
    assert_eq!(begins.about.split("; ").next(), Some("try night"));
    assert_eq!(story::begun(&course, &course, now), None);
    let mut last = None;
    let mut seen = Signals {
        known: true,
        ..Signals::default()
    };
    let first = told(&mut course, &seen, &known, &mut last);
    assert_eq!(
        first,
        ["7 tries | job `night` | job `night` is tried without effect"]
    );
    let task = Task {
        number: 7,
        work: towpath_model::run::Work::Try(unit("night")),
    };
    seen.tasks.insert(task.clone(), Doing::Underway);
    assert_eq!(
        told(&mut course, &seen, &known, &mut last),
        Vec::<String>::new(),
        "it is told once"
    );
    let failed = Doing::Failed("there is no program".to_owned());
    let (_, came) = story::came(&task, &failed, &[], now).unwrap();
    assert_eq!(
        (came.what.as_str(), came.because.as_str()),
        ("failed", "there is no program")
    );
    seen.tasks.insert(task, failed);
    seen.edge = Some(u64::MAX);
    let end = told(&mut course, &seen, &known, &mut last);
    let why = "job `night` could not be run: there is no program";
    assert_eq!(
        end,
        [
            format!("7 returns |  | {why}"),
            "7 waits |  | it goes back: 0 of 1 new instances of `bot` are ready".to_owned()
        ]
    );
}

#[test]
fn what_a_gate_has_answered_is_told_in_its_own_words() {
    let task = Task {
        number: 2,
        work: towpath_model::run::Work::Judge {
            stage: 1,
            step: 0,
            look: 3,
        },
    };
    let gates = ["login".to_owned(), "score".to_owned()];
    let verdict = |verdict| {
        let (_, line) = story::came(&task, &Doing::Judged(verdict), &gates, Timestamp::UNIX_EPOCH).unwrap();
        format!("{} {}: {}", line.what, line.about, line.because)
    };
    assert_eq!(verdict(Verdict::Pass), "answer login, score: pass");
    assert_eq!(
        verdict(Verdict::Fail("3 of 9".to_owned())),
        "answer login, score: fail: 3 of 9"
    );
}
