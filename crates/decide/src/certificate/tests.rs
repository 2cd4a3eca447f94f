//! Certificates through years, outages and clocks that jump.

use super::*;

const DAY: i64 = 24 * 60 * 60;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("it is a time")
}

/// Handed out at a moment, for ninety days.
fn held(second: i64) -> Held {
    Held {
        begins: at(second),
        ends: at(second + 90 * DAY),
        issued: at(second),
        suggested: None,
    }
}

fn known(held: Held) -> Known {
    Known {
        held: Some(held),
        ..Known::default()
    }
}

fn failed(second: i64, times: u32, how: Fault) -> Known {
    Known {
        failed: Some(Failed {
            at: at(second),
            times,
            how,
            until: None,
        }),
        ..Known::default()
    }
}

fn wait(known: &Known, now: i64) -> i64 {
    match next(known, at(now), 7) {
        (Step::Wait(until), _) => until.as_second() - at(now).as_second(),
        (step, because) => panic!("{step:?} because {because}"),
    }
}

#[test]
fn the_first_one_is_ordered_at_once() {
    assert_eq!(next(&Known::default(), at(0), 0), (Step::Order, Because::Missing));
}

#[test]
fn one_is_renewed_when_two_thirds_of_its_life_are_over() {
    let known = known(held(0));
    assert_eq!(wait(&known, 0), 60 * DAY);
    assert_eq!(wait(&known, 60 * DAY - 1), 1);
    assert_eq!(next(&known, at(60 * DAY), 0), (Step::Order, Because::Old));
    let ended = next(&known, at(91 * DAY), 0);
    assert_eq!(ended, (Step::Order, Because::Ended(at(90 * DAY))));
}

#[test]
fn the_word_of_its_authority_counts_more_be_it_sooner_or_later() {
    for day in [10, 80] {
        let suggested = Held {
            suggested: Some(at(day * DAY)),
            ..held(0)
        };
        let known = known(suggested);
        assert_eq!(wait(&known, 0), day * DAY);
        assert_eq!(next(&known, at(day * DAY), 0), (Step::Order, Because::Suggested));
    }
    let never = Held {
        suggested: Some(at(1_000 * DAY)),
        ..held(0)
    };
    assert_eq!(
        wait(&known(never), 0),
        60 * DAY,
        "one that comes too late is none"
    );
}

#[test]
fn an_order_that_was_begun_is_gone_on_with() {
    let begun = Known {
        is_ordered: true,
        ..Known::default()
    };
    assert_eq!(next(&begun, at(0), 0), (Step::Resume, Because::Begun));
    let waits = Known {
        is_ordered: true,
        ..failed(0, 1, Fault::Unreached)
    };
    assert!(wait(&waits, 0) <= 1);
    assert_eq!(next(&waits, at(2), 0).0, Step::Resume);
}

#[test]
fn waits_grow_and_stay_within_what_the_authority_allows() {
    let mut before = 0;
    for times in 1..40 {
        let waits = wait(&failed(0, times, Fault::Unreached), 0);
        assert!(waits >= before.min(60 * 60), "{times}");
        assert!(waits <= 60 * 60 * 6 / 5, "{times}");
        before = waits;
    }
    // Five an hour are allowed for a name.
    let mut tries = 0;
    let mut now = 0;
    while now < 60 * 60 {
        tries += 1;
        now += wait(&failed(now, tries, Fault::Refused), now);
    }
    assert!(tries <= 4, "{tries}");
    assert!(wait(&failed(0, 1, Fault::Limited), 0) >= 60 * 60);
}

#[test]
fn those_who_failed_at_one_moment_do_not_come_back_at_one() {
    let failed = failed(0, 6, Fault::Unreached);
    let moments = (0..100_u64).map(|share| match next(&failed, at(0), share * 37) {
        (Step::Wait(until), _) => until,
        (step, _) => panic!("{step:?}"),
    });
    let moments: std::collections::BTreeSet<Timestamp> = moments.collect();
    assert!(moments.len() > 50, "{}", moments.len());
}

#[test]
fn the_authority_says_when_to_come_back_and_not_for_years() {
    let mut limited = failed(0, 1, Fault::Limited);
    let mut say = |second| {
        limited.failed.as_mut().expect("it failed").until = Some(at(second));
        wait(&limited, 0)
    };
    assert_eq!(say(2 * DAY), 2 * DAY);
    assert_eq!(say(3_000 * DAY), 7 * DAY);
    assert!(say(1) >= 60 * 60, "its own wait counts, too");
}

#[test]
fn a_failure_that_has_not_happened_yet_was_written_by_another_clock() {
    let known = failed(400 * DAY, 5, Fault::Refused);
    assert_eq!(next(&known, at(0), 0).0, Step::Order);
}

#[test]
fn what_is_held_stays_while_the_clock_is_turned_back() {
    let known = known(held(0));
    assert_eq!(next(&known, at(-400 * DAY), 0).1, Because::Good(at(90 * DAY)));
}

#[test]
fn a_clock_that_runs_ahead_orders_once_and_not_for_ever() {
    // The clock here is a year ahead: what is handed out has ended when it comes.
    let ahead = 365 * DAY;
    let mut now = ahead;
    let mut orders = 0;
    let mut known = known(held(0));
    while now < ahead + 10 * DAY {
        match next(&known, at(now), 0) {
            (Step::Order, _) => {
                orders += 1;
                let real = now - ahead;
                known.held = Some(Held {
                    issued: at(now),
                    ..held(real)
                });
            }
            (Step::Wait(until), because) => {
                assert_eq!(because, Because::WrongClock);
                now = until.as_second() - at(0).as_second();
            }
            (Step::Resume, _) => panic!("nothing was begun"),
        }
    }
    assert!(orders <= 21, "{orders}");
    // The clock is put right: the last one is good.
    let last = known.held.as_ref().expect("one was handed out").begins;
    assert!(matches!(next(&known, last, 0).1, Because::Good(_)));
}

#[test]
fn every_moment_has_an_answer_and_never_one_that_lies_in_the_past() {
    let moments = [
        -1_000 * DAY,
        -1,
        0,
        1,
        59 * DAY,
        60 * DAY,
        89 * DAY,
        90 * DAY,
        5_000 * DAY,
    ];
    for now in moments {
        for since in moments {
            for times in [1, 3, u32::MAX] {
                let known = Known {
                    held: Some(held(since)),
                    ..failed(since, times, Fault::Refused)
                };
                if let (Step::Wait(until), because) = next(&known, at(now), u64::MAX) {
                    assert!(until > at(now), "{because}: {now} {since}");
                }
            }
        }
    }
}
