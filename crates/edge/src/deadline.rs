//! Until when an answer has to begin: one time for a request with all its repetitions, and not one for each.
//!
//! What the manifest says counts from the moment at which an instance is first asked: how long one waits for an instance that
//! sleeps is the target's own matter. What a gRPC client says (`grpc-timeout`) counts from the beginning: it does not wait for
//! longer, whatever we do.

use std::pin::Pin;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName};
use tokio::time::timeout_at;
use towpath_model::run::Bounds;

use crate::door::clock;
use crate::guard::Refusal;
use crate::pages::Page;

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Until when an answer has to begin.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    /// The visitor waits until then, for so long.
    visitor: Option<(Instant, Duration)>,
    /// So long an instance may take.
    time: Option<Duration>,
    /// One has been asked since then.
    asked: Option<Instant>,
}

/// It has come too late, after so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Late(Duration);

impl Late {
    pub(crate) fn page(self, target: &str) -> Page {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        Refusal::Slow(target.to_owned(), millis).page()
    }
}

impl Deadline {
    /// The deadline of a request, which may be one of gRPC.
    pub(crate) fn of(headers: &HeaderMap, grpc: bool, bounds: &Bounds) -> Deadline {
        let said = grpc.then(|| headers.get(GRPC_TIMEOUT)).flatten();
        let said = said.and_then(|said| said.to_str().ok()).and_then(grpc_timeout);
        Deadline {
            visitor: said.map(|said| (clock::now() + said, said)),
            time: bounds.time.map(|time| time.to_std()),
            asked: None,
        }
    }

    fn until(&self) -> Option<(Instant, Duration)> {
        let instance = self
            .asked
            .zip(self.time)
            .map(|(asked, time)| (asked + time, time));
        match (self.visitor, instance) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Waits for something no longer than until the deadline. It stays where it is: each time it were moved, a request would
    /// take as much room again.
    pub(crate) async fn keep<T>(&self, what: Pin<&mut impl Future<Output = T>>) -> Result<T, Late> {
        match self.until() {
            None => Ok(what.await),
            Some((until, long)) => timeout_at(until.into(), what).await.map_err(|_| Late(long)),
        }
    }

    /// The same, while an instance is asked.
    pub(crate) async fn keep_asking<T>(
        &mut self,
        what: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, Late> {
        if self.time.is_some() && self.asked.is_none() {
            self.asked = Some(clock::now());
        }
        self.keep(what).await
    }
}

/// Eight digits at most, and a unit (gRPC over HTTP2, Requests).
fn grpc_timeout(said: &str) -> Option<Duration> {
    let (number, unit) = said.split_at_checked(said.len().checked_sub(1)?)?;
    let is_number = (1..=8).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| is_number)?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grpc_timeout_is_read_as_it_is_written() {
        assert_eq!(grpc_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(grpc_timeout("1H"), Some(Duration::from_secs(3_600)));
        assert_eq!(grpc_timeout("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for wrong in ["", "m", "1", "-1S", "+1S", "123456789S", "1s", "1 S", "1ä"] {
            assert_eq!(grpc_timeout(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn repetitions_share_the_time_and_waiting_does_not_count_before_the_first() {
        let bounds = Bounds {
            time: Some(towpath_model::unit::Duration::from_secs(5)),
            ..Bounds::default()
        };
        let mut deadline = Deadline::of(&HeaderMap::new(), true, &bounds);
        assert_eq!(deadline.until(), None);
        let now = clock::now();
        deadline.asked = Some(now);
        assert_eq!(
            deadline.until(),
            Some((now + Duration::from_secs(5), Duration::from_secs(5)))
        );
        deadline.visitor = Some((now, Duration::ZERO));
        assert_eq!(
            deadline.until(),
            Some((now, Duration::ZERO)),
            "the visitor has gone sooner"
        );
    }
}
