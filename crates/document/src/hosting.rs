//! Where everything runs, and why there.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::words;
use towpath_model::Desired;
use towpath_model::desired::component::{Component, ComponentKind};
use towpath_model::desired::place::{Host, HostKind};
use towpath_model::unit::Name;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    page.table(&matrix(product));
    let hosts = hosts(product);
    if !hosts.is_empty() {
        page.heading(3, "Hosts");
        page.table(&hosts);
    }
    let registries = registries(product);
    if !registries.is_empty() {
        page.heading(3, "Registries");
        page.table(&registries);
    }
    let outside = outside(product);
    if !outside.is_empty() {
        page.heading(3, "Outside services");
        page.table(&outside);
    }
}

fn matrix(product: &Product<'_>) -> Table {
    let mut table = Table::new([
        "Component",
        "Kind",
        "Runtime",
        "Host",
        "Environments",
        "Rationale and notes",
    ]);
    for (kind, name, component) in product.components() {
        table.row([
            words::code(name),
            kind.word().to_owned(),
            product.of_component(name, |component| runtime(product, component)),
            component_host(product, kind, name, component),
            product.where_present(|product| product.component(name.as_str()).is_some()),
            reasons(&component.about, &component.why, &component.notes),
        ]);
    }
    for (kind, name, resource) in product.resources() {
        table.row([
            words::code(name),
            kind.word().to_owned(),
            product.of_resource(name, |resource| {
                resource.version.as_ref().map(|version| words::text(version))
            }),
            resource_host(product, name),
            product.where_present(|product| product.resource(name.as_str()).is_some()),
            reasons(&resource.about, &resource.why, &resource.notes),
        ]);
    }
    table
}

/// What a component needs to run: what it says, or the tools that its build names.
fn runtime(product: &Product<'_>, component: &Component) -> Option<String> {
    if let Some(runtime) = &component.runtime {
        return Some(words::text(runtime));
    }
    let own = component.build.as_ref()?;
    let shared = own
        .shared
        .as_ref()
        .and_then(|shared| product.main.build.get(shared.as_str()));
    let needs = if own.needs.is_empty() {
        &shared?.needs
    } else {
        &own.needs
    };
    (!needs.is_empty()).then(|| words::texts(needs))
}

fn reasons(about: &Option<String>, why: &Option<String>, notes: &[String]) -> String {
    words::sentences(about.iter().chain(why).chain(notes).map(String::as_str))
}

fn component_host(product: &Product<'_>, kind: ComponentKind, name: &Name, component: &Component) -> String {
    if kind == ComponentKind::Extension {
        let stores: Vec<&str> = component.store.values().map(|store| store.kind.title()).collect();
        return stores.join(", ");
    }
    in_each(product, |product| {
        let (_, _, component) = product.component(name.as_str())?;
        Some(
            component
                .at
                .as_ref()
                .map_or(Place::Usual, |at| Place::Host(at.as_str())),
        )
    })
}

fn resource_host(product: &Product<'_>, name: &Name) -> String {
    in_each(product, |product| {
        let (_, _, resource) = product.resource(name.as_str())?;
        Some(match &resource.at {
            Some(at) => Place::Host(at.as_str()),
            // One that exists already does not run where its environment does.
            None if resource.bind.is_some() => Place::Elsewhere,
            None => Place::Usual,
        })
    })
}

/// Where something runs, by its own words.
enum Place<'a> {
    Host(&'a str),
    /// Where its environment does.
    Usual,
    Elsewhere,
}

/// The host in each environment: its own, or the environment's.
fn in_each<'a>(product: &Product<'a>, own: impl Fn(&'a Desired) -> Option<Place<'a>>) -> String {
    let places = product.places();
    product.across(|here| {
        let environment = places.iter().find(|(_, _, desired)| std::ptr::eq(*desired, here));
        let usual = environment.and_then(|(_, environment, _)| environment.at.as_ref());
        Some(match own(here)? {
            Place::Host(host) => Some(product.host(host)),
            Place::Usual => usual.map(|host| product.host(host.as_str())),
            Place::Elsewhere => Some("exists already".to_owned()),
        })
    })
}

fn hosts(product: &Product<'_>) -> Table {
    let mut table = Table::new(["Host", "What it is", "Plan and size", "Region", "Why", "Instead"]);
    for (name, host) in product.all(|product| &product.host) {
        table.row([
            format!("**{}**", product.host(name.as_str())),
            words::sentences(std::iter::once(kind(host)).chain(host.about.as_deref())),
            size(product, host),
            regions(host),
            words::sentences(host.why.as_deref()),
            words::sentences(host.instead.as_deref()),
        ]);
    }
    table
}

fn kind(host: &Host) -> &'static str {
    match host.kind {
        HostKind::Machine => "A machine",
        HostKind::Platform => "A platform",
        HostKind::Managed => "A managed service",
        HostKind::Cdn => "A delivery network",
        HostKind::Cluster => "A cluster",
        HostKind::Saas => "A service",
        HostKind::Store => "A store",
    }
}

