//! What is desired: the manifest's tables, typed, with defaults filled in.

pub mod build;
pub mod component;
pub mod cost;
pub mod edge;
pub mod environment;
pub mod extension;
pub mod gate;
pub mod metric;
pub mod operations;
pub mod place;
pub mod probe;
mod product;
pub mod resource;
pub mod rollout;
pub mod scale;
pub mod secret;

pub use product::Desired;
