//! What browsers measure of pages, as they tell it.

use std::time::Duration;

use serde::Deserialize;

/// What is measured, by the name that objectives have for it, and what its unit is in seconds. Layout shifts have no unit.
pub(super) const VITALS: [(&str, f64); 5] = [
    ("cls", 1.0),
    ("fcp", 0.001),
    ("inp", 0.001),
    ("lcp", 0.001),
    ("ttfb", 0.001),
];

/// What is above this was not waited for by anybody: the clock of a machine that slept.
const LONGEST: f64 = 600.0;

/// The most that one page tells: more is no page of ours.
const MOST: usize = 10;

/// What a browser tells of a page.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    /// The path of the page.
    pub(crate) path: String,
    /// What was measured, by its place among the vitals.
    pub(super) values: Vec<(usize, Duration)>,
}

#[derive(Deserialize)]
struct Written {
    path: String,
    vitals: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    name: String,
    value: f64,
}

/// What a browser tells, if it is that. What we do not know of it is passed over.
pub(crate) fn read(body: &[u8]) -> Option<Told> {
    let written: Written = serde_json::from_slice(body).ok()?;
    if !written.path.starts_with('/') || written.vitals.len() > MOST {
        return None;
    }
    let value = |one: One| {
        let place = VITALS
            .iter()
            .position(|(name, _)| name.eq_ignore_ascii_case(&one.name))?;
        let seconds = one.value * VITALS[place].1;
        (0.0..=LONGEST)
            .contains(&seconds)
            .then(|| (place, Duration::from_secs_f64(seconds)))
    };
    Some(Told {
        path: written.path,
        values: written.vitals.into_iter().filter_map(value).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_read_in_its_unit_and_everything_else_passed_over() {
        let told = read(
            br#"{"path": "/orders", "further": 1, "vitals": [
                {"name": "LCP", "value": 2500.5, "id": "x"}, {"name": "cls", "value": 0.12},
                {"name": "FID", "value": 3}, {"name": "INP", "value": -1}, {"name": "TTFB", "value": 1e12}]}"#,
        );
        let told = told.expect("it is told");
        assert_eq!(told.path, "/orders");
        let (lcp, cls) = (Duration::from_micros(2_500_500), Duration::from_micros(120_000));
        assert_eq!(told.values, [(3, lcp), (0, cls)]);
    }

    #[test]
    fn what_is_no_such_thing_is_refused() {
        let many = [r#"{"name":"LCP","value":1}"#; MOST + 1].join(",");
        for body in [
            "",
            "[]",
            r#"{"path": "orders", "vitals": []}"#,
            r#"{"path": "/", "vitals": [{"name": "LCP", "value": "fast"}]}"#,
            &format!(r#"{{"path": "/", "vitals": [{many}]}}"#),
        ] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }
}
