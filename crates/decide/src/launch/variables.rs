//! Variables: what a process finds in its environment, and where each value comes from.
//!
//! First comes what a component gets without asking: what it uses, the secrets that open it, the flags. What its own `env`
//! says stands over that. What `env` only names is looked for in the `.env` files, then among what may be made up; and what
//! is required and found nowhere is told, once for all who ask for it.

use super::draft::{Draft, Target};
use super::{Problem, from, given, resource};
use crate::here::{delivered, prefix};
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::desired::build::Build;
use towpath_model::desired::component::{Component, ComponentKind, Use};
use towpath_model::desired::secret::{Delivery, Generator, Variable};
use towpath_model::finding::{Shown, listed};
use towpath_model::run::{self, Part, Value};
use towpath_model::sealed::Sealed;
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// The variables of a process.
type Env = BTreeMap<String, run::Variable>;

/// A value that nobody gives.
#[derive(Debug)]
pub(super) struct Missing {
    /// Where it is asked for.
    at: Path,
    /// Who does not start without it.
    by: BTreeSet<String>,
    /// What it is for.
    about: Option<String>,
    /// A value as it might be; never of a secret.
    example: Option<String>,
    /// Where it comes from, for whoever has to fetch it.
    source: Option<String>,
}

/// Who asks for a value, and where.
pub(super) struct Asking<'a> {
    pub(super) by: &'a Name,
    pub(super) at: Path,
    /// It does not start without it.
    pub(super) required: bool,
    /// What it is for, as whoever asks says it.
    pub(super) about: Option<&'a str>,
}

/// Where a variable is said: its value may stand in an environment, and what it is for in the root.
fn said_at(env: &Path, variable: &str, set: &Variable) -> Path {
    let at = env.key(variable);
    match set.value {
        Some(_) => at.key("value"),
        None => at,
    }
}

pub(super) fn plain(value: Value) -> run::Variable {
    run::Variable {
        value,
        deliver: Delivery::Variable,
    }
}

/// A part of where a component is reached from inside.
pub(super) fn address_of(name: &Name, part: Part) -> Value {
    let of = name.clone();
    Value::Address { of, part }
}

/// The variables that every component gets, as they are for this one.
pub(super) fn given(draft: &Draft<'_>, name: &Name, listens: bool) -> Env {
    let mut env = Env::new();
    let is_certified = draft.product.edge.mtls;
    let has = |one: &&given::Given| (listens || !one.listening) && (is_certified || !one.certified);
    for one in given::GIVEN.iter().filter(has) {
        let value = (one.value)(&draft.product.product, draft.environment, name);
        env.insert(one.name.to_owned(), plain(value));
    }
    env
}

/// The variables of a component that runs.
pub(super) fn of(
    draft: &mut Draft<'_>,
    kind: ComponentKind,
    name: &Name,
    component: &Component,
    listens: bool,
) -> Env {
    let at = Path::of([kind.word(), name.as_str()]);
    let mut env = Env::new();
    for (flag, on) in &draft.flags {
        env.insert(flag.clone(), plain(Value::Text(on.to_string())));
    }
    for (index, using) in component.uses.iter().enumerate() {
        let asking = Asking {
            by: name,
            at: at.key("uses").nth(index),
            required: !using.optional,
            about: None,
        };
        used(draft, using, &asking, &mut env);
    }
    let at = at.key("env");
    for (variable, set) in &component.env {
        let asking = Asking {
            by: name,
            at: said_at(&at, variable.as_str(), set),
            required: set.required,
            about: set.about.as_deref(),
        };
        own(draft, variable.as_str(), set, &component.uses, asking, &mut env);
    }
    // The port and the rest are told, not chosen: whatever says otherwise is wrong about where it will be asked.
    env.extend(given(draft, name, listens));
    env
}

/// The variables of a build: its own, over those of the site or extension that it is for, which has no process but this.
pub(super) fn of_build(
    draft: &mut Draft<'_>,
    at: &Path,
    build: &Build,
    of: Option<(ComponentKind, &Name, &Component)>,
) -> Env {
    let mut env = Env::new();
    // A build that is shared is nobody's: it is told by its own name.
    let owner = match (of, at.steps()) {
        (Some((_, name, _)), _) => name.clone(),
        (None, [_, towpath_model::spec::Step::Key(name), ..]) => {
            towpath_model::unit::Unit::parse(name).unwrap_or_else(|_| draft.product.product.clone())
        }
        _ => draft.product.product.clone(),
    };
    let of = of.map(|(kind, name, component)| (Path::of([kind.word(), name.as_str()]).key("env"), component));
    let outer = of
        .into_iter()
        .flat_map(|(at, component)| component.env.iter().map(move |set| (at.clone(), set)));
    let inner = build.env.iter().map(|set| (at.key("env"), set));
    for (at, (variable, set)) in outer.chain(inner) {
        let asking = Asking {
            by: &owner,
            at: said_at(&at, variable.as_str(), set),
            required: set.required,
            about: set.about.as_deref(),
        };
        own(draft, variable.as_str(), set, &[], asking, &mut env);
    }
    for (index, secret) in build.secrets.iter().enumerate() {
        let asking = Asking {
            by: &owner,
            at: at.key("secrets").nth(index),
            // What lives for minutes is fetched for a deployment; nobody has it on a machine of their own.
            required: !draft
                .product
                .secret
                .get(secret.as_str())
                .is_some_and(|one| one.short_lived),
            about: None,
        };
        if let Some(value) = secret_value(draft, secret.as_str(), asking) {
            env.insert(secret.to_string(), plain(value));
        }
    }
    env
}

