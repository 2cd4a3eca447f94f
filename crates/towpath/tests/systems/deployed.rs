//! Reflect Coach, deployed again and again while people use it: by each strategy, and with stewards that die on the way.

use crate::kit::{Product, eventually, kill};
use crate::reflect_coach::{Visitor, example, visitor};
use rustix::process::Signal;
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

/// Those who use it at the same time.
const PEOPLE: [&str; 2] = ["ana@example.com", "ben@example.com"];

/// Each writes something down once in so many times that they look.
const WRITES: u64 = 8;

/// The component in front and the one behind it are told which round it is, and how releases go.
fn configure(product: &Product, manifest: &str, round: &str, rollout: &str) {
    let env = |name: &str| format!("[environment.local.service.{name}.env]\n");
    let word = format!("ROUND = {{ value = \"{round}\", about = \"Which round it is\" }}\n");
    let core = env("core");
    assert!(manifest.contains(&core));
    let manifest = manifest
        .replace(&core, &format!("{core}{word}"))
        // They come from one address, and are many.
        .replace("rate = \"100/s per ip\", ", "");
    let text = format!(
        "{manifest}\n{}{word}\n[environment.local.rollout]\n{rollout}\n",
        env("edge")
    );
    product.write("towpath.toml", &text);
}

/// What instances of a component were told, each of them.
fn rounds(product: &Product, name: &str) -> Vec<String> {
    let told = |pid| {
        let env = fs::read_to_string(format!("/proc/{pid}/environ")).unwrap_or_default();
        let word = env.split('\0').find_map(|one| one.strip_prefix("ROUND="));
        word.unwrap_or_default().to_owned()
    };
    product.running(name).into_iter().map(told).collect()
}

/// Waits until a release is all that runs.
fn holds(product: &Product, round: &str) {
    eventually("all of it is the new release", || {
        let [edge, core] = ["edge", "core"].map(|name| rounds(product, name));
        let is_new = |all: &[String]| all.iter().all(|one| one == round);
        (edge.len() == 2 && core.len() == 1 && is_new(&edge) && is_new(&core)).then_some(())
    });
}

/// People who look and write without a pause, and what they did not get.
struct People {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    all: Vec<JoinHandle<Vec<String>>>,
}

impl People {
    fn come(product: &Product) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let person = |email: &&str| {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            let visitor = visitor(product).signed_in(email);
            thread::spawn(move || {
                let mut lost = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    match uses(&visitor, answered.fetch_add(1, Ordering::Relaxed)) {
                        Ok(()) => {}
                        Err(why) => lost.push(why),
                    }
                }
                lost
            })
        };
        let all = PEOPLE.iter().map(person).collect();
        People { stop, answered, all }
    }

    /// Waits until they have done more.
    fn go_on(&self) {
        let before = self.answered.load(Ordering::Relaxed);
        eventually("people are answered", || {
            (self.answered.load(Ordering::Relaxed) > before + 20).then_some(())
        });
    }

    fn go(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let lost = self.all.into_iter();
        lost.flat_map(|person| person.join().expect("a person goes"))
            .collect()
    }
}

/// Looks, and writes something down now and then.
fn uses(visitor: &Visitor, nth: u64) -> Result<(), String> {
    let (what, answer, wanted) = if nth.is_multiple_of(WRITES) {
        let entry = json!({ "text": "around the harbour", "kind": "walk", "minutes": 40 });
        ("a diary entry", visitor.post("/api/diary", &entry), 202)
    } else {
        ("a profile", visitor.get("/auth/me"), 200)
    };
    match answer.status {
        status if status == wanted => Ok(()),
        status => Err(format!("{what}: {status} {}", answer.body)),
    }
}

/// Its first release, and its manifest without what changes.
fn deployed(rollout: &str) -> Option<(Product, String)> {
    let product = example()?;
    let manifest = product.read("towpath.toml");
    configure(&product, &manifest, "first", rollout);
    product.well(&["deploy", "local"]);
    holds(&product, "first");
    Some((product, manifest))
}

fn end(product: &Product) {
    product.well(&["down", "local"]);
    product.leaves_nothing();
}

