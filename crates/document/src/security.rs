//! The controls of security: those that follow from the manifest, and those that it states.

mod network;

use crate::page::{Page, Table};
use crate::product::Product;
use crate::{edge, words};
use towpath_model::desired::component::Component;
use towpath_model::desired::gate::Sarif;
use towpath_model::unit::Name;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let mut table = Table::new(["Area", "What holds"]);
    let areas: [(&'static str, Vec<String>); 8] = [
        ("Encryption on the way", network::transport(product)),
        ("Network", network::reach(product)),
        ("Who may pass", access(product)),
        ("Requests", requests(product)),
        ("Secrets", secrets(product)),
        ("Data", at_rest(product)),
        ("What is built", built(product)),
        ("Record", record(product)),
    ];
    for (area, controls) in areas {
        if !controls.is_empty() {
            table.row([area.to_owned(), controls.join("<br>")]);
        }
    }
    page.table(&table);
    let mut stated = Table::new(["Control", "Area", "Shown by"]);
    for (_, control) in product.all(|product| &product.control) {
        stated.row([
            words::sentence(&control.about),
            words::maybe(&control.area),
            control.gate.as_ref().map(words::code).unwrap_or_default(),
        ]);
    }
    if !stated.is_empty() {
        page.heading(3, "Further controls");
        page.table(&stated);
    }
}

/// The public components, as they are where the product is used for real.
fn public<'a>(product: &Product<'a>) -> Vec<(&'a Name, &'a Component)> {
    let all = product
        .main
        .components()
        .filter(|(_, _, component)| component.public);
    all.map(|(_, name, component)| (name, component)).collect()
}

fn access(product: &Product<'_>) -> Vec<String> {
    let mut controls = Vec::new();
    for (name, component) in public(product) {
        if let Some(access) = &component.access {
            controls.push(format!("{}: {}.", words::code(name), edge::sign_in(access)));
        }
        if component.dashboard && component.access.is_none() {
            let name = words::code(name);
            controls.push(format!(
                "{name}: for the team only, by a sign-in with a password where nothing else is said."
            ));
        }
        for route in component.route.iter().filter(|route| route.access.is_some()) {
            let how = route.access.as_ref().map(edge::sign_in).unwrap_or_default();
            controls.push(format!(
                "{} on {}: {how}.",
                words::code(&route.path),
                words::code(name)
            ));
        }
    }
    for (name, environment, _) in product.places() {
        if let Some(access) = &environment.access {
            controls.push(format!("All of {name}: {}.", edge::sign_in(access)));
        }
    }
    let limited: Vec<String> = product
        .places()
        .into_iter()
        .filter(|(_, environment, _)| !environment.deployers.is_empty())
        .map(|(name, environment, _)| {
            let roles: Vec<String> = environment
                .deployers
                .iter()
                .map(|role| product.role(role.as_str()))
                .collect();
            format!("Only {} may deploy to {name}.", words::list(&roles))
        })
        .collect();
    controls.extend(limited);
    if !product.root.releases.protected.is_empty() {
        controls.push(format!(
            "Nobody pushes to {} without a review.",
            words::codes(&product.root.releases.protected)
        ));
    }
    controls
}

fn requests(product: &Product<'_>) -> Vec<String> {
    let mut controls = Vec::new();
    for (name, component) in public(product) {
        let mut parts = Vec::new();
        parts.extend(
            component
                .headers
                .as_ref()
                .map(|headers| format!("headers: {}", edge::headers(headers))),
        );
        parts.extend(
            component
                .limit
                .as_ref()
                .and_then(edge::limit)
                .map(|limit| format!("limits: {limit}")),
        );
        parts.extend(component.waf.as_ref().map(edge::waf));
        if component.csrf {
            parts.push("requests that change something come from its own pages only".to_owned());
        }
        let required: Vec<String> = component.require.iter().map(edge::required_header).collect();
        if !required.is_empty() {
            parts.push(format!("requests carry {}", words::list(&required)));
        }
        if !parts.is_empty() {
            controls.push(format!("{}: {}.", words::code(name), parts.join("; ")));
        }
    }
    controls.extend(
        product
            .main
            .edge
            .waf
            .as_ref()
            .map(|rules| format!("Everything public: {}.", edge::waf(rules))),
    );
    for (name, extension) in product.all(|product| &product.extension) {
        controls.extend(extension.csp.as_ref().map(|csp| {
            format!(
                "{}: its pages have the policy {}.",
                words::code(name),
                words::code(csp)
            )
        }));
    }
    controls
}

fn secrets(product: &Product<'_>) -> Vec<String> {
    let mut controls = Vec::new();
    let secrets = product.all(|product| &product.secret);
    if !secrets.is_empty() {
        controls.push(
            "Secrets stand neither in the repository nor in logs; each environment has its own.".to_owned(),
        );
    }
    let named = |of: fn(&towpath_model::desired::secret::Secret) -> bool| {
        words::codes(
            secrets
                .iter()
                .filter(|(_, secret)| of(secret))
                .map(|(name, _)| name),
        )
    };
    for (what, names) in [
        ("Replaced on a schedule", named(|secret| secret.rotate.is_some())),
        ("Never leaving a key service", named(|secret| secret.hardware)),
        ("Living for minutes only", named(|secret| secret.short_lived)),
    ] {
        if !names.is_empty() {
            controls.push(format!("{what}: {names}."));
        }
    }
    if product.root.ci.as_ref().is_some_and(|ci| ci.oidc) {
        controls
            .push("The pipeline proves who it is, so no long-lived key is kept for deploying.".to_owned());
    }
    controls
}

