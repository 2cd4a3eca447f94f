//! The flags, and on which side they stand.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::words;
use towpath_model::desired::secret::Flag;
use towpath_model::unit::Name;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let flags = product.all(|product| &product.flag);
    if flags.is_empty() {
        return;
    }
    page.paragraph("The default is the safe side, and holds whenever nothing can be asked.");
    let mut table = Table::new([
        "Flag",
        "What is on when it is on",
        "Default",
        "Elsewhere",
        "Kill switch for",
        "Seen as",
        "Owner and end",
    ]);
    for (name, flag) in flags {
        let guards = match (flag.kill, flag.guards.is_empty()) {
            (true, true) => "yes".to_owned(),
            (true, false) => words::codes(&flag.guards),
            (false, _) => String::new(),
        };
        let mut owner: Vec<String> = flag.owner.iter().map(|owner| words::text(owner)).collect();
        owner.extend(flag.until.map(|until| format!("until {until}")));
        table.row([
            words::code(name),
            words::maybe(&flag.about),
            side(flag.default).to_owned(),
            elsewhere(product, name, flag),
            guards,
            flag.as_env.as_ref().map(words::code).unwrap_or_default(),
            owner.join(", "),
        ]);
    }
    page.table(&table);
}

/// `on` or `off`.
pub(crate) fn side(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// The value in an environment: what the environment says, else what the flag says for it, else the default.
pub(crate) fn value(product: &Product<'_>, environment: &Name, name: &Name, flag: &Flag) -> bool {
    let places = product.places();
    let place = places.iter().find(|(place, ..)| *place == environment);
    let own = place.and_then(|(_, own, _)| own.flags.get(name).copied());
    own.or_else(|| flag.env.get(environment).copied())
        .unwrap_or(flag.default)
}

fn elsewhere(product: &Product<'_>, name: &Name, flag: &Flag) -> String {
    let other: Vec<&str> = product
        .environments
        .iter()
        .filter(|(environment, _)| value(product, environment, name, flag) != flag.default)
        .map(|(environment, _)| environment.as_str())
        .collect();
    match other.is_empty() {
        true => String::new(),
        false => format!("{} in {}", side(!flag.default), words::list(&other)),
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn flags_tell_where_they_stand() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            [flag.heuristics-only]
            about = "Rules alone"
            default = true
            kill = true
            guards = "web"
            as_env = "HEURISTICS_ONLY"
            env = { dev = false }
            [flag.new]
            until = "2027-03-01"
            owner = "Ana"
            [environment.dev]
            [environment.staging]
            flags = { new = true }
            [environment.prod]
        "#), @r#"
        The default is the safe side, and holds whenever nothing can be asked.

        | Flag              | What is on when it is on | Default | Elsewhere     | Kill switch for | Seen as           | Owner and end         |
        | ----------------- | ------------------------ | ------- | ------------- | --------------- | ----------------- | --------------------- |
        | `heuristics-only` | Rules alone              | on      | off in dev    | `web`           | `HEURISTICS_ONLY` |                       |
        | `new`             |                          | off     | on in staging |                 |                   | Ana, until 2027-03-01 |
        "#);
    }
}
