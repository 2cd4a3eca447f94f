//! The sign-in: asks who somebody wants to be, and believes it. Only a stand-in may do so.

use crate::club::{MEMBERS, Member};
use axum::Json;
use axum::extract::{Form, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
pub(crate) struct Asked {
    client_id: String,
    redirect_uri: String,
    state: String,
    #[serde(rename = "as")]
    who: Option<i64>,
}

/// Shows who one can be; or is sent back at once, where that is said.
pub(crate) async fn choose(Query(asked): Query<Asked>) -> Response {
    let link = |name: &str, value: &str| {
        form_urlencoded::Serializer::new(String::new())
            .append_pair(name, value)
            .append_pair("state", &asked.state)
            .finish()
    };
    if let Some(who) = asked.who {
        let back = format!("{}?{}", asked.redirect_uri, link("code", &format!("code-{who}")));
        return Redirect::to(&back).into_response();
    }
    let one = |member: &Member<'_>| {
        let more = form_urlencoded::Serializer::new(link("as", &member.id.to_string()))
            .append_pair("client_id", &asked.client_id)
            .append_pair("redirect_uri", &asked.redirect_uri)
            .finish();
        let role = if member.id == MEMBERS[0].id {
            " (admin)"
        } else {
            ""
        };
        format!(
            "<p><a href=\"?{}\">{}{role}</a></p>",
            more.replace('&', "&amp;"),
            member.name
        )
    };
    let members: String = MEMBERS.iter().map(one).collect();
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>Who are you?</title>\
         <body style=\"font:1.1rem/1.4 system-ui;margin:3rem auto;max-width:24rem\">\
         <h1>Who are you?</h1><p>This stands in for Discord, and believes everybody.</p>{members}"
    ))
    .into_response()
}

#[derive(Deserialize)]
pub(crate) struct Exchange {
    client_id: String,
    client_secret: String,
    code: String,
}

pub(crate) async fn exchange(Form(asked): Form<Exchange>) -> Response {
    let known = !asked.client_id.is_empty() && !asked.client_secret.is_empty();
    match asked.code.strip_prefix("code-").filter(|_| known) {
        Some(who) => {
            let token = format!("access-{who}");
            Json(json!({ "access_token": token, "token_type": "Bearer", "scope": "identify" }))
                .into_response()
        }
        None => (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response(),
    }
}

pub(crate) async fn who(headers: HeaderMap) -> Response {
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    let id = shown.and_then(|shown| shown.strip_prefix("Bearer access-")?.parse::<i64>().ok());
    match id.and_then(|id| MEMBERS.iter().find(|member| member.id == id)) {
        Some(member) => Json(json!({ "id": member.id.to_string(), "username": member.name })).into_response(),
        None => (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "message": "401: Unauthorized" })),
        )
            .into_response(),
    }
}
