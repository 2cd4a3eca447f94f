//! Rules about cost and operations.

super::codes! {
    "TP09" "Cost and operations";
    TP0901 OVER_BUDGET Error "what it costs is within its budget";
}
