//! Who asks: the sign-in says it once, and a signed cookie remembers it.

use crate::{Answer, Api, Problem};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use webapp::token::{Claims, now, read, sign};
use webapp::{Outcome, call, log, setting};

/// A day.
const LASTS: i64 = 24 * 60 * 60;

pub(crate) struct SignIn {
    url: String,
    key: String,
}

impl SignIn {
    pub(crate) fn from_settings() -> Outcome<SignIn> {
        Ok(SignIn {
            url: setting::needed("SIGN_IN_URL")?,
            key: setting::needed("SUPABASE_JWT_SECRET")?,
        })
    }

    fn claims(&self, headers: &HeaderMap) -> Option<Claims> {
        let all = headers
            .get_all(COOKIE)
            .into_iter()
            .filter_map(|value| value.to_str().ok());
        let token = all
            .flat_map(|line| line.split("; "))
            .find_map(|one| one.strip_prefix("session="))?;
        read(&self.key, token, now())
    }

    /// Whose token it is. One that the sign-in has signed with our key says so itself; otherwise the sign-in is asked.
    async fn owner(&self, token: &str) -> Result<Option<Claims>, String> {
        if let Some(claims) = read(&self.key, token, now()) {
            return Ok(Some(claims));
        }
        let user = call::get(&self.url, "/user", token).await?;
        Ok(user.and_then(|user| {
            Some(Claims {
                sub: user["id"].as_str()?.to_owned(),
                email: user["email"].as_str()?.to_owned(),
                exp: now() + LASTS,
            })
        }))
    }
}

fn cookie(value: &str, lasts: i64) -> AppendHeaders<[(axum::http::HeaderName, String); 1]> {
    let cookie = format!("session={value}; Path=/api; Max-Age={lasts}; HttpOnly; SameSite=Lax");
    AppendHeaders([(SET_COOKIE, cookie)])
}

#[derive(Deserialize)]
pub(crate) struct Shown {
    access_token: String,
}

pub(crate) async fn begin(
    State(sign_in): State<Arc<SignIn>>,
    Json(shown): Json<Shown>,
) -> Result<Response, Problem> {
    let owner = sign_in.owner(&shown.access_token).await.map_err(|why| {
        log::trouble("the sign-in is away", json!({ "why": why }));
        Problem(StatusCode::BAD_GATEWAY, "the sign-in does not answer".to_owned())
    })?;
    let Some(claims) = owner else {
        return Err(Problem(
            StatusCode::UNAUTHORIZED,
            "the sign-in does not know this token".to_owned(),
        ));
    };
    let session = sign(&sign_in.key, &claims);
    Ok((cookie(&session, LASTS), Json(json!({ "email": claims.email }))).into_response())
}

pub(crate) async fn who(State(sign_in): State<Arc<SignIn>>, headers: HeaderMap) -> Answer {
    let claims = sign_in.claims(&headers);
    Ok(Json(
        claims.map_or(Value::Null, |claims| json!({ "email": claims.email })),
    ))
}

pub(crate) async fn end() -> Response {
    (StatusCode::NO_CONTENT, cookie("", 0)).into_response()
}

/// Somebody who is signed in. A handler that takes one is asked by nobody else.
pub(crate) struct Visitor(pub(crate) Claims);

impl FromRequestParts<Api> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Visitor, Problem> {
        let claims = api.sign_in.claims(&parts.headers).map(Visitor);
        claims.ok_or_else(|| Problem(StatusCode::UNAUTHORIZED, "sign in first".to_owned()))
    }
}
