//! What people ask for, and what they are told.

use super::vigil::{ask_again, wave};
use super::{Known, plan};
use jiff::Timestamp;
use towpath_model::run::{
    Clock, Content, Course, Frozen, Moved, Next, Reason, Refusal, ReleaseId, Rollout, Stage, Vigil,
};

/// What a person, or a rule of theirs, can want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// This release is to be the current one.
    Deploy(ReleaseId),
    /// An earlier release is to be the current one again, at once: the one before, where none is named.
    Rollback(Option<ReleaseId>),
    /// The rollout stops where it is.
    Pause,
    /// It goes on; a migration that has failed is tried again.
    Resume,
    /// It comes back.
    Abort,
    /// A person says that it may go on.
    Approve,
    /// Gates are asked once more: something is known now that was not.
    Ask,
    /// What is watched and judged here counts as passed, for a reason.
    Skip(String),
    /// Nothing goes forward until then.
    Freeze {
        /// Until when.
        until: Timestamp,
        /// Why.
        why: String,
    },
    /// That is over.
    Thaw,
}

/// What somebody is told who asked for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This rollout begins.
    Begins(u64),
    /// This rollout comes back first, and then it begins.
    Follows(u64),
    /// It is what runs already.
    Unchanged,
    /// This rollout brings it already.
    Underway(u64),
    /// It is so.
    Noted,
}

/// Hears what somebody asks for. `closed` is what the manifest says about this time.
pub fn ask(
    course: &Course,
    wish: &Wish,
    by: &str,
    known: &Known,
    closed: Option<&(Timestamp, String)>,
    now: Timestamp,
) -> Result<(Course, Answer), Refusal> {
    let mut next = course.clone();
    let answer = match wish {
        Wish::Deploy(to) => {
            let frozen = next.frozen.as_ref().filter(|frozen| frozen.until > now);
            let frozen = frozen.map(|frozen| (frozen.until, frozen.why.clone()));
            if let Some((until, why)) = frozen.or_else(|| closed.cloned()) {
                return Err(Refusal::Frozen { until, why });
            }
            go(&mut next, to, false, by, known, now)?
        }
        Wish::Rollback(to) => roll_back(&mut next, to.as_ref(), by, known, now)?,
        Wish::Pause => {
            live(&mut next)?.paused = Some(by.to_owned());
            Answer::Noted
        }
        Wish::Resume => {
            if let Some(rollout) = &mut next.rollout {
                rollout.paused = None;
            } else if !next.may_contract {
                return Err(Refusal::NoRollout);
            }
            Answer::Noted
        }
        Wish::Abort => {
            let rollout = live(&mut next)?;
            rollout.back = Some(Reason::Aborted(by.to_owned()));
            rollout.vigil = Vigil::default();
            next.next = None;
            Answer::Noted
        }
        Wish::Approve => {
            let rollout = live(&mut next)?;
            if !waits_for_person(rollout) {
                return Err(Refusal::NotWaiting);
            }
            wave(rollout, by.to_owned());
            Answer::Noted
        }
        Wish::Ask => {
            ask_again(live(&mut next)?);
            Answer::Noted
        }
        Wish::Skip(why) if why.trim().is_empty() => return Err(Refusal::NoReason),
        Wish::Skip(why) => {
            wave(live(&mut next)?, format!("{by}: {why}"));
            Answer::Noted
        }
        Wish::Freeze { why, .. } if why.trim().is_empty() => return Err(Refusal::NoReason),
        Wish::Freeze { until, why } => {
            next.frozen = Some(Frozen {
                until: *until,
                why: why.clone(),
                by: by.to_owned(),
            });
            Answer::Noted
        }
        Wish::Thaw => {
            next.frozen = None;
            Answer::Noted
        }
    };
    Ok((next, answer))
}

/// The rollout that lives and goes forward.
fn live(course: &mut Course) -> Result<&mut Rollout, Refusal> {
    let rollout = course.rollout.as_mut().ok_or(Refusal::NoRollout)?;
    if rollout.back.is_some() {
        return Err(Refusal::ComesBack);
    }
    Ok(rollout)
}

/// Whether it may wait for a person where it is. A failed gate is skipped, with a reason, and not approved.
fn waits_for_person(rollout: &Rollout) -> bool {
    let step = match rollout.stages.get(rollout.at) {
        Some(Stage::Leg(leg)) => leg.steps.get(leg.step).filter(|step| leg.left >= step.parts),
        _ => None,
    };
    let is_open = matches!(
        rollout.vigil.verdict,
        Some(towpath_model::run::Verdict::Inconclusive(_))
    );
    step.is_some_and(|step| step.person) || is_open
}

