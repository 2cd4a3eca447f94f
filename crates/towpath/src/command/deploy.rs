//! `towpath deploy`: what is here becomes a release, and the release comes to an environment, while somebody looks on.
//!
//! Everything that can be refused is refused before anything is handed over: the manifest, the values in the environment's
//! vault, the tools, the builds, the files. What is handed over is whole, so what follows needs nothing of this machine.

use super::Context;
use crate::asking::{after_build, place};
use crate::awaited::entering;
use crate::building::build;
use crate::cli::Deploy as Args;
use crate::door::clock::Began;
use crate::door::{files, person};
use crate::failure::{Failure, Kind};
use crate::following::follow;
use crate::here::Here;
use crate::releasing::{Making, aim, before, handed, migrations, origin, took, ungathered};
use crate::talk::{self, failed, wait};
use crate::tools::supply;
use crate::view::course::{Asked, short};
use crate::view::measure;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use towpath_api::{Client, CourseTold, Deploy};
use towpath_decide::launch::tools::requirements;
use towpath_decide::rollout::identify;
use towpath_model::Desired;
use towpath_model::run::{Origin, Release};
use towpath_model::unit::Name;
use towpath_steward::gather::gather;

pub(super) fn run(context: &Context, args: &Args) -> Result<(), Failure> {
    let here = aim(&args.toward.env, args.toward.manifest.as_deref()).map_err(before)?;
    wait(async {
        let deploy = match &args.release {
            Some(id) => again(&here, id, args.no_wait).await.map_err(before)?,
            None => made(context, &here, args).await?,
        };
        hand_over(context, &here, deploy).await
    })
}

/// Hands a release over, and follows what comes of it.
pub(super) async fn hand_over(context: &Context, here: &Here, mut deploy: Deploy) -> Result<(), Failure> {
    let id = identify(&deploy.content);
    let entering = entering(here, &deploy, context.terminal).await.map_err(before)?;
    deploy.answers.extend(entering);
    let deploy = &deploy;
    context
        .terminal
        .tell(&format!("release {} to {}\n", short(&id), here.environment));
    let client = here.client();
    let before_it: CourseTold = client
        .ask(http::Method::GET, "/course", &())
        .await
        .map_err(|error| before(failed(&error, here)))?;
    let answer = client
        .follow(http::Method::POST, "/deploy", deploy)
        .await
        .map_err(|error| before(failed(&error, here)))?;
    let asked = Asked {
        to: Some(id.as_str().to_owned()),
        after: before_it.course.number,
        wait: deploy.wait,
    };
    follow(context.terminal, here, answer, &asked).await
}

/// A release that is there already.
async fn again(here: &Here, id: &str, no_wait: bool) -> Result<Deploy, Failure> {
    let client = talk::called(here).await?;
    let release = release(&client, here, id).await?;
    Ok(Deploy {
        content: release.content,
        trees: BTreeMap::new(),
        origin: Origin {
            by: person::name(),
            ..release.origin
        },
        answers: Vec::new(),
        wait: !no_wait,
    })
}

/// All of a release, by the beginning of its name.
pub(super) async fn release(client: &Client, here: &Here, id: &str) -> Result<Release, Failure> {
    let plain = !id.is_empty() && id.bytes().all(|one| one.is_ascii_alphanumeric());
    if !plain {
        let hint = format!("`towpath releases {}` lists them", here.environment);
        return Err(Failure::new(Kind::User, format!("`{id}` is no name of a release")).hint(hint));
    }
    client
        .ask(http::Method::GET, &format!("/releases/{id}"), &())
        .await
        .map_err(|error| failed(&error, here))
}

/// A release of what is here, with all of its files where they are needed.
async fn made(context: &Context, here: &Here, args: &Args) -> Result<Deploy, Failure> {
    let folder = match &args.from {
        Some(from) => files::whole_folder(from).map_err(before)?,
        None => here.folder.clone(),
    };
    let calling = talk::call(here).await.map_err(before)?;
    calling.answered(here).map_err(before)?;
    let client = here.client();
    let making = Making::new(here, &client);
    let (launched, versions) = making.launch(&folder, context.terminal).await.map_err(before)?;
    if args.from.is_none() {
        supply(context.terminal, &requirements(&launched.product), false).map_err(before)?;
        build(here, &launched, context.terminal).await?;
    }
    let began = Began::now();
    let product = Arc::new(launched.product);
    let config = config(making.desired()?);
    let state: PathBuf = here.state.folder().to_path_buf();
    let gathering = || async {
        let gathered = gather(Arc::clone(&product), config.clone(), state.clone())
            .await
            .map_err(|refused| ungathered(&refused, context.terminal))?;
        let migrations = migrations(&product, |_, folder| Path::new(folder).to_path_buf()).map_err(before)?;
        let content = making
            .content(&product, gathered.artifacts.clone(), versions.clone(), migrations)
            .map_err(before)?;
        Ok::<_, Failure>((gathered, content))
    };
    let (mut gathered, mut content) = gathering().await?;
    let place = place(
        here,
        &folder,
        making.desired()?,
        &content,
        &gathered.trees,
        context.terminal,
    );
    let answers = after_build(here, &client, &content.questions, &place, context.terminal).await?;
    if !answers.is_empty() {
        // Gates write reports, and may write them into what is released.
        (gathered, content) = gathering().await?;
    }
    let brought = making.bring(&gathered, context.terminal).await.map_err(before)?;
    let files = measure::counted(gathered.files.len(), "file");
    context.terminal.tell(&format!(
        "{files}, {brought} of them new, after {}\n",
        took(began)
    ));
    let how = if args.from.is_some() { "elsewhere" } else { "here" };
    let build = BTreeMap::from([("built".to_owned(), how.to_owned())]);
    Ok(Deploy {
        answers,
        ..handed(content, gathered, origin(here, build), !args.no_wait)
    })
}

/// The files of settings of each component.
fn config(desired: &Desired) -> BTreeMap<Name, Vec<String>> {
    let components = desired.components();
    let of = components.map(|(_, name, one)| {
        let files = one.config.iter().map(|path| path.as_str().to_owned());
        (name.clone(), files.collect())
    });
    of.collect()
}
