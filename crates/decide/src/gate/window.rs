//! Windows: a time in which it may go on.

use jiff::Timestamp;
use towpath_model::run::{Found, Verdict};
use towpath_model::unit::Window;

/// So many edges of a window are looked at for its next opening: a week has no more than that, clocks that are set included.
const EDGES: usize = 24;

/// What a window says now, on the clocks of its zone or else of this one. A closed one holds, until it opens.
pub fn window(asked: &Window, zone: &str, now: Timestamp) -> Found {
    let bound = asked.spoken();
    let verdict = match asked.contains(now, zone) {
        true => Verdict::Pass,
        false => {
            let mut edge = asked.edge(now, zone);
            for _ in 0..EDGES {
                edge = match edge {
                    Some(at) if !asked.contains(at, zone) => asked.edge(at, zone),
                    found => found,
                };
            }
            let opens = edge.filter(|at| asked.contains(*at, zone));
            let opens = opens.map_or_else(
                || "; it never opens: look at its days and its zone".to_owned(),
                |at| format!("; it opens at {at:.0}"),
            );
            Verdict::Awaits(format!("it goes on only {bound}{opens}"))
        }
    };
    Found {
        verdict,
        measured: Some(format!("it is {now:.0}")),
        bound: Some(bound),
        evidence: Vec::new(),
    }
}
