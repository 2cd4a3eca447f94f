//! What people look for in a hurry: addresses, commands, whom to call.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::{alerts, words};
use towpath_model::unit::{Name, Severities};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    if product.components().is_empty() {
        return;
    }
    let addresses = addresses(product);
    if !addresses.is_empty() {
        page.heading(3, "Important addresses");
        page.table(&addresses);
    }
    page.heading(3, "Commands");
    page.table(&commands(product));
    let contacts = contacts(product);
    if !contacts.is_empty() {
        page.heading(3, "Contacts");
        page.list(contacts);
    }
}

fn addresses(product: &Product<'_>) -> Table {
    let mut table = Table::new(["What", "Environment", "Address"]);
    for (name, link) in product.all(|product| &product.link) {
        table.row([
            link.about.as_deref().map_or_else(|| spelled(name), words::text),
            link.of.as_ref().map(ToString::to_string).unwrap_or_default(),
            words::url(&link.url),
        ]);
    }
    let known: Vec<&str> = product
        .all(|product| &product.link)
        .into_iter()
        .map(|(_, link)| link.url.as_str())
        .collect();
    for (place, environment, here) in product.places() {
        if environment.preview.is_some() {
            continue;
        }
        for (_, name, component) in here.components().filter(|(_, _, component)| component.public) {
            for domain in crate::topology::domains(name, component, environment.domain.as_ref()) {
                let url = format!("https://{domain}");
                if !known.iter().any(|link| link.trim_end_matches('/') == url) {
                    table.row([words::code(name), place.to_string(), words::code(url)]);
                }
            }
        }
    }
    table
}

fn commands(product: &Product<'_>) -> Table {
    let mut table = Table::new(["To", "Type"]);
    let live = product.live();
    let database = product
        .main
        .resources()
        .find(|(_, _, resource)| resource.backup.is_some());
    let logged = product
        .components()
        .into_iter()
        .find(|(kind, ..)| kind.runs())
        .map(|(_, name, _)| name);
    let mut rows = vec![
        ("run all of it on a laptop".to_owned(), "towpath up".to_owned()),
        (
            "know whether the manifest is right".to_owned(),
            "towpath check".to_owned(),
        ),
    ];
    if product.main_name.is_some() {
        rows.push((
            format!("see what a deployment to {live} would do"),
            format!("towpath plan {live}"),
        ));
        for (name, environment, _) in product.places() {
            if environment.preview.is_none() {
                rows.push((format!("deploy to {name}"), format!("towpath deploy {name}")));
            }
        }
        rows.push((
            "go back to the release before".to_owned(),
            format!("towpath rollback {live}"),
        ));
        rows.push(("see how it is going".to_owned(), format!("towpath status {live}")));
        rows.extend(logged.map(|name| {
            (
                format!("read what {} says", words::code(name)),
                format!("towpath logs {live} {name}"),
            )
        }));
        rows.extend(database.map(|(_, name, _)| {
            (
                format!("restore {}", words::code(name)),
                format!("towpath restore {live} {name}"),
            )
        }));
        if !product.all(|product| &product.secret).is_empty() {
            rows.push((
                "give a secret a new value".to_owned(),
                format!("towpath secrets set {live} NAME"),
            ));
        }
    }
    let own = product.all(|product| &product.command);
    let known: Vec<&str> = own.iter().map(|(_, shortcut)| shortcut.run.as_str()).collect();
    for (to, command) in rows {
        if !known.contains(&command.as_str()) {
            table.row([words::capital(&to), words::code(command)]);
        }
    }
    for (name, shortcut) in own {
        table.row([
            shortcut
                .about
                .as_deref()
                .map_or_else(|| spelled(name), words::text),
            words::code(&shortcut.run),
        ]);
    }
    table
}

/// A name as people say it.
fn spelled(name: &Name) -> String {
    words::capital(&name.as_str().replace('-', " "))
}

fn contacts(product: &Product<'_>) -> Vec<String> {
    let mut contacts: Vec<String> = product
        .all(|product| &product.channel)
        .into_iter()
        .map(|(name, channel)| {
            format!(
                "**{name}**: {}, for {}",
                alerts::place(name, channel),
                severities(channel.severities)
            )
        })
        .collect();
    for (name, rotation) in product.all(|product| &product.oncall) {
        let people: Vec<String> = rotation.people.iter().map(|person| words::text(person)).collect();
        let next: Vec<String> = rotation
            .escalate
            .iter()
            .map(|person| words::text(person))
            .collect();
        let chain: Vec<String> = (!people.is_empty())
            .then(|| words::either(&people))
            .into_iter()
            .chain(next)
            .collect();
        contacts.push(format!("**On call ({name})**: {}", chain.join(" → ")));
    }
    contacts
}

fn severities(told: Severities) -> String {
    let each: Vec<String> = told.iter().map(|severity| severity.to_string()).collect();
    match (told == Severities::ALL, each.len()) {
        (true, _) => "everything".to_owned(),
        (false, 0..=2) => words::list(&each),
        (false, _) => told
            .to_string()
            .replace('+', " and less severe")
            .replace('-', " to "),
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn the_reference_tells_addresses_commands_and_people() {
        insta::assert_snapshot!(section(super::write, r##"
            product = "shop"
            [service.web]
            run = "web"
            public = true
            uses = "db"
            [postgres.db]
            backup = "daily"
            [command]
            logs = { run = "towpath logs --follow web", about = "Follow | the shop" }
            [link]
            health = { url = "https://example.com/api/health", of = "prod", about = "Health" }
            [channel.ops]
            slack = "#on-call"
            secret = "OPS"
            severities = "sev2+"
            [secret.OPS]
            [oncall.team]
            people = ["ana"]
            escalate = ["team lead", "CTO"]
            [environment.dev]
            [environment.prod]
            domain = "example.com"
        "##), @r#"
        ### Important addresses

        | What   | Environment | Address                        |
        | ------ | ----------- | ------------------------------ |
        | Health | prod        | https://example.com/api/health |
        | `web`  | prod        | `https://web.example.com`      |

        ### Commands

        | To                                     | Type                            |
        | -------------------------------------- | ------------------------------- |
        | Run all of it on a laptop              | `towpath up`                    |
        | Know whether the manifest is right     | `towpath check`                 |
        | See what a deployment to prod would do | `towpath plan prod`             |
        | Deploy to dev                          | `towpath deploy dev`            |
        | Deploy to prod                         | `towpath deploy prod`           |
        | Go back to the release before          | `towpath rollback prod`         |
        | See how it is going                    | `towpath status prod`           |
        | Read what `web` says                   | `towpath logs prod web`         |
        | Restore `db`                           | `towpath restore prod db`       |
        | Give a secret a new value              | `towpath secrets set prod NAME` |
        | Follow \| the shop                     | `towpath logs --follow web`     |

        ### Contacts

        - **ops**: Slack #on-call, for sev2 and less severe
        - **On call (team)**: ana → team lead → CTO
        "#);
    }
}
