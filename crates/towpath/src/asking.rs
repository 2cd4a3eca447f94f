//! Asking gates where the product's folder is: before a release is handed over, and for an environment that waits for answers
//! that only somebody with the folder can give.
//!
//! Each gate has a line with what it has found, and a failed one what it rests on. Commands have the environment of whoever
//! deploys; values of secrets that are known here, from that environment or from a `.env` beside the manifest, are taken out
//! of everything that is shown, handed over or kept.

use crate::door::clock::{self, Began};
use crate::door::terminal::Terminal;
use crate::door::{files, person};
use crate::failure::{Failure, Kind};
use crate::here::Here;
use crate::view::{paint, progress, tame};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use towpath_api::{Answered, Client};
use towpath_ask::{Place, ask};
use towpath_decide::gate::{combine, in_folder};
use towpath_decide::launch::dotenv;
use towpath_decide::review::looks_secret;
use towpath_decide::rollout::identify;
use towpath_model::Desired;
use towpath_model::desired::gate::{OnFail, Stage};
use towpath_model::finding::listed;
use towpath_model::run::{Answer, Content, Found, Questions, Tree, Verdict};
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Duration, Name};

/// The most bytes of a `.env` that are looked through for what must not be told.
const LARGEST: usize = 1024 * 1024;

/// So many lines of what a failed gate rests on are shown.
const SHOWN: usize = 12;

/// A place where gates are asked about a release.
pub(crate) fn place(
    here: &Here,
    folder: &Path,
    desired: &Desired,
    content: &Content,
    trees: &BTreeMap<String, Tree>,
    terminal: Terminal,
) -> Place {
    let weight = |digest: &String| {
        trees
            .get(digest)
            .map(|tree| tree.files().map(|(_, bytes)| bytes).sum())
    };
    let weights = content.components.iter().filter_map(|(name, portion)| {
        let bytes: u64 = portion.artifact.as_ref().and_then(weight)?;
        Some((name.to_string(), bytes))
    });
    let env = person::environment().into_iter();
    let env: Vec<_> = env.map(|(name, value)| (name, Sealed::new(value))).collect();
    Place {
        folder: folder.to_path_buf(),
        secrets: secrets(here, desired, &env),
        env,
        environment: here.environment.clone(),
        release: identify(content).as_str().to_owned(),
        url: None,
        urls: BTreeMap::new(),
        weights: weights.collect(),
        is_first: content.questions.after.is_none(),
        say: Arc::new(move |line| terminal.tell(&format!("  {}\n", paint::dim(&tame::plain(line))))),
    }
}

/// Values that are secret by the manifest or by their name, as far as they are known here.
fn secrets(here: &Here, desired: &Desired, env: &[(String, Sealed<String>)]) -> Vec<Sealed<String>> {
    let is_secret = |name: &str, value: &Sealed<String>| {
        desired.secret.get(name).is_some() || looks_secret(name, value.open())
    };
    let mut found: Vec<Sealed<String>> = env
        .iter()
        .filter(|(name, value)| is_secret(name, value))
        .map(|(_, value)| value.clone())
        .collect();
    for name in [format!(".env.{}", here.environment), ".env".to_owned()] {
        // One that cannot be read here can be read by no command of ours, either.
        let Ok(Some(bytes)) = files::bytes(&here.folder.join(name), LARGEST) else {
            continue;
        };
        let read = dotenv::parse(&String::from_utf8_lossy(&bytes));
        let own = read
            .entries
            .into_iter()
            .filter(|entry| is_secret(&entry.name, &entry.value));
        found.extend(own.map(|entry| entry.value));
    }
    found
}

/// Asks one gate. What is no gate that a folder can answer is left open.
pub(crate) async fn answer(gate: &Name, stage: Stage, questions: &Questions, place: &Place) -> Answer {
    let began = Began::now();
    let found = match questions.gates.get(gate) {
        Some(_) if questions.known.contains_key(gate) => questions.known[gate].clone(),
        Some(asked) => ask(asked, gate.as_str(), place).await,
        None => Found {
            verdict: Verdict::Inconclusive("the release does not say what it asks".to_owned()),
            measured: None,
            bound: None,
            evidence: Vec::new(),
        },
    };
    Answer {
        gate: gate.to_string(),
        stage,
        found,
        at: clock::now(),
        took: Duration::from_millis(u64::try_from(began.took().as_millis()).unwrap_or(u64::MAX)),
        by: person::name(),
    }
}

