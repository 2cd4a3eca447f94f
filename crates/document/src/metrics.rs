//! Where logs, metrics and traces go, and which numbers are watched.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::words;
use towpath_model::desired::metric::{Measured, Metric};
use towpath_model::desired::operations::Telemetry;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let mut table = Table::new(["Metric", "What it counts", "Measured of", "By", "Shown"]);
    for (name, metric) in product.all(|product| &product.metric) {
        table.row([
            words::code(name),
            words::maybe(&metric.about),
            metric.of.as_ref().map(words::code).unwrap_or_default(),
            source(product, metric),
            if metric.shown { "on the status page" } else { "" }.to_owned(),
        ]);
    }
    let telemetry = &product.main.telemetry;
    if table.is_empty() && *telemetry == Telemetry::usual() {
        return;
    }
    page.list(streams(product, telemetry));
    page.table(&table);
}

fn streams(product: &Product<'_>, telemetry: &Telemetry) -> Vec<String> {
    let mut points = Vec::new();
    let logs = telemetry
        .logs
        .as_ref()
        .map(|host| format!("**Logs** go to {}, too, and are", product.host(host.as_str())));
    let logs = logs.unwrap_or_else(|| "**Logs** are".to_owned());
    let hidden = match telemetry.hide.is_empty() {
        true => "secrets never stand in them".to_owned(),
        false => format!(
            "secrets never stand in them, nor does what the fields {} hold",
            words::codes(&telemetry.hide)
        ),
    };
    points.push(format!(
        "{logs} kept for {}; {hidden}.",
        words::time(telemetry.keep)
    ));
    for (what, host) in [
        ("**Metrics** are read from us by", &telemetry.metrics),
        ("**Traces** go by OpenTelemetry's protocol to", &telemetry.traces),
        ("**Errors** are told to", &telemetry.errors),
        ("**What people do** is counted by", &telemetry.analytics),
    ] {
        points.extend(
            host.as_ref()
                .map(|host| format!("{what} {}.", product.host(host.as_str()))),
        );
    }
    if telemetry.vitals {
        points.push("**Browsers** report web vitals.".to_owned());
    }
    if telemetry.audit {
        points.push("**Deployments** and changes of secrets are recorded, with who and why.".to_owned());
    }
    points
}

fn source(product: &Product<'_>, metric: &Metric) -> String {
    let at = |command: &Option<String>| command.as_ref().map(words::code);
    let from = metric
        .from
        .as_ref()
        .map(|host| format!(" from {}", product.host(host.as_str())))
        .unwrap_or_default();
    let value = metric
        .value
        .as_ref()
        .map(|value| format!(", at {}", words::code(value)))
        .unwrap_or_default();
    let source = [
        metric
            .measured
            .map(|number| format!("{}, measured by Towpath", measured(number))),
        at(&metric.series).map(|series| format!("the series {series}")),
        at(&metric.prometheus).map(|query| format!("Prometheus: {query}")),
        at(&metric.sql),
        at(&metric.redis).map(|key| format!("the length of {key}")),
        metric.command.as_ref().map(words::code),
        at(&metric.store).map(|number| format!("the store's {number}")),
        at(&metric.http),
    ];
    let unit = metric
        .unit
        .as_ref()
        .map(|unit| format!(", in {}", words::text(unit)))
        .unwrap_or_default();
    format!(
        "{}{value}{from}{unit}",
        source.into_iter().flatten().next().unwrap_or_default()
    )
}

/// What Towpath measures, in words.
pub(crate) fn measured(measured: Measured) -> &'static str {
    match measured {
        Measured::Availability => "requests answered well",
        Measured::Latency => "response time",
        Measured::Errors => "share of requests that failed",
        Measured::Requests => "requests",
        Measured::Connections => "open connections",
        Measured::Uptime => "time up",
        Measured::Cpu => "processor use",
        Measured::Memory => "memory use",
        Measured::Restarts => "restarts",
        Measured::QueueDepth => "waiting jobs",
        Measured::DeadLetters => "jobs that failed for good",
        Measured::Locks => "locks waited for",
        Measured::DatabaseConnections => "database connections",
        Measured::Evictions => "evicted keys",
        Measured::WebVitals => "web vitals",
        Measured::Incidents => "incidents opened",
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn observability_tells_streams_and_metrics() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            [host.loki]
            title = "Grafana Loki"
            kind = "saas"
            [telemetry]
            logs = "loki"
            hide = ["email"]
            keep = "14d"
            [metric.errors]
            measured = "errors"
            of = "web"
            shown = true
            [metric.jobs]
            about = "Jobs | waiting"
            redis = "a|b"
            unit = "jobs"
        "#), @r#"
        - **Logs** go to Grafana Loki, too, and are kept for 14 days; secrets never stand in them, nor does what the fields `email` hold.
        - **Deployments** and changes of secrets are recorded, with who and why.

        | Metric   | What it counts  | Measured of | By                                                 | Shown              |
        | -------- | --------------- | ----------- | -------------------------------------------------- | ------------------ |
        | `errors` |                 | `web`       | share of requests that failed, measured by Towpath | on the status page |
        | `jobs`   | Jobs \| waiting |             | the length of `a\|b`, in jobs                      |                    |
        "#);
    }

    #[test]
    fn nothing_is_said_where_nothing_is_set() {
        assert_eq!(
            section(super::write, "product = \"shop\"\n[service.web]\nrun = \"web\""),
            ""
        );
    }
}
