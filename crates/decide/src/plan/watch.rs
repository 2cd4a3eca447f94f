//! What goes on from now: jobs, probes, objectives and alerts, until the release counts as done.

use super::Draft;
use towpath_model::desired::component::ComponentKind;
use towpath_model::plan::{Action, HookTime, Named, Part, Reason};
use towpath_model::spec::Path;

/// Sets up what goes on, and ends the release.
pub(super) fn watch(draft: &mut Draft<'_>) {
    let product = draft.product;
    let served = draft.all();
    for (kind, name, component) in product.components() {
        if let Some(command) = component.hooks.as_ref().and_then(|hooks| hooks.after.clone()) {
            let at = Path::of([kind.word(), name.as_str(), "hooks", "after"]);
            let component = Named::new(kind, name);
            let hook = Action::Hook {
                component,
                when: HookTime::After,
                command,
            };
            draft.step(Part::After, hook, &served, Reason::Written(at));
        }
    }
    for (name, job) in &product.job {
        let id = Named::new(ComponentKind::Job, name);
        let action = Action::ScheduleJob {
            job: id,
            cron: job.cron.clone(),
        };
        draft.step(Part::After, action, &served, Reason::OnceAcross);
    }
    for (name, probe) in &product.probe {
        if let Some(every) = probe.every {
            let action = Action::ScheduleProbe {
                probe: name.clone(),
                every,
            };
            draft.step(Part::After, action, &served, Reason::BetweenReleases);
        }
    }
    for name in product.objective.keys() {
        let action = Action::WatchObjective {
            objective: name.clone(),
        };
        draft.step(Part::After, action, &served, Reason::BetweenReleases);
    }
    for (name, alert) in &product.alert {
        let action = Action::Arm {
            alert: name.clone(),
            severity: alert.severity,
        };
        let at = Path::of(["alert", name.as_str()]);
        draft.step(Part::After, action, &served, Reason::Written(at));
    }
    let all = draft.all();
    draft.step(Part::After, Action::Finish, &all, Reason::AllPassed);
}
