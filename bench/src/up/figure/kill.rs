//! From kill -9 of a component to its next 200, and what becomes of requests meanwhile.

use crate::outside::{self, answers, kill, wait_for, wait_for_answers};
use crate::peer::{Compose, Peer, Towpath};
use crate::place::Place;
use crate::table::{self, Times};
use crate::{Miss, Outcome};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::spawn;
use std::time::{Duration, Instant};

/// Few: killed more often, a component is one that crashes again and again, and is given a rest.
const ROUNDS: usize = 5;

/// Those who ask all the time.
const CALLERS: usize = 4;

pub(super) fn measure(place: &Place) -> Outcome {
    let mut times = Vec::new();
    if place.towpath.is_some() {
        let ours = ours(place)?;
        let took = table::millis(ours.median());
        times.push(ours);
        println!();
        table::against("serves again", took, "ms", 15.0, 5.0);
        println!();
    }
    match theirs(place) {
        Ok(one) => times.push(one),
        Err(Miss::Lacks(why)) => println!("docker-compose: left out: {why}"),
        Err(failed) => return Err(failed),
    }
    println!("honcho stops everything when one of its processes ends\n");
    table::print(&times);
    Ok(())
}

/// Each round is another product that was just started, so that it is always the first time that it is killed.
fn ours(place: &Place) -> Result<Times, Miss> {
    let mut times = Times::of("towpath, through its edge");
    let (mut asked, mut lost, mut longest) = (0, 0, Duration::ZERO);
    let manifest = format!(
        "product = \"bench\"\n\n[environment.dev]\n\n[service.web]\nrun = \"{} $PORT\"\npublic = true\nhealth = \"/\"\n",
        place.tiny.display()
    );
    for round in 0..ROUNDS {
        let towpath = Towpath::of(place, &format!("killed-{round}"), &manifest)?;
        outside::run(&mut towpath.up())?;
        let (pid, port) = web(&towpath)?;
        wait_for_answers(&[port])?;
        let callers = Callers::start(port);
        outside::pause(200);
        let begin = Instant::now();
        kill(pid);
        // Whoever asks from now on is held until it is there again.
        let gone = || web(&towpath).is_ok_and(|(new, _)| new != pid);
        wait_for("an answer", outside::BOUND, || answers(port))?;
        times.each.push(begin.elapsed());
        wait_for("another process", outside::BOUND, gone)?;
        let told = callers.stop();
        asked += told.0;
        lost += told.1;
        longest = longest.max(told.2);
    }
    println!(
        "{asked} requests meanwhile, {lost} of them lost; the longest took {:.1} ms",
        table::millis(longest)
    );
    if lost > 0 {
        return Err(Miss::Failed(format!("{lost} requests were lost")));
    }
    Ok(times)
}

/// The process of the service, and the port of the edge that leads to it.
fn web(towpath: &Towpath) -> Result<(i32, u16), String> {
    let status = towpath.status()?;
    let web = status
        .components
        .iter()
        .find(|one| one.name == "web")
        .ok_or("there is no `web`")?;
    let pid = web
        .instances
        .iter()
        .find_map(|one| one.pid)
        .ok_or("`web` does not run")?;
    let inside = web.inside.as_ref().ok_or("`web` has no address")?;
    let port = inside
        .rsplit(':')
        .next()
        .and_then(|port| port.trim_end_matches('/').parse().ok());
    let pid = i32::try_from(pid).map_err(|_| "a process with no number")?;
    Ok((pid, port.ok_or_else(|| format!("{inside} has no port"))?))
}

fn theirs(place: &Place) -> Result<Times, Miss> {
    let mut times = Times::of("docker, `restart: always`");
    for _ in 0..ROUNDS {
        let mut compose = Compose::new(place, 1)?;
        compose.start()?;
        wait_for("that it may be asked", outside::BOUND, || compose.may_be_asked())?;
        let port = compose.ports()[0];
        wait_for_answers(&[port])?;
        // Docker restarts at once only what has run for ten seconds.
        outside::pause(10_500);
        let old = compose.processes();
        let pid = old.first().copied();
        let begin = Instant::now();
        kill(pid.ok_or_else(|| "the process in the container was not found".to_owned())?);
        let another = || compose.may_be_asked() && compose.processes() != old;
        wait_for("another process", outside::BOUND, another)?;
        wait_for_answers(&[port])?;
        times.each.push(begin.elapsed());
        compose.stop()?;
    }
    Ok(times)
}

/// Those who ask all the time, and what they have seen.
struct Callers {
    over: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
    threads: Vec<std::thread::JoinHandle<Duration>>,
}

impl Callers {
    fn start(port: u16) -> Callers {
        let mut callers = Callers {
            over: Arc::default(),
            asked: Arc::default(),
            lost: Arc::default(),
            threads: Vec::new(),
        };
        for _ in 0..CALLERS {
            let (over, asked, lost) = (
                Arc::clone(&callers.over),
                Arc::clone(&callers.asked),
                Arc::clone(&callers.lost),
            );
            callers.threads.push(spawn(move || {
                let mut longest = Duration::ZERO;
                while !over.load(Ordering::Relaxed) {
                    let begin = Instant::now();
                    let well = answers(port);
                    longest = longest.max(begin.elapsed());
                    asked.fetch_add(1, Ordering::Relaxed);
                    lost.fetch_add(u64::from(!well), Ordering::Relaxed);
                    outside::pause(1);
                }
                longest
            }));
        }
        callers
    }

    /// How many requests there were, how many had no good answer, and how long the longest took.
    fn stop(self) -> (u64, u64, Duration) {
        self.over.store(true, Ordering::Relaxed);
        let longest = self
            .threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .max();
        (
            self.asked.load(Ordering::Relaxed),
            self.lost.load(Ordering::Relaxed),
            longest.unwrap_or_default(),
        )
    }
}
