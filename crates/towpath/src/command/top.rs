//! `towpath top`: everything, live.

use super::Context;
use crate::cli::Top as Args;
use crate::door::{clock, keys};
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::talk::{failed, reach, wait};
use crate::view::top::Top;
use std::time::Duration;
use towpath_api::{ClientError, Status};

/// How often numbers are read anew. Nobody reads faster, and it costs next to nothing.
const EACH: Duration = Duration::from_secs(1);

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Running)?;
    if !context.terminal.screen {
        return Err(
            Failure::new(Kind::User, "`towpath top` draws on a terminal, and there is none")
                .hint("`towpath status` prints the same once"),
        );
    }
    let color = context.terminal.color_results;
    let ended = wait(async {
        reach(&here).await?;
        let first = status(&here).await.map_err(|error| failed(&error, &here))?;
        watch(&here, first, color).await
    })?;
    if ended == Ended::Alone {
        context
            .terminal
            .tell("the steward has ended; `towpath status` tells what still runs\n");
    }
    Ok(())
}

/// Why nothing is drawn any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// A person has seen enough.
    Left,
    /// There is nobody to ask.
    Alone,
}

async fn status(here: &Here) -> Result<Status, ClientError> {
    here.client().ask(http::Method::GET, "/status", &()).await
}

async fn watch(here: &Here, mut now: Status, color: bool) -> Result<Ended, Failure> {
    let mut screen = keys::Screen::open()?;
    let mut pressed = screen.keys();
    let mut turns = clock::turns(EACH);
    let mut top = Top::default();
    loop {
        keep_only(&mut now, &here.components);
        screen.draw(|frame| top.draw(frame, &now, clock::now(), color))?;
        tokio::select! {
            key = pressed.recv() => match key {
                None | Some(keys::Pressed::Leave) => return Ok(Ended::Left),
                Some(keys::Pressed::Key(key)) => top.press(key),
                Some(keys::Pressed::Redraw) => {}
            },
            _ = turns.tick() => match status(here).await {
                Ok(status) => now = status,
                Err(ClientError::Nobody | ClientError::Cut) => return Ok(Ended::Alone),
                Err(error) => return Err(failed(&error, here)),
            },
        }
    }
}

fn keep_only(status: &mut Status, components: &[String]) {
    if !components.is_empty() {
        status.components.retain(|one| components.contains(&one.name));
    }
}
