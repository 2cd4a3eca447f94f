//! The page that browsers are shown for what cannot be answered, looked at before it is needed.

use std::collections::BTreeMap;
use towpath_decide::review::error_page;
use towpath_manifest::{Reading, Unread};
use towpath_model::code;
use towpath_model::finding::Finding;
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// The most bytes of it: it is kept in memory, and made for each such answer.
pub(crate) const MOST: usize = 256 * 1024;

/// What stands in the way of showing it, or is doubtful in it, in each environment that has one.
pub(crate) fn error_pages(
    reading: &Reading,
    read: &dyn Fn(&str) -> Result<Vec<u8>, Unread>,
    findings: &mut Vec<Finding>,
) {
    let layers = reading.environments.iter();
    let layers = layers.map(|(name, layer)| (Some(name), &layer.desired));
    let alone = reading.desired.iter().map(|root| (None, root));
    let alone = alone.filter(|_| reading.environments.is_empty());
    let mut of: BTreeMap<&str, Vec<Name>> = BTreeMap::new();
    for (name, desired) in layers.chain(alone) {
        if let Some(path) = &desired.edge.error_page {
            of.entry(path.as_str()).or_default().extend(name.cloned());
        }
    }
    for (path, environments) in of {
        let mut found = looked_at(path, read(path));
        if environments.len() < reading.environments.len() {
            for one in &mut found {
                one.environments.clone_from(&environments);
            }
        }
        findings.append(&mut found);
    }
}

fn looked_at(path: &str, read: Result<Vec<u8>, Unread>) -> Vec<Finding> {
    let at = Path::of(["edge", "error_page"]);
    let refuse = |what: &str, hint: &str| {
        let message = format!("{path}, the `error_page` of the edge, {what}");
        vec![Finding::value(&code::ERROR_PAGE_UNSHOWN, at.clone(), message).hint(hint)]
    };
    match read.map(String::from_utf8) {
        Ok(Ok(text)) => error_page(&at, path, &text),
        Ok(Err(_)) => refuse("is no UTF-8", "save it as UTF-8"),
        Err(Unread::Missing) => refuse("is not there", "write it, or take `error_page` out of [edge]"),
        Err(Unread::TooLarge) => refuse(
            &format!("has more than {} KiB", MOST / 1024),
            "it is shown when much else fails: leave pictures out, or make them small",
        ),
        // Whoever starts it may read what we may not.
        Err(_) => Vec::new(),
    }
}
