//! The process engine keeps the promises of the trait.

mod bed;

use towpath_engine::conformance;

conformance!(bed::bed());
