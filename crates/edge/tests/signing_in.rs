//! Signing in at a real provider, with everything that can be wrong about it.
#![allow(clippy::disallowed_methods, reason = "the provider is a process of its own")]

mod issuer;
mod kit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use issuer::{Browser, Issuer};
use kit::{Instance, Reply, Running, host, request, target};
use serde_json::{Value, json};
use towpath_model::desired::edge::SignIn;
use towpath_model::run::{Access, Carried, Rules};
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Domain, Email, Unit, Url};

fn access(issuer: &Issuer) -> Access {
    Access {
        issuer: Some(Url::parse(&issuer.url).expect("an address")),
        client: Some("shop".to_owned()),
        ..Access::by(SignIn::Oidc)
    }
}

async fn guarded(rules: Rules) -> (Running, Instance) {
    let running = kit::edge().await;
    let one = Instance::start("one");
    let mut web = target("web", &[("one", one.at)], Duration::from_secs(5));
    web.rules = Arc::new(rules);
    running.set(web).await;
    (running, one)
}

/// An edge with a sign-in at a provider, where that is installed.
async fn at_provider(change: impl FnOnce(&mut Access)) -> Option<(Issuer, Running, Instance)> {
    let issuer = Issuer::start()?;
    let mut access = access(&issuer);
    change(&mut access);
    let rules = Rules {
        access: Some(access),
        ..Rules::default()
    };
    let (running, one) = guarded(rules).await;
    Some((issuer, running, one))
}

fn failed(reply: &Reply, browser: &Browser, why: &str) {
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.text());
    assert!(reply.text().contains(why), "{why}: {}", reply.text());
    assert!(!browser.has_session());
}

