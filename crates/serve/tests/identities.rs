//! Jobs show who they are, to a real machine, with identities of a real issuer, and forged ones.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a machine has a real folder, an issuer is a real process, and a test that is left out says so"
)]

#[allow(dead_code, reason = "the other tests of this kit ask for more of it")]
mod kit;

use base64_simd::URL_SAFE_NO_PAD;
use http::Method;
use kit::{BOUND, Bed};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use towpath_api::{
    Client, ClientError, Exchange, Machine, Minted, Pin, Problem, Remote, Token, TrustTold, Verb, audience,
    exchange,
};

/// An issuer, a process of its own.
struct Issuer {
    url: String,
    talk: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    child: Child,
}

impl Issuer {
    /// Starts one, where it is installed.
    fn start() -> Option<Issuer> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = here.join("../../target/oidc");
        if !folder.join("node_modules/oauth2-mock-server").exists() {
            println!("left out: oauth2-mock-server is not installed");
            return None;
        }
        let mut child = Command::new("node")
            .arg(here.join("../edge/tests/issuer/run.mjs"))
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is node");
        let said = child.stdout.take().expect("it says something");
        let mut talk = (child.stdin.take().expect("it hears"), BufReader::new(said));
        let url = line(&mut talk.1).as_str().expect("an address").to_owned();
        Some(Issuer {
            url,
            talk: Mutex::new(talk),
            child,
        })
    }

    fn wish(&self, wish: Value) -> Value {
        let mut talk = self.talk.lock().expect("it is not held");
        writeln!(talk.0, "{wish}").expect("it hears");
        line(&mut talk.1)
    }

    /// An identity that says this besides what the job of a tag says.
    fn identity(&self, pin: Pin, other: &Value) -> String {
        let mut claims = json!({
            "aud": audience(pin),
            "sub": "repo:acme/shop:ref:refs/tags/v1.2",
            "repository": "acme/shop",
            "ref": "refs/tags/v1.2",
        });
        for (name, value) in other.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let token = self.wish(json!({ "token": claims }));
        token.as_str().expect("a token").to_owned()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(said: &mut impl BufRead) -> Value {
    let mut line = String::new();
    said.read_line(&mut line).expect("it says something");
    serde_json::from_str(&line).expect("it is JSON")
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is later").as_secs()
}

/// The head of a token, changed.
fn with_head(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let (head, rest) = token.split_once('.').expect("three parts");
    let head = URL_SAFE_NO_PAD.decode_to_vec(head).expect("it is base64");
    let mut head: Value = serde_json::from_slice(&head).expect("it is JSON");
    change(&mut head);
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode_to_string(head.to_string()))
}

async fn trust(bed: &Bed, issuer: &str, claims: &[(&str, &str)]) -> TrustTold {
    let claims: BTreeMap<_, _> = claims.iter().map(|(claim, like)| (*claim, [*like])).collect();
    let asked = json!({
        "product": "shop", "environment": "prod", "may": ["read", "deploy"], "issuer": issuer, "claims": claims,
    });
    let (status, _, text) = bed
        .ask(Method::POST, "/v1/trusts", asked.to_string().into())
        .await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).expect("it is one")
}

/// Shows an identity through the machine's own socket, where nobody waits for a refusal.
async fn show(bed: &Bed, identity: &str) -> Result<Minted, Problem> {
    let asked = json!({ "product": "shop", "environment": "prod", "identity": identity });
    let (status, _, text) = bed
        .ask(Method::POST, "/v1/exchange", asked.to_string().into())
        .await;
    match status.is_success() {
        true => Ok(serde_json::from_str(&text).expect("it is one")),
        false => Err(serde_json::from_str(&text).expect("it is one")),
    }
}

async fn refused(bed: &Bed, identity: &str) -> Problem {
    match show(bed, identity).await {
        Ok(minted) => panic!("it was to be refused: {:?}", minted.told),
        Err(problem) => problem,
    }
}

const WANTED: &[(&str, &str)] = &[("repository", "acme/shop"), ("ref", "refs/tags/v*")];

fn log(bed: &Bed) -> String {
    std::fs::read_to_string(bed.home().join("serve.log")).unwrap_or_default()
}

