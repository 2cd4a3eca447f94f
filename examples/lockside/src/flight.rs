//! The flight: five locks, and the boats that go up and down through them. Pure: the time is an argument.

/// How many locks there are. Between them and around them lie `LOCKS + 1` stretches of water, which are called pounds.
pub(crate) const LOCKS: u64 = 5;

/// The most boats that find room.
pub(crate) const MOST_BOATS: usize = 18;

/// How long a boat goes through a pound, at the usual pace, in milliseconds.
const CRUISE: u64 = 6_000;

/// How long a hand at a lock has before its boat is given to another one.
const GRACE: u64 = 20_000;

/// Where a boat is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

impl Way {
    pub(crate) fn read(text: &str) -> Option<Way> {
        match text {
            "up" => Some(Way::Up),
            "down" => Some(Way::Down),
            _ => None,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Way::Up => "up",
            Way::Down => "down",
        }
    }
}

/// What a boat does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It goes through its pound, towards the next lock or out of the flight.
    Cruising,
    /// It lies before a lock.
    Waiting,
    /// It lies in a lock, which a hand fills or empties.
    Locking,
}

impl Stage {
    fn read(text: &str) -> Option<Stage> {
        match text {
            "cruising" => Some(Stage::Cruising),
            "waiting" => Some(Stage::Waiting),
            "locking" => Some(Stage::Locking),
            _ => None,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Stage::Cruising => "cruising",
            Stage::Waiting => "waiting",
            Stage::Locking => "locking",
        }
    }
}

/// A boat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Boat {
    pub(crate) number: u64,
    pub(crate) name: String,
    /// In metres.
    pub(crate) length: u64,
    pub(crate) way: Way,
    /// The pound that it is in, or that it leaves through a lock: 0 is the lowest.
    pub(crate) pound: u64,
    pub(crate) stage: Stage,
    /// Since when it does what it does.
    pub(crate) since: u64,
}

impl Boat {
    /// The lock that it has to pass next, counted from 1 at the bottom; none when it is through.
    pub(crate) fn lock(&self) -> Option<u64> {
        match self.way {
            Way::Up => (self.pound < LOCKS).then_some(self.pound + 1),
            Way::Down => (self.pound > 0).then_some(self.pound),
        }
    }

    fn do_from(&mut self, stage: Stage, since: u64) {
        self.stage = stage;
        self.since = since;
    }
}

/// All that is known of the canal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flight {
    pub(crate) boats: Vec<Boat>,
    /// Boats that went through all of it.
    pub(crate) passages: u64,
    /// Which locks are full of water, the lowest first.
    pub(crate) full: [bool; LOCKS as usize],
    next: u64,
}

impl Default for Flight {
    fn default() -> Self {
        Flight {
            boats: Vec::new(),
            passages: 0,
            full: [false, true, false, true, false],
            next: 1,
        }
    }
}

impl Flight {
    /// Brings everything to where it is at a time.
    pub(crate) fn settle(&mut self, now: u64, pace: u64) {
        let cruise = cruise(pace);
        for boat in &mut self.boats {
            let lasts = now.saturating_sub(boat.since);
            match boat.stage {
                Stage::Cruising if lasts >= cruise && boat.lock().is_some() => {
                    boat.do_from(Stage::Waiting, boat.since + cruise);
                }
                // Whoever worked this lock has gone without a word: the boat waits for the next hand.
                Stage::Locking if lasts >= GRACE => boat.do_from(Stage::Waiting, now),
                _ => {}
            }
        }
        let before = self.boats.len();
        self.boats
            .retain(|boat| boat.lock().is_some() || now.saturating_sub(boat.since) < cruise);
        self.passages += (before - self.boats.len()) as u64;
    }

    /// A boat comes. There is no room when as many are here as find place.
    pub(crate) fn enter(&mut self, name: &str, way: Way, length: u64, now: u64) -> Option<&Boat> {
        if self.boats.len() >= MOST_BOATS {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.boats.push(Boat {
            number,
            name: tidy(name),
            length: length.clamp(6, 22),
            way,
            pound: if way == Way::Up { 0 } else { LOCKS },
            stage: Stage::Cruising,
            since: now,
        });
        self.boats.last()
    }

    /// A hand asks for work: the boat that has waited longest before a lock that is free.
    pub(crate) fn claim(&mut self, now: u64) -> Option<&Boat> {
        let busy: Vec<u64> = self
            .boats
            .iter()
            .filter(|boat| boat.stage == Stage::Locking)
            .filter_map(Boat::lock)
            .collect();
        let free = |boat: &Boat| boat.lock().is_some_and(|lock| !busy.contains(&lock));
        let boat = self
            .boats
            .iter_mut()
            .filter(|boat| boat.stage == Stage::Waiting && free(boat))
            .min_by_key(|boat| (boat.since, boat.number))?;
        boat.do_from(Stage::Locking, now);
        Some(boat)
    }

    /// A hand has brought a boat through the lock that it lay in. Told twice, it is true once.
    pub(crate) fn pass(&mut self, number: u64, lock: u64, now: u64) -> bool {
        let lies_there = |boat: &&mut Boat| {
            boat.number == number && boat.stage == Stage::Locking && boat.lock() == Some(lock)
        };
        let Some(boat) = self.boats.iter_mut().find(lies_there) else {
            return false;
        };
        boat.pound = match boat.way {
            Way::Up => boat.pound + 1,
            Way::Down => boat.pound - 1,
        };
        boat.do_from(Stage::Cruising, now);
        self.full[lock as usize - 1] = boat.way == Way::Up;
        true
    }

    /// How many boats lie before a lock.
    pub(crate) fn waiting(&self) -> usize {
        self.boats
            .iter()
            .filter(|boat| boat.stage == Stage::Waiting)
            .count()
    }

    /// Reads what `text` has written. A line that says nothing is left out.
    pub(crate) fn read(text: &str) -> Flight {
        let mut flight = Flight::default();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["passages", count] => flight.passages = count.parse().unwrap_or_default(),
                ["next", number] => flight.next = number.parse().unwrap_or(1),
                ["full", levels] => {
                    for (full, level) in flight.full.iter_mut().zip(levels.bytes()) {
                        *full = level == b'1';
                    }
                }
                ["boat", ..] => flight.boats.extend(boat(line)),
                _ => {}
            }
        }
        let known = flight.boats.iter().map(|boat| boat.number + 1).max();
        flight.next = flight.next.max(known.unwrap_or(1));
        flight
    }

    /// All of it as lines.
    pub(crate) fn text(&self) -> String {
        let levels: String = self
            .full
            .iter()
            .map(|full| if *full { '1' } else { '0' })
            .collect();
        let mut text = format!("passages {}\nnext {}\nfull {levels}\n", self.passages, self.next);
        for boat in &self.boats {
            text.push_str(&format!(
                "boat {} {} {} {} {} {} {}\n",
                boat.number,
                boat.way.word(),
                boat.pound,
                boat.stage.word(),
                boat.since,
                boat.length,
                boat.name
            ));
        }
        text
    }
}

