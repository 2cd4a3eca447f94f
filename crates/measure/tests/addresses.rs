//! Addresses as they answer: a Prometheus, a document, a component's page, and what only says that it is one.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(clippy::disallowed_methods, reason = "these tests serve real sockets")]

mod kit;

use kit::{Web, host, metric, read};
use serde_json::json;
use std::io::{Read, Write};
use std::sync::Arc;
use towpath_measure::{Component, Page, Sources};
use towpath_model::run::Reading;
use towpath_model::unit::Duration;

/// As the documentation of Prometheus' HTTP API shows it.
const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"prometheus","instance":"localhost:9090"},"value":[1435781451.781,"3.5"]}]}}"#;

#[tokio::test]
async fn a_prometheus_is_asked_for_one_number_at_a_moment() {
    let web = Web::saying("200 OK", VECTOR);
    let sources = host(format!("{}/prom/", web.url()), Some("KEY"));
    let asked = json!({ "prometheus": "sum(rate(incidents_total{a=\"b\"}[1d])) / 2", "from": "mon" });
    let span = (
        "2026-03-01T10:00:00Z".parse().unwrap(),
        "2026-03-01T10:10:00Z".parse().unwrap(),
    );
    let answer = towpath_measure::read(&metric(&asked), &sources, Some(span)).await;
    assert_eq!(answer, Ok(Reading::Level(3.5)));
    let head = web.asked();
    assert!(
        head.starts_with(
            "GET /prom/api/v1/query?query=sum%28rate%28incidents_total%7Ba%3D%22b%22%7D%5B1d%5D%29%29+%2F+2&time=2026-03-01T10%3A10%3A00Z HTTP/1.1\r\n"
        ),
        "{head}"
    );
    assert!(head.contains("authorization: Bearer hunter2\r\n"), "{head}");
}

#[tokio::test]
async fn what_a_prometheus_refuses_is_told_in_its_own_words_and_without_the_secret() {
    let refusal = r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": hunter2: parse error"}"#;
    let web = Web::saying("400 Bad Request", refusal);
    let sources = host(web.url(), Some("KEY"));
    let told = read(&json!({ "prometheus": "up(", "from": "mon" }), &sources)
        .await
        .unwrap_err();
    assert_eq!(
        told,
        format!(
            "{}/api/v1/query: it refuses the query: invalid parameter \"query\": [sealed]: parse error (bad_data)",
            web.url()
        )
    );
}

#[tokio::test]
async fn what_is_no_prometheus_says_so() {
    for (status, body, said) in [
        (
            "200 OK",
            "<!doctype html><title>Log in</title>",
            "what answers is no Prometheus",
        ),
        ("200 OK", "{\"status\": 3}", "refuses the query"),
        ("200 OK", "{}", "what answers is no Prometheus"),
        (
            "401 Unauthorized",
            "no",
            "it answers with 401 Unauthorized; name the secret that opens it",
        ),
        (
            "503 Service Unavailable",
            "",
            "it answers with 503 Service Unavailable",
        ),
    ] {
        let web = Web::saying(status, body);
        let told = read(
            &json!({ "prometheus": "up", "from": "mon" }),
            &host(web.url(), None),
        )
        .await
        .unwrap_err();
        assert!(told.contains(said), "{told}");
    }
    let told = read(&json!({ "prometheus": "up" }), &Sources::default())
        .await
        .unwrap_err();
    assert!(told.contains("nobody says where the Prometheus is"), "{told}");
    let told = read(
        &json!({ "prometheus": "up", "from": "gone" }),
        &Sources::default(),
    )
    .await
    .unwrap_err();
    assert!(told.contains("[host.gone]"), "{told}");
}