#[tokio::test]
async fn whoever_signs_in_goes_where_they_wanted_to_and_the_instance_knows_them() {
    let Some((issuer, running, one)) = at_provider(|_| {}).await else {
        return;
    };
    let mut browser = Browser::default();
    let sent = browser.open(&running, "/headers?a=b&c=%2Fd").await;
    let location = sent.header("location").to_owned();
    for part in [
        "response_type=code&client_id=shop&redirect_uri=http%3A%2F%2Fweb.hello.localhost%2F.well-known%2Ftowpath%2Fsign-in%2Fback",
        "&scope=openid%20email%20profile&",
        "&code_challenge_method=S256",
    ] {
        assert!(location.contains(part), "{location}");
    }
    assert!(
        !location.contains("headers"),
        "where they go is nothing to the provider"
    );
    assert_eq!(one.got(), 0);
    let back = browser.at_provider(&issuer, &sent).await;
    let arrived = browser.open(&running, &back).await;
    assert_eq!(
        (arrived.status, arrived.header("location")),
        (StatusCode::SEE_OTHER, "/headers?a=b&c=%2Fd")
    );
    assert!(browser.has_session());
    browser.cookies.insert("own".to_owned(), "1".to_owned());
    let forged = [("x-towpath-user", "root@example.com"), ("accept", "text/html")];
    let known = browser.open_with(&running, "/headers", &forged).await;
    assert_eq!(known.status, StatusCode::OK);
    assert!(
        known.text().contains("x-towpath-user: ana@example.com\n"),
        "{}",
        known.text()
    );
    assert!(
        !known.text().contains("root@"),
        "what a visitor says about it is not believed"
    );
    assert!(known.text().contains("cookie: own=1\n"), "{}", known.text());
    // What has been changed by hand is no session.
    let name = browser
        .cookies
        .keys()
        .find(|name| name.starts_with("towpath-session-"));
    let name = name.expect("there is one").clone();
    let mut other = browser.clone();
    let sealed = other.cookies.get_mut(&name).expect("there is one");
    let last = if sealed.pop() == Some('A') { 'B' } else { 'A' };
    sealed.insert(0, last);
    assert_eq!(other.open(&running, "/").await.status, StatusCode::SEE_OTHER);
    // Out again.
    let cross = [("accept", "text/html"), ("sec-fetch-site", "cross-site")];
    let out = "/.well-known/towpath/sign-in/out";
    assert_eq!(
        browser.open_with(&running, out, &cross).await.status,
        StatusCode::FORBIDDEN
    );
    assert!(browser.has_session());
    let left = browser.open(&running, out).await;
    assert!(
        left.text().contains("You are signed out") && left.text().contains("/endsession"),
        "{}",
        left.text()
    );
    assert!(!browser.has_session());
    assert_eq!(browser.open(&running, "/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn several_tabs_sign_in_at_once_and_a_way_is_good_for_one_browser_and_once() {
    let Some((issuer, running, _one)) = at_provider(|_| {}).await else {
        return;
    };
    let mut browser = Browser::default();
    let first = browser.open(&running, "/first").await;
    let second = browser.open(&running, "/second").await;
    let first = browser.at_provider(&issuer, &first).await;
    let second = browser.at_provider(&issuer, &second).await;
    // Somebody else's browser, a state that is none of ours, and one without.
    let mut other = Browser::default();
    other.open(&running, "/").await;
    failed(
        &other.open(&running, &first).await,
        &other,
        "This sign-in was not begun here",
    );
    failed(
        &Browser::default().open(&running, &first).await,
        &other,
        "was not begun here",
    );
    let (before, _) = first.split_once("state=").expect("it has one");
    for wrong in [format!("{before}state=AAAA"), before.to_owned()] {
        failed(&other.open(&running, &wrong).await, &other, "was not begun here");
    }
    for (back, to) in [(&second, "/second"), (&first, "/first")] {
        let arrived = browser.open(&running, back).await;
        assert_eq!(
            (arrived.status, arrived.header("location")),
            (StatusCode::SEE_OTHER, to)
        );
    }
    // The code was taken already.
    let mut again = browser.clone();
    again.cookies.retain(|name, _| name == "towpath-browser");
    failed(
        &again.open(&running, &first).await,
        &again,
        "does not take its code",
    );
    // The code of one way does not fit the other one: its verifier is another.
    let third = again.open(&running, "/third").await;
    let fourth = again.open(&running, "/fourth").await;
    let third = again.at_provider(&issuer, &third).await;
    let fourth = again.at_provider(&issuer, &fourth).await;
    let state = third.split("state=").nth(1).expect("a state");
    let (code, _) = fourth.split_once("state=").expect("a code");
    let mixed = again.open(&running, &format!("{code}state={state}")).await;
    failed(&mixed, &again, "does not take its code");
    let refused = format!("/.well-known/towpath/sign-in/back?error=access_denied&state={state}");
    let refused = again.open(&running, &refused).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(
        refused.text().contains("It says: access_denied."),
        "{}",
        refused.text()
    );
    let foreign =
        format!("/.well-known/towpath/sign-in/back?code=a&iss=https%3A%2F%2Fevil.example&state={state}");
    failed(
        &again.open(&running, &foreign).await,
        &again,
        "from another provider",
    );
}

#[tokio::test]
async fn a_token_that_does_not_hold_lets_nobody_in() {
    let Some((issuer, running, one)) = at_provider(|_| {}).await else {
        return;
    };
    let rows: [(Value, Value, &str); 11] = [
        (
            json!({ "nonce": "another" }),
            Value::Null,
            "it is not the answer to this sign-in",
        ),
        (
            json!({ "nonce": null }),
            Value::Null,
            "it is not the answer to this sign-in",
        ),
        (
            json!({}),
            json!("none"),
            "it is signed in a way that is not believed",
        ),
        (
            json!({}),
            json!("hmac"),
            "it is signed in a way that is not believed",
        ),
        (json!({}), json!("changed"), "its signature is wrong"),
        (json!({ "exp": { "now": -90 } }), Value::Null, "it has expired"),
        (json!({ "exp": null }), Value::Null, "it has expired"),
        (
            json!({ "nbf": { "now": 90 } }),
            Value::Null,
            "it is from a time that has not come",
        ),
        (
            json!({ "aud": "another" }),
            Value::Null,
            "it is for somebody else",
        ),
        (
            json!({ "aud": ["shop", "another"] }),
            Value::Null,
            "it was issued to somebody else",
        ),
        (
            json!({ "iss": "https://evil.example" }),
            Value::Null,
            "somebody else has issued it",
        ),
    ];
    for (index, (claims, forge, why)) in rows.into_iter().enumerate() {
        issuer.wish(json!({ "claims": claims }));
        issuer.wish(json!({ "forge": forge }));
        let mut browser = Browser::default();
        let reply = browser.sign_in(&running, &issuer, "/").await;
        // Whoever fails ten times waits: nobody tries out what may pass.
        if index < 10 {
            failed(&reply, &browser, why);
        } else {
            assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS, "{}", reply.text());
        }
    }
    assert_eq!(one.got(), 0);
}

#[tokio::test]
async fn clocks_may_differ_by_a_minute_and_keys_may_be_new() {
    let Some((issuer, running, _one)) = at_provider(|_| {}).await else {
        return;
    };
    for claims in [
        json!({ "exp": { "now": -30 } }),
        json!({ "nbf": { "now": 30 }, "iat": { "now": 30 } }),
        json!({ "aud": ["shop", "another"], "azp": "shop" }),
        json!({ "email_verified": "true" }),
    ] {
        issuer.wish(json!({ "claims": claims }));
        let mut browser = Browser::default();
        let reply = browser.sign_in(&running, &issuer, "/").await;
        assert_eq!(
            (reply.status, browser.has_session()),
            (StatusCode::SEE_OTHER, true),
            "{}",
            reply.text()
        );
    }
    issuer.wish(json!({ "claims": {} }));
    for way in ["ES256", "EdDSA"] {
        let new = issuer.wish(json!({ "rotate": way }));
        let mut signed = Value::Null;
        for _ in 0..4 {
            let mut browser = Browser::default();
            browser.sign_in(&running, &issuer, "/").await;
            assert!(browser.has_session());
            signed = issuer.wish(json!({ "seen": null }))["kid"].clone();
            if signed == new {
                break;
            }
        }
        assert_eq!(signed, new, "the new key was used");
    }
    // Tokens with keys that nobody has make nobody ask the provider without end.
    let asked = format!("Bearer {}", issuer.token(json!({ "aud": "shop" })));
    let reply = get(&running, "/", &[("authorization", &asked)]).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
}

async fn get(running: &Running, path: &str, headers: &[(&str, &str)]) -> Reply {
    running
        .ask(request(Method::GET, &host("web"), path, headers, ""))
        .await
}

#[tokio::test]
async fn programs_are_told_and_may_bring_a_token() {
    let Some((issuer, running, _one)) = at_provider(|access| {
        access.domains = vec![Domain::parse("example.com").expect("a domain")];
    })
    .await
    else {
        return;
    };
    let asked = get(&running, "/", &[("accept", "*/*")]).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(asked.header("www-authenticate"), "Bearer");
    assert_eq!(asked.header("content-type"), "application/problem+json");
    assert_eq!(asked.header("location"), "");
    let problem: Value = serde_json::from_slice(&asked.body).expect("it is JSON");
    assert_eq!(problem["status"], 401);
    let script = [("accept", "text/html"), ("sec-fetch-mode", "cors")];
    assert_eq!(get(&running, "/", &script).await.status, StatusCode::UNAUTHORIZED);
    let with = async |claims: Value| {
        let bearer = format!("Bearer {}", issuer.token(claims));
        get(&running, "/headers", &[("authorization", &bearer)]).await
    };
    let known = with(json!({ "aud": "shop" })).await;
    assert!(
        known.text().contains("x-towpath-user: ana@example.com\n"),
        "{}",
        known.text()
    );
    let other = with(json!({ "aud": "another" })).await;
    assert_eq!(other.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        other.header("www-authenticate"),
        "Bearer error=\"invalid_token\", error_description=\"it is for somebody else\""
    );
    let stranger = with(json!({ "aud": "shop", "email": "bo@example.org" })).await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    let unverified = with(json!({ "aud": "shop", "email_verified": false })).await;
    assert_eq!(unverified.status, StatusCode::FORBIDDEN);
    assert!(
        unverified.text().contains("Have it verified there."),
        "{}",
        unverified.text()
    );
}

#[tokio::test]
async fn only_those_who_are_named_pass_by_what_is_verified_of_them() {
    let Some((issuer, running, one)) = at_provider(|access| {
        access.people = vec![Email::parse("Ana@example.com").expect("an address")];
        access.groups = vec!["ops".to_owned()];
        access.secret = Some("CLIENT_SECRET".to_owned());
    })
    .await
    else {
        return;
    };
    let mut browser = Browser::default();
    let early = browser.open(&running, "/").await;
    assert_eq!(
        early.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "nobody knows the secret yet"
    );
    let secret = Sealed::new("s3cret/+".to_owned());
    running
        .edge
        .know(&BTreeMap::from([("CLIENT_SECRET".to_owned(), secret)]));
    for (claims, why) in [
        (json!({ "email_verified": false }), "Have it verified there"),
        (json!({ "email_verified": null }), "Have it verified there"),
        (json!({ "email": "bo@example.com" }), "none of those who may pass"),
        (json!({ "groups": ["sales"] }), "in none of the groups"),
        (json!({ "groups": null }), "in none of the groups"),
    ] {
        issuer.wish(json!({ "claims": claims }));
        let reply = browser.sign_in(&running, &issuer, "/").await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        assert!(
            reply.text().contains(why) && !browser.has_session(),
            "{why}: {}",
            reply.text()
        );
    }
    // What the token does not say is asked for, and taken for the same person only.
    issuer.wish(json!({ "claims": { "groups": null } }));
    issuer.wish(json!({ "userinfo": { "sub": "another", "groups": ["ops"] } }));
    let reply = browser.sign_in(&running, &issuer, "/").await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    issuer.wish(json!({ "userinfo": { "sub": "johndoe", "groups": ["ops"], "email": "eve@example.com" } }));
    let reply = browser.sign_in(&running, &issuer, "/headers").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
    let known = browser.open(&running, "/headers").await;
    assert!(
        known.text().contains("x-towpath-user: ana@example.com\n"),
        "{}",
        known.text()
    );
    assert_eq!(one.got(), 1);
    // shop:s3cret%2F%2B
    let seen = issuer.wish(json!({ "seen": null }));
    assert_eq!(seen["authorization"], "Basic c2hvcDpzM2NyZXQlMkYlMkI=");
    assert_eq!(seen["client"], Value::Null);
}

#[tokio::test]
async fn a_provider_that_is_down_is_told_and_concerns_nobody_who_is_in() {
    let Some((issuer, running, _one)) = at_provider(|_| {}).await else {
        return;
    };
    let port = issuer.port();
    issuer.wish(json!({ "stop": null }));
    let mut browser = Browser::default();
    let down = browser.open(&running, "/a").await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
    for words in [
        "The place where people sign in does not answer",
        "localhost cannot be asked",
        "Try it again in a while",
        "http://web.hello.localhost/.well-known/towpath/sign-in/begin?to=%2Fa",
    ] {
        assert!(down.text().contains(words), "{words}: {}", down.text());
    }
    let program = get(&running, "/", &[("authorization", "Bearer a.b.c")]).await;
    assert_eq!(
        program.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        program.text()
    );
    issuer.wish(json!({ "start": port }));
    kit::until("it answers again", async || {
        let again = "/.well-known/towpath/sign-in/begin?to=%2Fa";
        Browser::default().open(&running, again).await.status == StatusCode::SEE_OTHER
    })
    .await;
    let sent = browser.open(&running, "/a").await;
    let back = browser.at_provider(&issuer, &sent).await;
    issuer.wish(json!({ "stop": null }));
    let broken = browser.open(&running, &back).await;
    assert_eq!(
        broken.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        broken.text()
    );
    issuer.wish(json!({ "start": port }));
    let reply = browser.sign_in(&running, &issuer, "/a").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (StatusCode::SEE_OTHER, "/a")
    );
    issuer.wish(json!({ "stop": null }));
    assert_eq!(browser.open(&running, "/a").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_sign_in_before_a_part_leads_back_to_it_and_never_to_another_host() {
    let Some(issuer) = Issuer::start() else {
        return;
    };
    let (running, one) = guarded(Rules::default()).await;
    let mut web = target("web", &[("one", one.at)], Duration::from_secs(5));
    let part = Rules {
        access: Some(access(&issuer)),
        ..Rules::default()
    };
    web.routes = vec![towpath_edge::Route {
        path: "/admin".to_owned(),
        to: None,
        rules: Arc::new(part),
    }];
    running.set(web).await;
    let mut browser = Browser::default();
    assert_eq!(browser.open(&running, "/").await.status, StatusCode::OK);
    let reply = browser.sign_in(&running, &issuer, "/admin/headers").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (StatusCode::SEE_OTHER, "/admin/headers")
    );
    assert_eq!(browser.open(&running, "/admin/x").await.status, StatusCode::OK);
    let open = browser.open(&running, "/headers").await;
    assert!(
        !open.text().contains("towpath-session"),
        "what is open does not see it either"
    );
    // A path of ours that is for no sign-in is the component's own.
    let begin = "/.well-known/towpath/sign-in/begin";
    let own = browser
        .open(&running, &format!("{begin}?to=%2F%2Fevil.example%2Fadmin"))
        .await;
    assert_eq!(own.status, StatusCode::OK);
    let mut whole = target("web", &[("one", one.at)], Duration::from_secs(5));
    whole.rules = Arc::new(Rules {
        access: Some(access(&issuer)),
        ..Rules::default()
    });
    running.set(whole).await;
    for to in [
        "%2F%2Fevil.example%2F",
        "https%3A%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "%2F%09%2Fevil.example",
    ] {
        let mut browser = Browser::default();
        let reply = browser
            .sign_in(&running, &issuer, &format!("{begin}?to={to}"))
            .await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (StatusCode::SEE_OTHER, "/"),
            "{to}"
        );
    }
}

