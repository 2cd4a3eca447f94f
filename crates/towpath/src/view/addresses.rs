//! What runs now and where it is reached: what `up` says when everything has settled.

use super::measure::counted;
use super::paint;
use super::status::plain_http;
use crate::columns::{Align, columns};
use std::collections::BTreeMap;
use std::fmt::Write;
use towpath_api::{Component, Same, Status};

/// The most rows that somebody reads who only wanted to start something.
const MOST: usize = 20;

/// The addresses, or the first of many.
pub(crate) fn addresses(status: &Status) -> String {
    let all = &status.components;
    let few = all.len() <= MOST;
    let shown: Vec<&Component> = all
        .iter()
        .filter(|component| few || component.url.is_some())
        .take(MOST)
        .collect();
    let mut text = String::new();
    if !shown.is_empty() {
        let head = ["name", "kind", "state", "address"].map(paint::dim).to_vec();
        let rows: Vec<Vec<String>> = std::iter::once(head)
            .chain(shown.iter().map(|one| row(one)))
            .collect();
        text.push_str(&columns(&rows, &[Align::Left; 4]));
    }
    if !few {
        let public = all.iter().filter(|component| component.url.is_some()).count();
        let _ = writeln!(text, "  {}", counts(all));
        if public > shown.len() {
            let more = public - shown.len();
            let noun = if more == 1 { "address" } else { "addresses" };
            let _ = writeln!(text, "  and {more} more {noun}; `towpath status` tells all");
        }
    }
    if all.iter().any(|component| component.url.is_some()) {
        text.push_str(&plain_http(status));
    }
    text
}

/// What runs already, where there was nothing to do.
pub(crate) fn same_addresses(same: &Same) -> String {
    let rows: Vec<Vec<String>> = same
        .addresses
        .iter()
        .take(MOST)
        .map(|(name, url)| vec![paint::bold(name), url.clone()])
        .collect();
    let all = counted(same.components, "component");
    format!(
        "nothing to do: {all}, all well\n{}",
        columns(&rows, &[Align::Left; 2])
    )
}

fn row(component: &Component) -> Vec<String> {
    let address = component.url.as_deref().or(component.inside.as_deref());
    vec![
        paint::bold(&component.name),
        component.kind.word().to_owned(),
        paint::state(component.state),
        address.unwrap_or("-").to_owned(),
    ]
}

/// `10000 components: 9998 ready, 2 failed`.
pub(crate) fn counts(components: &[Component]) -> String {
    let mut counts: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for component in components {
        let entry = counts
            .entry(component.state.word())
            .or_insert_with(|| (0, paint::state(component.state)));
        entry.0 += 1;
    }
    let mut counts: Vec<(usize, String)> = counts.into_values().collect();
    counts.sort_by(|one, other| other.cmp(one));
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(count, state)| format!("{count} {state}"))
        .collect();
    format!(
        "{}: {}",
        counted(components.len(), "component"),
        counts.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::{component, shown, status};
    use super::*;
    use towpath_model::run::{Kind, State};

    #[test]
    fn a_few_components_are_all_there() {
        let mut web = component("web", Kind::Service, State::Ready);
        web.url = Some("https://web.shop.localhost:8443".to_owned());
        let mut api = component("api", Kind::Service, State::Looping);
        api.inside = Some("http://127.0.0.1:4711".to_owned());
        let bot = component("a-bot", Kind::Bot, State::Ready);
        insta::assert_snapshot!(shown(&addresses(&status(vec![bot, api, web]))), @r"
        name   kind     state          address
        a-bot  bot      ready          -
        api    service  crash-looping  http://127.0.0.1:4711
        web    service  ready          https://web.shop.localhost:8443
        plain HTTP: port 8080
        ");
    }

    #[test]
    fn of_many_components_the_first_addresses_are_shown() {
        let many = (0..10_000).map(|number| {
            let state = if number == 7 { State::Failed } else { State::Ready };
            let mut one = component(&format!("c{number:04}"), Kind::Service, state);
            one.url = (number % 2 == 0).then(|| format!("https://c{number:04}.shop.localhost:8443"));
            one
        });
        let text = shown(&addresses(&status(many.collect())));
        assert_eq!(text.lines().count(), 1 + MOST + 3);
        assert!(
            text.ends_with("10000 components: 9999 ready, 1 failed\n  and 4980 more addresses; `towpath status` tells all\n  plain HTTP: port 8080\n"),
            "{text}"
        );
    }
}
