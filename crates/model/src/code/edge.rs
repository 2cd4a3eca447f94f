//! Rules about the edge, networks and hosts.

super::codes! {
    "TP08" "The edge, networks and hosts";
    TP0801 PUBLIC_WITHOUT_TLS Error "what is public is encrypted";
}
