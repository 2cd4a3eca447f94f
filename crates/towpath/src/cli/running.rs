//! What can be typed about a product that runs.

use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

/// Which product, environment and components a command is about.
#[derive(Debug, Clone, Default, Args)]
pub struct Among {
    /// In any order: a PATH to the manifest or its folder (with a slash, or ending in .toml), the name of an environment,
    /// and COMPONENTs. Without a PATH it is the nearest manifest from here upwards; without COMPONENTs it is all of them
    #[arg(value_name = "PATH|ENV|COMPONENT")]
    pub words: Vec<String>,
    /// The environment; otherwise dev or local, or the only one that there is
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
}

/// `towpath up`
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  towpath up                    everything in the nearest manifest
  towpath up api dashboard      these, and what they need
  towpath up examples/hello     the product in this folder
  towpath up --detach --yes     nobody is asked, and it runs on: for scripts
  towpath up prod --listen 127.0.0.1
                                as in prod, and for this machine alone
Ctrl-C stops everything, in reverse order; a second one at once. Where another `up` is there
already, it stops nothing.")]
pub struct Up {
    #[command(flatten)]
    pub among: Among,
    /// Come back once everything is well; it runs on
    #[arg(long, short)]
    pub detach: bool,
    /// Build even where nothing has changed
    #[arg(long)]
    pub build: bool,
    /// Install what is missing without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Listen for visitors on this address, whatever the manifest says; several times for several. On one that only this
    /// machine reaches, ports are free ones unless they are named here
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Vec<IpAddr>,
    /// Take HTTPS at this port, and at no other one
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub https: Option<u16>,
    /// Take plain HTTP at this port, and at no other one
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub http: Option<u16>,
}

/// `towpath down`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath down                  everything stops; state, logs and data stay
  towpath down --delete-data    asks, and deletes what Towpath has kept for it")]
pub struct Down {
    #[command(flatten)]
    pub among: Among,
    /// Delete state, logs and data, too; says what goes, and asks
    #[arg(long)]
    pub delete_data: bool,
    /// Delete without asking
    #[arg(long, short)]
    pub yes: bool,
    /// At once, without asking anything to stop first
    #[arg(long)]
    pub now: bool,
}

/// `towpath status`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath status                everything
  towpath status prod           everything in prod
  towpath status --json | jq -r '.components[] | select(.state != \"ready\") | .name'
Exit codes: 0 all is well, 1 something is not, 3 nothing runs")]
pub struct Status {
    #[command(flatten)]
    pub among: Among,
    /// Print it as JSON; docs/reference/status.md says what is in it
    #[arg(long)]
    pub json: bool,
}

/// `towpath logs`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath logs                  the last 200 lines of everything
  towpath logs -f api           of one component, and what comes
  towpath logs --since 10m      not older than ten minutes
  towpath logs prod web -n 50   the last 50 lines of web in prod
  towpath logs --requests web   what web was asked, and how it answered")]
pub struct Logs {
    #[command(flatten)]
    pub among: Among,
    /// Go on with what comes
    #[arg(long, short)]
    pub follow: bool,
    /// Not older than a time (5m, 09:30, 2026-11-21T09:30:00Z)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only the newest N; otherwise 200, or all with --since
    #[arg(long, short = 'n', value_name = "N")]
    pub lines: Option<usize>,
    /// Print when each line was written, in your time zone
    #[arg(long, short)]
    pub time: bool,
    /// Print requests instead: what was asked, how it was answered, and how long that took
    #[arg(long)]
    pub requests: bool,
    /// Print requests as they are written; docs/reference/requests.md says what is in a line
    #[arg(long, requires = "requests")]
    pub json: bool,
}

/// `towpath metrics`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath metrics               of everything
  towpath metrics web           only of web
docs/reference/requests.md says what is counted")]
pub struct Metrics {
    #[command(flatten)]
    pub among: Among,
}

/// `towpath start`, `stop` and `restart`
#[derive(Debug, Args)]
pub struct Keep {
    #[command(flatten)]
    pub among: Among,
}

/// `towpath scale`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath scale web=3           three instances of web
  towpath scale web=1 work=4    several components at once")]
pub struct Scale {
    /// How many instances; a PATH or an ENV may stand before it
    #[arg(value_name = "COMPONENT=N", required = true)]
    pub words: Vec<String>,
    /// The environment
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
}

/// `towpath maintenance`
#[derive(Debug, Subcommand)]
pub enum Maintenance {
    /// Answer visitors with 503 and a page; what runs goes on, and components ask each other as ever
    On(MaintenanceOn),
    /// Let visitors in again
    Off(MaintenanceOff),
}

/// `towpath maintenance on`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath maintenance on                            everything
  towpath maintenance on web --because 'a new database' --until 30m
  towpath maintenance on --let-in 10.0.0.0/8        whoever comes from there is let in
It holds until it is switched off, or until its time; also when everything here is started anew.")]
pub struct MaintenanceOn {
    #[command(flatten)]
    pub among: Among,
    /// What visitors are told
    #[arg(long, value_name = "TEXT")]
    pub because: Option<String>,
    /// When it ends by itself (30m, 09:30, 2026-11-21T09:30); visitors are told to come again then
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// A network whose visitors are let in; may be said several times
    #[arg(long, value_name = "NETWORK")]
    pub let_in: Vec<String>,
}

