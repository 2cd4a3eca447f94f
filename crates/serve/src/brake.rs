//! Whoever fails to show a token waits, and longer with each time.
//!
//! A secret has 256 bits and cannot be guessed; this keeps those who try from costing anything. Whoever has a token that holds
//! is never slowed, also not by others that come from the same address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The first wait. Whoever has mistyped something does not notice it.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait: shorter than anybody's patience with a connection.
const LONGEST: Duration = Duration::from_secs(5);

/// Whoever has not failed for so long begins anew.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// So many addresses are remembered. Where more of them fail, each waits as long as anybody.
const MOST: usize = 10_000;

/// Who has failed, how often, and when last.
#[derive(Debug, Default)]
pub(crate) struct Brake {
    failed: Mutex<HashMap<IpAddr, (u32, Duration)>>,
}

impl Brake {
    /// Somebody has failed: how long they wait for their answer.
    pub(crate) fn failed(&self, from: IpAddr, now: Duration) -> Duration {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() >= MOST {
            failed.retain(|_, (_, last)| now.saturating_sub(*last) < FORGOTTEN);
        }
        let from = network(from);
        if failed.len() >= MOST && !failed.contains_key(&from) {
            return LONGEST;
        }
        let (times, last) = failed.entry(from).or_insert((0, now));
        if now.saturating_sub(*last) >= FORGOTTEN {
            *times = 0;
        }
        *last = now;
        let wait = FIRST.saturating_mul(1 << (*times).min(16)).min(LONGEST);
        *times = times.saturating_add(1);
        wait
    }
}

/// Who is behind an address: whoever has one address of version 6 has a whole network of them.
fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX)).into(),
        four => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> IpAddr {
        text.parse().expect("it is an address")
    }

    #[test]
    fn each_failure_waits_longer_until_it_is_forgotten_and_others_do_not() {
        let brake = Brake::default();
        let waits: Vec<u128> = (0..8)
            .map(|_| brake.failed(from("192.0.2.1"), Duration::ZERO).as_millis())
            .collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(brake.failed(from("192.0.2.2"), Duration::ZERO), FIRST);
        assert_eq!(brake.failed(from("192.0.2.1"), FORGOTTEN), FIRST);
    }

    #[test]
    fn a_network_of_version_6_is_one_and_a_mapped_address_is_that_of_version_4() {
        let brake = Brake::default();
        assert_eq!(brake.failed(from("2001:db8::1"), Duration::ZERO), FIRST);
        assert_eq!(brake.failed(from("2001:db8::ffff"), Duration::ZERO), FIRST * 2);
        assert_eq!(brake.failed(from("192.0.2.1"), Duration::ZERO), FIRST);
        assert_eq!(brake.failed(from("::ffff:192.0.2.1"), Duration::ZERO), FIRST * 2);
    }

    #[test]
    fn where_too_many_fail_everybody_waits_and_nothing_more_is_remembered() {
        let brake = Brake::default();
        for nth in 0..u32::try_from(MOST).expect("it fits") + 5 {
            brake.failed(std::net::Ipv4Addr::from_bits(nth).into(), Duration::ZERO);
        }
        assert_eq!(brake.failed(from("203.0.113.1"), Duration::ZERO), LONGEST);
        assert_eq!(brake.failed.lock().expect("it is not held").len(), MOST);
        assert_eq!(brake.failed(from("203.0.113.1"), FORGOTTEN), FIRST);
    }
}
