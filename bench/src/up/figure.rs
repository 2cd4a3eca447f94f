//! The figures, a file each.

mod adopt;
mod cycles;
mod fleet;
mod idle;
mod journal;
mod kill;
mod many;
mod planned;
mod releases;
mod simulator;
mod size;
mod start;
mod steady;

use crate::Outcome;
use crate::place::Place;

/// Something that is measured.
pub(crate) struct Figure {
    /// The word that asks for it alone.
    pub(crate) word: &'static str,
    pub(crate) title: &'static str,
    pub(crate) measure: fn(&Place) -> Outcome,
}

impl Figure {
    pub(crate) const ALL: &[Figure] = &[
        Figure {
            word: "first",
            title: "From the command to the first 200, one service",
            measure: start::one,
        },
        Figure {
            word: "ten",
            title: "From the command to the last first 200, ten services",
            measure: start::ten,
        },
        Figure {
            word: "steady",
            title: "The command again, with nothing to do",
            measure: steady::measure,
        },
        Figure {
            word: "kill",
            title: "From kill -9 of a component to its next 200",
            measure: kill::measure,
        },
        Figure {
            word: "idle",
            title: "What is used while nothing happens",
            measure: idle::measure,
        },
        Figure {
            word: "many",
            title: "A thousand processes ready, and stopped",
            measure: many::measure,
        },
        Figure {
            word: "planned",
            title: "One change decided, among few and among many",
            measure: planned::measure,
        },
        Figure {
            word: "adopt",
            title: "From kill -9 of the steward to everything adopted",
            measure: adopt::measure,
        },
        Figure {
            word: "deploy",
            title: "A release in the place of another, one service and four",
            measure: releases::deploy,
        },
        Figure {
            word: "rollback",
            title: "Back to the release before, a hundred times, while visitors come",
            measure: releases::rollback,
        },
        Figure {
            word: "cycles",
            title: "Deployed and rolled back under full load, with programs that behave badly",
            measure: cycles::measure,
        },
        Figure {
            word: "fleet",
            title: "A rollout among others, in one process and by stewards",
            measure: fleet::measure,
        },
        Figure {
            word: "journal",
            title: "A journal of a million events",
            measure: journal::measure,
        },
        Figure {
            word: "simulator",
            title: "Virtual time beside real time",
            measure: simulator::measure,
        },
        Figure {
            word: "size",
            title: "The program itself",
            measure: size::measure,
        },
    ];
}