/// What arrives with something that is used: its address, and the secret that opens it.
fn used(draft: &mut Draft<'_>, using: &Use, asking: &Asking<'_>, env: &mut Env) {
    let variable = delivered(using);
    if let Some(Target::Resource(kind, name, resource)) = draft.target(using.name.as_str())
        && !draft.is_elsewhere(name, resource)
    {
        resource::used(draft, kind, name, resource, using, env);
    } else if let Some(value) = address(draft, using, &variable, asking) {
        env.insert(variable, plain(value));
    }
    let Some(secret) = using.secret.as_ref().map(|secret| secret.as_str()) else {
        return;
    };
    // A key that never leaves its key service is asked for there.
    if draft
        .product
        .secret
        .get(secret)
        .is_some_and(|one| one.hardware || one.future)
    {
        return;
    }
    let asking = Asking {
        at: asking.at.key("secret"),
        ..*asking
    };
    if let Some(value) = secret_value(draft, secret, asking) {
        env.insert(secret.to_owned(), plain(value));
    }
}

/// The address of something that is used.
fn address(draft: &mut Draft<'_>, using: &Use, variable: &str, asking: &Asking<'_>) -> Option<Value> {
    let asking = || Asking {
        at: asking.at.clone(),
        ..*asking
    };
    match draft.target(using.name.as_str())? {
        Target::Runs {
            name, listens: true, ..
        } => Some(address_of(name, Part::Url)),
        // Whoever waits for it needs no address.
        Target::Runs { .. } => None,
        Target::Outside(outside) => match (&outside.url, &outside.secret) {
            (Some(url), _) => Some(Value::Text(url.to_string())),
            (None, Some(secret)) => secret_value(draft, secret.as_str(), asking()),
            // It may be there for the document alone; where somebody knows its address, that is taken.
            (None, None) => written(draft, variable),
        },
        // One of ours has arrived already.
        Target::Resource(_, _, resource) => match &resource.bind {
            Some(secret) => secret_value(draft, secret.as_str(), asking()),
            None => written(draft, variable),
        },
    }
}

/// A variable that `env` names.
fn own(
    draft: &mut Draft<'_>,
    variable: &str,
    set: &Variable,
    uses: &[Use],
    asking: Asking<'_>,
    env: &mut Env,
) {
    let here = draft.environment.as_str();
    let meant = set.only.is_empty() || set.only.iter().any(|only| only.as_str() == here);
    if set.future || !meant {
        return;
    }
    let value = match &set.value {
        Some(text) => taken(draft, text, asking),
        None => match env.remove(variable) {
            Some(arrived) => Some(arrived.value),
            None => part_of_used(draft, variable, uses).or_else(|| found(draft, variable, set, asking)),
        },
    };
    if let Some(value) = value {
        let deliver = set.deliver;
        env.insert(variable.to_owned(), run::Variable { value, deliver });
    }
}

/// `API_HOST` and `API_PORT`, where they are named and `api` is used.
fn part_of_used(draft: &mut Draft<'_>, variable: &str, uses: &[Use]) -> Option<Value> {
    uses.iter().find_map(|using| {
        let rest = variable.strip_prefix(prefix(using.name.as_str()).as_str())?;
        if let Some(Target::Resource(kind, name, resource)) = draft.target(using.name.as_str())
            && !draft.is_elsewhere(name, resource)
        {
            return resource::part_of(draft, kind, name, resource, rest);
        }
        let part = match rest {
            "_URL" => Part::Url,
            "_HOST" => Part::Host,
            "_PORT" => Part::Port,
            _ => return None,
        };
        match draft.target(using.name.as_str())? {
            Target::Runs {
                name, listens: true, ..
            } => Some(address_of(name, part)),
            _ => None,
        }
    })
}

