//! What can be typed about releases.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Which environment of which product a command is about.
#[derive(Debug, Clone, Default, Args)]
pub struct Toward {
    /// The environment
    #[arg(value_name = "ENV")]
    pub env: String,
    /// The manifest, or its folder; otherwise the nearest from here upwards
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub manifest: Option<PathBuf>,
}

/// `towpath deploy`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath deploy prod                 build what is here, and bring it to prod
  towpath deploy prod --from dist     the same with what CI has built into dist
  towpath deploy prod --release 4f1c  a release that is there already
Ctrl-C leaves it going on; `towpath rollout ENV` looks on again.
Exit codes: 0 it is current, 1 it failed and came back, or a build failed, 2 refused, and nothing
            has changed, 3 it holds, or nobody can say")]
pub struct Deploy {
    #[command(flatten)]
    pub toward: Toward,
    /// A release that is there already; a beginning of its name is enough
    #[arg(long, value_name = "RELEASE", conflicts_with = "from")]
    pub release: Option<String>,
    /// What is built already: a folder like that of the manifest, and nothing is built
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub from: Option<PathBuf>,
    /// Come back as soon as it has begun
    #[arg(long)]
    pub no_wait: bool,
}

/// `towpath promote`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath promote staging             to the environment that comes after staging
  towpath promote staging prod        where several do
Exit codes as of `towpath deploy`")]
pub struct Promote {
    /// The environment whose current release goes onward
    #[arg(value_name = "FROM")]
    pub from: String,
    /// Where to; otherwise the one that comes after it in the manifest
    // `to` is the machine that every command may name.
    #[arg(id = "onward", value_name = "TO")]
    pub to: Option<String>,
    /// The manifest, or its folder; otherwise the nearest from here upwards
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub manifest: Option<PathBuf>,
    /// Come back as soon as it has begun
    #[arg(long)]
    pub no_wait: bool,
}

/// `towpath releases` and `towpath history`
#[derive(Debug, Args)]
pub struct Told {
    #[command(flatten)]
    pub toward: Toward,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `towpath release`
#[derive(Debug, clap::Subcommand)]
pub enum OnRelease {
    /// Tell everything that differs between two releases
    Diff(Diff),
}

/// `towpath release diff`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath release diff prod 4f1c 9e2b     code, configuration, variables, secrets by their versions,
                                          flags, schema and manifest")]
pub struct Diff {
    #[command(flatten)]
    pub toward: Toward,
    /// The release that is compared; a beginning of its name is enough
    #[arg(value_name = "A")]
    pub one: String,
    /// The release that it is compared with
    #[arg(value_name = "B")]
    pub other: String,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `towpath rollback`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath rollback prod               to the release before, at once
  towpath rollback prod 4f1c          to this one
Exit codes as of `towpath deploy`")]
pub struct Rollback {
    #[command(flatten)]
    pub toward: Toward,
    /// The release; otherwise the one before. A beginning of its name is enough
    #[arg(value_name = "RELEASE")]
    pub release: Option<String>,
    /// Come back as soon as it has begun
    #[arg(long)]
    pub no_wait: bool,
}

/// What is done about a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Verb {
    /// It stops where it is
    Pause,
    /// It goes on
    Resume,
    /// It comes back
    Abort,
    /// A person says that it may go on
    Approve,
    /// What is watched and judged here counts as passed
    Skip,
}

/// `towpath rollout`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath rollout prod                look on until it has ended, or holds
  towpath rollout prod abort          it comes back
  towpath rollout prod skip --reason 'the probe is wrong, not the release'
Exit codes as of `towpath deploy`")]
pub struct Rollout {
    #[command(flatten)]
    pub toward: Toward,
    /// What is done; otherwise somebody only looks on
    #[arg(value_name = "VERB", value_enum)]
    pub verb: Option<Verb>,
    /// Why: skipping needs a reason, which stands in the journal
    #[arg(long, value_name = "TEXT", required_if_eq("verb", "skip"))]
    pub reason: Option<String>,
    /// Print where it stands as JSON, and come back at once
    #[arg(long, conflicts_with = "verb")]
    pub json: bool,
}

/// `towpath gate`
#[derive(Debug, clap::Subcommand)]
pub enum OnGate {
    /// Pass over a gate for a time, with a reason
    Waive(Waive),
    /// It is not passed over any more
    Unwaive(OneGate),
    /// Say yes to a gate that waits for it
    Approve(OneGate),
}

/// `towpath gate waive`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath gate waive prod weaknesses --until 24h --reason 'no mended version yet'
Who may do it, and for how long, stands at the gate: waive = [\"ana@example.com\"]")]
pub struct Waive {
    #[command(flatten)]
    pub of: OneGate,
    /// Why; it stands in the journal
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Until when: in how long (2h), a time of day (09:30), or a whole time (2027-01-04T08:00)
    #[arg(long, value_name = "TIME")]
    pub until: String,
}

/// `towpath gate approve` and `unwaive`
#[derive(Debug, Args)]
pub struct OneGate {
    #[command(flatten)]
    pub toward: Toward,
    /// The gate
    #[arg(value_name = "GATE")]
    pub gate: String,
    /// Who says so, as the manifest names them; otherwise the address that git knows, or the name of whoever is signed in
    #[arg(long, value_name = "PERSON")]
    pub by: Option<String>,
}

/// `towpath freeze`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath freeze prod --until 2027-01-04T08:00 --reason holidays
  towpath freeze prod --until 2h --reason 'a provider is down'
What is under way stops where it is; a rollback is never kept back")]
pub struct Freeze {
    #[command(flatten)]
    pub toward: Toward,
    /// Until when: in how long (2h), a time of day (09:30), or a whole time (2027-01-04T08:00)
    #[arg(long, value_name = "TIME")]
    pub until: String,
    /// Why; it stands in the journal
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `towpath thaw`
#[derive(Debug, Args)]
pub struct Thaw {
    #[command(flatten)]
    pub toward: Toward,
}
