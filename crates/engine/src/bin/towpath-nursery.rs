//! The nursery by itself, for tests of the engine: the product has it in its one binary.

fn main() -> std::process::ExitCode {
    towpath_keeper::become_nursery_if_asked();
    std::process::ExitCode::from(2)
}
