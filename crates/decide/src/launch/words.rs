//! Commands with a secret among their words: who runs on a machine can read the words of every process there, and the
//! environment of its own alone.

use super::Problem;
use super::draft::Draft;
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::desired::secret::Delivery;
use towpath_model::run::{Ask, Kind, Place, Value, Variable};
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// Refuses every command that a secret would be put into. It comes when everything is made: only then it is known which
/// names are those of secrets.
pub(super) fn secrets(draft: &mut Draft<'_>) {
    let mut problems = Vec::new();
    for component in draft.components.values() {
        let name = &component.name;
        let (at, run) = match component.kind {
            Kind::StandIn => (Path::of(["external", name.as_str()]), "mock"),
            kind => (Path::of([kind.word(), name.as_str()]), "run"),
        };
        if let Some(command) = &component.command {
            let place = draft.place(&at.key(run));
            refuse(draft, (name, run, place), command, &component.env, &mut problems);
        }
        if let Ask::Command(command) = &component.health.ask {
            let place = draft.place(&at.key("health").key("command"));
            let what = (name, "health", place);
            refuse(draft, what, command, &component.env, &mut problems);
        }
    }
    for build in draft.builds.values() {
        let what = (&build.name, "build", build.at.clone());
        refuse(draft, what, &build.command, &build.env, &mut problems);
    }
    draft.problems.extend(problems);
}

fn refuse(
    draft: &Draft<'_>,
    (name, what, place): (&Name, &str, Place),
    command: &str,
    env: &BTreeMap<String, Variable>,
    problems: &mut Vec<Problem>,
) {
    for variable in named(command) {
        let secret = env.get(variable).is_some_and(|found| {
            // What arrives as a file is named by its path, which is none.
            let whole = found.deliver == Delivery::Variable;
            whole && matches!(&found.value, Value::Sealed(name) if draft.secrets.contains(name))
        });
        if secret {
            let message = format!(
                "the `{what}` of `{name}` would have the secret `{variable}` among its words, which everybody on this machine can read"
            );
            let hint = format!("take it out, and let the program read {variable} from its environment");
            problems.push(Problem::new(message, hint).of([name]).at(place.clone()));
        }
    }
}

/// The variables that a command names where a shell would put their values in.
fn named(command: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut double = false;
    let mut rest = command;
    while let Some(at) = rest.find(['\\', '\'', '"', '$']) {
        let (sign, behind) = rest[at..].split_at(1);
        rest = match sign {
            "\\" => behind
                .get(behind.chars().next().map_or(0, char::len_utf8)..)
                .unwrap_or(""),
            "'" if !double => behind.split_once('\'').map_or("", |(_, after)| after),
            "\"" => {
                double = !double;
                behind
            }
            // `$$` is a number, and nothing behind it is put in.
            "$" if behind.starts_with('$') => &behind[1..],
            "$" => {
                let name = behind.strip_prefix('{').unwrap_or(behind);
                let end = name.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
                let (name, after) = name.split_at(end.unwrap_or(name.len()));
                names.insert(name);
                after
            }
            _ => behind,
        };
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::tests::{environment, with};
    use super::named;

    #[test]
    fn the_variables_that_a_shell_would_put_in_are_found() {
        for (command, expected) in [
            ("a $B ${C} x$D-$E", "B C D E"),
            ("a \"$B it's $C\" '$D'", "B C"),
            ("a \\$B \"\\$C\" \\\\$D", "D"),
            ("a ${B:-$C} \"${D%x}\"", "B C D"),
            ("sh -c \"a '$B'\"", "B"),
            ("a $(b $C) `d $E`", "C E"),
            ("a $$B é$C\\é", "C"),
            ("a 'unclosed $B", ""),
            ("a B", ""),
        ] {
            let found: Vec<&str> = named(command)
                .into_iter()
                .filter(|name| !name.is_empty())
                .collect();
            assert_eq!(found.join(" "), expected, "{command}");
        }
    }

    #[test]
    fn a_secret_among_the_words_of_a_command_is_refused_and_nothing_else() {
        const SECRET: &str = "[secret.TOKEN]";
        let service = |rest: &str| format!("[service.web]\n{rest}\n");
        let at = |place: &str| Some(place.to_owned());
        for (text, expected) in [
            (
                service("run = 'a --token $TOKEN'\nenv.TOKEN = 'secret:TOKEN'"),
                at("service.web.run"),
            ),
            (
                service("run = 'a \"${TOKEN}\" | b'\nenv.TOKEN = {}"),
                at("service.web.run"),
            ),
            (
                service("run = 'a $KEY'\nenv.KEY = 'secret:TOKEN'"),
                at("service.web.run"),
            ),
            (
                service("run = 'a $MADE'\nenv.MADE = { generate = 'hex' }"),
                at("service.web.run"),
            ),
            (
                service("run = 'a'\nhealth = { command = 'b $TOKEN' }\nenv.TOKEN = 'secret:TOKEN'"),
                at("service.web.health.command"),
            ),
            (
                service("run = 'a'\nbuild = 'shop'\n[build.shop]\ncommand = 'b $TOKEN'\nsecrets = ['TOKEN']"),
                at("build.shop"),
            ),
            (service("run = 'a $PLAIN'\nenv.PLAIN = {}"), None),
            (
                service("run = 'a $LEVEL'\nenv.LEVEL = 'info'\nenv.TOKEN = 'secret:TOKEN'"),
                None,
            ),
            (service("run = 'a $PORT'\nenv.TOKEN = 'secret:TOKEN'"), None),
            (service("run = \"a '$TOKEN'\"\nenv.TOKEN = 'secret:TOKEN'"), None),
            (
                service("run = 'a $TOKEN'\nenv.TOKEN = { value = 'secret:TOKEN', deliver = 'file' }"),
                None,
            ),
        ] {
            let manifest = environment(&format!("{text}\n{SECRET}"));
            let launched = with(&manifest, "dev", &[(".env", "TOKEN=t\nPLAIN=p")], &[]);
            let found = launched.problems.first();
            let place = found.and_then(|one| one.at.as_ref()).map(|at| at.file.clone());
            assert_eq!(place, expected, "{text}: {found:?}");
            assert!(launched.problems.len() < 2, "{text}: {:?}", launched.problems);
            if let Some(found) = found {
                assert!(
                    found.message.contains("everybody on this machine can read"),
                    "{found:?}"
                );
                assert!(
                    found
                        .hint
                        .as_ref()
                        .is_some_and(|hint| hint.contains("from its environment"))
                );
            }
        }
    }
}
