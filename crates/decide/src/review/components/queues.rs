//! Waiting jobs, and the resources that they are counted in.

use crate::review::{Scene, component_at};
use towpath_model::code;
use towpath_model::desired::component::Component;
use towpath_model::desired::resource::{ResourceKind, ToResource};
use towpath_model::desired::scale::Queue;
use towpath_model::finding::Finding;
use towpath_model::unit::Name;
use towpath_model::word::Ref;

/// Waiting jobs are counted where there are none.
pub(super) fn countable(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let of_kind = |kind| scene.product.resources_of(kind).keys().collect::<Vec<_>>();
    let (postgres, redis) = (of_kind(ResourceKind::Postgres), of_kind(ResourceKind::Redis));
    for (kind, name, component) in scene.product.components() {
        for (position, queue) in component.scale.iter().flat_map(|scale| &scale.queue).enumerate() {
            let (field, wanted, there) = match queue {
                Queue { sql: Some(_), .. } => ("sql", ResourceKind::Postgres, &postgres),
                Queue { redis: Some(_), .. } => ("redis", ResourceKind::Redis, &redis),
                _ => continue,
            };
            let place = component_at(kind, name).key("scale").key("queue").nth(position);
            let about = format!("{kind} `{name}` counts waiting jobs by `{field}`");
            let finding = match &queue.of {
                Some(of) => wrong_resource(scene, of, wanted).map(|other| {
                    let message = format!("{about}, but `{of}` is a {other}");
                    Finding::value(&code::QUEUE_NOWHERE, place.key("of"), message)
                        .label(format!("not a {wanted}"))
                        .maybe_hint(
                            there
                                .first()
                                .map(|first| format!("did you mean `of = \"{first}\"`?")),
                        )
                }),
                None => unclear_resource(component, wanted, there).map(|(message, hint)| {
                    Finding::key(
                        &code::QUEUE_NOWHERE,
                        place.key(field),
                        format!("{about}, but {message}"),
                    )
                    .label("asked where?")
                    .hint(hint)
                }),
            };
            found.extend(finding);
        }
    }
}

fn wrong_resource(scene: &Scene<'_>, of: &Ref<ToResource>, wanted: ResourceKind) -> Option<ResourceKind> {
    let (kind, _, _) = scene.product.resource(of.as_str())?;
    (kind != wanted).then_some(kind)
}

/// Why it is not clear which resource is asked, and what to do.
fn unclear_resource(
    component: &Component,
    wanted: ResourceKind,
    there: &[&Name],
) -> Option<(String, String)> {
    let Some(first) = there.first() else {
        let message = format!("this product has no {wanted}");
        return Some((
            message,
            format!("declare it, as in [{wanted}.jobs], or count them with a `command`"),
        ));
    };
    let uses = |name: &&&Name| {
        component
            .uses
            .iter()
            .any(|one| one.name.as_str() == name.as_str())
    };
    let used = there.iter().filter(uses).count();
    if there.len() == 1 || used == 1 {
        return None;
    }
    let message = format!("there are {} of kind {wanted}", there.len());
    Some((message, format!("say which one, as in `of = \"{first}\"`")))
}
