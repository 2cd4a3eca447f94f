//! Ratios of what was measured in the same round, and how far they lie apart.

/// A value that some rounds have agreed on, and between what the middle half of them lies: a neighbour that begins something
/// in one round says nothing of what is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

/// The median of values, and between what half of them lie.
pub(crate) fn spread(mut values: Vec<f64>) -> Spread {
    values.sort_by(f64::total_cmp);
    let at = |at: usize| values.get(at).copied().unwrap_or(f64::NAN);
    Spread {
        low: at(values.len() / 4),
        median: at(values.len() / 2),
        high: at(values.len() * 3 / 4),
    }
}

pub(crate) fn median(values: Vec<f64>) -> f64 {
    spread(values).median
}

/// The ratio in each round.
pub(crate) fn ratio(ours: &[f64], theirs: &[f64]) -> Spread {
    let pairs = ours.iter().zip(theirs);
    spread(pairs.map(|(ours, theirs)| ours / theirs).collect())
}

/// The value below which so many of a hundred lie.
pub(crate) fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let at = (sorted.len() as f64 * percent / 100.0) as usize;
    let last = sorted.len().saturating_sub(1);
    sorted.get(at.min(last)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_round_moves_neither_the_median_nor_the_middle_half() {
        let ours = [2.0, 2.2, 1.8, 9.0, 2.0];
        let seen = ratio(&ours, &[1.0; 5]);
        assert_eq!((seen.low, seen.median, seen.high), (2.0, 2.0, 2.2));
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let sorted: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 50.0), 50.0);
        assert_eq!(percentile(&sorted, 99.0), 99.0);
        assert_eq!(percentile(&sorted, 100.0), 99.0);
        assert!(percentile(&[], 50.0).is_nan());
    }
}
