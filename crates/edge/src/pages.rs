//! What the edge itself says to a visitor: a small page for a browser, JSON (RFC 9457) for who asks for that, plain text for
//! everything else. Each names the request, so that it is found again in the logs.

use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
};
use http::{Response, StatusCode};

use crate::body::Body;
use crate::error_page::{ErrorPage, Shown};
use crate::request_id::REQUEST_ID;

/// Seconds after which a visitor whose request was held in vain may ask again.
const RETRY: HeaderValue = HeaderValue::from_static("2");

/// A page of the product's own is let do what is done on a page of one file, and what its own site has.
const OWN_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

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
        let accepts = |kind: &str| {
            let mut values = asked.get_all(ACCEPT).iter();
            values.any(|value| value.to_str().is_ok_and(|value| value.contains(kind)))
        };
        let is_page = accepts("text/html");
        // Somebody may show it in words and colors of his own.
        let shown =
            (is_page && self.status.as_u16() >= 400 && self.addresses.is_empty()).then(|| self.shown());
        let (kind, text) = if is_page {
            ("text/html; charset=utf-8", self.html())
        } else if accepts("json") {
            let id = asked.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
            ("application/problem+json", self.json(id.unwrap_or_default()))
        } else {
            ("text/plain; charset=utf-8", self.text())
        };
        let mut response = Response::new(Body::whole(text));
        *response.status_mut() = self.status;
        if let Some(shown) = shown {
            response.extensions_mut().insert(shown);
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if is_page {
            // It has a style of its own, which the policy of a component would take away.
            headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, RETRY);
        }
        response
    }

    fn shown(&self) -> Shown {
        let words: Vec<String> = self.words.iter().map(|words| escape(words)).collect();
        Shown {
            status: self.status.as_u16(),
            title: escape(&self.title).into(),
            reason: words.join("<br>").into(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        for line in self.words.iter().chain(&self.addresses) {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    fn json(&self, id: &str) -> String {
        let words = self.words.iter().chain(&self.addresses);
        let words: Vec<&str> = words.map(String::as_str).collect();
        format!(
            "{{\"title\":{},\"status\":{},\"detail\":{},\"request\":{}}}\n",
            quoted(&self.title),
            self.status.as_u16(),
            quoted(&words.join("\n")),
            quoted(id)
        )
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

/// Shows one of our pages as the product's own, where it is one and there is such a page.
pub(crate) fn dress(own: Option<&ErrorPage>, response: Response<Body>, id: &HeaderValue) -> Response<Body> {
    let Some(shown) = own.and(response.extensions().get::<Shown>()).cloned() else {
        return response;
    };
    let html = own.map(|own| own.html(&shown, id.to_str().unwrap_or_default()));
    let mut response = response.map(|body| body.instead(html.unwrap_or_default()));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, OWN_POLICY);
    response
}

/// A text as JSON has it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

pub(crate) fn escape(text: &str) -> String {
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
        page.addresses.clear();
        let json = r#"{"title":"<b>","status":404,"detail":"a & b\u000a\"c\"","request":"x\\y"}"#;
        assert_eq!(page.json("x\\y"), format!("{json}\n"));
    }
}
