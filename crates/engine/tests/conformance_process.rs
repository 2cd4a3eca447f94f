//! The process engine keeps the promises of the trait, with cgroups and without.

mod bed;

mod with_groups {
    use towpath_engine::conformance;

    conformance!(crate::bed::bed());
}

mod without_groups {
    use towpath_engine::conformance;

    conformance!(crate::bed::bed_without_groups());
}