/// Deployed ten times, each time with another configuration. What people did not get.
fn ten_times(rollout: &str) -> Option<Vec<String>> {
    let (product, manifest) = deployed(rollout)?;
    let stores = ["db", "queue"].map(|name| product.pid(name));
    let people = People::come(&product);
    for nth in 0..10 {
        let round = format!("round-{nth}");
        configure(&product, &manifest, &round, rollout);
        product.well(&["deploy", "local"]);
        holds(&product, &round);
        people.go_on();
    }
    let lost = people.go();
    assert_eq!(
        ["db", "queue"].map(|name| product.pid(name)),
        stores,
        "what is the same goes on"
    );
    end(&product);
    Some(lost)
}

#[test]
fn ten_rolling_releases_lose_nothing_that_people_do() {
    if let Some(lost) = ten_times("strategy = \"rolling\"\nbake = \"0s\"\nwarm = \"0s\"") {
        assert_eq!(lost, Vec::<String>::new());
    }
}

#[test]
fn ten_blue_green_releases_lose_nothing_that_people_do() {
    let rollout =
        "strategy = \"blue-green\"\ntogether = [\"edge\", \"core\"]\nbake = \"200ms\"\nwarm = \"200ms\"";
    if let Some(lost) = ten_times(rollout) {
        assert_eq!(lost, Vec::<String>::new());
    }
}

const CANARY: &str = "strategy = \"canary\"\ntogether = [\"edge\", \"core\"]\njudge_every = \"100ms\"\n\
    steps = [\"10% for 200ms\", \"50% for 100ms\", \"100%\"]\nbake = \"0s\"\nwarm = \"200ms\"";

#[test]
fn ten_canary_releases_lose_nothing_that_people_do() {
    if let Some(lost) = ten_times(CANARY) {
        assert_eq!(lost, Vec::<String>::new());
    }
}

/// It is no strategy without an outage: for a moment nothing stands. Who comes then waits and is answered by the new release;
/// only what was begun in the old one, and may not be begun twice, can be lost, and that is said as what it is.
#[test]
fn ten_recreated_releases_lose_at_most_what_was_begun_in_the_old_one() {
    let Some(lost) = ten_times("strategy = \"recreate\"\nbake = \"0s\"") else {
        return;
    };
    let is_cut_off = |why: &&String| ["502", "503", "504"].iter().any(|code| why.contains(code));
    let others: Vec<&String> = lost.iter().filter(|why| !is_cut_off(why)).collect();
    assert!(others.is_empty(), "{others:#?}");
    assert!(
        lost.len() <= 10 * PEOPLE.len(),
        "more was lost than can be begun at a time: {lost:#?}"
    );
}

/// When the journal was written last.
fn written(product: &Product) -> Option<(SystemTime, u64)> {
    let log: PathBuf = product.folder.join(".towpath/local/store.db-wal");
    let about = fs::metadata(log).ok()?;
    Some((about.modified().ok()?, about.len()))
}

#[test]
fn a_steward_that_is_killed_at_each_step_is_followed_by_one_that_goes_on() {
    let Some((product, manifest)) = deployed(CANARY) else {
        return;
    };
    let people = People::come(&product);
    // Each step is written down before it is taken.
    for step in 1..=14 {
        let round = format!("step-{step}");
        configure(&product, &manifest, &round, CANARY);
        product.well(&["deploy", "local", "--no-wait"]);
        let (mut last, mut seen) = (written(&product), 0);
        let is_current = || rounds(&product, "edge").iter().all(|one| *one == round);
        eventually("it takes a step", || {
            let now = written(&product);
            seen += usize::from(now != last);
            last = now;
            (seen >= step || is_current()).then_some(())
        });
        kill(product.steward().expect("somebody looks after it"), Signal::KILL);
        // Whoever asks has another one come, and that one knows what to do.
        let watched = product.run(&["rollout", "local"]);
        assert_eq!(watched.code, Some(0), "{watched:?}");
        holds(&product, &round);
    }
    people.go_on();
    assert_eq!(people.go(), Vec::<String>::new());
    end(&product);
}
