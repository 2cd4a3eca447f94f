//! What has to be true before going live.

use crate::page::Page;
use crate::product::Product;
use crate::words;
use towpath_model::desired::operations::{GoLive, Known};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let items = product.all(|product| &product.golive);
    if items.is_empty() {
        return;
    }
    page.paragraph(format!(
        "{} asks all of this at once, and tells what is still missing.",
        words::code("towpath golive")
    ));
    page.checklist(items.into_iter().map(|(_, item)| told(product, item)));
}

fn told(product: &Product<'_>, item: &GoLive) -> String {
    let mut shown = Vec::new();
    if !item.gates.is_empty() {
        shown.push(words::codes(&item.gates));
    }
    shown.extend(item.command.as_ref().map(words::code));
    shown.extend(item.holds.map(|known| knows(known).to_owned()));
    let who = item
        .who
        .as_ref()
        .map(|role| format!("said by {}", product.role(role.as_str())));
    let lasting = item
        .lasting
        .map(|time| format!(" for {}", words::time(time)))
        .unwrap_or_default();
    let shown = match shown.is_empty() {
        true => None,
        false => Some(format!("shown by {}{lasting}", words::list(&shown))),
    };
    let how: Vec<String> = shown.into_iter().chain(who).collect();
    let about = words::sentence(&item.about);
    match how.is_empty() {
        true => about,
        false => format!("{about} *{}.*", words::capital(&how.join("; "))),
    }
}

fn knows(known: Known) -> &'static str {
    match known {
        Known::BackupsTested => "the last trial of each restore",
        Known::PointInTime => "the log of changes of each Postgres",
        Known::FlagsSafe => "the side on which each flag stands",
        Known::OncallSet => "the rotation",
        Known::SecretsSet => "a value for each secret",
        Known::CertificatesValid => "the certificate of each public address",
        Known::RunbooksReachable => "the runbooks",
        Known::CanaryWarm => "the canary",
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn the_checklist_tells_what_shows_each_point() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            [gate.load]
            command = "k6"
            [role.lead]
            title = "Lead"
            [golive]
            dns = "DNS points | here"
            [golive.load]
            about = "It holds under load"
            gates = "load"
            lasting = "30m"
            [golive.backups]
            about = "A restore has been tried"
            holds = "backups-tested"
            who = "lead"
        "#), @r#"
        `towpath golive` asks all of this at once, and tells what is still missing.

        - [ ] DNS points | here.
        - [ ] It holds under load. *Shown by `load` for 30 minutes.*
        - [ ] A restore has been tried. *Shown by the last trial of each restore; said by Lead.*
        "#);
    }
}
