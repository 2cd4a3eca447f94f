//! What the edge keeps in front of a component and of each part of its address space, laid together from all who say it.
//!
//! **What is laid over what.** The product's `edge.waf` lies below a component's own, an environment's `access` below that
//! of everything public, and a component's rules below those of its routes. Whoever says something more exact wins, word by
//! word; lists of paths and of headers are added to each other, because each of them forbids something. What is made here is
//! whole: the edge lays nothing over anything.
//!
//! **A route to another component** begins with the rules of that one, at that path: who may not ask the component under
//! its own name may not ask it under another one either. Where that one lets everybody pass, whoever may not ask this one may
//! not ask it by way of this one. Parts of the other component that have rules of their own and lie
//! below the route keep them, though nobody has written them down here.
//!
//! **When it refuses.** Where this version cannot keep what is said about who may pass, nothing is started: a sign-in that
//! is believed in and not there is worse than none.

mod protected;

use super::Problem;
use super::draft::Draft;
use super::variables::{Asking, secret_value};
use std::collections::BTreeSet;
use towpath_model::desired::component::{Component, ComponentKind, Require, Trust};
use towpath_model::desired::edge::{Access, BotRule, HeaderSet, Headers, Limit, Route as Part, Waf};
use towpath_model::desired::secret::Secret;
use towpath_model::run::{self, Bounds, Carried, Rules, Unwanted};
use towpath_model::spec::Path;
use towpath_model::unit::{Duration, Name, Url};

/// A year: shorter than that, lists of sites that are always encrypted do not take a site in.
const INSIST: Duration = Duration::from_days(365);

/// Everything comes from the site itself, it is shown in nobody's frame, and its forms and relative addresses lead nowhere
/// else (OWASP, Content Security Policy). `upgrade-insecure-requests` is not in it: it breaks a page that is looked at by
/// plain HTTP, and one that is encrypted needs it only for addresses that are wrong.
const POLICY: &str =
    "default-src 'self'; base-uri 'self'; object-src 'none'; form-action 'self'; frame-ancestors 'none'";

/// Where the edge hears from browsers what a policy forbade.
const TOLD_AT: &str = "/.well-known/towpath/csp";

/// What browsers do by themselves today, said for older ones: other sites learn the name, and by plain HTTP nothing.
const REFERRER: &str = "strict-origin-when-cross-origin";

/// What asks a visitor for something, or costs money. A page that needs one of them says so.
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

/// A component with its kind and name.
pub(super) type Of<'a> = (ComponentKind, &'a Name, &'a Component);

/// What is kept in front of a component. Where no way leads to it from outside, nobody signs in there and nobody is looked
/// at: what its own kind ask of each other is bounded, and nothing more.
pub(super) fn of_component(
    draft: &mut Draft<'_>,
    (kind, name, component): Of<'_>,
    is_outside: bool,
) -> Rules {
    let at = Path::of([kind.word(), name.as_str()]);
    let mut rules = Rules {
        headers: component.headers.as_ref().map(headers).unwrap_or_default(),
        allow: component.allow.clone(),
        own_pages: component.csrf,
        cache: component.cache.as_ref().and_then(|cache| cache.edge),
        ..Rules::default()
    };
    if let Some(limit) = &component.limit {
        bound(&mut rules.bounds, limit);
    }
    rules.signs = signs(draft, name);
    if !is_outside {
        return rules;
    }
    rules.vitals = draft.product.telemetry.vitals;
    // A page of another component may be under this name, too.
    let mut all = draft.product.components();
    rules.reports = all.any(|(_, _, one)| one.headers.as_ref().is_some_and(reports));
    carry(draft, &mut rules, &component.require, (name, &at));
    if let Some(waf) = &draft.product.edge.waf {
        unwanted(&mut rules.unwanted, waf);
        countries(draft, waf, &Path::of(["edge", "waf"]), name);
    }
    if let Some(waf) = &component.waf {
        unwanted(&mut rules.unwanted, waf);
        countries(draft, waf, &at.key("waf"), name);
    }
    rules.access = match &component.access {
        Some(own) => access(draft, own, &at.key("access"), name),
        None => protected::usual(draft, component, (name, &at)),
    };
    rules
}

