//! What is desired, written back as an infrastructure document.

use towpath_decide::review::Whole;

/// The document.
pub fn document(whole: &Whole<'_>) -> String {
    format!("# {}\n", whole.root.product)
}
