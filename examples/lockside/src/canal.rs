//! The service: what is on the canal, who comes, and which boat goes through which lock next.

use crate::flight::{LOCKS, Way};
use crate::form::{self, Form};
use crate::http::{Answer, Request};
use crate::record::Record;
use crate::snapshot;
use crate::{Outcome, clock, http, setting};
use std::sync::OnceLock;
use std::time::Duration;

/// How often a stream looks whether something has changed.
const LOOK: Duration = Duration::from_millis(250);

/// After so many looks without a change a stream says that it is still there.
const QUIET_LOOKS: u32 = 40;

/// What every request needs to know.
struct Canal {
    record: Record,
    key: String,
    port: u16,
}

static CANAL: OnceLock<Canal> = OnceLock::new();

/// Serves until the process ends.
pub(crate) fn serve() -> Outcome {
    let port = setting::port()?;
    let canal = Canal {
        record: Record::open()?,
        key: setting::needed("CANAL_KEY")?,
        port,
    };
    CANAL.get_or_init(|| canal);
    http::serve(port, answer)
}

fn answer(request: &Request) -> Answer {
    let Some(canal) = CANAL.get() else {
        return Answer::text(503, "not open yet");
    };
    let asks = matches!(request.method.as_str(), "GET" | "HEAD");
    match (request.path.as_str(), asks) {
        ("/healthz", true) => canal.health(),
        ("/api/canal", true) => canal.snapshot(),
        ("/api/stream", true) => canal.stream(),
        ("/api/tally", true) => canal.tally(),
        ("/api/hail", false) => canal.enter("", &Form::read(&request.body)),
        (path, false) if path.starts_with("/api/") => canal.change(request),
        _ => Answer::text(404, "there is nothing here"),
    }
}

impl Canal {
    fn health(&self) -> Answer {
        match self.record.look() {
            Ok(_) => Answer::text(200, "well"),
            Err(why) => Answer::text(503, format!("the record cannot be read: {why}")),
        }
    }

    fn snapshot(&self) -> Answer {
        match self.told() {
            Ok(text) => Answer::json(text),
            Err(why) => Answer::text(503, format!("the record cannot be read: {why}")),
        }
    }

    fn told(&self) -> std::io::Result<String> {
        let flight = self.record.look()?;
        Ok(snapshot::json(&flight, clock::now(), self.record.pace, self.port))
    }

    /// Tells the canal at once, and again whenever something on it has changed.
    fn stream(&'static self) -> Answer {
        let mut before = None;
        Answer::Events(Box::new(move || {
            for look in 0.. {
                let flight = self.record.look().ok()?;
                if before.as_ref() != Some(&flight) {
                    let text = snapshot::json(&flight, clock::now(), self.record.pace, self.port);
                    before = Some(flight);
                    return Some(format!("retry: 1000\nevent: canal\ndata: {text}\n\n"));
                }
                if look == QUIET_LOOKS {
                    break;
                }
                std::thread::sleep(LOOK);
            }
            Some(": nothing new\n\n".to_owned())
        }))
    }

    fn tally(&self) -> Answer {
        match self.record.look() {
            Ok(flight) => Answer::fields(form::write(&[
                ("passages", flight.passages.to_string()),
                ("boats", flight.boats.len().to_string()),
                ("waiting", flight.waiting().to_string()),
            ])),
            Err(why) => Answer::text(503, format!("the record cannot be read: {why}")),
        }
    }

    /// What only the product's own components may do.
    fn change(&self, request: &Request) -> Answer {
        let shown = request.header("authorization").unwrap_or_default();
        if !alike(shown, &format!("Bearer {}", self.key)) {
            return Answer::text(401, "show the key of the canal");
        }
        let form = Form::read(&request.body);
        match request.path.as_str() {
            "/api/boats" => self.enter(form.text("name").unwrap_or_default(), &form),
            "/api/work" => self.claim(),
            "/api/passages" => self.pass(&form),
            _ => Answer::text(404, "there is nothing here"),
        }
    }

    fn enter(&self, name: &str, form: &Form) -> Answer {
        let length = form.number("length").unwrap_or(15);
        let entered = self.record.change(|flight, now| {
            let way = form.text("way").and_then(Way::read).unwrap_or(if now % 2 == 0 {
                Way::Up
            } else {
                Way::Down
            });
            let name = if name.is_empty() { christened(now) } else { name };
            flight.enter(name, way, length, now).cloned()
        });
        match entered {
            Ok(Some(boat)) => {
                println!(
                    "boat {} {} comes, going {}",
                    boat.number,
                    boat.name,
                    boat.way.word()
                );
                Answer::Whole(201, "text/plain; charset=utf-8", format!("{}\n", boat.name))
            }
            Ok(None) => Answer::text(409, "the canal is full"),
            Err(why) => Answer::text(503, format!("the record cannot be written: {why}")),
        }
    }

    fn claim(&self) -> Answer {
        match self.record.change(|flight, now| flight.claim(now).cloned()) {
            Ok(None) => Answer::text(204, ""),
            Ok(Some(boat)) => Answer::fields(form::write(&[
                ("boat", boat.number.to_string()),
                ("lock", boat.lock().unwrap_or(LOCKS).to_string()),
                ("name", boat.name),
            ])),
            Err(why) => Answer::text(503, format!("the record cannot be written: {why}")),
        }
    }

    fn pass(&self, form: &Form) -> Answer {
        let (Some(boat), Some(lock)) = (form.number("boat"), form.number("lock")) else {
            return Answer::text(400, "which boat has passed which lock?");
        };
        match self.record.change(|flight, now| flight.pass(boat, lock, now)) {
            Ok(true) => {
                println!("boat {boat} has passed lock {lock}");
                Answer::text(200, "noted")
            }
            Ok(false) => Answer::text(409, "that boat does not lie in that lock"),
            Err(why) => Answer::text(503, format!("the record cannot be written: {why}")),
        }
    }
}

/// Compares all of two texts, so that the time tells nothing about where they differ.
fn alike(one: &str, other: &str) -> bool {
    let differs = one
        .bytes()
        .zip(other.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && differs == 0
}

/// A name for a boat that has told none.
fn christened(now: u64) -> &'static str {
    const NAMES: &[&str] = &[
        "Bluebell",
        "Dabchick",
        "Foxglove",
        "Gallant",
        "Lapwing",
        "Meadowsweet",
        "Osprey",
        "Pennywort",
        "Ragged Robin",
        "Teasel",
        "Wagtail",
        "Yarrow",
    ];
    NAMES[(now / 7 % NAMES.len() as u64) as usize]
}
