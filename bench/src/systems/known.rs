//! The five example products: what of them runs on a laptop, and how it is known to be well.

/// An example product.
pub(crate) struct System {
    /// Its folder and its package.
    pub(crate) name: &'static str,
    pub(crate) parts: &'static [Known],
    /// What is loaded into its fresh database.
    pub(crate) seed: Option<&'static str>,
}

/// A component of it.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
    pub(crate) well: Well,
}

/// What it is.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// A program of the package, which waits for the stores.
    Program(&'static str),
    /// A program that stands in for something outside, and needs nothing.
    StandIn(&'static str),
    /// A folder of files.
    Files(&'static str),
}

/// How it is known to be well.
#[derive(Clone, Copy)]
pub(crate) enum Well {
    /// This path answers 200.
    Path(&'static str),
    /// Anything is answered.
    Answers,
    /// This program of the package ends well.
    Asked(&'static str),
    /// It runs; nothing more is promised.
    Runs,
}

use Run::{Files, Program, StandIn};
use Well::{Answers, Asked, Path, Runs};

const fn part(name: &'static str, run: Run, well: Well) -> Known {
    Known { name, run, well }
}

pub(crate) const SYSTEMS: &[System] = &[
    System {
        name: "synapse",
        parts: &[
            part("discord", StandIn("synapse-gateway"), Answers),
            part("api", Program("synapse-api"), Path("/health")),
            part("bot", Program("synapse-bot"), Asked("synapse-bot health")),
            part("dashboard", Program("synapse-dashboard"), Path("/")),
        ],
        seed: Some("seed.sql"),
    },
    System {
        name: "reflect-coach",
        parts: &[
            part("ai", Program("reflect-ai"), Path("/healthz")),
            part("core", Program("reflect-core"), Path("/healthz")),
            part("edge", Program("reflect-edge"), Path("/healthz")),
            part("workers", Program("reflect-workers"), Path("/healthz")),
        ],
        seed: Some("seeds/dev.sql"),
    },
    System {
        name: "reflectpause",
        parts: &[
            part("discord", StandIn("mock-discord"), Answers),
            part("perspective", StandIn("mock-perspective"), Answers),
            part("guard", Program("guard"), Asked("guard-health")),
        ],
        seed: None,
    },
    System {
        name: "phishsentry",
        parts: &[
            part("intel-feeds", StandIn("mock-feeds"), Answers),
            part("model-engine", Program("model-engine"), Path("/ready")),
            part("scoring-api", Program("scoring-api"), Path("/healthz")),
            part("model-jobs", Program("model-jobs"), Runs),
            part(
                "telemetry-ingress",
                Program("telemetry-ingress"),
                Path("/healthz"),
            ),
            part("ops-dashboard", Files("site"), Path("/")),
        ],
        seed: Some("seeds/preview.sql"),
    },
    System {
        name: "webapp",
        parts: &[
            part("sign-in", StandIn("webapp-sign-in"), Answers),
            part("api", Program("webapp-api"), Path("/api/health")),
            part("web", Files("site"), Path("/")),
        ],
        seed: Some("seed.sql"),
    },
];
