//! Workflows for GitHub Actions: the pipeline that a manifest describes.
//!
//! **What is written.** The workflows that `ci.workflows` names; where it names none, all for which there is something to do.
//! `deploy.yml` tests what arrives, in a matrix of systems, versions and browsers, and has a job for each environment that
//! something makes it arrive in: tests and deployment stand in one file, because a job waits only for jobs of its own file.
//!
//! **What decides.** The jobs run what gates run and keep their reports; what a report says, and whether a release goes on, is
//! decided by towpath, on the runner and on the machine, as it is everywhere else.
//!
//! **What nobody can do with it.** No key is stored: a job that deploys proves who it is. No job may do more than it needs.
//! Actions are named by commits. What people type, and what the names of branches say, reaches shells as values only.

mod asked;
mod deploy;
mod health;
pub(crate) mod pins;
mod rollback;
mod security;
mod steps;
mod test;
mod tools;
mod when;

use crate::yaml::Table;
use crate::{File, MARK, Product, Untold};
use asked::Asked;
use tools::Tool;
use towpath_model::Desired;
use towpath_model::desired::build::Build;
use towpath_model::desired::environment::Environment;
use towpath_model::desired::gate::Gate;
use towpath_model::desired::operations::{Ci, Workflow};
use towpath_model::unit::{Name, Trigger};
use when::Arrival;

/// Where workflows are read from.
const FOLDER: &str = ".github/workflows";

/// What runs jobs where the manifest names nothing.
const USUAL_SYSTEM: &str = "ubuntu-latest";

/// The workflows of a product.
pub fn github(product: &Product<'_>) -> Result<Vec<File>, Untold> {
    let pipeline = Pipeline::of(*product)?;
    let mut files = Vec::new();
    for workflow in Workflow::ALL {
        if !pipeline.writes(*workflow) {
            continue;
        }
        let table = match workflow {
            Workflow::Deploy => Some(deploy::workflow(&pipeline)?),
            Workflow::Rollback => rollback::workflow(&pipeline),
            Workflow::HealthCheck => health::workflow(&pipeline),
            Workflow::Security => security::workflow(&pipeline)?,
        };
        if let Some(table) = table {
            files.push(File {
                path: format!("{FOLDER}/{workflow}.yml"),
                text: format!(
                    "{MARK}github` from the manifest: change that, and write this file anew.\n{}",
                    table.into_text()
                ),
            });
        }
    }
    Ok(files)
}

/// An environment that workflows know.
#[derive(Debug)]
struct Place<'a> {
    name: &'a Name,
    environment: &'a Environment,
    desired: &'a Desired,
    /// What makes a change arrive; nothing where it comes by itself.
    arrivals: Vec<Arrival>,
}

impl<'a> Place<'a> {
    fn is_preview(&self) -> bool {
        self.arrivals.contains(&Arrival::PullRequest)
    }

    /// Whether its address is written to the pull request.
    fn comments(&self) -> bool {
        let preview = self.environment.preview.as_ref();
        self.is_preview() && preview.is_none_or(|preview| preview.comment)
    }

    fn builds(&self) -> Vec<&'a Build> {
        deploy::builds(self)
    }
}

/// What all workflows of a product follow from.
#[derive(Debug)]
struct Pipeline<'a> {
    product: Product<'a>,
    ci: Option<&'a Ci>,
    places: Vec<Place<'a>>,
}

impl<'a> Pipeline<'a> {
    fn of(product: Product<'a>) -> Result<Self, Untold> {
        let mut places = Vec::new();
        for (name, environment, desired) in product.places() {
            if is_own_machine(environment) {
                continue;
            }
            let mut arrivals = when::arrivals(name, environment)?;
            if arrivals.is_empty() && environment.after.is_none() {
                // Nothing brings anything there but people.
                arrivals.push(Arrival::Chosen);
            }
            places.push(Place {
                name,
                environment,
                desired,
                arrivals,
            });
        }
        Ok(Pipeline {
            product,
            ci: product.root.ci.as_ref(),
            places,
        })
    }

    /// Whether a workflow is asked for, or there is something for it to do.
    fn writes(&self, workflow: Workflow) -> bool {
        let named = self.ci.map_or(&[][..], |ci| ci.workflows.as_slice());
        if !named.is_empty() {
            return named.contains(&workflow);
        }
        match workflow {
            Workflow::Deploy => !self.places.is_empty() || !self.gates().is_empty(),
            Workflow::Rollback => true,
            Workflow::HealthCheck => self
                .product
                .root
                .probe
                .values()
                .any(|probe| probe.every.is_some()),
            Workflow::Security => true,
        }
    }

    fn writes_security(&self) -> bool {
        self.writes(Workflow::Security)
    }