#[tokio::test]
async fn a_number_stands_somewhere_in_a_document() {
    let web = Web::saying("200 OK", r#"{"events": {"per_minute": 12.5}}"#);
    let sources = host(web.url(), None);
    let asked = |value: &str| json!({ "http": format!("{}/stats?key=a", web.url()), "value": value, "secret": "KEY" });
    assert_eq!(
        read(&asked("events.per_minute"), &sources).await,
        Ok(Reading::Level(12.5))
    );
    let head = web.asked();
    assert!(
        head.starts_with("GET /stats?key=a HTTP/1.1\r\n") && head.contains("Bearer hunter2"),
        "{head}"
    );
    let told = read(&asked("events.per_hour"), &sources).await.unwrap_err();
    assert_eq!(
        told,
        format!(
            "{}/stats: `events` has no `per_hour`; it has per_minute",
            web.url()
        )
    );
    let path = json!({ "http": "/stats", "value": "events.per_minute", "from": "mon" });
    assert_eq!(read(&path, &sources).await, Ok(Reading::Level(12.5)));
}

#[tokio::test]
async fn an_address_that_answers_badly_is_no_number() {
    let large = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(17 * 1024 * 1024));
    for (answer, said) in [
        (
            "HTTP/1.1 302 Found\r\nLocation: https://other.example/x?y\r\nContent-Length: 0\r\n\r\n"
                .to_owned(),
            "sends us elsewhere (https://other.example/x)",
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
            "is the path right?",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":".to_owned(),
            "breaks off",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"a\":".to_owned(),
            "no JSON",
        ),
        ("SSH-2.0-OpenSSH\r\n".to_owned(), "does not speak HTTP"),
        (String::new(), "does not speak HTTP"),
        (large, "larger than 16 MB"),
    ] {
        let web = Web::raw(answer);
        let asked = json!({ "http": web.url(), "value": "a" });
        let told = read(&asked, &host(web.url(), None)).await.unwrap_err();
        assert!(
            told.contains(said) && told.starts_with(&web.url()),
            "{said}: {told}"
        );
    }
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let told = read(
        &json!({ "http": format!("http://{gone}"), "value": "a" }),
        &Sources::default(),
    )
    .await
    .unwrap_err();
    assert!(told.contains("it cannot be reached"), "{told}");
}

#[tokio::test]
async fn whoever_does_not_answer_is_not_waited_for() {
    // Nobody ever accepts.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let sources = Sources {
        bound: Duration::from_millis(200),
        ..Sources::default()
    };
    let asked = json!({ "http": format!("http://{}", silent.local_addr().unwrap()), "value": "a" });
    let told = read(&asked, &sources).await.unwrap_err();
    assert!(told.ends_with("no answer within 200ms"), "{told}");
}

#[tokio::test]
async fn the_pages_of_all_instances_are_read() {
    let one = Web::saying("200 OK", "# TYPE jobs_total counter\njobs_total 4\n");
    let two = Web::saying("200 OK", "# TYPE jobs_total counter\njobs_total 5\n");
    let page = |by: &str, web: &Web| Page {
        by: by.to_owned(),
        address: format!("{}/metrics", web.url()),
    };
    let component = Component {
        pages: vec![page("1", &one), page("2", &two)],
        ..Component::default()
    };
    let mut sources = Sources {
        components: [("workers".to_owned(), component)].into(),
        ..Sources::default()
    };
    let asked = json!({ "series": "jobs_total", "of": "workers" });
    let expected = Reading::Count([("1".to_owned(), 4.0), ("2".to_owned(), 5.0)].into());
    assert_eq!(read(&asked, &sources).await, Ok(expected));
    // One that does not tell leaves everything unknown, and says which.
    let closed = Web::saying("500 Internal Server Error", "");
    sources
        .components
        .get_mut("workers")
        .unwrap()
        .pages
        .push(page("3", &closed));
    let told = read(&asked, &sources).await.unwrap_err();
    assert_eq!(
        told,
        format!(
            "{}/metrics: it answers with 500 Internal Server Error",
            closed.url()
        )
    );
    sources.components.get_mut("workers").unwrap().pages.clear();
    assert_eq!(
        read(&asked, &sources).await.unwrap_err(),
        "no instance of `workers` that could be asked is running"
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_knows_is_not_trusted_and_one_that_is_named_is() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut encrypted = rustls::Stream::new(&mut session, &mut stream);
            // Whoever does not trust it leaves without a question.
            if encrypted.read(&mut [0; 4096]).is_ok() {
                let body = "{\"a\": 1}";
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                let _ = encrypted.write_all(answer.as_bytes());
                session.send_close_notify();
                let _ = session.complete_io(&mut stream);
            }
        }
    });
    let asked = json!({ "http": format!("https://localhost:{port}/"), "value": "a" });
    let told = read(&asked, &Sources::default()).await.unwrap_err();
    assert!(told.contains("cannot be spoken to in secret"), "{told}");
    let trusting = Sources {
        authorities: vec![certificate.to_vec()],
        ..Sources::default()
    };
    assert_eq!(read(&asked, &trusting).await, Ok(Reading::Level(1.0)));
}