/// Asks every gate of the build that a folder can answer, with a line for each. Where one says no, and nobody who may has
/// waived it, nothing is handed over.
pub(crate) async fn after_build(
    here: &Here,
    client: &Client,
    questions: &Questions,
    place: &Place,
    terminal: Terminal,
) -> Result<Vec<Answer>, Failure> {
    let is_here = |name: &&Name| {
        questions.known.contains_key(*name) || questions.gates.get(*name).is_some_and(in_folder)
    };
    let gates: Vec<&Name> = questions.build.iter().filter(is_here).collect();
    if gates.is_empty() {
        return Ok(Vec::new());
    }
    terminal.tell(&format!("asking {}\n", listed(&gates, "and")));
    let widest = gates
        .iter()
        .map(|name| name.as_str().len())
        .max()
        .unwrap_or_default();
    let mut answers = Vec::with_capacity(gates.len());
    for name in &gates {
        let answer = answer(name, Stage::Build, questions, place).await;
        let warns = questions
            .gates
            .get(*name)
            .is_some_and(|gate| gate.fails == OnFail::Warn);
        terminal.tell(&line(&answer, widest, warns));
        answers.push(answer);
    }
    let names: Vec<String> = gates.iter().map(ToString::to_string).collect();
    let judged = |waivers: &[_]| combine(questions, &names, &answers, waivers, clock::now());
    let verdict = match judged(&[]) {
        Verdict::Pass => Verdict::Pass,
        // Waivers are kept where the release goes. Whoever cannot be asked for them has none.
        _ => {
            let told: Result<Answered, _> = client.ask(http::Method::GET, "/gates", &()).await;
            judged(&told.map(|told| told.waivers).unwrap_or_default())
        }
    };
    match verdict {
        Verdict::Pass => Ok(answers),
        Verdict::Waived(why) => {
            terminal.tell(&format!("{}\n", tame::plain(&why)));
            Ok(answers)
        }
        Verdict::Fail(why) | Verdict::Inconclusive(why) | Verdict::Awaits(why) => {
            let hint = format!(
                "nothing has changed in {}; only a waiver of somebody whom `waive` of the gate names passes over it",
                here.environment
            );
            let message = format!("nothing is handed over: {}", tame::plain(&why));
            Err(Failure::new(Kind::User, message).hint(hint))
        }
    }
}

/// An answer by itself.
pub(crate) fn told_line(answer: &Answer) -> String {
    line(answer, answer.gate.len(), false)
}

/// The line of an answer, and what a failure rests on.
fn line(answer: &Answer, widest: usize, warns: bool) -> String {
    let found = &answer.found;
    let (word, why) = match &found.verdict {
        Verdict::Pass => ("pass".to_owned(), None),
        Verdict::Fail(why) if warns => (paint::yellow("warn"), Some(why)),
        Verdict::Fail(why) => (paint::red("fail"), Some(why)),
        Verdict::Inconclusive(why) => (paint::yellow("open"), Some(why)),
        Verdict::Waived(why) => (paint::yellow("waived"), Some(why)),
        Verdict::Awaits(why) => (paint::yellow("waits"), Some(why)),
    };
    let words = found
        .measured
        .as_ref()
        .or(why)
        .map(String::as_str)
        .unwrap_or_default();
    let bound = found
        .bound
        .as_ref()
        .map(|bound| format!(" ({bound})"))
        .unwrap_or_default();
    let took = paint::dim(&progress::seconds(answer.took.to_std()));
    let head = format!(
        "gate {:<widest$}  {word}  {}{} {took}\n",
        answer.gate,
        tame::plain(words),
        tame::plain(&bound)
    );
    let Some(why) = why.filter(|_| found.verdict != Verdict::Pass) else {
        return head;
    };
    let mut lines = Vec::new();
    if found.measured.is_some() {
        lines.push(why.as_str());
    }
    lines.extend(found.evidence.iter().flat_map(|one| one.text.lines()).take(SHOWN));
    let lines = lines
        .into_iter()
        .map(|line| format!("    {}\n", tame::plain(line)));
    head + &lines.collect::<String>()
}
