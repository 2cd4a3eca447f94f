//! Who talks to whom, and what can be reached from outside.

use crate::page::{Chart, Look, Page, Table, id};
use crate::product::Product;
use crate::words;
use towpath_model::Desired;
use towpath_model::desired::component::{Component, ComponentKind, Protocol, Trust, Use};
use towpath_model::desired::edge::{Route, Tls};
use towpath_model::desired::resource::ResourceKind;
use towpath_model::unit::{Domain, Name};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let here = product.main;
    if here.components().count() + here.resources().count() > 1 || here.external.len() > 1 {
        if let Some(name) = product.main_name.filter(|_| product.environments.len() > 1) {
            page.paragraph(format!(
                "This is {name}. What stands in the frame cannot be reached from outside."
            ));
        }
        chart(here).write(page);
    }
    let addresses = addresses(product);
    if !addresses.is_empty() {
        page.heading(3, "Addresses");
        page.table(&addresses);
    }
    let routes = routes(product);
    if !routes.is_empty() {
        page.heading(3, "Routes");
        page.table(&routes);
    }
}

fn chart(here: &Desired) -> Chart {
    let mut chart = Chart::new("LR");
    let public = |component: &Component| component.public;
    let any_public = here.components().any(|(_, _, component)| public(component));
    let front = here.edge.in_front.as_deref().filter(|_| any_public);
    if any_public || !here.extension.is_empty() {
        chart.node("visitors", Look::Round, &["Visitors"]);
    }
    if let Some(front) = front {
        chart.node("front", Look::Round, &[front]);
    }
    for (kind, name, component) in here.components() {
        if public(component) || kind == ComponentKind::Extension {
            component_node(&mut chart, kind, name);
        }
    }
    let private: Vec<_> = here
        .components()
        .filter(|(kind, _, component)| !public(component) && *kind != ComponentKind::Extension)
        .collect();
    if !private.is_empty() || here.resources().next().is_some() {
        chart.open("private", "Private network");
        for (kind, name, _) in private {
            component_node(&mut chart, kind, name);
        }
        for (kind, name, _) in here.resources() {
            chart.node(
                &id("data", name.as_str()),
                Look::Cylinder,
                &[name.as_str(), resource_kind(kind)],
            );
        }
        chart.close();
    }
    for name in here.external.keys() {
        chart.node(&id("outside", name.as_str()), Look::Round, &[name.as_str()]);
    }
    arrows(here, front.is_some(), &mut chart);
    chart
}

fn component_node(chart: &mut Chart, kind: ComponentKind, name: &Name) {
    chart.node(
        &id("run", name.as_str()),
        Look::Box,
        &[name.as_str(), kind.word()],
    );
}

fn resource_kind(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Postgres => "Postgres",
        ResourceKind::Redis => "Redis",
        ResourceKind::Bucket => "Bucket",
    }
}

fn arrows(here: &Desired, front: bool, chart: &mut Chart) {
    let first = if front { "front" } else { "visitors" };
    let public: Vec<_> = here
        .components()
        .filter(|(_, _, component)| component.public)
        .collect();
    if front {
        let websockets = public
            .iter()
            .any(|(_, _, component)| component.speaks.contains(&Protocol::Websocket));
        chart.arrow(
            "visitors",
            "front",
            if websockets { "HTTPS, WSS" } else { "HTTPS" },
            false,
        );
    }
    for (_, name, component) in public {
        let secure = component.tls != Tls::Off;
        let label = match (secure, component.speaks.contains(&Protocol::Websocket)) {
            (true, true) => "HTTPS, WSS",
            (true, false) => "HTTPS",
            (false, true) => "HTTP, WS",
            (false, false) => "HTTP",
        };
        chart.arrow(first, &id("run", name.as_str()), label, false);
    }
    for name in here.extension.keys() {
        chart.arrow("visitors", &id("run", name.as_str()), "install", false);
    }
    for (kind, name, component) in here.components() {
        for used in &component.uses {
            if let Some(target) = target(here, used.name.as_str()) {
                chart.arrow(
                    &id("run", name.as_str()),
                    &target,
                    &label(here, kind, used),
                    used.optional,
                );
            }
        }
    }
}

