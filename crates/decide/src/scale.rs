//! Scaling by hand: how many instances of a component a person may ask for.
//!
//! The manifest decides what can be asked for. A thing without a process has no instances, a job runs when it is its time,
//! and of what is single, listens on a port of its own, or stands in for something outside, there is one at most. Where the
//! manifest gives room to grow (`replicas` with a `max`), its end is the end here, too. Where it says nothing, a person may
//! try what the product does with more of it, up to what one machine can be expected to bear. None is always a number: it is
//! how something is left out for a while.

use towpath_model::run::{Component, Kind};

/// The most instances of one component where the manifest names no end. A number that was typed with a zero too many must
/// not take the machine down.
const MOST: u32 = 100;

/// Why so many are refused, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub message: String,
    /// The next step.
    pub hint: String,
}

/// Whether so many instances may be asked for.
pub fn scale(component: &Component, instances: u32) -> Result<(), Refusal> {
    let name = component.name.as_str();
    let refuse = |message: String, hint: String| Err(Refusal { message, hint });
    match component.kind {
        Kind::Site => {
            return refuse(
                format!("site `{name}` has no process: its files are served by Towpath itself"),
                "however many ask, there is nothing to scale; `towpath stop` takes it away".to_owned(),
            );
        }
        Kind::Extension => {
            return refuse(
                format!("extension `{name}` has no process: it is packed, and runs in browsers"),
                format!("`towpath restart {name}` packs it again"),
            );
        }
        Kind::Job => {
            return refuse(
                format!("job `{name}` has one run at a time"),
                format!("`towpath start {name}` runs it now, `towpath stop {name}` keeps it from running"),
            );
        }
        _ => {}
    }
    let fixed = component.listens.as_ref().and_then(|listens| listens.port);
    let only = match (component.kind, fixed) {
        (Kind::StandIn, _) => Some((
            format!("`{name}` stands in for something outside, of which there is one"),
            format!("`towpath scale {name}=1`"),
        )),
        _ if component.single => Some((
            format!(
                "{} `{name}` is single: two of it at once would do everything twice",
                component.kind
            ),
            format!("`towpath scale {name}=1`, or 0 for none"),
        )),
        (_, Some(port)) => Some((
            format!(
                "{} `{name}` listens on port {port}, and two cannot listen on one port",
                component.kind
            ),
            format!(
                "take `port` out, and let it listen on PORT: each instance is given one of its own ({}:{})",
                component.at.file, component.at.line
            ),
        )),
        _ => None,
    };
    if let Some((message, hint)) = only.filter(|_| instances > 1) {
        return refuse(message, hint);
    }
    if component.most > component.instances && instances > component.most {
        return refuse(
            format!("the manifest lets {} of `{name}` run at most", component.most),
            format!(
                "raise `max` of its `replicas` ({}:{}), or ask for fewer",
                component.at.file, component.at.line
            ),
        );
    }
    if instances > MOST {
        return refuse(
            format!("{instances} of `{name}` are more than one machine is asked to run: {MOST} at most"),
            format!(
                "ask for fewer, or set `max` of its `replicas` ({}:{})",
                component.at.file, component.at.line
            ),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tend::tests::service;

    fn told(component: &Component, instances: u32) -> String {
        match scale(component, instances) {
            Ok(()) => "yes".to_owned(),
            Err(refusal) => refusal.message,
        }
    }

    #[test]
    fn what_has_no_instances_is_not_scaled() {
        let of = |kind| Component {
            kind,
            ..service("it", &[])
        };
        assert_eq!(
            told(&of(Kind::Site), 1),
            "site `it` has no process: its files are served by Towpath itself"
        );
        assert_eq!(
            told(&of(Kind::Extension), 2),
            "extension `it` has no process: it is packed, and runs in browsers"
        );
        assert_eq!(told(&of(Kind::Job), 3), "job `it` has one run at a time");
    }

    #[test]
    fn of_some_there_is_one_or_none() {
        let bot = Component {
            kind: Kind::Bot,
            single: true,
            ..service("bot", &[])
        };
        assert_eq!(
            told(&bot, 3),
            "bot `bot` is single: two of it at once would do everything twice"
        );
        assert_eq!(
            (told(&bot, 0), told(&bot, 1)),
            ("yes".to_owned(), "yes".to_owned())
        );
        let mut fixed = service("web", &[]);
        if let Some(listens) = &mut fixed.listens {
            listens.port = Some(8000);
        }
        assert_eq!(
            told(&fixed, 2),
            "service `web` listens on port 8000, and two cannot listen on one port"
        );
    }

    #[test]
    fn the_end_that_the_manifest_names_holds_and_otherwise_a_machine_has_one() {
        let grows = Component {
            instances: 2,
            most: 4,
            ..service("web", &[])
        };
        assert_eq!(told(&grows, 4), "yes");
        assert_eq!(told(&grows, 5), "the manifest lets 4 of `web` run at most");
        let plain = service("web", &[]);
        assert_eq!(told(&plain, 3), "yes");
        assert_eq!(
            told(&plain, 100_000),
            "100000 of `web` are more than one machine is asked to run: 100 at most"
        );
    }
}