/// A value that stands outside the manifest, or is made up.
fn found(draft: &mut Draft<'_>, variable: &str, set: &Variable, asking: Asking<'_>) -> Option<Value> {
    if set.generate.is_some() {
        draft.secrets.insert(variable.to_owned());
    }
    written(draft, variable)
        .or_else(|| made_up(draft, variable, set.generate))
        .or_else(|| {
            missing_one(draft, variable, asking, set.example.clone());
            None
        })
}

/// The value of a text: itself, or what it names.
fn taken(draft: &mut Draft<'_>, text: &str, asking: Asking<'_>) -> Option<Value> {
    if let Some(secret) = text.strip_prefix("secret:") {
        secret_value(draft, secret.trim(), asking)
    } else if let Some(flag) = text.strip_prefix("flag:") {
        let on = draft.product.is_on(flag.trim(), draft.environment.as_str());
        Some(Value::Text(on.to_string()))
    } else if let Some(from) = text.strip_prefix("from:") {
        from::named(draft, from.trim(), asking)
    } else {
        Some(Value::Text(text.to_owned()))
    }
}

/// The value of a secret: what a `.env` file says, else what is made up.
pub(super) fn secret_value(draft: &mut Draft<'_>, name: &str, asking: Asking<'_>) -> Option<Value> {
    let secret = draft.product.secret.get(name);
    draft.secrets.insert(name.to_owned());
    written(draft, name)
        .or_else(|| made_up(draft, name, secret.and_then(|secret| secret.generate)))
        .or_else(|| {
            missing_one(draft, name, asking, None);
            None
        })
}

/// What a `.env` file says about a name, or what is made up for it.
pub(super) fn given_or_made(draft: &mut Draft<'_>, name: &str, generator: Generator) {
    if written(draft, name).is_none() {
        // It is among those to be made, or was made before: there is one either way.
        let _ = made_up(draft, name, Some(generator));
    }
}

/// What a `.env` file says about a name.
fn written(draft: &mut Draft<'_>, name: &str) -> Option<Value> {
    let value = draft.written(name)?;
    sealed(draft, name, value)
}

fn sealed(draft: &mut Draft<'_>, name: &str, value: &Sealed<String>) -> Option<Value> {
    if !draft.values.contains_key(name) {
        draft.values.insert(name.to_owned(), value.clone());
    }
    Some(Value::Sealed(name.to_owned()))
}

/// A value that was made up earlier, or is to be.
pub(super) fn made_up(draft: &mut Draft<'_>, name: &str, generate: Option<Generator>) -> Option<Value> {
    let generator = generate?;
    match draft.around.kept.get(name) {
        Some(value) => sealed(draft, name, value),
        None => {
            draft.generate.entry(name.to_owned()).or_insert(generator);
            Some(Value::Sealed(name.to_owned()))
        }
    }
}

/// Keeps in mind that a required value is found nowhere. A secret has its own words for where it comes from, and no
/// example of it is shown.
fn missing_one(draft: &mut Draft<'_>, name: &str, asking: Asking<'_>, example: Option<String>) {
    if !asking.required {
        return;
    }
    let secret = draft.product.secret.get(name);
    let about = asking.about.or_else(|| secret?.about.as_deref());
    let entry = draft.missing.entry(name.to_owned()).or_insert_with(|| Missing {
        at: asking.at,
        by: BTreeSet::new(),
        about: about.map(str::to_owned),
        example: example.filter(|_| secret.is_none()),
        source: secret.and_then(|secret| secret.source.clone()),
    });
    entry.by.insert(asking.by.to_string());
}

/// Tells every value that is missing, each once.
pub(super) fn missing(draft: &mut Draft<'_>) {
    const SHOWN: usize = 3;
    for (name, missing) in std::mem::take(&mut draft.missing) {
        let users = match missing.by.len() {
            count if count > SHOWN + 1 => {
                format!(
                    "{} and {} more do",
                    listed(missing.by.iter().take(SHOWN), ","),
                    count - SHOWN
                )
            }
            1 => format!("{} does", listed(&missing.by, "and")),
            _ => format!("{} do", listed(&missing.by, "and")),
        };
        let about = missing
            .about
            .map(|about| format!(": {}", about.trim_end_matches('.')));
        let message = format!(
            "{users} not start without `{name}`, which has no value{}",
            about.unwrap_or_default()
        );
        let example = missing
            .example
            .map(|example| format!(", for example {}", Shown(&example)));
        let source = missing
            .source
            .map(|source| format!("; it comes from: {}", Shown(&source)));
        let set = match draft.around.vault {
            true => format!("`towpath secrets set {} {name}`", draft.environment),
            false => format!("write {name}=.. into .env"),
        };
        let hint = format!(
            "{set}{}{}",
            example.unwrap_or_default(),
            source.unwrap_or_default()
        );
        draft.refuse(&missing.at, Problem::new(message, hint).of(missing.by));
    }
}
