//! What the edge keeps in front of a component, in words.

use crate::words;
use towpath_model::desired::component::Require;
use towpath_model::desired::edge::{Access, BotRule, Cache, HeaderSet, Headers, Limit, SignIn, Waf};

/// The limits that the edge keeps.
pub(crate) fn limit(limit: &Limit) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(limit.rate.as_ref().map(words::rate));
    parts.extend(
        limit
            .body
            .map(|body| format!("bodies up to {}", words::size(body))),
    );
    match (limit.soft, limit.hard) {
        (Some(soft), Some(hard)) => parts.push(format!("{soft} to {hard} connections for each instance")),
        (Some(number), None) | (None, Some(number)) => {
            parts.push(format!("{number} connections for each instance"))
        }
        (None, None) => {}
    }
    parts.extend(
        limit
            .time
            .map(|time| format!("requests up to {}", words::time(time))),
    );
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The response headers that the edge adds.
pub(crate) fn headers(headers: &Headers) -> String {
    let mut parts = vec![
        match headers.set {
            HeaderSet::Strict => "the strict set",
            HeaderSet::Basic => "the basic set",
            HeaderSet::None => "none of the sets",
        }
        .to_owned(),
    ];
    parts.extend(
        headers
            .csp
            .as_ref()
            .map(|csp| format!("CSP {}", words::code(csp))),
    );
    parts.extend(headers.hsts.map(|time| format!("HSTS for {}", words::time(time))));
    parts.extend(
        headers
            .referrer
            .as_ref()
            .map(|value| format!("Referrer-Policy {}", words::code(value))),
    );
    parts.extend(
        headers
            .permissions
            .as_ref()
            .map(|value| format!("Permissions-Policy {}", words::code(value))),
    );
    parts.extend(
        headers
            .add
            .iter()
            .map(|(name, value)| words::code(format!("{name}: {value}"))),
    );
    parts.join("; ")
}

/// A header that requests have to carry.
pub(crate) fn required_header(require: &Require) -> String {
    let methods = match require.methods.is_empty() {
        true => String::new(),
        false => format!(
            " on {}",
            require
                .methods
                .iter()
                .map(|method| words::text(method))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    let issuer = require
        .issuer
        .as_ref()
        .map(|issuer| format!(" (a JWT of {}, verified by the edge)", words::url(issuer)));
    format!(
        "{}{methods}{}",
        words::code(&require.header),
        issuer.unwrap_or_default()
    )
}

/// How long answers may be kept.
pub(crate) fn cache(cache: &Cache) -> String {
    let mut parts = Vec::new();
    parts.extend(
        cache
            .assets
            .map(|time| format!("assets for {}", words::time(time))),
    );
    parts.extend(cache.pages.map(|time| format!("pages for {}", words::time(time))));
    parts.extend(
        cache
            .edge
            .map(|time| format!("at the edge for {}", words::time(time))),
    );
    parts.join(", ")
}

/// How somebody signs in at the edge.
pub(crate) fn sign_in(access: &Access) -> String {
    let how = match access.sign_in {
        SignIn::Oidc => "sign-in with OpenID Connect",
        SignIn::Password => "sign-in with a password",
        SignIn::Token => "a token in a header",
        SignIn::Certificate => "a certificate",
    };
    let mut who: Vec<String> = access
        .people
        .iter()
        .map(|person| words::text(person.as_str()))
        .collect();
    who.extend(
        access
            .groups
            .iter()
            .map(|group| format!("the group {}", words::text(group))),
    );
    who.extend(
        access
            .domains
            .iter()
            .map(|domain| format!("addresses of {}", words::code(domain))),
    );
    let who = if who.is_empty() {
        String::new()
    } else {
        format!(", for {}", words::list(&who))
    };
    let at = access
        .issuer
        .as_ref()
        .map(|issuer| format!(" at {}", words::url(issuer)))
        .unwrap_or_default();
    format!("{how}{at}{who}")
}

/// Rules against unwanted requests.
pub(crate) fn waf(waf: &Waf) -> String {
    let mut parts = Vec::new();
    match waf.bots {
        BotRule::Allow => {}
        BotRule::Slow => parts.push("automatic requests are slowed down".to_owned()),
        BotRule::Challenge => parts.push("automatic requests have to solve a challenge".to_owned()),
        BotRule::Block => parts.push("automatic requests are refused".to_owned()),
    }
    if waf.injections {
        parts.push("injections are refused".to_owned());
    }
    if !waf.block_paths.is_empty() {
        parts.push(format!("{} are refused", words::codes(&waf.block_paths)));
    }
    if !waf.block_countries.is_empty() {
        parts.push(format!(
            "requests from {} are refused",
            words::texts(&waf.block_countries)
        ));
    }
    parts.join(", ")
}
