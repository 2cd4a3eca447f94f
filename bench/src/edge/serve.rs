//! Our edge as a process of its own: its real serving code, with a table as a measurement wants it.
//!
//! It is told on its standard input what to change, and answers there with what that took. Everything that is known here of
//! the edge's interface stands in this file.

use crate::clock;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use towpath_edge::{
    Answer, Config, Edge, Event, Patience, Releases, RequestLog, Route, RouteTo, Share, Target, WHOLE,
};
use towpath_model::run::{Bounds, Rules};
use towpath_model::unit::{Duration as Time, Rate, RateKey};

/// The target that sleeps, and how many others of its kind there are, which a number is added to.
pub(crate) const SLEEPER: &str = "sleeper";
pub(crate) const SLEEPERS: usize = 10;

/// The target whose upstream has few workers and that is given all that comes, and the same where nothing is said: it is found out how
/// many it has.
pub(crate) const NARROW: &str = "narrow";
pub(crate) const STRICT: &str = "strict";

/// What every host name ends with.
pub(crate) const DOMAIN: &str = "bench.localhost";

/// How long the start of the sleeping target takes: so long that all who ask at once have come before it is over.
pub(crate) const STARTS_IN: Duration = Duration::from_secs(1);

/// How the table is made.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) folder: PathBuf,
    /// Where static files lie.
    pub(crate) site: PathBuf,
    pub(crate) upstreams: Vec<u16>,
    pub(crate) targets: usize,
    /// Instances of each target.
    pub(crate) instances: usize,
    /// Everything that a target can have is on.
    pub(crate) everything: bool,
    pub(crate) threads: usize,
}

impl Order {
    pub(crate) fn words(&self) -> Vec<String> {
        let upstreams: Vec<String> = self.upstreams.iter().map(u16::to_string).collect();
        vec![
            "--serve".to_owned(),
            self.folder.display().to_string(),
            self.site.display().to_string(),
            upstreams.join(","),
            self.targets.to_string(),
            self.instances.to_string(),
            self.everything.to_string(),
            self.threads.to_string(),
        ]
    }

    pub(crate) fn read(words: &[String]) -> Option<Order> {
        let [folder, site, upstreams, targets, instances, everything, threads] = words else {
            return None;
        };
        let upstreams: Option<Vec<u16>> = upstreams.split(',').map(|port| port.parse().ok()).collect();
        Some(Order {
            folder: folder.into(),
            site: site.into(),
            upstreams: upstreams.filter(|ports| !ports.is_empty())?,
            targets: targets.parse().ok()?,
            instances: instances.parse().ok()?,
            everything: everything.parse().ok()?,
            threads: threads.parse().ok()?,
        })
    }
}

/// Serves until the standard input ends.
pub(crate) fn serve(order: Order) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(order.threads)
        .enable_all()
        .build()
        .map_err(|why| format!("no runtime: {why}"))?;
    let (say, heard) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _ = say.send(line);
        }
    });
    let served = runtime.block_on(obey(order, heard));
    runtime.shutdown_background();
    served
}

async fn obey(order: Order, mut heard: UnboundedReceiver<String>) -> Result<(), String> {
    let (tell, events) = unbounded_channel();
    let edge = Arc::new(start(&order, tell).await?);
    let wanted = Arc::new(Mutex::default());
    tokio::spawn(wake(
        Arc::clone(&edge),
        order.clone(),
        events,
        Arc::clone(&wanted),
    ));
    set(&edge, all(&order)).await?;
    let listening = edge.listening();
    println!(
        "{} {} {}",
        listening.http,
        listening.https,
        listening.authority.display()
    );
    while let Some(line) = heard.recv().await {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["commit", turn] => {
                let turn = turn.parse().unwrap_or_default();
                let began = Instant::now();
                set(&edge, commit(&order, turn)).await?;
                println!("{}", began.elapsed().as_nanos());
            }
            ["point", turn] => {
                let turn: usize = turn.parse().unwrap_or_default();
                let began = clock::since_epoch();
                set(&edge, vec![point(&order, turn)]).await?;
                println!("{}", began.as_nanos());
            }
            ["wanted"] => println!("{}", woken(&wanted).len()),
            ["woken", name] => {
                let when = woken(&wanted).get(*name).copied().unwrap_or_default();
                println!("{}", when.as_nanos());
            }
            _ => println!("?"),
        }
    }
    Ok(())
}

