//! What makes instances come and go, and what helps when something is short.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::{settings, words};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let mut policies = Table::new(["Component", "Instances", "Grows and shrinks by"]);
    for (_, name, _) in product.components() {
        if product
            .of_component(name, |component| component.scale.as_ref().map(settings::scale))
            .is_empty()
        {
            continue;
        }
        policies.row([
            words::code(name),
            product.of_component(name, |component| {
                let (least, most) = (component.replicas.min, component.replicas.most());
                Some(if least == most {
                    least.to_string()
                } else {
                    format!("{least} to {most}")
                })
            }),
            product.of_component(name, |component| component.scale.as_ref().map(settings::scale)),
        ]);
    }
    if !policies.is_empty() {
        page.paragraph("Where several reasons are written, the one that asks for the most instances wins.");
        page.table(&policies);
    }
    let mut levers = Table::new(["Symptom", "Metric", "What helps, best first"]);
    for (_, lever) in product.all(|product| &product.lever) {
        let metric = lever.metric.as_ref().map(words::code);
        let past = lever.past.as_ref().map(words::code);
        let actions: Vec<String> = lever.actions.iter().map(|action| words::text(action)).collect();
        levers.row([
            words::text(&lever.symptom),
            [metric, past].into_iter().flatten().collect::<Vec<_>>().join(" "),
            actions.join("; "),
        ]);
    }
    if !levers.is_empty() {
        page.heading(3, "Levers");
        page.table(&levers);
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn scaling_tells_reasons_and_levers() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            replicas = { min = 2, max = 10 }
            scale = { connections = 500, cpu = "70%" }
            [bot.guard]
            run = "bot"
            replicas = { min = 0, max = 1 }
            scale = { schedule = { when = "daily 07:00-23:00", replicas = 1 } }
            [metric.lag]
            measured = "latency"
            [lever.lag]
            symptom = "Late | slow"
            metric = "lag"
            past = "p95 > 3s"
            actions = ["more workers", "a larger queue"]
        "#), @r#"
        Where several reasons are written, the one that asks for the most instances wins.

        | Component | Instances | Grows and shrinks by                               |
        | --------- | --------- | -------------------------------------------------- |
        | `web`     | 2 to 10   | CPU at 70%; 500 open connections for each instance |
        | `guard`   | 0 to 1    | 1 instance every day from 07:00 to 23:00           |

        ### Levers

        | Symptom      | Metric           | What helps, best first       |
        | ------------ | ---------------- | ---------------------------- |
        | Late \| slow | `lag` `p95 > 3s` | more workers; a larger queue |
        "#);
    }
}
