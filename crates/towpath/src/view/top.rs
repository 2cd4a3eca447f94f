//! The live table of `top`.

use super::measure::{ago, bytes, counted, cpu};
use super::{asked, status, tame};
use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};
use std::cmp::Ordering;
use towpath_api::{Component, Lately, Status};
use towpath_model::run::State;

/// What is sorted by.
const COLUMNS: &[&str] = &[
    "name",
    "state",
    "instances",
    "cpu",
    "memory",
    "restarts",
    "requests",
    "req/s",
    "errors",
    "p95",
    "since",
];

/// How wide each column is; the first one takes what is left, and needs so much.
const WIDTHS: &[u16] = &[10, 14, 11, 9, 10, 10, 11, 9, 8, 8, 9];

/// The columns that go first where the screen is narrow: what is asked least.
const GO_FIRST: &[usize] = &[6, 10, 5, 2, 4, 8, 9, 7, 3];

/// What is on the screen besides the numbers themselves.
#[derive(Debug, Default)]
pub(crate) struct Top {
    column: usize,
    reversed: bool,
    row: TableState,
}

/// A key that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Left,
    Right,
    Up,
    Down,
    Reverse,
}

impl Top {
    /// Does what a key means.
    pub(crate) fn press(&mut self, key: Key) {
        match key {
            Key::Left => self.column = self.column.checked_sub(1).unwrap_or(COLUMNS.len() - 1),
            Key::Right => self.column = (self.column + 1) % COLUMNS.len(),
            Key::Up => self.row.select_previous(),
            Key::Down => self.row.select_next(),
            Key::Reverse => self.reversed = !self.reversed,
        }
    }

    /// The components as they are sorted now. Names are read from A; of what is counted, the most comes first.
    fn sorted<'a>(&self, components: &'a [Component]) -> Vec<&'a Component> {
        let mut sorted: Vec<&Component> = components.iter().collect();
        sorted.sort_by(|one, other| {
            let order = compare(self.column, one, other);
            if self.reversed { order.reverse() } else { order }
        });
        sorted
    }

    /// Draws all of it.
    pub(crate) fn draw(&mut self, frame: &mut Frame<'_>, now: &Status, at: Timestamp, color: bool) {
        let areas = Layout::vertical([Constraint::Length(2), Constraint::Fill(1), Constraint::Length(1)]);
        let [above, middle, below] = areas.areas(frame.area());
        frame.render_widget(Paragraph::new(heading(now, at)), above);
        let shown = shown(middle.width, self.column);
        let head = shown
            .iter()
            .map(|column| (*column, COLUMNS[*column]))
            .map(|(column, word)| {
                let mark = match (column == self.column, self.reversed) {
                    (false, _) => "",
                    (true, false) => " ↓",
                    (true, true) => " ↑",
                };
                Cell::new(right(column, format!("{word}{mark}")))
            });
        let rows = self.sorted(&now.components).into_iter().map(|component| {
            let cells = cells(component, at);
            let cells = cells.into_iter().enumerate();
            let cells = cells.filter(|(column, _)| shown.contains(column));
            Row::new(cells.map(|(column, text)| {
                let style = if column == 1 && color {
                    tint(component.state)
                } else {
                    Style::new()
                };
                Cell::new(right(column, text)).style(style)
            }))
        });
        let widths = shown.iter().map(|column| match column {
            0 => Constraint::Fill(1),
            column => Constraint::Length(WIDTHS[*column]),
        });
        let table = Table::new(rows, widths)
            .header(Row::new(head).style(Style::new().add_modifier(Modifier::BOLD)))
            .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
        frame.render_stateful_widget(table, middle, &mut self.row);
        let keys = "q ends   ← → choose what is sorted by   r turns it round   ↑ ↓ move";
        frame.render_widget(
            Paragraph::new(keys).style(Style::new().add_modifier(Modifier::DIM)),
            below,
        );
    }
}

