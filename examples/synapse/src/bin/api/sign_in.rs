//! The sign-in of admins: Discord says who somebody is, and a signed cookie remembers it.

use crate::{Api, Problem};
use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use synapse::token::{Claims, now, read, sign};
use synapse::{Outcome, call, log, setting};

/// Twelve hours: an evening in the club.
const LASTS: i64 = 12 * 60 * 60;

/// Ten minutes to sign in at Discord.
const PATIENCE: i64 = 10 * 60;

pub(crate) struct SignIn {
    discord: String,
    client_id: String,
    client_secret: String,
    redirect_uri: String,
    frontend: String,
    key: String,
    begun: AtomicU64,
}

impl SignIn {
    pub(crate) fn from_settings() -> Outcome<SignIn> {
        Ok(SignIn {
            discord: setting::needed("DISCORD_URL")?,
            client_id: setting::needed("DISCORD_CLIENT_ID")?,
            client_secret: setting::needed("DISCORD_CLIENT_SECRET")?,
            redirect_uri: setting::needed("DISCORD_REDIRECT_URI")?,
            frontend: setting::needed("FRONTEND_URL")?,
            key: setting::needed("JWT_SECRET")?,
            begun: AtomicU64::new(0),
        })
    }

    fn cookie(&self, name: &str, value: &str, lasts: i64) -> String {
        let secure = if self.frontend.starts_with("https:") {
            "; Secure"
        } else {
            ""
        };
        format!("{name}={value}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Lax{secure}")
    }

    fn claims(&self, headers: &HeaderMap) -> Option<Claims> {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = match shown {
            Some(shown) => shown.strip_prefix("Bearer ")?,
            None => cookie(headers, "session")?,
        };
        read(&self.key, token, now()).filter(|claims| claims.sub != STATE)
    }
}

/// Whose sign-in is under way is nobody yet.
const STATE: &str = "state";

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split("; "))
        .filter_map(|one| one.split_once('='))
        .find_map(|(one, value)| (one == name).then_some(value))
}

/// Sends somebody to Discord. They come back with the state that they left with, or not at all.
pub(crate) async fn login(State(sign_in): State<Arc<SignIn>>) -> Response {
    let number = sign_in.begun.fetch_add(1, Ordering::Relaxed);
    let claims = Claims {
        sub: STATE.to_owned(),
        name: number.to_string(),
        exp: now() + PATIENCE,
    };
    let state = sign(&sign_in.key, &claims);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &sign_in.client_id)
        .append_pair("redirect_uri", &sign_in.redirect_uri)
        .append_pair("response_type", "code")
        .append_pair("scope", "identify")
        .append_pair("state", &state)
        .finish();
    let to = format!("{}/oauth2/authorize?{query}", sign_in.discord);
    let cookies = AppendHeaders([(SET_COOKIE, sign_in.cookie("state", &state, PATIENCE))]);
    (cookies, Redirect::to(&to)).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Back {
    code: String,
    state: String,
}

/// Somebody comes back from Discord, with a code that says who they are.
pub(crate) async fn callback(
    State(sign_in): State<Arc<SignIn>>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let left_here = cookie(&headers, "state") == Some(back.state.as_str());
    if !left_here || read(&sign_in.key, &back.state, now()).is_none() {
        let why = "this sign-in did not begin here; begin again";
        return Err(Problem(StatusCode::BAD_REQUEST, why.to_owned()));
    }
    let user = who(&sign_in, &back.code).await.map_err(|why| {
        log::trouble("Discord does not say who it is", json!({ "why": why }));
        Problem(
            StatusCode::BAD_GATEWAY,
            "Discord does not say who you are".to_owned(),
        )
    })?;
    let claims = Claims {
        sub: user["id"].as_str().unwrap_or_default().to_owned(),
        name: user["username"].as_str().unwrap_or_default().to_owned(),
        exp: now() + LASTS,
    };
    log::well("signed in", json!({ "member": claims.name }));
    let session = sign(&sign_in.key, &claims);
    let cookies = AppendHeaders([
        (SET_COOKIE, sign_in.cookie("session", &session, LASTS)),
        (SET_COOKIE, sign_in.cookie("state", "", 0)),
    ]);
    Ok((cookies, Redirect::to(&sign_in.frontend)).into_response())
}

async fn who(sign_in: &SignIn, code: &str) -> Result<Value, String> {
    let fields = [
        ("client_id", sign_in.client_id.as_str()),
        ("client_secret", &sign_in.client_secret),
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &sign_in.redirect_uri),
    ];
    let given = call::post_form(&sign_in.discord, "/oauth2/token", &fields).await?;
    let token = given["access_token"].as_str().ok_or("no token was given")?;
    call::get(&sign_in.discord, "/users/@me", &format!("Bearer {token}")).await
}

pub(crate) async fn logout(State(sign_in): State<Arc<SignIn>>) -> Response {
    let cookies = AppendHeaders([(SET_COOKIE, sign_in.cookie("session", "", 0))]);
    (StatusCode::NO_CONTENT, cookies).into_response()
}

/// Who is signed in, and whether they may change anything.
pub(crate) async fn me(
    State(sign_in): State<Arc<SignIn>>,
    State(pool): State<PgPool>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let Some(claims) = sign_in.claims(&headers) else {
        return Ok(Json(Value::Null));
    };
    let admin = is_admin(&pool, &claims).await?;
    Ok(Json(json!({ "name": claims.name, "admin": admin })))
}

/// Asked anew each time: whoever is no admin any more may change nothing from that moment on.
async fn is_admin(pool: &PgPool, claims: &Claims) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("SELECT EXISTS (SELECT FROM admins WHERE member::text = $1)")
        .bind(&claims.sub)
        .fetch_one(pool)
        .await?;
    row.try_get(0)
}

/// Somebody who may change zones. A handler that takes one is asked by nobody else.
pub(crate) struct Admin(pub(crate) Claims);

impl FromRequestParts<Api> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Admin, Problem> {
        let Some(claims) = api.sign_in.claims(&parts.headers) else {
            return Err(Problem(
                StatusCode::UNAUTHORIZED,
                "sign in first, at /auth/login".to_owned(),
            ));
        };
        if !is_admin(&api.pool, &claims).await? {
            let why = format!("{} is no admin of this club", claims.name);
            return Err(Problem(StatusCode::FORBIDDEN, why));
        }
        Ok(Admin(claims))
    }
}
