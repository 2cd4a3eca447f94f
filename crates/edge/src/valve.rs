//! How many requests an instance is given at once, where nobody has said it: all of them, until more at once has been shown to bring nothing.
//!
//! **Who is suspected.** An instance that takes what comes is never held back. One is suspected when many are waited for (`CROWD`), nine
//! of ten answers begin ten times later than they do when few are, and it has work all the same: with the time of a calm answer, what it
//! answers fills half of a worker at least. A program at its end has all of its workers busy, so that holds for each of them; a chat that
//! waits for a word has none. Quick answers beside slow ones, as beside long polls, are those of a program that is not at its end.
//!
//! **What is tried.** A suspicion proves nothing: behind a slow database everything is late, and nothing is won by letting people wait. So
//! a third fewer are given for as long as it takes to see what comes of it. One that is merely slow answers a third fewer then; it gets
//! everything again at once, and is left alone for five seconds, then ten, up to an hour. Of one at its end as many answers come as before,
//! because those it does not have would only have waited there. That is seen twice, with a third of what it had the second time, before
//! anybody is sent away (`is_sure`). Until then whoever finds no room waits, for about the time that an answer takes anyhow.
//!
//! **What is found.** From then on it is given as few as bring as many answers. Sometimes it is tried whether more bring more: .NET grows its pool
//! of threads in the same way. When nothing is answered for four times what an answer takes, twice as many are given. As soon as there
//! is room for everybody nothing is tried and nobody is sent away, and a minute later all of it is forgotten.
//!
//! **Why not by time alone.** Gradients and Vegas compare how long an answer takes with the best that was seen. That is the right
//! question between two routers and the wrong one for a component: a long poll takes a thousand times as long as a picture, and a report as
//! long as it takes. Time only raises the suspicion here; the rate of answers decides.
//!
//! **What is not found.** An instance that nobody has asked before the crowd came is not suspected, as nobody knows how long it takes when
//! it is calm; nor is one that gives some fifty answers a second or fewer, of which nothing can be said before all are late; nor one whose
//! quick answers come from elsewhere than the slow ones. Whoever knows what it carries says `hard`.
//!
//! **What does not count.** Nothing is counted against an instance but requests whose answer has not begun: events, downloads, WebSockets and an
//! answer that comes word by word take nothing once they have begun. Large uploads are not counted at all.

use std::time::Duration;

/// Fewer waited for are no crowd: so many are soon answered.
pub(crate) const CROWD: usize = 64;

/// So many times later than calm is late, and never less than so many microseconds.
const LATE: u64 = 10;
const NOT_LATE: u64 = 100_000;

/// What takes longer than so many microseconds, and twenty times longer than when it is calm, was meant to: who holds back answers for minutes, or thinks
/// for half of one, is not crowded. A crowd is met long before it waits so long.
const MEANT: u64 = 2_000_000;

/// A suspicion takes so many milliseconds and answers.
const SOON: u64 = 500;
const SOME: u32 = 80;

/// For so many milliseconds one that is merely slow is left alone, at first and at most.
const ALONE: (u64, u64) = (5_000, 3_600_000);

/// For so many milliseconds it is remembered how many were found to be enough.
const KNOWN: u64 = 60_000;

/// Fewer are never given: an instance with a single worker is not idle between two of them, and what asks itself is not stuck.
const FLOOR: u32 = 4;

/// As many as wait at the most: who is given so many is given all.
const MOST: u32 = 8_192;

/// So many answers tell a rate to within some four percent.
const ENOUGH: u32 = 512;

/// However many they are, a rate is no shorter than so many milliseconds: a machine has other things to do now and then.
const SHORT: u64 = 200;

/// Where answers are few, so long and so many of them have to do.
const LONG: u64 = 2_000;
const FEW: u32 = 128;

/// Of so many answers one may find nobody waiting: the queue is short, and several go at once when more are given.
const LITTLE: u32 = 16;

/// Nothing is known yet of how long an answer takes, and none has come for so many milliseconds.
const SILENT: u64 = 50;

/// It rests for so many milliseconds.
const RESTS: u64 = 5_000;

/// It is tried with so much more or fewer, in hundredths; more each time that it was right.
const STEPS: [u32; 3] = [125, 150, 200];

