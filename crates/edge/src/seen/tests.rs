//! What is counted where, and how it is told.

use super::*;
use crate::seen::series::Series;

#[test]
fn a_lane_is_found_once_and_two_of_one_name_are_one() {
    let seen = Seen::default();
    let (lane, other) = (Lane::default(), Lane::default());
    let find = || seen.series("web", "/api", None);
    let series = lane.series(find);
    assert!(Arc::ptr_eq(&series, &other.series(find)));
    assert!(Arc::ptr_eq(&series, &lane.series(|| panic!("it is known"))));
    let of_release = seen.series("web", "/api", Some(&Arc::from("r7")));
    assert!(!Arc::ptr_eq(&series, &of_release));
    assert_eq!(seen.read(1).requests.len(), 2);
}

#[test]
fn when_there_are_too_many_those_that_have_gone_make_room_and_then_new_ones_share() {
    let seen = Seen::default();
    let kept: Vec<Arc<Series>> = (0..MOST - 1)
        .map(|turn| seen.series(&format!("c{turn}"), ALL, None))
        .collect();
    drop(seen.series("gone", ALL, None));
    let late = seen.series("late", ALL, None);
    assert_eq!(&*late.component, "late");
    let later = seen.series("later", ALL, None);
    assert_eq!(&*later.component, OTHERS);
    assert!(Arc::ptr_eq(&later, &seen.series("latest", ALL, None)));
    drop(kept);
    assert_eq!(&*seen.series("at-last", ALL, None).component, "at-last");
}

#[test]
fn a_refusal_has_a_name_and_an_unknown_one_is_another() {
    let refusals = Refusals::default();
    for status in [503, 503, 429, 418] {
        refusals.count(StatusCode::from_u16(status).expect("it is a status"));
    }
    let told: Vec<(String, u64)> = refusals.read().into_iter().collect();
    let told: Vec<(&str, u64)> = told.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(told, [("limited", 1), ("other", 1), ("unavailable", 2)]);
}

fn counted() -> Snapshot {
    let seen = Seen::default();
    let series = seen.series("we\"b\\", "/a\nb", Some(&Arc::from("r1")));
    for (status, millis) in [(200, 3), (200, 40), (503, 2_600)] {
        let status = StatusCode::from_u16(status).expect("it is a status");
        let took = std::time::Duration::from_millis(millis);
        series.answered(status);
        series.first.count(took);
        series.whole.count(took);
    }
    series.refusals.count(StatusCode::SERVICE_UNAVAILABLE);
    seen.nowhere(StatusCode::NOT_FOUND);
    let vitals =
        br#"{"path": "/", "vitals": [{"name": "LCP", "value": 2600}, {"name": "CLS", "value": 0.04}]}"#;
    series.measured(&vitals::read(vitals).expect("it is told"));
    let report = br#"{"csp-report": {"document-uri": "https://web/", "effective-directive": "img-src"}}"#;
    for told in violation::read(report).expect("it is told") {
        seen.violated("web", told);
    }
    let mut read = seen.read(1_000);
    read.components.push(Whole {
        component: "web".to_owned(),
        active: 2,
        ..Whole::default()
    });
    read
}

