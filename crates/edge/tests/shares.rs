//! Two releases answer for one target: what visitors, components and probes get of each.
#![allow(
    clippy::disallowed_methods,
    reason = "a probe says until when it may ask, and a site has files"
)]

mod kit;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{Method, StatusCode};
use kit::{Instance, Reply, Running, edge, host, request};
use towpath_edge::{Answer, Event, FORCED, Key, Releases, Share, Target, Visitors};

const SHORT: Duration = Duration::from_millis(50);

/// A target with an instance of each release; one without parts is not there.
fn target(name: &str, releases: &[(&str, u16, &[SocketAddr])], visitors: Visitors) -> Target {
    let id = |release: &str, at: &SocketAddr| format!("{release}-{}", at.port());
    let mut target = kit::target(name, &[], SHORT);
    let all = releases
        .iter()
        .flat_map(|(release, _, all)| all.iter().map(move |at| (id(release, at), *at)));
    let share = |(release, parts, all): &(&str, u16, &[SocketAddr])| Share {
        release: (*release).to_owned(),
        parts: *parts,
        instances: all.iter().map(|at| id(release, at)).collect(),
    };
    target.answer = Answer::Instances {
        ready: all.collect(),
        hold: SHORT,
        because: "nobody is there".to_owned(),
        releases: Releases {
            shares: releases.iter().map(share).collect(),
            visitors,
            ..Releases::default()
        },
    };
    target
}

async fn ask(running: &Running, headers: &[(&str, &str)]) -> Reply {
    running
        .ask(request(Method::GET, &host("web"), "/", headers, ""))
        .await
}

/// The cookie that an answer gives, as it is brought back.
fn cookie(reply: &Reply) -> Option<String> {
    let given = reply.headers.get("set-cookie")?.to_str().expect("it is text");
    given.split(';').next().map(str::to_owned)
}

fn word(reply: &Reply) -> &str {
    reply.text().split(' ').next().unwrap_or_default()
}

#[tokio::test]
async fn one_release_costs_nobody_a_cookie_and_is_named_in_what_is_seen() {
    let running = edge().await;
    let old = Instance::start("old");
    for parts in [10_000, 10_000] {
        running
            .set(target("web", &[("r1", parts, &[old.at])], Visitors::Cookie))
            .await;
        let reply = ask(&running, &[]).await;
        assert_eq!((word(&reply), cookie(&reply)), ("old", None));
        let headers = running.get("web", "/headers").await;
        assert!(!headers.text().contains("towpath-bucket"), "{}", headers.text());
    }
    kit::until("it is counted", async || {
        let seen = running.edge.seen();
        let of = seen
            .requests
            .iter()
            .find(|one| one.release.as_deref() == Some("r1"));
        of.is_some_and(|one| one.answered() == 4 && one.whole.count() == 4)
    })
    .await;
}

#[tokio::test]
async fn visitors_stay_while_a_canary_grows_and_come_back_when_it_goes() {
    let running = edge().await;
    let (old, new) = (Instance::start("old"), Instance::start("new"));
    let set = async |parts: u16| {
        let all: &[(&str, u16, &[SocketAddr])] =
            &[("r1", 10_000 - parts, &[old.at]), ("r2", parts, &[new.at])];
        running.set(target("web", all, Visitors::Cookie)).await;
    };
    set(1_000).await;
    let mut visitors = Vec::new();
    for _ in 0..1_000 {
        let reply = ask(&running, &[]).await;
        let given = cookie(&reply).expect("a newcomer gets one");
        let whole = reply.header("set-cookie").to_owned();
        assert!(
            whole.contains("; Domain=hello.localhost; HttpOnly; SameSite=Lax"),
            "{whole}"
        );
        visitors.push((given, word(&reply).to_owned()));
    }
    let has = |visitors: &[(String, String)]| visitors.iter().filter(|(_, got)| got == "new").count();
    assert!(
        (97..=103).contains(&has(&visitors)),
        "{} of a thousand",
        has(&visitors)
    );
    for (parts, least, most) in [
        (2_500, 247, 253),
        (1_000, 97, 103),
        (5_000, 497, 503),
        (0, 0, 0),
        (1_000, 97, 103),
    ] {
        set(parts).await;
        let mut after = Vec::new();
        for (cookie, before) in &visitors {
            let reply = ask(&running, &[("cookie", cookie)]).await;
            assert!(reply.headers.get("set-cookie").is_none(), "it has one");
            let now = word(&reply).to_owned();
            let moves = before != &now;
            let toward = if has(&visitors) < usize::from(parts) / 10 {
                "new"
            } else {
                "old"
            };
            assert!(!moves || now == toward, "at {parts} nobody moves the other way");
            after.push((cookie.clone(), now));
        }
        assert!(
            (least..=most).contains(&has(&after)),
            "{} at {parts}",
            has(&after)
        );
        visitors = after;
    }
}

