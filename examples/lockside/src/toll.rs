//! The function: what a passage costs. It sleeps until somebody asks.

use crate::form::Form;
use crate::http::{Answer, Request};
use crate::{Outcome, flight, http, setting};

/// Answers until the process ends, which is soon after the last question.
pub(crate) fn serve() -> Outcome {
    http::serve(setting::port()?, answer)
}

fn answer(request: &Request) -> Answer {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET" | "HEAD", "/healthz") => Answer::text(200, "well"),
        ("GET" | "HEAD", "/toll") => toll(&Form::read(&request.query)),
        _ => Answer::text(404, "there is nothing here"),
    }
}

fn toll(form: &Form) -> Answer {
    let (Some(length), Some(locks)) = (form.number("length"), form.number("locks")) else {
        return Answer::text(
            400,
            "how long is the boat, and how many locks? /toll?length=18&locks=5",
        );
    };
    if !(6..=22).contains(&length) || !(1..=flight::LOCKS).contains(&locks) {
        let locks = flight::LOCKS;
        return Answer::text(
            400,
            format!("a boat has 6 to 22 metres, and there are 1 to {locks} locks"),
        );
    }
    let pence = pence(length, locks);
    println!("{length} m, {locks} locks: {pence} p");
    Answer::json(format!(
        "{{\"length\":{length},\"locks\":{locks},\"pence\":{pence},\"text\":\"£{}.{:02}\"}}",
        pence / 100,
        pence % 100
    ))
}

/// A boat pays by its length for the water that it takes from one level to the next.
fn pence(length: u64, locks: u64) -> u64 {
    150 + locks * (40 + 5 * length)
}

#[cfg(test)]
mod tests {
    use super::pence;

    #[test]
    fn a_long_boat_pays_more_than_a_short_one() {
        assert_eq!(pence(18, 5), 800);
        assert!(pence(21, 5) > pence(9, 5));
    }
}
