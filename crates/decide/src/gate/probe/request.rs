//! Requests and places, from the words that people write.

use super::{Place, Request, To, Value};
use towpath_model::desired::probe::With;

/// How a value is written that comes from a secret.
const SECRET: &str = "secret:";

/// The longest method: HTTP knows none that is longer than `BASELINE-CONTROL`.
const LONGEST_METHOD: usize = 20;

/// A value as it is written, or that of a secret.
pub(super) fn value(text: &str) -> Value {
    match text.strip_prefix(SECRET) {
        Some(name) => Value::Secret(name.trim().to_owned()),
        None => Value::Plain(text.to_owned()),
    }
}

/// `GET /auth/me`, `/auth/me`, `POST https://example.com/x`.
pub(super) fn http(text: &str, with: Option<&With>) -> Result<Request, String> {
    let mut words = text.split_whitespace();
    let (method, target) = match (words.next(), words.next(), words.next()) {
        (Some(target), None, None) if is_target(target) => ("GET", target),
        (Some(method), Some(target), None) => (method, target),
        _ => {
            return Err(format!(
                "`{text}` is no request; write a method and a path, such as GET /health"
            ));
        }
    };
    let letters = |method: &str| {
        method
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
    };
    if !letters(method) || method.len() > LONGEST_METHOD {
        return Err(format!("`{text}` begins with no method such as GET or POST"));
    }
    if !is_target(target) {
        return Err(format!("`{text}` names no path; one begins with `/`"));
    }
    Ok(carrying(&method.to_ascii_uppercase(), to(target), with))
}

/// `/ws`, `wss://example.com/ws`.
pub(super) fn websocket(text: &str, with: Option<&With>) -> Result<Request, String> {
    let target = text.trim();
    let target = target.strip_prefix("GET ").map_or(target, str::trim);
    let schemed = ["ws", "http"].into_iter().find_map(|scheme| {
        let rest = target.strip_prefix(scheme)?;
        (rest.starts_with("://") || rest.starts_with("s://")).then(|| format!("http{rest}"))
    });
    let target = schemed.as_deref().unwrap_or(target);
    if target.contains(char::is_whitespace) || !is_target(target) {
        return Err(format!("`{text}` is no WebSocket; write its path, such as /ws"));
    }
    Ok(carrying("GET", to(target), with))
}

/// `db:5432`, `:5432`, `5432`, `[::1]:5432`.
pub(super) fn tcp(text: &str) -> Result<Place, String> {
    let text = text.trim();
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().ok().filter(|port| *port > 0);
    match port {
        Some(port) if !host.contains(char::is_whitespace) => Ok(Place {
            host: (!host.is_empty()).then(|| host.to_owned()),
            port,
        }),
        _ => Err(format!(
            "`{text}` is no port; write a name and a number, such as db:5432"
        )),
    }
}

/// The list in Redis in which what waits for a queue lies. A name with a colon is that of a list itself; any other is a queue
/// of BullMQ, of which jobs are taken that are no more than their body.
pub(super) fn list(queue: &str) -> Result<String, String> {
    let queue = queue.trim();
    match queue {
        "" => Err("the queue has no name".to_owned()),
        list if list.contains(':') => Ok(list.to_owned()),
        name => Ok(format!("bull:{name}:wait")),
    }
}

fn is_target(target: &str) -> bool {
    let whole = ["http://", "https://"]
        .into_iter()
        .any(|scheme| target.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    (whole || target.starts_with('/')) && !target.contains(char::is_control)
}

fn to(target: &str) -> To {
    match target.starts_with('/') {
        true => To::Path(target.to_owned()),
        false => To::Url(target.to_owned()),
    }
}

fn carrying(method: &str, to: To, with: Option<&With>) -> Request {
    let taken = |text: &Option<String>| text.as_deref().map(value);
    let headers = with.into_iter().flat_map(|with| &with.headers);
    Request {
        method: method.to_owned(),
        to,
        cookie: with.and_then(|with| taken(&with.cookie)),
        token: with.and_then(|with| taken(&with.token)),
        hmac: with.and_then(|with| with.hmac.as_ref().map(|secret| secret.as_str().to_owned())),
        headers: headers
            .map(|(name, text)| (name.as_str().to_ascii_lowercase(), value(text)))
            .collect(),
        body: with.and_then(|with| taken(&with.body)),
    }
}
