//! The job: each minute a line in the logbook.

use crate::call::Service;
use crate::form::Form;
use crate::{Outcome, clock, setting};
use std::fs::{self, OpenOptions};
use std::io::Write;

/// Writes one line, and ends.
pub(crate) fn write() -> Outcome {
    let answer = Service::canal()?
        .get("/api/tally")
        .map_err(|why| format!("the canal does not answer: {why}"))?;
    let tally = Form::read(&answer.body);
    let (Some(passages), Some(boats), Some(waiting)) = (
        tally.number("passages"),
        tally.number("boats"),
        tally.number("waiting"),
    ) else {
        return Err(format!("the canal: {} {}", answer.status, answer.body.trim()));
    };
    let when = clock::written(clock::now());
    let line = format!("{when}: {passages} passages, {boats} boats on the canal, {waiting} waiting");
    let folder = setting::state_folder()?;
    let file = folder.join("logbook");
    fs::create_dir_all(&folder)
        .and_then(|()| OpenOptions::new().create(true).append(true).open(&file))
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
        .map_err(|why| format!("{}: {why}", file.display()))?;
    println!("{line}");
    Ok(())
}
