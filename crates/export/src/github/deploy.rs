//! `deploy.yml`: what a change passes on its way, and the job of each environment.

use super::steps::{self, History};
use super::tools::{By, fetchers, tools};
use super::when::{self, Arrival};
use super::{Pipeline, Place, secrets, security, test};
use crate::Untold;
use crate::yaml::{Table, Value, given};
use towpath_model::desired::build::Build;
use towpath_model::unit::Name;

/// What has to have succeeded before anything is deployed.
const TEST: &str = "test";
const SECURITY: &str = "security";

pub(super) fn workflow(pipeline: &Pipeline<'_>) -> Result<Table, Untold> {
    let test = test::job(pipeline)?;
    let is_scanned = pipeline.writes_security() && !pipeline.scanned().is_empty();
    let mut before = Vec::new();
    let mut jobs = Table::new();
    if let Some(test) = test {
        before.push(TEST);
        jobs = jobs.put(TEST, test).because(
            "The gates of the pipeline. What a report says is judged by `towpath deploy`, against the bounds of the manifest.",
        );
    }
    if is_scanned {
        before.push(SECURITY);
        let job = Table::new()
            .put("name", "Scan")
            .put("uses", "./.github/workflows/security.yml")
            .put("permissions", security::permissions());
        jobs = jobs
            .put(SECURITY, job)
            .because("What is looked for every day is looked for in each change, too.");
    }
    for place in pipeline.places.iter().filter(|place| !place.arrivals.is_empty()) {
        jobs = jobs
            .put(&job_of(place.name), job(pipeline, place, &before))
            .because(why(place));
    }
    let names: Vec<(&Name, &[Arrival])> = pipeline
        .places
        .iter()
        .map(|place| (place.name, place.arrivals.as_slice()))
        .collect();
    let on = when::triggers(&names, !before.is_empty());
    let on = match on.is_empty() {
        true => on.put("workflow_dispatch", Table::new()),
        false => on,
    };
    Ok(pipeline
        .head("Deploy")
        .put("on", on)
        .because(arrivals_told(pipeline))
        .put("permissions", Table::new())
        .because("Nothing is allowed that a job does not ask for.")
        .put("defaults", pipeline.defaults())
        .put("jobs", jobs))
}

/// Which environments have no job, and why.
fn arrivals_told(pipeline: &Pipeline<'_>) -> String {
    let by_itself: Vec<String> = pipeline
        .places
        .iter()
        .filter(|place| place.arrivals.is_empty())
        .map(|place| format!("`{}`", place.name))
        .collect();
    let told = "What makes a change arrive, as the environments of the manifest say it.";
    match by_itself.as_slice() {
        [] => told.to_owned(),
        [one] => {
            format!("{told} {one} has no job: a release comes there by itself, as soon as its gates hold.")
        }
        several => format!(
            "{told} {} have no jobs: a release comes there by itself, as soon as their gates hold.",
            several.join(" and ")
        ),
    }
}

fn why(place: &Place<'_>) -> String {
    let about = place.environment.about.as_ref().map(|about| format!("{about}: "));
    let on: Vec<String> = place.environment.on.iter().map(|on| format!("`{on}`")).collect();
    let on = match on.is_empty() {
        true => "when somebody starts it".to_owned(),
        false => format!("on {}", on.join(" or ")),
    };
    let after = place.environment.after.as_ref();
    let after = after
        .map(|after| format!(", after `{}`", after.as_str()))
        .unwrap_or_default();
    let gates: Vec<&str> = place.environment.gates.iter().map(|gate| gate.as_str()).collect();
    let gates = match gates.is_empty() {
        true => String::new(),
        false => format!(". Before a release enters, {} has to hold", gates.join(", ")),
    };
    format!("{}{on}{after}{gates}.", about.unwrap_or_default())
}

pub(super) fn job_of(environment: &Name) -> String {
    format!("deploy-{environment}")
}

fn job(pipeline: &Pipeline<'_>, place: &Place<'_>, before: &[&str]) -> Table {
    let is_preview = place.is_preview();
    let product = &pipeline.product.root.product;
    let mut needs: Vec<String> = before.iter().map(|job| (*job).to_owned()).collect();
    let earlier = pipeline.earlier(place);
    needs.extend(earlier.map(|earlier| job_of(earlier.name)));
    let group = match is_preview {
        true => format!(
            "{product}-{}-${{{{ github.event.pull_request.number || github.run_id }}}}",
            place.name
        ),
        false => format!("{product}-{}", place.name),
    };
    let concurrency = Table::new()
        .put("group", Value::Expression(group))
        .put("cancel-in-progress", false)
        .because(
            "One at a time. Whoever comes later waits, and of those that wait only the newest goes on. What has begun \
             is not cut off from here: the machine takes it back or replaces it under a lock of its own.",
        );
    let mut permissions = steps::known();
    if place.comments() {
        permissions = permissions.put("pull-requests", "write");
    }
    let url = place.environment.domain.as_ref().filter(|_| !is_preview);
    let environment = Table::new()
        .put("name", place.name.as_str())
        .maybe("url", url.map(|domain| format!("https://{domain}")));
    let mut job = Table::new().put("name", format!("Deploy to {}", place.name));
    if !needs.is_empty() {
        job = job.put("needs", needs);
    }
    job.put("if", given(&condition(place, before, earlier)))
        .put("runs-on", pipeline.runner())
        .put("environment", environment)
        .put("permissions", permissions)
        .because("`id-token` lets the job prove to the machine who it is, so that no key is stored here.")
        .put("concurrency", concurrency)
        .put("steps", steps::listed(all_steps(pipeline, place)))
}