/// The columns that a screen of this width has room for. What is sorted by stays.
fn shown(width: u16, sorted_by: usize) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..COLUMNS.len()).collect();
    let needed = |shown: &[usize]| shown.iter().map(|column| WIDTHS[*column] + 1).sum::<u16>() - 1;
    for gone in GO_FIRST.iter().filter(|column| **column != sorted_by) {
        if needed(&shown) <= width {
            break;
        }
        shown.retain(|column| column != gone);
    }
    shown
}

fn heading(now: &Status, at: Timestamp) -> Vec<Line<'static>> {
    let memory: u64 = instances(&now.components).map(|one| one.memory_bytes).sum();
    let used: f64 = instances(&now.components).map(|one| one.cpu_percent).sum();
    let steward = match &now.steward {
        Some(steward) => format!("steward {} for {}", steward.pid, ago(steward.since, at)),
        None => "looked after by nobody".to_owned(),
    };
    let unwell = now
        .components
        .iter()
        .filter(|one| status::is_bad(one.state))
        .count();
    let unwell = if unwell == 0 {
        "all well".to_owned()
    } else {
        format!("{unwell} not well")
    };
    let edge = now.edge.as_ref().map(|edge| {
        let (rate, memory) = (asked::rate(edge.per_second), bytes(edge.memory_bytes));
        format!("edge {}: {} open, {rate}, {memory}", edge.pid, edge.connections)
    });
    vec![
        Line::from(format!(
            "{} in {}: {}, {unwell}, {} of memory, {} of a core; {steward}",
            now.product,
            now.environment,
            counted(now.components.len(), "component"),
            bytes(memory),
            cpu(used),
        )),
        Line::from(
            now.notes
                .first()
                .map(|note| tame::plain(note))
                .or(edge)
                .unwrap_or_default(),
        ),
    ]
}

fn instances(components: &[Component]) -> impl Iterator<Item = &towpath_api::Instance> {
    components.iter().flat_map(|component| &component.instances)
}

fn compare(column: usize, one: &Component, other: &Component) -> Ordering {
    let memory = |component: &Component| {
        component
            .instances
            .iter()
            .map(|one| one.memory_bytes)
            .sum::<u64>()
    };
    let used = |component: &Component| component.instances.iter().map(|one| one.cpu_percent).sum::<f64>();
    let restarts = |component: &Component| component.instances.iter().map(|one| one.restarts).sum::<u32>();
    let since = |component: &Component| component.instances.iter().map(|one| one.since).max();
    let lately = |component: &Component, of: fn(&Lately) -> f64| component.lately.as_ref().map_or(-1.0, of);
    let often = |component: &Component| lately(component, |lately| lately.per_second);
    let failing = |component: &Component| lately(component, |lately| lately.error_share);
    let slow = |component: &Component| lately(component, |lately| lately.p95_ms.unwrap_or(-1.0));
    let order = match COLUMNS[column] {
        "state" => {
            let rank = |component: &Component| (!status::is_bad(component.state), component.state.is_well());
            rank(one)
                .cmp(&rank(other))
                .then(one.state.word().cmp(other.state.word()))
        }
        "instances" => other.instances.len().cmp(&one.instances.len()),
        "cpu" => used(other).total_cmp(&used(one)),
        "memory" => memory(other).cmp(&memory(one)),
        "restarts" => restarts(other).cmp(&restarts(one)),
        "requests" => other.requests.cmp(&one.requests),
        "req/s" => often(other).total_cmp(&often(one)),
        "errors" => failing(other).total_cmp(&failing(one)),
        "p95" => slow(other).total_cmp(&slow(one)),
        "since" => since(other).cmp(&since(one)),
        _ => Ordering::Equal,
    };
    order.then_with(|| one.name.cmp(&other.name))
}

