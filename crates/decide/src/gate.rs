//! Gates: what follows from what was measured.

pub mod probe;
