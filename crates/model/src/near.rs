//! Near names: what was probably meant.

/// The names that are likely to be meant are at most this far, for a length.
fn reach(length: usize) -> usize {
    match length {
        0..=3 => 1,
        4..=9 => 2,
        _ => 3,
    }
}

/// The name nearest to what was written, if any is near enough to be meant.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A very long text is nobody's slip, and comparing it costs its length squared.
    if written.len() > 80 {
        return None;
    }
    let folded = fold(written);
    known
        .into_iter()
        .filter(|name| name.len() <= 80)
        .map(|name| (strsim::osa_distance(&folded, &fold(name)), name))
        .filter(|(distance, name)| *distance <= reach(name.len().min(written.len())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The name that a slip of one key turns into what was written.
pub fn slipped<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = nearest(written, known)?;
    (strsim::osa_distance(&fold(written), &fold(near)) <= 1).then_some(near)
}

/// Differences that nobody means.
fn fold(name: &str) -> String {
    name.to_lowercase().replace(['-', ' '], "_")
}
