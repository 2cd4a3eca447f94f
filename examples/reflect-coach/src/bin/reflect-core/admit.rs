//! Who is let in, and that nothing is done twice.

use crate::{Failed, Kept, refusal};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use reflect_coach::sign::{self, Claims};

/// An answer that is kept is small.
const LARGEST: usize = 64 * 1024;

/// The name under which edge speaks for itself. No person has a colon in their id.
pub const EDGE: &str = "system:edge";

/// Every call says who it is for, signed by edge.
pub async fn known(State(core): State<Kept>, mut request: Request, next: Next) -> Response {
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    match token.and_then(|token| sign::claims(&core.jwt_key, token)) {
        Some(claims) => {
            request.extensions_mut().insert(claims);
            next.run(request).await
        }
        None => refusal(StatusCode::UNAUTHORIZED, "a token of edge is needed"),
    }
}

/// What changes something carries a key. With a key that was there before, the answer is the one of then; and who changed
/// what is written down.
pub async fn once(State(core): State<Kept>, request: Request, next: Next) -> Result<Response, Failed> {
    if request.method() != Method::POST {
        return Ok(next.run(request).await);
    }
    let person = request
        .extensions()
        .get::<Claims>()
        .map(|claims| claims.sub.clone())
        .unwrap_or_default();
    let key = request
        .headers()
        .get("idempotency-key")
        .and_then(|value| value.to_str().ok());
    let Some(key) = key.map(str::to_owned) else {
        return Ok(refusal(StatusCode::BAD_REQUEST, "an Idempotency-Key is needed"));
    };
    // One that began and never ended is free again after a minute: whoever began it has died.
    let is_first = sqlx::query(
        "INSERT INTO answers (person, key) VALUES ($1, $2) ON CONFLICT (person, key) DO UPDATE SET at = now()
         WHERE answers.status IS NULL AND answers.at < now() - interval '1 minute'",
    )
    .bind(&person)
    .bind(&key)
    .execute(&core.db)
    .await?;
    if is_first.rows_affected() == 0 {
        return earlier(&core, &person, &key).await;
    }
    let what = format!("POST {}", request.uri().path());
    let (parts, body) = next.run(request).await.into_parts();
    let bytes = to_bytes(body, LARGEST).await?;
    let status = i32::from(parts.status.as_u16());
    let mut both = core.db.begin().await?;
    let kept = if status < 500 {
        "UPDATE answers SET status = $3, body = $4 WHERE person = $1 AND key = $2"
    } else {
        // What failed on our side may be tried again with the same key.
        "DELETE FROM answers WHERE person = $1 AND key = $2 AND $3::integer > 0 AND $4::text IS NOT NULL"
    };
    sqlx::query(kept)
        .bind(&person)
        .bind(&key)
        .bind(status)
        .bind(String::from_utf8_lossy(&bytes).into_owned())
        .execute(&mut *both)
        .await?;
    sqlx::query("INSERT INTO audit (person, what, status) VALUES ($1, $2, $3)")
        .bind(&person)
        .bind(what)
        .bind(status)
        .execute(&mut *both)
        .await?;
    both.commit().await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// The answer to an earlier request with this key.
async fn earlier(core: &Kept, person: &str, key: &str) -> Result<Response, Failed> {
    let found: Option<(Option<i32>, Option<String>)> =
        sqlx::query_as("SELECT status, body FROM answers WHERE person = $1 AND key = $2")
            .bind(person)
            .bind(key)
            .fetch_optional(&core.db)
            .await?;
    let Some((Some(status), body)) = found else {
        return Ok(refusal(
            StatusCode::CONFLICT,
            "a request with this key is under way",
        ));
    };
    let status = StatusCode::from_u16(u16::try_from(status)?)?;
    Ok((
        status,
        [(CONTENT_TYPE, "application/json")],
        body.unwrap_or_default(),
    )
        .into_response())
}
