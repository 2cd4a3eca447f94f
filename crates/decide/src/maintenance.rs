//! What is closed for visitors, by hand: everything, or some components.
//!
//! **What holds.** What was said of a component itself, or else of everything. Whoever closes some leaves the others as they
//! are; whoever closes everything says one thing for all of it, and for what comes later, too.
//!
//! **When it ends.** When somebody ends it, or at the time that was said: nobody has to be there then. A component cannot be
//! opened alone while everything is closed: the one who closed everything would believe that it is.
//!
//! **What goes on.** Components ask each other, their health is asked for, jobs run: only visitors wait.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use towpath_model::run::Maintenance;
use towpath_model::unit::Name;

/// What is closed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Closed {
    /// Everything.
    pub all: Option<Maintenance>,
    /// Some components.
    pub some: BTreeMap<Name, Maintenance>,
}

/// Why it cannot be done, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub message: String,
    /// The next step.
    pub hint: String,
}

impl Closed {
    /// What holds for a component at this time.
    pub fn of(&self, name: &Name, now: Timestamp) -> Option<&Maintenance> {
        let own = self.some.get(name).filter(|one| one.holds(now));
        own.or(self.all.as_ref().filter(|all| all.holds(now)))
    }

    /// Closes some components; everything where none is named. What it was before is over.
    pub fn begin(&mut self, names: &[Name], how: &Maintenance) -> Result<(), Refusal> {
        if !how.holds(how.since) {
            return Err(Refusal {
                message: "it would end before it begins".to_owned(),
                hint: "say a time to come: `--until 30m`, or none".to_owned(),
            });
        }
        if names.is_empty() {
            self.some.clear();
            self.all = Some(how.clone());
        }
        self.some
            .extend(names.iter().map(|name| (name.clone(), how.clone())));
        Ok(())
    }

    /// Opens some components; everything where none is named. Answers whether anything was closed.
    pub fn end(&mut self, names: &[Name], now: Timestamp) -> Result<bool, Refusal> {
        self.forget(now);
        if names.is_empty() {
            let before = std::mem::take(self);
            return Ok(before != Closed::default());
        }
        if self.all.is_some() {
            return Err(Refusal {
                message: "everything is in maintenance, and one component cannot be opened alone".to_owned(),
                hint: "`towpath maintenance off` opens everything; close others by their names then"
                    .to_owned(),
            });
        }
        let before = self.some.len();
        self.some.retain(|name, _| !names.contains(name));
        Ok(self.some.len() < before)
    }

    /// Takes out what has ended by itself.
    pub fn forget(&mut self, now: Timestamp) {
        self.some.retain(|_, one| one.holds(now));
        self.all.take_if(|all| !all.holds(now));
    }

    /// What is to be known of it.
    pub fn notes(&self, now: Timestamp) -> Vec<String> {
        let all = self.all.iter().map(|how| ("everything".to_owned(), how));
        let some = self.some.iter().map(|(name, how)| (name.to_string(), how));
        let holding = all.chain(some).filter(|(_, how)| how.holds(now));
        holding.map(|(what, how)| note(&what, how)).collect()
    }
}

fn note(what: &str, how: &Maintenance) -> String {
    let mut note = format!("{what} is in maintenance since {:.0}", how.since);
    if let Some(until) = how.until {
        note.push_str(&format!(" until {until:.0}"));
    }
    if let Some(because) = &how.because {
        note.push_str(&format!(": {because}"));
    }
    if !how.let_in.is_empty() {
        let networks: Vec<String> = how.let_in.iter().map(ToString::to_string).collect();
        note.push_str(&format!("; visitors from {} are let in", networks.join(", ")));
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::unit::{Unit, known};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn name(text: &str) -> Name {
        Name::parse(text).expect("a name")
    }

    fn how(since: i64, until: Option<i64>) -> Maintenance {
        Maintenance {
            because: None,
            since: at(since),
            until: until.map(at),
            let_in: Vec::new(),
        }
    }

    #[test]
    fn what_was_said_of_one_holds_before_what_was_said_of_all() {
        let mut closed = Closed::default();
        let (web, api) = (name("web"), name("api"));
        closed.begin(&[], &how(0, None)).expect("it can be");
        closed
            .begin(std::slice::from_ref(&web), &how(5, Some(10)))
            .expect("it can be");
        assert_eq!(closed.of(&web, at(6)).map(|one| one.since), Some(at(5)));
        assert_eq!(closed.of(&api, at(6)).map(|one| one.since), Some(at(0)));
        assert_eq!(
            closed.of(&web, at(10)).map(|one| one.since),
            Some(at(0)),
            "its own is over"
        );
    }

    #[test]
    fn it_ends_by_hand_or_at_its_time() {
        let mut closed = Closed::default();
        let (web, api) = (name("web"), name("api"));
        closed
            .begin(&[web.clone(), api.clone()], &how(0, Some(10)))
            .expect("it can be");
        assert_eq!(closed.end(std::slice::from_ref(&web), at(1)), Ok(true));
        assert_eq!(closed.end(std::slice::from_ref(&web), at(1)), Ok(false));
        assert!(closed.of(&web, at(1)).is_none() && closed.of(&api, at(9)).is_some());
        assert!(closed.of(&api, at(10)).is_none());
        closed.begin(&[], &how(20, None)).expect("it can be");
        let refused = closed
            .end(std::slice::from_ref(&api), at(21))
            .expect_err("all is closed");
        assert!(refused.message.contains("cannot be opened alone"));
        assert_eq!(closed.end(&[], at(21)), Ok(true));
        assert_eq!(closed, Closed::default());
        let refused = closed.begin(&[], &how(20, Some(20))).expect_err("it is over");
        assert_eq!(refused.message, "it would end before it begins");
    }

    #[test]
    fn who_is_let_in_is_told_with_it() {
        let mut closed = Closed::default();
        let mut how = how(0, Some(3_600));
        how.because = Some("the database moves".to_owned());
        how.let_in = vec![known("10.0.0.0/8")];
        closed.begin(&[name("web")], &how).expect("it can be");
        assert_eq!(
            closed.notes(at(1)),
            [
                "web is in maintenance since 1970-01-01T00:00:00Z until 1970-01-01T01:00:00Z: the database moves; visitors from 10.0.0.0/8 are let in"
            ]
        );
        assert!(closed.notes(at(3_600)).is_empty());
        let from = |address: [u8; 4]| how.keeps_out(address.into(), at(1));
        assert!(from([127, 0, 0, 1]) && !from([10, 1, 2, 3]));
        assert_eq!(how.seconds_left(at(3_540)), Some(60));
    }
}