fn at_rest(product: &Product<'_>) -> Vec<String> {
    let mut controls = Vec::new();
    let encrypted: Vec<&Name> = product
        .main
        .resources()
        .filter(|(_, _, r)| r.encrypted)
        .map(|(_, name, _)| name)
        .collect();
    if !encrypted.is_empty() {
        controls.push(format!("Encrypted on disk: {}.", words::codes(encrypted)));
    }
    for (name, environment, _) in product.places() {
        if let Some(from) = environment
            .data
            .copy
            .as_ref()
            .filter(|_| !environment.data.mask.is_empty())
        {
            controls.push(format!(
                "{} holds a masked copy of {from}.",
                words::capital(name.as_str())
            ));
        }
    }
    for (name, keeps) in kept(product) {
        controls.push(format!(
            "{} keeps about people: {}.",
            words::code(name),
            words::text(keeps)
        ));
    }
    controls
}

fn kept<'a>(product: &Product<'a>) -> Vec<(&'a Name, &'a str)> {
    let components = product
        .components()
        .into_iter()
        .map(|(_, name, component)| (name, &component.privacy));
    let resources = product
        .resources()
        .into_iter()
        .map(|(_, name, resource)| (name, &resource.privacy));
    components
        .chain(resources)
        .filter_map(|(name, privacy)| Some((name, privacy.as_ref()?.keeps.as_str())))
        .collect()
}

fn built(product: &Product<'_>) -> Vec<String> {
    let mut controls = Vec::new();
    for (name, gate) in product.all(|product| &product.gate) {
        if let Some(Sarif {
            block,
            fail,
            older_than,
            ..
        }) = &gate.sarif
        {
            let tool = gate
                .tool
                .as_ref()
                .map(|tool| format!(", by {}", words::text(tool)))
                .unwrap_or_default();
            let old = older_than.map(|age| format!("; none is left open for more than {}", words::time(age)));
            controls.push(format!(
                "{}{tool}: {block} weaknesses stop a release, {fail} ones the build{}.",
                words::code(name),
                old.unwrap_or_default()
            ));
        }
    }
    let builds = product
        .components()
        .into_iter()
        .filter_map(|(_, _, component)| component.build.as_ref());
    let shared = product
        .all(|product| &product.build)
        .into_iter()
        .map(|(_, build)| build);
    let all: Vec<_> = builds.chain(shared).collect();
    if all.iter().any(|build| build.sign) || product.root.releases.signed {
        controls.push("Artifacts are signed, and the signature is checked before they run.".to_owned());
    }
    if all
        .iter()
        .any(|build| build.sbom != towpath_model::desired::build::Sbom::Off)
    {
        controls.push("The parts of what is built are listed.".to_owned());
    }
    if let Some(severity) = product.root.ci.as_ref().and_then(|ci| ci.mend_from) {
        controls.push(format!(
            "Dependencies with weaknesses from {severity} on are mended by pull requests."
        ));
    }
    controls
}

fn record(product: &Product<'_>) -> Vec<String> {
    let mut controls = Vec::new();
    if product.main.telemetry.audit {
        controls
            .push("Every deployment and every change of a secret is recorded, with who and why.".to_owned());
    }
    if !product.main.telemetry.hide.is_empty() {
        controls.push(format!(
            "{} never stand in logs.",
            words::codes(&product.main.telemetry.hide)
        ));
    }
    controls
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn controls_follow_from_the_manifest() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [edge]
            mtls = true
            waf = "challenge"
            [service.web]
            run = "web"
            public = true
            csrf = true
            headers = "strict"
            limit = { rate = "100/s per ip" }
            access = { sign_in = "oidc", issuer = "https://id.example.com", secret = "CLIENT", groups = "ops | all" }
            uses = ["core", "db"]
            [site.ops]
            files = "ops"
            public = true
            dashboard = true
            [service.core]
            run = "core"
            build = { command = "make", sign = true, sbom = "spdx" }
            [postgres.db]
            privacy = { keeps = "e-mail addresses", law = "GDPR" }
            [secret.CLIENT]
            rotate = "quarterly"
            [gate.scan]
            sarif = "scan.sarif"
            tool = "Trivy"
            [control.rows]
            about = "Rows are visible to their owner only"
            area = "Data protection"
            [environment.prod]
        "#), @r#"
        | Area                  | What holds                                         |
        | --------------------- | -------------------------------------------------- |
        | Encryption on the way | TLS for `web` and `ops`, with certificates that the edge renews.<br>Plain HTTP is answered with the HTTPS address.<br>Calls between components show certificates of the product's own authority, replaced every 7 days.<br>Connections to `db` have to be encrypted. |
        | Network               | `core` can be reached on the private network only. |
        | Who may pass          | `web`: sign-in with OpenID Connect at https://id.example.com, for the group ops \| all.<br>`ops`: for the team only, by a sign-in with a password where nothing else is said. |
        | Requests              | `web`: headers: the strict set; limits: 100/s per IP; requests that change something come from its own pages only.<br>Everything public: automatic requests have to solve a challenge, injections are refused. |
        | Secrets               | Secrets stand neither in the repository nor in logs; each environment has its own.<br>Replaced on a schedule: `CLIENT`. |
        | Data                  | Encrypted on disk: `db`.<br>`db` keeps about people: e-mail addresses. |
        | What is built         | `scan`, by Trivy: high weaknesses stop a release, critical ones the build.<br>Artifacts are signed, and the signature is checked before they run.<br>The parts of what is built are listed. |
        | Record                | Every deployment and every change of a secret is recorded, with who and why. |

        ### Further controls

        | Control                               | Area            |
        | ------------------------------------- | --------------- |
        | Rows are visible to their owner only. | Data protection |
        "#);
    }
}
