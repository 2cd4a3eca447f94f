//! Rules about environments, promotion and rollouts.

super::codes! {
    "TP05" "Environments, promotion and rollouts";
    TP0501 PATH_LOOP Error "the way of a release does not go in a circle";
}
