//! What the programs of this product share.

pub mod call;
pub mod clock;
pub mod coach;
pub mod log;
pub mod metrics;
pub mod queue;
pub mod serve;
pub mod setting;
pub mod sign;
pub mod stores;

/// Whatever went wrong, for the log. Visitors are told less.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;
