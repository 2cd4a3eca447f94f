//! A visitor who clicks: how long a real browser takes to show it is told as INP.
#![allow(
    clippy::disallowed_methods,
    reason = "a browser is a program, and a page is a file"
)]

mod kit;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use kit::{BOUND, edge, host, until, with};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{OpenOptions, Receiver, Sender};
use tokio::time::timeout;
use towpath_edge::{Answer, Target};
use towpath_model::run::Rules;

const LONG: Duration = Duration::from_secs(20);

/// What a click does takes a while, and is seen in the title.
const PAGE: &str = "<!doctype html><title>one</title>\
    <script src=\"/.well-known/towpath/vitals.js\" defer></script>\
    <style>button { position: absolute; left: 0; top: 0; width: 200px; height: 200px }</style>\
    <button onclick=\"const until = performance.now() + 120; while (performance.now() < until); document.title = 'clicked'\">click</button>";

/// A browser that is told what to do, by the protocol of its own tools over two pipes.
struct Browser {
    child: Child,
    tells: Sender,
    hears: Receiver,
    heard: Vec<u8>,
    number: u64,
    session: Option<String>,
}

impl Browser {
    /// None where there is none on this machine.
    fn start(folder: &Path) -> Option<Browser> {
        let (tells, hears) = (folder.join("tells"), folder.join("hears"));
        let made = Command::new("mkfifo").arg(&tells).arg(&hears).status();
        assert!(made.is_ok_and(|made| made.success()), "pipes can be made");
        // Opened both ways, neither side waits for the other.
        let mut open = OpenOptions::new();
        let open = open.read_write(true);
        let there = Command::new("chromium")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        there.ok()?;
        let child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<tells 4>hears", "sh"])
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--ignore-certificate-errors",
                "--no-proxy-server",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell runs");
        Some(Browser {
            child,
            tells: open.open_sender(tells).expect("it is a pipe"),
            hears: open.open_receiver(hears).expect("it is a pipe"),
            heard: Vec::new(),
            number: 0,
            session: None,
        })
    }

    /// Has it do something, and hands back what came of it.
    async fn does(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut asked = json!({ "id": self.number, "method": method, "params": params });
        if let Some(session) = &self.session {
            asked["sessionId"] = session.as_str().into();
        }
        let text = format!("{asked}\0");
        self.tells.write_all(text.as_bytes()).await.expect("it hears");
        loop {
            let told = timeout(BOUND, self.next()).await.expect("it answers");
            if told["id"] == self.number {
                assert!(told["error"].is_null(), "{method}: {told}");
                return told["result"].clone();
            }
        }
    }

    async fn next(&mut self) -> Value {
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == 0) {
                let text: Vec<u8> = self.heard.drain(..=end).collect();
                return serde_json::from_slice(&text[..end]).expect("it is JSON");
            }
            self.hears.read_buf(&mut self.heard).await.expect("it is open");
        }
    }

    /// What an expression is in its page, when it is there.
    async fn sees(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        self.does("Runtime.evaluate", params).await["result"]["value"].clone()
    }

    async fn opens(&mut self, address: &str) {
        let page = self.does("Target.createTarget", json!({ "url": address })).await;
        let params = json!({ "targetId": page["targetId"], "flatten": true });
        let session = self.does("Target.attachToTarget", params).await;
        self.session = session["sessionId"].as_str().map(str::to_owned);
    }

    async fn clicks(&mut self) {
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({ "type": kind, "x": 50, "y": 50, "button": "left", "clickCount": 1 });
            self.does("Input.dispatchMouseEvent", params).await;
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn how_long_a_click_takes_to_be_shown_is_told() {
    let running = edge().await;
    let pages = running.folder.path().join("pages");
    std::fs::create_dir(&pages).expect("a folder");
    for (name, text) in [("index.html", PAGE), ("two.html", "<!doctype html><p>two")] {
        std::fs::write(pages.join(name), text).expect("it can be written");
    }
    let answer = Answer::Files {
        folder: pages,
        fallback: None,
        former: Vec::new(),
        releases: towpath_edge::Releases::default(),
        sides: Default::default(),
        assets: LONG,
        pages: None,
    };
    let rules = Rules {
        vitals: true,
        ..Rules::default()
    };
    running
        .set(Target {
            rules: Arc::new(rules),
            ..with("web", answer)
        })
        .await;
    let Some(mut browser) = Browser::start(running.folder.path()) else {
        eprintln!("left out: chromium is not on this machine");
        return;
    };
    let address = format!("https://{}:{}", host("web"), running.https().port());
    browser.opens(&format!("{address}/")).await;
    while browser.sees("document.readyState + document.title").await != "completeone" {}
    browser.clicks().await;
    while browser.sees("document.title").await != "clicked" {}
    // It is shown with the next picture, and measured then.
    let shown = "new Promise(shown => requestAnimationFrame(() => setTimeout(() => shown(true), 0)))";
    assert_eq!(browser.sees(shown).await, true);
    browser
        .does("Page.navigate", json!({ "url": format!("{address}/two.html") }))
        .await;
    until("how long it took", async || {
        running.edge.seen().of("web").vitals.contains_key("inp")
    })
    .await;
    let vitals = running.edge.seen().of("web").vitals;
    let took = vitals["inp"].quantile(1.0).expect("it was told");
    assert!(
        took >= Duration::from_millis(100),
        "the page took its time: {took:?}"
    );
    assert_eq!(vitals["inp"].count(), 1);
}