#[test]
fn the_text_has_every_count_under_its_name_with_labels_that_end_where_they_end() {
    let text = counted().text();
    let labels = r#"component="we\"b\\",route="/a\nb",release="r1""#;
    for line in [
        format!(r#"towpath_edge_requests_total{{{labels},code="2xx"}} 2"#),
        format!(r#"towpath_edge_requests_total{{{labels},code="5xx"}} 1"#),
        format!(r#"towpath_edge_refused_total{{{labels},reason="unavailable"}} 1"#),
        format!(r#"towpath_edge_duration_seconds_bucket{{{labels},le="0.0025"}} 0"#),
        format!(r#"towpath_edge_duration_seconds_bucket{{{labels},le="0.005"}} 1"#),
        format!(r#"towpath_edge_duration_seconds_bucket{{{labels},le="2.5"}} 2"#),
        format!(r#"towpath_edge_duration_seconds_bucket{{{labels},le="+Inf"}} 3"#),
        format!(r#"towpath_edge_duration_seconds_sum{{{labels}}} 2.643000"#),
        format!(r#"towpath_edge_first_byte_seconds_count{{{labels}}} 3"#),
        format!(r#"towpath_edge_web_vital_seconds_bucket{{{labels},vital="lcp",le="2.5"}} 0"#),
        format!(r#"towpath_edge_web_vital_seconds_bucket{{{labels},vital="lcp",le="3"}} 1"#),
        format!(r#"towpath_edge_layout_shift_bucket{{{labels},le="0.025"}} 0"#),
        format!(r#"towpath_edge_layout_shift_sum{{{labels}}} 0.040000"#),
        r#"towpath_edge_policy_violations_total{component="web",directive="img-src"} 1"#.to_owned(),
        r#"towpath_edge_active{component="web"} 2"#.to_owned(),
        r#"towpath_edge_unrouted_total{reason="unknown"} 1"#.to_owned(),
        r#"towpath_edge_log_lines_total{fate="lost"} 0"#.to_owned(),
    ] {
        assert!(
            text.lines().any(|there| there == line),
            "{line} is not in\n{text}"
        );
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
        assert!(text.contains(&format!("# TYPE {family} ")), "{line} has no type");
    }
}

#[test]
fn a_window_is_the_difference_of_two_looks_and_what_was_started_anew_counts_from_zero() {
    let earlier = counted();
    let mut later = counted();
    later.at = 2_000;
    later.requests[0].answers[1] += 5;
    let window = later.since(&earlier);
    assert_eq!(window.requests[0].answers, [0, 5, 0, 0, 0]);
    assert_eq!(window.requests[0].whole.count(), 0);
    let all = later.of("we\"b\\");
    assert_eq!((all.answered(), all.errors(), all.whole.count()), (8, 1, 3));
    let anew = Snapshot {
        began: 7,
        at: 3_000,
        ..counted()
    };
    assert_eq!(anew.since(&earlier).requests[0].answered(), 3);
    let passed: Snapshot =
        serde_json::from_str(&serde_json::to_string(&later).expect("it is written")).expect("it is read");
    assert_eq!(passed, later);
}

#[test]
fn what_two_have_counted_is_added_and_what_has_ended_is_not_open_any_more() {
    let (one, mut other) = (counted(), counted());
    other.requests[0].route = "/elsewhere".to_owned();
    other.requests.push(counted().requests.remove(0));
    other.lines.because = Some("the disk is full".to_owned());
    let mut all = one.clone();
    all.add(&other.clone().ended());
    assert_eq!(all.requests.len(), 2);
    let of = all.of("we\"b\\");
    assert_eq!((of.answered(), of.errors(), of.first.count()), (9, 3, 9));
    assert_eq!(of.refusals.get("unavailable"), Some(&3));
    assert_eq!((all.components.len(), all.components[0].active), (1, 2));
    assert_eq!(all.nowhere.get("unknown"), Some(&2));
    assert_eq!(all.lines.because, None, "it is nobody's fault any more");
    all.add(&other);
    assert_eq!(all.components[0].active, 4);
    assert!(all.requests.is_sorted_by_key(|one| one.route.clone()));
}

#[test]
fn what_was_sent_away_has_not_come_through() {
    let seen = Seen::default();
    let series = seen.series("web", ALL, None);
    for status in [200, 500, 503, 429, 401] {
        let status = StatusCode::from_u16(status).expect("it is a status");
        series.answered(status);
        if !matches!(status.as_u16(), 200 | 500) {
            series.refusals.count(status);
        }
    }
    assert_eq!((seen.through("web"), seen.all_through()), ((3, 2), 3));
    assert_eq!(seen.through("nobody"), (0, 0));
}

#[test]
fn the_page_names_every_count_and_every_reason() {
    let page = include_str!("../../../../docs/reference/requests.md");
    for line in counted().text().lines() {
        if let Some(name) = line
            .strip_prefix("# TYPE ")
            .and_then(|line| line.split(' ').next())
        {
            assert!(
                page.contains(&format!("| `{name}` |")),
                "{name} is not on the page"
            );
        }
    }
    for reason in series::REASONS.iter().map(|(_, name)| *name).chain(["other"]) {
        assert!(
            page.contains(&format!("`{reason}`")),
            "{reason} is not on the page"
        );
    }
}

/// Everything that is a number, made one; a list of none is filled with what a component has.
fn ones(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(_) => Value::from(1),
        Value::Array(all) => all.iter().map(ones).collect(),
        Value::Object(all) => all.iter().map(|(name, one)| (name.clone(), ones(one))).collect(),
        other => other.clone(),
    }
}

/// The numbers in it, with where they stand.
fn numbers(value: &serde_json::Value, at: &str, all: &mut Vec<(String, u64)>) {
    use serde_json::Value;
    match value {
        Value::Number(number) => all.push((at.to_owned(), number.as_u64().unwrap_or(0))),
        Value::Array(some) => some.iter().for_each(|one| numbers(one, at, all)),
        Value::Object(some) => some
            .iter()
            .for_each(|(name, one)| numbers(one, &format!("{at}.{name}"), all)),
        _ => {}
    }
}

#[test]
fn everything_that_another_edge_has_counted_is_added_whatever_it_is_called() {
    let empty = Snapshot {
        requests: vec![Counted {
            component: "web".to_owned(),
            ..Counted::default()
        }],
        components: vec![Whole {
            component: "web".to_owned(),
            ..Whole::default()
        }],
        spans: Some(SpanCounts::default()),
        ..Snapshot::default()
    };
    let ones = ones(&serde_json::to_value(&empty).expect("it is written"));
    let one: Snapshot = serde_json::from_value(ones).expect("it is read");
    let mut two = one.clone();
    two.add(&one);
    let mut all = Vec::new();
    numbers(&serde_json::to_value(&two).expect("it is written"), "", &mut all);
    // What an edge is itself, and when it began, is its own.
    let own = [
        ".began",
        ".at",
        ".running.process",
        ".running.since",
        ".running.before",
    ];
    for (name, count) in &all {
        let expected = if own.contains(&name.as_str()) { 1 } else { 2 };
        assert_eq!(*count, expected, "{name}");
    }
    assert!(all.len() > 25, "{all:?}");

    // Of one that has gone nothing is open, and all that it has counted stays.
    let ended = one.clone().ended();
    let whole = &ended.components[0];
    assert_eq!((whole.active, whole.waiting, whole.out), (0, 0, 0));
    assert_eq!((ended.running, ended.kept), (Running::default(), (0, 0)));
    assert_eq!(
        (&ended.requests, whole.shed, whole.ejected),
        (&one.requests, 1, 1)
    );
}