/// The secrets that others call a component with, where those are known: one that a caller does without is none. Whoever is
/// called knows by one of them that a call has come by the edge.
fn signs(draft: &Draft<'_>, name: &Name) -> Vec<String> {
    let uses = draft.product.components().flat_map(|(_, _, caller)| &caller.uses);
    let signed = uses.filter(|one| one.trust == Some(Trust::Hmac) && one.name.as_str() == name.as_str());
    let is_known = |secret: &&str| {
        let generates = |secret: &Secret| secret.generate.is_some();
        draft.written(secret).is_some() || draft.product.secret.get(*secret).is_some_and(generates)
    };
    let secrets = signed.filter_map(|one| Some(one.secret.as_ref()?.as_str()));
    let secrets: BTreeSet<&str> = secrets.filter(is_known).collect();
    secrets.into_iter().map(str::to_owned).collect()
}

/// The part of another component that is under the name of this one: who may not pass here may not pass there either, unless
/// that one says who may.
pub(super) fn under(rules: &mut Rules, own: &Rules) {
    if rules.access.is_none() {
        rules.access.clone_from(&own.access);
    }
    if rules.allow.is_empty() {
        rules.allow.clone_from(&own.allow);
    }
}

/// What is kept in front of a part of an address space: `below` is what holds there without it.
pub(super) fn of_route(draft: &mut Draft<'_>, below: Rules, part: &Part, name: &Name, at: &Path) -> Rules {
    let mut rules = below;
    if let Some(limit) = &part.limit {
        bound(&mut rules.bounds, limit);
    }
    if let Some(body) = part.body {
        rules.bounds.body = Some(body.count());
    }
    carry(draft, &mut rules, &part.require, (name, at));
    if let Some(waf) = &part.waf {
        unwanted(&mut rules.unwanted, waf);
        countries(draft, waf, &at.key("waf"), name);
    }
    if let Some(own) = &part.access {
        rules.access = access(draft, own, &at.key("access"), name);
    }
    if let Some(kept) = part.cache.as_ref().and_then(|cache| cache.edge) {
        rules.cache = Some(kept);
    }
    rules
}

/// Whether browsers tell what the policy of a component's pages forbids: those that are strict ask them to.
fn reports(said: &Headers) -> bool {
    said.set == HeaderSet::Strict
}

/// A policy with the place where browsers tell what it forbids; one that names a place of its own keeps that. Firefox knows
/// the older word alone, and Chrome passes over that where it finds the newer one.
fn reporting(policy: String) -> String {
    let names_own = policy
        .split(';')
        .any(|part| part.trim_start().starts_with("report-"));
    match names_own {
        true => policy,
        false => format!("{policy}; report-uri {TOLD_AT}; report-to towpath"),
    }
}

/// The headers of every answer: those of the set, with the words of the component in place of the usual ones.
fn headers(said: &Headers) -> Vec<(String, String)> {
    let strict = said.set == HeaderSet::Strict;
    let some = said.set != HeaderSet::None;
    let usual = |own: &Option<String>, text: &str| own.clone().or_else(|| strict.then(|| text.to_owned()));
    let policy = usual(&said.csp, POLICY);
    let policy = match reports(said) {
        true => policy.map(reporting),
        false => policy,
    };
    let told_at = policy
        .as_ref()
        .is_some_and(|policy| policy.ends_with("report-to towpath"))
        .then(|| format!("towpath=\"{TOLD_AT}\""));
    // Where the policy says who may show it in a frame, browsers do not look at the older header.
    let framed = policy
        .as_ref()
        .is_some_and(|policy| policy.contains("frame-ancestors"));
    let insist = said.hsts.or(some.then_some(INSIST));
    // Names below this one may belong to somebody else: `includeSubDomains` is for whoever knows them all, by `add`.
    let insist = insist.map(|time| format!("max-age={}", time.secs()));
    let set = [
        ("Content-Security-Policy", policy),
        ("Reporting-Endpoints", told_at),
        ("Strict-Transport-Security", insist),
        ("Referrer-Policy", usual(&said.referrer, REFERRER)),
        ("Permissions-Policy", usual(&said.permissions, PERMISSIONS)),
        ("X-Frame-Options", (strict && !framed).then(|| "DENY".to_owned())),
        ("X-Content-Type-Options", some.then(|| "nosniff".to_owned())),
    ];
    let set = set
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .filter(|(name, _)| !said.add.keys().any(|own| own.as_str().eq_ignore_ascii_case(name)));
    let further = said
        .add
        .iter()
        .map(|(name, value)| (name.to_string(), value.clone()));
    set.chain(further).collect()
}

