//! From sources to a release: what is built, asked, signed and pushed, once for every environment.

use super::Draft;
use crate::here::shared_build;
use towpath_model::desired::build::{Build, Sbom};
use towpath_model::desired::gate::Stage;
use towpath_model::plan::{Action, BuildOf, ComponentId, How, Named, Part, Reason};
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// Something to build, for these components.
struct Work<'a> {
    of: BuildOf,
    build: &'a Build,
    at: Path,
    for_names: Vec<Name>,
}

/// Every build that something here needs, a shared one once.
fn work<'a>(draft: &Draft<'a>) -> Vec<Work<'a>> {
    let mut all: Vec<Work<'a>> = Vec::new();
    for (kind, name, component) in draft.product.components() {
        let Some(own) = &component.build else {
            continue;
        };
        let Some((shared, build)) = shared_build(draft.product, own) else {
            let of = BuildOf::Component(Named::new(kind, name));
            let at = Path::of([kind.word(), name.as_str(), "build"]);
            all.push(Work {
                of,
                build: own,
                at,
                for_names: vec![name.clone()],
            });
            continue;
        };
        let of = BuildOf::Shared(shared.clone());
        match all.iter_mut().find(|work| work.of == of) {
            Some(work) => work.for_names.push(name.clone()),
            None => {
                let at = Path::of(["build", shared.as_str()]);
                all.push(Work {
                    of,
                    build,
                    at,
                    for_names: vec![name.clone()],
                });
            }
        }
    }
    all
}

/// Builds, asks the gates of the build, signs, pushes, and makes the release.
pub(super) fn build(draft: &mut Draft<'_>) {
    let begun = draft.all();
    let works = work(draft);
    for work in &works {
        let because = Reason::BuiltOnce(work.for_names.clone());
        let action = Action::Build {
            of: work.of.clone(),
            how: how(work.build),
        };
        let built = draft.step(Part::Build, action, &begun, because);
        if let Some(most) = work.build.size {
            let action = Action::Weigh {
                of: work.of.clone(),
                most,
            };
            draft.step(
                Part::Build,
                action,
                &[built],
                Reason::Written(work.at.key("size")),
            );
        }
        if work.build.sbom != Sbom::Off {
            let action = Action::ListParts {
                of: work.of.clone(),
                format: work.build.sbom,
            };
            draft.step(
                Part::Build,
                action,
                &[built],
                Reason::Written(work.at.key("sbom")),
            );
        }
    }
    let built = draft.all();
    draft.ask(Part::Build, Stage::Build, &built);
    // What is not right is neither signed nor pushed.
    let asked = draft.all();
    for work in &works {
        if work.build.sign || draft.product.releases.signed {
            let action = Action::Sign { of: work.of.clone() };
            draft.step(Part::Build, action, &asked, Reason::SeenAsOurs);
        }
    }
    let signed = draft.all();
    for action in fetched(draft) {
        draft.step(Part::Build, action, &signed, Reason::FetchedByDigest);
    }
    let all = draft.all();
    draft.step(Part::Build, Action::Release, &all, Reason::Fixed);
}

/// What hosts fetch, each image once: pushed by us where we build it, found where others do.
fn fetched(draft: &Draft<'_>) -> Vec<Action> {
    let mut images: Vec<(String, bool, Vec<ComponentId>)> = Vec::new();
    for (kind, name, component) in draft.product.components() {
        let Some(image) = component
            .artifact
            .as_ref()
            .and_then(|artifact| artifact.image.clone())
        else {
            continue;
        };
        let ours = component.build.is_some();
        let id = Named::new(kind, name);
        match images
            .iter_mut()
            .find(|(known, built, _)| *known == image && *built == ours)
        {
            Some((_, _, of)) => of.push(id),
            None => images.push((image, ours, vec![id])),
        }
    }
    let action = |(image, ours, of)| {
        if ours {
            Action::Push { of, image }
        } else {
            Action::Resolve { of, image }
        }
    };
    images.into_iter().map(action).collect()
}

fn how(build: &Build) -> How {
    let dockerfile = build.dockerfile.clone().map(How::Dockerfile);
    build
        .command
        .clone()
        .map(How::Command)
        .or(dockerfile)
        .unwrap_or(How::Usual)
}
