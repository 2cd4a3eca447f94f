//! How a change gets from code into each environment.

use crate::page::{Chart, Look, Page, id};
use crate::product::Product;
use crate::{rollout, words};
use towpath_model::desired::component::Component;
use towpath_model::desired::extension::Store;
use towpath_model::unit::Name;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    if product.environments.is_empty() {
        return;
    }
    chart(product).write(page);
    page.heading(3, "How each environment goes from one release to the next");
    let ways = ways(product);
    for (environments, way) in &ways {
        page.paragraph(format!("**{}**: {way}", environments.join(", ")));
    }
    let own = own_ways(product);
    if !own.is_empty() {
        page.paragraph("Some components go their own way:");
        page.list(
            own.into_iter()
                .map(|(names, way)| format!("{}: {way}", words::codes(names))),
        );
    }
    page.paragraph(releases(product));
    let stores: Vec<String> = product
        .all(|product| &product.extension)
        .into_iter()
        .flat_map(|(name, component)| {
            component
                .store
                .iter()
                .map(move |(_, store)| store_words(name, component, store))
        })
        .collect();
    if !stores.is_empty() {
        page.heading(3, "Stores");
        page.list(stores);
    }
}

/// Environments that go the same way share their words.
fn ways<'a>(product: &Product<'a>) -> Vec<(Vec<&'a str>, String)> {
    let mut ways: Vec<(Vec<&str>, String)> = Vec::new();
    for (name, environment, here) in product.places() {
        let way = rollout::told(&rollout::of_environment(environment, here));
        match ways.iter_mut().find(|(_, known)| *known == way) {
            Some((environments, _)) => environments.push(name.as_str()),
            None => ways.push((vec![name.as_str()], way)),
        }
    }
    ways
}

/// Components that go the same way of their own share their words.
fn own_ways<'a>(product: &Product<'a>) -> Vec<(Vec<&'a Name>, String)> {
    let mut ways: Vec<(Vec<&Name>, String)> = Vec::new();
    for (kind, name, component) in product.components() {
        let Some(way) = rollout::of_component(kind, component) else {
            continue;
        };
        match ways.iter_mut().find(|(_, known)| *known == way) {
            Some((names, _)) => names.push(name),
            None => ways.push((vec![name], way)),
        }
    }
    ways
}

fn releases(product: &Product<'_>) -> String {
    let releases = &product.root.releases;
    let signed = if releases.signed {
        " Only signed artifacts are released."
    } else {
        ""
    };
    let branches = words::codes(&releases.protected);
    let branches = match releases.protected.len() {
        0 => String::new(),
        1 => format!(" Nobody pushes to the branch {branches} without a review."),
        _ => format!(" Nobody pushes to the branches {branches} without a review."),
    };
    format!(
        "A release is built once, and the same bytes go from environment to environment. The last {} are kept with \
         everything that they need, with at least {} of the configuration.{signed}{branches}",
        words::count(releases.keep, "release"),
        words::count(releases.keep_config, "revision"),
    )
}

fn chart(product: &Product<'_>) -> Chart {
    let mut chart = Chart::new("TD");
    chart.node("code", Look::Round, &["Code"]);
    let gates = product
        .root
        .ci
        .as_ref()
        .map(|ci| ci.gates.as_slice())
        .unwrap_or_default();
    let ci = match product.root.ci.as_ref().and_then(|ci| ci.at.as_ref()) {
        Some(at) => plain_host(product, at.as_str()),
        None => "Build".to_owned(),
    };
    let tests = if gates.is_empty() { "" } else { "builds and tests" };
    chart.node("build", Look::Box, &[&ci, tests]);
    chart.arrow("code", "build", "", false);
    let mut built = "build".to_owned();
    if !gates.is_empty() {
        let names: Vec<&str> = gates.iter().map(|gate| gate.as_str()).collect();
        chart.node("checks", Look::Hexagon, &[&names.join(", ")]);
        chart.arrow("build", "checks", "", false);
        built = "checks".to_owned();
    }
    let registries: Vec<_> = product.all(|product| &product.registry);
    let passed = if gates.is_empty() { "" } else { "pass" };
    if registries.is_empty() {
        chart.node("release", Look::Box, &["Release"]);
        chart.arrow(&built, "release", passed, false);
    } else {
        let titles: Vec<&str> = registries
            .iter()
            .map(|(_, registry)| registry.address.as_str())
            .collect();
        chart.node("release", Look::Cylinder, &["Release", &titles.join(", ")]);
        chart.arrow(&built, "release", passed, false);
    }
    environments(product, &mut chart);
    stores(product, &mut chart);
    chart
}

fn plain_host(product: &Product<'_>, name: &str) -> String {
    let hosts = product.all(|product| &product.host);
    let host = hosts.iter().find(|(host, _)| host.as_str() == name);
    host.and_then(|(_, host)| host.title.clone())
        .unwrap_or_else(|| name.to_owned())
}

fn environments(product: &Product<'_>, chart: &mut Chart) {
    for (name, environment, here) in product.places() {
        let node = id("env", name.as_str());
        let way = rollout::of_environment(environment, here);
        chart.node(&node, Look::Box, &[name.as_str(), &rollout::short(&way)]);
        let from = match &environment.after {
            Some(after) => id("env", after.as_str()),
            None => "release".to_owned(),
        };
        let triggers: Vec<String> = environment.on.iter().map(words::trigger_label).collect();
        let mut label = triggers.join(" or ");
        if label.is_empty() && environment.after.is_none() {
            label = "by hand".to_owned();
        }
        let gates: Vec<&str> = environment.gates.iter().map(|gate| gate.as_str()).collect();
        if gates.is_empty() {
            chart.arrow(&from, &node, &label, false);
        } else {
            let gate = id("enter", name.as_str());
            chart.node(&gate, Look::Hexagon, &[&gates.join(", ")]);
            chart.arrow(&from, &gate, &label, false);
            chart.arrow(&gate, &node, "pass", false);
        }
    }
}

