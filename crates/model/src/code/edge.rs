//! Rules about the edge, networks and hosts.

super::codes! {
    "TP08" "The edge, networks and hosts";
    TP0801 PUBLIC_WITHOUT_TLS Error "what is public is encrypted";
    TP0802 HSTS_WITHOUT_HTTPS Error "what insists on HTTPS is served by HTTPS alone";
    TP0803 CSP_LOOSE Warning "a content-security policy keeps foreign scripts out";
    TP0804 EXTENSION_CSP_REMOTE Error "an extension runs only scripts that it brings";
    TP0805 DOMAIN_TWICE Error "a domain leads to one component";
    TP0806 DOMAIN_MISPLACED Warning "a domain is known to those who may reach it";
    TP0807 OPEN_TO_ALL Error "a list of networks leaves some out";
    TP0808 ACCESS_INCOMPLETE Error "a sign-in has what it takes";
    TP0809 ACCESS_FOR_EVERYBODY Warning "a sign-in leaves some people out";
    TP0810 LIMIT_ORDER Error "limits are in an order in which each can be reached";
    TP0811 BODY_OVER_MEMORY Warning "a request fits into memory";
    TP0812 CACHE_BEHIND_ACCESS Warning "answers for one person are not kept for others";
    TP0813 MTLS_OFF Error "certificates that are asked for are issued";
    TP0814 TRUST_WITHOUT_SECRET Error "what is signed has a key";
    TP0815 PROTOCOL_NOT_SPOKEN Error "the called side speaks what the caller speaks";
    TP0816 STANDBY_LOOP Error "a standby does not stand by for itself";
    TP0817 HOST_OF_WRONG_KIND Error "a host can run what is put there";
    TP0818 PROTOCOL_UNKNOWN Error "the edge offers protocols that exist";
    TP0819 ROUTE_PATH Error "each route is a path of its own";
    TP0820 CERTIFICATE_LIFE Warning "a certificate lives neither too short nor too long";
    TP0821 NOTHING_IN_FRONT Warning "where TLS ends in front, something is in front";
    TP0822 ERROR_PAGE_UNSHOWN Error "the page for what cannot be answered can be shown";
    TP0823 ERROR_PAGE_WORDS Warning "a page says in braces what there is to say";
    TP0824 OPEN_LAPTOP Warning "somebody's own machine is open to nobody else";
}
