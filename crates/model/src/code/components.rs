//! Rules about components and scaling.

super::codes! {
    "TP03" "Components and scaling";
    TP0301 BOT_IS_ONE Error "a bot has exactly one live instance";
}
