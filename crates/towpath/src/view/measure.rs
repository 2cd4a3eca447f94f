//! Quantities as they are shown: short, and as wide as they have to be.

use jiff::Timestamp;

/// `12.3 MiB`: three digits at most, so that a column is read from top to bottom.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: &[&str] = &["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let shown = if size < 99.95 {
        format!("{size:.1}")
    } else {
        format!("{size:.0}")
    };
    format!("{shown} {}", UNITS[unit])
}

/// How long ago, in its largest unit or two: `5s`, `12m`, `3h 20m`, `4d 2h`.
pub(crate) fn ago(since: Timestamp, now: Timestamp) -> String {
    span(now.as_second().saturating_sub(since.as_second()))
}

/// So many seconds, in their largest unit or two.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let two = |large: i64, unit: &str, small: i64, below: &str| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit} {small}{below}"),
    };
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// `0.4%` of a core.
pub(crate) fn cpu(percent: f64) -> String {
    // The sum of nothing is a zero with a sign.
    let percent = if percent > 0.0 { percent } else { 0.0 };
    if percent >= 99.95 {
        format!("{percent:.0}%")
    } else {
        format!("{percent:.1}%")
    }
}

/// `1 component`, `3 components`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        let shown: Vec<String> = [0, 1023, 1024, 12_900_000, 268_435_456, 1_072_693_248, 1 << 50]
            .map(bytes)
            .to_vec();
        assert_eq!(
            shown,
            [
                "0 B", "1023 B", "1.0 KiB", "12.3 MiB", "256 MiB", "1.0 GiB", "1024 TiB"
            ]
        );
    }

    #[test]
    fn nothing_used_is_nothing() {
        let nothing: f64 = [].iter().sum();
        assert_eq!(
            [nothing, 0.04, 12.34, 250.0].map(cpu),
            ["0.0%", "0.0%", "12.3%", "250%"]
        );
    }

    #[test]
    fn times_have_two_units_at_most() {
        let shown: Vec<String> = [-5, 0, 59, 60, 3_599, 3_600, 12_000, 86_400, 352_800]
            .map(span)
            .to_vec();
        assert_eq!(
            shown,
            ["0s", "0s", "59s", "1m", "59m", "1h", "3h 20m", "1d", "4d 2h"]
        );
    }
}
