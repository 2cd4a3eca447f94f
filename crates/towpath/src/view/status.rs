//! How everything is, as a table, and below it what is not well.

use super::measure::{ago, bytes, counted, cpu};
use super::{asked, paint, tame};
use crate::columns::{Align, columns};
use jiff::Timestamp;
use std::fmt::Write;
use std::net::IpAddr;
use towpath_api::{Component, Status, Steward};
use towpath_model::run::{Certified, State};

/// All of it.
pub(crate) fn status(status: &Status, now: Timestamp) -> String {
    let mut text = heading(status, now);
    if !status.components.is_empty() {
        text.push('\n');
        text.push_str(&table(status, now));
    }
    text.push_str(&asked::requests(status));
    text.push_str(&asked::edge(status, now));
    text.push_str(&asked::left_out(status, now));
    let kept: Vec<String> = status.components.iter().filter_map(keeps).collect();
    if !kept.is_empty() {
        let _ = write!(text, "\nkept\n{}", kept.concat());
    }
    let timed: Vec<String> = status.components.iter().filter_map(timed).collect();
    if !timed.is_empty() {
        let _ = write!(text, "\nby schedule\n{}", timed.concat());
    }
    if !status.certificates.is_empty() {
        let certificates: Vec<String> = status.certificates.iter().map(certified).collect();
        let _ = write!(text, "\ncertificates\n{}", certificates.concat());
    }
    let unwell: Vec<&Component> = status.components.iter().filter(|one| is_bad(one.state)).collect();
    if !unwell.is_empty() {
        text.push_str("\nnot well\n");
        for component in unwell {
            text.push_str(&why(component));
        }
    }
    if !status.notes.is_empty() {
        text.push_str("\nto know\n");
        for note in &status.notes {
            let _ = writeln!(text, "  {}", tame::plain(note));
        }
    }
    text
}

/// What a resource keeps; nothing of what keeps nothing.
fn keeps(component: &Component) -> Option<String> {
    let keeps = component.keeps.as_ref()?;
    let version = keeps
        .version
        .as_ref()
        .map(|version| format!(" {}", tame::plain(version)));
    let of = |count: u64, what: &str| counted(usize::try_from(count).unwrap_or(usize::MAX), what);
    let objects = keeps.objects.map(|count| of(count, "object"));
    let connections = keeps.connections.map(|count| of(count.into(), "connection"));
    let held: Vec<String> = [Some(bytes(keeps.bytes)), objects, connections]
        .into_iter()
        .flatten()
        .collect();
    let backup = match keeps.last_backup {
        Some(at) => format!("backed up {at:.0}"),
        None => "never backed up".to_owned(),
    };
    let name = tame::plain(&component.name);
    let (kind, version) = (component.kind, version.unwrap_or_default());
    Some(format!(
        "  {name}: {kind}{version}, {}, {backup}\n",
        held.join(", ")
    ))
}

/// From where the certificate of a domain comes, until when it holds, and what is next; below it what is wrong.
fn certified(one: &Certified) -> String {
    let until = one
        .until
        .map(|until| format!(", until {until:.0}"))
        .unwrap_or_default();
    let (domain, from, next) = (
        tame::plain(&one.domain),
        tame::plain(&one.from),
        tame::plain(&one.next),
    );
    let wrong = one
        .wrong
        .as_ref()
        .map(|wrong| format!("    {}\n", tame::plain(wrong)));
    let stapled = one.stapled.as_deref().map(tame::plain);
    let stapled = stapled.map(|stapled| format!("    the word of its authority {stapled}\n"));
    format!(
        "  {domain}: from {from}{until}; {next}\n{}{}",
        stapled.unwrap_or_default(),
        wrong.unwrap_or_default()
    )
}

/// What a schedule has to do with how it is; nothing of what is not well, which is told below.
fn timed(component: &Component) -> Option<String> {
    component.schedule.as_ref().filter(|_| !is_bad(component.state))?;
    let (name, because) = (tame::plain(&component.name), tame::plain(&component.because));
    Some(format!("  {name}: {because}\n"))
}

/// Whether a person has to look at it.
pub(crate) fn is_bad(state: State) -> bool {
    matches!(
        state,
        State::Degraded | State::Blocked | State::Unwell | State::Looping | State::Failed
    )
}

