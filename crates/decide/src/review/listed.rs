//! Names in a sentence.

pub(super) use towpath_model::finding::listed;

/// `1 run`, `3 runs`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
