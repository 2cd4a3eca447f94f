//! An edge in a process of its own, for tests that look at what a process takes: this test program once more.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use towpath_edge::{Event, Patience, RequestLog, Snapshot, Target};

use crate::kit::{BOUND, begun};

/// Says to this program, started anew, that it is to be the edge of a test.
const PLAYS: &str = "TOWPATH_TEST_PLAYS_EDGE";

/// What a line of it begins with; before that the test program may have said something of its own.
const SAYS: &str = "edge says ";

/// An edge in a process of its own. It ends with this.
pub(crate) struct Apart {
    child: Child,
    orders: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) http: u16,
    /// What it has told of, so far as it was listened to.
    pub(crate) events: Vec<Event>,
}

impl Apart {
    /// An edge that may have so many descriptors, with its log of requests at this path if anywhere.
    pub(crate) async fn start(descriptors: usize, log: Option<&str>) -> Apart {
        let program = std::env::current_exe().expect("it is a program");
        let script = format!("ulimit -n {descriptors} && exec \"$0\" --exact plays_the_edge --nocapture");
        let mut child = tokio::process::Command::new("sh")
            .args(["-c", &script])
            .arg(program)
            .env(PLAYS, log.unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a shell");
        let orders = child.stdin.take().expect("it hears");
        let lines = BufReader::new(child.stdout.take().expect("it says something")).lines();
        let mut apart = Apart {
            child,
            orders,
            lines,
            http: 0,
            events: Vec::new(),
        };
        apart.http = apart.answer("listens ").await.parse().expect("a port");
        apart
    }

    /// The next line of it that begins so.
    async fn answer(&mut self, begins: &str) -> String {
        loop {
            let line = tokio::time::timeout(BOUND, self.lines.next_line()).await;
            let line = line
                .expect("it answers")
                .expect("it is text")
                .expect("it goes on");
            let Some((_, said)) = line.split_once(SAYS) else {
                continue;
            };
            if let Some(event) = said.strip_prefix("event ") {
                self.events.push(serde_json::from_str(event).expect("an event"));
            } else if let Some(rest) = said.strip_prefix(begins) {
                return rest.to_owned();
            }
        }
    }

    async fn order(&mut self, order: String) {
        let order = order + "\n";
        self.orders.write_all(order.as_bytes()).await.expect("it hears");
        self.orders.flush().await.expect("it hears");
    }

    pub(crate) async fn set(&mut self, target: &Target) {
        let target = serde_json::to_string(target).expect("it can be written");
        self.order(format!("set {target}")).await;
        self.answer("set").await;
    }

    pub(crate) async fn seen(&mut self) -> Snapshot {
        self.order("seen".to_owned()).await;
        let seen = self.answer("seen ").await;
        serde_json::from_str(&seen).expect("it can be read")
    }

    fn process(&self) -> u32 {
        self.child.id().expect("it lives")
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.process())).expect("it lives")
    }

    /// KiB of memory that it holds.
    pub(crate) fn resident(&self) -> usize {
        let text = self.file("status");
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.expect("it has memory").trim().trim_end_matches(" kB");
        number.parse().expect("a number")
    }

    /// How much of a processor it has taken so far.
    pub(crate) fn worked(&self) -> Duration {
        let text = self.file("stat");
        let (_, after) = text.rsplit_once(')').expect("it has a name");
        let fields: Vec<&str> = after.split_whitespace().collect();
        // A tick is a hundredth of a second on every Linux that there is.
        let ticks = [11, 12].map(|at| fields[at].parse::<u64>().expect("a number"));
        Duration::from_millis(ticks.iter().sum::<u64>() * 10)
    }

    /// Ends it.
    pub(crate) async fn end(mut self) {
        drop(self.orders);
        let ended = tokio::time::timeout(BOUND, self.child.wait()).await;
        assert!(
            ended.expect("it ends").expect("it ends").success(),
            "it ends well"
        );
    }
}

/// The other side: an edge, until its standard input ends. Without an order it has nothing to do.
pub(crate) async fn plays() {
    let Ok(log) = std::env::var(PLAYS) else {
        return;
    };
    let mut running = begun(Patience::default(), |_| {
        (!log.is_empty()).then(|| RequestLog::at(log.into()))
    })
    .await;
    println!("{SAYS}listens {}", running.edge.listening().http);
    let (sender, mut orders) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for order in std::io::stdin().lines().map_while(Result::ok) {
            let _ = sender.send(order);
        }
    });
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some(order) = order else { return };
                if let Some(target) = order.strip_prefix("set ") {
                    running.set(serde_json::from_str(target).expect("a target")).await;
                    println!("{SAYS}set");
                } else if order == "seen" {
                    let seen = serde_json::to_string(&running.edge.seen()).expect("it can be written");
                    println!("{SAYS}seen {seen}");
                }
            }
            told = running.events.recv() => {
                let told = serde_json::to_string(&told.expect("it is there")).expect("it can be written");
                println!("{SAYS}event {told}");
            }
        }
    }
}
