//! `towpath promote`: the current release of an environment goes onward to the next one, byte for byte. Its files, and the
//! commit that they are of, come from there; what it is configured with is the next environment's own.

use super::Context;
use super::deploy::{hand_over, release};
use crate::checked::Checked;
use crate::cli::Promote as Args;
use crate::door::person;
use crate::failure::{Failure, Kind};
use crate::here::Here;
use crate::releasing::{Making, aim, before, handed, migrations, ungathered};
use crate::talk::{self, failed, wait};
use crate::view::course::short;
use std::collections::{BTreeMap, BTreeSet};
use towpath_api::CourseTold;
use towpath_decide::launch::below;
use towpath_model::finding::listed;
use towpath_model::run::{Origin, Product, Release};
use towpath_model::unit::Name;
use towpath_steward::gather::again;

pub(super) fn run(context: &Context, args: &Args) -> Result<(), Failure> {
    let manifest = args.manifest.as_deref();
    let from = aim(&args.from, manifest).map_err(before)?;
    let to = onward(&from.check(), &args.from, args.to.as_deref())?;
    let to = aim(&to, manifest).map_err(before)?;
    wait(async {
        let release = current(&from).await.map_err(before)?;
        let calling = talk::call(&to).await.map_err(before)?;
        calling.answered(&to).map_err(before)?;
        let client = to.client();
        let making = Making::new(&to, &client);
        let (launched, versions) = making
            .launch(&to.folder, context.terminal)
            .await
            .map_err(before)?;
        let artifacts = artifacts(&launched.product, &release, (&from, &to))?;
        let names: BTreeSet<String> = artifacts.values().cloned().collect();
        let gathered = again(from.state.folder().to_path_buf(), names)
            .await
            .map_err(|refused| ungathered(&refused, context.terminal))?;
        let trees = from.state.folder().join("artifacts/trees");
        let folder_of = |name: &Name, folder: &str| {
            let tree = trees.join(artifacts.get(name).map_or("", String::as_str));
            tree.join(below(folder, &launched.product.folder).unwrap_or_default())
        };
        let migrations = migrations(&launched.product, folder_of).map_err(before)?;
        let content = making
            .content(&launched.product, artifacts.clone(), versions, migrations)
            .map_err(before)?;
        making.bring(&gathered, context.terminal).await.map_err(before)?;
        let mut origin = Origin {
            by: person::name(),
            at: Some(crate::door::clock::now()),
            ..release.origin.clone()
        };
        let was = format!("{} of {}", release.id, from.environment);
        origin.build.insert("promoted".to_owned(), was);
        hand_over(context, &to, handed(content, gathered, origin, !args.no_wait)).await
    })
}

/// The environment that comes after one.
fn onward(checked: &Checked, from: &str, to: Option<&str>) -> Result<String, Failure> {
    let after = checked.environments().into_iter().filter_map(|(name, desired)| {
        let own = desired.environment.get(name.as_str())?;
        let after = own.after.as_ref()?;
        (after.as_str() == from).then(|| name.to_string())
    });
    let after: Vec<String> = after.collect();
    match (to, after.as_slice()) {
        (Some(to), after) if after.iter().any(|one| one == to) => Ok(to.to_owned()),
        (None, [only]) => Ok(only.clone()),
        (Some(to), _) => {
            let message = format!("`{to}` does not come after `{from}`, and takes nothing from it");
            let hint = format!("write after = \"{from}\" in [environment.{to}], or `towpath deploy {to}`");
            Err(Failure::new(Kind::User, message).hint(hint))
        }
        (None, []) => {
            let message = format!("no environment comes after `{from}`");
            let hint = format!("write after = \"{from}\" in the one that takes its releases");
            Err(Failure::new(Kind::User, message).hint(hint))
        }
        (None, several) => {
            let message = format!("{} come after `{from}`", listed(several, "and"));
            let hint = format!("say which one: `towpath promote {from} {}`", several[0]);
            Err(Failure::new(Kind::User, message).hint(hint))
        }
    }
}

/// The current release of an environment.
async fn current(from: &Here) -> Result<Release, Failure> {
    let client = talk::called(from).await?;
    let told: CourseTold = client
        .ask(http::Method::GET, "/course", &())
        .await
        .map_err(|error| failed(&error, from))?;
    let environment = &from.environment;
    if let Some(rollout) = &told.course.rollout {
        let message = format!("{} is still on its way in {environment}", short(&rollout.to));
        let hint = format!("`towpath rollout {environment}` tells when it has ended");
        return Err(Failure::new(Kind::User, message).hint(hint));
    }
    let Some(id) = &told.course.current else {
        let message = format!("there is no release in {environment} that could go onward");
        return Err(
            Failure::new(Kind::User, message).hint(format!("`towpath deploy {environment}` makes one"))
        );
    };
    release(&client, from, id.as_str()).await
}

/// The artifacts of each component, which are those of the release; or which component has none there.
fn artifacts(
    product: &Product,
    release: &Release,
    (from, to): (&Here, &Here),
) -> Result<BTreeMap<Name, String>, Failure> {
    let (mut found, mut missing) = (BTreeMap::new(), Vec::new());
    for name in product.components.keys() {
        let portion = release.content.components.get(name);
        match portion.and_then(|portion| portion.artifact.clone()) {
            Some(artifact) => drop(found.insert(name.clone(), artifact)),
            None => missing.push(name.clone()),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let (of, are) = (
        listed(&missing, "and"),
        if missing.len() == 1 { "is" } else { "are" },
    );
    let message = format!(
        "{of} {are} part of {} and not of the release in {}: nobody has tried {} files",
        to.environment,
        from.environment,
        if missing.len() == 1 { "its" } else { "their" }
    );
    let hint = format!(
        "let {} have it, too, or `towpath deploy {}`",
        from.environment, to.environment
    );
    Err(Failure::new(Kind::User, message).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checked::check_example;

    #[test]
    fn a_release_goes_only_where_the_manifest_says() {
        let text = "product = \"shop\"\n[service.a]\nrun = \"a\"\n[environment.dev]\n[environment.staging]\nafter = \"dev\"\n\
                    [environment.prod]\nafter = \"staging\"\n[environment.mirror]\nafter = \"staging\"\n";
        let checked = check_example(text);
        let told = |from: &str, to: Option<&str>| match onward(&checked, from, to) {
            Ok(to) => to,
            Err(failure) => format!("{}; {}", failure.message, failure.hint.unwrap_or_default()),
        };
        assert_eq!(told("dev", None), "staging");
        assert_eq!(told("staging", Some("prod")), "prod");
        insta::assert_snapshot!([told("prod", None), told("dev", Some("prod")), told("staging", None)].join("\n"), @r#"
    no environment comes after `prod`; write after = "prod" in the one that takes its releases
    `prod` does not come after `dev`, and takes nothing from it; write after = "dev" in [environment.prod], or `towpath deploy prod`
    `prod` and `mirror` come after `staging`; say which one: `towpath promote staging prod`
    "#);
    }
}
