//! The verdict of several gates, of people and of windows, as it is told.

use super::report::tests::gate;
use super::*;
use jiff::Timestamp;
use std::collections::BTreeMap;
use towpath_model::desired::gate::Stage;
use towpath_model::run::{Answer, Approved, Evidence, Found, Questions, Verdict, Waiver};
use towpath_model::unit::{Duration, Email, Name, Window, known};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Noon of a Sunday.
fn now() -> Timestamp {
    at("2026-11-22T12:00:00Z")
}

fn answer(name: &str, verdict: Verdict) -> Answer {
    Answer {
        gate: name.to_owned(),
        stage: Stage::Build,
        found: Found {
            verdict,
            measured: None,
            bound: None,
            evidence: Vec::new(),
        },
        at: at("2026-11-22T11:00:00Z"),
        took: Duration::ZERO,
        by: "ci".to_owned(),
    }
}

fn fail(name: &str) -> Answer {
    answer(name, Verdict::Fail(format!("{name} is bad")))
}

fn waiver(name: &str, by: &str, since: &str, until: &str) -> Waiver {
    Waiver {
        gate: name.to_owned(),
        by: by.to_owned(),
        reason: "known, and mended tomorrow".to_owned(),
        at: at(since),
        until: at(until),
    }
}

/// Three gates: one that Ana may waive, one that only warns, one that nobody may waive.
fn questions(after: Option<&str>) -> Questions {
    let gates = [
        (
            "tests",
            "command = \"t\"\nwaive = { people = [\"ana@example.com\"], most = \"2d\" }",
        ),
        ("lint", "command = \"l\"\nfails = \"warn\""),
        ("size", "size = { file = \"a\", most = \"1KB\" }"),
    ];
    Questions {
        gates: gates
            .iter()
            .map(|(name, text)| (known::<Name>(name), gate(text)))
            .collect(),
        after: after.map(known),
        ..Questions::default()
    }
}

fn verdict(answers: &[Answer], waivers: &[Waiver]) -> String {
    let gates = ["tests", "lint", "size"].map(str::to_owned);
    told(combine(&questions(None), &gates, answers, waivers, now()))
}

fn told(verdict: Verdict) -> String {
    match verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail(why) => format!("fail: {why}"),
        Verdict::Inconclusive(why) => format!("open: {why}"),
        Verdict::Waived(why) => format!("waived: {why}"),
        Verdict::Awaits(why) => format!("waits: {why}"),
    }
}

#[test]
fn one_that_fails_fails_all_and_one_that_nobody_could_answer_holds_all() {
    let pass = |name: &str| answer(name, Verdict::Pass);
    let open = |name: &str| answer(name, Verdict::Inconclusive("too few".to_owned()));
    for (answers, expected) in [
        (vec![pass("tests"), pass("lint"), pass("size")], "pass"),
        (
            vec![fail("tests"), pass("lint"), fail("size")],
            "fail: tests: tests is bad; size: size is bad",
        ),
        (
            vec![fail("tests"), open("size"), pass("lint")],
            "fail: tests: tests is bad",
        ),
        (
            vec![pass("tests"), open("size"), pass("lint")],
            "open: size: too few",
        ),
        (
            vec![pass("tests"), pass("lint")],
            "open: size: nobody has answered yet",
        ),
        (vec![pass("tests"), fail("lint"), pass("size")], "pass"),
        (vec![pass("tests"), open("lint"), pass("size")], "pass"),
        (vec![pass("tests"), pass("size")], "pass"),
    ] {
        assert_eq!(verdict(&answers, &[]), expected);
    }
}

#[test]
fn the_newest_answer_counts() {
    let later = |mut answer: Answer| {
        answer.at = now();
        answer
    };
    let rest = [answer("lint", Verdict::Pass), answer("size", Verdict::Pass)];
    let with = |first: Answer, second: Answer| verdict(&[&[first, second], rest.as_slice()].concat(), &[]);
    assert_eq!(with(later(answer("tests", Verdict::Pass)), fail("tests")), "pass");
    assert_eq!(
        with(answer("tests", Verdict::Pass), later(fail("tests"))),
        "fail: tests: tests is bad"
    );
}

