//! Rules about secrets, variables and flags.

super::codes! {
    "TP07" "Secrets, variables and flags";
    TP0701 SECRET_IN_CLEAR Error "nothing secret stands in the manifest";
}
