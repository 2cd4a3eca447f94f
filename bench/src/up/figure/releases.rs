//! Releases: deployed, deployed once more, and rolled back, while visitors come.

use crate::outside::{BOUND, answers, free_ports, run, wait_for};
use crate::peer::Towpath;
use crate::place::{Place, write};
use crate::table::{self, Times, against, millis};
use crate::visitors::Visitors;
use crate::{Miss, Outcome};
use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;

/// How often it is gone forward and back.
const CYCLES: usize = 100;

/// So many visitors come at the same time, each with a new connection each time, and wait so long in between.
const VISITORS: usize = 2;
const PAUSE: Duration = Duration::from_millis(1);

/// A new configuration in the place of the one before, of one service and of four.
pub(super) fn deploy(place: &Place) -> Outcome {
    let mut own = Times::of("the program alone, to its first answer");
    let mut all = Vec::new();
    for count in [1, 4] {
        let product = Product::new(place, count, "warm = \"0s\"")?;
        let mut times = Times::of(format!("`towpath deploy`, {count} of {count} services changed"));
        let mut same = Times::of(format!("`towpath deploy`, nothing changed, {count} services"));
        for round in 0..=ROUNDS {
            product.word(round)?;
            let deployed = took(&mut product.command("deploy"))?;
            let again = took(&mut product.command("deploy"))?;
            let alone = alone(place)?;
            if round > 0 {
                times.each.push(deployed);
                same.each.push(again);
                own.each.push(alone);
            }
        }
        all.push((count, times, same));
    }
    let first = own.median();
    let mut rows = vec![own];
    let mut verdicts = Vec::new();
    for (count, times, same) in all {
        let above = millis(times.median()) - millis(first);
        verdicts.push((
            format!("{count} deployed, above the program's own start"),
            above,
            if count == 1 { 30.0 } else { 50.0 },
        ));
        verdicts.push((
            format!("nothing changed, {count} services"),
            millis(same.median()),
            20.0,
        ));
        rows.extend([times, same]);
    }
    table::print(&rows);
    println!();
    for (what, is, bound) in verdicts {
        against(&what, is, "ms", bound, bound / 2.0);
    }
    Ok(())
}

/// Back to a release that is kept warm, again and again.
pub(super) fn rollback(place: &Place) -> Outcome {
    let product = Product::new(place, 1, "warm = \"10m\"")?;
    let port = product.towpath.status()?.steward.and_then(|steward| steward.http);
    let port = port.ok_or_else(|| Miss::Failed("the edge does not listen".to_owned()))?;
    let visitors = Visitors::come(port, &["part-0.bench.localhost"; VISITORS], PAUSE);
    let mut times = Times::of("`towpath rollback`, warm, from the command to its end");
    let mut inside = Times::of("as the steward tells it: from what was said to what holds");
    for cycle in 0..CYCLES {
        product.word(cycle + 1)?;
        run(&mut product.command("deploy"))?;
        times.each.push(took(&mut product.command("rollback"))?);
        inside.each.push(product.told()?);
    }
    let (asked, lost) = visitors.go();
    println!("\n{CYCLES} times forward and back: {asked} requests, {lost} of them lost");
    let (whole, decided) = (times.at(99), inside.at(99));
    table::print(&[times, inside]);
    println!();
    against("rollback, 99th percentile", millis(whole), "ms", 100.0, 20.0);
    against(
        "decision to effect, 99th percentile",
        millis(decided),
        "ms",
        20.0,
        5.0,
    );
    match lost {
        0 => Ok(()),
        lost => Err(Miss::Failed(format!("{lost} requests were lost"))),
    }
}

/// A product that runs by releases.
struct Product {
    towpath: Towpath,
    count: usize,
    tiny: String,
    rollout: String,
}

impl Product {
    fn new(place: &Place, count: usize, rollout: &str) -> Result<Product, Miss> {
        let towpath = Towpath::of(place, &format!("releases-{count}-{}", rollout.len()), "")?;
        let product = Product {
            towpath,
            count,
            tiny: place.tiny.display().to_string(),
            rollout: rollout.to_owned(),
        };
        product.word(0)?;
        run(&mut product.command("deploy"))?;
        Ok(product)
    }

    /// Every service of it is told another word from now on.
    fn word(&self, number: usize) -> Result<(), String> {
        let mut text = String::from("product = \"bench\"\n");
        for service in 0..self.count {
            let _ = write!(
                text,
                "[service.part-{service}]\nrun = \"{}\"\npublic = true\nhealth = {{ path = \"/\", interval = \"50ms\", timeout = \
                 \"1s\" }}\nenv = {{ WORD = \"{number}\" }}\n",
                self.tiny
            );
        }
        let _ = write!(
            text,
            "[rollout]\nstrategy = \"blue-green\"\nbake = \"0s\"\n{}\n[environment.dev]\nsecrets = \"dotenv\"\n",
            self.rollout
        );
        write(&self.towpath.folder, "towpath.toml", &text)
    }

    fn command(&self, word: &str) -> Command {
        let mut command = self.towpath.bare();
        command.args([word, "dev", "--manifest"]);
        command.arg(&self.towpath.folder);
        command
    }

    /// How long the last rollout took, as it was written down.
    fn told(&self) -> Result<Duration, String> {
        let text = run(self.command("releases").arg("--json"))?;
        let told: towpath_api::Releases =
            serde_json::from_str(&text).map_err(|why| format!("towpath releases --json: {why}"))?;
        let ended = told.told.course.ended.ok_or("nothing has ended")?;
        Ok(ended.took.to_std())
    }
}

/// The time from its start to the first answer of what is deployed.
fn alone(place: &Place) -> Result<Duration, Miss> {
    let port = free_ports(1)?.pop().unwrap_or_default();
    let begin = Instant::now();
    let mut command = Command::new(&place.tiny);
    command.arg(port.to_string());
    let _running = crate::outside::Running::start(&mut command)?;
    wait_for("an answer", BOUND, || answers(port))?;
    Ok(begin.elapsed())
}

fn took(command: &mut Command) -> Result<Duration, Miss> {
    let begin = Instant::now();
    run(command)?;
    Ok(begin.elapsed())
}