/// What it is, and who looks after it.
pub(crate) fn heading(status: &Status, now: Timestamp) -> String {
    if let (Some(steward), true) = (&status.steward, status.product.is_empty()) {
        let pid = steward.pid;
        return format!(
            "a steward is here (process {pid}), and nothing was asked of it yet\n  `towpath up` does\n"
        );
    }
    let what = paint::bold(&format!("{} in {}", status.product, status.environment));
    match &status.steward {
        Some(steward) => {
            let (since, pid) = (ago(steward.since, now), steward.pid);
            format!(
                "{what}, looked after by process {pid} for {since} (towpath {})\n{}",
                steward.version,
                plain_http(status)
            )
        }
        None => {
            let living = status.components.iter().map(|one| one.instances.len()).sum();
            let run = if living == 1 { "runs" } else { "run" };
            let keepers = if living == 1 {
                "its keeper"
            } else {
                "their keepers"
            };
            format!(
                "{what}, looked after by nobody: {} {run} on under {keepers}\n  `towpath up` takes over\n",
                counted(living, "instance"),
            )
        }
    }
}

/// The port at which plain HTTP is taken, for whoever has not made the certificates known; nothing where there is none.
pub(crate) fn plain_http(status: &Status) -> String {
    let Some((steward, port)) = status.steward.as_ref().and_then(|one| Some((one, one.http?))) else {
        return String::new();
    };
    format!("  plain HTTP: port {port}\n{}", reached(steward))
}

/// Who reaches it, where that is not just whoever works on this machine.
fn reached(steward: &Steward) -> String {
    let all = |is: fn(&str) -> bool| steward.listens.iter().all(|address| is(address));
    let addresses = steward.listens.iter().map(|address| tame::plain(address));
    let addresses = addresses.collect::<Vec<_>>().join(" and ");
    if all(|address| matches!(address, "127.0.0.1" | "::1")) {
        String::new()
    } else if all(|address| {
        address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
    }) {
        format!("  listens on {addresses}, for this machine alone\n")
    } else {
        format!("  listens on {addresses}, for everybody\n")
    }
}

fn table(status: &Status, now: Timestamp) -> String {
    const HEAD: &[&str] = &[
        "name",
        "kind",
        "state",
        "instances",
        "restarts",
        "memory",
        "cpu",
        "since",
        "address",
    ];
    let head = HEAD.iter().map(|word| paint::dim(word)).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head)
        .chain(
            status
                .components
                .iter()
                .map(|component| row(status, component, now)),
        )
        .collect();
    let mut aligned = [Align::Right; HEAD.len()];
    for left in [0, 1, 2, 8] {
        aligned[left] = Align::Left;
    }
    columns(&rows, &aligned)
}

fn row(status: &Status, component: &Component, now: Timestamp) -> Vec<String> {
    let instances = &component.instances;
    let none = || "-".to_owned();
    // Keepers count restarts; what is used is measured by a steward.
    let counted = !instances.is_empty();
    let measured = counted && status.steward.is_some();
    let memory: u64 = instances.iter().map(|one| one.memory_bytes).sum();
    let used: f64 = instances.iter().map(|one| one.cpu_percent).sum();
    let restarts: u32 = instances.iter().map(|one| one.restarts).sum();
    let since = instances.iter().map(|one| one.since).max();
    let address = component.url.as_ref().or(component.inside.as_ref());
    vec![
        paint::bold(&component.name),
        component.kind.word().to_owned(),
        paint::state(component.state),
        living(component),
        if counted { restarts.to_string() } else { none() },
        if measured { bytes(memory) } else { none() },
        if measured { cpu(used) } else { none() },
        since.map_or_else(none, |since| ago(since, now)),
        address.cloned().unwrap_or_else(none),
    ]
}

/// `2`, or `1 of 2` where not all of them are well, or `2, 1 out` where one of them is left out.
pub(crate) fn living(component: &Component) -> String {
    let all = component.instances.len();
    let well = component
        .instances
        .iter()
        .filter(|one| one.state.is_well())
        .count();
    match (all, well) {
        (0, _) => "-".to_owned(),
        (all, well) if all == well => {
            let out = component.instances.iter().filter(|one| one.left_out.is_some());
            match out.count() {
                0 => all.to_string(),
                out => format!("{all}, {out} out"),
            }
        }
        (all, well) => format!("{well} of {all}"),
    }
}