#[tokio::test]
async fn a_job_shows_who_it_is_and_may_do_what_it_is_trusted_with_and_nothing_else() {
    let Some(issuer) = Issuer::start() else {
        return;
    };
    let bed = Bed::new().await;
    let trusted = trust(&bed, &issuer.url, WANTED).await;
    let pin = bed.open.pin;
    assert_eq!(trusted.what.audience, Some(audience(pin)));
    let identity = issuer.identity(pin, &json!({ "jti": "job-1", "run_id": "77" }));
    let port = bed.open.listen.expect("it listens").port();
    let shown = Exchange {
        product: "shop".to_owned(),
        environment: "prod".to_owned(),
        identity: identity.clone(),
    };
    let token: Token = exchange("127.0.0.1", port, pin, &shown)
        .await
        .expect("it is given");
    let client =
        |product: &str| Client::elsewhere(Remote::new("127.0.0.1", port, token.clone(), product, "prod"));
    client("shop")
        .ask::<_, Value>(Method::POST, "/deploy", &())
        .await
        .expect_err("no steward of ours answers JSON");
    let status = |asked: Result<Machine, ClientError>| match asked {
        Err(ClientError::Refused(problem)) => problem.status,
        other => panic!("it was to be refused: {other:?}"),
    };
    assert_eq!(status(client("shop").ask(Method::POST, "/down", &()).await), 403);
    assert_eq!(
        status(client("shop").ask(Method::GET, "/secrets", &()).await),
        403
    );
    assert_eq!(status(client("till").ask(Method::GET, "/status", &()).await), 403);
    // Once, whoever shows it, and also under its name with other words.
    assert_eq!(refused(&bed, &identity).await.code, "spent");
    let again = issuer.identity(pin, &json!({ "jti": "job-1", "run_id": "78" }));
    assert_eq!(refused(&bed, &again).await.code, "spent");
    let other = show(&bed, &issuer.identity(pin, &json!({ "jti": "job-2" })))
        .await
        .expect("it is given");
    let lasts = other.told.expires.duration_since(other.told.created);
    assert_eq!(lasts.as_mins(), 15);
    assert_eq!(other.told.may, [Verb::Read, Verb::Deploy]);
    assert_eq!(
        (other.told.environments.as_slice(), other.told.product.as_str()),
        (&["prod".to_owned()][..], "shop")
    );

    // Who it was is written down, and neither the identity nor the token.
    let written = log(&bed);
    let lines: Vec<Value> = written
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    let given = lines
        .iter()
        .find(|line| line["identity"]["token"] == token.id.as_str());
    let given = given.unwrap_or_else(|| panic!("it is written down: {written}"));
    assert_eq!(given["who"], "identity repo:acme/shop:ref:refs/tags/v1.2");
    assert_eq!(given["identity"]["claims"]["run_id"], "77");
    assert_eq!(given["identity"]["claims"]["repository"], "acme/shop");
    assert_eq!(given["identity"]["trust"], trusted.id.as_str());
    assert_eq!(
        (given["from"].as_str(), given["environment"].as_str()),
        (Some("127.0.0.1"), Some("prod"))
    );
    let kept = std::fs::read_to_string(bed.home().join("tokens.json")).expect("it is there");
    for text in [written.as_str(), kept.as_str()] {
        assert!(!text.contains(token.secret.open().as_str()) && !text.contains(&identity));
        let signature = identity.rsplit('.').next().expect("three parts");
        assert!(!text.contains(signature));
    }

    let path = format!("/v1/trusts/{}", trusted.id);
    let (_, _, text) = bed.ask(Method::DELETE, &path, Vec::new()).await;
    assert_eq!(text, "{\"trusts\":[]}");
    assert_eq!(status(client("shop").ask(Method::GET, "/status", &()).await), 401);
    let late = issuer.identity(pin, &json!({}));
    assert_eq!(refused(&bed, &late).await.code, "nobody-trusted");
    bed.end().await;
}