/// `towpath maintenance off`
#[derive(Debug, Args)]
pub struct MaintenanceOff {
    #[command(flatten)]
    pub among: Among,
}

/// `towpath sign-out`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath sign-out --all        of everything
  towpath sign-out --all web    of web
Whoever comes by a password or at a provider signs in once more; tokens and certificates hold on.
Who still knows a password gets in by it again: change it, too.")]
pub struct SignOut {
    #[command(flatten)]
    pub among: Among,
    /// Everybody
    #[arg(long, required = true)]
    pub all: bool,
}

/// `towpath certificate`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath certificate ana@example.com           into ana@example.com.pem, with its key
  towpath certificate --list
  towpath certificate --revoke 5b1c...          by the number that the list shows
It holds where `access` says sign_in = \"certificate\" without an `authority`.")]
pub struct Certificate {
    /// Whose it is, by their e-mail address; without it all are listed
    #[arg(value_name = "PERSON", conflicts_with_all = ["list", "revoke"])]
    pub person: Option<String>,
    /// The file that it is written into, which must not be there yet
    #[arg(long, value_name = "FILE")]
    pub out: Option<std::path::PathBuf>,
    /// How long it holds
    #[arg(long, value_name = "TIME", default_value = "90d")]
    pub lasts: String,
    /// Show those that were signed
    #[arg(long, conflicts_with = "revoke")]
    pub list: bool,
    /// Take one back
    #[arg(long, value_name = "SERIAL")]
    pub revoke: Option<String>,
    /// The environment
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
}

/// `towpath run`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath run api -- python manage.py migrate
  towpath run web -- 'echo $PORT'     one word with spaces in it is given to a shell
Exit codes: that of the command; 3 where nothing runs")]
pub struct Run {
    #[command(flatten)]
    pub among: Among,
    /// The command, with its arguments
    #[arg(value_name = "CMD", last = true, required = true)]
    pub command: Vec<OsString>,
}

/// Which product, environment and resource a command is about.
#[derive(Debug, Clone, Default, Args)]
pub struct Upon {
    /// In any order: a PATH to the manifest or its folder, the name of an environment, and a RESOURCE. Without a RESOURCE it
    /// is the only one of its kind
    #[arg(value_name = "PATH|ENV|RESOURCE")]
    pub words: Vec<String>,
    /// The environment; otherwise dev or local, or the only one that there is
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
}

/// `towpath psql`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath psql                  a shell on the only Postgres
  towpath psql db -- -c 'select count(*) from boats'
  towpath psql db -- < dump.sql
psql is told by its environment where to go and as whom; the password stands in no command line.
Exit codes: those of psql; 3 where nothing runs")]
pub struct Psql {
    #[command(flatten)]
    pub upon: Upon,
    /// What psql is given besides
    #[arg(value_name = "ARG", last = true)]
    pub arguments: Vec<OsString>,
}

/// `towpath redis`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath redis                 a shell on the only Redis
  towpath redis cache -- get boat
The password stands in no command line.
Exit codes: those of redis-cli; 3 where nothing runs")]
pub struct Redis {
    #[command(flatten)]
    pub upon: Upon,
    /// What redis-cli is given besides
    #[arg(value_name = "ARG", last = true)]
    pub arguments: Vec<OsString>,
}

/// `towpath bucket`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath bucket                the objects of the only bucket
  towpath bucket files --json | jq -r '.[].key'")]
pub struct Bucket {
    #[command(flatten)]
    pub upon: Upon,
    /// Print a list of objects with key, bytes and modified
    #[arg(long)]
    pub json: bool,
}

/// `towpath data`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath data reset db         db is emptied, migrated and filled again; asks before")]
pub struct Stored {
    #[command(subcommand)]
    pub what: OnStored,
}

/// What can be done to what is kept.
#[derive(Debug, Subcommand)]
pub enum OnStored {
    /// Delete all that a resource keeps, and start it fresh: migrated and seeded
    Reset(Reset),
}

/// `towpath data reset`
#[derive(Debug, Args)]
pub struct Reset {
    #[command(flatten)]
    pub upon: Upon,
    /// Delete without asking
    #[arg(long, short)]
    pub yes: bool,
}

/// `towpath open`
#[derive(Debug, Args)]
pub struct Open {
    #[command(flatten)]
    pub among: Among,
}

/// `towpath top`
#[derive(Debug, Args)]
#[command(
    after_help = "Keys: left and right choose what is sorted by, r turns it round, up and down move, q ends"
)]
pub struct Top {
    #[command(flatten)]
    pub among: Among,
}

/// `towpath doctor`
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 nothing is missing, 3 something is")]
pub struct Doctor {
    #[command(flatten)]
    pub among: Among,
}

/// `towpath steward`
#[derive(Debug, Args)]
pub struct Stewardship {
    /// The folder of the manifest
    #[arg(long, value_name = "FOLDER")]
    pub folder: PathBuf,
    /// The environment
    #[arg(long, value_name = "ENV")]
    pub env: String,
    /// How many milliseconds it stays with nothing to do
    #[arg(long, value_name = "MS")]
    pub patience: Option<u64>,
}

/// `towpath edge`
#[derive(Debug, Args)]
pub struct EdgeOf {
    /// The folder of the state
    #[arg(long, value_name = "FOLDER")]
    pub state: PathBuf,
}

/// `towpath compile`
#[derive(Debug, Args)]
pub struct Compile {
    #[command(flatten)]
    pub among: Among,
}
