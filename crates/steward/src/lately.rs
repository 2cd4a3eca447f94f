//! What came through lately, and how the edge is: the difference between what it has seen now and about a minute ago.
//!
//! The edge counts and keeps no windows. So every quarter of a minute a look is kept, of each component a few numbers, and
//! the last few looks are enough for a window of a minute whenever somebody asks. Where the edge has begun to count anew
//! since, the window is what it has counted.

use crate::door::processes;
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use towpath_api::{Edge, Lately, LeftOut, Status, Violation, Vital};
use towpath_edge::apart::Remote;
use towpath_edge::{Counted, Snapshot, Times};

/// How often a look is kept.
pub(crate) const EACH: Duration = Duration::from_secs(15);

/// The window, in milliseconds: the youngest look that is as old as this is what is compared with.
const WINDOW: u64 = 60_000;

/// And no window is shorter than this: a moment says nothing of a second.
const LEAST: u64 = 1_000;

/// So many of the last violations are told.
const TOLD: usize = 5;

/// The looks that are kept, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Looks(VecDeque<Look>);

#[derive(Debug, Default)]
struct Look {
    began: u64,
    at: u64,
    of: HashMap<String, Brief>,
}

/// What a window needs of a component.
#[derive(Debug, Clone, Default)]
struct Brief {
    answers: u64,
    errors: u64,
    first: Times,
}

impl Brief {
    fn add(&mut self, one: &Counted) {
        self.answers += one.answered();
        self.errors += one.errors();
        self.first.add(&one.first);
    }

    fn since(&self, earlier: &Brief) -> Brief {
        Brief {
            answers: self.answers.saturating_sub(earlier.answers),
            errors: self.errors.saturating_sub(earlier.errors),
            first: self.first.since(&earlier.first),
        }
    }
}

impl Look {
    fn of(seen: &Snapshot) -> Look {
        let mut of: HashMap<String, Brief> = HashMap::new();
        for one in &seen.requests {
            of.entry(one.component.clone()).or_default().add(one);
        }
        Look {
            began: seen.began,
            at: seen.at,
            of,
        }
    }
}

impl Looks {
    /// Keeps a look.
    pub(crate) fn keep(&mut self, seen: &Snapshot) {
        let look = Look::of(seen);
        self.0
            .retain(|earlier| earlier.began == look.began && earlier.at <= look.at);
        // The second one is old enough as well: nobody needs the first one any more.
        while self.0.get(1).is_some_and(|second| second.at + WINDOW <= look.at) {
            self.0.pop_front();
        }
        self.0.push_back(look);
    }

    /// What came through for each component, and how many seconds that took; nothing where it is not known yet.
    fn window(&self, seen: &Snapshot) -> Option<(f64, HashMap<String, Brief>)> {
        let now = Look::of(seen);
        let same = self
            .0
            .iter()
            .filter(|look| look.began == now.began && look.at < now.at);
        let (old, mut young): (Vec<_>, Vec<_>) = same.partition(|look| look.at + WINDOW <= now.at);
        young.retain(|look| look.at + LEAST <= now.at);
        let none = Look::default();
        let earlier = match old.last().or(young.first()) {
            Some(earlier) => earlier,
            // All that it has ever counted came in less than a window.
            None if (LEAST..=WINDOW).contains(&now.at) => &none,
            None => return None,
        };
        let seconds = now.at.saturating_sub(earlier.at).max(1) as f64 / 1_000.0;
        let since = now.of.into_iter().map(|(name, brief)| {
            let since = earlier.of.get(&name).map(|earlier| brief.since(earlier));
            (name, since.unwrap_or(brief))
        });
        Some((seconds, since.collect()))
    }

    /// Fills in what the edge has seen.
    pub(crate) fn fill(&self, status: &mut Status, edge: &Remote, seen: &Snapshot) {
        self.fill_rates(status, seen);
        fill_vitals(status, seen);
        fill_left_out(status, seen);
        let sheds = seen
            .components
            .iter()
            .filter_map(|one| Some((&one.component, one.sheds.as_ref()?)));
        let told = sheds.map(|(name, why)| format!("{name}: requests are sent away (503), because {why}"));
        status.notes.extend(told);
        status.edge = Some(Edge {
            memory_bytes: processes::memory(edge.process()),
            ours: edge.is_ours(),
            ..self.edge(edge.process(), seen)
        });
    }

    fn fill_rates(&self, status: &mut Status, seen: &Snapshot) {
        let Some((seconds, window)) = self.window(seen) else {
            return;
        };
        for component in &mut status.components {
            let brief = window.get(&component.name);
            component.lately = brief.map(|brief| lately(seconds, brief));
        }
    }

