//! Rules about content-security policies: what a page may load and run.

use super::super::{Scene, component_at};
use towpath_model::code;
use towpath_model::finding::{Finding, Shown};

/// The sources of scripts that a policy allows: those of `script-src`, or of `default-src` in its absence.
fn scripts(policy: &str) -> Option<(&str, Vec<&str>)> {
    let find = |wanted: &str| {
        policy.split(';').find_map(|directive| {
            let mut words = directive.split_whitespace();
            let name = words.next()?;
            name.eq_ignore_ascii_case(wanted).then(|| (name, words.collect()))
        })
    };
    find("script-src").or_else(|| find("default-src"))
}

/// What a source lets in, if it lets in what it should not.
fn loose(source: &str, sources: &[&str]) -> Option<&'static str> {
    let bound = |word: &&str| {
        word.starts_with("'nonce-")
            || word.starts_with("'sha")
            || word.eq_ignore_ascii_case("'strict-dynamic'")
    };
    match source.to_ascii_lowercase().as_str() {
        "'unsafe-inline'" if !sources.iter().any(bound) => {
            Some("scripts that somebody slipped into the page")
        }
        "'unsafe-eval'" => Some("text to be run as a script"),
        "*" | "http:" | "https:" | "http://*" | "https://*" => Some("scripts from anywhere"),
        "data:" => Some("scripts written into an address"),
        _ => None,
    }
}

/// The policy of a page keeps foreign scripts out.
pub(in super::super) fn pages(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        let Some(policy) = component
            .headers
            .as_ref()
            .and_then(|headers| headers.csp.as_deref())
        else {
            continue;
        };
        let Some((directive, sources)) = scripts(policy) else {
            continue;
        };
        let Some((source, what)) = sources.iter().find_map(|one| Some((*one, loose(one, &sources)?))) else {
            continue;
        };
        let message = format!(
            "the policy of {kind} `{name}` lets in {what}: `{}` in {directive}",
            Shown(source)
        );
        let hint = match source {
            "'unsafe-eval'" => "leave it out; WebAssembly needs only 'wasm-unsafe-eval'",
            "'unsafe-inline'" => {
                "move scripts into files, or mark each with a nonce: script-src 'self' 'nonce-..'"
            }
            _ => "name the origins that scripts come from: script-src 'self' https://js.example.com",
        };
        found.push(
            Finding::value(
                &code::CSP_LOOSE,
                component_at(kind, name).key("headers").key("csp"),
                message,
            )
            .label(format!("{} keeps nothing out", Shown(source)))
            .hint(hint),
        );
    }
}

/// An extension brings all of its scripts: stores refuse any other.
pub(in super::super) fn extensions(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        let Some((_, sources)) = component.csp.as_deref().and_then(scripts) else {
            continue;
        };
        let foreign = |source: &&&str| {
            let lower = source.to_ascii_lowercase();
            let here = lower.contains("//localhost") || lower.contains("//127.0.0.1");
            let own = lower == "'self'" || lower == "'none'" || lower == "'wasm-unsafe-eval'" || here;
            !own && !lower.starts_with("chrome-extension:") && !lower.starts_with("moz-extension:")
        };
        let Some(source) = sources.iter().find(foreign) else {
            continue;
        };
        let message = format!(
            "the policy of extension `{name}` allows scripts by `{}`, and stores refuse such a package",
            Shown(source)
        );
        found.push(
            Finding::value(
                &code::EXTENSION_CSP_REMOTE,
                component_at(kind, name).key("csp"),
                message,
            )
            .label("not from the package")
            .hint("pack every script, and write csp = \"script-src 'self' 'wasm-unsafe-eval'\""),
        );
    }
}
