//! Spans reach a collector, which reads them with the classes of OpenTelemetry itself.
#![allow(clippy::disallowed_methods, reason = "the collector is a program")]

mod kit;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use http::{Method, StatusCode};
use kit::{Instance, Running, edge, host, request, target, until};
use serde_json::Value;
use towpath_model::run::{SPANS_HEADERS, SPANS_OF, SPANS_SHARE, SPANS_TO};
use towpath_model::sealed::Sealed;

const LONG: Duration = Duration::from_secs(20);

struct Collector {
    program: Child,
    says: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Drop for Collector {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Collector {
    /// Starts one with a Python that has the classes: of the folder that `./test` makes, or of this machine.
    fn start() -> Option<Collector> {
        let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/otlp/bin/python3");
        let python = [made, PathBuf::from("python3")].into_iter().find(|python| {
            let asked = Command::new(python)
                .args([
                    "-c",
                    "import opentelemetry.proto.collector.trace.v1.trace_service_pb2",
                ])
                .output();
            asked.is_ok_and(|output| output.status.success())
        });
        let mut program = Command::new(python?)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/collector.py"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut says = BufReader::new(program.stdout.take().expect("it is piped")).lines();
        let port = says.next().expect("it listens").expect("it is text");
        Some(Collector {
            program,
            says,
            port: port.parse().expect("a port"),
        })
    }

    async fn next(mut self) -> (Collector, Value) {
        let read = tokio::task::spawn_blocking(move || {
            let line = self.says.next().expect("a span").expect("it is text");
            let span = serde_json::from_str(&line).expect("it is JSON");
            (self, span)
        });
        let read = tokio::time::timeout(kit::BOUND, read).await;
        read.expect("a span comes").expect("it is read")
    }
}

fn know(running: &Running, rows: &[(&str, &str)]) {
    let values = rows
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Sealed::new((*value).to_owned())));
    running.edge.know(&values.collect::<BTreeMap<_, _>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_reads_what_came_through_and_is_asked_again_when_it_refuses() {
    let Some(collector) = Collector::start() else {
        eprintln!("left out: opentelemetry-proto is not installed");
        return;
    };
    let running = edge().await;
    let to = format!("http://127.0.0.1:{}/v1/traces", collector.port);
    let rows = [
        (SPANS_TO, to.as_str()),
        (SPANS_HEADERS, "X-Team=canal"),
        (SPANS_OF, "dev"),
    ];
    know(&running, &rows);
    let one = Instance::start("web.1");
    running.set(target("web", &[("web.1", one.at)], LONG)).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("traceparent", parent), ("tracestate", "a=b")];
    let asked = request(Method::GET, &host("web"), "/headers?token=HUSH", &headers, "");
    let told = running.ask(asked).await;
    let passed = told
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("traceparent: "));
    let (collector, span) = collector.next().await;
    let passed = passed.expect("it goes on").to_owned();
    assert_eq!(span["span"], passed[36..52], "the instance's parent is our span");
    for (key, value) in [
        ("path", "/v1/traces"),
        ("kind_of_body", "application/x-protobuf"),
        ("team", "canal"),
        ("scope", "towpath"),
        ("trace", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("above", "00f067aa0ba902b7"),
        ("state", "a=b"),
        ("name", "GET /"),
    ] {
        assert_eq!(span[key], value, "{key} of {span:#}");
    }
    assert_eq!(
        (&span["kind"], &span["status"], &span["flags"]),
        (&2.into(), &0.into(), &1.into())
    );
    let took = span["took"].as_u64().expect("a number");
    assert!((1..LONG.as_nanos() as u64).contains(&took), "{span:#}");
    let resource = serde_json::json!({"service.name": "edge", "service.namespace": "hello",
        "service.version": env!("CARGO_PKG_VERSION"), "deployment.environment.name": "dev"});
    assert_eq!(span["resource"], resource);
    let attributes = &span["attributes"];
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/"),
        ("url.path", "/headers"),
        ("url.scheme", "http"),
        ("server.address", "web.hello.localhost"),
        ("client.address", "127.0.0.0/24"),
        ("towpath.component", "web"),
        ("towpath.instance", "web.1"),
    ] {
        assert_eq!(attributes[key], value, "{key} of {span:#}");
    }
    assert_eq!(attributes["http.response.status_code"], 200);
    assert!(!span.to_string().contains("HUSH"), "{span:#}");

    // What is not recorded is not sent; and what fails is an error.
    let unrecorded = [(
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
    )];
    running
        .ask(request(Method::GET, &host("web"), "/", &unrecorded, ""))
        .await;
    running.set(target("shut", &[], Duration::ZERO)).await;
    assert_eq!(
        running.get("shut", "/").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let (collector, span) = collector.next().await;
    assert_eq!(
        (&span["status"], &span["attributes"]["towpath.component"]),
        (&2.into(), &"shut".into())
    );
    assert_eq!(span["above"], "", "it begins here");
    until("the counts", async || {
        let spans = running.edge.seen().spans.unwrap_or_default();
        (spans.sent, spans.dropped, spans.because) == (2, 0, None)
    })
    .await;

    // Of a share of none nothing is recorded, and instances are told so.
    know(&running, &[(SPANS_TO, &to), (SPANS_SHARE, "0")]);
    let told = running.get("web", "/headers").await;
    let passed = told
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("traceparent: "));
    assert!(
        passed.is_some_and(|passed| passed.ends_with("-00")),
        "{}",
        told.text()
    );
    drop(collector);
}

#[tokio::test]
async fn a_collector_that_is_not_there_holds_nobody_up_and_what_it_does_not_get_is_counted() {
    let running = edge().await;
    let nobody = Instance::start("web.0").kill().await;
    let to = format!("http://{nobody}/v1/traces");
    know(&running, &[(SPANS_TO, &to)]);
    let one = Instance::start("web.1");
    running.set(target("web", &[("web.1", one.at)], LONG)).await;
    let total = 3_000_u64;
    for _ in 0..total {
        assert_eq!(running.get("web", "/").await.status, StatusCode::OK);
    }
    until("what is dropped", async || {
        let spans = running.edge.seen().spans.unwrap_or_default();
        spans.dropped > 0 && spans.because.is_some() && spans.sent == 0
    })
    .await;
    let dropped = running.edge.seen().spans.unwrap_or_default().dropped;
    assert!(dropped < total, "some wait for it: {dropped}");
}
