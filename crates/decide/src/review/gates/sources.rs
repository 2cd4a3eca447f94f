//! Rules about where metrics are read.

use super::super::Scene;
use super::super::listed::listed;
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::metric::{Measured, Metric};
use towpath_model::desired::resource::ResourceKind;
use towpath_model::finding::Finding;
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// Every metric has one place where it is read.
pub(super) fn metrics(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, metric) in &scene.product.metric {
        let at = Path::of(["metric", name.as_str()]);
        found.extend(outside(scene.product, name, metric, &at));
        found.extend(inside(scene.product, name, metric, &at));
    }
}

fn told(at: Path, message: String, label: &str, hint: String) -> Option<Finding> {
    Some(
        Finding::value(&code::METRIC_SOURCE, at, message)
            .label(label)
            .hint(hint),
    )
}

/// A metric of an outside source.
fn outside(product: &Desired, name: &Name, metric: &Metric, at: &Path) -> Option<Finding> {
    if metric.prometheus.is_some() && metric.from.is_none() && product.telemetry.metrics.is_none() {
        return told(
            at.key("prometheus"),
            format!("metric `{name}` asks a Prometheus, and does not say where it is"),
            "asked where?",
            "write from = \"HOST\", and declare it: [host.HOST] with its `url`".to_owned(),
        );
    }
    if metric.http.is_some() && metric.value.is_none() {
        return told(
            at.key("http"),
            format!("metric `{name}` reads a document, and does not say where in it the number stands"),
            "which number in it?",
            "write the way to it: value = \"events.per_minute\"".to_owned(),
        );
    }
    let extensions = product.extension.len();
    if metric.store.is_some() && metric.of.is_none() && extensions > 1 {
        let names = listed(product.extension.keys().map(Name::as_str).take(5), "or");
        return told(
            at.key("store"),
            format!("metric `{name}` could be that of {names}"),
            "of which extension?",
            "write of = \"NAME\"".to_owned(),
        );
    }
    None
}

/// The kind of resource that a metric is about.
fn about(metric: &Metric) -> Option<(&'static str, ResourceKind, String)> {
    let measured = metric.measured.and_then(|measured| {
        let kind = match measured {
            Measured::Locks | Measured::DatabaseConnections => ResourceKind::Postgres,
            Measured::Evictions => ResourceKind::Redis,
            _ => return None,
        };
        Some(("measured", kind, measured.to_string()))
    });
    if measured.is_some() {
        measured
    } else if metric.sql.is_some() {
        Some(("sql", ResourceKind::Postgres, "a query".to_owned()))
    } else if metric.redis.is_some() {
        Some(("redis", ResourceKind::Redis, "a length".to_owned()))
    } else {
        None
    }
}

/// A metric of a resource.
fn inside(product: &Desired, name: &Name, metric: &Metric, at: &Path) -> Option<Finding> {
    let (field, kind, what) = about(metric)?;
    let all = product.resources_of(kind);
    let first = all.keys().next().map_or("db", Name::as_str);
    match &metric.of {
        Some(of) if all.contains_key(of.as_str()) => None,
        Some(of) => {
            let other = product
                .resource(of.as_str())
                .map(|(kind, _, _)| kind.to_string())
                .or_else(|| {
                    product
                        .component(of.as_str())
                        .map(|(kind, _, _)| kind.to_string())
                })?;
            // A query belongs to a database; a component may stand for the one that it uses.
            if field != "measured" && product.component(of.as_str()).is_some() {
                return None;
            }
            let meant = if all.is_empty() {
                format!("declare a [{kind}.NAME]")
            } else {
                format!("write of = \"{first}\"")
            };
            told(
                at.key("of"),
                if field == "measured" {
                    format!("metric `{name}` measures {what} of {other} `{of}`, and only a {kind} has them")
                } else {
                    format!("metric `{name}` asks {other} `{of}` for {what}, which only a {kind} answers")
                },
                &format!("a {kind} is expected"),
                meant,
            )
        }
        None if all.len() > 1 => told(
            at.key(field),
            format!(
                "metric `{name}` could be that of {}",
                listed(all.keys().map(Name::as_str).take(5), "or")
            ),
            &format!("of which {kind}?"),
            format!("name the one that is meant, for example of = \"{}\"", first),
        ),
        None => None,
    }
}
