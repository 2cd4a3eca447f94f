//! The data of an environment: where it comes from, and who can reach it.

use crate::review::Scene;
use crate::review::setting::environment_at;
use towpath_model::code;
use towpath_model::desired::environment::Isolation;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Trigger;

/// Real data that a pull request reaches, or that shares its machine.
pub(super) fn real(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((name, own)) = scene.environment.filter(|(_, own)| own.data.real) else {
        return;
    };
    let at = environment_at(name);
    let pull_request = own.on.iter().position(|one| *one == Trigger::PullRequest);
    let by = match (pull_request, &own.preview) {
        (Some(position), _) => Some((
            Where::Value(at.key("on").nth(position)),
            "a change that nobody has merged",
        )),
        (None, Some(_)) => Some((Where::Key(at.key("preview")), "one for each branch")),
        (None, None) => None,
    };
    if let Some((place, why)) = by {
        found.push(
            Finding::value(
                &code::REAL_PREVIEW,
                at.key("data").key("real"),
                format!("`{name}` has real data, and runs code that nobody has looked at"),
            )
            .label("within reach of every pull request")
            .also(place, why)
            .hint("give previews data of their own, as in `data = { fresh = true, load = \"seed.sql\" }`"),
        );
    }
    if own.isolation == Isolation::Shared {
        found.push(
            Finding::value(
                &code::REAL_SHARED,
                at.key("isolation"),
                format!("`{name}` has real data, but shares its machine and network with other environments"),
            )
            .label("a fault elsewhere reaches it")
            .also(Where::Value(at.key("data").key("real")), "real data")
            .hint("take `isolation` out, which means `isolated`, or write \"dedicated\""),
        );
    }
}

/// Data with two origins, copies without masks, and masks without a copy.
pub(super) fn origin(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((name, own)) = scene.environment else {
        return;
    };
    let at = environment_at(name).key("data");
    let data = &own.data;
    let others = [
        (
            "fresh",
            data.fresh,
            "is made afresh with each release: what people wrote is lost",
        ),
        (
            "copy",
            data.copy.is_some(),
            "is a copy: what people wrote is overwritten",
        ),
        ("load", data.load.is_some(), "is filled from a file"),
    ];
    for (field, _, what) in others.into_iter().filter(|(_, written, _)| data.real && *written) {
        found.push(
            Finding::key(
                &code::DATA_CLASH,
                at.key(field),
                format!("the data of `{name}` is real, but {what}"),
            )
            .label("against `real`")
            .also(Where::Value(at.key("real")), "real data of real people")
            .hint(format!("take `{field}` out, or `real`")),
        );
    }
    if let (Some(copy), Some(_), false) = (&data.copy, &data.load, data.real) {
        found.push(
            Finding::key(
                &code::DATA_CLASH,
                at.key("load"),
                format!("the data of `{name}` is a copy of that of `{copy}`, and is filled from a file, too"),
            )
            .label("a second origin")
            .also(Where::Key(at.key("copy")), "the first one")
            .hint("take one of the two out"),
        );
    }
    copied(scene, found);
}

fn copied(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((name, own)) = scene.environment else {
        return;
    };
    let at = environment_at(name).key("data");
    let data = &own.data;
    let Some(copy) = &data.copy else {
        let idle = [
            ("mask", !data.mask.is_empty()),
            ("refresh", data.refresh.is_some()),
        ];
        for (field, _) in idle.into_iter().filter(|(_, written)| *written) {
            found.push(
                Finding::key(
                    &code::COPY_MISSING,
                    at.key(field),
                    format!("`{field}` is about a copy, but the data of `{name}` is none"),
                )
                .label("without effect")
                .hint("say what it is a copy of, as in `copy = \"prod\"`, or take this out"),
            );
        }
        return;
    };
    let from_real = scene
        .product
        .environment
        .get(copy.as_str())
        .is_some_and(|other| other.data.real);
    if from_real && !data.real && data.mask.is_empty() {
        found.push(
            Finding::value(
                &code::COPY_UNMASKED,
                at.key("copy"),
                format!("`{name}` gets the real data of `{copy}`, and nothing of it is masked"),
            )
            .label("names, addresses, passwords")
            .hint("add what is about people, as in `mask = { \"users.email\" = \"fake\", \"users.name\" = \"fake\" }`"),
        );
    }
}

/// Something outside is replaced where real data is.
pub(super) fn stand_ins(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((here, _)) = scene.environment.filter(|(_, own)| own.data.real) else {
        return;
    };
    for (name, external) in &scene.product.external {
        let Some(position) = external
            .mock_in
            .iter()
            .position(|one| one.as_str() == here.as_str())
        else {
            continue;
        };
        found.push(
            Finding::value(
                &code::REAL_STAND_IN,
                Path::of(["external", name.as_str(), "mock_in"]).nth(position),
                format!("`{here}` has real data, but a stand-in answers there in place of `{name}`"),
            )
            .label("people get made up answers")
            .also(
                Where::Value(environment_at(here).key("data").key("real")),
                "real data of real people",
            )
            .hint(format!("take \"{here}\" out of `mock_in`")),
        );
    }
}
