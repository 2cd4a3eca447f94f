//! What can be typed: commands, flags, and their help.

mod releasing;
mod running;
mod secrets;
mod serving;

pub use secrets::{ExportSecrets, ImportSecrets, ListSecrets, Secrets, SetSecret, UnsetSecret, Within};

pub use releasing::{
    Deploy, Diff, Freeze, OnGate, OnRelease, OneGate, Promote, Rollback, Rollout, Thaw, Told, Toward, Verb,
};
pub use running::{
    Among, Bucket, Certificate, Compile, Doctor, Down, EdgeOf, Keep, Logs, Maintenance, MaintenanceOff,
    MaintenanceOn, Metrics, OnStored, Open, Psql, Redis, Reset, Run, Scale, SignOut, Status, Stewardship,
    Stored, Top, Up, Upon,
};
pub use serving::{
    OfMachine, Serve, Token, TokenCreate, TokenExchange, TokenList, TokenRevoke, TokenTrust, TokenUse,
};

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// When colors are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// All commands on one screen; a test looks that none is left out.
const HELP: &str = "{about}

{usage-heading} {usage}

Run it:
  up, down, status, top  start all of it here; stop it; how it is, once or live
  logs, metrics, explain what it says, and is asked; why something is as it is
  start, stop, restart   some of it; scale, maintenance, certificate, sign-out
  psql, redis, bucket    what is in a resource; `data reset` empties it; secrets
  open, run, doctor      where it is; a command as it would; what is missing
Release it:
  deploy, rollback       to an environment, and back at once; promote: onward
  rollout, releases      look on; release, history; freeze, thaw; gates, gate
  serve, token           look after a machine; who may ask it from elsewhere
Write it:
  init, check, plan      a first manifest; all that is wrong; every step to prod
  docs, cost, export     the document; costs; workflows; schema, completions

Options (`towpath COMMAND --help` tells more, with examples):
{options}{after-help}";

/// Your infrastructure document, running
#[derive(Debug, Parser)]
#[command(
    name = "towpath",
    version,
    about,
    max_term_width = 100,
    disable_help_subcommand = true,
    help_template = HELP,
    after_help = "Exit codes: 0 done, 1 wrong or not well, 2 called wrongly, 3 outside, 70 ours"
)]
pub struct Cli {
    /// Colors: auto, always or never; NO_COLOR is honored
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t = Color::Auto,
        value_name = "WHEN",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub color: Color,
    /// Speak to a machine elsewhere that runs `towpath serve`
    #[arg(long, global = true, value_name = "HOST[:PORT]")]
    pub to: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the product here, and follow its logs until Ctrl-C
    Up(Up),
    /// Stop all of it; the data stays
    Down(Down),
    /// Tell how everything is
    Status(Status),
    /// Print what components have written
    Logs(Logs),
    /// Print counts and times of requests, as Prometheus reads them
    Metrics(Metrics),
    /// Start components that were stopped, or that sleep by their schedule
    Start(Keep),
    /// Stop components until they are started again
    Stop(Keep),
    /// Stop components and start them again
    Restart(Keep),
    /// Say how many instances of a component run
    Scale(Scale),
    /// Tell visitors to come later, while everything runs on
    #[command(subcommand)]
    Maintenance(Maintenance),
    /// Sign everybody out who has signed in at the edge
    SignOut(SignOut),
    /// Sign a certificate by which a person signs in at the edge; list them, or take one back
    Certificate(Certificate),
    /// Run a command as a component would run it
    Run(Run),
    /// Keep what must not be known: set it, list it, take it out
    #[command(subcommand)]
    Secrets(Secrets),
    /// Open psql on a Postgres
    Psql(Psql),
    /// Open redis-cli on a Redis
    Redis(Redis),
    /// List what is in a bucket
    Bucket(Bucket),
    /// Empty a resource
    Data(Stored),
    /// Open a component in the browser, and print its address
    Open(Open),
    /// Watch everything live
    Top(Top),
    /// Look after all products of this machine, for whoever may ask
    Serve(Serve),
    /// Make, list and take back what lets somebody ask a machine from elsewhere
    #[command(subcommand)]
    Token(Token),
    /// Tell what is missing on this machine, and how to get it
    Doctor(Doctor),
    /// Bring a release to an environment: what is here, or one that is there
    Deploy(Deploy),
    /// Bring the current release of an environment to the next one, byte for byte
    Promote(Promote),
    /// Go back to an earlier release, at once
    Rollback(Rollback),
    /// Look on while a release comes, or say something about it
    Rollout(Rollout),
    /// List the releases of an environment
    Releases(Told),
    /// Compare two releases
    #[command(subcommand)]
    Release(OnRelease),
    /// Tell what has happened to releases
    History(Told),
    /// Let nothing go forward until a time
    Freeze(Freeze),
    /// Tell what gates have answered, the newest first, and what is waived
    Gates(Told),
    /// Waive a gate for a time, or say yes to one
    #[command(subcommand)]
    Gate(OnGate),
    /// End a freeze
    Thaw(Thaw),
    /// Write a short manifest that fits what is here; never overwrites
    Init(Init),
    /// Tell everything that is wrong with a manifest, at once
    Check(Check),
    /// Tell what a code or a word means, and why a component is as it is
    Explain(Explain),
    /// Tell every step and gate on the way into an environment
    Plan(Plan),
    /// Write the infrastructure document
    Docs(Docs),
    /// Write files for other tools that follow from the manifest
    #[command(subcommand)]
    Export(Export),
    /// Tell what the product costs a month
    Cost(Cost),
    /// Print the JSON Schema of the manifest, for editors
    Schema,
    /// Print completions for a shell
    Completions(Completions),
    /// Look after one environment: `up` starts this, nobody types it
    #[command(hide = true)]
    Steward(Stewardship),
    /// Answer visitors of one environment: a steward starts this, nobody types it
    #[command(hide = true)]
    Edge(EdgeOf),
    /// Become the server of a resource: a steward starts this, nobody types it
    #[command(hide = true)]
    Resource,
    /// Say what would be started, as a steward reads it
    #[command(hide = true)]
    Compile(Compile),
}

