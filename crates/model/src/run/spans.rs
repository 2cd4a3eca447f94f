//! Where the edge sends spans, as it is told among the values that it may know: by these names, which are no variable's.

/// The whole address that takes spans.
pub const SPANS_TO: &str = "telemetry.traces to";

/// Headers that open it, as OpenTelemetry writes them: `name=value,name=value`.
pub const SPANS_HEADERS: &str = "telemetry.traces headers";

/// The share of traces that are begun here and recorded, from 0 to 1.
pub const SPANS_SHARE: &str = "telemetry.traces share";

/// The environment that spans say they are from.
pub const SPANS_OF: &str = "telemetry.traces of";
