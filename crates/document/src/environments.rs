//! The environments: what each is for, how a change arrives, and what data it holds.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::words;
use towpath_model::Desired;
use towpath_model::desired::environment::{Contents, Engine, Environment, Freeze, Isolation, Mask};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let mut table = Table::new([
        "Environment",
        "Purpose",
        "Isolation",
        "Deployed",
        "Data",
        "Runs as",
        "Where",
        "Address",
    ]);
    for (name, environment, desired) in product.places() {
        table.row([
            format!("**{name}**"),
            words::maybe(&environment.about),
            isolation(environment.isolation).to_owned(),
            arrival(environment),
            contents(&environment.data, desired),
            engine(environment.engine).to_owned(),
            environment
                .at
                .as_ref()
                .map(|at| product.host(at.as_str()))
                .unwrap_or_default(),
            environment.domain.as_ref().map(words::code).unwrap_or_default(),
        ]);
    }
    page.table(&table);
    page.list(details(product));
}

fn isolation(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::Shared => "shared machine, own state",
        Isolation::Isolated => "own network and credentials",
        Isolation::Dedicated => "own machines, network and credentials",
    }
}

fn engine(engine: Engine) -> &'static str {
    match engine {
        Engine::Process => "processes",
        Engine::Docker => "containers",
        Engine::Kubernetes => "a cluster",
    }
}

/// What makes a change arrive.
pub(crate) fn arrival(environment: &Environment) -> String {
    let triggers: Vec<String> = environment.on.iter().map(words::trigger).collect();
    let triggers = words::either(&triggers);
    match (&environment.after, triggers.is_empty()) {
        (Some(after), true) => format!("by itself, after {after}"),
        (Some(after), false) => format!("{triggers}, after {after}"),
        (None, true) => "by hand".to_owned(),
        (None, false) => triggers,
    }
}

/// What data an environment holds.
pub(crate) fn contents(data: &Contents, desired: &Desired) -> String {
    let backups = desired
        .resources()
        .any(|(_, _, resource)| resource.backup.is_some());
    let mut parts = Vec::new();
    if data.real {
        parts.push(
            if backups {
                "real data, backed up"
            } else {
                "real data"
            }
            .to_owned(),
        );
    }
    if let Some(from) = &data.copy {
        let masked = if data.mask.is_empty() {
            "copy"
        } else {
            "masked copy"
        };
        let when = data
            .refresh
            .as_ref()
            .map(|when| format!(", made anew {}", words::schedule(when)));
        parts.push(format!("{masked} of {from}{}", when.unwrap_or_default()));
    }
    if data.fresh {
        parts.push("fresh each time".to_owned());
    }
    if let Some(file) = &data.load {
        parts.push(format!("filled from {}", words::code(file)));
    }
    if parts.is_empty() {
        parts.push("its own, kept".to_owned());
    }
    parts.join(", ")
}

/// What does not fit the table: previews, caps, masks, freezes, deployers, notes.
fn details(product: &Product<'_>) -> Vec<String> {
    let mut points = Vec::new();
    for (name, environment, _) in product.places() {
        let mut sentences = Vec::new();
        if let Some(like) = &environment.like {
            sentences.push(format!("What is not said otherwise is as in {like}."));
        }
        sentences.extend(preview(environment));
        sentences.extend(cap(environment));
        let masks: Vec<String> = environment
            .data
            .mask
            .iter()
            .map(|(column, mask)| format!("{} {}", words::code(column), masked(*mask)))
            .collect();
        if !masks.is_empty() {
            sentences.push(format!("In the copy {}.", words::list(&masks)));
        }
        if !environment.deployers.is_empty() {
            let roles: Vec<String> = environment
                .deployers
                .iter()
                .map(|role| product.role(role.as_str()))
                .collect();
            sentences.push(format!("Only {} may deploy here.", words::list(&roles)));
        }
        if environment.access.is_some() {
            sentences.push("Only people who have signed in see it.".to_owned());
        }
        sentences.extend(environment.freeze.iter().map(freeze));
        sentences.extend(environment.notes.iter().map(|note| words::sentence(note)));
        if !sentences.is_empty() {
            points.push(format!("**{name}**: {}", sentences.join(" ")));
        }
    }
    points
}

