//! Why a component is in the state that it is in.

use super::{paint, status, tame};
use jiff::Timestamp;
use std::fmt::Write;
use towpath_api::Explained;

/// The whole reason.
pub(crate) fn explained(explained: &Explained, now: Timestamp) -> String {
    let component = &explained.component;
    let name = &component.name;
    let kind = component.kind.word();
    let state = paint::state(component.state);
    let mut text = format!("{} ({kind}) is {state}\n", paint::bold(name));
    let _ = writeln!(text, "  because  {}", tame::plain(&component.because));
    if let Some(place) = &explained.place {
        let _ = writeln!(text, "  said at  {}", tame::plain(place));
    }
    if let Some(address) = component.url.as_ref().or(component.inside.as_ref()) {
        let _ = writeln!(text, "  address  {address}");
    }
    for instance in &component.instances {
        let pid = instance
            .pid
            .map(|pid| format!(", process {pid}"))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "  {} is {} for {}{pid}: {}",
            instance.id,
            paint::state(instance.state),
            super::measure::ago(instance.since, now),
            tame::plain(&instance.because)
        );
    }
    section(&mut text, "it needs", &explained.needs);
    section(&mut text, "what was done, newest first", &explained.history);
    section(&mut text, "what can be done", &explained.next);
    if explained.next.is_empty() && status::is_bad(component.state) {
        let _ = writeln!(text, "\n`towpath logs {name}` prints what it said");
    }
    text
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    for line in lines {
        let _ = writeln!(text, "  {}", tame::plain(line));
    }
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::{at, component, instance, shown};
    use towpath_model::run::{Kind, State};

    #[test]
    fn a_state_is_explained_with_its_history() {
        let mut api = component("api", Kind::Service, State::Looping);
        api.because = "ended with code 1 5 times in 30s".to_owned();
        api.instances = vec![instance("api", 4, State::Looping, "again in 16s")];
        let why = towpath_api::Explained {
            component: api,
            place: Some("towpath.toml:12".to_owned()),
            needs: vec!["db: ready".to_owned()],
            history: vec!["16:00:02 restart: it ended with code 1".to_owned()],
            next: vec!["towpath logs api".to_owned()],
        };
        insta::assert_snapshot!(shown(&super::explained(&why, at(0))), @r"
        api (service) is crash-looping
          because  ended with code 1 5 times in 30s
          said at  towpath.toml:12
          api.4 is crash-looping for 3h 20m, process 4711: again in 16s

        it needs
          db: ready

        what was done, newest first
          16:00:02 restart: it ended with code 1

        what can be done
          towpath logs api
        ");
    }
}
