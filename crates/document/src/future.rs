//! What is to come.

use crate::page::Page;
use crate::product::Product;
use crate::words;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    page.steps(
        product
            .all(|product| &product.future)
            .into_iter()
            .map(|(_, future)| {
                let when = future
                    .when
                    .as_ref()
                    .map(|when| format!("when {}", words::text(when)));
                let by = future.by.map(|by| format!("by {by}"));
                let when: Vec<String> = when.into_iter().chain(by).collect();
                match when.is_empty() {
                    true => format!("**{}**", words::text(&future.about)),
                    false => format!("**{}**: {}.", words::text(&future.about), when.join(", ")),
                }
            }),
    );
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn the_future_tells_what_has_to_be_true_first() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            [future]
            region = "A second region"
            [future.cluster]
            about = "A cluster | larger"
            when = "1,000 people at once"
            by = "2027-01-01"
        "#), @r#"
        1. **A second region**
        2. **A cluster | larger**: when 1,000 people at once, by 2027-01-01.
        "#);
    }
}
