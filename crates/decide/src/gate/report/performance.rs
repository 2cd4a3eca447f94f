//! A number in a report, held against its bound.

use super::Report;
use super::dig::dig;
use super::number::{keeps, measure};
use super::outcome::{Fault, failed, file, passed, shown};
use super::text::json;
use towpath_model::desired::gate::Performance;
use towpath_model::run::Found;

/// What a report says about a number.
pub fn performance(asked: &Performance, report: Report<'_>) -> Found {
    let bound = asked.keep.to_string();
    judge(asked, &report, &bound).unwrap_or_else(|fault| fault.found(&report, &bound))
}

fn judge(asked: &Performance, report: &Report<'_>, bound: &str) -> Result<Found, Fault> {
    let value = json(report.bytes)?;
    let found = dig(&value, &asked.value)?;
    let at = |fault: Fault| fault.at(format!("`{}`", asked.value));
    let measured = measure(found, &asked.keep.value).map_err(at)?;
    let is_kept = keeps(&asked.keep, &measured).map_err(at)?;
    let words = format!("{} {}", asked.value, measured.words());
    let evidence = vec![file(report, shown(&format!("{}: {found}", asked.value)))];
    Ok(if is_kept {
        passed(words, bound, evidence)
    } else {
        let why = shown(&format!(
            "{} is {}, and not {bound}",
            asked.value,
            measured.words()
        ));
        failed(why, Some(words), bound, evidence)
    })
}
