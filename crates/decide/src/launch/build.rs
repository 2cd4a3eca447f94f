//! Builds: each there once, with its folder and inputs; and what changed files do to whoever is built so.

use super::draft::Draft;
use super::variables;
use crate::here::shared_build;
use std::collections::BTreeSet;
use towpath_model::desired::build::Build;
use towpath_model::desired::component::{Component, ComponentKind, External, Watch, WatchAction};
use towpath_model::run::{self, WatchRule};
use towpath_model::spec::Path;
use towpath_model::unit::{Command, Glob, Name, Unit};

/// A component with its kind and name.
type Of<'a> = (ComponentKind, &'a Name, &'a Component);

/// The build that a component is made by, and where it is written.
fn build_of<'a>(
    draft: &Draft<'a>,
    (kind, name, component): Of<'a>,
) -> Option<(Path, &'a Build, Option<&'a Name>)> {
    let own = component.build.as_ref()?;
    Some(match shared_build(draft.product, own) {
        Some((shared, build)) => (Path::of(["build", shared.as_str()]), build, Some(shared)),
        None => (Path::of([kind.word(), name.as_str(), "build"]), own, None),
    })
}

/// The build that has to have succeeded before a component starts, added where it is not there yet.
pub(super) fn built<'a>(draft: &mut Draft<'a>, of: Of<'a>) -> Option<Name> {
    let (at, build, shared) = build_of(draft, of)?;
    let (kind, name, component) = of;
    let Some(command) = &build.command else {
        // A Dockerfile makes an image, and a process is started from none.
        if let Some(dockerfile) = &build.dockerfile {
            let unused = || (dockerfile.to_string(), BTreeSet::new());
            let (_, users) = draft.images.entry(at.key("dockerfile")).or_insert_with(unused);
            users.insert(name.to_string());
        }
        return None;
    };
    let key = match shared {
        Some(shared) => shared.clone(),
        None => own_name(draft, name),
    };
    let inside = component.dir.as_ref().filter(|_| shared.is_none());
    let dir = build.dir.as_ref().or(inside).map_or("", |dir| dir.as_str());
    let owner = Some(of).filter(|_| shared.is_none() && !kind.runs());
    add(draft, &key, (&at, build, command), dir, owner);
    Some(key)
}

/// The shared build that makes a stand-in, with what changed files do to it. One that only makes an image makes none.
pub(super) fn stand_in(draft: &mut Draft<'_>, external: &External) -> (Option<Name>, Vec<WatchRule>) {
    let shared = external.build.as_ref();
    let Some((key, build)) = shared.and_then(|shared| draft.product.build.get_key_value(shared.as_str()))
    else {
        return (None, Vec::new());
    };
    let at = Path::of(["build", key.as_str()]);
    let watch = whole(
        draft,
        Vec::new(),
        Some((at.clone(), build)),
        build.command.is_some(),
    );
    let Some(command) = &build.command else {
        return (None, watch);
    };
    let dir = build.dir.as_ref().map_or("", |dir| dir.as_str());
    add(draft, key, (&at, build, command), dir, None);
    (Some(key.clone()), watch)
}

/// Adds a build, where it is not there yet.
fn add<'a>(
    draft: &mut Draft<'a>,
    key: &Name,
    (at, build, command): (&Path, &'a Build, &Command),
    dir: &str,
    owner: Option<Of<'a>>,
) {
    if draft.builds.contains_key(key) {
        return;
    }
    let made = run::Build {
        name: key.clone(),
        at: draft.place(at),
        command: command.to_string(),
        dir: draft.whole(dir),
        env: variables::of_build(draft, at, build, owner),
        inputs: build
            .inputs
            .iter()
            .filter_map(|input| draft.whole_glob(input, &at.key("inputs")))
            .collect(),
        needs: build.needs.clone(),
    };
    draft.builds.insert(key.clone(), made);
}

/// The name of a build that is written in its component: the component's, unless another build is called so.
fn own_name(draft: &Draft<'_>, name: &Name) -> Name {
    if !draft.product.build.contains_key(name.as_str()) {
        return name.clone();
    }
    // A name has 63 letters at the most.
    let start: String = name.as_str().chars().take(59).collect();
    Name::parse(&format!("{start}-own")).unwrap_or_else(|_| name.clone())
}

/// What changed files do to a component: what it says itself, then what its build says for all that are built so. Where
/// neither says anything, what the build is made of builds it anew; and what is packed as it stands is packed anew.
pub(super) fn watched<'a>(draft: &mut Draft<'a>, of: Of<'a>, is_built: bool) -> Vec<WatchRule> {
    let (kind, name, component) = of;
    let at = Path::of([kind.word(), name.as_str()]);
    let is_packed = kind == ComponentKind::Extension;
    let own = component
        .watch
        .iter()
        .map(|watch| (at.key("watch"), watch.clone()));
    let mut own: Vec<(Path, Watch)> = own.collect();
    let build = build_of(draft, of).map(|(at, build, _)| (at, build));
    let files = component.files.as_ref().filter(|_| is_packed && !is_built);
    if let Some(files) = files.and_then(|files| Glob::parse(files.as_str()).ok())
        && own.is_empty()
    {
        own.push((at.key("files"), rebuilds(&files)));
    }
    whole(draft, own, build, is_built || is_packed)
}

/// Rules with every path whole: their own, and those of a build.
fn whole(
    draft: &mut Draft<'_>,
    mut rules: Vec<(Path, Watch)>,
    build: Option<(Path, &Build)>,
    is_built: bool,
) -> Vec<WatchRule> {
    if let Some((at, build)) = build {
        let shared = build.watch.iter().map(|watch| (at.key("watch"), watch.clone()));
        rules.extend(shared);
        if rules.is_empty() {
            rules.extend(
                build
                    .inputs
                    .iter()
                    .map(|input| (at.key("inputs"), rebuilds(input))),
            );
        }
    }
    let mut watched: Vec<WatchRule> = Vec::new();
    for (at, rule) in rules {
        let Some(path) = draft.whole_glob(&rule.path, &at) else {
            continue;
        };
        if watched.iter().any(|known| known.path == path) {
            continue;
        }
        let ignore = rule.ignore.iter().filter_map(|glob| draft.whole_glob(glob, &at));
        watched.push(WatchRule {
            path,
            ignore: ignore.collect(),
            action: match rule.action {
                // There is nothing to build: what would have come of it is a new start.
                WatchAction::Rebuild if !is_built => WatchAction::Restart,
                action => action,
            },
        });
    }
    watched
}

fn rebuilds(input: &Glob) -> Watch {
    Watch {
        path: input.clone(),
        action: WatchAction::Rebuild,
        ignore: Vec::new(),
    }
}
