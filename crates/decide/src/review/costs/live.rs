//! Rules about going live.

use super::super::setting::scenes;
use super::super::{Scene, Whole};
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::operations::Known;
use towpath_model::desired::rollout::Strategy;
use towpath_model::finding::{Finding, Shown};
use towpath_model::spec::Path;

/// Each point is shown by something or said by somebody.
pub(in super::super) fn unshown(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, point) in &scene.product.golive {
        if !point.gates.is_empty() || point.command.is_some() || point.holds.is_some() || point.who.is_some()
        {
            continue;
        }
        let message = format!(
            "nothing shows that `{}` holds, and nobody says so",
            Shown(&point.about)
        );
        found.push(
            Finding::key(
                &code::GOLIVE_UNSHOWN,
                Path::of(["golive", name.as_str()]),
                message,
            )
            .label("how is it known?")
            .hint("name `gates` or a `command` that shows it, or `who` says so"),
        );
    }
}

/// What Towpath itself is to show can become true somewhere.
pub(in super::super) fn impossible(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let everywhere: Vec<&Desired> = std::iter::once(whole.root)
        .chain(whole.environments.iter().map(|(_, product)| *product))
        .collect();
    for (name, point) in &whole.root.golive {
        let Some(holds) = point.holds else { continue };
        let Some((why, hint)) = missing(holds, whole, &everywhere) else {
            continue;
        };
        let message = format!("`{holds}` can never be shown before going live: {why}");
        found.push(
            Finding::value(
                &code::GOLIVE_IMPOSSIBLE,
                Path::of(["golive", name.as_str(), "holds"]),
                message,
            )
            .label("never holds")
            .hint(hint),
        );
    }
}

/// What would have to be written for it to hold, if it is written nowhere.
fn missing(holds: Known, whole: &Whole<'_>, everywhere: &[&Desired]) -> Option<(&'static str, &'static str)> {
    let any = |is: fn(&Desired) -> bool| everywhere.iter().any(|product| is(product));
    match holds {
        Known::OncallSet => {
            let somebody = |product: &Desired| product.oncall.values().any(|one| !one.people.is_empty());
            (!any(somebody)).then_some((
                "no rotation has people",
                "declare one: [oncall.team] with people = [\"ana\", \"ben\"]",
            ))
        }
        Known::BackupsTested => {
            let drilled = |product: &Desired| {
                product.resources().any(|(_, _, resource)| {
                    resource
                        .backup
                        .as_ref()
                        .is_some_and(|backup| backup.drill.is_some())
                })
            };
            (!any(drilled)).then_some((
                "no restore is ever tried",
                "write backup = { full = \"daily\", drill = \"monthly\" } in the database",
            ))
        }
        Known::PointInTime => {
            let shipped = |product: &Desired| {
                product.postgres.values().any(|postgres| {
                    postgres
                        .backup
                        .as_ref()
                        .is_some_and(|backup| backup.wal.is_some() || backup.provider)
                })
            };
            (!any(shipped)).then_some((
                "no Postgres ships its log of changes",
                "write wal = \"5m\" in the backup of the database",
            ))
        }
        Known::CanaryWarm => {
            let canary = |scene: &Scene<'_>| {
                let mut rollouts = scene.rollouts().into_iter();
                rollouts.any(|(_, rollout)| rollout.strategy == Strategy::Canary)
            };
            let somewhere = scenes(whole).iter().any(canary);
            (!somewhere).then_some((
                "no rollout has a canary",
                "write rollout = { strategy = \"canary\", steps = [\"10% for 30m\", \"100%\"] } in the environment",
            ))
        }
        Known::FlagsSafe | Known::SecretsSet | Known::CertificatesValid | Known::RunbooksReachable => None,
    }
}
