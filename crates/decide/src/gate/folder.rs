//! Which gates are asked where the product's folder is, and which only where it runs.

use towpath_model::desired::gate::Gate;

/// Whether a gate is asked by running commands and reading files beside the manifest. All others are asked by whoever looks
/// after the environment.
pub fn in_folder(gate: &Gate) -> bool {
    gate.command.is_some()
        || gate.junit.is_some()
        || gate.sarif.is_some()
        || gate.size.is_some()
        || gate.performance.is_some()
        || gate.load.is_some()
}
