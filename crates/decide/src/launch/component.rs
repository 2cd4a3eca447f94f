//! One component, spelled out; and what stands in for something outside, which is one like any other.

use super::build::{self, built, watched};
use super::draft::{Draft, Target};
use super::{Problem, reach, variables};
use crate::here::{answers, fewest, is_single, least, most};
use std::collections::BTreeMap;
use towpath_model::desired::component::{Component, ComponentKind, External, Restart, Stop};
use towpath_model::desired::scale::ScaleTime;
use towpath_model::run::{self, Kind, Limits, Need};
use towpath_model::spec::Path;
use towpath_model::unit::{Bytes, Command, Duration, Name};

/// How many processes and threads a stand-in may have: as many as a component that says nothing.
const PIDS: u32 = 512;

/// Adds a component. One that cannot be started is told and left out.
pub(super) fn component<'a>(
    draft: &mut Draft<'a>,
    kind: ComponentKind,
    name: &'a Name,
    component: &'a Component,
) {
    let at = Path::of([kind.word(), name.as_str()]);
    if kind.runs() && component.run.is_none() {
        let message =
            format!("{kind} `{name}` has no `run`: an image brings its command, and a process has none");
        let environment = draft.environment;
        let hint = format!(
            "add the command that starts it, in [environment.{environment}.{kind}.{name}] for example"
        );
        return draft.refuse(&at, Problem::new(message, hint).of([name]));
    }
    let folder = match files(draft, kind, name, component) {
        Ok(folder) => folder,
        Err(()) => return,
    };
    let build = built(draft, (kind, name, component));
    let watch = watched(draft, (kind, name, component), build.is_some());
    let listens = reach::reached(draft, kind, name, component);
    let env = match kind.runs() {
        true => variables::of(draft, kind, name, component, listens.is_some()),
        false => BTreeMap::new(),
    };
    let shifts = shifts(draft, kind, component);
    let made = run::Component {
        name: name.clone(),
        kind: kind.into(),
        at: draft.place(&at),
        command: component
            .run
            .as_ref()
            .filter(|_| kind.runs())
            .map(ToString::to_string),
        dir: draft.whole(component.dir.as_ref().map_or("", |dir| dir.as_str())),
        env,
        build,
        needs: needs(draft, name, component),
        instances: match answers(kind) && kind.runs() {
            true if !shifts.is_empty() => least(draft.own, kind, component),
            true => fewest(draft.own, kind, component),
            false => 0,
        },
        shifts,
        most: match kind.runs() {
            true => most(draft.own, kind, component),
            false => 0,
        },
        single: is_single(kind, component),
        listens,
        health: reach::well(kind.into(), component.health.as_ref()),
        limits: limits(draft, component),
        restart: component.restart,
        stop: stop(&component.stop),
        site: folder
            .clone()
            .filter(|_| kind == ComponentKind::Site)
            .map(|folder| site(folder, component)),
        pack: folder
            .filter(|_| kind == ComponentKind::Extension)
            .map(|folder| run::Pack {
                folder,
                policy: component.csp.clone(),
            }),
        idle: idle(kind, component),
        cron: component
            .cron
            .clone()
            .map(|cron| (cron, draft.product.time_zone.clone())),
        timeout: component.timeout.filter(|_| kind == ComponentKind::Job),
        retry: retry(kind, component),
        watch,
        resource: None,
    };
    draft.components.insert(name.clone(), made);
}

/// The folder whose files are served or packed. It begins at the manifest, as every path there does.
fn files(
    draft: &mut Draft<'_>,
    kind: ComponentKind,
    name: &Name,
    component: &Component,
) -> Result<Option<String>, ()> {
    match (&component.files, kind.runs()) {
        (_, true) => Ok(None),
        (Some(files), false) => Ok(Some(draft.whole(files.as_str()))),
        (None, false) => {
            let message =
                format!("{kind} `{name}` does not say where its files are, and its image is not looked into");
            let hint = "add the folder with them, as in `files = \"dist\"`";
            let problem = Problem::new(message, hint).of([name]);
            draft.refuse(&Path::of([kind.word(), name.as_str()]), problem);
            Err(())
        }
    }
}

