//! The job of development: puts a few boats on the water, so that a new canal is not empty.

use crate::Outcome;
use crate::call::Service;
use crate::form::{self, Form};

const BOATS: &[(&str, &str, u64)] = &[
    ("Alder", "up", 17),
    ("Marigold", "down", 18),
    ("Coot", "up", 9),
    ("President", "down", 21),
];

/// Puts them in, once, and ends.
pub(crate) fn launch() -> Outcome {
    let service = Service::canal()?;
    let failed = |why: std::io::Error| format!("the canal does not answer: {why}");
    let tally = service.get("/api/tally").map_err(failed)?;
    if Form::read(&tally.body).number("boats") != Some(0) {
        println!("there are boats on the water");
        return Ok(());
    }
    for (name, way, length) in BOATS {
        let fields = form::write(&[
            ("name", (*name).to_owned()),
            ("way", (*way).to_owned()),
            ("length", length.to_string()),
        ]);
        let answer = service.post("/api/boats", &fields).map_err(failed)?;
        if answer.status != 201 {
            return Err(format!("{name}: {} {}", answer.status, answer.body.trim()));
        }
        println!("{name} is on the water");
    }
    Ok(())
}
