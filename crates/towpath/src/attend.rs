//! Attending while the steward does something: what it says is shown as it comes, until it has ended or somebody wants to
//! go.

use crate::door::clock::{Began, turns};
use crate::door::live::Live;
use crate::door::signals::Interrupts;
use crate::door::terminal::Terminal;
use crate::view::progress::{End, Heard, Progress};
use std::time::Duration;
use towpath_api::{Answer, ClientError, Event};

/// Each turn of the live view. Whatever is done before the first one is never shown live: it would only flicker.
const TURN: Duration = Duration::from_millis(100);

/// How attending ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The steward has done what it was asked for.
    Done(End),
    /// Somebody wants to go.
    Interrupted,
    /// The steward went away.
    Cut,
}

/// Shows what comes until it ends.
pub(crate) async fn attend(
    terminal: Terminal,
    answer: &mut Answer,
    progress: &mut Progress,
    interrupts: &mut Interrupts,
) -> Result<Ended, ClientError> {
    let began = Began::now();
    let mut live = Live::new(terminal);
    let mut turns = turns(TURN);
    loop {
        tokio::select! {
            event = answer.next::<Event>() => {
                let event = match event {
                    Ok(Some(event)) => event,
                    Ok(None) => break,
                    Err(ClientError::Cut) => return Ok(Ended::Cut),
                    Err(error) => return Err(error),
                };
                match progress.hear(&event, began.took()) {
                    Heard::Always(line) => live.above(&line),
                    Heard::Plain(line) if !terminal.live => terminal.tell(&line),
                    _ => {}
                }
                if let Some(end) = progress.end.take() {
                    return Ok(Ended::Done(end));
                }
            }
            _ = turns.tick(), if terminal.live => {
                let (columns, lines) = terminal.size();
                live.draw(&progress.live(began.took(), (columns.saturating_sub(1), lines.saturating_sub(2))));
            }
            () = interrupts.next() => return Ok(Ended::Interrupted),
        }
    }
    // It ended without saying so: it was of those that end with what they tell.
    Ok(Ended::Cut)
}
