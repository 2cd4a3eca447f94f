//! Gates as steps of a plan: which question, where, and what its answer does.

use crate::desired::component::ToComponent;
use crate::desired::gate::{Gate, OnFail, Stage, Weakness};
use crate::plan::listed;
use crate::unit::{Bytes, Change, Command, Comparison, Duration, Money, Name, Path, Share, Window};
use crate::word::Ref;
use std::fmt;

/// A gate as a step of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct GateStep {
    /// Its name in the manifest: that of a gate, or of a probe.
    pub name: String,
    /// What it asks.
    pub question: Question,
    /// Where it stands.
    pub stage: Stage,
    /// The environment that it is asked in, or before which.
    pub environment: Name,
    /// What a failure does.
    pub fails: OnFail,
    /// What it is asked of one after the other.
    pub over: Vec<String>,
    /// What it asks, in the manifest's words.
    pub about: Option<String>,
}

/// What a gate asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// Whether a command ends with 0.
    Command(Command),
    /// Whether a JUnit report has no failures, and enough tests.
    Junit(Path, u32),
    /// Whether a SARIF report is free of weaknesses: from the first severity on a release stays where it is, from the
    /// second on the build fails, and one that is known for longer than that fails, however bad it is.
    Sarif(Path, Weakness, Weakness, Option<Duration>),
    /// Whether a file or an artifact weighs no more than that.
    Size(String, Bytes),
    /// Whether a number in a report keeps its bound.
    Performance(String, Comparison),
    /// Whether a probe passes.
    Probe(String),
    /// Whether an objective is kept.
    Objective(String),
    /// Whether a metric keeps its bound for so long.
    Metric(String, Comparison, Duration),
    /// Whether a metric has changed as hoped over so long.
    Change(String, Change, Duration),
    /// Whether the new release does as well as the old one: errors below the first, and not slower by more than the second.
    Canary(Share, Share),
    /// Whether a load test keeps its bounds.
    Load(Command, Vec<Comparison>),
    /// Whether a month costs no more than that.
    Cost(Money),
    /// Whether so many people say yes: of these, or with this role.
    Approval(u32, Vec<String>, Option<String>),
    /// Whether it is the time for it.
    Window(Window),
    /// Whether so long passes without a fault.
    Bake(Duration),
    /// Whether so much of the error budget is left.
    BudgetLeft(Share),
    /// Nothing that can be answered: it was read in part only.
    Unknown,
}

impl Question {
    /// The question of a gate.
    pub fn of(gate: &Gate) -> Self {
        Self::measured(gate)
            .or_else(|| Self::tested(gate))
            .unwrap_or(Question::Unknown)
    }

    /// What builds, reports and people answer.
    fn tested(gate: &Gate) -> Option<Self> {
        let approval = || {
            let asked = gate.approval.as_ref()?;
            let people = asked.people.iter().map(ToString::to_string).collect();
            let role = asked.role.as_ref().map(ToString::to_string);
            Some(Question::Approval(asked.count, people, role))
        };
        let size = || {
            let size = gate.size.as_ref()?;
            let artifact = size.artifact.as_ref().map(|of: &Ref<ToComponent>| of.to_string());
            let what = size.file.as_ref().map(ToString::to_string).or(artifact)?;
            Some(Question::Size(what, size.most))
        };
        None.or_else(|| gate.command.clone().map(Question::Command))
            .or_else(|| {
                gate.junit
                    .clone()
                    .map(|junit| Question::Junit(junit.report, junit.at_least))
            })
            .or_else(|| {
                gate.sarif
                    .clone()
                    .map(|sarif| Question::Sarif(sarif.report, sarif.block, sarif.fail, sarif.older_than))
            })
            .or_else(size)
            .or_else(|| {
                gate.performance
                    .clone()
                    .map(|number| Question::Performance(number.value, number.keep))
            })
            .or_else(|| {
                gate.load
                    .clone()
                    .map(|load| Question::Load(load.command, load.keep))
            })
            .or_else(|| gate.cost.map(Question::Cost))
            .or_else(approval)
            .or_else(|| gate.window.clone().map(Question::Window))
    }

