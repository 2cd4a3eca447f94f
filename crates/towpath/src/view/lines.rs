//! Lines of logs, each behind the name of who wrote it.

use super::{paint, tame};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use towpath_api::{Component, LogLine};

/// A name that is longer than this is cut, so that the lines of others do not move to the edge of the screen.
const WIDEST: usize = 24;

/// The stream of what is said about a component, and not by it.
pub(crate) const ENGINE: &str = "engine";

/// How lines are shown.
#[derive(Debug)]
pub(crate) struct Lines {
    width: usize,
    zone: Option<TimeZone>,
    /// The first instance that was heard of each component; a second one makes numbers worth showing.
    heard: BTreeMap<String, Heard>,
}

#[derive(Debug)]
struct Heard {
    first: u64,
    several: bool,
}

impl Lines {
    /// For components of these names; with the time in a zone where one is given.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>, zone: Option<TimeZone>) -> Self {
        let width = names.into_iter().map(str::len).max().unwrap_or_default();
        Lines {
            width: width.min(WIDEST),
            zone,
            heard: BTreeMap::new(),
        }
    }

    /// Knows beforehand which components have several instances, so that their names do not grow in the middle.
    pub(crate) fn knowing(mut self, components: &[Component]) -> Self {
        for component in components {
            let [first, .., last] = component.instances.as_slice() else {
                continue;
            };
            let heard = Heard {
                first: first.id.number,
                several: true,
            };
            self.heard.insert(component.name.clone(), heard);
            self.width = self.width.max(last.id.to_string().len()).min(WIDEST);
        }
        self
    }

    /// One line with its end.
    pub(crate) fn line(&mut self, line: &LogLine) -> String {
        let component = line.id.component.as_str();
        let heard = self.heard.entry(component.to_owned()).or_insert(Heard {
            first: line.id.number,
            several: false,
        });
        heard.several |= heard.first != line.id.number;
        let shown = if heard.several {
            line.id.to_string()
        } else {
            component.to_owned()
        };
        let shown = paint::cut(&shown, WIDEST);
        self.width = self.width.max(paint::width(&shown));
        let time = self
            .zone
            .as_ref()
            .map(|zone| paint::dim(&clock(line.at, zone)) + " ");
        let name = paint::name(component, &format!("{shown:width$} |", width = self.width));
        let text = match line.stream.as_str() {
            // Said about the component, and not by it.
            ENGINE => paint::dim(&format!("-- {}", tame::plain(&line.text))),
            _ => tame::tamed(&line.text),
        };
        format!("{}{name} {text}\n", time.unwrap_or_default())
    }
}

/// The time of day, and of another day with its date.
fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%m-%d %H:%M:%S%.3f")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::{at, shown};
    use super::*;
    use towpath_model::run::InstanceId;
    use towpath_model::unit::{Name, Unit};

    fn said(component: &str, number: u64, stream: &str, text: &str) -> LogLine {
        LogLine {
            at: at(0),
            id: InstanceId::new(&Name::parse(component).expect("it is a name"), number),
            stream: stream.to_owned(),
            text: text.to_owned(),
        }
    }

    fn all(mut lines: Lines, said: &[LogLine]) -> String {
        let text: String = said.iter().map(|line| lines.line(line)).collect();
        shown(&text)
    }

    #[test]
    fn lines_stand_behind_the_name_of_who_wrote_them() {
        let text = all(
            Lines::new(["web", "mailer"], None),
            &[
                said("web", 1, "out", "listening on 4711"),
                said("mailer", 2, "err", "\u{1b}]0;title\u{7}no mail"),
                said("web", 1, "engine", "killed: out of memory at 256 MiB"),
                said("web", 3, "out", "listening on 4712"),
            ],
        );
        insta::assert_snapshot!(text, @r"
        web    | listening on 4711
        mailer | no mail
        web    | -- killed: out of memory at 256 MiB
        web.3  | listening on 4712
        ");
    }

    #[test]
    fn times_are_in_the_zone_of_the_reader() {
        let zone = TimeZone::get("Asia/Singapore").expect("it is bundled");
        let text = all(Lines::new(["web"], Some(zone)), &[said("web", 1, "out", "ok")]);
        insta::assert_snapshot!(text, @"11-21 19:20:00.000 web | ok");
    }
}
