//! Requests: what they carry, how often they are sent, and every way in which they can go wrong.

use crate::kit::{Reply, Server, aim, nobody, ok, reply, sealed, told, tried};
use towpath_model::run::Verdict;
use towpath_probe::{Aim, Base};

const LOGIN: &str = r#"
http = "GET /auth/me"
with = { cookie = "secret:COOKIE" }
expect = ["status = 200", "p95 < 10s"]
runs = 20
"#;

#[tokio::test]
async fn a_visitor_with_a_cookie_comes_twenty_times_and_goes_round() {
    let one = Server::new(|_, _| ok("{}")).await;
    let two = Server::new(|_, _| ok("{}")).await;
    let outcome = tried(LOGIN, &aim(&[one.at, two.at])).await;
    assert_eq!(outcome.found.verdict, Verdict::Pass, "{outcome:?}");
    assert_eq!((one.asked().len(), two.asked().len(), outcome.runs), (10, 10, 20));
    let asked = one.asked()[0].to_ascii_lowercase();
    assert!(asked.starts_with("get /auth/me http/1.1\r\n"), "{asked}");
    for header in [
        "cookie: session=0123456789abcdef\r\n",
        "user-agent: towpath-probe\r\n",
    ] {
        assert!(asked.contains(header), "{asked}");
    }
    assert!(asked.contains(&format!("host: {}\r\n", one.at)), "{asked}");
    let measured = outcome.found.measured.unwrap();
    assert!(
        measured.starts_with("status 200 in all 20 runs, p95 "),
        "{measured}"
    );
    assert!(measured.ends_with(" of 20 runs"), "{measured}");
    assert_eq!(outcome.found.bound.as_deref(), Some("status = 200, p95 < 10s"));
    assert_eq!(outcome.found.evidence.len(), 1);
}

#[tokio::test]
async fn the_first_wrong_answer_ends_it() {
    let server = Server::new(|number, _| {
        if number == 2 {
            reply("503 No", "", "busy")
        } else {
            ok("")
        }
    })
    .await;
    let outcome = tried(LOGIN, &aim(&[server.at])).await;
    assert_eq!(
        told(&outcome),
        "FAIL probe `it`: GET /auth/me: `status = 200` is expected, and `503` came, in run 3 of 20"
    );
    assert_eq!(server.asked().len(), 3);
    assert_eq!(outcome.found.evidence[0].text, "busy");
}

