//! What an extension's `manifest.json` has to say before it is packed: that it is one, its version, and the policy of its
//! pages, which browsers take from there and from nowhere else.

use super::PackError;
use crate::door::files::{self, Kind};
use serde_json::Value;
use std::path::Path;

/// A manifest is read up to this size.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The version of the extension in this folder. Where a policy is wanted, its pages have that one.
pub(super) fn version(folder: &Path, policy: Option<&str>) -> Result<String, PackError> {
    let path = folder.join("manifest.json");
    if files::stat_through(folder).is_none_or(|stat| stat.kind != Kind::Folder) {
        return Err(PackError::Missing {
            missing: format!("folder {}", folder.display()),
            next: "build the extension, or let `files` name the folder that its build writes".to_owned(),
        });
    }
    if files::stat_through(&path).is_none_or(|stat| stat.kind != Kind::File) {
        return Err(PackError::Missing {
            missing: format!("manifest.json in {}", folder.display()),
            next: "build the extension, or let `files` name the folder in which its manifest.json lies"
                .to_owned(),
        });
    }
    let wrong = |wrong: String, next: &str| PackError::Manifest {
        path: path.display().to_string(),
        wrong,
        next: next.to_owned(),
    };
    let Some(text) = files::text(&path, LONGEST) else {
        let what = "is no text that can be read".to_owned();
        return Err(wrong(what, "write it as JSON in UTF-8"));
    };
    let version = judge(&text).map_err(|(what, next)| wrong(what, next))?;
    match policy.map_or(Ok(()), |policy| states(&text, policy)) {
        Ok(()) => Ok(version),
        Err((what, next)) => Err(wrong(what, &next)),
    }
}

/// Whether a manifest states this policy for its pages, or what is wrong and what to do.
fn states(text: &str, policy: &str) -> Result<(), (String, String)> {
    let manifest: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
    let stated = &manifest["content_security_policy"];
    // Before manifests of version 3 it was one text for everything.
    let stated = stated["extension_pages"].as_str().or(stated.as_str());
    let next = format!(
        "write \"content_security_policy\": {{ \"extension_pages\": {} }} into it, or say another `csp`",
        Value::from(policy)
    );
    match stated {
        None => Err(("has no content-security policy".to_owned(), next)),
        Some(stated) if directives(stated) == directives(policy) => Ok(()),
        Some(stated) => Err((format!("has the content-security policy `{stated}`"), next)),
    }
}

/// A policy as browsers read it: its directives, whatever is between them.
fn directives(policy: &str) -> Vec<Vec<String>> {
    let words = |one: &str| one.split_whitespace().map(str::to_ascii_lowercase).collect();
    let all = policy.split(';').map(words);
    all.filter(|one: &Vec<String>| !one.is_empty()).collect()
}

/// The version that the text of a manifest says, or what is wrong with it and what to do.
fn judge(text: &str) -> Result<String, (String, &'static str)> {
    let text = text.trim_start_matches('\u{feff}');
    let manifest: Value = serde_json::from_str(text).map_err(|error| {
        (
            format!("is no JSON: {error}"),
            "the stores take plain JSON, without comments",
        )
    })?;
    let Value::Object(manifest) = manifest else {
        return Err(("is no JSON object".to_owned(), "a manifest begins with `{`"));
    };
    match manifest.get("manifest_version").and_then(Value::as_u64) {
        Some(2 | 3) => {}
        Some(other) => {
            let wrong = format!("has the manifest_version {other}");
            return Err((wrong, "browsers know 3, and Firefox 2, too"));
        }
        None => {
            return Err((
                "has no manifest_version".to_owned(),
                "add `\"manifest_version\": 3`",
            ));
        }
    }
    if manifest
        .get("name")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        return Err((
            "has no name".to_owned(),
            "add `\"name\"` with what people shall read",
        ));
    }
    let next = "a version is one to four numbers up to 65535 with dots between them: `1.2.0`";
    match manifest.get("version") {
        Some(Value::String(version)) if is_version(version) => Ok(version.clone()),
        Some(other) => Err((format!("has the version {other}"), next)),
        None => Err(("has no version".to_owned(), next)),
    }
}

/// Whether the stores take it as a version: numbers without leading zeros, not all of them 0.
fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| {
        part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u16>().is_ok_and(|n| n.to_string() == **part)
    };
    parts.len() <= 4 && parts.iter().all(is_number) && parts.iter().any(|part| *part != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_judged_in_words() {
        let said = |text: &str| judge(text).unwrap_or_else(|(wrong, _)| wrong);
        for (text, told) in [
            (
                r#"{"manifest_version": 3, "name": "a", "version": "1.2.0"}"#,
                "1.2.0",
            ),
            (
                "\u{feff}{\"manifest_version\": 2, \"name\": \"a\", \"version\": \"7\"}",
                "7",
            ),
            ("[]", "is no JSON object"),
            (r#"{"name": "a", "version": "1.2.0"}"#, "has no manifest_version"),
            (
                r#"{"manifest_version": 1, "name": "a"}"#,
                "has the manifest_version 1",
            ),
            (r#"{"manifest_version": 3, "version": "1"}"#, "has no name"),
            (r#"{"manifest_version": 3, "name": "a"}"#, "has no version"),
            (
                r#"{"manifest_version": 3, "name": "a", "version": 1.2}"#,
                "has the version 1.2",
            ),
            (
                r#"{"manifest_version": 3, "name": "a", "version": "../../x"}"#,
                "has the version \"../../x\"",
            ),
        ] {
            assert_eq!(said(text), told, "{text}");
        }
        assert!(said("{ // hello\n}").starts_with("is no JSON: "));
    }

    #[test]
    fn a_version_is_what_the_stores_take() {
        for good in ["1", "1.0", "0.1", "1.2.3.4", "65535.0"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "1.", "1.2.3.4.5", "01.2", "1.2-beta", "65536", "+1", "0.0"] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