/// The node of whatever is used.
fn target(here: &Desired, name: &str) -> Option<String> {
    if here.component(name).is_some() {
        return Some(id("run", name));
    }
    if here.resource(name).is_some() {
        return Some(id("data", name));
    }
    here.external.contains_key(name).then(|| id("outside", name))
}

/// How they talk, how they know each other, and what for.
fn label(here: &Desired, caller: ComponentKind, used: &Use) -> String {
    let by = used.by.unwrap_or_else(|| usual(here, used.name.as_str()));
    let between = here.component(used.name.as_str()).is_some();
    // What visitors hold, a page or an extension, has no certificate of ours to show.
    let certificates = between && here.edge.mtls && caller.runs();
    let trust = used.trust.or(certificates.then_some(Trust::Mtls));
    let mut parts = vec![protocol(by).to_owned()];
    parts.extend(trust.map(|trust| trusted(trust).to_owned()));
    if certificates && trust != Some(Trust::Mtls) {
        parts.push("mTLS".to_owned());
    }
    match &used.why {
        Some(why) => format!("{}: {why}", parts.join(", ")),
        None => parts.join(", "),
    }
}

fn usual(here: &Desired, name: &str) -> Protocol {
    match here.resource(name).map(|(kind, ..)| kind) {
        Some(ResourceKind::Postgres) => Protocol::Sql,
        Some(ResourceKind::Redis) => Protocol::Redis,
        Some(ResourceKind::Bucket) => Protocol::S3,
        None => here
            .external
            .get(name)
            .map_or(Protocol::Http, |external| external.speaks),
    }
}

/// A protocol, as people call it.
pub(crate) fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http => "HTTP",
        Protocol::Rest => "REST",
        Protocol::Websocket => "WebSocket",
        Protocol::Grpc => "gRPC",
        Protocol::Queue => "queue",
        Protocol::Sql => "SQL",
        Protocol::Redis => "Redis",
        Protocol::S3 => "S3",
        Protocol::Tcp => "TCP",
        Protocol::Gateway => "gateway",
    }
}

/// What makes the called side trust the caller, as people call it.
pub(crate) fn trusted(trust: Trust) -> &'static str {
    match trust {
        Trust::Network => "private network",
        Trust::Mtls => "mTLS",
        Trust::Hmac => "HMAC",
        Trust::Jwt => "JWT",
        Trust::Key => "key",
        Trust::Session => "session",
    }
}

/// The addresses of a component in an environment: its own, or its name in front of the environment's domain.
pub(crate) fn domains(name: &Name, component: &Component, environment: Option<&Domain>) -> Vec<String> {
    if !component.domains.is_empty() {
        return component.domains.iter().map(Domain::to_string).collect();
    }
    match environment {
        Some(domain) if component.public => vec![format!("{name}.{domain}")],
        _ => Vec::new(),
    }
}

fn addresses(product: &Product<'_>) -> Table {
    let mut table = Table::new(["Component", "Address", "Reached from", "Certificate"]);
    let places = product.places();
    for (kind, name, _) in product.components() {
        if !kind.takes_requests() {
            continue;
        }
        let address = product.across(|here| {
            let (_, _, component) = here.component(name.as_str())?;
            let place = places.iter().find(|(_, _, desired)| std::ptr::eq(*desired, here));
            let domain = place.and_then(|(_, environment, _)| environment.domain.as_ref());
            let domains = domains(name, component, domain);
            Some(Some(words::codes(domains)))
        });
        table.row([
            words::code(name),
            address,
            product.of_component(name, |component| Some(reach(component))),
            product.of_component(name, certificate),
        ]);
    }
    table
}

fn reach(component: &Component) -> String {
    match (component.public, component.allow.is_empty()) {
        (false, true) => "the private network".to_owned(),
        (true, true) => "anywhere".to_owned(),
        (_, false) => words::codes(&component.allow),
    }
}

