//! `towpath doctor`: what is missing on this machine, and how to get it.

use super::Context;
use crate::checked::check;
use crate::cli::Doctor as Args;
use crate::door::machine::{self, Groups};
use crate::door::state;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::launched;
use crate::tools::{Look, Means, installation, look};
use crate::view::measure::bytes;
use crate::view::{paint, tame};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use towpath_api::{Edge, Steward};
use towpath_decide::launch::tools::{Verdict, requirements};
use towpath_model::Desired;
use towpath_model::run::{Certified, Listen};

/// What a watched tree of 50,000 files takes, with the same again for an editor.
const WATCHES: u64 = 131_072;

/// Watchers are few, and an editor or a desktop takes some of them.
const WATCHERS: u64 = 128;

/// A keeper has about ten open, and a thousand components should be no question.
const OPEN_FILES: u64 = 16_384;

/// With less room than this a build or an hour of logs may fill the disk.
const ROOM: u64 = 1 << 30;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Well,
    /// It works, and less well than it could.
    Doubtful,
    /// Something will not work.
    Missing,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    what: String,
    health: Health,
    says: String,
    /// What to type.
    fix: Vec<String>,
}

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Start)?;
    let checked = check(Some(&here.folder))?;
    let (product, _) = checked.product(None)?;
    let desired = checked
        .product(Some(&here.environment))
        .map_or(product, |(desired, _)| desired);
    let terminal = context.terminal;
    let product = launched::look_at(
        &here.place,
        &checked,
        &here.environment,
        terminal.color_errors,
        &mut |text| terminal.tell(text),
    )?;
    let means = Means::here();
    let needs = requirements(&product);
    let mut checks = tools(&look(&needs), means);
    checks.push(groups(machine::groups()));
    checks.extend(limits(means));
    checks.push(room(machine::room(&here.folder)));
    checks.push(trust(&state::certificate(), machine::is_trusted, means));
    let running = here.state.is_there().then(|| crate::talk::status(&here));
    if let Some(Ok(status)) = &running {
        let mut edge = edge(status.edge.as_ref(), here.state.may_log_requests());
        if let Some(steward) = status.steward.as_ref().filter(|_| edge.health == Health::Well) {
            edge.says.push_str(&listens(steward));
        }
        checks.push(edge);
        checks.extend(status.certificates.iter().map(certificate));
    } else {
        checks.extend(ports(&fixed_ports(desired), machine::is_free));
        checks.extend(door(&product.front.listen, &here.environment));
    }
    context.terminal.result(&shown(&checks))?;
    let missing = checks
        .iter()
        .filter(|check| check.health == Health::Missing)
        .count();
    match missing {
        0 => Ok(()),
        1 => Err(Failure::new(Kind::Remote, "something is missing on this machine")
            .hint("type what stands below it")),
        _ => Err(Failure::new(
            Kind::Remote,
            format!("{missing} things are missing on this machine"),
        )
        .hint("type what stands below them")),
    }
}