fn size(product: &Product<'_>, host: &Host) -> String {
    let mut parts = Vec::new();
    parts.extend(host.plan.as_ref().map(|plan| words::text(plan)));
    parts.extend(host.cpu.map(words::cpu));
    parts.extend(
        host.memory
            .map(|memory| format!("{} memory", words::size(memory))),
    );
    parts.extend(host.disk.map(|disk| format!("{} disk", words::size(disk))));
    parts.extend(
        host.gpu
            .filter(|gpu| *gpu > 0)
            .map(|gpu| words::count(gpu, "GPU")),
    );
    parts.extend(
        host.group
            .as_ref()
            .map(|group| format!("group {}", words::code(group))),
    );
    parts.extend(
        host.standby
            .as_ref()
            .map(|standby| format!("{} takes over when it fails", product.host(standby.as_str()))),
    );
    parts.join(", ")
}

fn regions(host: &Host) -> String {
    let regions: Vec<String> = host.region.iter().chain(&host.regions).map(words::code).collect();
    match (regions.len(), host.regions.is_empty()) {
        (0 | 1, _) | (_, true) => words::list(&regions),
        (_, false) => format!("{}, all active", words::list(&regions)),
    }
}

fn registries(product: &Product<'_>) -> Table {
    let mut table = Table::new(["Registry", "Address", "Host", "What it keeps", "Opened by"]);
    for (name, registry) in product.all(|product| &product.registry) {
        let opened = registry.user.iter().chain(&registry.password);
        table.row([
            words::code(name),
            words::code(&registry.address),
            registry
                .at
                .as_ref()
                .map(|host| product.host(host.as_str()))
                .unwrap_or_default(),
            words::maybe(&registry.about),
            words::codes(opened),
        ]);
    }
    table
}

fn outside(product: &Product<'_>) -> Table {
    let mut table = Table::new([
        "Service",
        "What it is",
        "Address",
        "Quota",
        "Stand-in while developing",
    ]);
    for (name, external) in product.all(|product| &product.external) {
        let address = external.url.as_ref().map(words::url);
        let secret = external
            .secret
            .as_ref()
            .map(|secret| format!("in {}", words::code(secret)));
        let mock = external.mock.as_ref().map(|command| {
            let places = words::codes(&external.mock_in);
            let places = if places.is_empty() {
                places
            } else {
                format!(" in {places}")
            };
            format!("{}{places}", words::code(command))
        });
        table.row([
            words::code(name),
            words::sentences(
                external
                    .about
                    .as_deref()
                    .into_iter()
                    .chain(external.why.as_deref()),
            ),
            address.or(secret).unwrap_or_default(),
            external.quota.as_ref().map(words::rate).unwrap_or_default(),
            mock.unwrap_or_default(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn the_matrix_tells_where_things_run_and_why() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [bot.guard]
            about = "Answers | on Discord"
            why = "One connection that stays"
            runtime = "Python 3.12"
            run = "bot"
            at = "fly"
            uses = ["chat"]
            [service.web]
            run = "web"
            [postgres.db]
            version = 16
            [external.chat]
            about = "The gateway"
            url = "wss://gateway.example.com"
            mock = "bin/mock"
            mock_in = "dev"
            quota = "100/day"
            [host.fly]
            title = "Fly.io"
            kind = "platform"
            why = "Sleeps for nothing"
            plan = "Free"
            region = "sin"
            regions = "fra"
            [host.vm]
            title = "One machine"
            cpu = 2
            memory = "8GiB"
            [registry.ghcr]
            address = "ghcr.io"
            [environment.dev]
            at = "vm"
            [environment.prod]
            at = "fly"
            postgres.db.bind = "DATABASE_URL"
            [secret.DATABASE_URL]
        "#), @r#"
        | Component | Kind     | Runtime     | Host                                     | Environments | Rationale and notes                               |
        | --------- | -------- | ----------- | ---------------------------------------- | ------------ | ------------------------------------------------- |
        | `web`     | service  |             | One machine (dev); Fly.io (prod)         | all          |                                                   |
        | `guard`   | bot      | Python 3.12 | Fly.io                                   | all          | Answers \| on Discord. One connection that stays. |
        | `db`      | postgres | 16          | One machine (dev); exists already (prod) | all          |                                                   |

        ### Hosts

        | Host            | What it is  | Plan and size        | Region                      | Why                 |
        | --------------- | ----------- | -------------------- | --------------------------- | ------------------- |
        | **Fly.io**      | A platform. | Free                 | `sin` and `fra`, all active | Sleeps for nothing. |
        | **One machine** | A machine.  | 2 CPUs, 8 GiB memory |                             |                     |

        ### Registries

        | Registry | Address   |
        | -------- | --------- |
        | `ghcr`   | `ghcr.io` |

        ### Outside services

        | Service | What it is   | Address                     | Quota   | Stand-in while developing |
        | ------- | ------------ | --------------------------- | ------- | ------------------------- |
        | `chat`  | The gateway. | `wss://gateway.example.com` | 100/day | `bin/mock` in `dev`       |
        "#);
    }
}
