//! What the programs of this product share: the model, how they call each other, and how they begin, log and end.

pub mod call;
pub mod citizen;
pub mod model;
