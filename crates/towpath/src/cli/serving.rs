//! What can be typed about a machine that serves products, and about speaking to one from elsewhere.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;
use towpath_api::Verb;

/// `towpath serve`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath serve                          for this machine alone, by its own socket
  towpath serve --listen 0.0.0.0:8440    over TLS, too, for whoever has a token
  sudo towpath serve --install --listen 0.0.0.0:8440
                                         as a service of systemd
When it ends, what runs goes on; only `towpath down` stops that.")]
pub struct Serve {
    /// The folder of all products; /var/lib/towpath as root, otherwise ~/.local/share/towpath/server
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub home: Option<PathBuf>,
    /// Listen over TLS for whoever has a token; at 8440 where no port is named
    #[arg(long, value_name = "ADDRESS[:PORT]")]
    pub listen: Option<String>,
    /// Show this certificate, with those between it and its authority; otherwise one is made
    #[arg(long, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    pub certificate: Option<PathBuf>,
    /// The key of that certificate; tokens name it, so keep it when the certificate is renewed
    #[arg(long, value_name = "FILE", requires = "certificate", value_hint = ValueHint::FilePath)]
    pub key: Option<PathBuf>,
    /// Write a unit of systemd that does this, instead of doing it
    #[arg(long)]
    pub install: bool,
    /// Print that unit, and write nothing
    #[arg(long, requires = "install")]
    pub print: bool,
}

/// `towpath token`
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token on this machine, and print it once
    Create(TokenCreate),
    /// List the tokens of this machine
    List(TokenList),
    /// Take a token of this machine back
    Revoke(TokenRevoke),
    /// Keep a token for a machine elsewhere; it is read from standard input
    Use(TokenUse),
    /// Trust the jobs of a pipeline by their identity, so that no token is kept for them
    Trust(TokenTrust),
    /// List whose jobs this machine trusts
    Trusts(TokenList),
    /// Trust nobody by this any more, and take back what it has given
    Distrust(TokenRevoke),
    /// Show the identity of this job to a machine elsewhere, and print the token that it gives
    Exchange(TokenExchange),
}

/// `towpath token trust`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath token trust --product shop --env prod --claim repository=acme/shop \\
      --claim 'ref=refs/tags/v*'          jobs of GitHub Actions that run for a tag
  towpath token trust --product shop --env prod --claim repository=acme/shop \\
      --claim environment=production      and those that GitHub's own gate has let through
  towpath token trust --product shop --env prod --issuer https://gitlab.com \\
      --claim project_path=acme/shop --claim ref_protected=true
Each claim has to be like its pattern: `*` stops at `/`, `**` does not. Where a claim is named
several times, one of its patterns is enough. A job then sets TOWPATH_PIN, which is printed, and
runs `towpath deploy prod --to HOST`.")]
pub struct TokenTrust {
    /// The product that it is for
    #[arg(long, value_name = "PRODUCT")]
    pub product: String,
    /// The environment that it is for
    #[arg(long, value_name = "ENV")]
    pub env: String,
    /// What a claim of the identity has to be like; several times for several
    #[arg(long, value_name = "CLAIM=PATTERN", required = true, value_parser = claim)]
    pub claim: Vec<(String, String)>,
    /// Who issues the identities: what stands in `iss` of them
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://token.actions.githubusercontent.com"
    )]
    pub issuer: String,
    /// For whom they are made out; this machine, where nothing is said
    #[arg(long, value_name = "TEXT")]
    pub audience: Option<String>,
    /// What it allows: read, deploy, operate
    #[arg(long, value_name = "VERB,...", value_delimiter = ',', default_value = "read,deploy", value_parser = verb)]
    pub may: Vec<Verb>,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    #[command(flatten)]
    pub machine: OfMachine,
}

/// `towpath token exchange`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  TOWPATH_TOKEN=$(towpath token exchange prod --to server.example.com)
Commands with --to do it by themselves, each for itself. An identity is good for one exchange, so a
job of several commands that was handed one in TOWPATH_ID_TOKEN does this first.")]
pub struct TokenExchange {
    /// The environment
    #[arg(value_name = "ENV")]
    pub env: String,
    #[command(flatten)]
    pub at: super::At,
}

/// `towpath token create`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath token create --product shop --env prod --may read,deploy --name ci
  towpath token create --product shop --may admin --expires 8h
It may: read (status, logs, metrics), deploy (releases and their rollouts), operate (start, stop,
scale, maintenance), secrets (set them), admin (everything).")]
pub struct TokenCreate {
    /// The product that it is for
    #[arg(long, value_name = "PRODUCT")]
    pub product: String,
    /// The environment that it is for; several times for several, and without it for all
    #[arg(long, value_name = "ENV")]
    pub env: Vec<String>,
    /// What it allows: read, deploy, operate, secrets, admin
    #[arg(long, value_name = "VERB,...", value_delimiter = ',', required = true, value_parser = verb)]
    pub may: Vec<Verb>,
    /// How long it holds
    #[arg(long, value_name = "TIME", default_value = "90d")]
    pub expires: String,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    #[command(flatten)]
    pub machine: OfMachine,
}

/// `towpath token list`
#[derive(Debug, Args)]
pub struct TokenList {
    /// Print them as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub machine: OfMachine,
}

/// `towpath token revoke`
#[derive(Debug, Args)]
pub struct TokenRevoke {
    /// Which one, as `towpath token list` shows it
    #[arg(value_name = "ID")]
    pub id: String,
    #[command(flatten)]
    pub machine: OfMachine,
}

/// `towpath token use`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  towpath token use server.example.com < token     from a file
  towpath status prod --to server.example.com      and from then on
In pipelines, TOWPATH_TOKEN holds a token, or TOWPATH_TOKEN_FILE names its file; and where the machine
trusts their identity (`towpath token trust`), none is kept at all.")]
pub struct TokenUse {
    /// The machine
    #[arg(value_name = "HOST[:PORT]")]
    pub host: String,
}

/// Which machine: that of this folder.
#[derive(Debug, Args)]
pub struct OfMachine {
    /// The folder of all products, as `towpath serve` was told
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub home: Option<PathBuf>,
}

fn verb(word: &str) -> Result<Verb, String> {
    Verb::of(word).ok_or_else(|| {
        let words: Vec<&str> = Verb::ALL.into_iter().map(Verb::word).collect();
        format!("there are {}", words.join(", "))
    })
}

fn claim(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((claim, pattern)) if !claim.is_empty() && !pattern.is_empty() => {
            Ok((claim.to_owned(), pattern.to_owned()))
        }
        _ => Err("write CLAIM=PATTERN, such as repository=acme/shop".to_owned()),
    }
}