fn cells(component: &Component, at: Timestamp) -> [String; 11] {
    let all = &component.instances;
    let restarts: u32 = all.iter().map(|one| one.restarts).sum();
    let since = all.iter().map(|one| one.since).max();
    let lately = component.lately.as_ref();
    let none = || "-".to_owned();
    [
        component.name.clone(),
        component.state.word().to_owned(),
        status::living(component),
        cpu(all.iter().map(|one| one.cpu_percent).sum()),
        bytes(all.iter().map(|one| one.memory_bytes).sum()),
        restarts.to_string(),
        component.requests.to_string(),
        lately.map_or_else(none, |lately| asked::rate(lately.per_second)),
        lately.map_or_else(none, |lately| asked::share(lately.error_share)),
        lately.map_or_else(none, asked::slowest),
        since.map_or_else(none, |since| ago(since, at)),
    ]
}

/// Words stand left, numbers right.
fn right(column: usize, text: String) -> Line<'static> {
    if column < 2 {
        Line::from(text)
    } else {
        Line::from(text).right_aligned()
    }
}

fn tint(state: State) -> Style {
    let color = match state {
        state if status::is_bad(state) => Color::Red,
        state if state.is_well() => Color::Green,
        State::Stopped => return Style::new().add_modifier(Modifier::DIM),
        _ => Color::Yellow,
    };
    Style::new().fg(color)
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::{at, component, instance, status};
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use towpath_model::run::Kind;

    fn drawn(top: &mut Top, color: bool) -> Terminal<TestBackend> {
        drawn_on(100, top, color)
    }

    fn drawn_on(width: u16, top: &mut Top, color: bool) -> Terminal<TestBackend> {
        let mut web = component("web", Kind::Service, State::Ready);
        web.requests = 1_204;
        web.lately = Some(asked::tests::lately(12.34, 0.004, 31.4));
        web.instances = vec![instance("web", 1, State::Ready, "it answers")];
        let mut api = component("api", Kind::Service, State::Looping);
        api.instances = vec![
            instance("api", 1, State::Looping, "again in 16s"),
            instance("api", 2, State::Ready, "it answers"),
        ];
        let shop = status(vec![api, web]);
        let mut terminal = Terminal::new(TestBackend::new(width, 8)).expect("nothing can fail");
        terminal
            .draw(|frame| top.draw(frame, &shop, at(0), color))
            .expect("nothing can fail");
        terminal
    }

    #[test]
    fn everything_is_sorted_by_what_was_chosen() {
        let mut top = Top::default();
        (0..5).for_each(|_| top.press(Key::Left));
        top.press(Key::Down);
        insta::assert_snapshot!(drawn(&mut top, false).backend(), @r#"
        "shop in dev: 2 components, 1 not well, 36.9 MiB of memory, 1.3% of a core; steward 4242 for 1d 1h   "
        "                                                                                                    "
        "name         state            instances       cpu     memory  requests ↓     req/s   errors      p95"
        "web          ready                    1      0.4%   12.3 MiB        1204    12.3/s     0.4%    31 ms"
        "api          crash-looping       1 of 2      0.9%   24.6 MiB           0         -        -        -"
        "                                                                                                    "
        "                                                                                                    "
        "q ends   ← → choose what is sorted by   r turns it round   ↑ ↓ move                                 "
        "#);
    }

    #[test]
    fn a_narrow_screen_keeps_names_states_and_what_is_sorted_by() {
        let mut top = Top::default();
        top.press(Key::Left);
        insta::assert_snapshot!(drawn_on(40, &mut top, false).backend(), @r#"
        "shop in dev: 2 components, 1 not well, 3"
        "                                        "
        "name            state            since ↓"
        "api             crash-looping     3h 20m"
        "web             ready             3h 20m"
        "                                        "
        "                                        "
        "q ends   ← → choose what is sorted by   "
        "#);
    }

    #[test]
    fn without_color_nothing_is_colored() {
        let colored = |color| {
            let terminal = drawn(&mut Top::default(), color);
            let cells = terminal.backend().buffer().content();
            cells
                .iter()
                .any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
        };
        assert!(colored(true));
        assert!(!colored(false));
    }
}