fn tools(looks: &[Look<'_>], means: Means) -> Vec<Check> {
    let mut checks: Vec<Check> = looks
        .iter()
        .map(|look| {
            let (verdict, says) = match &look.verdict {
                Verdict::Fits => (Health::Well, "is here".to_owned()),
                Verdict::Other { found } => (
                    Health::Doubtful,
                    format!("{found} is here, which is another version"),
                ),
                Verdict::Missing => (Health::Missing, "is not here".to_owned()),
                Verdict::Unclear => (
                    Health::Doubtful,
                    "is here, and its version cannot be read".to_owned(),
                ),
            };
            Check {
                what: look.name(),
                health: verdict,
                says,
                fix: Vec::new(),
            }
        })
        .collect();
    let installation = installation(looks, means);
    if let Some(last) = checks.iter_mut().rfind(|check| check.health == Health::Missing) {
        if installation.only_root {
            last.fix
                .push("# as root, since there is no sudo here:".to_owned());
        }
        last.fix.extend(installation.command);
        last.fix.extend(
            installation
                .by_hand
                .iter()
                .map(|tool| format!("# by hand: {tool}")),
        );
    }
    checks
}

fn groups(groups: Groups) -> Check {
    let (health, says, fix) = match groups {
        Groups::Second => (Health::Well, "kept by cgroups, version 2", Vec::new()),
        Groups::First => (Health::Well, "kept by cgroups, version 1", Vec::new()),
        Groups::Denied => (
            Health::Doubtful,
            "memory is watched, processor and processes are not limited: cgroups may not be made here",
            vec!["systemd-run --user --scope --property=Delegate=yes towpath up".to_owned()],
        ),
    };
    Check {
        what: "limits".to_owned(),
        health,
        says: says.to_owned(),
        fix,
    }
}

/// Limits of the system that are often too small.
fn limits(means: Means) -> Vec<Check> {
    let kernel = |what: &str, key: &str, here: Option<u64>, least: u64| {
        let fix = means.as_root(&format!("sysctl --write {key}={least}"));
        number(what, here, least, fix)
    };
    vec![
        kernel(
            "watched files",
            "fs.inotify.max_user_watches",
            machine::watches(),
            WATCHES,
        ),
        kernel(
            "watchers",
            "fs.inotify.max_user_instances",
            machine::watchers(),
            WATCHERS,
        ),
        number(
            "open files",
            machine::open_files(),
            OPEN_FILES,
            format!("ulimit -n {OPEN_FILES}"),
        ),
    ]
}

fn number(what: &str, here: Option<u64>, least: u64, fix: String) -> Check {
    let (health, says, fix) = match here {
        Some(here) if here >= least => (Health::Well, format!("{here} are allowed"), Vec::new()),
        Some(here) => (
            Health::Doubtful,
            format!("{here} are allowed, and {least} are better"),
            vec![fix],
        ),
        None => (Health::Well, "no limit is known".to_owned(), Vec::new()),
    };
    Check {
        what: what.to_owned(),
        health,
        says,
        fix,
    }
}

fn room(free: Option<u64>) -> Check {
    let (health, says) = match free {
        Some(free) if free < ROOM => (Health::Doubtful, format!("only {} are free", bytes(free))),
        Some(free) => (Health::Well, format!("{} are free", bytes(free))),
        None => (Health::Doubtful, "cannot be asked".to_owned()),
    };
    Check {
        what: "disk".to_owned(),
        health,
        says,
        fix: Vec::new(),
    }
}

/// Whether browsers and tools believe what the edge shows them.
fn trust(certificate: &Path, is_trusted: impl Fn(&Path) -> Option<bool>, means: Means) -> Check {
    let path = certificate.display();
    let (health, says, fix) = match is_trusted(certificate) {
        Some(true) => (Health::Well, "trusted by this system", Vec::new()),
        Some(false) => (
            Health::Doubtful,
            "not trusted yet; the first two lines are for tools, the last one is for browsers",
            vec![
                means.as_root(&format!("cp {path} /usr/local/share/ca-certificates/towpath.crt")),
                means.as_root("update-ca-certificates"),
                format!("certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n towpath -i {path}"),
            ],
        ),
        None => (Health::Well, "made by the first `towpath up`", Vec::new()),
    };
    Check {
        what: "certificates".to_owned(),
        health,
        says: says.to_owned(),
        fix,
    }
}

/// Whether the edge is there, is the program that its steward is, and can write down what it is asked.
fn edge(edge: Option<&Edge>, may_log: bool) -> Check {
    let check = |health, says: String, fix: &[&str]| Check {
        what: "edge".to_owned(),
        health,
        says,
        fix: fix.iter().map(|line| (*line).to_owned()).collect(),
    };
    let anew = ["towpath down", "towpath up"];
    let Some(edge) = edge else {
        let says =
            "does not answer: nobody outside reaches what runs; edge.log in the state folder may say why";
        return check(Health::Missing, says.to_owned(), &anew);
    };
    let who = format!("process {}", edge.pid);
    if !edge.ours {
        let says = format!("{who} is another version than its steward, and could not be followed");
        return check(Health::Doubtful, says, &anew);
    }
    if let Some(why) = &edge.log_fault {
        let says = format!("{who} cannot write requests.log: {}", tame::plain(why));
        return check(Health::Doubtful, says, &[]);
    }
    if !may_log {
        let says = format!("{who} may not write requests.log in the state folder");
        return check(Health::Doubtful, says, &[]);
    }
    if let Some(why) = &edge.spans_fault {
        let says = format!("{who} finds nobody who takes its spans: {}", tame::plain(why));
        return check(Health::Doubtful, says, &[]);
    }
    check(Health::Well, format!("{who} answers"), &[])
}

/// How the certificate of a domain is.
fn certificate(one: &Certified) -> Check {
    let health = match (&one.wrong, one.until) {
        (None, _) => Health::Well,
        // There is one all the same.
        (Some(_), Some(_)) => Health::Doubtful,
        (Some(_), None) => Health::Missing,
    };
    let until = one
        .until
        .map(|until| format!(" until {until:.0}"))
        .unwrap_or_default();
    let from = format!("from {}{until}", tame::plain(&one.from));
    let (says, fix) = match &one.wrong {
        Some(wrong) => (
            format!("{from}: {}", tame::plain(wrong)),
            vec![format!("# {}", tame::plain(&one.next))],
        ),
        None => (from, Vec::new()),
    };
    Check {
        what: tame::plain(&one.domain).to_string(),
        health,
        says,
        fix,
    }
}

/// ` on 127.0.0.1 and ::1, ports 8443 and 8080`.
fn listens(steward: &Steward) -> String {
    let addresses = steward.listens.iter().map(|address| tame::plain(address));
    let addresses = addresses.collect::<Vec<_>>().join(" and ");
    match (steward.https, steward.http) {
        (Some(https), Some(http)) if !steward.listens.is_empty() => {
            format!(" on {addresses}, ports {https} and {http}")
        }
        _ => String::new(),
    }
}

/// Whether the edge could listen where others come, if that is said.
fn door(listen: &Listen, environment: &str) -> Option<Check> {
    let check = |health, says, fix| Check {
        what: "edge".to_owned(),
        health,
        says,
        fix,
    };
    match towpath_steward::can_listen(listen, environment) {
        Err(why) => Some(check(
            Health::Missing,
            why.message,
            vec![format!("# {}", why.hint)],
        )),
        Ok(()) if listen.https.is_some() || listen.http.is_some() => {
            let ports = [listen.https, listen.http].into_iter().flatten();
            let ports = ports
                .map(|port| port.to_string())
                .collect::<Vec<_>>()
                .join(" and ");
            Some(check(
                Health::Well,
                format!("may listen where it is to, port {ports}"),
                Vec::new(),
            ))
        }
        Ok(()) => None,
    }
}

/// The ports that the manifest says components listen on.
fn fixed_ports(desired: &Desired) -> BTreeSet<(u16, String)> {
    let ports = desired.components().filter_map(|(_, name, component)| {
        let port = component.port.as_ref()?.to_string().parse().ok()?;
        Some((port, name.to_string()))
    });
    ports.collect()
}

fn ports(fixed: &BTreeSet<(u16, String)>, is_free: impl Fn(u16) -> bool) -> Vec<Check> {
    let taken = fixed.iter().filter(|(port, _)| !is_free(*port));
    taken
        .map(|(port, name)| Check {
            what: format!("port {port}"),
            health: Health::Missing,
            says: format!("is taken by something else, and {name} listens on it"),
            fix: vec![format!("ss --listening --tcp --processes 'sport = :{port}'")],
        })
        .collect()
}

/// All that was looked at, with what to type below what is not well.
fn shown(checks: &[Check]) -> String {
    let width = checks
        .iter()
        .map(|check| check.what.chars().count())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for check in checks {
        let sign = match check.health {
            Health::Well => "ok     ".to_owned(),
            Health::Doubtful => paint::yellow("doubt  "),
            Health::Missing => paint::red("missing"),
        };
        let _ = writeln!(text, "  {sign}  {:width$}  {}", check.what, check.says);
        for line in &check.fix {
            let _ = writeln!(text, "           {:width$}    {line}", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::tests::{ROOT, SUDOER, need, seen};
    use crate::view::asked::tests::edge as of_edge;
    use crate::view::status::tests::shown as plain;

    #[test]
    fn an_edge_that_is_not_as_it_should_be_is_told_with_what_to_do() {
        let fault = |change: &dyn Fn(&mut Edge)| {
            let mut one = of_edge();
            change(&mut one);
            edge(Some(&one), true)
        };
        let checks = [
            fault(&|_| {}),
            fault(&|one| one.ours = false),
            fault(&|one| one.log_fault = Some("no space left".to_owned())),
            fault(&|one| one.spans_fault = Some("it answers 401".to_owned())),
            edge(Some(&of_edge()), false),
            edge(None, true),
        ];
        insta::assert_snapshot!(plain(&shown(&checks)), @r"
        ok       edge  process 4243 answers
        doubt    edge  process 4243 is another version than its steward, and could not be followed
                         towpath down
                         towpath up
        doubt    edge  process 4243 cannot write requests.log: no space left
        doubt    edge  process 4243 finds nobody who takes its spans: it answers 401
        doubt    edge  process 4243 may not write requests.log in the state folder
        missing  edge  does not answer: nobody outside reaches what runs; edge.log in the state folder may say why
                         towpath down
                         towpath up
        ");
    }

    #[test]
    fn what_is_missing_stands_with_what_to_type() {
        let needs = [
            need("bun", Some("1.2")),
            need("node", Some("22")),
            need("python", Some("3.12")),
        ];
        let other = Verdict::Other {
            found: "3.11.2".to_owned(),
        };
        let looks = [
            seen(&needs[0], Verdict::Missing),
            seen(&needs[1], Verdict::Fits),
            seen(&needs[2], other),
        ];
        let mut checks = tools(&looks, ROOT);
        checks.push(groups(Groups::Denied));
        checks.push(number(
            "watched files",
            Some(8_192),
            WATCHES,
            "sysctl --write fs.inotify.max_user_watches=131072".to_owned(),
        ));
        checks.push(room(Some(200 << 20)));
        checks.push(trust(Path::new("~/authority.pem"), |_| Some(false), SUDOER));
        let fixed = BTreeSet::from([(5_173, "dashboard".to_owned()), (8_000, "api".to_owned())]);
        checks.extend(ports(&fixed, |port| port != 5_173));
        insta::assert_snapshot!(plain(&shown(&checks)), @r"
          missing  bun 1.2        is not here
                                    # by hand: bun 1.2 (npm install --global bun)
          ok       node 22        is here
          doubt    python 3.12    3.11.2 is here, which is another version
          doubt    limits         memory is watched, processor and processes are not limited: cgroups may not be made here
                                    systemd-run --user --scope --property=Delegate=yes towpath up
          doubt    watched files  8192 are allowed, and 131072 are better
                                    sysctl --write fs.inotify.max_user_watches=131072
          doubt    disk           only 200 MiB are free
          doubt    certificates   not trusted yet; the first two lines are for tools, the last one is for browsers
                                    sudo cp ~/authority.pem /usr/local/share/ca-certificates/towpath.crt
                                    sudo update-ca-certificates
                                    certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n towpath -i ~/authority.pem
          missing  port 5173      is taken by something else, and dashboard listens on it
                                    ss --listening --tcp --processes 'sport = :5173'
        ");
    }
}
