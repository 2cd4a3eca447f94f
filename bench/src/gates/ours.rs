//! Our gate, with the settings that it has when nothing is written.

use crate::rollout::{HOLD, Judge, Wish};
use crate::traffic::Stream;
use std::sync::LazyLock;
use towpath_decide::gate::canary::{Asked, Kept, judge, urgent};
use towpath_model::desired::gate::CanaryGate;
use towpath_model::run::Verdict;
use towpath_model::spec::{Kind, Node};
use towpath_model::word::Word;

/// The gate as `canary = {}` writes it.
pub(crate) static GATE: LazyLock<CanaryGate> = LazyLock::new(|| {
    CanaryGate::read(&Node::new(Kind::Table(Default::default())), "").expect("every field has a default")
});

pub(crate) const MIN_SAMPLE: u32 = 300;

/// Between two looks of a rollout, in seconds.
const JUDGE_EVERY: f64 = 60.0;

#[derive(Default)]
pub(crate) struct Ours {
    kept: Kept,
}

impl Judge for Ours {
    fn look(&mut self, stream: &Stream<'_>) -> Wish {
        let asked = Asked {
            gate: &GATE,
            min_sample: MIN_SAMPLE,
        };
        if stream.seconds % JUDGE_EVERY != 0.0 {
            return match urgent(asked, stream.seen(), &mut self.kept) {
                Some(_) => Wish::Back,
                None => Wish::More,
            };
        }
        // What passes before the hold is over is asked again at its end.
        if stream.seconds < HOLD {
            return match urgent(asked, stream.seen(), &mut self.kept) {
                Some(_) => Wish::Back,
                None => Wish::More,
            };
        }
        let found = judge(asked, stream.seen(), &self.kept);
        self.kept = found.next;
        match found.verdict {
            Verdict::Fail(_) => Wish::Back,
            Verdict::Pass => Wish::On,
            _ => Wish::More,
        }
    }
}