fn certificate(component: &Component) -> Option<String> {
    component.public.then(|| {
        match component.tls {
            Tls::Auto => "issued and renewed by the edge",
            Tls::Files => "from files",
            Tls::InFront => "kept by what stands in front",
            Tls::Off => "none: plain HTTP",
        }
        .to_owned()
    })
}

fn routes(product: &Product<'_>) -> Table {
    let mut table = Table::new(["Component", "Path", "What for", "Answered by", "Rules"]);
    for (_, name, component) in product.components() {
        for route in &component.route {
            table.row([
                words::code(name),
                words::code(&route.path),
                words::maybe(&route.about),
                route.to.as_ref().map(words::code).unwrap_or_default(),
                route_rules(route),
            ]);
        }
    }
    table
}

fn route_rules(route: &Route) -> String {
    let mut rules = Vec::new();
    let limit = route.limit.as_ref();
    rules.extend(limit.and_then(|limit| limit.rate.as_ref()).map(words::rate));
    let body = route.body.or(limit.and_then(|limit| limit.body));
    rules.extend(body.map(|body| format!("bodies up to {}", words::size(body))));
    rules.extend(route.access.as_ref().map(crate::edge::sign_in));
    rules.extend(route.require.iter().map(crate::edge::required_header));
    rules.extend(route.waf.as_ref().map(crate::edge::waf));
    rules.extend(route.cache.as_ref().map(crate::edge::cache));
    rules.extend(
        route
            .redirect
            .as_ref()
            .map(|to| format!("sent on to {}", words::code(to))),
    );
    rules.join("; ")
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn the_diagram_tells_who_talks_to_whom() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [edge]
            in_front = "The \"CDN\""
            mtls = true
            [service.web]
            run = "web"
            public = true
            speaks = "websocket"
            uses = [{ name = "core", by = "rest", trust = "jwt", secret = "KEY", why = "asks | [all] \"sorts\"" }]
            route = [{ path = "/up", body = "20MB", about = "Uploads" }]
            [service.core]
            run = "core"
            uses = ["db", { name = "queue", why = "puts jobs" }, { name = "mail", optional = true }]
            [worker.end]
            run = "work"
            uses = ["queue", "core"]
            [postgres.db]
            [redis.queue]
            [external.mail]
            speaks = "rest"
            [secret.KEY]
            [environment.dev]
            [environment.prod]
            domain = "example.com"
            service.web.allow = "192.0.2.0/24"
        "#), @r#"
        This is prod. What stands in the frame cannot be reached from outside.

        ```mermaid
        flowchart LR
          visitors(["Visitors"])
          front(["The #quot;CDN#quot;"])
          run_web["web<br/>service"]
          subgraph private["Private network"]
            run_core["core<br/>service"]
            run_end["end<br/>worker"]
            data_db[("db<br/>Postgres")]
            data_queue[("queue<br/>Redis")]
          end
          outside_mail(["mail"])
          visitors -->|"HTTPS, WSS"| front
          front -->|"HTTPS, WSS"| run_web
          run_web -->|"REST, JWT, mTLS: asks #124; [all] #quot;sorts#quot;"| run_core
          run_core -->|"SQL"| data_db
          run_core -->|"Redis: puts jobs"| data_queue
          run_core -.->|"REST"| outside_mail
          run_end -->|"Redis"| data_queue
          run_end -->|"HTTP, mTLS"| run_core
        ```

        ### Addresses

        | Component | Address                  | Reached from                          | Certificate                    |
        | --------- | ------------------------ | ------------------------------------- | ------------------------------ |
        | `web`     | `web.example.com` (prod) | anywhere (dev); `192.0.2.0/24` (prod) | issued and renewed by the edge |
        | `core`    |                          | the private network                   |                                |

        ### Routes

        | Component | Path  | What for | Rules              |
        | --------- | ----- | -------- | ------------------ |
        | `web`     | `/up` | Uploads  | bodies up to 20 MB |
        "#);
    }
}
