//! Where the edge sends spans of requests.
//!
//! `telemetry.traces` names a host, and `OTEL_EXPORTER_OTLP_*` in a `.env` file say more exactly where that is here, in the words
//! of OpenTelemetry: whoever has a collector beside them while they develop writes down its address there, and nothing in the
//! manifest changes. The components find the same names in their own variables, where they ask for them.

use super::draft::Draft;
use towpath_model::run::{SPANS_HEADERS, SPANS_OF, SPANS_SHARE, SPANS_TO};
use towpath_model::sealed::Sealed;

/// What OpenTelemetry adds to the address of a collector.
const TRACES: &str = "v1/traces";

/// Lets the edge know where spans go, if they go anywhere.
pub(super) fn spans(draft: &mut Draft<'_>) {
    let telemetry = &draft.product.telemetry;
    let Some(name) = &telemetry.traces else { return };
    let host = draft.product.host.get(name.as_str());
    let is_here = host.is_none_or(|host| {
        host.only.is_empty()
            || host
                .only
                .iter()
                .any(|one| one.as_str() == draft.environment.as_str())
    });
    if !is_here {
        return;
    }
    let said = |name: &str| draft.written(name).map(|value| value.open().clone());
    let below = |base: String| format!("{}/{TRACES}", base.trim_end_matches('/'));
    let to = said("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        .or_else(|| said("OTEL_EXPORTER_OTLP_ENDPOINT").map(below))
        .or_else(|| Some(below(host?.url.as_ref()?.to_string())));
    let Some(to) = to else { return };
    let secret = host.and_then(|host| said(host.secret.as_ref()?.as_str()));
    let headers = said("OTEL_EXPORTER_OTLP_TRACES_HEADERS")
        .or_else(|| said("OTEL_EXPORTER_OTLP_HEADERS"))
        .or_else(|| secret.map(|secret| format!("Authorization=Bearer {secret}")));
    let rows = [
        (SPANS_TO, Some(to)),
        (SPANS_HEADERS, headers),
        (SPANS_SHARE, said("OTEL_TRACES_SAMPLER_ARG")),
        (SPANS_OF, Some(draft.environment.to_string())),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            draft.values.insert(name.to_owned(), Sealed::new(value));
        }
    }
}
