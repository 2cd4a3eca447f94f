//! Rules about names and references.

super::codes! {
    "TP02" "Names and references";
    TP0201 UNKNOWN_NAME Error "a reference names something that is declared";
    TP0202 NAME_TWICE Error "components, resources and outside things have different names";
    TP0203 LIKE_LOOP Error "environments are not like each other in a circle";
    TP0204 WRONG_TARGET Error "a reference names a thing of the right sort";
    TP0205 SELF_REFERENCE Error "nothing refers to itself";
    TP0206 ABSENT_HERE Error "what is used is present in the same environments";
    TP0207 USES_LOOP Error "what components need does not go in a circle";
    TP0208 UNUSED Warning "what is declared is used";
    TP0209 UNKNOWN_IN_VALUE Error "a value that takes from elsewhere names something that is there";
    TP0210 RESERVED_NAME Error "a name is not one that Towpath uses itself";
    TP0211 REPEATED Warning "a list names each thing once";
}
