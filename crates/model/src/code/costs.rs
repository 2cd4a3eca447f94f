//! Rules about cost and operations.

super::codes! {
    "TP09" "Cost and operations";
    TP0901 OVER_BUDGET Error "what it costs is within its budget";
    TP0902 CURRENCIES Warning "what is compared is in one currency";
    TP0903 COST_UNKNOWN Warning "every cost item says what it costs";
    TP0904 UNITS_OF_WHAT Warning "what is counted has a name";
    TP0905 COST_WORD_IDLE Warning "each word of a cost item counts";
    TP0906 TIERS_ORDER Error "the tiers of a price follow each other";
    TP0907 AT_ONCE Error "a service level leaves time";
    TP0908 DONE_BY_NOBODY Warning "what is done again and again is done by somebody";
    TP0909 RUNBOOK_EMPTY Error "a runbook says what to do";
    TP0910 DECISION_CHAIN Warning "a decision that was replaced and the one that replaces it know each other";
    TP0911 GOLIVE_UNSHOWN Warning "somebody or something shows that it may go live";
    TP0912 GOLIVE_IMPOSSIBLE Error "what has to hold before going live can hold";
    TP0913 WORKFLOWS_FOR_NOBODY Warning "workflows are written for a CI service";
    TP0914 LINK_TWICE Warning "an address is listed once";
    TP0915 DEPLOYED_BY_NOBODY Error "somebody may deploy";
    TP0916 BUDGET_OF_NOTHING Warning "a budget has costs to be compared with";
}
