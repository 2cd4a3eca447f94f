//! Rules about how secrets are kept, shared and replaced.

use super::super::listed::listed;
use super::super::{Scene, Whole};
use super::taken;
use std::collections::BTreeMap;
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::secret::{Keeper, Secret};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::{Duration, Name};

/// Who uses each secret, in one environment.
fn users(product: &Desired) -> BTreeMap<&str, Vec<(ComponentKind, &str)>> {
    let mut users: BTreeMap<&str, Vec<(ComponentKind, &str)>> = BTreeMap::new();
    for (kind, name, component) in product.components() {
        let variables = component
            .env
            .values()
            .filter_map(|variable| taken(variable.value.as_deref()?));
        let uses = component
            .uses
            .iter()
            .filter_map(|one| Some(one.secret.as_ref()?.as_str()));
        for secret in variables.chain(uses) {
            let all = users.entry(secret).or_default();
            if all.last() != Some(&(kind, name.as_str())) {
                all.push((kind, name.as_str()));
            }
        }
    }
    users
}

/// Whether a secret opens a session of which there may be only one: it says so, or its name and its user do.
fn opens_session(name: &str, secret: &Secret) -> bool {
    let bots = [
        "DISCORD_TOKEN",
        "DISCORD_BOT_TOKEN",
        "BOT_TOKEN",
        "TELEGRAM_TOKEN",
    ];
    secret.session || bots.iter().any(|bot| name.ends_with(bot))
}

/// A bot's token is used by one bot in one environment.
pub(in super::super) fn sessions(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let mut places: BTreeMap<&str, Vec<&Name>> = BTreeMap::new();
    let mut together: BTreeMap<(&str, String), Vec<Name>> = BTreeMap::new();
    for (environment, product) in whole.environments {
        let own = product.environment.get(environment.as_str());
        for (secret, users) in users(product) {
            let bots = users.iter().filter(|(kind, _)| *kind == ComponentKind::Bot);
            let bots: Vec<&str> = bots.map(|(_, name)| *name).collect();
            let Some(declared) = product
                .secret
                .get(secret)
                .filter(|one| opens_session(secret, one))
            else {
                continue;
            };
            if bots.is_empty() {
                continue;
            }
            places.entry(secret).or_default().push(environment);
            let preview = own.and_then(|own| own.preview.as_ref());
            if let Some(preview) = preview.filter(|preview| preview.most > 1) {
                found.push(in_previews(secret, environment, preview.most, &bots));
            }
            if bots.len() > 1 && declared.session {
                together
                    .entry((secret, listed(bots.iter().copied(), "and")))
                    .or_default()
                    .push((*environment).clone());
            }
        }
    }
    for ((secret, bots), mut environments) in together {
        let message = format!("secret `{secret}` opens one session, and {bots} open it at once");
        let mut finding = Finding::key(&code::SESSION_SHARED, Path::of(["secret", secret]), message)
            .label("one session")
            .hint("give each bot a token of its own, from an application of its own");
        if environments.len() == whole.environments.len() {
            environments.clear();
        }
        finding.environments = environments;
        found.push(finding);
    }
    for (secret, environments) in places {
        let shared = whole.root.secret.get(secret).is_some_and(|secret| secret.shared);
        if !shared || environments.len() < 2 {
            continue;
        }
        let names = listed(environments.iter().map(|name| name.as_str()), "and");
        let message = format!("secret `{secret}` opens one session, and {names} share it");
        found.push(
            Finding::value(
                &code::SESSION_SHARED,
                Path::of(["secret", secret, "shared"]),
                message,
            )
            .label("the same in all of them")
            .hint("leave `shared` out, and set a token of its own in each environment"),
        );
    }
}

fn in_previews(secret: &str, environment: &Name, most: u32, bots: &[&str]) -> Finding {
    let bot = bots.first().unwrap_or(&"bot");
    let message = format!(
        "up to {most} previews of `{environment}` run bot `{bot}` with `{secret}`, which opens one session"
    );
    let at = Path::of(["environment", environment.as_str(), "preview"]);
    let mut finding = Finding::key(&code::SESSION_SHARED, at, message)
        .label("one session for all of them")
        .also(
            Where::Key(Path::of(["bot", bot])),
            "answers once for each preview",
        )
        .hint(format!(
            "write most = 1 in `preview`, or keep the bot out with only = [..] in [bot.{bot}]"
        ));
    finding.environments = vec![environment.clone()];
    finding
}

