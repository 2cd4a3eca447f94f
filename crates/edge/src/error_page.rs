//! A product's own page in the place of ours, where something cannot be answered.
//!
//! It is for browsers, and for what is wrong (a status from 400 on): programs get what they ask for, and the list of addresses
//! that somebody sees who has mistyped one stays ours. What stands in for something is put there as text, never as markup.

use std::sync::Arc;

use bytes::Bytes;

/// What can be said in such a page, and what is put there.
const PLACES: [(&str, Place); 4] = [
    ("{{status}}", Place::Status),
    ("{{title}}", Place::Title),
    ("{{reason}}", Place::Reason),
    ("{{request}}", Place::Request),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Status,
    Title,
    Reason,
    Request,
}

/// A page, cut where something is put in.
#[derive(Debug)]
pub(crate) struct ErrorPage {
    /// As it was given.
    text: String,
    /// What is put in, each with the text behind it.
    first: String,
    rest: Vec<(Place, String)>,
}

/// What one of our own pages says, for whoever shows it otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) title: Arc<str>,
    /// Escaped, a line each.
    pub(crate) reason: Arc<str>,
}

impl ErrorPage {
    pub(crate) fn new(text: &str) -> ErrorPage {
        let (mut first, mut rest, mut left) = (None, Vec::new(), text);
        let mut last: Option<Place> = None;
        loop {
            let found = PLACES
                .iter()
                .filter_map(|(word, place)| Some((left.find(word)?, word.len(), *place)))
                .min_by_key(|(at, ..)| *at);
            let (before, next) = match found {
                Some((at, length, place)) => (&left[..at], Some((at + length, place))),
                None => (left, None),
            };
            match last.take() {
                Some(place) => rest.push((place, before.to_owned())),
                None => first = Some(before.to_owned()),
            }
            let Some((end, place)) = next else { break };
            left = &left[end..];
            last = Some(place);
        }
        ErrorPage {
            text: text.to_owned(),
            first: first.unwrap_or_default(),
            rest,
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The page for one answer.
    pub(crate) fn html(&self, shown: &Shown, request: &str) -> Bytes {
        let mut html = self.first.clone();
        for (place, after) in &self.rest {
            match place {
                Place::Status => html.push_str(&shown.status.to_string()),
                Place::Title => html.push_str(&shown.title),
                Place::Reason => html.push_str(&shown.reason),
                Place::Request => html.push_str(&crate::pages::escape(request)),
            }
            html.push_str(after);
        }
        html.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::desired::edge::PAGE_WORDS;

    #[test]
    fn what_is_put_in_is_put_in_once_and_as_text() {
        let page = ErrorPage::new("<b>{{status}}</b> {{title}}: {{reason}}{{request}}{{other}}{{status}}");
        let shown = Shown {
            status: 503,
            title: "{{status}}".into(),
            reason: "a &amp; b".into(),
        };
        assert_eq!(
            page.html(&shown, "<x>"),
            "<b>503</b> {{status}}: a &amp; b&lt;x&gt;{{other}}503"
        );
        let words: Vec<String> = PAGE_WORDS.iter().map(|word| format!("{{{{{word}}}}}")).collect();
        assert!(
            PLACES.iter().map(|(word, _)| word).eq(&words),
            "what a check knows is what is put in"
        );
        assert_eq!(ErrorPage::new("plain").html(&shown, ""), "plain");
        assert_eq!(ErrorPage::new("").html(&shown, ""), "");
        assert_eq!(ErrorPage::new("{{title}}").html(&shown, ""), "{{status}}");
    }
}
