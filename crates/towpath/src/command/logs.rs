//! `towpath logs`: what components have written.

use super::Context;
use crate::cli::Logs as Args;
use crate::door::clock;
use crate::door::terminal::Terminal;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::talk::{self, failed, wait};
use crate::view::lines::Lines;
use crate::view::tame;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use towpath_api::{Answer, ClientError, LogArgs, LogLine};
use towpath_model::unit::{Duration, Unit};

/// The lines that are shown where nobody says how many: more than a screen, and not a night's worth.
pub(super) const LAST: usize = 200;

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Running)?;
    let kept = args.requests || here.components.iter().any(|name| here.names.is_build(name));
    if let Some(host) = here.elsewhere().filter(|_| kept) {
        let message = "the logs of builds and of requests are files, and are read where they were written";
        return Err(Failure::new(Kind::User, message).hint(format!("run `towpath logs` on {host}")));
    }
    if let Some(build) = here.components.iter().find(|name| here.names.is_build(name)) {
        return print_build(context.terminal, &here, build, &args);
    }
    let since = match &args.since {
        Some(text) => Some(moment(text, clock::now(), clock::zone())?),
        None => None,
    };
    if args.requests {
        return super::requests::run(context.terminal, &here, since, &args);
    }
    let question = LogArgs {
        components: here.components.clone(),
        since,
        last: args.lines.or(since.is_none().then_some(LAST)),
        follow: args.follow,
    };
    let mut lines = Lines::new(
        here.components.iter().map(String::as_str),
        args.time.then(clock::zone),
    );
    wait(async {
        let told = |error: &ClientError| failed(error, &here);
        let asked = here.client().follow(http::Method::POST, "/logs", &question).await;
        let mut answer = match asked {
            // What was said outlives whoever could be asked for it.
            Err(ClientError::Nobody) if here.elsewhere().is_none() && here.state.is_there() => {
                return print_left(context.terminal, &here, question, &mut lines).await;
            }
            asked => asked.map_err(|error| told(&error))?,
        };
        match print(context.terminal, &mut answer, &mut lines).await? {
            Ended::Cut if args.follow => Err(told(&ClientError::Cut)),
            _ => Ok(()),
        }
    })
}

/// How printing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// There is nothing more.
    Done,
    /// Nobody reads it any more.
    Unread,
    /// The steward went away.
    Cut,
}

/// Prints lines as they come.
pub(crate) async fn print(
    terminal: Terminal,
    answer: &mut Answer,
    lines: &mut Lines,
) -> Result<Ended, Failure> {
    loop {
        match answer.next::<LogLine>().await {
            Ok(Some(line)) => {
                if !terminal.stream(&lines.line(&line))? {
                    return Ok(Ended::Unread);
                }
            }
            Ok(None) => return Ok(Ended::Done),
            Err(ClientError::Cut) => return Ok(Ended::Cut),
            Err(error) => return Err(Failure::new(Kind::Remote, error.to_string())),
        }
    }
}

/// Prints what a build has written in its last run.
fn print_build(terminal: Terminal, here: &Here, build: &str, args: &Args) -> Result<(), Failure> {
    if here.components.len() > 1 || args.follow || args.since.is_some() {
        let message = format!("`{build}` is a build: its last output is shown by itself, and as a whole");
        return Err(Failure::new(Kind::User, message).hint(format!("`towpath logs {build}`")));
    }
    let Some(text) = here.state.build_log(build) else {
        let message = format!("the build `{build}` has not run here yet");
        return Err(Failure::new(Kind::Remote, message)
            .hint(format!("`{}` runs it where it is needed", here.again("up"))));
    };
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(args.lines.unwrap_or(usize::MAX));
    for line in &lines[first..] {
        if !terminal.stream(&format!("{}\n", tame::tamed(line)))? {
            break;
        }
    }
    Ok(())
}

/// Prints what is left of those that nobody looks after any more, and what comes where some of them run on.
async fn print_left(
    terminal: Terminal,
    here: &Here,
    mut question: LogArgs,
    lines: &mut Lines,
) -> Result<(), Failure> {
    let lives = talk::lives_on(here).await?;
    let asked = question.follow;
    question.follow &= lives;
    let config = super::steward_config(&here.folder, &here.environment)?;
    let left = towpath_steward::logs(&config, question).await;
    let mut left = left.map_err(|error| Failure::new(Kind::Remote, towpath_steward::told(&error)))?;
    while let Some(line) = left.recv().await {
        if !terminal.stream(&lines.line(&line))? {
            return Ok(());
        }
    }
    if asked && !lives {
        let up = here.again("up");
        terminal.tell(&format!(
            "nothing of {} runs, and nothing more comes; `{up}` starts it\n",
            here.title()
        ));
    }
    Ok(())
}

/// A time as people say it: how long ago, a time of day, or a whole one. Without a date it is the last such time.
fn moment(text: &str, now: Timestamp, zone: TimeZone) -> Result<Timestamp, Failure> {
    let text = text.trim();
    if let Ok(ago) = Duration::parse(text) {
        let ago = SignedDuration::from_millis(i64::try_from(ago.millis()).unwrap_or(i64::MAX));
        return Ok(now.checked_sub(ago).unwrap_or(Timestamp::MIN));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let here = now.to_zoned(zone.clone());
    let in_zone = |time: DateTime| time.to_zoned(zone.clone()).ok().map(|time| time.timestamp());
    let clock = text.parse::<Time>().or_else(|_| Time::strptime("%H:%M", text));
    let found = match (text.parse::<DateTime>(), clock) {
        (Ok(whole), _) => in_zone(whole),
        (_, Ok(time)) => {
            let today = in_zone(here.date().to_datetime(time));
            match today {
                Some(today) if today > now => here
                    .date()
                    .yesterday()
                    .ok()
                    .and_then(|date| in_zone(date.to_datetime(time))),
                today => today,
            }
        }
        _ => None,
    };
    found.ok_or_else(|| {
        Failure::new(Kind::User, format!("`{text}` is no time"))
            .hint("say how long ago (5m, 2h), a time of day (09:30), or a whole time (2026-11-21T09:30)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_many_ways() {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().expect("it is a time");
        let zone = || TimeZone::get("Asia/Singapore").expect("it is bundled");
        let told = |text: &str| match moment(text, now, zone()) {
            Ok(moment) => moment.to_string(),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(told("5m"), "2026-11-21T09:55:00Z");
        assert_eq!(told("1h30m"), "2026-11-21T08:30:00Z");
        assert_eq!(told("2026-11-21T09:30:00Z"), "2026-11-21T09:30:00Z");
        assert_eq!(told("2026-11-21T09:30"), "2026-11-21T01:30:00Z");
        // Six in the evening has just been; half past ten in the evening was yesterday.
        assert_eq!(told("17:30"), "2026-11-21T09:30:00Z");
        assert_eq!(told("22:30"), "2026-11-20T14:30:00Z");
        assert_eq!(told("yesterday"), "`yesterday` is no time");
    }
}
