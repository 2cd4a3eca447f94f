//! What is done about ends, by table and by chance.

use super::*;
use proptest::prelude::*;

fn failed(at: u64, lived: u64) -> End {
    End {
        at,
        lived: Duration::from_millis(lived),
        success: false,
    }
}

/// The pauses and whether a loop is told, for an instance that ends `lived` after each start.
fn pauses(lived: u64, ends: usize) -> Vec<(u64, bool)> {
    let mut history = History::default();
    let mut now = 0;
    let mut seen = Vec::new();
    for _ in 0..ends {
        now += lived;
        let verdict = after(Restart::Always, &history, failed(now, lived));
        let What::Again { pause, looping } = verdict.what else {
            panic!("it is always started again");
        };
        seen.push((pause.millis(), looping));
        now += pause.millis();
        history = verdict.next;
    }
    seen
}

#[test]
fn the_first_start_is_at_once_and_the_next_pauses_double_up_to_a_minute() {
    let seen: Vec<u64> = pauses(1, 13).into_iter().map(|(pause, _)| pause).collect();
    assert_eq!(
        seen,
        [
            0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000
        ]
    );
}

#[test]
fn a_loop_is_told_from_the_fifth_end_on_and_growing_pauses_do_not_hide_it() {
    let seen: Vec<bool> = pauses(1, 13).into_iter().map(|(_, looping)| looping).collect();
    assert_eq!(seen[..4], [false; 4]);
    assert_eq!(seen[4..], [true; 9]);
}

#[test]
fn an_instance_that_lives_well_each_time_is_started_at_once_each_time() {
    assert_eq!(pauses(10_000, 20), vec![(0, false); 20]);
}

#[test]
fn living_well_once_forgets_the_loop() {
    let mut history = History::default();
    for at in 0..8 {
        history = after(Restart::Always, &history, failed(at, 1)).next;
    }
    let verdict = after(Restart::Always, &history, failed(90_000, 20_000));
    assert_eq!(verdict.because, Because::Accident);
    assert_eq!(
        verdict.what,
        What::Again {
            pause: Duration::ZERO,
            looping: false
        }
    );
}

#[test]
fn slow_failures_are_no_loop() {
    assert!(pauses(9_999, 4).iter().all(|(_, looping)| !looping));
    let mut history = History::default();
    for end in 0..20_u64 {
        let verdict = after(Restart::Always, &history, failed(end * 61_000, 9_000));
        history = verdict.next;
        assert!(!history.looping);
    }
}

#[test]
fn a_policy_decides_who_stays_ended() {
    let well = End {
        success: true,
        ..failed(5, 1)
    };
    let table = [
        (Restart::Never, failed(5, 1), Because::Never),
        (Restart::Never, well, Because::Never),
        (Restart::OnFailure, well, Because::EndedWell),
    ];
    for (policy, end, because) in table {
        let verdict = after(policy, &History::default(), end);
        assert_eq!((verdict.what, verdict.because), (What::Stays, because));
        assert_eq!(verdict.next, History::default());
    }
    for (policy, end) in [(Restart::OnFailure, failed(5, 1)), (Restart::Always, well)] {
        let verdict = after(policy, &History::default(), end);
        assert_eq!(verdict.because, Because::Accident);
    }
}

proptest! {
    #[test]
    fn no_history_grows_and_no_pause_leaves_its_bounds(
        ends in prop::collection::vec((0_u64..200_000, 0_u64..20_000, any::<bool>()), 0..200)
    ) {
        let mut history = History::default();
        let mut last: Option<Duration> = None;
        let mut now = 0_u64;
        for (gap, lived, success) in ends {
            now += gap;
            let end = End { at: now, lived: Duration::from_millis(lived), success };
            let verdict = after(Restart::Always, &history, end);
            let What::Again { pause, looping } = verdict.what else {
                return Err(TestCaseError::fail("it stays ended"));
            };
            prop_assert!(pause <= LONGEST_PAUSE);
            prop_assert!(verdict.next.ends.len() <= LOOP_ENDS);
            if lived >= LIVED_WELL.millis() {
                prop_assert_eq!(pause, Duration::ZERO);
                prop_assert!(!looping);
            } else if let Some(last) = last {
                prop_assert!(pause >= last, "pauses of a series do not shrink");
            }
            last = Some(pause);
            history = verdict.next;
        }
    }

    #[test]
    fn the_same_ends_at_another_time_get_the_same_answers(
        lives in prop::collection::vec(0_u64..15_000, 1..40), start in 0_u64..u64::MAX / 4
    ) {
        let (mut here, mut there) = (History::default(), History::default());
        let mut now = 0;
        for lived in lives {
            now += lived;
            let one = after(Restart::OnFailure, &here, failed(now, lived));
            let other = after(Restart::OnFailure, &there, failed(start + now, lived));
            prop_assert_eq!((one.what, one.because), (other.what, other.because));
            (here, there) = (one.next, other.next);
        }
    }
}