/// How many requests are given at once, and what is being tried.
#[derive(Debug)]
pub(crate) struct Valve {
    /// Microseconds until most answers begin while few are waited for; zero where that is not known.
    calm: u64,
    /// What they take on average then.
    mean: u64,
    crowd: Crowd,
    /// Nobody is suspected before then, and how long the next suspicion that is wrong keeps others away.
    alone: (u64, u64),
    limit: Option<u32>,
    trial: Trial,
    /// Fewer have been as good as all.
    is_found: bool,
    is_sure: bool,
    /// Milliseconds until an answer begins, smoothed.
    takes: u64,
    /// Since when it has been full, or since the last answer after that.
    heard: Option<u64>,
    /// Since when it has had room again.
    roomy: u64,
    /// Answers that were still begun before the last change.
    skipped: u32,
    answered: u32,
    /// Those of them after which nobody waited.
    idle: u32,
    since: u64,
    /// A suspicion that has not been found to be right by then was wrong.
    until: u64,
}

/// What is seen of a crowd that nobody holds back.
#[derive(Debug, Clone, Copy, Default)]
struct Crowd {
    since: u64,
    answers: u32,
    late: u32,
    /// The sum of how many were waited for.
    inside: u64,
    /// What was seen in the time before this, when that was suspicious, too.
    before: Option<Point>,
}

#[derive(Debug, Clone, Copy)]
enum Trial {
    /// Nothing is known.
    None,
    More(Point, usize),
    /// Fewer, beside the rate that it began with, and with what it was tried last.
    Fewer(Point, u32, usize),
    Rest(Point, u64),
}

/// What was seen.
#[derive(Debug, Clone, Copy)]
struct Point {
    limit: u32,
    /// Answers in a million milliseconds.
    rate: u64,
}

/// What an answer tells beside its time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around {
    /// Milliseconds by a clock that never jumps.
    pub(crate) now: u64,
    /// How many others were waited for when it was sent, and are now.
    pub(crate) then: usize,
    pub(crate) inside: usize,
    /// Somebody has no room.
    pub(crate) is_wanted: bool,
}

impl Default for Valve {
    fn default() -> Valve {
        Valve {
            calm: 0,
            mean: 0,
            crowd: Crowd::default(),
            alone: (0, ALONE.0),
            limit: None,
            trial: Trial::None,
            is_found: false,
            is_sure: false,
            takes: 0,
            heard: None,
            roomy: 0,
            skipped: 0,
            answered: 0,
            idle: 0,
            since: 0,
            until: 0,
        }
    }
}

impl Valve {
    /// How many it is given at once; all where there is no such number.
    pub(crate) fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// More at once has been tried, and has brought nothing.
    pub(crate) fn is_sure(&self) -> bool {
        self.is_sure
    }

    /// How long it takes on average until an answer begins while few are waited for.
    pub(crate) fn mean(&self) -> Duration {
        Duration::from_micros(self.mean)
    }

    /// Somebody has found no room.
    pub(crate) fn full(&mut self, now: u64) {
        if self.limit.is_some() && self.heard.is_none() {
            self.heard = Some(now);
            // What was certain a moment ago is so still.
            self.is_sure &= now.saturating_sub(self.roomy) < RESTS;
            self.begin();
        }
    }

    /// Whether somebody has found no room, and none has come since.
    pub(crate) fn is_full(&self) -> bool {
        self.heard.is_some()
    }

    /// An answer has begun after so long.
    pub(crate) fn answered(&mut self, took: Duration, around: Around) {
        match self.limit {
            None => self.is_free(took, around),
            Some(limit) => self.is_held(limit, took, around),
        }
    }

