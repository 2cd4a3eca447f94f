//! The decisions, with what led to them and what follows.

use crate::page::Page;
use crate::product::Product;
use crate::words;
use towpath_model::desired::operations::Standing;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    for (_, decision) in product.all(|product| &product.decision) {
        let id = decision
            .id
            .as_ref()
            .map(|id| format!("{}: ", words::text(id)))
            .unwrap_or_default();
        page.heading(3, &format!("{id}{}", words::text(&decision.title)));
        let status = match decision.status {
            Standing::Accepted => "accepted",
            Standing::Proposed => "proposed",
            Standing::Superseded => "superseded",
            Standing::Rejected => "rejected",
        };
        let date = decision
            .date
            .as_ref()
            .map(|date| format!(", {date}"))
            .unwrap_or_default();
        let replaces = decision
            .replaces
            .as_ref()
            .map(|other| format!("; replaces {}", words::text(other)));
        let mut points = vec![format!(
            "**Status**: {status}{date}{}",
            replaces.unwrap_or_default()
        )];
        points.extend(
            decision
                .context
                .as_ref()
                .map(|context| format!("**Context**: {}", words::sentence(context))),
        );
        points.push(format!("**Choice**: {}", words::sentence(&decision.choice)));
        if !decision.consequences.is_empty() {
            points.push(format!(
                "**Consequences**: {}",
                words::sentences(decision.consequences.iter().map(String::as_str))
            ));
        }
        page.list(points);
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn decisions_tell_context_and_consequences() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            [decision.redis]
            id = "D08-03"
            title = "No *Redis* yet"
            context = "Memory is enough"
            choice = "LISTEN/NOTIFY"
            consequences = ["Fewer parts", "The bot listens"]
            date = "2026-03-01"
            [decision.cloud]
            title = "One cloud"
            status = "proposed"
            choice = "The nearest"
        "#), @r#"
        ### D08-03: No \*Redis\* yet

        - **Status**: accepted, 2026-03-01
        - **Context**: Memory is enough.
        - **Choice**: LISTEN/NOTIFY.
        - **Consequences**: Fewer parts. The bot listens.

        ### One cloud

        - **Status**: proposed
        - **Choice**: The nearest.
        "#);
    }
}
