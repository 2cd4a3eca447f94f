//! The sentence for each action of a plan.

use super::action::{Action, BuildOf, HookTime, Well};
use super::{ComponentId, ResourceId, listed};
use crate::desired::component::Handover;
use crate::unit::{Duration, Schedule, Trigger};
use std::fmt;

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = of_way(self)
            .or_else(|| of_artifact(self))
            .or_else(|| of_store(self))
            .or_else(|| of_resource(self))
            .or_else(|| of_component(self))
            .or_else(|| of_traffic(self))
            .or_else(|| of_watch(self));
        // Each action is in one of them; should one be forgotten, its word is better than nothing.
        f.write_str(sentence.as_deref().unwrap_or(self.word()))
    }
}

/// The names of components, in a row.
fn names(components: &[ComponentId]) -> String {
    listed(components.iter().map(|component| &component.name))
}

/// `a push to main or a tag like v*`.
fn either(on: &[Trigger]) -> String {
    let on: Vec<String> = on.iter().map(occasion).collect();
    on.join(" or ")
}

/// What happens when a trigger fires.
fn occasion(on: &Trigger) -> String {
    match on {
        Trigger::PullRequest => "a pull request".to_owned(),
        Trigger::Push(branch) => format!("a push to {branch}"),
        Trigger::Tag(tag) => format!("a tag like {tag}"),
        Trigger::Manual => "somebody's command".to_owned(),
        Trigger::Schedule(schedule) => format!("the schedule {schedule}"),
    }
}

/// `daily 02:00`, or `by cron 0 2 * * *`.
fn times(schedule: &Schedule) -> String {
    let text = schedule.to_string();
    if text.starts_with("cron ") {
        format!("by {text}")
    } else {
        text
    }
}

/// `has a value` for one, `have a value` for several.
fn have<T>(several: &[T]) -> &'static str {
    if several.len() == 1 { "has" } else { "have" }
}

fn of_way(action: &Action) -> Option<String> {
    Some(match action {
        Action::Begin { environment, on } if on.is_empty() => {
            format!("wait for somebody to deploy to `{environment}`")
        }
        Action::Begin { environment, on } => {
            format!(
                "wait for {}, which brings a change to `{environment}`",
                either(on)
            )
        }
        Action::Promote { from, to, on } if on.is_empty() => {
            format!("take the release over from `{from}` to `{to}`")
        }
        Action::Promote { from, to, on } => {
            format!("take the release over from `{from}` to `{to}`, on {}", either(on))
        }
        Action::CheckDeployer { roles } => format!("check that whoever deploys has role {}", listed(roles)),
        Action::CheckFreeze { why } => format!("check that nothing is frozen for {why}"),
        Action::CheckWindow { window } => format!("check that the time is within {window}"),
        Action::CheckSecrets { secrets } => {
            format!("check that {} {} a value", listed(secrets), have(secrets))
        }
        Action::CheckVariables { component, variables } => {
            format!(
                "check that {} of {component} {} a value",
                listed(variables),
                have(variables)
            )
        }
        Action::Pass { environment } => format!("run in `{environment}`"),
        Action::Ask(gate) => gate.to_string(),
        Action::Release => "make the release".to_owned(),
        Action::Finish => "count the release as done".to_owned(),
        _ => return None,
    })
}

fn of_artifact(action: &Action) -> Option<String> {
    Some(match action {
        Action::Build { of, how } => match of {
            BuildOf::Shared(name) => format!("run build `{name}`{how}"),
            BuildOf::Component(component) => format!("build {component}{how}"),
        },
        Action::Weigh { of, most } => format!("check that the artifact of {of} weighs at most {most}"),
        Action::ListParts { of, format } => format!("list the parts of the artifact of {of} as {format}"),
        Action::Sign { of } => format!("sign the artifact of {of}"),
        Action::Push { of, image } => format!("push {image} for {}", names(of)),
        Action::Resolve { of, image } => format!("find the digest of {image} for {}", names(of)),
        _ => return None,
    })
}

fn of_store(action: &Action) -> Option<String> {
    Some(match action {
        Action::Pack { extension } => format!("pack {extension}"),
        Action::Upload {
            extension,
            store,
            kind,
        } => {
            format!("upload {extension} to store `{store}`, {}", kind.title())
        }
        Action::Review {
            extension,
            store,
            expected,
        } => {
            let expected = expected
                .map(|time| format!(", expected within {time}"))
                .unwrap_or_default();
            format!("wait until store `{store}` has reviewed {extension}{expected}")
        }
        Action::Roll {
            extension,
            store,
            to: Some(to),
        } => {
            format!("let store `{store}` give {extension} to {to}")
        }
        Action::Roll {
            extension,
            store,
            to: None,
        } => {
            format!("let store `{store}` give {extension} to everybody")
        }
        _ => return None,
    })
}