fn stores(product: &Product<'_>, chart: &mut Chart) {
    for (extension, component) in product.all(|product| &product.extension) {
        for (name, store) in &component.store {
            let node = id("store", &format!("{extension}_{name}"));
            let review = store
                .review
                .map(|review| format!("review up to {}", words::time(review)))
                .unwrap_or_default();
            chart.node(&node, Look::Round, &[store.kind.title(), &review]);
            if let Some(after) = &store.after {
                chart.arrow(
                    &id("store", &format!("{extension}_{after}")),
                    &node,
                    "same package",
                    false,
                );
                continue;
            }
            let triggers: Vec<String> = component.on.iter().map(words::trigger_label).collect();
            let last = product.main_name.filter(|_| triggers.is_empty());
            let from = last.map_or_else(|| "release".to_owned(), |name| id("env", name.as_str()));
            let label = if triggers.is_empty() {
                extension.to_string()
            } else {
                triggers.join(" or ")
            };
            chart.arrow(&from, &node, &label, false);
        }
    }
}

fn store_words(extension: &Name, component: &Component, store: &Store) -> String {
    let mut sentences = Vec::new();
    let triggers: Vec<String> = component.on.iter().map(words::trigger).collect();
    let by = if triggers.is_empty() {
        String::new()
    } else {
        format!(" {}", words::either(&triggers))
    };
    let signed = if store.signed { "signed " } else { "" };
    sentences.push(format!(
        "The {signed}package of {} is sent there{by}.",
        words::code(extension)
    ));
    if let Some(review) = store.review {
        sentences.push(format!(
            "The review is expected to take at most {}; a longer one is noticed.",
            words::time(review)
        ));
    }
    if let Some(after) = &store.after {
        let first = component
            .store
            .get(after)
            .map_or(after.as_str(), |store| store.kind.title());
        sentences.push(format!(
            "It waits until that for {} has been uploaded.",
            words::text(first)
        ));
    }
    if let Some(rollout) = store.rollout.as_ref().filter(|rollout| !rollout.steps.is_empty()) {
        let steps: Vec<String> = rollout
            .steps
            .iter()
            .map(|step| words::step(step, "users"))
            .collect();
        sentences.push(format!("The store gives it to {}.", steps.join(", then ")));
    }
    if !store.secrets.is_empty() {
        sentences.push(format!("Uploads need {}.", words::codes(&store.secrets)));
    }
    format!("**{}**: {}", store.kind.title(), sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn the_flow_tells_triggers_gates_and_strategies() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            public = true
            health = "/"
            [bot.guard]
            run = "bot"
            [extension.pause]
            files = "dist"
            on = "tag v*"
            [extension.pause.store.chrome]
            kind = "chrome-web-store"
            review = "3d"
            [extension.pause.store.edge]
            kind = "edge-addons"
            after = "chrome"
            [ci]
            gates = ["unit"]
            [gate.unit]
            command = "cargo test"
            [probe.login]
            http = "GET /me"
            of = "web"
            [probe.reflect]
            http = "GET /reflect"
            of = "web"
            [registry.ghcr]
            address = "ghcr.io"
            [environment.dev]
            on = "push main"
            [environment.prod]
            on = "tag v*"
            after = "dev"
            gates = "login"
            rollout = { strategy = "canary", steps = ["10% for 30m", "100%"], gates = ["login", "reflect"] }
        "#), @r#"
        ```mermaid
        flowchart TD
          code(["Code"])
          build["Build<br/>builds and tests"]
          code --> build
          checks{{"unit"}}
          build --> checks
          release[("Release<br/>ghcr.io")]
          checks -->|"pass"| release
          env_dev["dev<br/>rolling"]
          release -->|"push to main"| env_dev
          env_prod["prod<br/>canary: 10% of traffic for 30 minutes, then everything"]
          enter_prod{{"login"}}
          env_dev -->|"tag v*"| enter_prod
          enter_prod -->|"pass"| env_prod
          store_pause_chrome(["Chrome Web Store<br/>review up to 3 days"])
          release -->|"tag v*"| store_pause_chrome
          store_pause_edge(["Edge Add-ons"])
          store_pause_chrome -->|"same package"| store_pause_edge
        ```

        ### How each environment goes from one release to the next

        **dev**: Instances are replaced a few at a time, with up to 25% more than wanted and never fewer. It then bakes for 10 minutes; the old release stays warm for 10 minutes, so that going back takes seconds. What fails on the way goes back without asking; going back takes at most 2 minutes.

        **prod**: The new release gets 10% of traffic for 30 minutes, then everything. It is judged every minute, and goes on when `login` and `reflect` pass. A verdict rests on at least 300 requests; with fewer the step is extended by up to 2 hours, then held, and somebody is told. It then bakes for 10 minutes; the old release stays warm for 10 minutes, so that going back takes seconds. What fails on the way goes back without asking; going back takes at most 2 minutes.

        Some components go their own way:

        - `guard`: As a bot has one session, the old instance stops before the new one starts.

        A release is built once, and the same bytes go from environment to environment. The last 5 releases are kept with everything that they need, with at least 3 revisions of the configuration.

        ### Stores

        - **Chrome Web Store**: The signed package of `pause` is sent there on a tag `v*`. The review is expected to take at most 3 days; a longer one is noticed.
        - **Edge Add-ons**: The signed package of `pause` is sent there on a tag `v*`. It waits until that for Chrome Web Store has been uploaded.
        "#);
    }
}
