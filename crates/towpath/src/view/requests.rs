//! Requests, a line each.

use super::{paint, tame};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Which requests are shown, and how.
#[derive(Debug)]
pub(crate) struct Requests {
    /// Of these components; of all of them when empty.
    pub(crate) components: Vec<String>,
    /// Not older than this.
    pub(crate) since: Option<Timestamp>,
    /// For people, with the time of this zone; as it is written where there is none.
    pub(crate) zone: Option<TimeZone>,
}

impl Requests {
    /// A line of the log as it is shown; nothing where it is not asked for, or is no line of that log.
    pub(crate) fn shown(&self, line: &str) -> Option<String> {
        let one: Value = serde_json::from_str(line).ok()?;
        let at: Timestamp = one["time"].as_str()?.parse().ok()?;
        let lost = one["lost"].as_u64();
        let component = one["component"].as_str().unwrap_or_default();
        let is_of = self.components.is_empty() || self.components.iter().any(|name| name == component);
        if self.since.is_some_and(|since| at < since) || !(is_of || lost.is_some()) {
            return None;
        }
        let Some(zone) = &self.zone else {
            return Some(format!("{line}\n"));
        };
        let time = at.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string();
        let time = paint::dim(&time);
        if let Some(lost) = lost {
            let because = tame::tamed(one["because"].as_str().unwrap_or_default());
            let text = format!("{lost} lines were lost: {because}");
            return Some(format!("{time}  {}\n", paint::yellow(&text)));
        }
        Some(format!("{time}  {}\n", told(&one, component)))
    }
}

fn told(one: &Value, component: &str) -> String {
    let text = |key: &str| tame::tamed(one[key].as_str().unwrap_or_default());
    let status = one["status"].as_u64().unwrap_or_default();
    let written = match status {
        500.. => paint::red(&status.to_string()),
        400..500 => paint::yellow(&status.to_string()),
        _ => status.to_string(),
    };
    let names: Vec<&str> = one["query"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let query = match names.is_empty() {
        true => String::new(),
        false => tame::tamed(&format!("?{}", names.join("&"))),
    };
    let who = one["instance"].as_str().unwrap_or(component);
    let cut = if one["cut"] == true { "  broke off" } else { "" };
    format!(
        "{written}  {:>10.3} ms  {} {}{}{query}  {}{cut}  {}",
        one["whole_ms"].as_f64().unwrap_or_default(),
        text("method"),
        text("host"),
        text("path"),
        tame::tamed(who),
        paint::dim(&text("request")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"time":"2026-11-21T09:30:00.123456Z","request":"r-1","component":"web","method":"GET","host":"web.shop.localhost","path":"/a\u001b[2J","query":["token"],"status":200,"whole_ms":3.204,"instance":"web.1"}"#;

    fn requests(components: &[&str], since: Option<&str>, zone: Option<TimeZone>) -> Requests {
        Requests {
            components: components.iter().map(|name| (*name).to_owned()).collect(),
            since: since.map(|since| since.parse().expect("it is a time")),
            zone,
        }
    }

    #[test]
    fn a_request_is_one_line_without_anything_that_moves_the_cursor() {
        let shown = requests(&[], None, Some(TimeZone::UTC))
            .shown(LINE)
            .expect("it is shown");
        for part in [
            "09:30:00.123",
            "200",
            "3.204 ms",
            "GET web.shop.localhost/a",
            "?token",
            "web.1",
            "r-1",
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        assert!(!shown.contains("\u{1b}[2J"), "{shown}");
    }

    #[test]
    fn only_those_that_are_asked_for_are_shown_and_losses_always() {
        assert!(requests(&["api"], None, None).shown(LINE).is_none());
        assert!(
            requests(&[], Some("2026-11-21T09:30:01Z"), None)
                .shown(LINE)
                .is_none()
        );
        let raw = requests(&["web"], Some("2026-11-21T09:30:00Z"), None).shown(LINE);
        assert_eq!(raw.as_deref(), Some(format!("{LINE}\n").as_str()));
        let lost = r#"{"time":"2026-11-21T09:30:00Z","lost":3,"because":"the disk is full"}"#;
        let shown = requests(&["api"], None, Some(TimeZone::UTC)).shown(lost);
        assert!(shown.is_some_and(|shown| shown.contains("3 lines were lost: the disk is full")));
        assert!(requests(&[], None, None).shown("no line").is_none());
    }
}