/// The components that have to be well before this one starts. Nobody waits for what answers nothing.
fn needs(draft: &Draft<'_>, name: &Name, component: &Component) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for using in &component.uses {
        let all = match draft.target(using.name.as_str()) {
            Some(Target::Runs {
                name, answers: true, ..
            }) => vec![name.clone()],
            _ => super::resource::waited_for(draft, using),
        };
        let optional = using.optional;
        for used in all {
            match needs.iter_mut().find(|need| need.name == used) {
                Some(known) => known.optional &= optional,
                None if used == *name => {}
                None => needs.push(Need { name: used, optional }),
            }
        }
    }
    needs
}

/// What one instance may use: what it says, and no more than the environment allows.
fn limits(draft: &Draft<'_>, component: &Component) -> Limits {
    Limits {
        memory: lesser(component.memory, cap(draft)),
        cpu: component.cpu,
        pids: component.pids,
    }
}

fn cap(draft: &Draft<'_>) -> Option<Bytes> {
    draft.own?.cap.as_ref()?.memory
}

fn lesser(one: Option<Bytes>, other: Option<Bytes>) -> Option<Bytes> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn stop(stop: &Stop) -> run::Stop {
    run::Stop {
        signal: stop.signal.clone(),
        within: stop.within,
        drain: stop.drain,
    }
}

fn site(folder: String, component: &Component) -> run::Site {
    let cache = component.cache.as_ref();
    run::Site {
        folder,
        fallback: component.fallback.as_ref().map(ToString::to_string),
        assets: cache.and_then(|cache| cache.assets),
        pages: cache.and_then(|cache| cache.pages),
    }
}

fn idle(kind: ComponentKind, component: &Component) -> Option<Duration> {
    let zero_after = component.scale.as_ref().and_then(|scale| scale.zero_after);
    match kind {
        ComponentKind::Function => Some(zero_after.unwrap_or(component.idle)),
        _ => zero_after,
    }
}

/// How many run when, within what is allowed here. Where a window names no time zone the product's holds, as it does for
/// the times of jobs.
fn shifts(draft: &Draft<'_>, kind: ComponentKind, component: &Component) -> Vec<run::Shift> {
    let times = component.scale.iter().flat_map(|scale| &scale.schedule);
    let (least, most) = (
        least(draft.own, kind, component),
        most(draft.own, kind, component),
    );
    let shift = |time: &ScaleTime| run::Shift {
        when: time.when.in_zone(&draft.product.time_zone),
        instances: time.replicas.min(most).max(least),
    };
    times
        .filter(|_| answers(kind) && kind.runs())
        .map(shift)
        .collect()
}

/// How a run that failed is tried again. What a worker tries again are jobs of its queue, which it knows by itself.
fn retry(kind: ComponentKind, component: &Component) -> Option<run::Retry> {
    let retry = component.retry.as_ref().filter(|_| kind == ComponentKind::Job)?;
    Some(run::Retry {
        times: retry.times,
        backoff: retry.backoff,
    })
}

/// Adds what stands in for something outside here.
pub(super) fn stand_ins(draft: &mut Draft<'_>) {
    for (name, external, command) in crate::here::stand_ins(draft.product, draft.environment) {
        let made = stand_in(draft, name, external, command);
        draft.components.insert(name.clone(), made);
    }
}

fn stand_in(draft: &mut Draft<'_>, name: &Name, external: &External, command: &Command) -> run::Component {
    let (build, watch) = build::stand_in(draft, external);
    run::Component {
        name: name.clone(),
        kind: Kind::StandIn,
        at: draft.place(&Path::of(["external", name.as_str()])),
        command: Some(command.to_string()),
        dir: draft.whole(""),
        env: variables::given(draft, name, true),
        build,
        needs: Vec::new(),
        instances: 1,
        shifts: Vec::new(),
        most: 1,
        single: false,
        listens: Some(reach::stand_in(draft, name, external)),
        health: reach::well(Kind::StandIn, None),
        limits: Limits {
            memory: cap(draft),
            cpu: None,
            pids: PIDS,
        },
        restart: Restart::Always,
        stop: stop(&Stop::usual()),
        site: None,
        pack: None,
        idle: None,
        cron: None,
        timeout: None,
        retry: None,
        watch,
        resource: None,
    }
}
