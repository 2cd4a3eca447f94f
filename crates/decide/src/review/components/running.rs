//! What an instance needs to start, to be known as well, and to stop.

use crate::review::{Scene, Whole, component_at};
use std::collections::BTreeMap;
use towpath_model::code;
use towpath_model::desired::build::Build;
use towpath_model::desired::component::{Component, ComponentKind};
use towpath_model::desired::environment::Engine;
use towpath_model::desired::place::HostKind;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Duration;

/// Longer than this nothing waits for an instance that stops: a deployment would look stuck.
const LONGEST_STOP: Duration = Duration::from_secs(300);

/// Whether an image is made or named, which brings its own command.
fn has_image(scene: &Scene<'_>, component: &Component) -> bool {
    let shared = |build: &Build| {
        let name = build.shared.as_ref()?.as_str();
        scene.product.build.get(name)?.dockerfile.as_ref()
    };
    let built = component
        .build
        .as_ref()
        .is_some_and(|build| build.dockerfile.is_some() || shared(build).is_some());
    built || component.artifact.as_ref().is_some_and(|one| one.image.is_some())
}

/// Something runs, but nothing says what.
pub(super) fn nothing_to_run(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        if !kind.runs() || component.run.is_some() || has_image(scene, component) {
            continue;
        }
        // A platform runs what it is given in its own way.
        let elsewhere = matches!(
            scene.host_kind(component.at.as_ref()),
            HostKind::Platform | HostKind::Cdn | HostKind::Saas
        );
        if elsewhere && component.build.is_some() {
            continue;
        }
        found.push(
            Finding::key(
                &code::NOTHING_TO_RUN,
                component_at(kind, name),
                format!("{kind} `{name}` has nothing to run"),
            )
            .label("no `run`, and no image")
            .hint(format!(
                "add the command that starts it, as in `run = \"bin/{name}\"`, or an image, as in `build = {{ \
                 dockerfile = \"Dockerfile\" }}`"
            )),
        );
    }
}

/// Files are to be served or packed, but nothing says which.
pub(super) fn nothing_to_serve(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for kind in [ComponentKind::Site, ComponentKind::Extension] {
        for (name, component) in scene.product.components_of(kind) {
            if component.files.is_some() || has_image(scene, component) {
                continue;
            }
            let built = match component.build {
                Some(_) => "the folder that its build writes",
                None => "the folder with them",
            };
            found.push(
                Finding::key(
                    &code::NOTHING_TO_SERVE,
                    component_at(kind, name),
                    format!("{kind} `{name}` does not say where its files are"),
                )
                .label("no `files`")
                .hint(format!("add {built}, as in `files = \"dist\"`")),
            );
        }
    }
}

/// A run may last longer than it is until the next one.
pub(super) fn overlap(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, job) in &scene.product.job {
        let (Some(cron), Some(timeout)) = (&job.cron, job.timeout) else {
            continue;
        };
        let between = cron.interval();
        if timeout <= between {
            continue;
        }
        let at = component_at(ComponentKind::Job, name);
        found.push(
            Finding::value(
                &code::RUNS_OVERLAP,
                at.key("timeout"),
                format!("a run of job `{name}` may take {timeout}, but the next one begins after {between}"),
            )
            .label("longer than the pause between two runs")
            .also(Where::Value(at.key("cron")), "when it runs")
            .hint(format!(
                "two runs never overlap, so the next one would be left out: write at most `timeout = \"{between}\"`, or \
                 run it less often"
            )),
        );
    }
}

/// Several instances that tell nobody whether they are well; and checks that ask nothing, or do not wait.
pub(super) fn health(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        let at = component_at(kind, name);
        let several = component.replicas.most() > 1 || component.sticky;
        match &component.health {
            None if kind == ComponentKind::Service && several => {
                let (place, why) = match component.replicas.most() {
                    0 | 1 => (at.key("sticky"), "keeps visitors on one instance".to_owned()),
                    most => (
                        super::bots::most_at(&at, &component.replicas),
                        format!("may have {most} instances"),
                    ),
                };
                let message = format!("service `{name}` {why}, but none tells whether it is well");
                found.push(
                    Finding::value(&code::SEVERAL_WITHOUT_HEALTH, place, message)
                        .label("which of them may get requests?")
                        .hint("add the path that answers 200 when an instance is well, as in `health = \"/healthz\"`"),
                );
            }
            Some(health) if health.path.is_none() && health.command.is_none() => {
                let message = format!("the health check of {kind} `{name}` asks nothing");
                found.push(
                    Finding::key(&code::HEALTH_HASTY, at.key("health"), message)
                        .label("neither `path` nor `command`")
                        .hint("add what is asked, as in `path = \"/healthz\"` or `command = \"bin/ready\"`"),
                );
            }
            Some(health) if health.deadline < health.timeout => {
                let (deadline, timeout) = (health.deadline, health.timeout);
                let message = format!(
                    "{kind} `{name}` has to be ready within {deadline}, but one answer may take {timeout}"
                );
                found.push(
                    Finding::value(&code::HEALTH_HASTY, at.key("health").key("deadline"), message)
                        .label("given up before it answers")
                        .hint(format!(
                            "write a `deadline` of several answers, or a `timeout` below {deadline}"
                        )),
                );
            }
            _ => {}
        }
    }
}