async fn start(order: &Order, events: UnboundedSender<Event>) -> Result<Edge, String> {
    let config = Config {
        product: "bench".to_owned(),
        authority: order.folder.clone(),
        https: 0,
        http: 0,
        listen: towpath_model::run::Listen::default(),
        patience: Patience::default(),
        // As whoever has not said otherwise has it: what is slow or failed is written down, and a part of the rest.
        log: order
            .everything
            .then(|| RequestLog::at(order.folder.join("requests.log"))),
        key: None,
    };
    Edge::start(config, events).await.map_err(|why| why.to_string())
}

type Change = (String, Option<Target>);

async fn set(edge: &Edge, changes: Vec<Change>) -> Result<(), String> {
    edge.set(changes)
        .await
        .map_err(|errors| errors.first().map_or_else(String::new, ToString::to_string))
}

/// When each sleeping target was ready.
type Woken = Mutex<BTreeMap<String, Duration>>;

fn woken(woken: &Woken) -> std::sync::MutexGuard<'_, BTreeMap<String, Duration>> {
    woken.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a sleeping target when somebody wants it. A second start of it would be one of another name.
async fn wake(edge: Arc<Edge>, order: Order, mut events: UnboundedReceiver<Event>, wanted: Arc<Woken>) {
    while let Some(event) = events.recv().await {
        let Event::Wanted(name) = event else { continue };
        if !name.starts_with(SLEEPER) {
            continue;
        }
        tokio::time::sleep(STARTS_IN).await;
        let ready = vec![(format!("{name}-is-awake"), at(&order, 0))];
        let awake = vec![(name.clone(), Some(target(&name, false, ready)))];
        let again = woken(&wanted).len();
        let key = match woken(&wanted).contains_key(&name) {
            true => format!("{name}, start {again}"),
            false => name,
        };
        woken(&wanted).insert(key, clock::since_epoch());
        let _ = set(&edge, awake).await;
    }
}

fn all(order: &Order) -> Vec<Change> {
    let mut all: Vec<Change> = (0..order.targets)
        .map(|turn| component(order, turn, order.everything, 0))
        .collect();
    if order.targets > 1 {
        all.push(point(order, 0));
        let sleepers = (0..SLEEPERS).map(|turn| format!("{SLEEPER}-{turn}"));
        for name in sleepers.chain([SLEEPER.to_owned()]) {
            let asleep = target(&name, false, Vec::new());
            all.push((name, Some(asleep)));
        }
        all.push(narrow(order, NARROW));
        all.push(narrow(order, STRICT));
        all.push(("static".to_owned(), Some(files(order))));
    }
    all
}

fn at(order: &Order, turn: usize) -> std::net::SocketAddr {
    ([127, 0, 0, 1], order.upstreams[turn % order.upstreams.len()]).into()
}

/// A component with its instances.
fn component(order: &Order, turn: usize, everything: bool, generation: usize) -> Change {
    let name = format!("component-{turn}");
    let ready = (0..order.instances)
        .map(|one| (format!("{name}-{one}-{generation}"), at(order, generation)))
        .collect();
    let target = target(&name, everything, ready);
    (name, Some(target))
}

/// What changes while everything is in use: instances of a component that is under load, a component that comes and goes,
/// and routes.
fn commit(order: &Order, turn: usize) -> Vec<Change> {
    match turn % 4 {
        0 | 1 => vec![component(
            order,
            crate::wrk::host(turn % crate::wrk::HOSTS, order.targets),
            order.everything,
            turn,
        )],
        2 => {
            let name = format!("guest-{}", turn / 8);
            let comes = (turn / 4).is_multiple_of(2);
            let guest = comes.then(|| target(&name, true, vec![(format!("{name}-1"), at(order, 0))]));
            vec![(name, guest)]
        }
        _ => {
            let (name, mut changed) = component(order, order.targets - 1, order.everything, 0);
            if let Some(target) = &mut changed {
                target.routes.push(to_static(&format!("/new-{turn}")));
            }
            vec![(name, changed)]
        }
    }
}

