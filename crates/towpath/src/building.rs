//! Building for a release: what the product's builds make is made here, before anything is gathered.

use crate::door::clock::Began;
use crate::door::terminal::Terminal;
use crate::failure::{Failure, Kind};
use crate::here::Here;
use crate::releasing::took;
use crate::view::{paint, tame};
use futures_util::future::join_all;
use std::sync::Arc;
use tokio::sync::mpsc;
use towpath_decide::launch::Launched;
use towpath_model::desired::secret::Delivery;
use towpath_model::finding::listed;
use towpath_model::run::{Build, Value};
use towpath_model::sealed::Sealed;
use towpath_steward::build::{Builds, Line, Outcome, Request, outputs};

/// So many lines of a build may wait for the terminal.
const LINES: usize = 256;

/// Runs every build of a product. One that fails is told with its last lines.
pub(crate) async fn build(here: &Here, launched: &Launched, terminal: Terminal) -> Result<(), Failure> {
    let product = &launched.product;
    if product.builds.is_empty() {
        return Ok(());
    }
    let requests = product
        .builds
        .values()
        .map(|build| request(build, here, launched));
    let requests: Vec<Request> = requests.collect::<Result<_, _>>()?;
    here.state.make()?;
    let began = Began::now();
    terminal.tell(&format!("building {}\n", listed(product.builds.keys(), "and")));
    let builds = Builds::open(here.state.folder(), Builds::at_once());
    let (lines, mut heard) = mpsc::channel::<Line>(LINES);
    let telling = tokio::spawn(async move {
        while let Some(line) = heard.recv().await {
            let name = paint::dim(&format!("build {}", line.build));
            terminal.tell(&format!("{name}  {}\n", tame::tamed(&line.text)));
        }
    });
    let names: Vec<_> = requests.iter().map(|one| one.build.name.clone()).collect();
    let runs = requests.into_iter().map(|request| {
        builds.run(Request {
            lines: Some(lines.clone()),
            ..request
        })
    });
    let outcomes = join_all(runs).await;
    drop(lines);
    let _ = telling.await;
    let failures: Vec<Failure> = names
        .iter()
        .zip(&outcomes)
        .filter_map(|(name, outcome)| failure(name.as_str(), outcome))
        .collect();
    if let Some(first) = failures.into_iter().next() {
        return Err(first);
    }
    terminal.tell(&format!("built after {}\n", took(began)));
    Ok(())
}

fn failure(name: &str, outcome: &Outcome) -> Option<Failure> {
    match outcome {
        Outcome::Done { .. } | Outcome::Unchanged => None,
        Outcome::Cancelled => Some(Failure::new(
            Kind::Config,
            format!("build `{name}` was cancelled"),
        )),
        Outcome::Failed { exit, last, log } => {
            let last: Vec<String> = last
                .iter()
                .map(|line| format!("\n  {}", tame::tamed(line)))
                .collect();
            let message = format!("build `{name}` {exit}{}", last.concat());
            let hint = format!(
                "nothing has changed in the environment; all of it is in {}",
                log.display()
            );
            Some(Failure::new(Kind::Config, message).hint(hint))
        }
    }
}

/// What a build is started with. Values of secrets are in the environment's vault, which nobody reads out of it: what a build
/// needs of them, the person has.
fn request(build: &Arc<Build>, here: &Here, launched: &Launched) -> Result<Request, Failure> {
    let mut env: Vec<(String, Sealed<String>)> = launched
        .base
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut files = Vec::new();
    for (name, variable) in &build.env {
        let value = match &variable.value {
            Value::Text(text) => Sealed::new(text.clone()),
            Value::Sealed(secret) => given(secret).ok_or_else(|| {
                let message = format!(
                    "build `{}` needs the value of `{secret}`, which is not here",
                    build.name
                );
                let hint = format!(
                    "a vault is not read: `{secret}=.. towpath deploy {}`",
                    here.environment
                );
                Failure::new(Kind::User, message).hint(hint)
            })?,
            // Nothing runs while it is built: there is no address yet, and no port.
            Value::Port
            | Value::Address { .. }
            | Value::Public(_)
            | Value::Credential { .. }
            | Value::Joined(_) => {
                continue;
            }
        };
        match variable.deliver {
            Delivery::File => files.push((name.clone(), value)),
            _ => env.push((name.clone(), value)),
        }
    }
    let owners = launched.product.components.values();
    let owners = owners.filter(|one| one.build.as_ref() == Some(&build.name));
    Ok(Request {
        build: Arc::clone(build),
        env,
        files,
        force: false,
        changed: false,
        outputs: owners
            .flat_map(|one| outputs(one, launched.product.folder.as_ref()))
            .collect(),
        lines: None,
    })
}

fn given(secret: &str) -> Option<Sealed<String>> {
    let person = crate::door::person::environment();
    let mut found = person.into_iter().filter(|(name, _)| name == secret);
    found.next().map(|(_, value)| Sealed::new(value))
}
