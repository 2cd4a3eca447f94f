//! `towpath token`: who may ask this machine from elsewhere, and what is shown to another one.

use super::{Context, trust};
use crate::cli::{Token as Args, TokenCreate, TokenList, TokenRevoke, TokenUse};
use crate::columns::{Align, columns};
use crate::door::clock;
use crate::door::elsewhere::{self, Elsewhere};
use crate::door::server::home;
use crate::failure::{Failure, Kind};
use crate::talk::{refused, wait};
use crate::view::tame;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use towpath_api::{Client, ClientError, Mint, Minted, TokenTold, Tokens};
use towpath_model::unit::{Duration, Unit};

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    match args {
        Args::Create(args) => create(context, args),
        Args::List(args) => list(context, &args),
        Args::Revoke(args) => revoke(context, &args),
        Args::Use(args) => keep(context, &args),
        Args::Trust(args) => trust::trust(context, args),
        Args::Trusts(args) => trust::list(context, &args),
        Args::Distrust(args) => trust::distrust(context, &args),
        Args::Exchange(args) => trust::exchange(context, &args),
    }
}

fn create(context: &Context, args: TokenCreate) -> Result<(), Failure> {
    let lasts = Duration::parse(&args.expires).map_err(|misread| {
        Failure::new(Kind::User, format!("`{}` {misread}", args.expires)).hint("such as `--expires 90d`")
    })?;
    let asked = Mint {
        product: args.product,
        environments: args.env,
        may: args.may,
        lasts: lasts.millis() / 1_000,
        name: args.name,
    };
    let minted: Minted = ask(
        args.machine.home.as_deref(),
        http::Method::POST,
        "/v1/tokens",
        &asked,
    )?;
    context.terminal.result(&format!("{}\n", minted.token))?;
    context.terminal.tell(&format!(
        "{}; it is shown this once\n  `towpath token use HOST` keeps it where it is used\n",
        sentence(&minted.told)
    ));
    Ok(())
}

/// What a token allows, in words.
fn sentence(told: &TokenTold) -> String {
    let place = match told.environments.as_slice() {
        [] => "all environments".to_owned(),
        some => some.join(", "),
    };
    let until = told.expires;
    format!(
        "{} may {} {} in {place} until {until:.0}",
        told.id,
        may(told),
        told.product
    )
}

fn may(told: &TokenTold) -> String {
    let words: Vec<&str> = told.may.iter().map(|verb| verb.word()).collect();
    words.join(",")
}

fn list(context: &Context, args: &TokenList) -> Result<(), Failure> {
    let Tokens { tokens } = ask(args.machine.home.as_deref(), http::Method::GET, "/v1/tokens", &())?;
    if args.json {
        let text = serde_json::to_string_pretty(&tokens);
        let text = text.map_err(|error| {
            Failure::new(Kind::Internal, format!("the tokens cannot be written: {error}"))
        })?;
        return context.terminal.result(&(text + "\n"));
    }
    if tokens.is_empty() {
        context
            .terminal
            .tell("there are no tokens; `towpath token create` makes one\n");
        return Ok(());
    }
    context.terminal.result(&table(&tokens, clock::now()))
}

fn table(tokens: &[TokenTold], now: Timestamp) -> String {
    let head = ["ID", "NAME", "PRODUCT", "ENVIRONMENTS", "MAY", "UNTIL", "USED"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(tokens.iter().map(|one| {
        let until = match one.expires <= now {
            true => "expired".to_owned(),
            false => format!("{:.0}", one.expires),
        };
        vec![
            one.id.clone(),
            tame::plain(one.name.as_deref().unwrap_or("-")).to_string(),
            one.product.clone(),
            match one.environments.as_slice() {
                [] => "all".to_owned(),
                some => some.join(","),
            },
            may(one),
            until,
            one.used
                .map_or_else(|| "never".to_owned(), |used| format!("{used:.0}")),
        ]
    }));
    columns(&rows, &[Align::Left; 7])
}

fn revoke(context: &Context, args: &TokenRevoke) -> Result<(), Failure> {
    let path = format!("/v1/tokens/{}", args.id);
    let known = args.id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !known || args.id.is_empty() {
        let failure = Failure::new(Kind::User, format!("`{}` is no token", tame::plain(&args.id)));
        return Err(failure.hint("`towpath token list` shows those that there are"));
    }
    let _: Tokens = ask(args.machine.home.as_deref(), http::Method::DELETE, &path, &())?;
    context.terminal.result(&format!("{} holds no more\n", args.id))
}

fn keep(context: &Context, args: &TokenUse) -> Result<(), Failure> {
    let to = Elsewhere::parse(&args.host)?;
    if context.terminal.answers {
        context.terminal.tell("the token, on one line: ");
    }
    let token = elsewhere::handed()?;
    let file = to.keep(&token)?;
    context
        .terminal
        .result(&format!("{} is kept in {}\n", token.id, file.display()))?;
    context.terminal.tell(&format!(
        "  `towpath status --to {}` shows it there\n",
        to.shown()
    ));
    Ok(())
}

/// Asks the machine that serves a folder.
pub(super) fn ask<Q: Serialize, A: DeserializeOwned>(
    named: Option<&Path>,
    method: http::Method,
    path: &str,
    question: &Q,
) -> Result<A, Failure> {
    let home = home(named)?;
    let client = Client::new(home.join(towpath_serve::SOCKET));
    wait(async {
        client
            .ask(method, path, question)
            .await
            .map_err(|error| failed(&error, &home))
    })
}

fn failed(error: &ClientError, home: &Path) -> Failure {
    match error {
        ClientError::Refused(problem) => refused(problem),
        ClientError::Nobody => {
            let message = format!(
                "nobody serves {}, and tokens are made by who does",
                home.display()
            );
            Failure::new(Kind::Remote, message)
                .hint("`towpath serve` does it; where it serves another folder: --home DIR")
        }
        ClientError::Closed { why, .. } => {
            let message = format!("the socket in {} cannot be opened: {why}", home.display());
            Failure::new(Kind::Remote, message).hint("it belongs to who serves it: run this as the same user")
        }
        error => Failure::new(Kind::Remote, error.to_string()),
    }
}
