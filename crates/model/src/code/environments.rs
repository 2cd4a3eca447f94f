//! Rules about environments, promotion and rollouts.

super::codes! {
    "TP05" "Environments, promotion and rollouts";
    TP0501 PATH_LOOP Error "the way of a release does not go in a circle";
    TP0502 PULL_REQUEST_AFTER Error "a pull request comes from nowhere else";
    TP0503 AFTER_PREVIEW Error "a release does not come from a preview";
    TP0504 SAME_TRIGGER Warning "real data is not reached at the same moment as the environment that tries a change";
    TP0505 WRONG_UNIT Error "a canary is a share of something that is there";
    TP0506 WORDS_OF_ANOTHER_STRATEGY Error "the words of a rollout belong to its strategy";
    TP0507 STEPS_SHRINK Error "the steps of a canary begin with a part, and grow";
    TP0508 STEPS_STOP_SHORT Warning "the last step of a canary is all of it";
    TP0509 STEP_UNWATCHED Error "each step of a canary is long enough to be judged";
    TP0510 STORE_SHARE Error "a store that rolls out to a share of its users can do so";
    TP0511 REAL_PREVIEW Error "a pull request does not reach real data";
    TP0512 COPY_UNMASKED Error "a copy of real data is masked";
    TP0513 DATA_CLASH Error "the data of an environment has one origin";
    TP0514 COPY_MISSING Error "what is masked or made anew is a copy";
    TP0515 REAL_SHARED Warning "real data does not share its machine and network";
    TP0516 WARM_TOO_SHORT Warning "the old release is warm as long as the new one is watched";
    TP0517 NEVER_OPEN Error "a rollout has a time in which it may run";
    TP0518 FREEZE_NEVER Error "a freeze has a time";
    TP0519 TOGETHER_APART Error "what switches together can switch in one instant";
    TP0520 NO_ROOM_TO_ROLL Error "a rolling rollout may run more instances than wanted, or fewer";
    TP0521 PREVIEW_UNTRIGGERED Error "a preview comes from a pull request or a branch";
    TP0522 ENGINE_ELSEWHERE Error "an engine runs on a host that has it";
    TP0523 READY_TOO_LATE Error "a rollout waits as long as an instance may take to be ready";
    TP0524 REAL_STAND_IN Error "where real data is, nothing is replaced by a stand-in";
}