    /// What is measured while the release runs.
    fn measured(gate: &Gate) -> Option<Self> {
        let metric = |gate: &Gate| {
            let bound = gate.metric.clone()?;
            Some(Question::Metric(bound.metric.to_string(), bound.keep, bound.over))
        };
        let change = |gate: &Gate| {
            let change = gate.change.clone()?;
            Some(Question::Change(
                change.metric.to_string(),
                change.by,
                change.over,
            ))
        };
        None.or_else(|| {
            gate.probe
                .as_ref()
                .map(|probe| Question::Probe(probe.to_string()))
        })
        .or_else(|| {
            gate.objective
                .as_ref()
                .map(|of| Question::Objective(of.to_string()))
        })
        .or_else(|| metric(gate))
        .or_else(|| change(gate))
        .or_else(|| {
            gate.canary
                .as_ref()
                .map(|canary| Question::Canary(canary.errors, canary.slower))
        })
        .or_else(|| gate.bake.map(Question::Bake))
        .or_else(|| gate.budget_left.map(Question::BudgetLeft))
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Question::Command(command) => write!(f, "`{command}` ends with 0"),
            Question::Junit(report, least) => {
                write!(f, "{report} has no failed test, and at least {least}")
            }
            Question::Sarif(report, block, fail, age) => {
                write!(
                    f,
                    "{report} has nothing that is {block} or worse, where {fail} fails the build"
                )?;
                match age {
                    Some(age) => write!(f, ", and nothing older than {age}"),
                    None => Ok(()),
                }
            }
            Question::Size(what, most) => write!(f, "`{what}` weighs at most {most}"),
            Question::Performance(value, keep) => write!(f, "`{value}` {keep}"),
            Question::Probe(probe) => write!(f, "probe `{probe}` passes"),
            Question::Objective(objective) => write!(f, "objective `{objective}` is kept"),
            Question::Metric(metric, keep, over) => write!(f, "metric `{metric}` {keep} for {over}"),
            Question::Change(metric, by, over) => {
                write!(f, "metric `{metric}` has changed by {by} over {over}")
            }
            Question::Canary(errors, slower) => {
                write!(
                    f,
                    "errors stay below {errors}, and it is not {slower} slower than the old release"
                )
            }
            Question::Load(command, keep) => {
                let keep: Vec<String> = keep.iter().map(ToString::to_string).collect();
                write!(f, "`{command}` keeps {}", keep.join(", "))
            }
            Question::Cost(most) => write!(f, "a month costs at most {most}"),
            Question::Approval(count, people, role) => approval(f, *count, people, role.as_deref()),
            Question::Window(window) => write!(f, "the time is within {window}"),
            Question::Bake(time) => write!(f, "{time} pass without a fault"),
            Question::BudgetLeft(share) => write!(f, "{share} of the error budget is left"),
            Question::Unknown => f.write_str("it has an answer"),
        }
    }
}

fn approval(f: &mut fmt::Formatter<'_>, count: u32, people: &[String], role: Option<&str>) -> fmt::Result {
    // Of one person all there is to say is the name.
    if role.is_some() || people.len() != 1 {
        write!(f, "{count} of ")?;
    }
    match (people.is_empty(), role) {
        (true, None) => f.write_str("the team")?,
        (true, Some(role)) => write!(f, "role `{role}`")?,
        (false, None) => f.write_str(&listed(people))?,
        (false, Some(role)) => write!(f, "{} and role `{role}`", listed(people))?,
    }
    write!(f, " say{} yes", if count == 1 { "s" } else { "" })
}

impl fmt::Display for GateStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.question {
            // A probe that is a gate by itself needs no second name.
            Question::Probe(probe) if *probe == self.name => return write!(f, "ask probe `{probe}`"),
            question => question,
        };
        write!(f, "ask gate `{}`: {what}", self.name)?;
        if !self.over.is_empty() {
            write!(f, ", over {}", self.over.join(", "))?;
        }
        match self.fails {
            OnFail::Block => Ok(()),
            OnFail::Rollback => f.write_str(", or roll back"),
            OnFail::Warn => f.write_str(", or warn"),
        }
    }
}