#[tokio::test]
async fn a_token_in_a_header_is_verified() {
    let Some(issuer) = Issuer::start() else {
        return;
    };
    let (running, one) = guarded(Rules {
        require: vec![Carried {
            header: "Authorization".to_owned(),
            methods: Vec::new(),
            issuer: Some(Url::parse(&issuer.url).expect("an address")),
            audience: Some("https://api.example.com".to_owned()),
        }],
        ..Rules::default()
    })
    .await;
    let none = get(&running, "/", &[]).await;
    assert_eq!(
        (none.status, none.header("www-authenticate")),
        (StatusCode::UNAUTHORIZED, "Bearer")
    );
    let with = async |claims: Value| {
        let bearer = format!("bearer {}", issuer.token(claims));
        get(&running, "/headers", &[("authorization", &bearer)]).await
    };
    let good = with(json!({ "aud": ["https://api.example.com", "other"] })).await;
    assert_eq!(good.status, StatusCode::OK);
    assert!(
        good.text().contains("authorization: bearer "),
        "the instance may read it, too"
    );
    for (claims, why) in [
        (
            json!({ "aud": "https://other.example.com" }),
            "it is for somebody else",
        ),
        (json!({}), "it is for somebody else"),
        (
            json!({ "aud": "https://api.example.com", "exp": 1_000 }),
            "it has expired",
        ),
        (
            json!({ "aud": "https://api.example.com", "iss": "https://evil.example" }),
            "somebody else has issued it",
        ),
    ] {
        let reply = with(claims).await;
        let how = format!("Bearer error=\"invalid_token\", error_description=\"{why}\"");
        assert_eq!(
            (reply.status, reply.header("www-authenticate")),
            (StatusCode::UNAUTHORIZED, how.as_str())
        );
        assert_eq!(reply.header("content-type"), "application/problem+json");
    }
    for garbled in [
        "Bearer a.b.c",
        "Bearer ",
        "Basic YTpi",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
    ] {
        let reply = get(&running, "/", &[("authorization", garbled)]).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{garbled}");
    }
    assert_eq!(one.got(), 1);
    // Keys that were learnt go on when their issuer does not.
    let bearer = format!(
        "Bearer {}",
        issuer.token(json!({ "aud": "https://api.example.com" }))
    );
    issuer.wish(json!({ "stop": null }));
    let good = get(&running, "/", &[("authorization", &bearer)]).await;
    assert_eq!(good.status, StatusCode::OK);
}