#[tokio::test]
async fn whatever_is_forged_or_not_what_is_wanted_is_refused_and_it_is_said_why() {
    let (Some(issuer), Some(stranger)) = (Issuer::start(), Issuer::start()) else {
        return;
    };
    let bed = Bed::new().await;
    let pin = bed.open.pin;
    assert_eq!(refused(&bed, "a.b.c").await.code, "not-an-identity");
    trust(&bed, &issuer.url, WANTED).await;
    let own = |other: Value| issuer.identity(pin, &other);
    let forged = |way: &str| {
        issuer.wish(json!({ "forge": way }));
        let token = own(json!({}));
        issuer.wish(json!({ "forge": null }));
        token
    };
    let posing = stranger.identity(pin, &json!({ "iss": issuer.url }));
    let good = own(json!({}));
    let named: Value = {
        let head = good.split('.').next().expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(head).expect("base64")).expect("JSON")
    };
    let same_name = with_head(&posing, |head| head["kid"] = named["kid"].clone());
    let nameless = with_head(&posing, |head| {
        drop(head.as_object_mut().expect("an object").remove("kid"))
    });
    let now = now();
    for (what, identity, status, code, said) in [
        (
            "alg none",
            forged("none"),
            401,
            "wrong-algorithm",
            "it is signed by `none` (`alg`)".to_owned(),
        ),
        (
            "HS256 with the public key",
            forged("hmac"),
            401,
            "wrong-algorithm",
            "it is signed by `HS256` (`alg`)".to_owned(),
        ),
        (
            "changed",
            forged("changed"),
            401,
            "wrong-signature",
            "its signature is wrong".to_owned(),
        ),
        (
            "another key",
            posing.clone(),
            401,
            "unknown-key",
            "(`kid`), which its issuer has not published".to_owned(),
        ),
        (
            "another key of that name",
            same_name,
            401,
            "wrong-signature",
            "its signature is wrong".to_owned(),
        ),
        (
            "another key without a name",
            nameless,
            401,
            "wrong-signature",
            "its signature is wrong".to_owned(),
        ),
        (
            "another algorithm",
            with_head(&good, |head| head["alg"] = json!("ES256")),
            401,
            "wrong-signature",
            "its signature is wrong".to_owned(),
        ),
        (
            "another type",
            with_head(&good, |head| head["typ"] = json!("at+jwt")),
            401,
            "wrong-type",
            "`at+jwt` (`typ`)".to_owned(),
        ),
        (
            "something critical",
            with_head(&good, |head| head["crit"] = json!(["b64"])),
            401,
            "not-understood",
            "`crit`".to_owned(),
        ),
        (
            "a key with it",
            with_head(&good, |head| head["jwk"] = json!({ "kty": "RSA" })),
            401,
            "wrong-signature",
            "its signature is wrong".to_owned(),
        ),
        (
            "without a signature",
            format!("{}.", good.rsplit_once('.').expect("three parts").0),
            401,
            "wrong-signature",
            "its signature is wrong".to_owned(),
        ),
        (
            "too long",
            format!("{good}{}", "A".repeat(20_000)),
            401,
            "not-an-identity",
            "no signed token".to_owned(),
        ),
        (
            "expired",
            own(json!({ "exp": now - 120 })),
            401,
            "expired",
            "it has expired at".to_owned(),
        ),
        (
            "not yet",
            own(json!({ "nbf": now + 120 })),
            401,
            "not-yet",
            "(`nbf`), which has not come".to_owned(),
        ),
        (
            "issued later",
            own(json!({ "iat": now + 120 })),
            401,
            "not-yet",
            "(`iat`), which has not come".to_owned(),
        ),
        (
            "for ever",
            own(json!({ "exp": now + 200_000 })),
            401,
            "lasts-too-long",
            "a day is the longest".to_owned(),
        ),
        (
            "without an end",
            own(json!({ "exp": null })),
            401,
            "no-time",
            "its `exp` is missing".to_owned(),
        ),
        (
            "wrong audience",
            own(json!({ "aud": "sts.amazonaws.com" })),
            403,
            "wrong-audience",
            format!("its audience `aud` is `sts.amazonaws.com`, and `towpath:{pin}` is wanted"),
        ),
        (
            "no audience",
            own(json!({ "aud": null })),
            403,
            "wrong-audience",
            "its audience `aud` is missing".to_owned(),
        ),
        (
            "another issuer",
            stranger.identity(pin, &json!({})),
            403,
            "wrong-issuer",
            format!(
                "its issuer `iss` is `{}`, and `{}` is trusted",
                stranger.url, issuer.url
            ),
        ),
        (
            "no issuer",
            own(json!({ "iss": null })),
            403,
            "wrong-issuer",
            "its issuer `iss` is missing".to_owned(),
        ),
        (
            "a fork",
            own(json!({ "repository": "evil/shop" })),
            403,
            "wrong-claim",
            "its claim `repository` is `evil/shop`, and `acme/shop` is wanted".to_owned(),
        ),
        (
            "a branch",
            own(json!({ "ref": "refs/heads/v1" })),
            403,
            "wrong-claim",
            "its claim `ref` is `refs/heads/v1`, and `refs/tags/v*` is wanted".to_owned(),
        ),
        (
            "no claim",
            own(json!({ "ref": null })),
            403,
            "wrong-claim",
            "its claim `ref` is missing".to_owned(),
        ),
    ] {
        let problem = refused(&bed, &identity).await;
        assert_eq!(
            (problem.status, problem.code.as_str()),
            (status, code),
            "{what}: {}",
            problem.message
        );
        assert!(problem.message.contains(&said), "{what}: {}", problem.message);
        assert!(problem.hint.is_some(), "{what}");
    }
    // Refusals of what is real are written down with the claim, and what is forged could be anybody's.
    let written = log(&bed);
    assert!(
        written.contains("its claim `repository` is `evil/shop`"),
        "{written}"
    );
    assert!(!written.contains("\"sub\":\"root\""), "{written}");
    // None of that was an exchange.
    assert!(show(&bed, &good).await.is_ok());
    bed.end().await;
}