fn bound(bounds: &mut Bounds, limit: &Limit) {
    let Limit {
        rate,
        body,
        soft,
        hard,
        shed,
        time,
    } = limit;
    *bounds = Bounds {
        rate: rate.clone().or_else(|| bounds.rate.take()),
        body: body.map(|body| body.count()).or(bounds.body),
        soft: soft.or(bounds.soft),
        hard: hard.or(bounds.hard),
        unshed: !shed || bounds.unshed,
        time: time.or(bounds.time),
    };
}

fn carry(draft: &mut Draft<'_>, rules: &mut Rules, require: &[Require], (name, at): (&Name, &Path)) {
    for (index, one) in require.iter().enumerate() {
        if let Some(issuer) = &one.issuer {
            safe(draft, issuer, &at.key("require").nth(index).key("issuer"), name);
        }
        let methods = one.methods.iter().map(|method| method.to_ascii_uppercase());
        let carried = Carried {
            header: one.header.clone(),
            methods: methods.collect(),
            issuer: one.issuer.clone(),
            audience: one.audience.clone(),
        };
        if !rules.require.contains(&carried) {
            rules.require.push(carried);
        }
    }
}

/// A word that is the usual one is taken for not said: nobody who says only which paths are refused lets robots in by it.
fn unwanted(rules: &mut Unwanted, waf: &Waf) {
    if waf.bots != BotRule::Allow {
        rules.bots = waf.bots;
    }
    rules.injections = waf.injections;
    for path in &waf.block_paths {
        if !rules.paths.contains(path) {
            rules.paths.push(path.clone());
        }
    }
}

/// Which network is in which country is in no list of ours.
fn countries(draft: &mut Draft<'_>, waf: &Waf, at: &Path, name: &Name) {
    if waf.block_countries.is_empty() {
        return;
    }
    let message = format!(
        "`{name}` is to refuse countries, and this version does not know which network is in which one"
    );
    let hint = "take `block_countries` out here, and let what stands in front of the edge do it";
    let at = at.key("block_countries");
    refuse(draft, &at, Problem::new(message, hint).of([name]));
}

fn access(draft: &mut Draft<'_>, said: &Access, at: &Path, name: &Name) -> Option<run::Access> {
    if let Some(issuer) = &said.issuer {
        safe(draft, issuer, &at.key("issuer"), name);
    }
    let secret = said.secret.as_ref().map(|secret| secret.as_str().to_owned());
    if let Some(secret) = &secret {
        let asking = Asking {
            by: name,
            at: at.key("secret"),
            required: true,
            about: None,
        };
        secret_value(draft, secret, asking);
    }
    Some(run::Access {
        sign_in: said.sign_in,
        issuer: said.issuer.clone(),
        client: said.client.clone(),
        authority: said.authority.as_ref().map(|file| draft.whole(file.as_str())),
        secret,
        people: said.people.clone(),
        domains: said.domains.clone(),
        groups: said.groups.clone(),
        lasts: said.lasts,
        since: 0,
        issued: None,
    })
}

/// Whoever stands between the edge and a provider that is asked by plain HTTP can sign in as anybody. On this machine nobody
/// stands there.
fn safe(draft: &mut Draft<'_>, issuer: &Url, at: &Path, name: &Name) {
    let host = issuer.host();
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost");
    if issuer.scheme() == "https" || issuer.scheme() == "http" && is_here {
        return;
    }
    let message =
        format!("`{name}` would ask {host} for its keys in a way that whoever is in between can change");
    let hint = "give its address with https://";
    refuse(draft, at, Problem::new(message, hint).of([name]));
}

/// Tells once what concerns a component and each route that leads to it.
fn refuse(draft: &mut Draft<'_>, at: &Path, problem: Problem) {
    let problem = problem.at(draft.place(at));
    if !draft.problems.contains(&problem) {
        draft.problems.push(problem);
    }
}

/// Whether one path lies below another one, or is it.
pub(super) fn lies_below(path: &str, beginning: &str) -> bool {
    path.strip_prefix(beginning)
        .is_some_and(|rest| beginning.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
}
