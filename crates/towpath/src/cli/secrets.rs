//! What can be typed about secrets.

use clap::{Args, Subcommand, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

/// `towpath secrets`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "They are sealed by a key of this machine, or by the passphrase in the file that
TOWPATH_PASSPHRASE_FILE names, and each belongs to one environment. A release is started with
the versions that it was made with."
)]
pub enum Secrets {
    /// Set one: from a prompt, from standard input, or from a file
    Set(SetSecret),
    /// List those that there are, and those that are missing; never their values
    List(ListSecrets),
    /// Say that one has no value any more; releases that are there keep theirs
    Unset(UnsetSecret),
    /// Set all that stand in a .env file, or in what `export` has written
    Import(ImportSecrets),
    /// Print all of them for a password manager, locked by a passphrase
    Export(ExportSecrets),
}

/// Where it is.
#[derive(Debug, Args)]
pub struct Within {
    /// The environment
    #[arg(value_name = "ENV")]
    pub env: String,
    /// The manifest, or its folder; otherwise the nearest from here upwards
    #[arg(long = "in", value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
}

/// `towpath secrets set`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath secrets set prod API_TOKEN                  asks for it
  pass show api | towpath secrets set prod API_TOKEN
  towpath secrets set prod TLS_KEY --file key.pem
One newline at the end is no part of it. It is never an argument: others see those in `ps`.")]
pub struct SetSecret {
    #[command(flatten)]
    pub within: Within,
    /// The secret
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What is refused, with the reason.
    #[arg(hide = true, allow_hyphen_values = true)]
    pub value: Vec<OsString>,
    /// The file that its value stands in
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
}

/// `towpath secrets list`
#[derive(Debug, Args)]
pub struct ListSecrets {
    #[command(flatten)]
    pub within: Within,
    /// Print them as JSON
    #[arg(long)]
    pub json: bool,
}

/// `towpath secrets unset`
#[derive(Debug, Args)]
pub struct UnsetSecret {
    #[command(flatten)]
    pub within: Within,
    /// The secret
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// `towpath secrets import`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath secrets import prod .env.prod
  towpath secrets import prod -            from standard input
  towpath secrets import prod secrets.age  asks for the passphrase")]
pub struct ImportSecrets {
    #[command(flatten)]
    pub within: Within,
    /// The file; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-", hide_default_value = true, value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The file with the passphrase that opens it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
    /// The key that others were sealed with is lost: begin anew, with these alone
    #[arg(long)]
    pub new_key: bool,
}

/// `towpath secrets export`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath secrets export prod > secrets.age
  towpath secrets export prod --passphrase-file passphrase
`age -d` opens it, and so does `towpath secrets import`.")]
pub struct ExportSecrets {
    #[command(flatten)]
    pub within: Within,
    /// The file with the passphrase that locks them; otherwise it is asked for, twice
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
}