/// A secret that two sides know is replaced on both without a moment in which they differ.
pub(in super::super) fn rotations(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let users = users(scene.product);
    for (name, secret) in &scene.product.secret {
        let name = name.as_str();
        let Some(users) = users.get(name).filter(|users| users.len() > 1) else {
            continue;
        };
        if secret.rotate.is_none() || secret.overlap.is_some() || secret.hardware || secret.short_lived {
            continue;
        }
        let names = listed(users.iter().map(|(_, name)| *name).take(4), "and");
        let message =
            format!("`{name}` is replaced under {names}, which do not learn of it in the same instant");
        found.push(
            Finding::value(
                &code::ROTATION_WITHOUT_OVERLAP,
                Path::of(["secret", name, "rotate"]),
                message,
            )
            .label("the old value ends at once")
            .hint(format!(
                "write overlap = \"24h\": both values are delivered, as {name} and {name}_PREVIOUS"
            )),
        );
    }
}

/// What an overlap is for most: everything has been deployed or restarted once.
const DAY: Duration = Duration::from_hours(24);

/// An old value ends before the next one comes.
pub(in super::super) fn overlaps(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, secret) in &scene.product.secret {
        let at = Path::of(["secret", name.as_str()]);
        let Some(overlap) = secret.overlap else { continue };
        let Some(rotate) = &secret.rotate else {
            continue;
        };
        let every = rotate.interval();
        if overlap < every {
            continue;
        }
        let message = format!(
            "`{name}` is replaced {rotate}, and the old value is accepted for {} more",
            overlap.spoken()
        );
        found.push(
            Finding::value(&code::OVERLAP_TOO_LONG, at.key("overlap"), message)
                .label("outlives its successor")
                .also(
                    Where::Value(at.key("rotate")),
                    format!("a new one after {}", every.spoken()),
                )
                .hint(format!(
                    "write overlap = \"{}\": as long as the slowest user takes to learn the new value",
                    DAY.min(Duration::from_millis(every.millis() / 2))
                )),
        );
    }
}

/// A plain file holds no secret that opens real data.
pub(in super::super) fn plain_files(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((name, own)) = scene.environment.filter(|(_, own)| own.data.real) else {
        return;
    };
    let at = Path::of(["environment", name.as_str()]);
    let (kept, keeper) = match &own.secrets {
        Some(secrets) => (at.key("secrets").key("keeper"), secrets.keeper),
        None => (Path::of(["secrets", "keeper"]), scene.product.secrets.keeper),
    };
    if keeper != Keeper::Dotenv {
        return;
    }
    let message = format!("`{name}` has real data, and its secrets lie in a plain .env file");
    found.push(
        Finding::value(&code::DOTENV_WITH_REAL_DATA, kept, message)
            .label("readable by every program")
            .also(Where::Value(at.key("data").key("real")), "data of real people")
            .hint(format!(
                "write secrets = \"sealed\" in [environment.{name}], and set them with `towpath secret set`"
            )),
    );
}

/// A secret that somebody else hands out cannot be made up here.
pub(in super::super) fn sources(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, secret) in &scene.product.secret {
        let (Some(generate), Some(source)) = (secret.generate, &secret.source) else {
            continue;
        };
        let at = Path::of(["secret", name.as_str()]);
        let message =
            format!("`{name}` comes from elsewhere, and a value made up here would not open anything");
        found.push(
            Finding::value(&code::GENERATED_ELSEWHERE, at.key("generate"), message)
                .label(format!("made up as {generate}"))
                .also(
                    Where::Value(at.key("source")),
                    format!("fetched there: {}", towpath_model::finding::Shown(source)),
                )
                .hint("leave `generate` out, so that a missing value is told; or leave `source` out"),
        );
    }
}
