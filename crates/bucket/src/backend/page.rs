//! Pages of a listing: what comes after a mark, with what has a common beginning told once.
//!
//! Rows come in their order, a batch at a time. What begins as something that was told already is jumped over by asking
//! for what comes behind it, so a page costs what it shows, and not what is behind its common beginnings.

use crate::refusal::Refusal;
use crate::rows::{Database, Upload, Version, behind};

/// What S3 shows at once.
pub(super) const MOST: i32 = 1000;

/// What a listing is asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) prefix: String,
    pub(super) delimiter: Option<String>,
    /// What came last, key and the rest of its place.
    pub(super) after: Option<Mark>,
    pub(super) most: usize,
}

/// A place in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) key: String,
    /// Within the key: what comes after it in the order of the listing. Without it, everything of the key lies before.
    pub(super) within: Option<Within>,
}

/// A place among what has the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Within {
    /// Everything of this key is still to come.
    Start,
    /// A version.
    Seq(i64),
    /// An upload.
    Name(String),
}

/// Something that is shown.
#[derive(Debug)]
pub(super) enum Entry<T> {
    One(T),
    Common(String),
}

/// A page.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) entries: Vec<Entry<T>>,
    /// Something comes after it.
    pub(super) truncated: bool,
}

/// What can be listed.
pub(super) trait Listed: Sized {
    fn key(&self) -> &str;
    fn mark(&self) -> Mark;
    async fn fetch(
        rows: &mut Database,
        from: &Mark,
        until: Option<&str>,
        most: i64,
    ) -> Result<Vec<Self>, Refusal>;
}

/// The objects, each once.
#[derive(Debug)]
pub(super) struct Latest(pub(super) Version);

impl Listed for Latest {
    fn key(&self) -> &str {
        &self.0.key
    }

    fn mark(&self) -> Mark {
        Mark {
            key: self.0.key.clone(),
            within: None,
        }
    }

    async fn fetch(
        rows: &mut Database,
        from: &Mark,
        until: Option<&str>,
        most: i64,
    ) -> Result<Vec<Self>, Refusal> {
        let found = rows
            .objects(&from.key, from.within.is_some(), until, most)
            .await?;
        Ok(found.into_iter().map(Latest).collect())
    }
}

impl Listed for Version {
    fn key(&self) -> &str {
        &self.key
    }

    fn mark(&self) -> Mark {
        Mark {
            key: self.key.clone(),
            within: Some(Within::Seq(self.seq)),
        }
    }

    async fn fetch(
        rows: &mut Database,
        from: &Mark,
        until: Option<&str>,
        most: i64,
    ) -> Result<Vec<Self>, Refusal> {
        let before = match &from.within {
            None => Some(i64::MIN),
            Some(Within::Seq(seq)) => Some(*seq),
            Some(_) => None,
        };
        rows.versions(&from.key, before, until, most).await
    }
}

impl Listed for Upload {
    fn key(&self) -> &str {
        &self.key
    }

    fn mark(&self) -> Mark {
        Mark {
            key: self.key.clone(),
            within: Some(Within::Name(self.id.clone())),
        }
    }

    async fn fetch(
        rows: &mut Database,
        from: &Mark,
        until: Option<&str>,
        most: i64,
    ) -> Result<Vec<Self>, Refusal> {
        // Names are of digits and small letters: nothing is behind a tilde.
        let name = match &from.within {
            None => "~",
            Some(Within::Name(name)) => name,
            Some(_) => "",
        };
        rows.uploads((&from.key, name), until, most).await
    }
}

/// Collects a page.
pub(super) async fn page<T: Listed>(rows: &mut Database, asked: &Asked) -> Result<Page<T>, Refusal> {
    let mut page = Page {
        entries: Vec::new(),
        truncated: false,
    };
    if asked.most == 0 {
        return Ok(page);
    }
    let until = behind(&asked.prefix);
    let start = || start_at(asked.prefix.clone());
    let mut from = match &asked.after {
        Some(after) if after.key >= asked.prefix => after.clone(),
        _ => start(),
    };
    // What has this beginning has been told.
    let mut told = asked
        .after
        .as_ref()
        .and_then(|after| told_before(asked, &after.key));
    loop {
        if let Some(common) = &told
            && from.key.starts_with(common)
        {
            match behind(common) {
                Some(next) => from = start_at(next),
                None => return Ok(page),
            }
        }
        let size = (asked.most - page.entries.len() + 1).min(1000);
        let batch = T::fetch(rows, &from, until.as_deref(), i64::try_from(size).unwrap_or(1000)).await?;
        let full = batch.len() == size;
        for one in batch {
            from = one.mark();
            if told.as_ref().is_some_and(|common| one.key().starts_with(common)) {
                continue;
            }
            if page.entries.len() == asked.most {
                page.truncated = true;
                return Ok(page);
            }
            told = beginning(asked, one.key());
            page.entries.push(match &told {
                Some(common) => Entry::Common(common.clone()),
                None => Entry::One(one),
            });
        }
        if !full {
            return Ok(page);
        }
    }
}

fn start_at(key: String) -> Mark {
    Mark {
        key,
        within: Some(Within::Start),
    }
}

/// The common beginning that a key is shown by.
fn beginning(asked: &Asked, key: &str) -> Option<String> {
    let delimiter = asked
        .delimiter
        .as_deref()
        .filter(|delimiter| !delimiter.is_empty())?;
    let rest = key.strip_prefix(asked.prefix.as_str())?;
    let at = rest.find(delimiter)?;
    Some(key[..asked.prefix.len() + at + delimiter.len()].to_owned())
}

/// A mark that is itself a common beginning was told as one.
fn told_before(asked: &Asked, key: &str) -> Option<String> {
    beginning(asked, key).filter(|common| common == key)
}

/// How many are asked for.
pub(super) fn most(asked: Option<i32>) -> Result<usize, Refusal> {
    let asked = asked.unwrap_or(MOST);
    usize::try_from(asked.min(MOST)).map_err(|_| {
        Refusal::said(
            s3s::S3ErrorCode::InvalidArgument,
            "fewer than none cannot be listed",
        )
    })
}

/// A text in a listing: as it is, or encoded where a client asks for it, so that no letter breaks the XML.
pub(super) fn shown(text: &str, encoded: bool) -> String {
    if !encoded {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(prefix: &str, delimiter: &str) -> Asked {
        Asked {
            prefix: prefix.to_owned(),
            delimiter: Some(delimiter.to_owned()),
            ..Asked::default()
        }
    }

    #[test]
    fn a_key_is_shown_by_its_beginning_up_to_the_first_delimiter_behind_the_prefix() {
        assert_eq!(beginning(&asked("", "/"), "a/b/c").as_deref(), Some("a/"));
        assert_eq!(beginning(&asked("a/", "/"), "a/b/c").as_deref(), Some("a/b/"));
        assert_eq!(beginning(&asked("a/b/", "/"), "a/b/c"), None);
        assert_eq!(beginning(&asked("a", "--"), "ab--c").as_deref(), Some("ab--"));
        assert_eq!(beginning(&asked("", ""), "a/b"), None);
    }

    #[test]
    fn no_letter_breaks_a_listing() {
        assert_eq!(shown("a b/\u{1}\u{e4}+", true), "a%20b/%01%C3%A4%2B");
        assert_eq!(shown("a b", false), "a b");
    }
}
