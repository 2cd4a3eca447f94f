//! What goes on while something is started or stopped: a line a component on a terminal, a line a change elsewhere.

use super::measure::counted;
use super::{paint, status, tame};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use towpath_api::{Event, Tone};
use towpath_model::run::State;

/// The lines of a build that are kept, for the case that it fails.
const KEPT: usize = 40;

/// So often it is told that something has ended and is started again; then that it does so, and no more of it.
const TOLD: usize = 3;

/// What took less was there at once.
const NOTABLE: Duration = Duration::from_millis(50);

/// On a screen with fewer columns there is room for the time or for the reason, and the reason says more.
const NARROW: usize = 60;

/// One turn of what turns while something is under way.
const TURNS: &[char] = &['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Everything that has been heard since it began.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    rows: BTreeMap<String, Row>,
    builds: BTreeMap<String, VecDeque<String>>,
    /// How it ended.
    pub(crate) end: Option<End>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing more will happen by itself.
    Settled { well: bool, idle: bool },
    /// Everything has stopped.
    Gone,
}

#[derive(Debug)]
struct Row {
    state: State,
    because: String,
    /// When it was first heard of, counted from the beginning.
    first: Duration,
    /// When it came into its state.
    since: Duration,
    /// How often it has ended by itself, or was found unwell.
    troubles: usize,
}

impl Progress {
    /// Hears of something, so long after the beginning. The answer is a line to print where there is no live view; with
    /// `always` it is one that has to be printed in any case.
    pub(crate) fn hear(&mut self, event: &Event, now: Duration) -> Heard {
        match event {
            Event::State {
                name, state, because, ..
            } => self.state(name, *state, because, now),
            Event::Build { name, line } => {
                let kept = self.builds.entry(name.clone()).or_default();
                if kept.len() == KEPT {
                    kept.pop_front();
                }
                kept.push_back(line.clone());
                let line = tame::tamed(line);
                Heard::Plain(format!(
                    "{}  {line}\n",
                    paint::dim(&format!("build {}", tame::plain(name)))
                ))
            }
            Event::Note { tone, text } => Heard::Always(note(*tone, text)),
            // Whoever asks about releases shows them.
            Event::Course(_) => Heard::Nothing,
            Event::Settled { well, idle } => {
                self.end = Some(End::Settled {
                    well: *well,
                    idle: *idle,
                });
                Heard::Nothing
            }
            Event::Gone => {
                self.end = Some(End::Gone);
                Heard::Nothing
            }
        }
    }

    fn state(&mut self, name: &str, state: State, because: &str, now: Duration) -> Heard {
        let before = self.rows.get(name);
        // What is stopped already has nothing to say of it: ten thousand that were asleep would be ten thousand lines.
        let has_run = before.is_some() || state != State::Stopped;
        let first = before.map_or(now, |row| row.first);
        let changed = before.is_none_or(|row| row.state != state);
        let since = before.filter(|_| !changed).map_or(now, |row| row.since);
        let troubled = matches!(state, State::Looping | State::Unwell);
        let before = before.map_or(0, |row| row.troubles);
        let troubles = before + usize::from(changed && troubled);
        let because = tame::plain(because);
        let line = line(name, state, &because, now.saturating_sub(first));
        let row = Row {
            state,
            because,
            first,
            since,
            troubles,
        };
        self.rows.insert(name.to_owned(), row);
        let flaps = troubled || matches!(state, State::Starting | State::Ready);
        if changed && troubles > TOLD && flaps {
            // It was told often enough that it comes and goes: once it is told that nothing more is.
            if before == TOLD && troubled {
                let name = tame::plain(name);
                return Heard::Plain(format!(
                    "{name}  comes and goes: `towpath logs {name}` tells the rest\n"
                ));
            }
            Heard::Nothing
        } else if changed && has_run {
            Heard::Plain(line)
        } else {
            Heard::Nothing
        }
    }