/// How long a boat goes through a pound at a pace.
pub(crate) fn cruise(pace: u64) -> u64 {
    CRUISE / pace
}

fn boat(line: &str) -> Option<Boat> {
    let mut words = line.splitn(8, ' ').skip(1);
    Some(Boat {
        number: words.next()?.parse().ok()?,
        way: Way::read(words.next()?)?,
        pound: words.next()?.parse().ok().filter(|pound| *pound <= LOCKS)?,
        stage: Stage::read(words.next()?)?,
        since: words.next()?.parse().ok()?,
        length: words.next()?.parse().ok()?,
        name: words.next()?.to_owned(),
    })
}

/// A name as it fits on a boat: one line, not long, never empty.
fn tidy(name: &str) -> String {
    let name: String = name
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " '-".contains(*letter))
        .take(24)
        .collect();
    match name.trim() {
        "" => "Nameless".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets one hand work until nothing changes any more.
    fn work(flight: &mut Flight, mut now: u64) -> u64 {
        for _ in 0..200 {
            now += CRUISE;
            flight.settle(now, 1);
            if let Some(boat) = flight.claim(now) {
                let (number, lock) = (boat.number, boat.lock().unwrap());
                assert!(flight.pass(number, lock, now));
            }
        }
        now
    }

    #[test]
    fn every_boat_goes_through_all_locks_and_is_counted_once() {
        let mut flight = Flight::default();
        flight.enter("Kingfisher", Way::Up, 18, 0);
        flight.enter("Heron", Way::Down, 12, 0);
        work(&mut flight, 0);
        assert_eq!((flight.boats.len(), flight.passages), (0, 2));
    }

    #[test]
    fn a_lock_takes_one_boat_at_a_time() {
        let mut flight = Flight::default();
        flight.enter("Kingfisher", Way::Up, 18, 0);
        flight.enter("Heron", Way::Up, 12, 1);
        flight.settle(CRUISE + 1, 1);
        assert_eq!(flight.claim(CRUISE + 1).map(|boat| boat.number), Some(1));
        assert_eq!(flight.claim(CRUISE + 1), None);
        assert!(flight.pass(1, 1, CRUISE + 2));
        assert_eq!(flight.claim(CRUISE + 3).map(|boat| boat.number), Some(2));
    }

    #[test]
    fn a_passage_is_told_once() {
        let mut flight = Flight::default();
        flight.enter("Kingfisher", Way::Up, 18, 0);
        flight.settle(CRUISE, 1);
        flight.claim(CRUISE);
        assert!(!flight.pass(1, 2, CRUISE));
        assert!(flight.pass(1, 1, CRUISE));
        assert!(!flight.pass(1, 1, CRUISE));
    }

    #[test]
    fn a_boat_whose_hand_has_gone_is_given_to_another_one() {
        let mut flight = Flight::default();
        flight.enter("Kingfisher", Way::Up, 18, 0);
        flight.settle(CRUISE, 1);
        flight.claim(CRUISE);
        flight.settle(CRUISE + GRACE, 1);
        assert!(flight.claim(CRUISE + GRACE).is_some());
    }

    #[test]
    fn there_is_room_for_so_many() {
        let mut flight = Flight::default();
        for _ in 0..MOST_BOATS {
            assert!(flight.enter("Heron", Way::Up, 12, 0).is_some());
        }
        assert_eq!(flight.enter("One more", Way::Up, 12, 0), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut flight = Flight::default();
        flight.enter("Queen of Spades", Way::Down, 21, 7);
        flight.enter("\u{1b}[2J\n", Way::Up, 900, 8);
        flight.settle(CRUISE + 9, 1);
        flight.claim(CRUISE + 9);
        assert_eq!(Flight::read(&flight.text()), flight);
        assert_eq!(flight.boats[1].name, "2J");
    }

    #[test]
    fn what_is_no_flight_is_an_empty_one() {
        assert_eq!(
            Flight::read("boat x\nboat 1 up 77 cruising 0 0 X\n\0"),
            Flight::default()
        );
    }
}
