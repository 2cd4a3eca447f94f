//! What a guard lets through, and in which order it looks.

use std::collections::BTreeMap;

use http::Request;
use http::request::Parts;
use towpath_model::desired::edge::{BotRule, SignIn};
use towpath_model::run::{Access, Carried, Unwanted};
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Cidr, Duration, Rate, Unit};

use super::*;

const SECOND: u64 = 1_000_000_000;
const BROWSER: (&str, &str) = (
    "user-agent",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
);

/// A guard, and a visitor in front of it.
struct Scene {
    guard: Arc<Guard>,
    from: IpAddr,
    now: u64,
    keys: Keys,
}

fn scene(rules: Rules) -> Scene {
    let guard = Guard::new("web", Arc::new(rules), std::iter::empty(), &Counters::default());
    let secret = |name: &str, value: &str| (name.to_owned(), Sealed::new(value.to_owned()));
    let values = BTreeMap::from([secret("PASSWORD", "open"), secret("TOKEN", "t0ken")]);
    Scene {
        guard,
        from: IpAddr::from([203, 0, 113, 7]),
        now: 1_000 * SECOND,
        keys: Keys::new(&values),
    }
}

fn parts(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("it is a request").into_parts().0
}

impl Scene {
    fn check(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Result<Passed, Refusal> {
        let parts = parts(method, target, headers);
        let host = Host {
            written: "web.shop.example:8443".to_owned(),
            name: "web.shop.example".to_owned(),
        };
        self.guard.check(&Asked {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            host: &host,
            from: self.from,
            secure: true,
            now: self.now,
            today: self.now / SECOND,
            shown: None,
            providers: &Providers::new(std::path::PathBuf::new()),
            keys: &self.keys,
            is_own: &|host| ["web.shop.example", "api.shop.example"].contains(&host),
            ports: (8443, 8080),
        })
    }

    /// The status of a refusal; nothing for what passes.
    fn status(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Option<u16> {
        self.check(method, target, headers)
            .err()
            .map(|refusal| refusal.page().status.as_u16())
    }

    fn get(&self, headers: &[(&str, &str)]) -> Option<u16> {
        self.status("GET", "/", headers)
    }
}

fn access(sign_in: SignIn, secret: &str) -> Access {
    Access {
        secret: Some(secret.to_owned()),
        lasts: Duration::from_hours(1),
        ..Access::by(sign_in)
    }
}

fn basic(words: &str) -> String {
    format!("Basic {}", base64_simd::STANDARD.encode_to_string(words))
}

/// The pair of a cookie as a browser sends it back.
fn sent_back(cookie: &HeaderValue) -> String {
    let text = cookie.to_str().expect("it is text");
    text.split(';').next().unwrap_or_default().to_owned()
}

fn network(text: &str) -> Cidr {
    Cidr::parse(text).expect("a network")
}

fn rated(text: &str) -> Rules {
    let mut rules = Rules::default();
    rules.bounds.rate = Some(Rate::parse(text).expect("a rate"));
    rules
}

#[test]
fn nothing_is_kept_where_nothing_is_said() {
    let scene = scene(Rules::default());
    assert!(scene.guard.is_open);
    assert_eq!(
        scene.status("POST", "/?q=%3Cscript%3E", &[("origin", "https://evil.example")]),
        None
    );
}

#[test]
fn only_some_networks_are_let_in() {
    let mut scene = scene(Rules {
        allow: vec![network("10.0.0.0/8"), network("2001:db8::/32")],
        ..Rules::default()
    });
    for (from, expected) in [
        ("203.0.113.7", Some(403)),
        ("10.1.2.3", None),
        ("11.0.0.1", Some(403)),
        ("2001:db8::1", None),
        ("2001:db9::1", Some(403)),
    ] {
        scene.from = from.parse().expect("an address");
        assert_eq!(scene.get(&[("x-forwarded-for", "10.1.2.3")]), expected, "{from}");
    }
}

#[test]
fn what_is_counted_is_counted_by_what_is_said() {
    // Two may come; the first two visitors differ in what is counted, the third is like the second.
    for (rate, one, other) in [
        (
            "1/min per token",
            ("authorization", "Bearer a"),
            ("authorization", "Bearer b"),
        ),
        ("1/min per token", ("x-api-key", "a"), ("x-api-key", "b")),
        ("1/min per header X-Tenant", ("x-tenant", "a"), ("x-tenant", "b")),
        (
            "1/min per user",
            ("authorization", "Bearer a"),
            ("authorization", "Bearer b"),
        ),
    ] {
        let scene = scene(rated(rate));
        assert_eq!(scene.get(&[one]), None, "{rate}");
        assert_eq!(scene.get(&[other]), None, "{rate}");
        assert_eq!(scene.get(&[other]), Some(429), "{rate}");
        assert_eq!(scene.get(&[]), None, "{rate}: who has none is counted by address");
        assert_eq!(scene.get(&[]), Some(429), "{rate}");
    }
    let mut all = scene(rated("1/min"));
    assert_eq!(all.get(&[]), None);
    all.from = IpAddr::from([10, 0, 0, 1]);
    assert_eq!(all.get(&[]), Some(429), "all are counted together");
    let mut six = scene(rated("1/min per ip"));
    for (from, expected) in [
        ("2001:db8::1", None),
        ("2001:db8::2", Some(429)),
        ("2001:db8:0:1::1", None),
    ] {
        six.from = from.parse().expect("an address");
        assert_eq!(six.get(&[]), expected, "{from}");
    }
    six.now += 60 * SECOND;
    assert_eq!(six.get(&[]), None);
}

#[test]
fn a_visitor_is_counted_by_a_cookie_that_only_we_can_make() {
    let scene = scene(rated("1/min per visitor"));
    let passed = scene.check("GET", "/", &[]).expect("the first passes");
    let cookie = sent_back(&passed.cookies[0]);
    assert_eq!(scene.get(&[]), Some(429), "without it, by address");
    assert_eq!(scene.get(&[("cookie", &cookie)]), None);
    assert_eq!(scene.get(&[("cookie", &cookie)]), Some(429));
    assert_eq!(scene.get(&[("cookie", "towpath-visitor=made.up")]), Some(429));
}

#[test]
fn who_asks_too_often_is_told_when_to_come_again() {
    let scene = scene(rated("2/min per ip"));
    let mut headers = HeaderMap::new();
    scene
        .check("GET", "/", &[])
        .expect("it passes")
        .tell(&mut headers);
    assert_eq!(headers["ratelimit-policy"], "\"edge\";q=2;w=60");
    assert_eq!(headers["ratelimit"], "\"edge\";r=1;t=30");
    assert_eq!(scene.get(&[]), None);
    let refused = scene.check("GET", "/", &[]).expect_err("it is the third");
    let answer = refused.answer(&HeaderMap::new(), http::Version::HTTP_11);
    assert_eq!(answer.headers()["retry-after"], "30");
    assert_eq!(answer.headers()["ratelimit"], "\"edge\";r=0;t=60");
}

#[test]
fn what_inherits_a_rate_is_counted_together_and_counts_go_on() {
    let counters = Counters::default();
    let first = Arc::new(rated("5/s per ip"));
    let mut wider = rated("5/s per ip");
    wider.bounds.body = Some(9);
    let guard = |target: &str, rules: &Arc<Rules>, before: &[Arc<Guard>]| {
        Guard::new(target, Arc::clone(rules), before.iter(), &counters)
    };
    let counter = |guard: &Guard| Arc::clone(guard.counter.as_ref().expect("it counts"));
    let one = guard("web", &first, &[]);
    let again = guard("web", &Arc::new(rated("5/s per ip")), std::slice::from_ref(&one));
    assert!(Arc::ptr_eq(&one, &again));
    let part = guard("web", &Arc::new(wider), std::slice::from_ref(&one));
    assert!(!Arc::ptr_eq(&one, &part) && Arc::ptr_eq(&counter(&one), &counter(&part)));
    let other = guard("api", &first, &[]);
    assert!(!Arc::ptr_eq(&counter(&one), &counter(&other)));
}

#[test]
fn a_password_opens_and_is_not_asked_for_again() {
    let mut scene = scene(Rules {
        access: Some(access(SignIn::Password, "PASSWORD")),
        ..Rules::default()
    });
    assert_eq!(scene.get(&[]), Some(401));
    assert_eq!(scene.get(&[("authorization", &basic("ana:shut"))]), Some(401));
    assert_eq!(scene.get(&[("authorization", "Bearer open")]), Some(401));
    let passed = scene
        .check("GET", "/", &[("authorization", &basic("ana:open"))])
        .expect("it opens");
    assert!(passed.by_password);
    let cookie = sent_back(&passed.cookies[0]);
    let back = [
        ("cookie", cookie.as_str()),
        ("authorization", "Bearer of the page"),
    ];
    let known = scene.check("GET", "/", &back).expect("it is known");
    assert!(!known.by_password && known.cookies.is_empty());
    assert_eq!(scene.get(&[("cookie", &cookie.replace('0', "1"))]), Some(401));
    scene.now += 3_600 * SECOND;
    assert_eq!(scene.get(&back), Some(401), "it has lasted");
    let refused = scene.check("GET", "/", &[]).expect_err("it is asked for");
    let answer = refused.answer(&HeaderMap::new(), http::Version::HTTP_11);
    assert_eq!(
        answer.headers()["www-authenticate"],
        "Basic realm=\"web.shop.example\", charset=\"UTF-8\""
    );
}

#[test]
fn who_guesses_is_held_back_and_nobody_else_is() {
    let mut scene = scene(Rules {
        access: Some(access(SignIn::Password, "PASSWORD")),
        ..Rules::default()
    });
    let wrong = basic("ana:guess");
    for _ in 0..10 {
        assert_eq!(scene.get(&[("authorization", &wrong)]), Some(401));
    }
    assert_eq!(scene.get(&[("authorization", &wrong)]), Some(429));
    assert_eq!(
        scene.get(&[("authorization", &basic("ana:open"))]),
        Some(429),
        "nor by chance"
    );
    scene.from = IpAddr::from([10, 0, 0, 1]);
    assert_eq!(scene.get(&[("authorization", &basic("ana:open"))]), None);
}

#[test]
fn only_those_who_are_named_pass() {
    let mut only = access(SignIn::Password, "PASSWORD");
    only.people = vec![Unit::parse("ana@example.com").expect("an address")];
    only.domains = vec![Unit::parse("example.org").expect("a domain")];
    let scene = scene(Rules {
        access: Some(only),
        ..Rules::default()
    });
    for (words, expected) in [
        ("ana@example.com:open", None),
        ("bob@example.org:open", None),
        ("bob@example.com:open", Some(403)),
        (":open", Some(403)),
        ("ana@example.com:shut", Some(401)),
    ] {
        assert_eq!(
            scene.get(&[("authorization", &basic(words))]),
            expected,
            "{words}"
        );
    }
}

#[test]
fn a_token_opens_and_an_unknown_one_closes() {
    let with = |secret: &str| {
        scene(Rules {
            access: Some(access(SignIn::Token, secret)),
            ..Rules::default()
        })
    };
    let scene = with("TOKEN");
    assert_eq!(scene.get(&[]), Some(401));
    assert_eq!(scene.get(&[("authorization", "Bearer t0ken")]), None);
    assert_eq!(scene.get(&[("authorization", "bearer t0ken")]), None);
    assert_eq!(scene.get(&[("authorization", "Bearer t0kem")]), Some(401));
    assert_eq!(scene.get(&[("authorization", "t0ken")]), Some(401));
    let preflight = [("origin", "https://a"), ("access-control-request-method", "POST")];
    assert_eq!(scene.status("OPTIONS", "/", &preflight), None);
    assert_eq!(scene.status("GET", "/", &preflight), Some(401));
    assert_eq!(with("UNHEARD_OF").get(&[("authorization", "Bearer ")]), Some(503));
}

#[test]
fn what_changes_something_comes_from_our_own_pages() {
    let scene = scene(Rules {
        own_pages: true,
        ..Rules::default()
    });
    let cookie = ("cookie", "session=1");
    for (headers, expected) in [
        (&[("origin", "https://web.shop.example:8443")][..], None),
        (&[("origin", "http://api.shop.example:8080")], None),
        (&[("origin", "https://api.shop.example")], None),
        (&[("origin", "https://evil.example")], Some(403)),
        (&[("origin", "https://web.shop.example.evil.example")], Some(403)),
        (&[("origin", "https://web.shop.example:9999")], Some(403)),
        (&[("origin", "null")], Some(403)),
        (
            &[("origin", "null"), ("referer", "https://web.shop.example:8443/")],
            Some(403),
        ),
        (&[("referer", "https://web.shop.example:8443/a?b")], None),
        (&[("referer", "https://evil.example/web.shop.example")], Some(403)),
        (&[("sec-fetch-site", "same-origin")], None),
        (&[("sec-fetch-site", "cross-site")], Some(403)),
        (&[("sec-fetch-site", "same-site")], Some(403)),
        (&[cookie], Some(403)),
        (&[("authorization", "Basic eDp5")], Some(403)),
        (&[("authorization", "Bearer x")], None),
        (&[], None),
    ] {
        assert_eq!(scene.status("POST", "/", headers), expected, "{headers:?}");
        assert_eq!(scene.status("GET", "/", headers), None, "{headers:?}");
    }
    let socket = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(scene.get(&socket), Some(403));
}

#[test]
fn what_a_request_has_to_be_like() {
    let mut rules = Rules {
        require: vec![
            Carried {
                header: "Idempotency-Key".to_owned(),
                methods: vec!["POST".to_owned()],
                issuer: None,
                audience: None,
            },
            Carried {
                header: "X-Tenant".to_owned(),
                methods: Vec::new(),
                issuer: None,
                audience: None,
            },
        ],
        ..Rules::default()
    };
    rules.bounds.body = Some(10);
    let scene = scene(rules);
    let (key, tenant) = (("idempotency-key", "1"), ("x-tenant", "a"));
    assert_eq!(scene.status("POST", "/", &[key, tenant]), None);
    assert_eq!(scene.status("PUT", "/", &[tenant]), None);
    assert_eq!(scene.get(&[]), Some(400));
    assert_eq!(scene.get(&[("x-tenant", "")]), Some(400));
    let refused = scene.check("POST", "/", &[tenant]).expect_err("it lacks one");
    assert_eq!(refused, Refusal::Header("Idempotency-Key".to_owned()));
    for (length, expected) in [
        ("10", None),
        ("11", Some(413)),
        ("99999999999999999999999", Some(413)),
    ] {
        assert_eq!(
            scene.status("PUT", "/", &[tenant, ("content-length", length)]),
            expected,
            "{length}"
        );
    }
}

#[test]
fn robots_are_refused_slowed_or_asked_to_come_again() {
    let with = |bots: BotRule| {
        scene(Rules {
            unwanted: Unwanted {
                bots,
                ..Unwanted::default()
            },
            ..Rules::default()
        })
    };
    let curl = ("user-agent", "curl/8.5.0");
    let often = |scene: &Scene, headers: &[(&str, &str)]| {
        (0..300).find_map(|_| match scene.check("GET", "/", headers) {
            Ok(passed) => passed.waits.map(|_| 1),
            Err(refusal) => Some(refusal.page().status.as_u16()),
        })
    };
    let block = with(BotRule::Block);
    assert_eq!(block.get(&[curl]), Some(403));
    assert_eq!(block.get(&[BROWSER]), None);
    assert_eq!(often(&block, &[BROWSER]), Some(429), "no person is so fast");
    let slow = with(BotRule::Slow);
    assert!(
        slow.check("GET", "/", &[curl])
            .expect("it goes on")
            .waits
            .is_some()
    );
    assert!(
        slow.check("GET", "/", &[BROWSER])
            .expect("it goes on")
            .waits
            .is_none()
    );
    assert_eq!(often(&slow, &[BROWSER]), Some(1), "no person is so fast");
    let challenge = with(BotRule::Challenge);
    assert_eq!(challenge.get(&[BROWSER]), None);
    let Err(Refusal::Challenge(cookie)) = challenge.check("GET", "/", &[curl]) else {
        panic!("it is asked to come again");
    };
    let cookie = sent_back(&cookie);
    assert_eq!(challenge.get(&[curl, ("cookie", &cookie)]), None);
    assert_eq!(
        challenge.get(&[("user-agent", "wget/1"), ("cookie", &cookie)]),
        Some(429),
        "it is another's"
    );
    assert_eq!(
        often(&challenge, &[curl, ("cookie", &cookie)]),
        Some(429),
        "a pass is no free ride"
    );
    let mut later = with(BotRule::Challenge);
    later.now += 3_601 * SECOND;
    assert_eq!(
        later.get(&[curl, ("cookie", &cookie)]),
        Some(429),
        "it has lasted"
    );
}

#[test]
fn what_tells_least_comes_first() {
    let mut rules = rated("1/min per ip");
    rules.allow = vec![network("203.0.113.0/24")];
    rules.unwanted.paths = vec!["/.env".to_owned()];
    rules.unwanted.injections = true;
    rules.access = Some(access(SignIn::Token, "TOKEN"));
    rules.own_pages = true;
    rules.bounds.body = Some(1);
    let refusal = |from: [u8; 4], target: &str, headers: &[(&str, &str)]| {
        let mut scene = scene(rules.clone());
        scene.from = from.into();
        let refused = scene.check("POST", target, headers);
        refused.err().map(|refusal| refusal.page().title)
    };
    let here = [203, 0, 113, 7];
    let (foreign, large) = (("origin", "https://evil.example"), ("content-length", "9"));
    let token = ("authorization", "Bearer t0ken");
    let told = |from: [u8; 4], target: &str, headers: &[(&str, &str)]| {
        refusal(from, target, headers).unwrap_or_default()
    };
    assert_eq!(told([9, 9, 9, 9], "/.env", &[foreign]), "You may not come here");
    assert_eq!(
        told(here, "/.env?q=%3Cscript%3E", &[foreign]),
        "This path is closed"
    );
    assert_eq!(
        told(here, "/?q=%3Cscript%3E", &[foreign]),
        "The request looks like an attack"
    );
    assert_eq!(told(here, "/", &[foreign, large]), "A token is needed");
    assert_eq!(
        told(here, "/", &[foreign, large, token]),
        "Only our own pages may ask for this"
    );
    assert_eq!(told(here, "/", &[large, token]), "The request is too large");
    assert_eq!(told(here, "/", &[token]), "");
}

#[test]
fn headers_are_added_where_nobody_has_said_them() {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let scene = scene(Rules {
        headers: vec![
            header("Content-Security-Policy", "default-src 'self'"),
            header("Strict-Transport-Security", "max-age=1"),
        ],
        ..Rules::default()
    });
    let dressed = |own: &[(&'static str, &'static str)], host: &str, secure: bool| {
        let mut answer: HeaderMap = own
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        scene.guard.dress(&mut answer, host, secure);
        let get = |name: &str| {
            answer
                .get(name)
                .map_or("", |value| value.to_str().expect("text"))
                .to_owned()
        };
        (get("content-security-policy"), get("strict-transport-security"))
    };
    let is = |policy: &str, insists: &str| (policy.to_owned(), insists.to_owned());
    let policy = "default-src 'self'";
    assert_eq!(dressed(&[], "shop.example", true), is(policy, "max-age=1"));
    assert_eq!(dressed(&[], "shop.example", false), is(policy, ""));
    assert_eq!(dressed(&[], "web.shop.localhost", true), is(policy, ""));
    assert_eq!(dressed(&[], "127.0.0.1", true), is(policy, ""));
    let own = [
        ("content-security-policy", "own"),
        ("strict-transport-security", "own"),
    ];
    assert_eq!(dressed(&own, "shop.example", true), is("own", "own"));
}