/// Where the manifest is.
#[derive(Debug, Args)]
pub struct At {
    /// The manifest, or its folder; otherwise the nearest from here upwards
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
}

/// `towpath init`
#[derive(Debug, Args)]
pub struct Init {
    /// The folder to look at and to write the manifest to
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

/// `towpath check`
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub at: At,
    /// Only what holds in this environment
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// Print an array of findings instead of text
    #[arg(long)]
    pub json: bool,
    /// Warnings fail, too
    #[arg(long)]
    pub deny_warnings: bool,
}

/// `towpath explain`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath explain TP0301              what a code means
  towpath explain service.web.health  a word, and what holds here
  towpath explain web                 why a component is as it is
  towpath explain prod 7              all of a rollout; `towpath history prod` tells their numbers")]
pub struct Explain {
    /// A code (TP0123), a word (service.web.replicas), a component (web), or an environment with the number of a rollout behind
    /// it (prod 7); all words without it
    #[arg(value_name = "CODE|WORD|COMPONENT|ENV NUMBER")]
    pub what: Option<String>,
    #[command(flatten)]
    pub at: At,
    /// The value in this environment
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// Print the story of a rollout as JSON
    #[arg(long)]
    pub json: bool,
}

/// `towpath plan`
#[derive(Debug, Args)]
pub struct Plan {
    /// The environment
    #[arg(value_name = "ENV")]
    pub env: String,
    #[command(flatten)]
    pub at: At,
    /// Print the plan as JSON
    #[arg(long)]
    pub json: bool,
}

/// `towpath docs`
#[derive(Debug, Args)]
pub struct Docs {
    #[command(flatten)]
    pub at: At,
    /// Fail with a diff when FILE is not what would be written
    #[arg(long, value_name = "FILE", conflicts_with = "out", value_hint = ValueHint::FilePath)]
    pub check: Option<PathBuf>,
    /// Write to FILE instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}

/// `towpath export`
#[derive(Debug, Subcommand)]
pub enum Export {
    /// Workflows for GitHub Actions: deploy, rollback, health-check and security
    Github(ExportTo),
}

/// `towpath export github`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath export github               into .github/workflows of the product's folder
  towpath export github --out ../..   into that of a repository that the product is a part of
  towpath export github --check       whether they say what the manifest says, for CI
What was not written by this command is not replaced.
Exit codes: 0 written, or as they should be, 1 stale (--check), or the manifest is wrong,
            2 somebody else's file is in the way")]
pub struct ExportTo {
    #[command(flatten)]
    pub at: At,
    /// The folder to write to; otherwise that of the manifest
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Write nothing; fail where a file is not what would be written
    #[arg(long)]
    pub check: bool,
}

/// `towpath cost`
#[derive(Debug, Args)]
pub struct Cost {
    #[command(flatten)]
    pub at: At,
    /// Only what this environment costs
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// Print the estimate as JSON
    #[arg(long)]
    pub json: bool,
}

/// `towpath completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}
