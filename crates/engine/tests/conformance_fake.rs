//! The fake engine keeps the promises that the real ones keep.
#![allow(clippy::unwrap_used, reason = "what is not there is a failed test")]

use towpath_engine::conformance;
use towpath_engine::conformance::{Bed, Does};
use towpath_engine::fake::Fake;
use towpath_model::unit::Duration;

struct InMemory {
    engine: Fake,
}

impl Bed for InMemory {
    type Engine = Fake;

    fn engine(&self) -> &Fake {
        &self.engine
    }

    fn anew(&self) -> Fake {
        self.engine.anew()
    }

    fn command(&self, does: Does<'_>) -> String {
        match does {
            Does::Stays => "stays".to_owned(),
            Does::Says(out, err) => format!("says {out}; errs {err}"),
            Does::Ends(code) => format!("ends {code} after 1ms"),
            Does::Deaf => "says deaf; deaf".to_owned(),
            Does::Missing => "missing it was never built".to_owned(),
        }
    }

    async fn pass(&self, time: Duration) {
        self.engine.advance(time);
        tokio::task::yield_now().await;
    }

    async fn clear(&self) {}
}

fn bed() -> InMemory {
    InMemory {
        engine: Fake::new("2026-01-02T03:04:05Z".parse().unwrap()),
    }
}

conformance!(bed());