    /// What a build said last.
    pub(crate) fn built(&self, name: &str) -> Vec<String> {
        self.builds
            .get(name)
            .map(|lines| lines.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// The live view: at most so many lines of at most so many columns.
    pub(crate) fn live(&self, now: Duration, room: (usize, usize)) -> Vec<String> {
        let (columns, lines) = room;
        let name = self
            .rows
            .keys()
            .map(|name| name.len())
            .max()
            .unwrap_or_default()
            .min(32);
        let mut shown: Vec<(&String, &Row)> = self.rows.iter().collect();
        let hidden = shown.len().saturating_sub(lines.saturating_sub(1).max(1));
        if hidden > 0 {
            // What is under way or not well is worth the room; the order by names stays within each part.
            shown.sort_by_key(|(_, row)| rank(row.state));
            shown.truncate(lines.saturating_sub(1).max(1));
        }
        let mut text: Vec<String> = shown
            .iter()
            .map(|(key, row)| paint::cut(&self.row(key, row, (name, columns), now), columns))
            .collect();
        if hidden > 0 {
            text.push(paint::cut(&self.counts(hidden), columns));
        }
        text
    }

    fn row(&self, name: &str, row: &Row, (width, columns): (usize, usize), now: Duration) -> String {
        let under_way = !row.state.is_settled();
        let sign = match row.state {
            _ if under_way => turn(now),
            state if status::is_bad(state) => '✗',
            State::Stopped => '-',
            _ => '✓',
        };
        let took = if under_way {
            now.saturating_sub(row.since)
        } else {
            row.since.saturating_sub(row.first)
        };
        let about = self.about(name, row);
        let state = row.state.word();
        let time = if took < NOTABLE {
            String::new()
        } else {
            seconds(took)
        };
        let mut line = format!(
            "  {} {}  {}",
            paint::state_as(row.state, &sign.to_string()),
            paint::bold(&format!("{:width$}", paint::cut(name, width))),
            paint::state_as(row.state, state),
        );
        if columns < NARROW && !about.is_empty() {
            let space = " ".repeat(State::Starting.word().len().saturating_sub(state.len()));
            line.push_str(&space);
        } else if !(time.is_empty() && about.is_empty()) {
            let space = " ".repeat(13_usize.saturating_sub(state.len()));
            line.push_str(&format!("{space}  {}", paint::dim(&format!("{time:>6}"))));
        }
        if !about.is_empty() {
            line.push_str(&format!("  {about}"));
        }
        line
    }

    /// What there is to say besides the state: the last line of a build, why it waits, what is wrong.
    fn about(&self, name: &str, row: &Row) -> String {
        let built = self.builds.get(name).and_then(|lines| lines.back());
        match (row.state, built) {
            (State::Building, Some(line)) => paint::dim(&tame::plain(line)),
            (State::Ready | State::Done | State::Stopped, _) => String::new(),
            _ => row.because.clone(),
        }
    }

    /// `and 9,980 more: 40 starting, 9940 ready`
    fn counts(&self, hidden: usize) -> String {
        let mut counts: BTreeMap<(u8, &str), usize> = BTreeMap::new();
        for row in self.rows.values() {
            *counts.entry((rank(row.state), row.state.word())).or_default() += 1;
        }
        let counts: Vec<String> = counts
            .iter()
            .map(|((_, word), count)| format!("{count} {word}"))
            .collect();
        let all = counted(self.rows.len(), "component");
        paint::dim(&format!("    and {hidden} more; {all}: {}", counts.join(", ")))
    }
}

/// What came of hearing something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Nothing to print.
    Nothing,
    /// A line for where nothing is shown live.
    Plain(String),
    /// A line that has to be printed.
    Always(String),
}

fn rank(state: State) -> u8 {
    match state {
        state if status::is_bad(state) => 0,
        State::Building => 1,
        State::Starting | State::Stopping => 2,
        State::Waiting => 3,
        _ => 4,
    }
}

fn turn(now: Duration) -> char {
    let turns = usize::try_from(now.as_millis() / 100).unwrap_or_default();
    TURNS[turns % TURNS.len()]
}

/// `0.4s`, `12.3s`, `2m 5s`.
pub(crate) fn seconds(took: Duration) -> String {
    match took.as_secs() {
        0..60 => format!("{:.1}s", took.as_secs_f64()),
        seconds => format!("{}m {}s", seconds / 60, seconds % 60),
    }
}

/// A change of state as a line by itself.
fn line(name: &str, state: State, because: &str, took: Duration) -> String {
    let shown = paint::state(state);
    let after = if took < NOTABLE {
        String::new()
    } else {
        format!("  after {}", seconds(took))
    };
    match state {
        State::Ready | State::Done => format!("{name}  {shown}{after}\n"),
        State::Building | State::Starting | State::Stopping | State::Stopped => format!("{name}  {shown}\n"),
        _ => format!("{name}  {shown}: {because}\n"),
    }
}

fn note(tone: Tone, text: &str) -> String {
    let text = tame::plain(text);
    match tone {
        Tone::Note => format!("{text}\n"),
        Tone::Warning => format!("{}: {text}\n", paint::yellow("warning")),
        Tone::Error => format!("{}: {text}\n", paint::red("error")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::shown;
    use super::*;
    use towpath_model::run::Kind;

    fn state(name: &str, state: State, because: &str) -> Event {
        Event::State {
            name: name.to_owned(),
            kind: Kind::Service,
            state,
            because: because.to_owned(),
        }
    }

    fn begun() -> (Progress, String) {
        let mut progress = Progress::default();
        let build = |line: &str| Event::Build {
            name: "api".to_owned(),
            line: line.to_owned(),
        };
        let events = [
            (0, state("db", State::Starting, "it was started")),
            (0, state("api", State::Building, "its inputs have changed")),
            (0, state("dashboard", State::Waiting, "for api")),
            (200, build("   \u{1b}[32mCompiling\u{1b}[0m api v0.1.0")),
            (400, state("db", State::Ready, "it answers")),
            (
                500,
                state("mail", State::Failed, "ended with code 1: no such file"),
            ),
            (
                600,
                state("mail", State::Failed, "ended with code 1: no such file"),
            ),
        ];
        let mut text = String::new();
        for (at, event) in events {
            if let Heard::Plain(line) | Heard::Always(line) = progress.hear(&event, Duration::from_millis(at))
            {
                text.push_str(&line);
            }
        }
        (progress, shown(&text))
    }

    #[test]
    fn without_a_terminal_each_change_is_a_line() {
        insta::assert_snapshot!(begun().1, @r"
        db  starting
        api  building
        dashboard  waiting: for api
        build api     Compiling api v0.1.0
        db  ready  after 0.4s
        mail  failed: ended with code 1: no such file
        ");
    }

    #[test]
    fn on_a_terminal_each_component_is_a_line() {
        let (progress, _) = begun();
        let live = progress.live(Duration::from_millis(12_300), (60, 20));
        assert!(live.iter().all(|line| paint::width(line) <= 60));
        insta::assert_snapshot!(shown(&live.join("\n")), @r"
          ⠸ api        building        12.3s     Compiling api v0.1…
          ⠸ dashboard  waiting         12.3s  for api
          ✓ db         ready            0.4s
          ✗ mail       failed                 ended with code 1: no…
        ");
    }

    #[test]
    fn a_narrow_screen_has_room_for_the_reason_and_not_for_the_time() {
        let (progress, _) = begun();
        let live = progress.live(Duration::from_millis(12_300), (39, 20));
        assert!(live.iter().all(|line| paint::width(line) <= 39));
        insta::assert_snapshot!(shown(&live.join("\n")), @r"
          ⠸ api        building     Compiling …
          ⠸ dashboard  waiting   for api
          ✓ db         ready            0.4s
          ✗ mail       failed    ended with co…
        ");
    }

    #[test]
    fn what_is_under_way_has_the_room() {
        let mut progress = Progress::default();
        for number in 0..100 {
            let now = if number % 10 == 9 {
                State::Starting
            } else {
                State::Ready
            };
            progress.hear(&state(&format!("c{number:02}"), now, ""), Duration::ZERO);
        }
        let live = progress.live(Duration::ZERO, (80, 5));
        insta::assert_snapshot!(shown(&live.join("\n")), @r"
          ⠋ c09  starting
          ⠋ c19  starting
          ⠋ c29  starting
          ⠋ c39  starting
            and 96 more; 100 components: 10 starting, 90 ready
        ");
    }

    #[test]
    fn what_ends_again_and_again_is_told_a_few_times_and_then_once_more() {
        let mut progress = Progress::default();
        let mut text = String::new();
        let mut hear = |state: State, because: &str| {
            let event = self::state("web", state, because);
            if let Heard::Plain(line) = progress.hear(&event, Duration::ZERO) {
                text.push_str(&line);
            }
        };
        for _ in 0..20 {
            hear(State::Starting, "");
            hear(State::Looping, "it ends again and again: ended with code 1");
        }
        hear(State::Stopped, "");
        insta::assert_snapshot!(shown(&text), @r"
        web  starting
        web  crash-looping: it ends again and again: ended with code 1
        web  starting
        web  crash-looping: it ends again and again: ended with code 1
        web  starting
        web  crash-looping: it ends again and again: ended with code 1
        web  starting
        web  comes and goes: `towpath logs web` tells the rest
        web  stopped
        ");
    }

    #[test]
    fn what_did_not_run_has_not_stopped() {
        let mut progress = Progress::default();
        let mut hear =
            |name: &str, state: State| progress.hear(&self::state(name, state, ""), Duration::ZERO);
        assert_eq!(hear("sleeper", State::Stopped), Heard::Nothing);
        assert!(matches!(hear("web", State::Stopping), Heard::Plain(_)));
        assert!(matches!(hear("web", State::Stopped), Heard::Plain(_)));
    }

    #[test]
    fn a_remark_is_always_told() {
        let note = Event::Note {
            tone: Tone::Warning,
            text: "port 8443 is taken: 8444 is used".to_owned(),
        };
        let Heard::Always(line) = Progress::default().hear(&note, Duration::ZERO) else {
            panic!("it has to be printed");
        };
        assert_eq!(shown(&line), "warning: port 8443 is taken: 8444 is used\n");
    }
}
