//! What the product is, what its operation has to achieve, and where it is.

use crate::page::Page;
use crate::product::Product;
use crate::words;
use towpath_model::unit::Zone;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let root = product.root;
    page.heading(1, &format!("{}: infrastructure", words::text(product.title())));
    if let Some(about) = &root.about {
        page.paragraph(words::sentence(about));
    }
    if !root.goals.is_empty() {
        page.paragraph("The way it is run has to achieve this:");
        page.list(root.goals.iter().map(|goal| words::text(goal)));
    }
    page.paragraph(place(product).join(" "));
    page.list(root.notes.iter().map(|note| words::sentence(note)));
}

/// Region, time zone and what all of it may cost, as sentences.
fn place(product: &Product<'_>) -> Vec<String> {
    let root = product.root;
    let mut sentences = Vec::new();
    match (&root.region, &root.region_why) {
        (Some(region), Some(why)) => {
            sentences.push(format!(
                "It runs in the region {}. {}",
                words::code(region),
                words::sentence(why)
            ));
        }
        (Some(region), None) => sentences.push(format!("It runs in the region {}.", words::code(region))),
        (None, Some(why)) => sentences.push(words::sentence(why)),
        (None, None) => {}
    }
    if root.time_zone != Zone::utc() {
        sentences.push(format!(
            "Times are those of {} unless they say otherwise.",
            root.time_zone
        ));
    }
    if let Some(budget) = root.budget {
        sentences.push(format!("All of it may cost at most {budget} a month."));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn an_overview_tells_goals_region_and_budget() {
        insta::assert_snapshot!(section(super::write, r##"
            product = "shop"
            title = "The *Shop*"
            about = "Sells things"
            goals = ["Cost little", "# Never lose an order"]
            region = "sin"
            region_why = "Most people are near"
            time_zone = "Asia/Singapore"
            budget = "$50"
            [service.web]
            run = "web"
        "##), @r#"
        # The \*Shop\*: infrastructure

        Sells things.

        The way it is run has to achieve this:

        - Cost little
        - \# Never lose an order

        It runs in the region `sin`. Most people are near. Times are those of Asia/Singapore unless they say otherwise. All of it may cost at most $50 a month.
        "#);
    }

    #[test]
    fn an_overview_of_little_is_a_title() {
        insta::assert_snapshot!(section(super::write, "product = \"shop\"\n[service.web]\nrun = \"web\""), @r#"
        # shop: infrastructure
        "#);
    }
}
