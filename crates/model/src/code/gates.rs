//! Rules about gates, probes, objectives and alerts.

super::codes! {
    "TP06" "Gates, probes, objectives and alerts";
    TP0601 SEVERITY_UNHEARD Error "every severity reaches somebody";
    TP0602 PROBE_EXPECTS_NOTHING Warning "a probe says what it expects";
    TP0603 PERCENTILE_OF_FEW Warning "a percentile is taken of enough runs";
    TP0604 PROBE_AIM Error "it is clear what a probe is aimed at";
    TP0605 PROBE_TOO_RARE Warning "an objective stands one failed probe";
    TP0606 PROBE_NOT_SCHEDULED Error "what is watched by a probe has a probe that runs";
    TP0607 OBJECTIVE_OF_ALL Error "an objective leaves room for errors";
    TP0608 OBJECTIVE_WITHOUT_GOOD Error "an objective says what counts as good";
    TP0609 CHANGE_WRONG_WAY Error "a change that is asked for is for the better";
    TP0610 CHANGE_OF_FEW Warning "a change is judged on enough events";
    TP0611 CANARY_GATE_IDLE Error "a canary gate stands where a canary runs";
    TP0612 APPROVAL_SHORT Error "there are enough people to approve";
    TP0613 WAIVER_LOOSE Warning "a waiver ends soon, and somebody may give it";
    TP0614 ALERT_WITHOUT_BOUND Error "an alert tells well from ill";
    TP0615 CHANNEL_WITHOUT_SECRET Error "a channel has the secret that opens it";
    TP0616 SARIF_ORDER Error "what fails a build is at least as bad as what holds a release";
    TP0617 GATE_MEASURES_NOTHING Error "a gate has something to measure";
    TP0618 METRIC_SOURCE Error "it is clear where a metric is read";
    TP0619 ROLLBACK_OF_NOTHING Error "a rollback has something to take back";
    TP0620 ROTATION_EMPTY Error "a rotation has people, and gives them time";
}
