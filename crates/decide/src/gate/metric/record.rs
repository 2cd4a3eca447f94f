//! What is known of a metric over a time, and since when without a gap.

use jiff::Timestamp;
use towpath_model::run::Reading;
use towpath_model::unit::Duration;

/// How far apart two readings may be for the time between them to count as known: a tenth of the time that is judged. In a
/// time of minutes one reading may be lost; of a month an hour may be missing, and no more.
fn patience(over: Duration) -> Duration {
    let tenth = Duration::from_millis(over.millis() / 10);
    tenth.clamp(Duration::from_minutes(1), Duration::from_hours(1))
}

/// How often a metric has to be read for a bound over such a time: four times as often as readings may be apart, so that two
/// in a row may be lost.
pub fn cadence(over: Duration) -> Duration {
    Duration::from_millis(patience(over).millis() / 4)
}

/// The time from one moment to another; none if they are the wrong way round.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    let millis = to.as_millisecond().saturating_sub(from.as_millisecond());
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// A time for people: to the second where it is one.
pub(super) fn told(time: Duration) -> Duration {
    if time < Duration::from_secs(1) {
        time
    } else {
        Duration::from_secs(time.secs())
    }
}

/// A time between two readings that is too long to be known.
#[derive(Debug)]
struct Gap {
    from: Timestamp,
    to: Timestamp,
    why: Option<String>,
}

/// The readings that a verdict rests on.
#[derive(Debug)]
pub(super) struct Record<'a> {
    name: &'a str,
    over: Duration,
    now: Timestamp,
    /// What was read, by time: the last reading before the time that is judged, and all of those in it. They are all of the
    /// kind of the newest.
    pub(super) known: Vec<(Timestamp, &'a Reading)>,
    /// The last that was refused, and when.
    refused: Option<(Timestamp, &'a str)>,
    gaps: Vec<Gap>,
}

impl<'a> Record<'a> {
    pub(super) fn of(
        name: &'a str,
        samples: &'a [(Timestamp, Reading)],
        over: Duration,
        now: Timestamp,
    ) -> Self {
        let mut sorted: Vec<(Timestamp, &Reading)> = samples
            .iter()
            .filter(|(at, _)| *at <= now)
            .map(|(at, reading)| (*at, reading))
            .collect();
        sorted.sort_by_key(|(at, _)| *at);
        let (mut known, refused): (Vec<_>, Vec<_>) =
            sorted.into_iter().partition(|(_, reading)| is_sound(reading));
        if let Some((_, last)) = known.last().copied() {
            known.retain(|(_, reading)| std::mem::discriminant(*reading) == std::mem::discriminant(last));
        }
        let before = known.partition_point(|(at, _)| between(*at, now) >= over);
        let known = known.split_off(before.saturating_sub(1));
        let refused: Vec<(Timestamp, &str)> = refused
            .into_iter()
            .filter_map(|(at, reading)| match reading {
                Reading::Unknown(why) => Some((at, why.as_str())),
                _ => None,
            })
            .collect();
        let gaps = gaps(&known, &refused, patience(over));
        Record {
            name,
            over,
            now,
            known,
            refused: refused.last().copied(),
            gaps,
        }
    }

    /// The readings in the time that is judged; where that is no time at all, the last one, if it still says something.
    pub(super) fn judged(&self) -> &[(Timestamp, &'a Reading)] {
        let inside = |(at, _): &(Timestamp, &Reading)| between(*at, self.now) < self.over;
        let first = self.known.iter().position(inside).unwrap_or_else(|| {
            let lasts = self.known.last().is_some_and(|(at, _)| self.stale(*at).is_none());
            self.known.len() - usize::from(lasts)
        });
        &self.known[first..]
    }

    /// Why there is nothing to judge.
    pub(super) fn nothing(&self) -> String {
        match self.refused {
            Some((_, why)) => format!("`{}` cannot be read: {why}", self.name),
            None => format!("`{}` has not been read yet", self.name),
        }
    }

    /// Why a record that ends at that moment says nothing of now.
    pub(super) fn stale(&self, end: Timestamp) -> Option<String> {
        if between(end, self.now) <= patience(self.over) {
            return None;
        }
        let why = self.refused.filter(|(at, _)| *at > end);
        let why = why.map_or_else(String::new, |(_, why)| format!(": {why}"));
        Some(format!("`{}` is not known since {end:.0}{why}", self.name))
    }

    /// Why a record that is so long is too short.
    pub(super) fn short(&self, long: Duration) -> Option<String> {
        (long < self.over).then(|| {
            let known = told(long);
            format!("`{}` is known for {known} of {}", self.name, self.over)
        })
    }

    /// Why not all of the time is known, where every moment has to be.
    pub(super) fn unknown(&self) -> Option<String> {
        self.open_ended()
            .or_else(|| self.gaps.last().map(|gap| self.missing(gap)))
            .or_else(|| self.too_short())
    }

    /// Why the two ends of the time are not known, whatever was between.
    pub(super) fn unbounded(&self) -> Option<String> {
        self.open_ended().or_else(|| self.too_short())
    }

    fn open_ended(&self) -> Option<String> {
        match self.known.last() {
            Some((last, _)) => self.stale(*last),
            None => Some(self.nothing()),
        }
    }

    fn too_short(&self) -> Option<String> {
        let first = self.known.first().map_or(self.now, |(first, _)| *first);
        self.short(between(first, self.now))
    }

    fn missing(&self, gap: &Gap) -> String {
        let why = gap.why.as_deref().unwrap_or("nobody has looked");
        format!(
            "`{}` is not known from {:.0} to {:.0}: {why}",
            self.name, gap.from, gap.to
        )
    }

    /// Why what came in the gap before that moment is lost; nothing where there is none.
    pub(super) fn lost_before(&self, moment: Timestamp) -> Option<String> {
        let gap = self.gaps.iter().find(|gap| gap.to == moment)?;
        Some(format!("{}, and it began again in that time", self.missing(gap)))
    }
}

/// Whether a reading says something: not what was refused, and no number that is none.
fn is_sound(reading: &Reading) -> bool {
    match reading {
        Reading::Level(value) | Reading::Span { value, .. } => value.is_finite(),
        Reading::Unknown(_) => false,
        Reading::Named(values) | Reading::Count(values) => values.values().all(|value| value.is_finite()),
        Reading::Share(by) => by
            .values()
            .all(|tally| tally.bad.is_finite() && tally.all.is_finite()),
        Reading::Spread(by) => by.values().all(|spread| {
            let mut classes = spread.classes.iter();
            spread.count.is_finite() && classes.all(|(bound, count)| bound.is_finite() && count.is_finite())
        }),
    }
}

fn gaps(known: &[(Timestamp, &Reading)], refused: &[(Timestamp, &str)], patience: Duration) -> Vec<Gap> {
    let pairs = known.windows(2).map(|pair| (pair[0].0, pair[1].0));
    pairs
        .filter(|(from, to)| between(*from, *to) > patience)
        .map(|(from, to)| {
            let inside = refused.iter().rev().find(|(at, _)| from < *at && *at < to);
            Gap {
                from,
                to,
                why: inside.map(|(_, why)| (*why).to_owned()),
            }
        })
        .collect()
}