fn masked(mask: Mask) -> &'static str {
    match mask {
        Mask::Fake => "is made up",
        Mask::Hash => "is a digest",
        Mask::Null => "is empty",
        Mask::Drop => "takes its row with it",
    }
}

fn preview(environment: &Environment) -> Option<String> {
    let preview = environment.preview.as_ref()?;
    let comment = if preview.comment {
        ", and its address is written there"
    } else {
        ""
    };
    let forks = if preview.forks {
        "; forks get one without secrets"
    } else {
        "; forks get none"
    };
    let asked = if preview.protected && environment.access.is_none() {
        " Visitors are asked for a password."
    } else {
        ""
    };
    Some(format!(
        "Each pull request has one of its own{comment}{forks}.{asked} It is removed after {} without a push; at most {} exist at a time.",
        words::time(preview.expires),
        preview.most
    ))
}

fn cap(environment: &Environment) -> Option<String> {
    let cap = environment.cap.as_ref()?;
    let mut parts = Vec::new();
    parts.extend(cap.replicas.map(|replicas| words::count(replicas, "instance")));
    parts.extend(
        cap.memory
            .map(|memory| format!("{} of memory an instance", words::size(memory))),
    );
    (!parts.is_empty()).then(|| format!("No component gets more than {}.", words::list(&parts)))
}

fn freeze(freeze: &Freeze) -> String {
    let mut when = Vec::new();
    match (&freeze.from, &freeze.to) {
        (Some(from), Some(to)) => when.push(format!("from {from} to {to}")),
        (Some(from), None) => when.push(format!("from {from} on")),
        (None, Some(to)) => when.push(format!("until {to}")),
        (None, None) => {}
    }
    when.extend(freeze.every.as_ref().map(words::window));
    format!(
        "Nothing is deployed {} ({}).",
        words::list(&when),
        words::text(&freeze.why)
    )
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn each_environment_tells_what_it_is_for() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            [postgres.db]
            backup = "daily"
            [role.ops]
            title = "Operations"
            [environment.dev]
            about = "Trying things"
            on = ["push main", "manual"]
            data = { fresh = true, load = "seed.sql" }
            cap = 1
            isolation = "shared"
            [environment.preview]
            on = "pull-request"
            preview = "3d"
            like = "dev"
            [environment.staging]
            after = "dev"
            engine = "docker"
            data = { copy = "prod", refresh = "weekly", mask = { "people.email" = "fake", "people.note" = "null" } }
            [environment.prod]
            on = "tag v*"
            after = "staging"
            data = { real = true }
            domain = "example.com"
            deployers = "ops"
            freeze = { from = "2026-12-20", to = "2027-01-03", why = "holidays" }
        "#), @r#"
        | Environment | Purpose       | Isolation                   | Deployed                       | Data                                                 | Runs as    | Address       |
        | ----------- | ------------- | --------------------------- | ------------------------------ | ---------------------------------------------------- | ---------- | ------------- |
        | **dev**     | Trying things | shared machine, own state   | on a push to `main` or by hand | fresh each time, filled from `seed.sql`              | processes  |               |
        | **preview** |               | shared machine, own state   | on every pull request          | its own, kept                                        | processes  |               |
        | **staging** |               | own network and credentials | by itself, after dev           | masked copy of prod, made anew every Sunday at 00:00 | containers |               |
        | **prod**    |               | own network and credentials | on a tag `v*`, after staging   | real data, backed up                                 | processes  | `example.com` |

        - **dev**: No component gets more than 1 instance.
        - **preview**: What is not said otherwise is as in dev. Each pull request has one of its own, and its address is written there; forks get none. Visitors are asked for a password. It is removed after 3 days without a push; at most 10 exist at a time. No component gets more than 1 instance.
        - **staging**: In the copy `people.email` is made up and `people.note` is empty.
        - **prod**: Only Operations may deploy here. Nothing is deployed from 2026-12-20 to 2027-01-03 (holidays).
        "#);
    }
}
