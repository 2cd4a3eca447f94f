//! Who does what, and may do what.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::words;
use towpath_model::desired::operations::Verb;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let mut table = Table::new(["Role", "People", "Sees to", "May"]);
    for (name, role) in product.all(|product| &product.role) {
        let people: Vec<String> = role
            .people
            .iter()
            .map(|person| words::text(person.as_str()))
            .collect();
        let may: Vec<&str> = role.may.iter().map(|verb| allowed(*verb)).collect();
        let only: Vec<&str> = role.only.iter().map(|only| only.as_str()).collect();
        let only = if only.is_empty() {
            String::new()
        } else {
            format!(", in {} only", words::list(&only))
        };
        let duties = words::sentences(role.duties.iter().map(String::as_str));
        table.row([
            format!("**{}**", product.role(name.as_str())),
            people.join(", "),
            duties,
            format!("{}{only}", words::list(&may)),
        ]);
    }
    page.table(&table);
}

fn allowed(verb: Verb) -> &'static str {
    match verb {
        Verb::See => "see how things are",
        Verb::Deploy => "deploy",
        Verb::Rollback => "roll back",
        Verb::Approve => "say yes at a gate",
        Verb::Waive => "waive a gate",
        Verb::Secrets => "change secrets",
        Verb::Restore => "restore data",
        Verb::Flags => "turn flags",
        Verb::All => "do everything",
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn roles_tell_duties_and_rights() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            [role.ops]
            title = "Operations"
            people = ["ana@example.com"]
            duties = ["roll back when in doubt", "keep | the pipeline"]
            may = ["deploy", "rollback"]
            only = "prod"
            [role.dev]
            may = "all"
            [environment.prod]
        "#), @r#"
        | Role           | People          | Sees to                                        | May                                |
        | -------------- | --------------- | ---------------------------------------------- | ---------------------------------- |
        | **Operations** | ana@example.com | Roll back when in doubt. Keep \| the pipeline. | deploy and roll back, in prod only |
        | **dev**        |                 |                                                | do everything                      |
        "#);
    }
}