    /// The gates that a change has to have passed. Probes are not among them: they need something that runs.
    fn gates(&self) -> Vec<Asked<'a>> {
        let root = self.product.root;
        let named = self.ci.map_or(&[][..], |ci| ci.gates.as_slice());
        named
            .iter()
            .filter_map(|name| root.gate.get_key_value(name.as_str()))
            .collect()
    }

    /// Those of them that are tests: scans have a workflow of their own, where it is written.
    fn tested(&self) -> Vec<Asked<'a>> {
        let is_scan = |gate: &Gate| gate.sarif.as_ref().is_some_and(|sarif| sarif.run.is_some());
        let mut all = self.gates();
        all.retain(|(_, gate)| !is_scan(gate) || !self.writes_security());
        all
    }

    /// Every scan of the manifest.
    fn scanned(&self) -> Vec<Asked<'a>> {
        let is_scan = |(_, gate): &Asked<'_>| gate.sarif.as_ref().is_some_and(|sarif| sarif.run.is_some());
        self.product.root.gate.iter().filter(is_scan).collect()
    }

    /// Environments that stay: all but previews.
    fn lasting(&self) -> impl Iterator<Item = &Place<'a>> {
        self.places.iter().filter(|place| !place.is_preview())
    }

    /// The environment that one comes after, where it has a job, too, and the same change arrives in both.
    fn earlier(&self, place: &Place<'_>) -> Option<&Place<'a>> {
        let after = place.environment.after.as_ref()?;
        let earlier = self
            .places
            .iter()
            .find(|one| one.name.as_str() == after.as_str())?;
        let is_shared = |one: &Arrival| *one != Arrival::Chosen && place.arrivals.contains(one);
        earlier.arrivals.iter().any(is_shared).then_some(earlier)
    }

    fn runtimes(&self) -> &'a [String] {
        self.ci.map_or(&[], |ci| &ci.runtimes)
    }

    /// What tests need: the versions that the pipeline names, and what builds need besides.
    fn tools_of_tests(&self) -> Vec<Tool> {
        let mut lists: Vec<&[String]> = vec![self.runtimes()];
        for place in &self.places {
            lists.extend(place.builds().iter().map(|build| build.needs.as_slice()));
        }
        tools::tools(lists)
    }

    fn systems(&self) -> Vec<String> {
        let named = self.ci.map_or(&[][..], |ci| ci.systems.as_slice());
        match named {
            [] => vec![USUAL_SYSTEM.to_owned()],
            named => named.to_vec(),
        }
    }

    /// What runs jobs that are no tests: the first system that is a Linux, since those who deploy have to be one.
    fn runner(&self) -> String {
        let systems = self.systems();
        let is_other = |system: &&String| !system.starts_with("windows") && !system.starts_with("macos");
        systems
            .iter()
            .find(is_other)
            .map_or_else(|| USUAL_SYSTEM.to_owned(), Clone::clone)
    }

    fn browsers(&self) -> Vec<&'static str> {
        let browsers = self.ci.map_or(&[][..], |ci| ci.browsers.as_slice());
        browsers.iter().map(|browser| browser.word()).collect()
    }

    /// The first lines of a workflow.
    fn head(&self, name: &str) -> Table {
        let root = self.product.root;
        let title = root.title.as_deref().unwrap_or(root.product.as_str());
        Table::new().put("name", format!("{name} {title}"))
    }

    /// What holds for every step that runs a command.
    fn defaults(&self) -> Table {
        let run = Table::new().put("shell", "bash");
        let run = match self.product.folder {
            "" => run,
            folder => run.put("working-directory", folder),
        };
        Table::new().put("run", run)
    }
}

/// Whether an environment is somebody's own machine: only people bring something there, and nothing says that it is elsewhere.
fn is_own_machine(environment: &Environment) -> bool {
    let by_hand = !environment.on.is_empty() && environment.on.iter().all(|on| *on == Trigger::Manual);
    let is_nowhere = environment.domain.is_none() && environment.after.is_none();
    is_nowhere && (by_hand || environment.on.is_empty())
}

/// The secrets that whoever deploys needs: those of builds, and those that the pipeline names. What lives for minutes is
/// fetched by whoever needs it, and stored nowhere.
fn secrets(pipeline: &Pipeline<'_>, builds: &[&Build]) -> Vec<String> {
    let root = pipeline.product.root;
    let of_ci = pipeline.ci.map_or(&[][..], |ci| ci.secrets.as_slice());
    let of_builds = builds.iter().flat_map(|build| build.secrets.iter());
    let is_stored = |name: &str| root.secret.get(name).is_none_or(|secret| !secret.short_lived);
    let all = of_ci
        .iter()
        .chain(of_builds)
        .map(|secret| secret.as_str().to_owned());
    when::distinct(all.filter(|name| is_stored(name)))
}
