//! What is shown of what runs: pure functions from what the steward says to text, colors included.
//!
//! Every word stands there without its color, too: a color only makes it easier to find. The terminal takes the colors out
//! where none are wanted.

pub(crate) mod addresses;
pub(crate) mod asked;
pub(crate) mod course;
pub(crate) mod explained;
pub(crate) mod failures;
pub(crate) mod gates;
pub(crate) mod lines;
pub(crate) mod measure;
pub(crate) mod paint;
pub(crate) mod progress;
pub(crate) mod releases;
pub(crate) mod requests;
pub(crate) mod secrets;
pub(crate) mod status;
pub(crate) mod story;
pub(crate) mod tame;
pub(crate) mod top;
