//! The nouns of Towpath: units that people write, the manifest's words, and what is desired.

pub mod code;
pub mod desired;
pub mod finding;
pub mod near;
pub mod plan;
pub mod run;
pub mod sealed;
pub mod spec;
pub mod unit;
pub mod word;

pub use desired::Desired;
pub use plan::Plan;
pub use sealed::Sealed;
