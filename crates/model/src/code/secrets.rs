//! Rules about secrets, variables and flags.

super::codes! {
    "TP07" "Secrets, variables and flags";
    TP0701 SECRET_IN_CLEAR Error "nothing secret stands in the manifest";
    TP0702 SECRET_TRACKED Error "nothing secret stands in a file that git tracks";
    TP0703 SESSION_SHARED Error "a secret that opens one session is used once";
    TP0704 VARIABLE_UNPROVIDED Error "a required variable has a value everywhere";
    TP0705 SECRET_IN_COMMAND Warning "no secret stands in a command line";
    TP0706 ROTATION_WITHOUT_OVERLAP Warning "a secret that several components know is rotated with an overlap";
    TP0707 OVERLAP_TOO_LONG Error "an old secret ends before the next one comes";
    TP0708 SECRET_TO_VISITORS Error "nothing secret ends up in visitors' hands";
    TP0709 KILL_GUARDS_NOTHING Warning "a kill switch says what it turns off";
    TP0710 VALUE_AND_GENERATE Error "a variable has one source";
    TP0711 VARIABLE_CLASH Error "a variable is set once";
    TP0712 DOTENV_WITH_REAL_DATA Error "secrets that open real data are sealed";
    TP0713 FUTURE_NEEDED Error "what is required is not only foreseen";
    TP0714 PLACEHOLDER Warning "a value is not a placeholder";
    TP0715 GENERATED_ELSEWHERE Warning "a secret is made here or fetched elsewhere, not both";
    TP0716 FLAG_ELSEWHERE Error "flags and environments that name each other exist and agree";
}