    /// What the edge tells of itself.
    fn edge(&self, process: u32, seen: &Snapshot) -> Edge {
        let window = self.window(seen);
        let all =
            window.map(|(seconds, all)| all.values().map(|one| one.answers).sum::<u64>() as f64 / seconds);
        let last = seen.violations.last.iter().rev().take(TOLD);
        Edge {
            pid: process,
            since: time(seen.running.since),
            ours: true,
            connections: seen.running.connections,
            leaving: seen.running.before,
            per_second: round(all.unwrap_or_default()),
            memory_bytes: 0,
            lines_lost: seen.lines.lost,
            log_fault: seen.lines.because.clone(),
            spans_dropped: seen.spans.as_ref().map_or(0, |spans| spans.dropped),
            spans_fault: seen.spans.as_ref().and_then(|spans| spans.because.clone()),
            violations: last
                .map(|one| Violation {
                    at: time(one.at),
                    component: one.component.clone(),
                    directive: one.directive.clone(),
                    blocked: one.blocked.clone(),
                    page: one.page.clone(),
                    only_told: one.only_told,
                })
                .collect(),
        }
    }
}

/// What is good for visitors (web.dev/articles/vitals), by the name of what is measured: in seconds where it is a time.
const GOOD: [(&str, f64); 5] = [
    ("cls", 0.1),
    ("fcp", 1.8),
    ("inp", 0.2),
    ("lcp", 2.5),
    ("ttfb", 0.8),
];

/// What browsers have measured of the pages of each component.
fn fill_vitals(status: &mut Status, seen: &Snapshot) {
    for component in &mut status.components {
        let told = seen.of(&component.name).vitals.into_iter();
        component.vitals = told
            .filter_map(|(name, times)| vital(&name, &times).map(|vital| (name, vital)))
            .collect();
    }
}

/// Nothing where no page has told it.
fn vital(name: &str, times: &Times) -> Option<Vital> {
    let p75 = times.quantile(0.75)?.as_secs_f64();
    let good = GOOD.iter().find(|(known, _)| *known == name);
    let good = good.map_or(0, |(_, longest)| times.within(Duration::from_secs_f64(*longest)));
    Some(Vital {
        count: times.count(),
        good,
        p75: match name {
            "cls" => (p75 * 1_000.0).round() / 1_000.0,
            _ => round(p75 * 1_000.0),
        },
    })
}

/// Which instances the edge leaves out.
fn fill_left_out(status: &mut Status, seen: &Snapshot) {
    let instances = status.components.iter_mut().flat_map(|one| &mut one.instances);
    for instance in instances {
        let id = instance.id.to_string();
        let out = seen.left_out.iter().find(|one| one.instance == id);
        instance.left_out = out.map(|one| LeftOut {
            because: one.because.clone(),
            since: time(one.since),
        });
    }
}

fn lately(seconds: f64, brief: &Brief) -> Lately {
    let slowest = brief.first.quantile(0.95);
    Lately {
        seconds: seconds.round() as u64,
        per_second: round(brief.answers as f64 / seconds),
        error_share: match brief.answers {
            0 => 0.0,
            all => (brief.errors as f64 / all as f64 * 10_000.0).round() / 10_000.0,
        },
        p95_ms: slowest.map(|time| (time.as_secs_f64() * 1e5).round() / 100.0),
    }
}

fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