#[test]
fn a_waiver_counts_by_the_right_person_with_a_reason_and_for_its_time() {
    let answers = [
        fail("tests"),
        answer("lint", Verdict::Pass),
        answer("size", Verdict::Pass),
    ];
    let of = |waiver: Waiver| verdict(&answers, &[waiver]);
    let day = ("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
    let waived = "waived: tests: waived by {} until 2026-11-23T00:00:00Z: known, and mended tomorrow";
    for by in ["ana@example.com", "Ana@Example.com", "ana"] {
        assert_eq!(of(waiver("tests", by, day.0, day.1)), waived.replace("{}", by));
    }
    for (one, why) in [
        (
            waiver("tests", "bob", day.0, day.1),
            "the waiver by bob does not count: `bob` may not waive it; ana@example.com may",
        ),
        (
            waiver("tests", "ana@example.org", day.0, day.1),
            "the waiver by ana@example.org does not count: `ana@example.org` may not waive it; ana@example.com may",
        ),
        (
            waiver("tests", "ana", "2026-11-19T00:00:00Z", "2026-11-21T00:00:00Z"),
            "the waiver by ana has not counted since 2026-11-21T00:00:00Z",
        ),
        (
            waiver("tests", "ana", "2026-11-22T00:00:00Z", "2026-12-22T00:00:00Z"),
            "the waiver by ana does not count: it lasts until 2026-12-22T00:00:00Z, and 2d is the most",
        ),
        (
            waiver("tests", "ana", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),
            "the waiver by ana counts from 2026-11-23T00:00:00Z on",
        ),
        (
            Waiver {
                reason: " ".to_owned(),
                ..waiver("tests", "ana", day.0, day.1)
            },
            "the waiver by ana does not count: it has no reason; one stands in the journal for whoever asks later",
        ),
    ] {
        assert_eq!(of(one), format!("fail: tests: tests is bad ({why})"));
    }
    assert_eq!(
        of(waiver("size", "ana", day.0, day.1)),
        "fail: tests: tests is bad",
        "another gate's"
    );
    let closed = [
        answer("tests", Verdict::Pass),
        answer("lint", Verdict::Pass),
        fail("size"),
    ];
    assert_eq!(
        verdict(&closed, &[waiver("size", "ana", day.0, day.1)]),
        "fail: size: size is bad (the waiver by ana does not count: the gate does not say who may waive it; `waive` of the gate names them)"
    );
    let open = [
        answer("tests", Verdict::Inconclusive("?".to_owned())),
        answer("lint", Verdict::Pass),
        answer("size", Verdict::Pass),
    ];
    assert_eq!(
        verdict(&open, &[waiver("tests", "ana", day.0, day.1)]),
        waived.replace("{}", "ana")
    );
    let two = [
        waiver("tests", "ana", "2026-11-19T00:00:00Z", "2026-11-21T00:00:00Z"),
        waiver("tests", "ana", day.0, day.1),
    ];
    assert_eq!(
        verdict(&answers, &two),
        waived.replace("{}", "ana"),
        "the one that holds counts"
    );
}

#[test]
fn what_may_go_no_further_fails_after_another_environment() {
    let mut high = answer("tests", Verdict::Pass);
    high.found.evidence.push(Evidence {
        name: "goes no further".to_owned(),
        text: "1 high: R7".to_owned(),
        digest: None,
    });
    let gates = ["tests".to_owned()];
    let of = |after: Option<&str>| {
        told(combine(
            &questions(after),
            &gates,
            std::slice::from_ref(&high),
            &[],
            now(),
        ))
    };
    assert_eq!(of(None), "pass");
    assert_eq!(
        of(Some("staging")),
        "fail: tests: it goes no further than `staging`: 1 high: R7"
    );
}

fn people(gate_text: &str, said: &[(&str, &str)]) -> String {
    let gate = gate(gate_text);
    let asked = gate.approval.expect("it is about people");
    let said: Vec<Approved> = said
        .iter()
        .map(|(by, when)| Approved {
            gate: "go".to_owned(),
            by: (*by).to_owned(),
            at: at(when),
        })
        .collect();
    let lead: Vec<Email> = vec![known("cleo@example.com")];
    let roles = BTreeMap::from([(known::<Name>("lead"), lead)]);
    let found = approval("go", &asked, &roles, &said, now());
    format!("{} / {}", told(found.verdict), found.measured.unwrap_or_default())
}

#[test]
fn people_are_awaited_by_name_until_enough_have_said_yes() {
    const TWO: &str =
        "approval = { people = [\"ana@example.com\", \"ben@example.com\"], count = 2, lasts = \"6h\" }";
    const ONE: &str = "approval = [\"ana@example.com\", \"ben@example.com\"]";
    let today = "2026-11-22T11:00:00Z";
    for (gate, said, expected) in [
        (
            ONE,
            vec![],
            "waits: it awaits the yes of ana@example.com or ben@example.com / 0 of 1 have said yes",
        ),
        (
            ONE,
            vec![("ben", today)],
            "pass / 1 of 1 have said yes: ben@example.com at 2026-11-22T11:00:00Z",
        ),
        (
            ONE,
            vec![("mallory@example.com", today)],
            "waits: it awaits the yes of ana@example.com or ben@example.com / 0 of 1 have said yes",
        ),
        (
            TWO,
            vec![("ana", today), ("ana@example.com", today)],
            "waits: it awaits the yes of ben@example.com / 1 of 2 have said yes: ana@example.com at 2026-11-22T11:00:00Z",
        ),
        (
            TWO,
            vec![("ana", today), ("ben", "2026-11-22T05:00:00Z")],
            "waits: it awaits the yes of ben@example.com; the yes of ben@example.com has not counted since 2026-11-22T11:00:00Z / 1 of 2 have said yes: ana@example.com at 2026-11-22T11:00:00Z",
        ),
        (
            TWO,
            vec![
                ("ana", today),
                ("ben", "2026-11-22T05:00:00Z"),
                ("ben", "2026-11-22T11:30:00Z"),
            ],
            "pass / 2 of 2 have said yes: ana@example.com at 2026-11-22T11:00:00Z, ben@example.com at 2026-11-22T11:30:00Z",
        ),
        (
            TWO,
            vec![("ana", "2026-11-22T13:00:00Z")],
            "waits: it awaits the yes of 2 of ana@example.com or ben@example.com / 0 of 2 have said yes",
        ),
        (
            "approval = { people = [\"ana@example.com\"], count = 2 }",
            vec![],
            "waits: it awaits the yes of 2 more, and only ana@example.com can say it; lower `count` or name more people / 0 of 2 have said yes",
        ),
    ] {
        assert_eq!(people(gate, &said), expected);
    }
}

fn opens(window_text: &str, when: &str) -> String {
    let asked: Window = known(window_text);
    told(window(&asked, "Asia/Singapore", at(when)).verdict)
}

#[test]
fn a_closed_window_says_when_it_opens() {
    for (window, when, expected) in [
        ("always", "2026-11-22T12:00:00Z", "pass"),
        ("weekdays 08:00-16:00 UTC", "2026-11-23T08:00:00Z", "pass"),
        (
            "weekdays 08:00-16:00 UTC",
            "2026-11-22T12:00:00Z",
            "waits: it goes on only every weekday from 08:00 to 16:00 (UTC); it opens at 2026-11-23T08:00:00Z",
        ),
        (
            "weekdays 08:00-16:00",
            "2026-11-22T12:00:00Z",
            "waits: it goes on only every weekday from 08:00 to 16:00; it opens at 2026-11-23T00:00:00Z",
        ),
    ] {
        assert_eq!(opens(window, when), expected, "{window} {when}");
    }
}