fn roll_back(
    course: &mut Course,
    to: Option<&ReleaseId>,
    by: &str,
    known: &Known,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if let Some(rollout) = &course.rollout {
        if rollout.back.is_some() && to.is_none() {
            return Err(Refusal::ComesBack);
        }
        if to.is_none_or(|to| rollout.from.as_ref() == Some(to)) && rollout.back.is_none() {
            let number = rollout.number;
            if let Some(rollout) = &mut course.rollout {
                rollout.back = Some(Reason::RolledBack(by.to_owned()));
                rollout.vigil = Vigil::default();
            }
            course.next = None;
            return Ok(Answer::Follows(number));
        }
    }
    let to = to
        .cloned()
        .or_else(|| course.before.clone())
        .ok_or(Refusal::NoneBefore)?;
    go(course, &to, true, by, known, now)
}

fn go(
    course: &mut Course,
    to: &ReleaseId,
    is_rollback: bool,
    by: &str,
    known: &Known,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let next = Next {
        to: to.clone(),
        is_rollback,
        by: by.to_owned(),
        rehearses: false,
    };
    let Some(rollout) = course.rollout.as_mut() else {
        if course.current.as_ref() == Some(to) && course.next.is_none() {
            return Ok(Answer::Unchanged);
        }
        begin(course, &next, known, now)?;
        return Ok(Answer::Begins(course.number));
    };
    if rollout.to == *to && rollout.back.is_none() {
        return Ok(Answer::Underway(rollout.number));
    }
    let number = rollout.number;
    stages(course, &next, known)?;
    if let Some(rollout) = course.rollout.as_mut().filter(|rollout| rollout.back.is_none()) {
        rollout.vigil = Vigil::default();
        if rollout.switched {
            // It has all, and nothing is against it: it stays, and what comes begins there.
            rollout.at = rollout.stages.len();
        } else {
            rollout.back = Some(Reason::Superseded(to.clone()));
        }
    }
    course.next = Some(next);
    Ok(Answer::Follows(number))
}

/// What a rollout would go through, or why it cannot be.
pub(super) fn stages(course: &Course, next: &Next, known: &Known) -> Result<Vec<Stage>, Refusal> {
    let unknown = || Refusal::Unknown(next.to.clone());
    let to = &known.get(&next.to).ok_or_else(unknown)?.content;
    let lost = |moved: &&Moved| !to.knows(&moved.resource, &moved.migration);
    if let Some(moved) = course.contracted.iter().find(lost) {
        return Err(Refusal::BehindContract(next.to.clone(), moved.clone()));
    }
    let from: Option<&Content> = match &course.current {
        Some(current) => Some(
            &known
                .get(current)
                .ok_or_else(|| Refusal::Unknown(current.clone()))?
                .content,
        ),
        None => None,
    };
    plan::stages(from, to, next.is_rollback)
}

/// A rollout begins.
pub(super) fn begin(course: &mut Course, next: &Next, known: &Known, now: Timestamp) -> Result<(), Refusal> {
    let mut stages = stages(course, next, known)?;
    if next.rehearses {
        // It was here before: nobody is asked for it once more.
        stages.retain(|stage| !matches!(stage, Stage::Enter(_)));
    }
    let from = course.current.clone();
    let is_warm = course.warm.take().is_some_and(|warm| warm.release == next.to);
    for stage in &mut stages {
        match stage {
            // It stands there already.
            Stage::Leg(leg) if is_warm && !leg.apart => leg.grown = towpath_model::run::ALL,
            Stage::Migrate(all) if from.is_none() => {
                let to = known.get(&next.to);
                course.contracted.extend(
                    all.iter()
                        .filter(|moved| to.is_some_and(|to| takes(&to.content, moved)))
                        .cloned(),
                );
            }
            _ => {}
        }
    }
    course.number += 1;
    course.may_contract = false;
    course.rollout = Some(Rollout {
        number: course.number,
        from,
        to: next.to.clone(),
        is_rollback: next.is_rollback,
        rehearses: next.rehearses,
        by: next.by.clone(),
        began: now,
        stages,
        at: 0,
        vigil: Vigil::default(),
        idle: Clock::default(),
        unwell: Clock::default(),
        restarts: (0, 0),
        calm: Clock::default(),
        paused: None,
        back: None,
        switched: false,
    });
    Ok(())
}

fn takes(content: &Content, moved: &Moved) -> bool {
    let schema = content.schema.get(&moved.resource);
    let mut all = schema.into_iter().flat_map(|schema| &schema.migrations);
    all.any(|one| {
        one.name == moved.migration && one.phase == towpath_model::desired::resource::Phase::Contract
    })
}