fn time(millis: u64) -> Timestamp {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The step of about 64 ms, and that of about 1 s.
    fn seen(at: u64, fast: u64, slow: u64) -> Snapshot {
        let counts = [(704, fast), (960, slow)];
        Snapshot {
            began: 1,
            at,
            requests: vec![Counted {
                component: "web".to_owned(),
                answers: [0, fast, 0, 0, slow],
                first: Times {
                    micros: 0,
                    counts: counts.into_iter().filter(|(_, count)| *count > 0).collect(),
                },
                ..Counted::default()
            }],
            ..Snapshot::default()
        }
    }

    fn web(looks: &Looks, seen: &Snapshot) -> Option<Lately> {
        let (seconds, window) = looks.window(seen)?;
        Some(super::lately(seconds, &window["web"]))
    }

    #[test]
    fn a_window_is_a_minute_or_a_little_more_and_looks_are_few() {
        let mut looks = Looks::default();
        for turn in 0..100_u64 {
            looks.keep(&seen(turn * 15_000, turn * 150, 0));
        }
        assert!(looks.0.len() <= 6, "{}", looks.0.len());
        let lately = web(&looks, &seen(99 * 15_000 + 5_000, 99 * 150 + 50, 0)).expect("it is known");
        assert_eq!(
            (lately.seconds, lately.per_second, lately.error_share),
            (65, 10.0, 0.0)
        );
    }

    #[test]
    fn errors_and_slow_answers_are_those_of_the_window() {
        let mut looks = Looks::default();
        looks.keep(&seen(1_000_000, 1_000, 1_000));
        let lately = web(&looks, &seen(1_010_000, 1_090, 1_010)).expect("it is known");
        assert_eq!((lately.per_second, lately.error_share), (10.0, 0.1));
        assert!(lately.p95_ms.is_some_and(|slow| slow > 500.0), "{lately:?}");
        let quiet = web(&looks, &seen(1_010_000, 1_000, 1_000)).expect("it is known");
        assert_eq!(
            (quiet.per_second, quiet.error_share, quiet.p95_ms),
            (0.0, 0.0, None)
        );
    }

    #[test]
    fn what_is_not_known_yet_is_not_made_up_and_a_new_edge_counts_from_zero() {
        let mut looks = Looks::default();
        assert_eq!(web(&looks, &seen(1_000_000, 9, 0)), None);
        assert_eq!(
            web(&looks, &seen(10_000, 50, 0)).map(|one| one.per_second),
            Some(5.0)
        );
        looks.keep(&seen(1_000_000, 1_000, 0));
        let anew = Snapshot {
            began: 2,
            ..seen(20_000, 40, 0)
        };
        assert_eq!(web(&looks, &anew).map(|one| one.per_second), Some(2.0));
        looks.keep(&anew);
        assert_eq!(looks.0.len(), 1);
    }

    #[test]
    fn a_moment_is_no_window_and_what_is_too_old_is_not_taken_for_lately() {
        let mut looks = Looks::default();
        looks.keep(&seen(1_000_000, 1_000, 0));
        assert_eq!(web(&looks, &seen(1_000_500, 1_001, 0)), None);
        looks.keep(&seen(1_015_000, 1_150, 0));
        looks.keep(&seen(1_075_000, 1_150, 0));
        let lately = web(&looks, &seen(1_076_000, 1_150, 0)).expect("it is known");
        assert_eq!((lately.seconds, lately.per_second), (61, 0.0));
    }

    #[test]
    fn what_an_edge_that_has_just_begun_has_counted_is_told_after_a_second() {
        let looks = Looks::default();
        assert_eq!(web(&looks, &seen(400, 3, 0)), None);
        let lately = web(&looks, &seen(1_000, 3, 0)).expect("it is known");
        assert_eq!((lately.seconds, lately.per_second), (1, 3.0));
    }

    #[test]
    fn of_what_browsers_measure_it_is_told_how_much_was_good() {
        let of = |times: &[u64]| {
            let mut all = Times::default();
            for micros in times {
                // Each lies in a step of its own, which is looked up by adding one that has it.
                let at = (0..1_728).find(|at| {
                    let one = Times {
                        micros: 0,
                        counts: vec![(*at, 1)],
                    };
                    one.quantile(1.0)
                        .is_some_and(|time| time.as_micros() as u64 * 128 >= micros * 127)
                });
                all.add(&Times {
                    micros: *micros,
                    counts: vec![(at.expect("a step"), 1)],
                });
            }
            all
        };
        let lcp = vital("lcp", &of(&[1_000_000, 2_000_000, 2_400_000, 9_000_000])).expect("it was told");
        assert_eq!((lcp.count, lcp.good), (4, 3));
        assert!((lcp.p75 - 2_400.0).abs() < 40.0, "{lcp:?}");
        let cls = vital("cls", &of(&[50_000, 300_000])).expect("it was told");
        assert_eq!((cls.count, cls.good), (2, 1));
        assert!((cls.p75 - 0.3).abs() < 0.01, "{cls:?}");
        assert_eq!(vital("lcp", &Times::default()), None);
    }

    #[test]
    fn routes_and_releases_of_a_component_are_counted_together_and_one_that_is_new_from_its_beginning() {
        let mut looks = Looks::default();
        looks.keep(&seen(1_000_000, 100, 0));
        let mut now = seen(1_010_000, 110, 0);
        let mut canary = now.requests[0].clone();
        canary.release = Some("two".to_owned());
        canary.answers = [0, 10, 0, 0, 20];
        let mut other = canary.clone();
        other.component = "api".to_owned();
        now.requests.extend([canary, other]);
        let (seconds, window) = looks.window(&now).expect("it is known");
        let counted = |name: &str| (window[name].answers, window[name].errors);
        assert_eq!(seconds, 10.0);
        assert_eq!((counted("web"), counted("api")), ((40, 20), (30, 20)));
    }

    #[test]
    fn of_the_edge_the_last_violations_are_told_and_the_newest_first() {
        let mut now = seen(10_000, 50, 0);
        now.running.since = 1_700_000_000_000;
        (now.running.connections, now.running.before) = (3, 2);
        now.lines.lost = 7;
        now.violations.last = (0..9_u64)
            .map(|at| towpath_edge::Violation {
                at,
                page: format!("/{at}"),
                ..towpath_edge::Violation::default()
            })
            .collect();
        let edge = Looks::default().edge(12, &now);
        let pages: Vec<&str> = edge.violations.iter().map(|one| one.page.as_str()).collect();
        assert_eq!(pages, ["/8", "/7", "/6", "/5", "/4"]);
        assert_eq!(
            (edge.pid, edge.connections, edge.leaving, edge.lines_lost),
            (12, 3, 2, 7)
        );
        assert_eq!(
            (edge.per_second, edge.spans_dropped, edge.spans_fault),
            (5.0, 0, None)
        );
        assert_eq!(edge.since.to_string(), "2023-11-14T22:13:20Z");
        // A clock that is beyond all bounds is no reason to fall.
        assert_eq!(time(u64::MAX), Timestamp::UNIX_EPOCH);
    }
}