#[tokio::test]
async fn clients_without_cookies_see_the_weights_to_the_request() {
    let running = edge().await;
    let (old, new) = (Instance::start("old"), Instance::start("new"));
    let all: &[(&str, u16, &[SocketAddr])] = &[("r1", 9_000, &[old.at]), ("r2", 1_000, &[new.at])];
    running.set(target("web", all, Visitors::Nobody)).await;
    for _ in 0..2_000 {
        assert!(cookie(&ask(&running, &[]).await).is_none());
    }
    assert!((197..=203).contains(&new.got()), "{} of two thousand", new.got());
    // Whoever says who they are stays, by whatever the target looks at.
    for (visitors, header) in [
        (Visitors::Cookie, "authorization"),
        (Visitors::Address, "user-agent"),
        (Visitors::Header("x-tenant".to_owned()), "x-tenant"),
    ] {
        running.set(target("web", all, visitors.clone())).await;
        let mut got = HashMap::<String, usize>::new();
        for client in 0..400 {
            let name = format!("client {client}");
            let first = ask(&running, &[(header, name.as_str())]).await;
            assert!(cookie(&first).is_none());
            let again = ask(&running, &[(header, name.as_str())]).await;
            assert_eq!(word(&first), word(&again), "{visitors:?}");
            *got.entry(word(&first).to_owned()).or_default() += 1;
        }
        // Four times the deviation of a fair draw of four hundred.
        assert!((16..=64).contains(&got["new"]), "{visitors:?}: {got:?}");
    }
}

#[tokio::test]
async fn a_cookie_that_is_not_ours_is_replaced() {
    let running = edge().await;
    let (old, new) = (Instance::start("old"), Instance::start("new"));
    let all: &[(&str, u16, &[SocketAddr])] = &[("r1", 5_000, &[old.at]), ("r2", 5_000, &[new.at])];
    running.set(target("web", all, Visitors::Cookie)).await;
    let given = cookie(&ask(&running, &[]).await).expect("a newcomer gets one");
    let mut forged = given.clone();
    let last = if forged.ends_with('A') { 'B' } else { 'A' };
    forged.pop();
    forged.push(last);
    for wrong in [
        forged.as_str(),
        "towpath-bucket=",
        "towpath-bucket=17",
        "towpath-bucket=r2",
    ] {
        let reply = ask(&running, &[("cookie", wrong)]).await;
        assert!(
            cookie(&reply).is_some_and(|new| new != wrong && new != given),
            "{wrong}"
        );
    }
    // Another edge with the same key knows the visitor.
    let key = Key::of(&running.folder.path().join("edge.key")).expect("it is there");
    assert!(!format!("{key:?}").contains(char::is_numeric));
    assert!(cookie(&ask(&running, &[("cookie", &given)]).await).is_none());
}

#[tokio::test]
async fn a_bucket_goes_with_a_request_from_component_to_component_and_is_taken_from_nobody_outside() {
    let running = edge().await;
    let [old, new, front] = ["old", "new", "front"].map(Instance::start);
    let all: &[(&str, u16, &[SocketAddr])] = &[("r1", 9_000, &[old.at]), ("r2", 1_000, &[new.at])];
    let mut inner = target("api", all, Visitors::Cookie);
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("it")
        .port();
    inner.inside = Some(port);
    inner.hosts = Vec::new();
    running.set(inner).await;
    // The page's own component has one release, and is told the bucket all the same.
    running
        .set(kit::target("web", &[("front", front.at)], SHORT))
        .await;
    let bucket = |reply: &Reply| -> String {
        let line = reply
            .text()
            .lines()
            .find_map(|line| line.strip_prefix("towpath-bucket: "));
        line.expect("the instance is told").to_owned()
    };
    let ask = async |headers: &[(&str, &str)]| {
        running
            .ask(request(Method::GET, &host("web"), "/headers", headers, ""))
            .await
    };
    let first = ask(&[]).await;
    let given = cookie(&first).expect("a newcomer gets one");
    let known = bucket(&first);
    let again = ask(&[("cookie", &given), ("towpath-bucket", "42")]).await;
    assert_eq!(bucket(&again), known, "what a visitor says is not believed");
    let at: SocketAddr = ([127, 0, 0, 1], port).into();
    for (bucket, answers) in [("0", "new"), ("999", "new"), ("1000", "old"), ("9999", "old")] {
        for _ in 0..3 {
            let called = request(Method::GET, "api", "/", &[("towpath-bucket", bucket)], "");
            let reply = kit::ask(at, called).await;
            assert_eq!(word(&reply), answers, "{bucket}");
            assert!(cookie(&reply).is_none());
        }
    }
}

