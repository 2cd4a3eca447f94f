//! `towpath logs --requests`: what was asked, and how it was answered.
//!
//! It is read from the log that the edge keeps, whether anything runs or not.

use super::logs::LAST;
use crate::cli::Logs as Args;
use crate::door::clock;
use crate::door::requests::RequestLines;
use crate::door::terminal::Terminal;
use crate::failure::{Failure, Kind};
use crate::here::Here;
use crate::talk::wait;
use crate::view::requests::Requests;
use jiff::Timestamp;
use std::time::Duration;

/// How often it is looked for more.
const EACH: Duration = Duration::from_millis(200);

pub(super) fn run(
    terminal: Terminal,
    here: &Here,
    since: Option<Timestamp>,
    args: &Args,
) -> Result<(), Failure> {
    let path = here.state.folder().join(towpath_steward::REQUESTS);
    let failed = |error: std::io::Error| {
        let message = format!("the log of requests cannot be read: {error}");
        Failure::new(Kind::Remote, message).hint(format!("it is at {}", path.display()))
    };
    let mut log = RequestLines::open(path.clone());
    let requests = Requests {
        components: here.components.clone(),
        since,
        zone: (!args.json).then(clock::zone),
    };
    let all = log.older_and_more().map_err(failed)?;
    let shown: Vec<String> = all.iter().filter_map(|line| requests.shown(line)).collect();
    let most = args
        .lines
        .or(since.is_none().then_some(LAST))
        .unwrap_or(usize::MAX);
    for line in &shown[shown.len().saturating_sub(most)..] {
        if !terminal.stream(line)? {
            return Ok(());
        }
    }
    if !args.follow {
        return Ok(());
    }
    wait(async {
        let mut turns = clock::turns(EACH);
        loop {
            turns.tick().await;
            for line in log.more().map_err(failed)? {
                if let Some(shown) = requests.shown(&line)
                    && !terminal.stream(&shown)?
                {
                    return Ok(());
                }
            }
        }
    })
}
