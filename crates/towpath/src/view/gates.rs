//! Gates, as people read them: what was asked, what came of it, and what it was held against.

use super::releases::time;
use super::{paint, tame};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use towpath_api::Answered;
use towpath_model::run::{Answer, Verdict};

/// What gates have answered, the newest first; what is waived, and who has said yes, before it.
pub(crate) fn answered(told: &Answered, environment: &str, (now, zone): (Timestamp, &TimeZone)) -> String {
    if told.answers.is_empty() && told.waivers.is_empty() && told.approved.is_empty() {
        return format!("no gate has been asked on the way into {environment}\n");
    }
    let mut text = String::new();
    for waiver in &told.waivers {
        let since = if waiver.until > now {
            "until"
        } else {
            "was waived, until"
        };
        text.push_str(&format!(
            "{} {} {since} {} by {}: {}\n",
            paint::yellow("waived"),
            tame::plain(&waiver.gate),
            time(waiver.until, zone),
            tame::plain(&waiver.by),
            tame::plain(&waiver.reason),
        ));
    }
    for yes in &told.approved {
        let (by, gate) = (tame::plain(&yes.by), tame::plain(&yes.gate));
        text.push_str(&format!(
            "{} {gate} by {by} at {}\n",
            paint::bold("approved"),
            time(yes.at, zone)
        ));
    }
    for answer in &told.answers {
        text.push_str(&one(answer, zone));
    }
    text
}

/// An answer: a line, and what it rests on below it where it is no pass.
pub(crate) fn one(answer: &Answer, zone: &TimeZone) -> String {
    let found = &answer.found;
    let (word, why) = match &found.verdict {
        Verdict::Pass => ("pass".to_owned(), None),
        Verdict::Fail(why) => (paint::red("fail"), Some(why)),
        Verdict::Inconclusive(why) => (paint::yellow("open"), Some(why)),
        Verdict::Waived(why) => (paint::yellow("waived"), Some(why)),
        Verdict::Awaits(why) => (paint::yellow("waits"), Some(why)),
    };
    let mut text = format!(
        "{} {word} {}",
        time(answer.at, zone),
        paint::bold(&tame::plain(&answer.gate))
    );
    let said = [found.measured.as_deref(), found.bound.as_deref()];
    let said: Vec<String> = said.into_iter().flatten().map(tame::plain).collect();
    if !said.is_empty() {
        text.push_str(&format!("  {}", said.join("; ")));
    }
    text.push_str(&paint::dim(&format!("  ({}, {})", answer.stage, answer.took)));
    text.push('\n');
    if let Some(why) = why {
        text.push_str(&format!("  {}\n", tame::plain(why)));
        for evidence in &found.evidence {
            let lines = evidence.text.lines().rev().take(LINES).collect::<Vec<_>>();
            text.push_str(&format!("  {}\n", paint::dim(&tame::plain(&evidence.name))));
            for line in lines.into_iter().rev() {
                text.push_str(&format!("    {}\n", tame::plain(line)));
            }
        }
    }
    text
}

/// So many of the last lines of what an answer rests on are told.
const LINES: usize = 10;