fn of_resource(action: &Action) -> Option<String> {
    Some(match action {
        Action::Provision { resource } => format!("make {resource}"),
        Action::Bind { resource, secret } => format!("bind {resource} to what `{secret}` leads to"),
        Action::BackUp {
            resource,
            full,
            log,
            drill,
        } => backup(resource, full.as_ref(), *log, drill.as_ref()),
        Action::Copy {
            resource,
            from,
            masked,
        } => {
            let masked = match masked.is_empty() {
                true => String::new(),
                false => format!(", with {} masked", listed(masked)),
            };
            format!("copy {resource} from `{from}`{masked}")
        }
        Action::Empty { resource } => format!("begin with nothing in {resource}"),
        Action::Fill { resource, how } => format!("fill {resource}{how}"),
        Action::Migrate {
            resource,
            phase,
            how,
            window,
        } => {
            let window = window
                .as_ref()
                .map(|window| match window.to_string().as_str() {
                    "always" => ", at any time".to_owned(),
                    window => format!(", within {window}"),
                })
                .unwrap_or_default();
            format!("{phase} the schema of {resource}{how}{window}")
        }
        _ => return None,
    })
}

fn backup(
    resource: &ResourceId,
    full: Option<&Schedule>,
    log: Option<Duration>,
    drill: Option<&Schedule>,
) -> String {
    let full = full.map(|full| format!(" {}", times(full))).unwrap_or_default();
    let log = log.map(|log| format!(", its log each {log}")).unwrap_or_default();
    let drill = drill
        .map(|drill| format!(", with a restore tried {}", times(drill)))
        .unwrap_or_default();
    format!("back up {resource}{full}{log}{drill}")
}

fn of_component(action: &Action) -> Option<String> {
    Some(match action {
        Action::StandIn { external, how } => format!("start a stand-in for external `{external}`{how}"),
        Action::Hook {
            component,
            when,
            command,
        } => match when {
            HookTime::Before => format!("run `{command}` before {component} starts"),
            HookTime::After => format!("run `{command}` now that {component} runs"),
        },
        Action::HandOver { bot, how } => match how {
            Handover::StopFirst => format!("stop the old instance of {bot}, if there is one"),
            Handover::Lease => format!("pass the lease of {bot} to the new instance"),
            Handover::Shards => format!("pass the shards of {bot} on, one by one"),
        },
        Action::Start {
            component,
            instances: 0,
        } => format!("make {component} ready to wake"),
        Action::Start {
            component,
            instances: 1,
        } => format!("start {component}"),
        Action::Start { component, instances } => format!("start {instances} instances of {component}"),
        Action::Publish {
            component,
            files: Some(files),
        } => format!("publish {component} from {files}"),
        Action::Publish {
            component,
            files: None,
        } => format!("publish {component}"),
        Action::AwaitHealthy {
            component,
            well,
            deadline,
        } => match well {
            Well::Path(path) => format!("wait until {component} answers on {path}, at most {deadline}"),
            Well::Command(command) => {
                format!("wait until `{command}` finds {component} well, at most {deadline}")
            }
            Well::Stays => format!("wait until {component} has stayed up for {deadline}"),
        },
        _ => return None,
    })
}

fn of_traffic(action: &Action) -> Option<String> {
    Some(match action {
        Action::Route { component, domains } if domains.is_empty() => {
            format!("let the edge answer for {component}")
        }
        Action::Route { component, domains } => {
            format!("let the edge answer on {} for {component}", listed(domains))
        }
        Action::Shift { components, to, unit } => {
            format!("give {} {to}, counted in {unit}", names(components))
        }
        Action::Switch { components, strategy } => format!("switch {} over, {strategy}", names(components)),
        Action::Bake { components, time } => format!("watch {} for {time}", names(components)),
        Action::KeepWarm { components, time } => {
            format!("keep the old release of {} warm for {time}", names(components))
        }
        _ => return None,
    })
}

fn of_watch(action: &Action) -> Option<String> {
    Some(match action {
        Action::ScheduleJob {
            job,
            cron: Some(cron),
        } => format!("run {job} {}", times(cron)),
        Action::ScheduleJob { job, cron: None } => format!("have {job} ready to be run"),
        Action::ScheduleProbe { probe, every } => format!("run probe `{probe}` each {every}"),
        Action::WatchObjective { objective } => format!("watch objective `{objective}`"),
        Action::Arm { alert, severity } => format!("arm alert `{alert}`, {severity}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Unit;

    #[test]
    fn a_trigger_is_told_as_what_happens() {
        for (on, told) in [
            ("push main", "a push to main"),
            ("tag v*", "a tag like v*"),
            ("pull-request", "a pull request"),
            ("manual", "somebody's command"),
            ("schedule daily 02:00", "the schedule daily 02:00"),
        ] {
            assert_eq!(Trigger::parse(on).map(|on| occasion(&on)), Ok(told.to_owned()));
        }
    }

    #[test]
    fn a_cron_line_stands_in_a_sentence_as_one() {
        for (text, told) in [("0 3 * * *", "by cron 0 3 * * *"), ("daily 03:00", "daily 03:00")] {
            assert_eq!(
                Schedule::parse(text).map(|schedule| times(&schedule)),
                Ok(told.to_owned())
            );
        }
    }
}
