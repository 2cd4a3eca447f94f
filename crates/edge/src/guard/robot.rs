//! Requests that look automatic: those that say so, and those that come faster than a person's browser asks.
//!
//! A browser says that it is one; programs say what they are, or nothing at all. Whoever lies about it gets through at the
//! pace of a person, which is all that can be had without running something in the visitor's browser.
//!
//! **Block** refuses those who say so, and holds all others to that pace. **Slow** lets them wait a while each time.
//! **Challenge** gives them a cookie and asks their browser to come again, which browsers do and programs mostly do not; the
//! cookie holds for the address and the browser that it was given to, for an hour.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::header::{HeaderMap, HeaderValue, USER_AGENT};
use towpath_model::desired::edge::BotRule;
use towpath_model::unit::{Duration, Rate};

use super::rate::{Counter, Standing};
use super::refusal::Refusal;
use super::{Asked, cookie};

/// A page with everything on it is some two hundred requests at once; nobody opens one every ten seconds for long.
const PACE: (u64, Duration) = (200, Duration::from_secs(10));

/// How long somebody who looks automatic waits each time: a crawler is slow by it, a person who uses a tool is not stopped.
pub(crate) const SLOWED: std::time::Duration = std::time::Duration::from_secs(1);

/// So many wait at once; the others are refused, so that waiting costs us nothing.
const WAITING: usize = 256;

/// How long a pass holds, in seconds.
const PASS_LASTS: u64 = 60 * 60;

/// What programs call themselves, in small letters.
const PROGRAMS: &[&str] = &[
    "curl/",
    "wget/",
    "python",
    "httpx",
    "aiohttp",
    "scrapy",
    "go-http-client",
    "java/",
    "okhttp",
    "apache-httpclient",
    "libwww",
    "lwp::",
    "ruby",
    "guzzle",
    "axios/",
    "node-fetch",
    "undici",
    "postman",
    "insomnia",
    "httpie",
    "headless",
    "phantomjs",
    "selenium",
    "playwright",
    "puppeteer",
    "bot/",
    "bot;",
    "bot)",
    "+http",
    "crawl",
    "spider",
    "nikto",
    "sqlmap",
    "nmap",
    "masscan",
    "zgrab",
    "nuclei",
];

/// What happens to requests that look automatic.
#[derive(Debug)]
pub(crate) struct Robots {
    rule: BotRule,
    pace: Counter,
    waiting: Arc<AtomicUsize>,
}

/// Somebody who waits. The place is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Waits(Arc<AtomicUsize>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Robots {
    pub(crate) fn new(rule: BotRule) -> Option<Robots> {
        (rule != BotRule::Allow).then(|| Robots {
            rule,
            pace: Counter::new(&Rate::new(PACE.0, PACE.1, None)),
            waiting: Arc::default(),
        })
    }

    /// Whether a request goes on, and whether it waits before.
    pub(crate) fn look(&self, asked: &Asked<'_>) -> Result<Option<Waits>, Refusal> {
        let standing = self
            .pace
            .take(self.pace.key(super::network_of(asked.from)), asked.now);
        let says_so = says_so(asked.headers);
        match self.rule {
            BotRule::Allow => Ok(None),
            BotRule::Block if says_so => Err(Refusal::Robot),
            BotRule::Block => within(standing).map(|()| None),
            BotRule::Slow if says_so || !standing.passes => {
                let waits = Waits(Arc::clone(&self.waiting));
                match self.waiting.fetch_add(1, Ordering::Relaxed) < WAITING {
                    true => Ok(Some(waits)),
                    false => Err(Refusal::Often(standing)),
                }
            }
            BotRule::Slow => Ok(None),
            BotRule::Challenge if !says_so && standing.passes => Ok(None),
            BotRule::Challenge if has_pass(asked) => within(standing).map(|()| None),
            BotRule::Challenge => Err(pass(asked).map_or(Refusal::Robot, Refusal::Challenge)),
        }
    }
}

fn within(standing: Standing) -> Result<(), Refusal> {
    standing.passes.then_some(()).ok_or(Refusal::Often(standing))
}

/// Whether a request says that it comes from a program, or does not say from what.
fn says_so(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
    let agent = agent.trim_ascii().to_ascii_lowercase();
    agent.is_empty()
        || PROGRAMS.iter().any(|program| {
            agent
                .windows(program.len())
                .any(|part| part == program.as_bytes())
        })
}

/// What a pass holds for.
fn of<'a>(asked: &'a Asked<'_>, from: &'a str) -> [&'a str; 3] {
    let agent = asked
        .headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    ["pass", from, agent.unwrap_or("")]
}

fn has_pass(asked: &Asked<'_>) -> bool {
    let from = asked.from.to_string();
    let text = cookie::brought(asked.headers, cookie::PASS)
        .and_then(|value| cookie::unstamped(value, &of(asked, &from)));
    text.and_then(|until| until.parse::<u64>().ok())
        .is_some_and(|until| asked.today < until)
}

fn pass(asked: &Asked<'_>) -> Option<HeaderValue> {
    let from = asked.from.to_string();
    let until = (asked.today + PASS_LASTS).to_string();
    let value = cookie::stamped(&until, &of(asked, &from));
    cookie::given(cookie::PASS, &value, PASS_LASTS, asked.secure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_what_they_call_themselves() {
        let says = |agent: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(USER_AGENT, HeaderValue::from_static(agent));
            says_so(&headers)
        };
        for agent in [
            "",
            " ",
            "curl/8.5.0",
            "Wget/1.21",
            "python-requests/2.32",
            "Go-http-client/2.0",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0 Safari/537.36",
            "Mozilla/5.0 (compatible; Nmap Scripting Engine)",
        ] {
            assert!(says(agent), "{agent}");
        }
        for agent in [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5; rv:127.0) Gecko/20100101 Firefox/127.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36 Edg/126.0",
        ] {
            assert!(!says(agent), "{agent}");
        }
        assert!(says_so(&HeaderMap::new()));
    }
}