/// The target that is moved from one instance to another, so that it is seen when that holds.
fn point(order: &Order, turn: usize) -> Change {
    let ready = vec![(format!("probe-{turn}"), at(order, turn))];
    ("probe".to_owned(), Some(target("probe", false, ready)))
}

fn target(name: &str, everything: bool, ready: Vec<(String, std::net::SocketAddr)>) -> Target {
    let routes = ["/assets", "/api/v1", "/api/v2", "/old"].map(to_static);
    let releases = if everything {
        shares(&ready)
    } else {
        Releases::default()
    };
    Target {
        name: name.to_owned(),
        hosts: vec![format!("{name}.{DOMAIN}")],
        inside: None,
        raw: false,
        grpc: false,
        sticky: everything,
        compress: everything,
        routes: if everything { routes.to_vec() } else { Vec::new() },
        rules: if everything { rules() } else { Arc::default() },
        drain: Duration::from_secs(1),
        slow_start: Duration::ZERO,
        build: None,
        maintenance: None,
        mutual: None,
        answer: Answer::Instances {
            ready,
            hold: Duration::from_secs(30),
            because: format!("{name} is starting"),
            releases,
        },
    }
}

/// A new release for a tenth of the visitors, where there are instances for two.
fn shares(ready: &[(String, std::net::SocketAddr)]) -> Releases {
    let share = |release: &str, parts, instances: &[(String, std::net::SocketAddr)]| Share {
        release: release.to_owned(),
        parts,
        instances: instances.iter().map(|(id, _)| id.clone()).collect(),
    };
    let shares = match ready.split_last() {
        Some((new, old)) if !old.is_empty() => vec![
            share("one", WHOLE / 10 * 9, old),
            share("two", WHOLE / 10, std::slice::from_ref(new)),
        ],
        _ => Vec::new(),
    };
    Releases {
        shares,
        ..Releases::default()
    }
}

/// The headers that a careful team has, a rate that nobody here comes near, and a bound for bodies.
fn rules() -> Arc<Rules> {
    let headers = [
        ("Content-Security-Policy", "default-src 'self'"),
        ("Strict-Transport-Security", "max-age=31536000"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Permissions-Policy", "camera=(), microphone=()"),
        ("X-Content-Type-Options", "nosniff"),
    ];
    let mut rules = Rules {
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..Rules::default()
    };
    rules.bounds.rate = Some(Rate::new(10_000_000, Time::from_secs(1), Some(RateKey::Ip)));
    rules.bounds.body = Some(10 * 1024 * 1024);
    rules.unwanted.paths = vec!["/wp-admin".to_owned(), "/.git".to_owned()];
    Arc::new(rules)
}

fn to_static(beginning: &str) -> Route {
    Route {
        path: beginning.to_owned(),
        to: Some(RouteTo::Target("static".to_owned())),
        rules: Arc::default(),
    }
}

/// A target whose upstream has few workers: the last one.
fn narrow(order: &Order, name: &str) -> Change {
    let ready = vec![(format!("{name}-1"), at(order, order.upstreams.len() - 1))];
    let mut narrow = target(name, false, ready);
    narrow.rules = Arc::new(Rules {
        bounds: Bounds {
            unshed: name == NARROW,
            ..Bounds::default()
        },
        ..Rules::default()
    });
    (name.to_owned(), Some(narrow))
}

fn files(order: &Order) -> Target {
    let mut files = target("static", false, Vec::new());
    files.answer = Answer::Files {
        folder: order.site.clone(),
        fallback: None,
        assets: Duration::from_secs(60),
        pages: None,
        former: Vec::new(),
        releases: towpath_edge::Releases::default(),
        sides: Default::default(),
    };
    files
}
