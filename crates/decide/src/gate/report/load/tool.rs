//! Which tool has written a summary, what it calls things, and in which unit it counts them.

use super::super::number::{Measure, measure, number};
use super::super::outcome::Fault;
use rust_decimal::Decimal;
use serde_json::Value;
use towpath_model::unit::Quantity;

/// A tool whose summaries are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// Grafana k6, in milliseconds.
    Grafana,
    /// oha, in seconds.
    Oha,
    /// vegeta, in nanoseconds.
    Vegeta,
    /// Any other, in milliseconds.
    Other,
}

/// What is asked about.
enum Subject {
    /// A quantile or another statistic of latency, by its plain name: `p95`, `median`, `mean`, `max`, `min`.
    Latency(String),
    /// The share, or number, of requests that failed.
    Failed,
    /// How many requests there were.
    Requests,
    /// How many there were each second.
    Rate,
    /// The share of checks that held.
    Checks,
}

impl Subject {
    fn of(text: &str) -> Option<Subject> {
        let text = text.to_ascii_lowercase();
        let words: Vec<&str> = text
            .split([' ', '_', '.'])
            .filter(|word| !word.is_empty())
            .collect();
        let joined = words.join(" ");
        match joined.as_str() {
            "error rate"
            | "errors"
            | "failures"
            | "failure rate"
            | "failed"
            | "http req failed"
            | "http req failed rate"
            | "failed requests" => return Some(Subject::Failed),
            "requests" | "http reqs" | "http reqs count" | "count" => return Some(Subject::Requests),
            "rps" | "requests per second" | "rate" | "throughput" | "http reqs rate" => {
                return Some(Subject::Rate);
            }
            "checks" | "checks rate" => return Some(Subject::Checks),
            _ => {}
        }
        let lead = text.replace("http_req_duration", "latency");
        let lead = lead.trim_start_matches("latency").trim_start_matches("duration");
        let lead = lead.trim_matches([' ', '.', '_']);
        statistic(lead).map(Subject::Latency)
    }
}

/// The plain name of a statistic: `p(95)`, `95th` and `p95` are one.
fn statistic(text: &str) -> Option<String> {
    match text {
        "avg" | "average" | "mean" => return Some("mean".to_owned()),
        "med" | "median" => return Some("p50".to_owned()),
        "max" | "slowest" => return Some("max".to_owned()),
        "min" | "fastest" => return Some("min".to_owned()),
        _ => {}
    }
    let number = text
        .strip_prefix("p(")
        .and_then(|rest| rest.strip_suffix(')'))
        .or_else(|| text.strip_prefix('p'))
        .or_else(|| text.strip_suffix("th percentile"))
        .or_else(|| text.strip_suffix("th"))?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_number.then(|| format!("p{number}"))
}

impl Tool {
    pub(super) fn of(value: &Value) -> Tool {
        if value.pointer("/metrics").is_some_and(Value::is_object)
            && (value.get("root_group").is_some()
                || value.pointer("/metrics/iterations").is_some()
                || value.pointer("/metrics/http_reqs").is_some())
        {
            Tool::Grafana
        } else if value.get("latencyPercentiles").is_some() && value.get("summary").is_some() {
            Tool::Oha
        } else if value.pointer("/latencies/95th").is_some() && value.get("status_codes").is_some() {
            Tool::Vegeta
        } else {
            Tool::Other
        }
    }

    /// How many requests were made, where the summary says so.
    pub(super) fn requests(self, value: &Value) -> Option<Decimal> {
        match self {
            Tool::Grafana => metric(value, "http_reqs", "count").and_then(number),
            Tool::Oha => {
                let answered = sum(value.get("statusCodeDistribution"), |_| true);
                let failed = sum(value.get("errorDistribution"), is_error);
                answered.checked_add(failed)
            }
            Tool::Vegeta => value.get("requests").and_then(number),
            Tool::Other => {
                let of = |way| value.pointer(way).and_then(number);
                of("/requests/total")
                    .or_else(|| of("/requests"))
                    .or_else(|| of("/http_reqs"))
            }
        }
    }

    /// What the summary says about a subject. Nothing: it is no subject that is known of this tool.
    pub(super) fn measure(
        self,
        value: &Value,
        subject: &str,
        bound: &Quantity,
    ) -> Option<Result<Measure, Fault>> {
        match Subject::of(subject)? {
            Subject::Latency(name) => self.latency(value, &name, bound),
            Subject::Failed => self.failed(value, bound),
            Subject::Requests => self.requests(value).map(|count| Ok(Measure::Count(count))),
            Subject::Rate => {
                let rate = match self {
                    Tool::Grafana => metric(value, "http_reqs", "rate"),
                    Tool::Oha => value.pointer("/summary/requestsPerSec"),
                    Tool::Vegeta => value.get("throughput"),
                    Tool::Other => None,
                };
                rate.map(|rate| measure(rate, bound))
            }
            Subject::Checks => {
                let checks = metric(value, "checks", "rate").or_else(|| metric(value, "checks", "value"));
                checks
                    .filter(|_| self == Tool::Grafana)
                    .map(|rate| measure(rate, bound))
            }
        }
    }

