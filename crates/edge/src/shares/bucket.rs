//! The bucket of a visitor, and where one comes from.

use std::sync::atomic::{AtomicU64, Ordering};

use super::WHOLE;

/// From one newcomer to the next. It is the golden part of ten thousand, and shares no divisor with it: whatever follows
/// each other is spread as evenly as it can be, and all buckets have their turn before one comes twice.
const STEP: u64 = 6_181;

/// One of ten thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket(u16);

impl Bucket {
    /// The bucket that a number falls into.
    pub(crate) fn of(number: u64) -> Bucket {
        Bucket((number % u64::from(WHOLE)) as u16)
    }

    /// The bucket that a text always falls into.
    pub(crate) fn by(texts: &[&[u8]]) -> Bucket {
        let mut hasher = blake3::Hasher::new();
        for text in texts {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text);
        }
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Bucket::of(u64::from_le_bytes(first))
    }

    /// A bucket as a component passes it on.
    pub(crate) fn read(text: &[u8]) -> Option<Bucket> {
        let number: u16 = std::str::from_utf8(text).ok()?.parse().ok()?;
        (number < WHOLE).then_some(Bucket(number))
    }

    pub(crate) fn number(self) -> u16 {
        self.0
    }
}

/// Hands out buckets to newcomers.
#[derive(Debug, Default)]
pub(crate) struct Sequence(AtomicU64);

impl Sequence {
    pub(crate) fn next(&self) -> Bucket {
        // Both factors stay far below what would overflow.
        Bucket::of(self.0.fetch_add(1, Ordering::Relaxed) % u64::from(WHOLE) * STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_meets_a_share_at_every_moment_and_is_exact_after_all_buckets() {
        for share in [1_u16, 100, 1_000, 2_500, 3_333, 9_999] {
            let sequence = Sequence::default();
            let (mut got, mut farthest) = (0_f64, 0_f64);
            for count in 1..=3 * u32::from(WHOLE) {
                got += f64::from(u8::from(sequence.next().number() < share));
                let exact = f64::from(count) * f64::from(share) / f64::from(WHOLE);
                farthest = farthest.max((got - exact).abs());
                if count % u32::from(WHOLE) == 0 {
                    assert_eq!(got, exact);
                }
            }
            assert!(farthest < 5.0, "{share}: {farthest} requests beside it");
        }
    }

    #[test]
    fn digests_spread_evenly_and_stay() {
        let low = (0..100_000_u32)
            .filter(|n| Bucket::by(&[&n.to_le_bytes()]).number() < 1_000)
            .count();
        // Five times the deviation of a fair draw.
        assert!((9_525..10_475).contains(&low), "{low}");
        assert_eq!(Bucket::by(&[b"a", b"b"]), Bucket::by(&[b"a", b"b"]));
        assert_ne!(Bucket::by(&[b"ab", b""]), Bucket::by(&[b"a", b"b"]));
    }

    #[test]
    fn what_is_no_bucket_is_none() {
        assert_eq!(Bucket::read(b"9999").map(Bucket::number), Some(9_999));
        for wrong in [&b"10000"[..], b"-1", b"", b"1 ", b"99999999", b"\xFF"] {
            assert_eq!(Bucket::read(wrong), None);
        }
    }
}
