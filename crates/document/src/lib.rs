//! What is desired, written back as an infrastructure document: Markdown with mermaid diagrams.
//!
//! Each section is a file of its own, and writes nothing where there is nothing to say. A section tells what holds in
//! every environment once, and names the environments where it differs. What people wrote stands as they wrote it,
//! but can break neither a table nor a diagram; values of secrets are not known here at all.

mod alerts;
mod backups;
mod components;
mod configuration;
mod costs;
mod decisions;
mod edge;
mod environments;
mod flags;
mod future;
mod gates;
mod golive;
mod hosting;
mod maintenance;
mod metrics;
mod objectives;
mod overview;
mod page;
mod people;
mod pipeline;
mod probes;
mod product;
mod promotion;
mod questions;
mod reference;
mod resources;
mod rollout;
mod runbooks;
mod scaling;
mod schema;
mod secrets;
mod security;
mod settings;
mod topology;
mod words;

#[cfg(test)]
mod tests;

use page::Page;
use product::Product;
use towpath_decide::review::Whole;

/// A section: its title, and what writes it.
type Section = (&'static str, fn(&Product<'_>, &mut Page));

/// Every section, in the order of the document: what there is, how a change gets there, how it is run, by whom.
const SECTIONS: &[Section] = &[
    ("Hosting", hosting::write),
    ("Environments", environments::write),
    ("Topology", topology::write),
    ("Promotion flow", promotion::write),
    ("Components", components::write),
    ("Resources", resources::write),
    ("Configuration", configuration::write),
    ("Secrets", secrets::write),
    ("Flags", flags::write),
    ("Scaling", scaling::write),
    ("CI/CD pipeline", pipeline::write),
    ("Gates", gates::write),
    ("Probes", probes::write),
    ("Observability", metrics::write),
    ("Objectives", objectives::write),
    ("Alerts and on-call", alerts::write),
    ("Backups and recovery", backups::write),
    ("Schema and contents", schema::write),
    ("Security", security::write),
    ("Runbooks", runbooks::write),
    ("Costs", costs::write),
    ("Go-live checklist", golive::write),
    ("Maintenance", maintenance::write),
    ("Roles and responsibilities", people::write),
    ("Quick reference", reference::write),
    ("Decisions", decisions::write),
    ("Future", future::write),
];

/// The infrastructure document of a product, in Markdown.
pub fn document(whole: &Whole<'_>) -> String {
    let product = Product::of(whole);
    let mut contents = Vec::new();
    let mut body = Page::default();
    for (title, write) in SECTIONS {
        let mut page = Page::default();
        write(&product, &mut page);
        if page.is_empty() {
            continue;
        }
        let number = contents.len() + 1;
        contents.push(format!("{number}. [{title}](#{})", anchor(number, title)));
        body.heading(2, &format!("{number}. {title}"));
        body.append(page);
    }
    let mut page = Page::default();
    overview::write(&product, &mut page);
    if contents.len() > 1 {
        page.paragraph(contents.join("\n"));
    }
    page.append(body);
    page.into_text()
}

/// The anchor that GitHub gives a heading: in small letters, without punctuation, with hyphens for spaces.
fn anchor(number: usize, title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-');
    let title: String = title.chars().filter(kept).collect();
    format!("{number}-{}", title.to_lowercase().replace(' ', "-"))
}
