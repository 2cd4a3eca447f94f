//! The rows of the table, a file for those that are measured alike.

mod cost;
mod held;
mod idle;
mod latency;
mod slow;
mod swap;

pub(crate) use cost::train;

use crate::place::Place;

/// Something that is measured.
pub(crate) struct Row {
    /// The word that asks for it alone.
    pub(crate) word: &'static str,
    pub(crate) title: &'static str,
    /// What has to be reached, and what is aimed at.
    pub(crate) bar: &'static str,
    pub(crate) aim: &'static str,
    pub(crate) measure: fn(&Place) -> Result<(), String>,
}

impl Row {
    pub(crate) const ALL: &[Row] = &[
        Row {
            word: "keep-alive",
            title: "HTTP/1.1 over connections that are kept, everything on",
            bar: "<= 1.15 of nginx, Caddy >= 3x",
            aim: "<= 1.05 of nginx, Caddy >= 4x",
            measure: cost::keep_alive,
        },
        Row {
            word: "tls",
            title: "The same over TLS",
            bar: "<= 0.95 of nginx",
            aim: "<= 0.85 of nginx",
            measure: cost::tls,
        },
        Row {
            word: "handshake",
            title: "A full TLS handshake",
            bar: "<= 0.80 of nginx",
            aim: "<= 0.65 of nginx",
            measure: cost::handshake,
        },
        Row {
            word: "connect",
            title: "A new TCP connection for each request",
            bar: "<= 1.10 of nginx",
            aim: "<= 1.00 of nginx",
            measure: cost::connect,
        },
        Row {
            word: "http2",
            title: "HTTP/2 over TLS, 100 streams",
            bar: "<= 1.00 of nginx",
            aim: "<= 0.85 of nginx",
            measure: cost::http_two,
        },
        Row {
            word: "latency",
            title: "What a proxy adds at 5,000 requests a second",
            bar: "+20 us p50, +100 us p99",
            aim: "+15 us p50, +80 us p99",
            measure: latency::measure,
        },
        Row {
            word: "idle",
            title: "Memory of a connection on which nothing happens",
            bar: "8 KiB plain, 24 KiB over TLS",
            aim: "2 KiB plain, 16 KiB over TLS",
            measure: idle::measure,
        },
        Row {
            word: "everything",
            title: "Everything on, beside nothing on",
            bar: "<= 1.08",
            aim: "<= 1.03",
            measure: cost::everything,
        },
        Row {
            word: "routes",
            title: "10,000 targets, beside 10",
            bar: "<= 1.05",
            aim: "<= 1.02",
            measure: cost::routes,
        },
        Row {
            word: "instances",
            title: "10,000 instances of a target, beside 10",
            bar: "<= 1.05",
            aim: "<= 1.02",
            measure: cost::instances,
        },
        Row {
            word: "static",
            title: "Static files",
            bar: "<= 1.30 of nginx",
            aim: "<= 1.00 of nginx",
            measure: cost::files,
        },
        Row {
            word: "swap",
            title: "1,000 changes of the table under full load",
            bar: "0 requests lost",
            aim: "0 lost, visible in 1 ms median, 5 ms p99",
            measure: swap::measure,
        },
        Row {
            word: "sleeping",
            title: "5,000 requests at once to a sleeping target",
            bar: "0 errors, the planned number of starts",
            aim: "p99 within 50 ms of one start",
            measure: held::measure,
        },
        Row {
            word: "slow",
            title: "Ten times what can be carried, and thousands of slow visitors",
            bar: "bounded memory, shed by 503",
            aim: "shed within 1 ms, admitted p99 <= 2x unloaded",
            measure: slow::measure,
        },
    ];
}
