//! What it costs a month.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::words;
use towpath_decide::cost::estimate;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let estimate = estimate(product.root, None);
    if estimate.lines.is_empty() {
        return;
    }
    let mut table = Table::new(["Item", "Units", "Rate", "Cost a month", "Notes"]);
    for line in &estimate.lines {
        let mut notes: Vec<String> = line
            .assumed
            .iter()
            .map(|assumed| format!("assumes {}", words::text(assumed)))
            .collect();
        notes.extend(line.bound.map(|bound| bound.to_string()));
        let plan = line
            .plan
            .as_ref()
            .filter(|plan| !plan.eq_ignore_ascii_case(&line.rate))
            .map(|plan| words::text(plan));
        let rate: Vec<String> = plan
            .into_iter()
            .chain([words::text(&line.rate)])
            .filter(|part| !part.is_empty())
            .collect();
        table.row([
            words::text(&line.title),
            words::text(&line.units),
            rate.join(", "),
            line.month.to_string(),
            notes.join("; "),
        ]);
    }
    let totals: Vec<String> = estimate
        .totals
        .iter()
        .map(|total| format!("**{total}**"))
        .collect();
    table.row([
        "**Total**".to_owned(),
        String::new(),
        String::new(),
        totals.join(" and "),
        String::new(),
    ]);
    page.table(&table);
    page.paragraph(budget(product));
    let savings: Vec<String> = estimate
        .lines
        .iter()
        .filter_map(|line| {
            line.save
                .as_ref()
                .map(|save| format!("{}: {}", words::text(&line.title), words::sentence(save)))
        })
        .collect();
    if !savings.is_empty() {
        page.paragraph("How it could be less:");
        page.list(savings);
    }
}

/// What all of it and each part may cost.
fn budget(product: &Product<'_>) -> String {
    let mut parts = Vec::new();
    parts.extend(product.root.budget.map(|budget| format!("all of it {budget}")));
    let components = product
        .components()
        .into_iter()
        .map(|(_, name, component)| (name, component.budget));
    let resources = product
        .resources()
        .into_iter()
        .map(|(_, name, resource)| (name, resource.budget));
    parts.extend(
        components
            .chain(resources)
            .filter_map(|(name, budget)| Some(format!("{} {}", words::code(name), budget?))),
    );
    match parts.is_empty() {
        true => String::new(),
        false => format!(
            "A month may cost at most: {}. More is an error.",
            parts.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn costs_add_up() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            budget = "$40"
            [service.web]
            run = "web"
            budget = "$10"
            [cost.plan]
            title = "A | plan"
            price = "$13"
            rate = "B1"
            [cost.events]
            title = "Events"
            price = "$26+"
            assume = "300 a day"
            save = "Sample them"
        "#), @r#"
        | Item      | Units | Rate    | Cost a month | Notes                                         |
        | --------- | ----- | ------- | ------------ | --------------------------------------------- |
        | A \| plan | 1     | B1, $13 | $13          |                                               |
        | Events    | 1     | $26+    | $26+         | assumes 300 a day; the price is a lower bound |
        | **Total** |       |         | **$39+**     |                                               |

        A month may cost at most: all of it $40, `web` $10. More is an error.

        How it could be less:

        - Events: Sample them.
        "#);
    }
}