#[tokio::test]
async fn over_https_no_other_host_can_set_what_somebody_is_known_by() {
    let Some((issuer, running, _one)) = at_provider(|_| {}).await else {
        return;
    };
    let open = async |path: &str, cookie: &str| {
        let stream = running
            .tls(&host("web"), &[b"http/1.1"])
            .await
            .expect("a handshake");
        let mut sender = kit::http_one(stream).await;
        let headers = [("accept", "text/html"), ("cookie", cookie)];
        let asked = request(Method::GET, &host("web"), path, &headers, "");
        kit::read(sender.send_request(asked).await.expect("an answer")).await
    };
    let sent = open("/a", "a=1").await;
    let set = sent.header("set-cookie");
    assert!(
        set.starts_with("__Host-towpath-browser=") && set.ends_with("; Secure"),
        "{set}"
    );
    let browser = set.split(';').next().expect("a cookie");
    let path = sent
        .header("location")
        .strip_prefix(&issuer.url)
        .expect("it leads to the provider");
    let back = kit::ask(issuer.at(), kit::get("provider", path)).await;
    let own = format!("https://{}", host("web"));
    let back = back
        .header("location")
        .strip_prefix(&own)
        .expect("it leads back")
        .to_owned();
    let unsafe_one = browser.trim_start_matches("__Host-");
    assert_eq!(open(&back, unsafe_one).await.status, StatusCode::BAD_REQUEST);
    let arrived = open(&back, browser).await;
    let set = arrived.header("set-cookie");
    assert!(
        set.starts_with("__Host-towpath-session-") && set.ends_with("; Secure"),
        "{set}"
    );
    let session = set.split(';').next().expect("a cookie");
    assert_eq!(open("/a", session).await.status, StatusCode::OK);
    let unsafe_one = session.trim_start_matches("__Host-");
    assert_eq!(open("/a", unsafe_one).await.status, StatusCode::SEE_OTHER);
}