    fn is_free(&mut self, took: Duration, around: Around) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        if around.inside < CROWD {
            self.crowd = Crowd::default();
            if around.then < CROWD {
                self.is_calm(took);
            }
            return;
        }
        if self.calm == 0 || around.now < self.alone.0 {
            return;
        }
        let crowd = &mut self.crowd;
        if crowd.answers == 0 {
            crowd.since = around.now;
        }
        crowd.answers += 1;
        crowd.inside += around.inside as u64;
        let late = NOT_LATE.max(self.calm * LATE)..MEANT.max(self.mean * LATE * 2);
        crowd.late += u32::from(late.contains(&took));
        let long = around.now.saturating_sub(crowd.since);
        if crowd.answers < SOME || long < SOON.max(self.calm * LATE / 1_000) {
            return;
        }
        let seen = std::mem::take(crowd);
        let works = u64::from(seen.answers) * self.mean * 2 >= long * 1_000;
        if !works || u64::from(seen.late) * 10 < u64::from(seen.answers) * 9 {
            return;
        }
        // While it fills, there were fewer than there are now, and the rate is theirs.
        let inside = seen.inside / u64::from(seen.answers.max(1));
        let here = Point {
            limit: u32::try_from(inside).unwrap_or(MOST).min(MOST),
            rate: rate(seen.answers, long),
        };
        self.crowd.before = Some(here);
        // One that fills with slow answers gives more from moment to moment; one at its end gives no more.
        if let Some(before) = seen.before
            && here.rate * 10 <= before.rate * 11
        {
            let both = Point {
                limit: u32::midpoint(here.limit, before.limit),
                rate: u64::midpoint(here.rate, before.rate),
            };
            self.takes = took / 1_000;
            self.heard = Some(around.now);
            // As long as it takes to answer all of them, and some of that again.
            self.until = around.now + 5_000 + around.inside as u64 * 4_000_000 / both.rate.max(1);
            self.try_fewer(both, both.limit, 0, around.now);
            self.begin();
        }
    }

    /// Most answers take so long, or longer: it falls quickly and rises slowly, whatever the slowest of them take.
    fn is_calm(&mut self, took: u64) {
        self.mean = match self.mean {
            0 => took,
            mean => mean - mean / 16 + took / 16,
        };
        self.calm = match self.calm {
            0 => took,
            calm if took < calm => calm - (calm - took) / 8,
            calm => calm + (took - calm).min(calm).div_ceil(64),
        };
    }

    fn is_held(&mut self, limit: u32, took: Duration, around: Around) {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
        self.takes = match self.takes {
            0 => took,
            before => (before * 7 + took) / 8,
        };
        if self.heard.is_none() {
            if around.now.saturating_sub(self.roomy) >= KNOWN {
                self.open();
            }
            return;
        }
        self.heard = Some(around.now);
        if !self.is_found && around.now >= self.until {
            return self.is_slow(around.now);
        }
        if around.inside < (limit / 4) as usize && !around.is_wanted {
            return self.has_room(around.now);
        }
        if around.inside > limit as usize {
            return;
        }
        if self.skipped > 0 {
            self.skipped -= 1;
            self.since = around.now;
            return;
        }
        self.answered += 1;
        self.idle += u32::from(!around.is_wanted);
        let is_idle = match self.is_found {
            true => self.idle * LITTLE > self.answered + ENOUGH,
            // What keeps nobody waiting tells nothing.
            false => self.idle * 2 > self.answered + SOME,
        };
        if is_idle {
            return self.has_room(around.now);
        }
        let long = around.now.saturating_sub(self.since);
        // What was let in at once is answered at once, so a first trial is seen for as long as an answer takes.
        let (least, enough) = match self.is_found {
            true => (SHORT, ENOUGH),
            false => (self.takes.max(SOON * 2), ENOUGH / 2),
        };
        let is_long = long >= LONG && self.answered >= FEW.max(limit.saturating_mul(4));
        if self.is_much_less(long) || long >= least && (self.answered >= enough || is_long) {
            self.learn(around.now, rate(self.answered, long));
            self.begin();
        }
    }

    /// A suspicion is seen to be wrong before its time is over.
    fn is_much_less(&self, long: u64) -> bool {
        let Trial::Fewer(from, ..) = self.trial else {
            return false;
        };
        let expected = from.rate.saturating_mul(long) / 1_000_000;
        !self.is_found
            && long * 2 >= self.takes
            && expected >= u64::from(SOME)
            && u64::from(self.answered) * 100 < expected * 60
    }

    /// Time passes, and nothing may have come.
    pub(crate) fn passes(&mut self, now: u64) {
        let Some((heard, limit)) = self.heard.zip(self.limit) else {
            return;
        };
        if now.saturating_sub(heard) >= SILENT.max(self.takes.saturating_mul(4)) {
            if !self.is_found || limit * 2 >= MOST {
                return self.is_slow(now);
            }
            self.limit = Some(limit * 2);
            self.is_sure = false;
            self.trial = Trial::None;
            self.heard = Some(now);
            self.begin();
        }
    }

    /// Nobody waits any more.
    pub(crate) fn has_room(&mut self, now: u64) {
        if !self.is_found {
            return self.open();
        }
        if let Trial::Fewer(_, before, _) = self.trial {
            self.limit = Some(before);
        }
        self.trial = Trial::None;
        self.heard = None;
        self.roomy = now;
    }

    /// It was suspected for nothing.
    fn is_slow(&mut self, now: u64) {
        let (_, long) = self.alone;
        self.open();
        self.alone = (now + long, (long * 2).min(ALONE.1));
    }

    /// It is given all again.
    fn open(&mut self) {
        *self = Valve {
            calm: self.calm,
            mean: self.mean,
            alone: self.alone,
            takes: self.takes,
            ..Valve::default()
        };
    }

    /// Counts anew, as soon as what it has was given under the limit that holds now.
    fn begin(&mut self) {
        self.answered = 0;
        self.idle = 0;
        self.skipped = self.limit.unwrap_or(0);
    }

    fn learn(&mut self, now: u64, rate: u64) {
        let Some(limit) = self.limit else { return };
        let here = Point { limit, rate };
        match self.trial {
            Trial::None => self.try_more(here, 0),
            Trial::More(from, step) if pays(from, here) => {
                // Once or twice may have been chance.
                self.is_sure &= step < 2;
                self.try_more(here, step + 1);
            }
            Trial::More(from, _) => {
                self.is_sure = true;
                self.limit = Some(from.limit);
                self.try_fewer(from, from.limit, 0, now);
            }
            Trial::Fewer(from, before, _) if rate * 100 < from.rate * self.as_good() => {
                if !self.is_found {
                    return self.is_slow(now);
                }
                // Between what is enough and what is too little, when these are far apart.
                let between = (u64::from(before) * u64::from(limit)).isqrt() as u32;
                (self.limit, self.trial) = match before > limit * 2 {
                    true => (Some(between), Trial::Fewer(from, before, STEPS.len())),
                    false => (Some(before), Trial::Rest(from, now + RESTS)),
                };
            }
            Trial::Fewer(from, _, step) => {
                if step > 0 {
                    self.is_found = true;
                    self.is_sure = true;
                    self.alone.1 = ALONE.0;
                }
                self.try_fewer(from, limit, step + 1, now);
            }
            Trial::Rest(at, until) => {
                let is_other = rate.abs_diff(at.rate) * 3 > at.rate;
                if is_other || now >= until {
                    self.try_more(here, 0);
                }
            }
        }
    }

    /// How many percent of a rate are as good as it. A suspicion has to be right by far; later it would be worse with each trial.
    fn as_good(&self) -> u64 {
        if self.is_found { 93 } else { 80 }
    }

    fn try_more(&mut self, from: Point, step: usize) {
        let percent = STEPS[step.min(STEPS.len() - 1)];
        self.limit = Some((from.limit * percent).div_ceil(100).min(MOST));
        self.trial = Trial::More(from, step);
    }

    fn try_fewer(&mut self, from: Point, before: u32, step: usize, now: u64) {
        let mut fewer = match (self.is_found, step) {
            (false, 0) => before * 2 / 3,
            (false, _) => before / 2,
            (true, 0) => before * 100 / STEPS[0],
            (true, _) => before * 100 / STEPS[1],
        };
        if self.is_found && before as usize > CROWD {
            // What takes so long when it is calm, and is answered so often, is so many at once. Twice that is enough.
            let busy = from.rate * self.mean * 2 / 1_000_000_000;
            fewer = fewer.min(u32::try_from(busy).unwrap_or(MOST).max(before / 16));
        }
        let fewer = fewer.max(FLOOR);
        if fewer >= before {
            self.trial = Trial::Rest(from, now + RESTS);
            return;
        }
        self.limit = Some(fewer);
        self.trial = Trial::Fewer(from, before, step);
    }
}

/// Answers in a million milliseconds.
fn rate(answers: u32, long: u64) -> u64 {
    u64::from(answers) * 1_000_000 / long.max(1)
}

/// Whether what is given more comes back by a third at least.
fn pays(from: Point, here: Point) -> bool {
    let (before, more) = (
        u64::from(from.limit),
        u64::from(here.limit.saturating_sub(from.limit)),
    );
    here.rate > from.rate + from.rate * more / (3 * before.max(1))
}

#[cfg(test)]
mod simulation;
