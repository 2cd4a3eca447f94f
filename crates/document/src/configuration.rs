//! Where configuration comes from: its layers, and the contract of environment variables.

use crate::page::{Page, Table};
use crate::product::{Product, names};
use crate::words;
use towpath_model::desired::secret::{Delivery, Generator, Keeper, Secrets, Variable};
use towpath_model::unit::{Name, VarName};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let layers = layers(product);
    let contract = contract(product);
    if contract.is_empty() && layers.len() < 2 {
        return;
    }
    page.list(layers);
    if !contract.is_empty() {
        page.heading(3, "Environment variables");
        page.table(&contract);
    }
}

fn layers(product: &Product<'_>) -> Vec<String> {
    let mut layers = Vec::new();
    if !product.all(|product| &product.secret).is_empty() {
        let keeper = product.across(|here| Some(Some(keeper(product, product.kept(here)))));
        layers.push(format!(
            "**Secrets** are kept in {keeper}, and never stand in the repository."
        ));
    }
    let files: Vec<String> = product
        .components()
        .into_iter()
        .flat_map(|(_, _, component)| component.config.iter().map(ToString::to_string))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    if !files.is_empty() {
        layers.push(format!(
            "**Settings** that are not secret stand in {}, in the release: a rollback brings them back.",
            words::codes(&files)
        ));
    }
    let variables = product
        .components()
        .iter()
        .any(|(_, _, component)| !component.env.is_empty());
    if variables {
        layers.push("**Environment variables** carry both to the components; the table below is the contract. A deployment without one that is required fails before anything starts.".to_owned());
    }
    if !product.all(|product| &product.flag).is_empty() {
        layers.push("**Flags** turn parts on and off without a deployment; their defaults are the safe side and part of the release.".to_owned());
    }
    let seeds: Vec<String> = product
        .resources()
        .into_iter()
        .filter(|(_, name, _)| {
            product.environments.iter().any(|(_, here)| {
                here.resource(name.as_str())
                    .is_some_and(|(_, _, resource)| resource.seed.is_some())
            }) || product
                .root
                .resource(name.as_str())
                .is_some_and(|(_, _, resource)| resource.seed.is_some())
        })
        .map(|(_, name, _)| words::code(name))
        .collect();
    if !seeds.is_empty() {
        layers.push(format!(
            "**Rows** in {} are filled in once and then belong to the product.",
            words::list(&seeds)
        ));
    }
    layers
}

/// Where secrets are kept, in words.
pub(crate) fn keeper(product: &Product<'_>, secrets: &Secrets) -> String {
    let place = secrets.at.as_ref().map(|at| product.host(at.as_str()));
    let store = secrets
        .store
        .as_ref()
        .map(|store| format!(" ({})", words::code(store)));
    format!(
        "{}{}",
        place.unwrap_or_else(|| keeper_word(secrets.keeper).to_owned()),
        store.unwrap_or_default()
    )
}

/// A keeper by the name that people know.
pub(crate) fn keeper_word(keeper: Keeper) -> &'static str {
    match keeper {
        Keeper::Sealed => "Towpath's sealed store",
        Keeper::Dotenv => "a `.env` file that git does not track",
        Keeper::Vault => "HashiCorp Vault",
        Keeper::AzureKeyVault => "Azure Key Vault",
        Keeper::AwsSecrets => "AWS Secrets Manager",
        Keeper::Provider => "the provider's store",
        Keeper::Ci => "the secrets of the CI",
    }
}

/// A variable with the components that have it.
struct Entry<'a> {
    variable: &'a Variable,
    components: Vec<&'a Name>,
}

/// The variables of a component in any environment, as they are where the product is used for real.
fn variables<'a>(product: &Product<'a>, component: &'a Name) -> Vec<(&'a VarName, &'a Variable)> {
    let environments = product.environments.iter().map(|(_, here)| *here);
    let mut all: Vec<(&VarName, &Variable)> = Vec::new();
    for here in std::iter::once(product.main)
        .chain(environments)
        .chain([product.root])
    {
        if let Some((_, _, component)) = here.component(component.as_str()) {
            let new = component
                .env
                .iter()
                .filter(|(name, _)| !all.iter().any(|(known, _)| known == name));
            let new: Vec<_> = new.collect();
            all.extend(new);
        }
    }
    all
}

