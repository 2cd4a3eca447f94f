//! Signals: a person who wants to stop, and a system that does.

use crate::failure::{Failure, Kind};
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Every way in which we are asked to end.
#[derive(Debug)]
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Interrupts {
    /// From now on these signals are heard, and end nothing by themselves.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| refused(&error));
        Ok(Interrupts {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits until somebody wants us to end.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

fn refused(error: &io::Error) -> Failure {
    Failure::new(Kind::Remote, format!("signals cannot be listened to: {error}"))
}