/// When the job runs. `!cancelled()` is there because a job that was left out earlier would leave this one out, too.
fn condition(place: &Place<'_>, before: &[&str], earlier: Option<&Place<'_>>) -> String {
    let ways: Vec<String> = place
        .arrivals
        .iter()
        .map(|arrival| {
            let own = arrival.condition(place.name);
            match earlier.filter(|earlier| earlier.arrivals.contains(arrival) && *arrival != Arrival::Chosen)
            {
                Some(earlier) => format!("{own} && needs.{}.result == 'success'", job_of(earlier.name)),
                None => own,
            }
        })
        .collect();
    let mut all = vec!["!cancelled()".to_owned()];
    all.extend(
        before
            .iter()
            .map(|job| format!("needs.{job}.result == 'success'")),
    );
    all.push(match ways.as_slice() {
        [only] => only.clone(),
        several => format!("(({}))", several.join(") || (")),
    });
    all.join(" && ")
}

fn all_steps(pipeline: &Pipeline<'_>, place: &Place<'_>) -> Vec<Table> {
    let builds = place.builds();
    let needs: Vec<&[String]> = builds.iter().map(|build| build.needs.as_slice()).collect();
    let tools = tools(needs.into_iter().chain([pipeline.runtimes()]));
    let commands = builds.iter().filter_map(|build| build.command.as_ref());
    let gates = pipeline.gates();
    let asked = gates.iter().filter_map(|(_, gate)| super::asked::command(gate));
    let fetchers = fetchers(commands.chain(asked).map(|command| command.as_str()));
    let mut all = vec![steps::sources(History::Last)];
    all.extend(steps::tooling(&tools, &fetchers, By::First));
    all.push(steps::towpath());
    all.push(deploy(place, &secrets(pipeline, &builds)));
    if place.comments() {
        all.push(comment(place));
    }
    all
}

fn deploy(place: &Place<'_>, secrets: &[String]) -> Table {
    let mut env = Table::new();
    for (nth, name) in secrets.iter().enumerate() {
        env = env.put(name, given(&format!("secrets.{name}")));
        if nth == 0 {
            env = env.because("Builds need these. They are secrets of this repository or environment.");
        }
    }
    let lines = format!("towpath deploy {} --to \"$TOWPATH_HOST\"", place.name);
    steps::ask("Deploy", &lines, env).because_first(
        "It ends with 0 when the release is current, 1 when it failed and came back, 2 when it was refused, 3 when it \
         holds and waits for a person or a time.",
    )
}

/// The address, so that whoever asked for the change can look.
fn comment(place: &Place<'_>) -> Table {
    let lines = format!(
        "address=$(towpath status --env {} --json --to \"$TOWPATH_HOST\" | jq --raw-output '[.components[].url // empty] | first // empty')\n\
         if [ -n \"$address\" ]; then\n  \
           gh pr comment \"$PULL_REQUEST\" --edit-last --create-if-none --body \"Preview: $address\"\n\
         fi",
        place.name
    );
    let env = Table::new()
        .put("GH_TOKEN", given("github.token"))
        .put("GH_REPO", given("github.repository"))
        .put("PULL_REQUEST", given("github.event.pull_request.number"));
    let step = steps::ask("Write its address to the pull request", &lines, env);
    step.put("continue-on-error", true)
        .because("What is deployed is deployed, whether or not somebody is told.")
}

/// The builds of an environment that run on whoever deploys, but for what a Dockerfile describes whole.
pub(super) fn builds<'a>(place: &Place<'a>) -> Vec<&'a Build> {
    let product = place.desired;
    let components = product
        .components()
        .filter_map(|(_, _, component)| component.build.as_ref());
    let mut all: Vec<&Build> = Vec::new();
    for build in components {
        let shared = build
            .shared
            .as_ref()
            .and_then(|shared| product.build.get(shared.as_str()));
        for build in [Some(build), shared].into_iter().flatten() {
            if build.dockerfile.is_none() && !all.iter().any(|one| std::ptr::eq(*one, build)) {
                all.push(build);
            }
        }
    }
    all
}