fn contract(product: &Product<'_>) -> Table {
    let mut table = Table::new([
        "Variable",
        "Components",
        "Required",
        "Environments",
        "What it is for",
        "Value or source",
    ]);
    let mut entries: Vec<(&VarName, Entry<'_>)> = Vec::new();
    for (_, name, _) in product.components() {
        for (variable, written) in variables(product, name) {
            let same = |(known, entry): &&mut (&VarName, Entry<'_>)| {
                *known == variable && entry.variable.about == written.about
            };
            match entries.iter_mut().find(same) {
                Some((_, entry)) => entry.components.push(name),
                None => entries.push((
                    variable,
                    Entry {
                        variable: written,
                        components: vec![name],
                    },
                )),
            }
        }
    }
    entries.sort_by_key(|(name, _)| name.as_str());
    for (name, entry) in entries {
        let required = match (entry.variable.future, entry.variable.required) {
            (true, _) => "not yet",
            (false, true) => "yes",
            (false, false) => "no",
        };
        let first = entry.components.first().copied();
        table.row([
            words::code(name),
            names(&entry.components),
            required.to_owned(),
            present(product, first, name, entry.variable),
            words::maybe(&entry.variable.about),
            source(product, first, name, entry.variable),
        ]);
    }
    table
}

fn present(product: &Product<'_>, component: Option<&Name>, name: &VarName, variable: &Variable) -> String {
    if !variable.only.is_empty() {
        return variable
            .only
            .iter()
            .map(|only| only.as_str())
            .collect::<Vec<_>>()
            .join(", ");
    }
    match component {
        Some(component) => product.where_present(|here| {
            here.component(component.as_str())
                .is_some_and(|(_, _, component)| component.env.contains_key(name))
        }),
        None => String::new(),
    }
}

/// Where the value comes from; a value of a secret is never here to be shown.
fn source<'a>(
    product: &Product<'a>,
    component: Option<&'a Name>,
    name: &'a VarName,
    variable: &Variable,
) -> String {
    let mut parts = Vec::new();
    if let Some(component) = component {
        let value = product.of_component(component, |component| component.env.get(name).and_then(value));
        parts.extend((!value.is_empty()).then_some(value));
    }
    parts.extend(variable.generate.map(|generator| generated(generator).to_owned()));
    if parts.is_empty() {
        parts.push(
            if variable.required {
                "each environment gives its own"
            } else {
                ""
            }
            .to_owned(),
        );
    }
    parts.extend(
        variable
            .example
            .as_ref()
            .map(|example| format!("for example {}", words::code(example))),
    );
    if variable.deliver == Delivery::File {
        parts.push("as a file; the variable holds its path".to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

fn value(variable: &Variable) -> Option<String> {
    let value = variable.value.as_deref()?;
    Some(match value.split_once(':') {
        Some(("secret", name)) => format!("secret {}", words::code(name)),
        Some(("flag", name)) => format!("flag {}", words::code(name)),
        Some(("from", name)) => format!("from {}", words::code(name)),
        _ => words::code(value),
    })
}

/// How a value is made where nobody gives one.
pub(crate) fn generated(generator: Generator) -> &'static str {
    match generator {
        Generator::Hex => "made as `openssl rand -hex 32` does",
        Generator::Token => "made as 43 letters and digits",
        Generator::Uuid => "made as a UUID",
        Generator::KeyPair => "made as a key pair",
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn the_contract_tells_every_variable_once() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            config = "config.yaml"
            env.TOKEN = { value = "secret:TOKEN", about = "Opens the door" }
            env.LOG_LEVEL = { value = "info", about = "How much is logged", required = false, example = "debug" }
            env.SITE = { about = "Its own address", example = "https://example.com" }
            env.FUTURE = { value = "secret:FUTURE", future = true, required = false }
            [worker.mail]
            run = "mail"
            env.TOKEN = { value = "secret:TOKEN", about = "Opens the door" }
            [secret.TOKEN]
            [secret.FUTURE]
            [flag.new]
            [environment.dev]
            secrets = "dotenv"
            service.web.env.SITE = "http://localhost"
            service.web.env.DEBUG = { value = "yes", only = "dev" }
            [environment.prod]
            secrets = "vault"
            service.web.env.SITE = "https://example.com"
        "#), @r#"
        - **Secrets** are kept in a `.env` file that git does not track (dev); HashiCorp Vault (prod), and never stand in the repository.
        - **Settings** that are not secret stand in `config.yaml`, in the release: a rollback brings them back.
        - **Environment variables** carry both to the components; the table below is the contract. A deployment without one that is required fails before anything starts.
        - **Flags** turn parts on and off without a deployment; their defaults are the safe side and part of the release.

        ### Environment variables

        | Variable    | Components | Required | Environments | What it is for     | Value or source             |
        | ----------- | ---------- | -------- | ------------ | ------------------ | --------------------------- |
        | `DEBUG`     | web        | yes      | dev          |                    | `yes` (dev)                 |
        | `FUTURE`    | web        | not yet  | all          |                    | secret `FUTURE`             |
        | `LOG_LEVEL` | web        | no       | all          | How much is logged | `info`; for example `debug` |
        | `SITE`      | web        | yes      | all          | Its own address    | `http://localhost` (dev); `https://example.com` (prod); for example `https://example.com` |
        | `TOKEN`     | web, mail  | yes      | all          | Opens the door     | secret `TOKEN`              |
        "#);
    }
}
