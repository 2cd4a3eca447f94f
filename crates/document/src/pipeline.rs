//! How changes are built and tested before they arrive anywhere.

use crate::page::Page;
use crate::product::Product;
use crate::{questions, words};
use towpath_model::desired::operations::{Ci, Export, Workflow};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let exports: Vec<&str> = product
        .root
        .exports
        .iter()
        .map(|export| exported(*export))
        .collect();
    if let Some(ci) = &product.root.ci {
        pipeline(product, ci, page);
    }
    if !exports.is_empty() {
        page.paragraph(format!(
            "Written from the manifest and kept beside it: {}.",
            words::list(&exports)
        ));
    }
}

fn pipeline(product: &Product<'_>, ci: &Ci, page: &mut Page) {
    let mut steps = Vec::new();
    let builds = product
        .components()
        .iter()
        .filter(|(_, _, component)| component.build.is_some())
        .count();
    if builds > 0 || !product.root.build.is_empty() {
        steps.push(format!("**Build**: {}.", built(product)));
    }
    let gates: Vec<String> = ci
        .gates
        .iter()
        .map(|gate| questions::short(product, gate.as_str()))
        .collect();
    if !gates.is_empty() {
        steps.push(format!("**Test**: {}.", gates.join("; ")));
    }
    let registries: Vec<String> = product
        .all(|product| &product.registry)
        .into_iter()
        .map(|(_, registry)| words::code(&registry.address))
        .collect();
    if !registries.is_empty() {
        steps.push(format!(
            "**Publish**: artifacts go to {}, and are known by their digest from then on.",
            words::list(&registries)
        ));
    }
    for (name, environment, _) in product.places() {
        let gates = match environment.gates.is_empty() {
            true => String::new(),
            false => format!(
                ", once {} {}",
                words::codes(&environment.gates),
                if environment.gates.len() > 1 {
                    "pass"
                } else {
                    "passes"
                }
            ),
        };
        steps.push(format!(
            "**Deploy to {name}**: {}{gates}.",
            crate::environments::arrival(environment)
        ));
    }
    page.list(facts(product, ci));
    page.paragraph("The way of a change:");
    page.steps(steps);
    page.list(ci.notes.iter().map(|note| words::sentence(note)));
}

fn built(product: &Product<'_>) -> String {
    let builds = || {
        product
            .components()
            .into_iter()
            .filter_map(|(_, _, component)| component.build.as_ref())
    };
    let shared = || product.root.build.values();
    let signed = builds().chain(shared()).any(|build| build.sign);
    let listed = builds()
        .chain(shared())
        .any(|build| build.sbom != towpath_model::desired::build::Sbom::Off);
    let mut text = "each component once, with the tools and versions that its build names".to_owned();
    if listed {
        text.push_str("; the parts of what is built are listed");
    }
    if signed {
        text.push_str("; what is built is signed");
    }
    text
}

fn facts(product: &Product<'_>, ci: &Ci) -> Vec<String> {
    let mut facts = Vec::new();
    let at = ci.at.as_ref().map(|at| product.host(at.as_str()));
    let repository = ci
        .repository
        .as_ref()
        .map(|repository| format!("the repository {}", words::code(repository)));
    match (at, repository) {
        (Some(at), Some(repository)) => facts.push(format!("Runs on {at}, for {repository}.")),
        (Some(at), None) => facts.push(format!("Runs on {at}.")),
        (None, Some(repository)) => facts.push(format!("Builds {repository}.")),
        (None, None) => {}
    }
    let mut with = Vec::new();
    with.extend((!ci.systems.is_empty()).then(|| words::texts(&ci.systems)));
    with.extend((!ci.runtimes.is_empty()).then(|| words::texts(&ci.runtimes)));
    let browsers: Vec<String> = ci
        .browsers
        .iter()
        .map(|browser| words::capital(browser.word()))
        .collect();
    with.extend((!browsers.is_empty()).then(|| words::list(&browsers)));
    if !with.is_empty() {
        facts.push(format!("Matrix: {}.", with.join("; ")));
    }
    if !ci.packages.is_empty() {
        let tool = ci
            .workspace
            .as_ref()
            .map(|tool| format!(", as {} knows them", words::text(tool)));
        facts.push(format!(
            "Only packages that a change touches are built: {}{}.",
            words::codes(&ci.packages),
            tool.unwrap_or_default()
        ));
    }
    if ci.oidc {
        facts.push(
            "It proves who it is by OpenID Connect, so no long-lived key is kept for deploying.".to_owned(),
        );
    }
    if !ci.secrets.is_empty() {
        facts.push(format!("Secrets that it needs: {}.", words::codes(&ci.secrets)));
    }
    if !ci.workflows.is_empty() {
        let files: Vec<String> = ci
            .workflows
            .iter()
            .map(|workflow| workflow_words(*workflow))
            .collect();
        facts.push(format!("Workflows: {}.", files.join(", ")));
    }
    if let Some(severity) = ci.mend_from {
        facts.push(format!(
            "Weaknesses in dependencies are mended by pull requests, from severity {severity} on."
        ));
    }
    facts
}

fn workflow_words(workflow: Workflow) -> String {
    let what = match workflow {
        Workflow::Deploy => "builds, tests and deploys",
        Workflow::Rollback => "rolls back",
        Workflow::HealthCheck => "looks whether all is well",
        Workflow::Security => "looks for weaknesses",
    };
    format!("{} {what}", words::code(format!("{workflow}.yml")))
}

fn exported(export: Export) -> &'static str {
    match export {
        Export::Compose => "a compose file that brings up everything",
        Export::Terraform => "Terraform modules with variables for each environment",
        Export::Kubernetes => "Kubernetes objects",
        Export::GithubActions => "the workflows of the pipeline",
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn the_pipeline_tells_the_way_of_a_change() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            exports = ["compose"]
            [service.web]
            run = "web"
            build = { command = "make", sign = true }
            [ci]
            repository = "acme/shop"
            systems = "ubuntu-latest"
            runtimes = ["python 3.12"]
            browsers = ["chrome", "firefox"]
            oidc = true
            secrets = "TOKEN"
            gates = ["unit"]
            workflows = ["deploy", "rollback"]
            mend_from = "high"
            [gate.unit]
            about = "Unit tests"
            command = "make test"
            [registry.ghcr]
            address = "ghcr.io"
            [secret.TOKEN]
            keeper = "ci"
            [environment.dev]
            on = "push main"
            [environment.prod]
            after = "dev"
            gates = "unit"
        "#), @r#"
        - Builds the repository `acme/shop`.
        - Matrix: ubuntu-latest; python 3.12; Chrome and Firefox.
        - It proves who it is by OpenID Connect, so no long-lived key is kept for deploying.
        - Secrets that it needs: `TOKEN`.
        - Workflows: `deploy.yml` builds, tests and deploys, `rollback.yml` rolls back.
        - Weaknesses in dependencies are mended by pull requests, from severity high on.

        The way of a change:

        1. **Build**: each component once, with the tools and versions that its build names; what is built is signed.
        2. **Test**: `unit` (Unit tests).
        3. **Publish**: artifacts go to `ghcr.io`, and are known by their digest from then on.
        4. **Deploy to dev**: on a push to `main`.
        5. **Deploy to prod**: by itself, after dev, once `unit` passes.

        Written from the manifest and kept beside it: a compose file that brings up everything.
        "#);
    }
}