#[tokio::test]
async fn every_bad_end_has_words_of_its_own() {
    let asks = "http = \"/\"\nexpect = \"status = 200\"\ntimeout = \"300ms\"";
    let mut all = vec![
        format!("nobody   {}", told(&tried(asks, &aim(&[nobody().await])).await)),
        format!("nothing  {}", told(&tried(asks, &aim(&[])).await)),
    ];
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nless".to_vec();
    for (name, end) in [
        ("stalls", Reply::Never),
        ("closes", Reply::Bytes(Vec::new())),
        ("garbage", Reply::Bytes(b"\x16\x03\x01 what?\r\n\r\n".to_vec())),
        ("breaks", Reply::Bytes(short)),
        ("moved", reply("302 Found", "location: /login\r\n", "")),
        ("stalls2", Reply::Bytes(b"HTTP/1.1 200 OK\r\n".to_vec())),
    ] {
        let server = Server::new(move |_, _| end.clone()).await;
        all.push(format!(
            "{name:8} {}",
            told(&tried(asks, &aim(&[server.at])).await)
        ));
        assert_eq!(
            server.asked().len(),
            1,
            "nothing is followed, and nothing asked again"
        );
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
    nobody   FAIL probe `it`: GET /: nobody listens on 127.0.0.1:PORT
    nothing  open probe `it`: GET /: nothing that it could ask runs there
    stalls   FAIL probe `it`: GET /: no answer came within 300ms
    closes   FAIL probe `it`: GET /: it hung up without an answer
    garbage  FAIL probe `it`: GET /: what came is no HTTP: invalid HTTP version parsed
    breaks   FAIL probe `it`: GET /: 200 was answered, and it broke off
    moved    FAIL probe `it`: GET /: `status = 200` is expected, and `302` came
    stalls2  FAIL probe `it`: GET /: it hung up without an answer
    "#);
}

#[tokio::test]
async fn a_body_without_an_end_is_given_up() {
    let begins = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n".to_vec();
    let server =
        Server::new(move |_, _| Reply::Endless([begins.clone(), vec![b'x'; 64 * 1024]].concat())).await;
    let outcome = tried("http = \"/\"\nexpect = \"status = 200\"", &aim(&[server.at])).await;
    assert_eq!(
        told(&outcome),
        "FAIL probe `it`: GET /: 200 was answered, with a body that is larger than 4194304 bytes"
    );
}

#[tokio::test]
async fn no_secret_comes_back_in_words_or_evidence() {
    let server = Server::new(|_, request| reply("500 No", "", &format!("dump: {request}"))).await;
    let asks = r#"
http = "POST /x"
with = { cookie = "secret:COOKIE", token = "secret:KEY", hmac = "KEY", body = "secret:KEY" }
expect = ["status = 200", "body contains nothing"]
"#;
    let outcome = tried(asks, &aim(&[server.at])).await;
    assert!(server.asked()[0].contains("hunter2hunter2"), "it is sent");
    let told = format!("{outcome:?}");
    assert!(told.contains("[sealed]"), "{told}");
    for secret in ["hunter2", "0123456789abcdef"] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[tokio::test]
async fn a_secret_without_a_value_leaves_it_open() {
    let server = Server::new(|_, _| ok("")).await;
    let aim = Aim {
        secrets: Default::default(),
        ..aim(&[server.at])
    };
    assert_eq!(
        told(&tried(LOGIN, &aim).await),
        "open probe `it`: GET /auth/me: the secret `COOKIE` has no value here; `towpath secrets set` gives it one, in run 1 of 20"
    );
    assert!(server.asked().is_empty());
}

const IMPORT: &str = r#"
steps = [{ wait = "GET /imports/probe", expect = "progress = 100%", within = "WITHIN" }]
"#;

#[tokio::test]
async fn a_wait_asks_again_until_the_field_says_so() {
    let server = Server::new(|number, _| match number {
        0 => reply("404 Not Found", "", "none"),
        1 => ok(r#"{"progress":"40%"}"#),
        _ => ok(r#"{"progress":"100%"}"#),
    })
    .await;
    let outcome = tried(&IMPORT.replace("WITHIN", "60s"), &aim(&[server.at])).await;
    assert_eq!(told(&outcome), "pass");
    assert_eq!(outcome.found.measured.as_deref(), Some("progress `100%`"));
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_wait_that_is_never_over_ends_in_its_time() {
    let server = Server::new(|_, _| ok(r#"{"progress":"40%"}"#)).await;
    let never = Server::new(|_, _| Reply::Never).await;
    let asks = IMPORT.replace("WITHIN", "600ms");
    assert_eq!(
        told(&tried(&asks, &aim(&[server.at])).await),
        "FAIL probe `it`: GET /imports/probe: `progress = 100%` is expected within 600ms, and `40%` came"
    );
    let stalled = told(&tried(&asks, &aim(&[never.at])).await);
    let begins = "FAIL probe `it`: GET /imports/probe: in 600ms no answer was right: no answer came within ";
    assert!(stalled.starts_with(begins), "{stalled}");
    assert_eq!(
        told(&tried(&asks, &aim(&[nobody().await])).await),
        "FAIL probe `it`: GET /imports/probe: in 600ms no answer was right: nobody listens on 127.0.0.1:PORT"
    );
}

#[tokio::test]
async fn all_of_a_run_ends_in_its_time() {
    let server = Server::new(|number, _| if number == 0 { ok("") } else { Reply::Never }).await;
    let asks = r#"
steps = [{ http = "/a", expect = "status = 200" }, { http = "/b", expect = "status = 200" }]
within = "400ms"
"#;
    assert_eq!(
        told(&tried(asks, &aim(&[server.at])).await),
        "FAIL probe `it`: step 2 (GET /b): all of it may take 400ms, and that was over"
    );
}

#[tokio::test]
async fn a_fixture_is_signed_sent_and_its_answer_compared() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.json"), "{\"history\":[]}").unwrap();
    let server = Server::new(|number, _| {
        ok(if number < 2 {
            "{\"trend\":1}"
        } else {
            "{\"trend\":2}"
        })
    })
    .await;
    let asks = r#"
with = { hmac = "KEY" }
fixture = { request = "POST /indicators", body = "a.json", hash = "stable" }
"#;
    let mut aim = Aim {
        files: folder.path().to_owned(),
        ..aim(&[server.at])
    };
    let first = tried(asks, &aim).await;
    let hash = first.hash.clone().unwrap();
    assert_eq!(
        hash,
        "sha256:09c62b7e383d7655316bd5c840922d7f3f15cffd2606220973b8acde13093119"
    );
    let measured = first.found.measured.clone().unwrap();
    assert_eq!(told(&first), "pass");
    assert!(
        measured.ends_with("nothing to compare with yet, so it is kept for the next release"),
        "{measured}"
    );
    aim.stable = Some(hash.clone());
    assert_eq!(told(&tried(asks, &aim).await), "pass");
    let other = tried(asks, &aim).await;
    assert!(
        told(&other).contains(&format!(
            "{hash} is what the release that runs answers, and sha256:"
        )),
        "{other:?}"
    );
    let asked = server.asked()[0].to_ascii_lowercase();
    // As `openssl dgst -sha256 -hmac` has it.
    assert!(
        asked
            .contains("x-signature: sha256=75fa84e3c17fa0ba61e8f000cf71bc37fad8b571f7a09ac1c5b75d7a717699c1"),
        "{asked}"
    );
    assert!(asked.contains("x-towpath-signature: t=0,d="), "{asked}");
    assert!(asked.contains("content-type: application/json"), "{asked}");
    std::fs::remove_file(folder.path().join("a.json")).unwrap();
    assert!(
        told(&tried(asks, &aim).await)
            .starts_with("open probe `it`: POST /indicators: a.json cannot be read")
    );
}

#[tokio::test]
async fn a_port_that_accepts_is_found_by_its_name() {
    let server = Server::new(|_, _| ok("")).await;
    let mut aim = aim(&[server.at]);
    assert_eq!(
        told(&tried(&format!("tcp = \":{}\"", server.at.port()), &aim).await),
        "pass"
    );
    aim.reached.insert("web".to_owned(), server.at);
    assert_eq!(told(&tried("tcp = \"web:80\"", &aim).await), "pass");
    aim.resources.insert(
        "db".to_owned(),
        sealed(&format!("postgres://u:p@{}/d", server.at)),
    );
    assert_eq!(told(&tried("tcp = \"db:5432\"", &aim).await), "pass");
    let closed = nobody().await;
    assert_eq!(
        told(&tried(&format!("tcp = \"127.0.0.1:{}\"", closed.port()), &aim).await)
            .replace(&closed.port().to_string(), "PORT"),
        "FAIL probe `it`: port PORT of 127.0.0.1: nobody listens on 127.0.0.1:PORT"
    );
}

#[tokio::test]
async fn an_address_elsewhere_is_asked_whatever_it_is_aimed_at() {
    let server = Server::new(|_, _| reply("200 OK", "x-version: 7\r\n", "")).await;
    let asks = format!(
        "http = \"http://{}/x?y=z\"\nexpect = \"header X-Version = 7\"",
        server.at
    );
    let aim = Aim {
        at: vec![Base::instance(nobody().await)],
        ..aim(&[])
    };
    assert_eq!(told(&tried(&asks, &aim).await), "pass");
    assert!(server.asked()[0].starts_with("GET /x?y=z HTTP/1.1\r\n"));
}
