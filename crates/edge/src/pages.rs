//! What the edge itself says to a visitor: a small page for a browser, plain text for everything else.

use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use crate::body::Body;

/// Seconds after which a visitor whose request was held in vain may ask again.
const RETRY: HeaderValue = HeaderValue::from_static("2");

/// What the edge says.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    /// What is the case, without a dot.
    pub(crate) title: String,
    /// Why, and what to do: a paragraph each.
    pub(crate) words: Vec<String>,
    /// Addresses that the visitor may have meant.
    pub(crate) addresses: Vec<String>,
}

impl Page {
    pub(crate) fn new(status: StatusCode, title: impl Into<String>, words: impl Into<String>) -> Page {
        Page {
            status,
            title: title.into(),
            words: words.into().lines().map(str::to_owned).collect(),
            addresses: Vec::new(),
        }
    }

    /// The answer, in the form that the visitor asks for.
    pub(crate) fn answer(self, asked: &HeaderMap) -> Response<Body> {
        let is_browser = asked
            .get_all(ACCEPT)
            .iter()
            .any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")));
        let (kind, text) = if is_browser {
            ("text/html; charset=utf-8", self.html())
        } else {
            ("text/plain; charset=utf-8", self.text())
        };
        let mut response = Response::new(Body::whole(text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, RETRY);
        }
        response
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        for line in self.words.iter().chain(&self.addresses) {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    fn html(&self) -> String {
        let title = escape(&self.title);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem}}\
             @media(prefers-color-scheme:dark){{body{{background:#111;color:#eee}}a{{color:#8cf}}}}</style>\n\
             <h1>{title}</h1>\n"
        );
        for words in &self.words {
            html.push_str(&format!("<p>{}</p>\n", escape(words)));
        }
        if !self.addresses.is_empty() {
            html.push_str("<ul>\n");
            for address in &self.addresses {
                let address = escape(address);
                html.push_str(&format!("<li><a href=\"{address}\">{address}</a></li>\n"));
            }
            html.push_str("</ul>\n");
        }
        html
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let mut page = Page::new(StatusCode::NOT_FOUND, "<b>", "a & b\n\"c\"");
        page.addresses = vec!["https://a/'\"".to_owned()];
        let html = page.html();
        assert!(html.contains("<h1>&lt;b&gt;</h1>"));
        assert!(html.contains("<p>a &amp; b</p>\n<p>&quot;c&quot;</p>"));
        assert!(html.contains("href=\"https://a/&#39;&quot;\""));
        assert_eq!(page.text(), "<b>\na & b\n\"c\"\nhttps://a/'\"\n");
    }
}