/// A component that is not well, why, and what to do.
fn why(component: &Component) -> String {
    let name = &component.name;
    let state = paint::state(component.state);
    let mut text = format!(
        "  {} {state}: {}\n",
        paint::bold(name),
        tame::plain(&component.because)
    );
    for instance in &component.instances {
        if is_bad(instance.state) && instance.because != component.because {
            let _ = writeln!(text, "      {}: {}", instance.id, tame::plain(&instance.because));
        }
    }
    let _ = writeln!(
        text,
        "      `towpath logs {name}` prints what it said, `towpath explain {name}` tells more"
    );
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use towpath_api::{Instance, Steward};
    use towpath_model::run::{InstanceId, Kind};
    use towpath_model::unit::{Name, Unit};

    /// Seconds after the epoch of these tests.
    pub(crate) fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_260_000 + seconds).expect("it is a time")
    }

    pub(crate) fn component(name: &str, kind: Kind, state: State) -> Component {
        Component {
            name: name.to_owned(),
            kind,
            state,
            because: "the manifest wants it".to_owned(),
            url: None,
            inside: None,
            requests: 0,
            lately: None,
            vitals: std::collections::BTreeMap::new(),
            instances: Vec::new(),
            schedule: None,
            keeps: None,
        }
    }

    pub(crate) fn instance(component: &str, number: u64, state: State, because: &str) -> Instance {
        let component = Name::parse(component).expect("it is a name");
        Instance {
            id: InstanceId::new(&component, number),
            pid: Some(4_711),
            state,
            because: because.to_owned(),
            restarts: 3,
            memory_bytes: 12_900_000,
            cpu_percent: 0.44,
            since: at(-12_000),
            left_out: None,
        }
    }

    pub(crate) fn status(components: Vec<Component>) -> Status {
        Status {
            product: "shop".to_owned(),
            environment: "dev".to_owned(),
            steward: Some(Steward {
                pid: 4_242,
                since: at(-90_000),
                version: "0.1.0".to_owned(),
                http: Some(8_080),
                https: Some(8_443),
                listens: vec!["127.0.0.1".to_owned(), "::1".to_owned()],
            }),
            components,
            edge: None,
            notes: Vec::new(),
            certificates: Vec::new(),
        }
    }

    /// Without colors, and with no two spaces in front of everything.
    pub(crate) fn shown(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    fn shop() -> Status {
        let mut web = component("web", Kind::Service, State::Degraded);
        web.because = "1 of 2 instances is well".to_owned();
        web.url = Some("https://web.shop.localhost:8443".to_owned());
        web.instances = vec![
            instance("web", 1, State::Ready, "it answers"),
            instance(
                "web",
                2,
                State::Looping,
                "ended with code 1 5 times in 30s; again in 16s",
            ),
        ];
        let mut mail = component("mail", Kind::Worker, State::Failed);
        mail.because = "its build failed: \u{1b}[31mended with code 1".to_owned();
        status(vec![component("clean", Kind::Job, State::Scheduled), mail, web])
    }

    #[test]
    fn what_is_not_well_stands_below_with_its_reason_and_what_to_do() {
        let mut shop = shop();
        shop.notes
            .push("limits are watched and not kept: cgroups may not be made here".to_owned());
        insta::assert_snapshot!(shown(&super::status(&shop, at(0))), @r"
        shop in dev, looked after by process 4242 for 1d 1h (towpath 0.1.0)
          plain HTTP: port 8080

          name   kind     state      instances  restarts    memory   cpu   since  address
          clean  job      scheduled          -         -         -     -       -  -
          mail   worker   failed             -         -         -     -       -  -
          web    service  degraded      1 of 2         6  24.6 MiB  0.9%  3h 20m  https://web.shop.localhost:8443

        not well
          mail failed: its build failed: ended with code 1
              `towpath logs mail` prints what it said, `towpath explain mail` tells more
          web degraded: 1 of 2 instances is well
              web.2: ended with code 1 5 times in 30s; again in 16s
              `towpath logs web` prints what it said, `towpath explain web` tells more

        to know
          limits are watched and not kept: cgroups may not be made here
        ");
    }

    #[test]
    fn what_runs_on_without_a_steward_is_told_so() {
        let mut shop = shop();
        shop.steward = None;
        insta::assert_snapshot!(shown(&heading(&shop, at(0))), @r"
        shop in dev, looked after by nobody: 2 instances run on under their keepers
          `towpath up` takes over
        ");
    }

    #[test]
    fn a_state_is_told_by_its_word_and_not_by_its_color_alone() {
        let colored = super::status(&shop(), at(0));
        assert!(colored.contains("\u{1b}[31mfailed\u{1b}[0m"));
        assert!(shown(&colored).contains("failed"));
    }
}
