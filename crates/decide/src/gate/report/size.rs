//! The weight of files, or of what a component is made of.

use super::NAMED;
use super::outcome::{counted, failed, passed, shown};
use towpath_model::run::{Evidence, Found};
use towpath_model::unit::Bytes;

/// What the files of a pattern weigh together: each with its bytes.
pub fn size(pattern: &str, files: &[(String, u64)], most: Bytes) -> Found {
    let bound = format!("<= {most}");
    if files.is_empty() {
        let why = shown(&format!(
            "{pattern}: no file is like it; build first, or write the pattern as the files lie beside the manifest"
        ));
        return failed(why, None, &bound, Vec::new());
    }
    let what = match files {
        [(name, _)] => name.clone(),
        all => format!("{} like {pattern}", counted(all.len() as u64, "file")),
    };
    let mut heavy: Vec<&(String, u64)> = files.iter().collect();
    heavy.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let named = heavy.iter().take(NAMED);
    let lines: Vec<String> = named
        .map(|(name, bytes)| format!("{} {name}", Bytes::new(*bytes)))
        .collect();
    judge(
        &what,
        files.iter().map(|(_, bytes)| *bytes),
        most,
        &bound,
        lines.join("\n"),
    )
}

/// What a component weighs of which this many bytes are taken into a release; nothing where that is not known.
pub fn weight(component: &str, bytes: Option<u64>, most: Bytes) -> Found {
    let bound = format!("<= {most}");
    match bytes {
        None => {
            let why = format!(
                "nothing is taken of `{component}` into a release, so there is nothing to weigh; name its files with `file`"
            );
            failed(why, None, &bound, Vec::new())
        }
        Some(bytes) => judge(
            &format!("what is taken of `{component}`"),
            [bytes],
            most,
            &bound,
            String::new(),
        ),
    }
}

fn judge(what: &str, bytes: impl IntoIterator<Item = u64>, most: Bytes, bound: &str, text: String) -> Found {
    let sum = bytes.into_iter().fold(0, u64::saturating_add);
    let words = shown(&format!("{what}: {}", Bytes::new(sum)));
    let evidence: Vec<Evidence> = (!text.is_empty())
        .then(|| Evidence {
            name: "the heaviest files".to_owned(),
            text,
            digest: None,
        })
        .into_iter()
        .collect();
    if sum <= most.count() {
        return passed(words, bound, evidence);
    }
    let over = Bytes::new(sum - most.count());
    let why = shown(&format!(
        "{what}: {}, which is {over} over {most}",
        Bytes::new(sum)
    ));
    failed(why, Some(words), bound, evidence)
}
