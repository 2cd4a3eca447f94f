//! Components and their data in one region.
//!
//! Each query from another region waits for the way there and back, and pays for it. Providers name the same place
//! differently (`iad`, `us-east-1`), so a host that says by which network it reaches others has been thought about
//! and is not accused; neither is one that runs in several regions, or that has a copy of the data beside it.

use super::super::{Scene, component_at};
use towpath_model::code;
use towpath_model::desired::component::Component;
use towpath_model::desired::resource::Resource;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Region;

/// Where a component runs, unless that is meant to be away from its data.
fn region_of<'a>(scene: &Scene<'a>, component: &'a Component) -> Option<&'a Region> {
    match scene.host(component.at.as_ref()) {
        Some((_, host)) if !host.regions.is_empty() || !host.network.is_empty() => None,
        Some((_, host)) => host.region.as_ref().or(scene.product.region.as_ref()),
        None => scene.product.region.as_ref(),
    }
}

/// Where a resource is, and the path that says so.
fn place_of<'a>(scene: &Scene<'a>, at: &Path, resource: &'a Resource) -> Option<(&'a Region, Path)> {
    if let Some(region) = &resource.region {
        return Some((region, at.key("region")));
    }
    // Of what exists already only the address is known, unless its place is written.
    if resource.bind.is_some() && resource.at.is_none() {
        return None;
    }
    let host = scene.host(resource.at.as_ref());
    let hosted =
        host.and_then(|(name, host)| Some((host.region.as_ref()?, Path::of(["host", name, "region"]))));
    hosted.or_else(|| Some((scene.product.region.as_ref()?, Path::of(["region"]))))
}

/// A component runs in the region of its data.
pub(crate) fn away(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        let Some(here) = region_of(scene, component) else {
            continue;
        };
        for (index, needed) in component.uses.iter().enumerate() {
            let Some((sort, data, resource)) = scene.product.resource(needed.name.as_str()) else {
                continue;
            };
            let at = Path::of([sort.word(), data.as_str()]);
            let Some((there, said)) = place_of(scene, &at, resource) else {
                continue;
            };
            let copied = resource
                .read_replicas
                .iter()
                .any(|copy| copy.region.as_ref() == Some(here));
            if there == here || copied {
                continue;
            }
            let message = format!("{kind} `{name}` runs in {here}, but its {sort} `{data}` is in {there}");
            found.push(
                Finding::value(&code::REGION_AWAY, component_at(kind, name).key("uses").nth(index), message)
                    .label(format!("in {there}, away from `{name}`"))
                    .also(Where::Value(said), "its data is here")
                    .hint(format!(
                        "put both in one region, or say on the host of `{name}` how it reaches {there}: network = [\"..\"]"
                    )),
            );
        }
    }
}