#[tokio::test]
async fn a_new_key_of_the_issuer_is_learnt_and_the_known_ones_do_while_it_is_down() {
    let Some(issuer) = Issuer::start() else {
        return;
    };
    let bed = Bed::new().await;
    let pin = bed.open.pin;
    trust(&bed, &issuer.url, WANTED).await;
    let port: u16 = issuer
        .url
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    let identity = issuer.identity(pin, &json!({ "jti": "0" }));
    issuer.wish(json!({ "stop": null }));
    let early = refused(&bed, &identity).await;
    assert_eq!(
        (early.status, early.code.as_str()),
        (503, "no-keys"),
        "{}",
        early.message
    );
    assert!(early.message.contains("cannot be asked"), "{}", early.message);
    issuer.wish(json!({ "start": port }));
    // It is left alone for a moment after it has not answered.
    let began = std::time::Instant::now();
    while show(&bed, &issuer.identity(pin, &json!({ "jti": "1" })))
        .await
        .is_err()
    {
        assert!(began.elapsed() < BOUND, "it is asked again");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let fresh = issuer.wish(json!({ "rotate": "ES256" }));
    let fresh = fresh.as_str().expect("the name of a key");
    // It signs with one key and the other in turns.
    let mut signed = (0..4).map(|nth| issuer.identity(pin, &json!({ "jti": format!("turn-{nth}") })));
    let by_fresh = signed.find(|token| {
        let head = token.split('.').next().expect("three parts");
        let head = URL_SAFE_NO_PAD.decode_to_vec(head).expect("base64");
        String::from_utf8_lossy(&head).contains(fresh)
    });
    show(&bed, &by_fresh.expect("one is"))
        .await
        .expect("the new key is learnt");
    let identity = issuer.identity(pin, &json!({ "jti": "down" }));
    issuer.wish(json!({ "stop": null }));
    show(&bed, &identity).await.expect("its keys are known");
    bed.end().await;
}

/// What an address answers, and how often it was asked.
struct Odd {
    url: String,
    asked: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Odd {
    async fn new(answers: impl Fn(&str, &str) -> Option<String> + Send + 'static) -> Odd {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (own, asked) = (url.clone(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 4096];
                let read = stream.read(&mut head).await.unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default();
                count.fetch_add(1, Ordering::SeqCst);
                let answer = match answers(&own, path) {
                    Some(text) => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len()),
                    None => "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n".to_owned(),
                };
                // Who has read enough goes before the end.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Odd { url, asked, serving }
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn discovery(own: &str, path: &str, keys: &str) -> String {
    match path {
        "/keys" => keys.to_owned(),
        _ => json!({ "issuer": own, "jwks_uri": format!("{own}/keys") }).to_string(),
    }
}

/// An identity that somebody has made up.
fn made_up(issuer: &str, key: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode_to_string(value.to_string());
    let (head, words) = (json!({ "alg": "RS256", "kid": key }), json!({ "iss": issuer }));
    format!("{}.{}.{}", part(head), part(words), "A".repeat(342))
}

#[tokio::test]
async fn an_issuer_that_says_nonsense_lets_nobody_in_and_keeps_nobody_waiting() {
    let bed = Bed::new().await;
    let big = |length: usize| {
        let key = json!({ "kty": "RSA", "kid": "k", "n": "A".repeat(length), "e": "AQAB" });
        json!({ "keys": [key] }).to_string()
    };
    let hmac = json!({ "keys": [{ "kty": "oct", "kid": "k", "k": "c2VjcmV0" }] }).to_string();
    let (long, huge) = (big(100_000), big(600_000));
    let odd = [
        (Odd::new(|_, _| None).await, 503, "has answered 500"),
        (
            Odd::new(|_, _| Some("<html>".to_owned())).await,
            503,
            "cannot be read",
        ),
        (
            Odd::new(|_, _| Some("x".repeat(300_000))).await,
            503,
            "larger than 262144 bytes",
        ),
        (
            Odd::new(|_, path| Some(discovery("http://127.0.0.1:1", path, ""))).await,
            503,
            "is about another issuer",
        ),
        (
            Odd::new(|own, _| {
                Some(json!({ "issuer": own, "jwks_uri": "http://192.0.2.1/keys" }).to_string())
            })
            .await,
            503,
            "where nobody may trust them",
        ),
        (
            Odd::new(|own, path| Some(discovery(own, path, "{\"keys\":7}"))).await,
            503,
            "cannot be read",
        ),
        (
            Odd::new(|own, path| Some(discovery(own, path, "{\"keys\":[7,{\"kty\":\"X\"}]}"))).await,
            503,
            "no key that can be read",
        ),
        (
            Odd::new(move |own, path| Some(discovery(own, path, &huge))).await,
            503,
            "larger than 262144 bytes",
        ),
        (
            Odd::new(move |own, path| Some(discovery(own, path, &long))).await,
            401,
            "its signature is wrong",
        ),
        (
            Odd::new(move |own, path| Some(discovery(own, path, &hmac))).await,
            401,
            "its signature is wrong",
        ),
    ];
    for (issuer, status, said) in &odd {
        trust(&bed, &issuer.url, WANTED).await;
        let problem = refused(&bed, &made_up(&issuer.url, "k")).await;
        assert_eq!(problem.status, *status, "{}", problem.message);
        assert!(problem.message.contains(said), "`{said}`: {}", problem.message);
    }
    bed.end().await;
}

#[tokio::test]
async fn whoever_makes_keys_up_has_the_issuer_asked_a_few_times_and_nobody_else_is_asked_at_all() {
    let bed = Bed::new().await;
    let keys =
        json!({ "keys": [{ "kty": "RSA", "kid": "k", "n": "A".repeat(342), "e": "AQAB" }] }).to_string();
    let issuer = Odd::new(move |own, path| Some(discovery(own, path, &keys))).await;
    let inside = Odd::new(|_, _| None).await;
    trust(&bed, &issuer.url, WANTED).await;
    for nth in 0..20 {
        let problem = refused(&bed, &made_up(&issuer.url, &format!("made-up-{nth}"))).await;
        assert_eq!(problem.code, "unknown-key", "{}", problem.message);
    }
    // Each time it is asked what it says of itself, and for its keys.
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 2 * 3);
    let problem = refused(&bed, &made_up(&inside.url, "k")).await;
    assert_eq!(problem.code, "wrong-issuer");
    assert_eq!(inside.asked.load(Ordering::SeqCst), 0);
    assert!(
        log(&bed).lines().all(|line| !line.contains("/v1/exchange")),
        "what is made up fills no log"
    );
    bed.end().await;
}
