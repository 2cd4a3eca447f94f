//! What has to hold before anything is done, the environments on the way, and what lets a release into this one.

use super::gates::placed;
use super::{Draft, Placed};
use std::collections::BTreeSet;
use towpath_model::desired::component::Component;
use towpath_model::desired::environment::Environment;
use towpath_model::desired::gate::Stage;
use towpath_model::desired::secret::{Secret, Variable};
use towpath_model::plan::{Action, Named, Part, Reason, StepId};
use towpath_model::spec::Path;
use towpath_model::unit::{Name, Trigger, VarName};

/// The environments that a release comes through before this one, the first of them first.
fn predecessors<'a>(draft: &Draft<'a>) -> Vec<(&'a Name, &'a Environment)> {
    let mut way = Vec::new();
    let mut seen = BTreeSet::from([draft.environment.as_str()]);
    let mut next = draft.own.and_then(|own| own.after.as_ref());
    while let Some(after) = next {
        let Some((name, environment)) = draft.product.environment.get_key_value(after.as_str()) else {
            break;
        };
        if !seen.insert(name.as_str()) {
            break;
        }
        way.push((name, environment));
        next = environment.after.as_ref();
    }
    way.reverse();
    way
}

/// What makes a change arrive, and what can be found out without changing anything.
pub(super) fn before(draft: &mut Draft<'_>) {
    let first = predecessors(draft).first().copied();
    let (name, own) = match first {
        Some((name, own)) => (name, Some(own)),
        None => (draft.environment, draft.own),
    };
    let on = own.map(triggers).unwrap_or_default();
    let because = if on.is_empty() {
        Reason::NoTrigger
    } else {
        Reason::Triggered
    };
    let begin = Action::Begin {
        environment: name.clone(),
        on,
    };
    let begin = draft.step(Part::Before, begin, &[], because);
    let secrets = secrets(draft);
    if !secrets.is_empty() {
        let check = Action::CheckSecrets { secrets };
        draft.step(Part::Before, check, &[begin], Reason::FoundEarly);
    }
    for (kind, name, component) in draft.product.components() {
        let variables = unset(component);
        if !variables.is_empty() {
            let component = Named::new(kind, name);
            let check = Action::CheckVariables { component, variables };
            draft.step(Part::Before, check, &[begin], Reason::FoundEarly);
        }
    }
}

/// The secrets that this environment has.
fn secrets(draft: &Draft<'_>) -> Vec<VarName> {
    let here = draft.environment.as_str();
    let has =
        |secret: &Secret| secret.only.is_empty() || secret.only.iter().any(|only| only.as_str() == here);
    let all = draft.product.secret.iter();
    all.filter(|(_, secret)| !secret.future && has(secret))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The variables whose value the manifest asks for and does not give.
fn unset(component: &Component) -> Vec<VarName> {
    let missing = |variable: &Variable| {
        variable.required && !variable.future && variable.value.is_none() && variable.generate.is_none()
    };
    let all = component.env.iter();
    all.filter(|(_, variable)| missing(variable))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The triggers of an environment but the one that says that a person comes.
fn triggers(own: &Environment) -> Vec<Trigger> {
    own.on
        .iter()
        .filter(|on| **on != Trigger::Manual)
        .cloned()
        .collect()
}

/// Takes the release through the environments before this one, with the gates of each.
pub(super) fn pass(draft: &mut Draft<'_>) {
    let way = predecessors(draft);
    for (index, (name, own)) in way.iter().enumerate() {
        let product = draft
            .others
            .iter()
            .find(|(other, _)| other == name)
            .map_or(draft.product, |(_, p)| *p);
        // What stands behind the build has been asked once for all environments.
        let gates: Vec<Placed> = placed(product, name)
            .into_iter()
            .filter(|gate| gate.step.stage != Stage::Build)
            .collect();
        let at = |stage: Stage| {
            gates
                .iter()
                .filter(move |gate| gate.step.stage == stage)
                .cloned()
                .collect()
        };
        let before = index.checked_sub(1).and_then(|before| way.get(before));
        if let Some((from, _)) = before {
            let because = arrives(own);
            let needs = draft.all();
            draft.step(Part::Way, promotion(from, name, own), &needs, because);
        }
        let needs = draft.all();
        draft.ask_all(Part::Way, at(Stage::Enter), &needs);
        let next = way.get(index + 1).map_or(draft.environment, |(next, _)| *next);
        let because = Reason::ComesFrom(next.clone());
        let needs = draft.all();
        let runs = draft.step(
            Part::Way,
            Action::Pass {
                environment: (*name).clone(),
            },
            &needs,
            because,
        );
        draft.ask_all(Part::Way, at(Stage::During), &[runs]);
        let needs = draft.all();
        draft.ask_all(Part::Way, at(Stage::After), &needs);
    }
}

fn promotion(from: &Name, to: &Name, own: &Environment) -> Action {
    Action::Promote {
        from: from.clone(),
        to: to.clone(),
        on: triggers(own),
    }
}

/// Why a release arrives in an environment behind another one.
fn arrives(own: &Environment) -> Reason {
    if own.on.is_empty() {
        Reason::ByItself
    } else if triggers(own).is_empty() {
        Reason::NoTrigger
    } else {
        Reason::Triggered
    }
}

/// What lets the release into this environment.
pub(super) fn enter(draft: &mut Draft<'_>) {
    let before = predecessors(draft).last().map(|(name, _)| (*name).clone());
    if let (Some(from), Some(own)) = (before, draft.own) {
        let needs = draft.all();
        let promotion = promotion(&from, draft.environment, own);
        draft.step(Part::Enter, promotion, &needs, arrives(own));
    }
    let needs = draft.all();
    checks(draft, &needs);
    draft.ask(Part::Enter, Stage::Enter, &needs);
}

/// Who may deploy here, and when.
fn checks(draft: &mut Draft<'_>, needs: &[StepId]) {
    let Some(own) = draft.own else {
        return;
    };
    let at = Path::of(["environment", draft.environment.as_str()]);
    if !own.deployers.is_empty() {
        let roles = own.deployers.iter().map(ToString::to_string).collect();
        let because = Reason::Written(at.key("deployers"));
        draft.step(Part::Enter, Action::CheckDeployer { roles }, needs, because);
    }
    for (index, freeze) in own.freeze.iter().enumerate() {
        let check = Action::CheckFreeze {
            why: freeze.why.clone(),
        };
        draft.step(
            Part::Enter,
            check,
            needs,
            Reason::Written(at.key("freeze").nth(index)),
        );
    }
    for (at, rollout) in draft.product.rollouts(Some(draft.environment.as_str())) {
        let Some(window) = rollout.window.clone() else {
            continue;
        };
        draft.step(
            Part::Enter,
            Action::CheckWindow { window },
            needs,
            Reason::Written(at.key("window")),
        );
    }
}
