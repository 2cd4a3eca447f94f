//! Gates: what each kind of question answers to what was measured.

pub mod metric;