#[tokio::test]
async fn a_probe_with_the_key_gets_the_release_that_it_asks_for_or_none() {
    let running = edge().await;
    let (old, new) = (Instance::start("old"), Instance::start("new"));
    let with = |new: &[SocketAddr]| {
        target(
            "web",
            &[("r1", 10_000, &[old.at]), ("r2", 0, new)],
            Visitors::Cookie,
        )
    };
    running.set(with(&[new.at])).await;
    let key = Key::of(&running.folder.path().join("edge.key")).expect("it is there");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let asked = key.force("r2", now + 60);
    let reply = ask(&running, &[(FORCED, &asked)]).await;
    assert_eq!((word(&reply), reply.header(FORCED)), ("new", "r2"));
    let other = Key::of(&running.folder.path().join("other.key")).expect("it is made");
    for wrong in [
        other.force("r2", now + 60),
        key.force("r2", now - 1),
        "r2".to_owned(),
    ] {
        let reply = ask(&running, &[(FORCED, &wrong)]).await;
        assert_eq!((word(&reply), reply.header(FORCED)), ("old", ""));
    }
    running.set(with(&[])).await;
    let reply = ask(&running, &[(FORCED, &asked)]).await;
    assert_eq!(
        reply.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "no other release answers for it"
    );
    assert_eq!(word(&ask(&running, &[]).await), "old");
}

#[tokio::test]
async fn a_canary_that_dies_cuts_nobody_off() {
    let mut running = edge().await;
    let (old, new) = (Instance::start("old"), Instance::start("new"));
    let all: &[(&str, u16, &[SocketAddr])] = &[("r1", 5_000, &[old.at]), ("r2", 5_000, &[new.at])];
    running.set(target("web", all, Visitors::Nobody)).await;
    for _ in 0..20 {
        assert_eq!(ask(&running, &[]).await.status, StatusCode::OK);
    }
    assert_eq!(new.got(), 10);
    let dead = new.kill().await;
    for _ in 0..20 {
        assert_eq!(word(&ask(&running, &[]).await), "old");
    }
    assert!(matches!(running.event().await, Event::Refused { .. }));
    let fallen = |running: &Running| running.edge.seen().components[0].fallen;
    let before = fallen(&running);
    assert!((9..=11).contains(&before), "{before}");
    // It is known to be gone, and its share still stands.
    let all: &[(&str, u16, &[SocketAddr])] = &[("r1", 5_000, &[old.at]), ("r2", 5_000, &[])];
    running.set(target("web", all, Visitors::Nobody)).await;
    for _ in 0..20 {
        assert_eq!(word(&ask(&running, &[]).await), "old");
    }
    assert!((9..=11).contains(&(fallen(&running) - before)));
    let text = running.edge.seen().text();
    assert!(
        text.contains("towpath_edge_release_fallbacks_total{component=\"web\"}"),
        "{text}"
    );
    let again = Instance::start_at("new", dead);
    let all: &[(&str, u16, &[SocketAddr])] = &[("r1", 5_000, &[old.at]), ("r2", 5_000, &[again.at])];
    running.set(target("web", all, Visitors::Nobody)).await;
    for _ in 0..20 {
        assert_eq!(ask(&running, &[]).await.status, StatusCode::OK);
    }
    assert!((9..=11).contains(&again.got()), "it gets its share again");
}

#[tokio::test]
async fn visitors_of_a_site_see_the_files_of_one_release_and_stay_with_it() {
    let running = edge().await;
    let site = |text: &str| {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::write(folder.path().join("index.html"), text).expect("it can be written");
        folder
    };
    let (old, new) = (site("old"), site("new"));
    let set = async |parts: u16| {
        let share = |release: &str, parts| Share {
            release: release.to_owned(),
            parts,
            instances: Vec::new(),
        };
        let mut target = kit::target("web", &[], SHORT);
        target.answer = Answer::Files {
            folder: old.path().to_owned(),
            fallback: None,
            assets: Duration::from_secs(60),
            pages: None,
            former: Vec::new(),
            releases: Releases {
                shares: vec![share("r1", 10_000 - parts), share("r2", parts)],
                ..Releases::default()
            },
            sides: [("r2".to_owned(), new.path().to_owned())].into(),
        };
        running.set(target).await;
    };
    set(2_500).await;
    let mut visitors = Vec::new();
    for _ in 0..400 {
        let reply = ask(&running, &[]).await;
        let cookie = cookie(&reply).expect("a newcomer is given its bucket");
        visitors.push((word(&reply).to_owned(), cookie));
    }
    let new_ones = visitors.iter().filter(|(word, _)| word == "new").count();
    assert!((95..=105).contains(&new_ones), "{new_ones} of 400");
    // More of them come, and none goes back.
    set(5_000).await;
    let mut more = 0;
    for (before, cookie) in &visitors {
        let now = ask(&running, &[("cookie", cookie)]).await;
        assert!(before == "old" || word(&now) == "new", "nobody goes back");
        more += usize::from(word(&now) == "new");
    }
    assert!((190..=210).contains(&more), "{more} of 400");
}
