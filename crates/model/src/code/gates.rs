//! Rules about gates, probes, objectives and alerts.

super::codes! {
    "TP06" "Gates, probes, objectives and alerts";
    TP0601 SEVERITY_UNHEARD Error "every severity reaches somebody";
}
