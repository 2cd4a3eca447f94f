//! Pages as components have them, and pages as they should not be.

use super::*;

/// From the documentation of the format, with what real clients add.
const PAGE: &str = r#"
# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="0.1"} 33444
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320

# TYPE lag_ms histogram
lag_ms_bucket{queue="a",le="100"} 1
lag_ms_bucket{queue="a",le="500"} 2
lag_ms_bucket{queue="a",le="+Inf"} 3
lag_ms_bucket{le="500",queue="b"} 10
lag_ms_bucket{le="1000",queue="b"} 10
lag_ms_bucket{le="+Inf",queue="b"} 10
lag_ms_count{queue="a"} 3
lag_ms_count{queue="b"} 10

# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.5"} 4773
rpc_duration_seconds{quantile="0.999"} 76656
rpc_duration_seconds{quantile="0.99"} NaN
rpc_duration_seconds_sum 1.7560473e+07
rpc_duration_seconds_count 2693

# TYPE depth gauge
depth{queue="a"} 2
depth{queue="b"} 5
# TYPE jobs counter
jobs_total 4 # {trace_id="x"} 1
broken{label="open 3
# TYPE waiting_total gauge
waiting_total 3
# TYPE errors_total counter
# EOF
"#;

fn level(name: &str) -> Shown {
    find(PAGE, name).unwrap()
}

#[test]
fn counters_and_gauges_are_added_up_over_their_labels() {
    assert_eq!(level("http_requests_total"), Shown::Count(1030.0));
    assert_eq!(level("depth"), Shown::Level(7.0));
    assert_eq!(level("metric_without_timestamp_and_labels"), Shown::Level(12.47));
    assert_eq!(
        level("msdos_file_access_time_seconds"),
        Shown::Level(1.458_255_915e9)
    );
    assert_eq!(level("rpc_duration_seconds_count"), Shown::Count(2693.0));
    assert_eq!(level("waiting_total"), Shown::Level(3.0));
}

#[test]
fn a_counter_of_openmetrics_is_found_by_either_name() {
    assert_eq!(level("jobs"), Shown::Count(4.0));
    assert_eq!(level("jobs_total"), Shown::Count(4.0));
}

#[test]
fn a_counter_with_labels_that_has_not_counted_yet_is_nothing() {
    assert_eq!(level("errors_total"), Shown::Count(0.0));
}

#[test]
fn a_histogram_keeps_its_classes() {
    let expected = Shown::Spread(Spread {
        classes: vec![(0.05, 24054.0), (0.1, 33444.0)],
        count: 144_320.0,
        sum: Some(53423.0),
    });
    assert_eq!(level("http_request_duration_seconds"), expected);
    assert_eq!(level("http_request_duration_seconds_bucket"), expected);
}

#[test]
fn of_histograms_with_different_classes_only_the_shared_ones_count() {
    let expected = Shown::Spread(Spread {
        classes: vec![(500.0, 12.0)],
        count: 13.0,
        sum: None,
    });
    assert_eq!(level("lag_ms"), expected);
}

#[test]
fn a_summary_has_named_quantiles_and_none_where_nothing_came() {
    let named = [("p50".to_owned(), 4773.0), ("p99.9".to_owned(), 76656.0)];
    assert_eq!(level("rpc_duration_seconds"), Shown::Named(named.into()));
    let two = "# TYPE s summary\ns{quantile=\"0.5\",a=\"1\"} 1\ns{quantile=\"0.5\",a=\"2\"} 2\n";
    assert!(find(two, "s").unwrap_err().contains("make it a histogram"));
}

#[test]
fn what_is_not_there_is_told_with_what_is_like_it() {
    assert_eq!(
        find("http_requests 1\nhttp_errors 2\nup 1\n", "http_requests_total").unwrap_err(),
        "its page has no `http_requests_total`; it has http_requests, http_errors, up"
    );
    assert_eq!(find("", "up").unwrap_err(), "its page is empty, and has no `up`");
    assert!(
        find("<!doctype html>\n<p>Hello", "up")
            .unwrap_err()
            .contains("has no `up`")
    );
}

#[test]
fn what_cannot_be_read_is_no_number() {
    assert_eq!(
        find(PAGE, "broken").unwrap_err(),
        format!(
            "line {} of its page is not one of Prometheus",
            PAGE.lines().position(|line| line.starts_with("broken")).unwrap() + 1
        )
    );
    assert!(
        find(PAGE, "something_weird")
            .unwrap_err()
            .contains("no number that can be compared")
    );
    for line in [
        "up",
        "up{",
        "up{a} 1",
        "up{a=\"b\" 1",
        "up{a=\"b\"}",
        "up one",
        "up{a=\"\\",
    ] {
        assert!(find(line, "up").is_err(), "{line}");
    }
    let bad = "# TYPE h histogram\nh_bucket 3\n";
    assert!(find(bad, "h").unwrap_err().contains("has no bound"));
}

#[test]
fn any_cut_of_a_page_is_an_answer() {
    let ends = PAGE.char_indices().map(|(at, _)| at);
    for end in ends {
        for name in [
            "http_requests_total",
            "lag_ms",
            "rpc_duration_seconds",
            "depth",
            "broken",
        ] {
            let _ = find(&PAGE[..end], name);
        }
    }
}

#[test]
fn instances_are_kept_apart_where_they_count_and_added_where_they_stand() {
    let all = |shown: [Shown; 2]| {
        let [one, two] = shown;
        together("x", vec![("1", one), ("2", two)])
    };
    assert_eq!(
        all([Shown::Level(1.0), Shown::Level(2.0)]),
        Ok(Reading::Level(3.0))
    );
    assert_eq!(
        all([Shown::Count(1.0), Shown::Count(2.0)]),
        Ok(Reading::Count(
            [("1".to_owned(), 1.0), ("2".to_owned(), 2.0)].into()
        ))
    );
    let named = || Shown::Named([("p50".to_owned(), 1.0)].into());
    assert!(all([named(), named()]).unwrap_err().contains("histogram"));
    assert!(
        all([Shown::Level(1.0), Shown::Count(2.0)])
            .unwrap_err()
            .contains("another release")
    );
}
