//! Rules about components and scaling.

super::codes! {
    "TP03" "Components and scaling";
    TP0301 BOT_IS_ONE Error "a bot has exactly one live instance";
    TP0302 BOT_HANDOVER Error "a bot changes its release without two sessions on one token";
    TP0303 NEVER_WOKEN Error "what sleeps has something that wakes it";
    TP0304 ALWAYS_ON_STOPS Error "what is always on is stopped by nothing";
    TP0305 NOTHING_TO_RUN Error "what runs has a command or an image";
    TP0306 NOTHING_TO_SERVE Error "a site or an extension has files";
    TP0307 MAX_BELOW_MIN Error "the most instances are at least as many as the fewest";
    TP0308 NO_ROOM_TO_SCALE Error "what scales has room to";
    TP0309 RUNS_OVERLAP Warning "a run of a job ends before the next one begins";
    TP0310 SHARE_OF_NOTHING Error "a share of memory is a share of a limit";
    TP0311 SEVERAL_WITHOUT_HEALTH Warning "what has several instances tells which of them are well";
    TP0312 STOPS_TOO_LONG Error "an instance stops within 300 seconds";
    TP0313 SCHEDULE_WITHOUT_EFFECT Error "a schedule asks for numbers that are allowed, and changes something";
    TP0314 HALF_A_STAND_IN Error "a stand-in has a command and environments";
    TP0315 STORES_OUT_OF_ORDER Error "stores that wait for each other are there, and not in a circle";
    TP0316 QUEUE_NOWHERE Error "waiting jobs are counted in a resource that has them";
    TP0317 PORT_TAKEN Error "on one machine a port belongs to one instance";
    TP0318 WORK_CUT_SHORT Warning "work that a stop cuts short is tried again";
    TP0319 SHARDS_WITHOUT_KEY Error "a hand-over by shards has a key that they are made by";
    TP0320 STORE_WITHOUT_BROWSER Error "an extension is made for the browsers of its stores";
    TP0321 NEVER_RELEASED Warning "an extension is released to a store";
    TP0322 HEALTH_HASTY Error "a health check asks something, and waits for the answer";
}