    fn latency(self, value: &Value, name: &str, bound: &Quantity) -> Option<Result<Measure, Fault>> {
        let quantile = name.strip_prefix('p');
        let (found, millis) = match self {
            Tool::Grafana => {
                let own = match (name, quantile) {
                    ("mean", _) => "avg".to_owned(),
                    ("p50", _) => "med".to_owned(),
                    (_, Some(number)) => format!("p({number})"),
                    (other, None) => other.to_owned(),
                };
                let found = metric(value, "http_req_duration", &own);
                (
                    found.or_else(|| metric(value, "http_req_duration", &format!("p({})", quantile?))),
                    Decimal::ONE,
                )
            }
            Tool::Oha => {
                let own = match name {
                    "mean" => "/summary/average".to_owned(),
                    "max" => "/summary/slowest".to_owned(),
                    "min" => "/summary/fastest".to_owned(),
                    quantile => format!("/latencyPercentiles/{quantile}"),
                };
                (value.pointer(&own), Decimal::from(1_000))
            }
            Tool::Vegeta => {
                let own = quantile.map_or_else(|| name.to_owned(), |number| format!("{number}th"));
                (value.get("latencies")?.get(&own), Decimal::new(1, 6))
            }
            Tool::Other => {
                let tables = [
                    Some(value),
                    value.get("latency"),
                    value.get("latencies"),
                    value.get("duration"),
                ];
                let names = names(name);
                let found = tables
                    .into_iter()
                    .flatten()
                    .find_map(|table| names.iter().find_map(|own| table.get(own)));
                // What is plain here is in milliseconds, and what has its unit is as it says.
                return found.map(|found| measure(found, bound));
            }
        };
        let Some(found) = found else {
            let what = format!("has no {name} of its requests");
            return Some(Err(Fault::new(
                what,
                "have the load test count it, or ask for one that it has",
            )));
        };
        let time = number(found).and_then(|number| number.checked_mul(millis));
        Some(match time {
            Some(time) if !time.is_sign_negative() || time.is_zero() => Ok(Measure::Time(time)),
            _ => Err(Fault::new("is no time", "look what has written it")),
        })
    }

    fn failed(self, value: &Value, bound: &Quantity) -> Option<Result<Measure, Fault>> {
        let requests = self.requests(value);
        let failed = match self {
            Tool::Grafana => {
                // A metric of k6 that is a rate counts in `passes` what was true: here, that a request failed.
                let of = |name| metric(value, "http_req_failed", name);
                let rate = of("rate").or_else(|| of("value")).and_then(number);
                if let (Some(rate), Quantity::Share(_)) = (rate, bound) {
                    return Some(Ok(Measure::Share(rate)));
                }
                of("passes").and_then(number)
            }
            Tool::Oha => {
                let answered = sum(value.get("statusCodeDistribution"), is_bad);
                answered.checked_add(sum(value.get("errorDistribution"), is_error))
            }
            Tool::Vegeta => requests.and_then(|all| {
                let success = value.get("success").and_then(number)?;
                all.checked_mul(Decimal::ONE.checked_sub(success)?)
            }),
            Tool::Other => return other(value, bound, requests),
        };
        let fault = || {
            Fault::new(
                "does not say how many requests failed",
                "have the load test count it",
            )
        };
        Some(
            failed
                .ok_or_else(fault)
                .and_then(|failed| share(failed, requests, bound)),
        )
    }
}

/// What a tool that is not known says about failures.
fn other(value: &Value, bound: &Quantity, requests: Option<Decimal>) -> Option<Result<Measure, Fault>> {
    const RATES: &[&str] = &["error_rate", "errorRate", "error rate", "failure_rate"];
    if let Some(rate) = RATES.iter().find_map(|name| value.get(name)) {
        return Some(measure(rate, bound));
    }
    let count = |name| value.get(name).and_then(number);
    let failed = count("errors")
        .or_else(|| count("failures"))
        .or_else(|| count("failed"))?;
    // autocannon counts answers that are not 2xx apart from what was not answered.
    let failed = failed.checked_add(count("non2xx").unwrap_or_default())?;
    Some(share(failed, requests, bound))
}

/// So many failures as what they are held against.
fn share(failed: Decimal, requests: Option<Decimal>, bound: &Quantity) -> Result<Measure, Fault> {
    if !matches!(bound, Quantity::Share(_)) {
        return Ok(Measure::Count(failed));
    }
    let share = requests
        .filter(|all| !all.is_zero())
        .and_then(|all| failed.checked_div(all));
    share.map(Measure::Share).ok_or_else(|| {
        let next = "have the load test count its requests, or hold the number of failures against a number";
        Fault::new("does not say of how many requests they failed", next)
    })
}

/// A number of a metric of k6: beside its name, or in its `values`.
fn metric<'v>(value: &'v Value, metric: &str, name: &str) -> Option<&'v Value> {
    let metric = value.get("metrics")?.get(metric)?;
    metric.get("values").unwrap_or(metric).get(name)
}

/// The counts of a table whose names are so.
fn sum(table: Option<&Value>, counts: fn(&str) -> bool) -> Decimal {
    let entries = table.and_then(Value::as_object).into_iter().flatten();
    let counted = entries
        .filter(|(name, _)| counts(name))
        .filter_map(|(_, count)| number(count));
    counted.fold(Decimal::ZERO, Decimal::saturating_add)
}

/// Whether a status says that a request failed.
fn is_bad(status: &str) -> bool {
    status.parse::<u16>().is_ok_and(|status| status >= 400)
}

/// oha breaks off what is under way when its time is up, and counts that among its errors.
fn is_error(error: &str) -> bool {
    error != "aborted due to deadline"
}

/// What a statistic may be called.
fn names(name: &str) -> Vec<String> {
    match (name, name.strip_prefix('p')) {
        ("mean", _) => vec!["mean".to_owned(), "avg".to_owned(), "average".to_owned()],
        ("p50", _) => ["p50", "median", "med", "p(50)", "50th"]
            .map(str::to_owned)
            .to_vec(),
        (_, Some(number)) => vec![
            name.to_owned(),
            format!("p({number})"),
            format!("{number}th"),
            name.replace('.', "_"),
        ],
        (other, None) => vec![other.to_owned()],
    }
}
