//! Values that are a part of something else's address: `from:api.url`.

use super::draft::{Draft, Target};
use super::variables::{Asking, address_of, secret_value};
use super::{Problem, resource};
use towpath_model::desired::component::External;
use towpath_model::finding::{Shown, listed};
use towpath_model::run::{Part, Value};
use towpath_model::unit::{Name, Url};

/// The parts of a whole address.
const WHOLE: &[&str] = &["url", "host", "port"];

/// What came of looking.
enum Looked {
    /// The value.
    Value(Value),
    /// There is none, and that is told where everything of that sort is, or is fine.
    Nothing,
    /// There is no such part; but there are these.
    Only(&'static [&'static str]),
}

impl From<Option<Value>> for Looked {
    fn from(value: Option<Value>) -> Self {
        value.map_or(Looked::Nothing, Looked::Value)
    }
}

/// What `from:` names: the part of an address, `url` where none is written.
pub(super) fn named(draft: &mut Draft<'_>, from: &str, asking: Asking<'_>) -> Option<Value> {
    let (name, part) = from.split_once('.').unwrap_or((from, "url"));
    let (by, at) = (asking.by, asking.at.clone());
    let looked = match draft.target(name) {
        None => absent(draft, name, &asking),
        Some(Target::Runs {
            name,
            listens,
            public,
            ..
        }) => of_running(name, listens, public, part),
        Some(Target::Outside(outside)) => of_outside(draft, outside, part, asking),
        Some(Target::Resource(kind, owner, resource)) => match &resource.bind {
            Some(secret) if part == "url" => secret_value(draft, secret.as_str(), asking).into(),
            Some(_) => Looked::Only(&["url"]),
            // What `.env` says of it is a whole address, under names of those who use it.
            None if draft.is_elsewhere(owner, resource) => Looked::Only(&[]),
            None => resource::part(draft, kind, owner, resource, part)
                .map_or(Looked::Only(resource::PARTS), Looked::Value),
        },
    };
    let parts = match looked {
        Looked::Value(value) => return Some(value),
        Looked::Nothing => return None,
        Looked::Only(parts) => parts,
    };
    let name = Shown(name);
    let message = format!("`{by}` takes `{}` of `{name}`, which has none", Shown(part));
    let hint = match parts {
        [] => format!("`{name}` has no address: let it listen, or take the value from elsewhere"),
        parts => format!("`{name}` has {}", listed(parts, "and")),
    };
    draft.refuse(&at, Problem::new(message, hint).of([by]));
    None
}

/// What is not here is no value where it can be done without.
fn absent(draft: &mut Draft<'_>, name: &str, asking: &Asking<'_>) -> Looked {
    if asking.required {
        let here = draft.environment;
        let message = format!(
            "`{}` takes a value from `{}`, which is not present in {here}",
            asking.by,
            Shown(name)
        );
        let hint = "give this environment a value of its own, or write required = false";
        draft.refuse(&asking.at, Problem::new(message, hint).of([asking.by]));
    }
    Looked::Nothing
}

fn of_running(name: &Name, listens: bool, public: bool, part: &str) -> Looked {
    Looked::Value(match part {
        "url" if listens => address_of(name, Part::Url),
        "host" if listens => address_of(name, Part::Host),
        "port" if listens => address_of(name, Part::Port),
        "public" if public => Value::Public(name.clone()),
        _ => {
            return Looked::Only(match (listens, public) {
                (true, true) => &["url", "host", "port", "public"],
                (true, false) => WHOLE,
                (false, _) => &[],
            });
        }
    })
}

fn of_outside(draft: &mut Draft<'_>, outside: &External, part: &str, asking: Asking<'_>) -> Looked {
    match (&outside.url, &outside.secret) {
        (Some(url), _) => match part_of_url(url, part) {
            Some(text) => Looked::Value(Value::Text(text)),
            None => Looked::Only(WHOLE),
        },
        (None, Some(secret)) if part == "url" => secret_value(draft, secret.as_str(), asking).into(),
        (None, Some(_)) => Looked::Only(&["url"]),
        (None, None) => Looked::Only(&[]),
    }
}

fn part_of_url(url: &Url, part: &str) -> Option<String> {
    match part {
        "url" => Some(url.to_string()),
        "host" => Some(url.host().to_owned()),
        "port" => Some(url.port().or_else(|| usual_port(url.scheme()))?.to_string()),
        _ => None,
    }
}

/// The port of a scheme whose addresses leave it out.
fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "postgres" | "postgresql" => Some(5432),
        "redis" | "rediss" => Some(6379),
        _ => None,
    }
}