/// Something takes too long to stop, or its work does not survive a stop.
pub(super) fn stops(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components().filter(|(kind, _, _)| kind.runs()) {
        let at = component_at(kind, name);
        let within = component.stop.within;
        let place = at.key("stop").key("within");
        if within > LONGEST_STOP {
            let message =
                format!("{kind} `{name}` may take {within} to stop, but {LONGEST_STOP} is the most");
            let hint = match kind {
                ComponentKind::Worker | ComponentKind::Job => {
                    "write `stop = \"5m\"`, and let `retry` take up work that was cut short"
                }
                _ => {
                    "write `stop = \"5m\"`; WebSockets have a time of their own, `stop = { drain = \"30m\" }`"
                }
            };
            found.push(
                Finding::value(&code::STOPS_TOO_LONG, place, message)
                    .label("a deployment would wait for it")
                    .hint(hint),
            );
            continue;
        }
        let Some(timeout) = component.timeout.filter(|timeout| *timeout > within) else {
            continue;
        };
        if kind == ComponentKind::Worker && component.retry.is_none() {
            let message = format!(
                "a job of worker `{name}` may take {timeout}, but is cut short after {within} when a release replaces it"
            );
            found.push(
                Finding::value(&code::WORK_CUT_SHORT, at.key("timeout"), message)
                    .label("longer than a stop waits")
                    .also(Where::Value(place), format!("is given {within} to stop"))
                    .hint("let it be tried again, as in `retry = 3`, or let a stop wait as long, 300 s at the most"),
            );
        }
    }
}

/// Two instances that want the same port of one machine.
pub(super) fn ports(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    // In a container each instance has ports of its own.
    if scene.engine() != Engine::Process {
        return;
    }
    let mut taken: BTreeMap<(&str, u16), (String, Path)> = BTreeMap::new();
    for (kind, name, component) in scene.product.components() {
        let Some(port) = component.port.map(|port| port.number()) else {
            continue;
        };
        let host = scene.host(component.at.as_ref());
        if host.is_some_and(|(_, host)| host.kind != HostKind::Machine) {
            continue;
        }
        let machine = host.map_or("", |(name, _)| name);
        let place = component_at(kind, name).key("port");
        // A function's usual most is nobody's wish, and a bot with several instances is told by another rule.
        let wished = !matches!(kind, ComponentKind::Bot | ComponentKind::Function);
        if component.replicas.most() > 1 && wished {
            let message = format!(
                "{kind} `{name}` may have {} instances on one machine, and all of them want port {port}",
                component.replicas.most()
            );
            found.push(
                Finding::value(&code::PORT_TAKEN, place.clone(), message)
                    .label("only the first one gets it")
                    .hint(
                        "take `port` out: each instance is given a free one as `PORT`, and the edge finds it",
                    ),
            );
        }
        match taken.get(&(machine, port)) {
            Some((other, first)) => {
                let message = format!("{kind} `{name}` and {other} want port {port} of the same machine");
                found.push(
                    Finding::value(&code::PORT_TAKEN, place, message)
                        .label("taken")
                        .also(Where::Value(first.clone()), format!("{other} has it"))
                        .hint("take `port` out of both: each is given a free one as `PORT`, and the edge finds it"),
                );
            }
            None => {
                taken.insert((machine, port), (format!("{kind} `{name}`"), place));
            }
        }
    }
}

/// A stand-in is used here, but there is none.
pub(super) fn stand_ins(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((here, _)) = scene.environment else {
        return;
    };
    for (name, external) in &scene.product.external {
        let used = external.mock_in.iter().any(|one| one.as_str() == here.as_str());
        if !used || external.mock.is_some() {
            continue;
        }
        found.push(
            Finding::key(
                &code::HALF_A_STAND_IN,
                Path::of(["external", name.as_str(), "mock_in"]),
                format!("`{name}` is to be replaced by a stand-in, but has none"),
            )
            .label("no `mock` to use there")
            .hint(format!(
                "add the command that answers in its place, as in `mock = \"bin/{name}-mock\"`"
            )),
        );
    }
}

/// A stand-in is used nowhere.
pub(super) fn unused_stand_ins(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    for (name, external) in &whole.root.external {
        let used = whole
            .environments
            .iter()
            .filter_map(|(_, product)| product.external.get(name.as_str()))
            .any(|one| !one.mock_in.is_empty());
        if external.mock.is_none() || used || !external.mock_in.is_empty() {
            continue;
        }
        let environment = whole
            .environments
            .first()
            .map_or("dev", |(name, _)| name.as_str());
        found.push(
            Finding::key(
                &code::HALF_A_STAND_IN,
                Path::of(["external", name.as_str(), "mock"]),
                format!("the stand-in for `{name}` is used in no environment"),
            )
            .label("never used")
            .hint(format!("say where, as in `mock_in = [\"{environment}\"]`")),
        );
    }
}
