//! Counts, shares and times as people read them.

/// A count with its thousands apart: `3,900`.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A share with as many places as are worth reading: `2.8 %`, `0.08 %`, `43 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", significant(share * 100.0))
}

/// A time: `240 µs`, `3.4 ms`, `312 ms`, `2.5 s`.
pub(super) fn time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{} ms", significant(micros as f64 / 1e3)),
        10_000..1_000_000 => format!("{} ms", (micros + 500) / 1_000),
        _ => format!("{} s", significant(micros as f64 / 1e6)),
    }
}

/// Two figures below ten, whole ones above; no zeros at the end, and never zero where something is.
fn significant(value: f64) -> String {
    let places = match value.abs() {
        0.0 => 0,
        10.0.. => 0,
        1.0.. => 1,
        small => (2 - small.log10().ceil() as i32).clamp(1, 6) as usize,
    };
    let text = format!("{value:.places$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
