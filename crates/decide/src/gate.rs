//! Gates: what a question has found, from bytes and numbers, and the verdict of all that were asked.

mod approval;
pub mod canary;
pub mod change;
mod combine;
mod cost;
mod folder;
pub mod metric;
mod person;
pub mod probe;
pub mod report;
pub mod statistics;
#[cfg(test)]
mod tests;
mod waiver;
mod window;
mod words;

pub use approval::approval;
pub use combine::combine;
pub use cost::cost;
pub use folder::in_folder;
pub use waiver::may_waive;
pub use window::window;
