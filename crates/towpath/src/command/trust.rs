//! `towpath token trust`, `trusts`, `distrust` and `exchange`: jobs of a pipeline that are trusted by their identity.

use super::Context;
use super::token::ask;
use crate::cli::{TokenExchange, TokenList, TokenRevoke, TokenTrust};
use crate::columns::{Align, columns};
use crate::door::elsewhere;
use crate::failure::{Failure, Kind};
use crate::releasing::aim;
use crate::view::tame;
use std::collections::BTreeMap;
use towpath_api::{Trust, TrustTold, Trusts, Verb};
use towpath_decide::trust::is_any_branch;

const PATH: &str = "/v1/trusts";

pub(super) fn trust(context: &Context, args: TokenTrust) -> Result<(), Failure> {
    let mut claims: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (claim, pattern) in args.claim {
        claims.entry(claim).or_default().push(pattern);
    }
    let is_any_branch = is_any_branch(&args.issuer, &claims);
    let asked = Trust {
        product: args.product,
        environment: args.env,
        may: args.may,
        issuer: args.issuer,
        audience: args.audience,
        claims,
        name: args.name,
    };
    let is_own = asked.audience.is_none();
    let home = args.machine.home.as_deref();
    let told: TrustTold = ask(home, http::Method::POST, PATH, &asked)?;
    context.terminal.result(&format!("{}\n", told.id))?;
    let mut text = format!("{}\n  a job sets TOWPATH_PIN={}\n", sentence(&told), told.pin);
    if !is_own {
        let audience = told.what.audience.as_deref().unwrap_or_default();
        text.push_str(&format!("  and TOWPATH_AUDIENCE={}\n", tame::plain(audience)));
    }
    if is_any_branch {
        text.push_str("  a job of any branch is let in; `--claim 'ref=refs/tags/v*'` says of which\n");
    }
    context.terminal.tell(&text);
    Ok(())
}

/// Who may do what, in words.
fn sentence(told: &TrustTold) -> String {
    let what = &told.what;
    format!(
        "{}: jobs with {} of {} may {} {} in {}, each for a quarter of an hour",
        told.id,
        claims(told),
        tame::plain(&what.issuer),
        may(&what.may),
        what.product,
        what.environment
    )
}

fn claims(told: &TrustTold) -> String {
    let each = told.what.claims.iter().map(|(claim, patterns)| {
        let patterns = patterns.join("|");
        format!("{}={}", tame::plain(claim), tame::plain(&patterns))
    });
    each.collect::<Vec<_>>().join(" ")
}

fn may(verbs: &[Verb]) -> String {
    let words: Vec<&str> = verbs.iter().map(|verb| verb.word()).collect();
    words.join(",")
}

pub(super) fn list(context: &Context, args: &TokenList) -> Result<(), Failure> {
    let Trusts { trusts } = ask(args.machine.home.as_deref(), http::Method::GET, PATH, &())?;
    if args.json {
        let text = serde_json::to_string_pretty(&trusts);
        let text = text.map_err(|error| {
            Failure::new(Kind::Internal, format!("the trusts cannot be written: {error}"))
        })?;
        return context.terminal.result(&(text + "\n"));
    }
    if trusts.is_empty() {
        context
            .terminal
            .tell("nobody is trusted by their identity; `towpath token trust` trusts somebody\n");
        return Ok(());
    }
    context.terminal.result(&table(&trusts))
}

fn table(trusts: &[TrustTold]) -> String {
    let head = ["ID", "NAME", "PRODUCT", "ENVIRONMENT", "MAY", "ISSUER", "CLAIMS"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(trusts.iter().map(|one| {
        let what = &one.what;
        vec![
            one.id.clone(),
            tame::plain(what.name.as_deref().unwrap_or("-")).to_string(),
            what.product.clone(),
            what.environment.clone(),
            may(&what.may),
            tame::plain(&what.issuer).to_string(),
            claims(one),
        ]
    }));
    columns(&rows, &[Align::Left; 7])
}

pub(super) fn distrust(context: &Context, args: &TokenRevoke) -> Result<(), Failure> {
    let known = args.id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !known || args.id.is_empty() {
        let failure = Failure::new(Kind::User, format!("`{}` is no trust", tame::plain(&args.id)));
        return Err(failure.hint("`towpath token trusts` shows those that there are"));
    }
    let path = format!("{PATH}/{}", args.id);
    let _: Trusts = ask(args.machine.home.as_deref(), http::Method::DELETE, &path, &())?;
    let text = format!(
        "{} is trusted no more, and what it has given holds no more\n",
        args.id
    );
    context.terminal.result(&text)
}

pub(super) fn exchange(context: &Context, args: &TokenExchange) -> Result<(), Failure> {
    if elsewhere::told().is_none() {
        let failure = Failure::new(
            Kind::User,
            "it is not said which machine the identity is shown to",
        );
        return Err(failure.hint("name it: `--to server.example.com`"));
    }
    let here = aim(&args.env, args.at.path.as_deref())?;
    let client = here.client();
    let token = client.token().map(|token| token.text().open().clone());
    context
        .terminal
        .result(&format!("{}\n", token.unwrap_or_default()))
}
