//! Gates that an environment cannot ask by itself, asked by whoever deploys or looks on: of the environment that a release comes
//! from before it is handed over, and in the product's folder while somebody waits.

use crate::asking::{answer, place, told_line};
use crate::door::terminal::Terminal;
use crate::failure::Failure;
use crate::here::Here;
use crate::releasing::aim;
use crate::talk::{called, failed};
use std::collections::BTreeSet;
use tokio::task::JoinHandle;
use towpath_api::{AboutGate, Answered, Ask, Client, CourseTold, Deploy, Status};
use towpath_ask::Place;
use towpath_decide::gate::in_folder;
use towpath_model::desired::gate::Stage as When;
use towpath_model::run::{Answer, Questions, Release, Stage};
use towpath_model::unit::{Name, Unit as _};

/// Asks what has to hold before a release may enter, of the environment that it comes from. Where nothing is asked there, or
/// nobody is there to ask, the environment that it goes to says so itself.
pub(crate) async fn entering(
    here: &Here,
    deploy: &Deploy,
    terminal: Terminal,
) -> Result<Vec<Answer>, Failure> {
    let questions = &deploy.content.questions;
    let Some(after) = &questions.after else {
        return Ok(Vec::new());
    };
    let gates: Vec<&Name> = questions
        .enter
        .iter()
        .filter(|name| is_of_what_runs(questions, name))
        .collect();
    if gates.is_empty() {
        return Ok(Vec::new());
    }
    let manifest = here.folder.join(here.file());
    let from = aim(after.as_str(), Some(&manifest))?;
    let client = match called(&from).await {
        Ok(client) => client,
        Err(failure) => {
            terminal.tell(&format!("{after} cannot be asked: {}\n", failure.message));
            return Ok(Vec::new());
        }
    };
    let names: Vec<String> = gates.iter().map(ToString::to_string).collect();
    terminal.tell(&format!("asking {after}: {}\n", names.join(", ")));
    let (folder, runs): (Vec<&Name>, Vec<&Name>) = gates
        .into_iter()
        .partition(|name| questions.gates.get(*name).is_some_and(in_folder));
    let mut answers = Vec::new();
    if !runs.is_empty() {
        let ask = Ask {
            questions: Questions::clone(questions),
            gates: runs.iter().map(ToString::to_string).collect(),
        };
        let told: Result<Answered, _> = client.ask(http::Method::POST, "/ask", &ask).await;
        match told {
            Ok(told) => answers.extend(told.answers),
            Err(error) => {
                let failure = failed(&error, &from);
                terminal.tell(&format!("{after} has no answer: {}\n", failure.message));
            }
        }
    }
    let place = placed(&from, &client, deploy.content.clone(), terminal).await?;
    for name in folder {
        answers.push(answer(name, When::Enter, questions, &place).await);
    }
    for one in &answers {
        terminal.tell(&told_line(one));
    }
    Ok(answers)
}

/// Whether only something that runs, or somebody with the folder, can answer it.
fn is_of_what_runs(questions: &Questions, name: &Name) -> bool {
    let gate = questions.gates.get(name);
    let known = questions.known.contains_key(name);
    !known
        && gate.is_none_or(|gate| gate.approval.is_none() && gate.window.is_none() && gate.canary.is_none())
}

/// The folder as a place to ask in, with the addresses at which everything is reached there.
async fn placed(
    here: &Here,
    client: &Client,
    content: towpath_model::run::Content,
    terminal: Terminal,
) -> Result<Place, Failure> {
    let checked = here.check();
    let (desired, _) = checked.product(Some(&here.environment))?;
    let mut place = place(
        here,
        &here.folder,
        desired,
        &content,
        &Default::default(),
        terminal,
    );
    // Where it cannot be told, commands do not know it.
    let status: Option<Status> = client.ask(http::Method::GET, "/status", &()).await.ok();
    let components = status.into_iter().flat_map(|status| status.components);
    place.urls = components.filter_map(|one| Some((one.name, one.url?))).collect();
    place.url = place.urls.values().next().cloned();
    Ok(place)
}

/// Whoever looks on asks what the environment waits for, once each.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    asked: BTreeSet<(u64, usize, String)>,
    underway: Vec<JoinHandle<()>>,
}

impl Awaited {
    /// Asks what is awaited now and was not asked yet.
    pub(crate) async fn hear(&mut self, here: &Here, told: &CourseTold, terminal: Terminal) {
        let Some(rollout) = &told.course.rollout else {
            return;
        };
        let open = told.awaits.iter();
        let open: Vec<&String> = open
            .filter(|gate| self.asked.insert((rollout.number, rollout.at, (*gate).clone())))
            .collect();
        if open.is_empty() {
            return;
        }
        let stage = match rollout.stages.get(rollout.at) {
            Some(Stage::Enter(_)) => When::Enter,
            Some(Stage::Bake(_)) => When::After,
            _ => When::During,
        };
        let client = here.client();
        let path = format!("/releases/{}", rollout.to);
        let release: Result<Release, _> = client.ask(http::Method::GET, &path, &()).await;
        // Whoever cannot be asked now is asked by the next one who looks on.
        let Ok(release) = release else { return };
        let questions = std::sync::Arc::clone(&release.content.questions);
        let Ok(place) = placed(here, &client, release.content, terminal).await else {
            return;
        };
        let gates: Vec<Name> = open
            .into_iter()
            .filter_map(|gate| Name::parse(gate).ok())
            .collect();
        self.underway.push(tokio::spawn(async move {
            for gate in gates {
                let answer = answer(&gate, stage, &questions, &place).await;
                terminal.tell(&told_line(&answer));
                let about = AboutGate::Answered(Box::new(answer));
                let told: Result<Answered, _> = client.ask(http::Method::POST, "/gates", &about).await;
                if told.is_err() {
                    terminal.tell(&format!("what `{gate}` has answered could not be handed over\n"));
                }
            }
        }));
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.underway.iter().for_each(JoinHandle::abort);
    }
}
