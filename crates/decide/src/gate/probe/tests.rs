//! Probes as manifests have them, runs as they may go, and verdicts as people read them.

use super::subject::ALL;
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration as Span;
use towpath_model::desired::probe::Probe;
use towpath_model::run::{Found, Verdict};

/// What stands around the probe of a test.
const AROUND: &str = r#"
product = "shop"
[service.web]
run = "web"
speaks = "websocket"
uses = ["db", "cache"]
[postgres.db]
[redis.cache]
[secret.COOKIE]
[secret.KEY]
[environment.dev]
[probe.it]
of = "web"
"#;

fn probe(text: &str) -> Probe {
    let text = format!("{AROUND}{text}");
    let sources = BTreeMap::from([("towpath.toml".to_owned(), text.into_bytes())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    let told: Vec<&str> = reading.findings.iter().map(|one| one.message.as_str()).collect();
    assert!(!reading.has_errors(), "{told:?}");
    let desired = &reading.environments.get("dev").expect("it is there").desired;
    desired.probe.get("it").expect("it is there").clone()
}

fn script(text: &str) -> Script {
    read(&probe(text)).expect("it can be run")
}

fn millis(count: u64) -> Span {
    Span::from_millis(count)
}

/// An answer after so long.
fn answer(status: u16, body: &str, took: u64) -> Seen {
    Seen {
        took: millis(took),
        status: Some(status),
        body: body.to_owned(),
        ..Seen::default()
    }
}

/// A run of these, and nothing else.
fn run(seen: Vec<Seen>) -> Run {
    Run {
        took: seen.iter().map(|seen| seen.took).sum(),
        seen,
        broken: None,
    }
}

fn broken(seen: Vec<Seen>, broken: Broken) -> Run {
    Run {
        broken: Some(broken),
        ..run(seen)
    }
}

fn told(found: &Found) -> String {
    let (word, why) = match &found.verdict {
        Verdict::Pass => ("pass", ""),
        Verdict::Fail(why) => ("FAIL", why.as_str()),
        Verdict::Inconclusive(why) => ("open", why.as_str()),
        Verdict::Waived(why) => ("waived", why.as_str()),
    };
    let measured = found.measured.as_deref().unwrap_or("-");
    let bound = found.bound.as_deref().unwrap_or("-");
    let mut text = format!("{word} {why}").trim_end().to_owned();
    let _ = write!(text, "\n     measured {measured} | bound {bound}");
    for evidence in &found.evidence {
        let _ = write!(text, "\n     {}: {}", evidence.name, evidence.text);
    }
    text
}

fn verdict(text: &str, runs: &[Run]) -> String {
    told(&judge(&script(text), runs, None, &Veil::over(["hunter2"])).found)
}

const LOGIN: &str = r#"
http = "GET /auth/me"
with = { cookie = "secret:COOKIE" }
expect = ["status = 200", "p95 < 250ms"]
runs = 20
"#;

#[test]
fn a_login_is_judged_by_its_status_and_by_the_nineteenth_of_twenty_times() {
    let times = |slow: usize, time: u64| -> Vec<Run> {
        let one = |index| run(vec![answer(200, "{}", if index < slow { time } else { 12 })]);
        (0..20).map(one).collect()
    };
    let mut wrong = times(0, 0);
    wrong[2] = run(vec![answer(503, "hunter2 is away", 3)]);
    let all = [
        verdict(LOGIN, &times(1, 9_000)),
        verdict(LOGIN, &times(2, 312)),
        verdict(LOGIN, &times(20, 250)),
        verdict(LOGIN, &wrong[..3]),
        verdict(LOGIN, &times(0, 0)[..19]),
        verdict(LOGIN, &[]),
        verdict(
            LOGIN,
            &[broken(
                vec![],
                Broken::Failed("nobody listens on 127.0.0.1:1".to_owned()),
            )],
        ),
        verdict(
            LOGIN,
            &[broken(
                vec![],
                Broken::Unknown("the secret `COOKIE` has no value here".to_owned()),
            )],
        ),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    pass
         measured status 200 in all 20 runs, p95 12 ms of 20 runs | bound status = 200, p95 < 250ms
         the times of 20 runs: 9000 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms
    FAIL `p95 < 250ms` is expected, and p95 312 ms of 20 runs came
         measured p95 312 ms of 20 runs | bound p95 < 250ms
         the last answer: {}
         the times of 20 runs: 312 ms, 312 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms
    FAIL `p95 < 250ms` is expected, and p95 250 ms of 20 runs came
         measured p95 250 ms of 20 runs | bound p95 < 250ms
         the last answer: {}
         the times of 20 runs: 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms, 250 ms
    FAIL GET /auth/me: `status = 200` is expected, and `503` came, in run 3 of 20
         measured `503` | bound status = 200
         the last answer: [sealed] is away
         the times of 3 runs: 12 ms, 12 ms, 3.0 ms
    open it came to 19 of 20 runs
         measured - | bound -
         the last answer: {}
         the times of 19 runs: 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms, 12 ms
    open it has not been run
         measured - | bound -
    FAIL GET /auth/me: nobody listens on 127.0.0.1:1, in run 1 of 20
         measured - | bound -
    open GET /auth/me: the secret `COOKIE` has no value here, in run 1 of 20
         measured - | bound -
    "#);
}

const REFLECT: &str = r#"
steps = [
  { websocket = "/ws", with = { cookie = "secret:COOKIE" } },
  { sql = "insert into outbox (user_id, kind) values ('probe', 'reflect')", on = "db" },
  { websocket = "/ws", expect = "body contains reflect", within = "3s" },
]
"#;

#[test]
fn a_step_that_fails_is_named_with_what_came_in_its_place() {
    let rows = Seen {
        rows: 1,
        took: millis(2),
        ..Seen::default()
    };
    let message = |text: &str, took| Seen {
        body: text.to_owned(),
        messages: 1,
        took: millis(took),
        ..Seen::default()
    };
    let open = Seen {
        took: millis(4),
        ..Seen::default()
    };
    let begun = vec![open.clone(), rows.clone()];
    let with = |seen| [begun.clone(), vec![seen]].concat();
    let all = [
        verdict(REFLECT, &[run(with(message(r#"{"kind":"reflect"}"#, 140)))]),
        verdict(REFLECT, &[run(with(message(r#"{"kind":"hello"}"#, 3_000)))]),
        verdict(
            REFLECT,
            &[broken(
                begun.clone(),
                Broken::Failed("no message came, said hunter2".to_owned()),
            )],
        ),
        verdict(
            REFLECT,
            &[broken(
                vec![open],
                Broken::Failed("the query failed at Postgres: no such table".to_owned()),
            )],
        ),
        verdict(REFLECT, &[run(begun.clone())]),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    pass
         measured body `{"kind":"reflect"}` | bound body contains reflect
    FAIL step 3 (WebSocket /ws): `body contains reflect` is expected within 3s, and `{"kind":"hello"}` came
         measured `{"kind":"hello"}` | bound body contains reflect
         the last answer: {"kind":"hello"}
    FAIL step 3 (WebSocket /ws): no message came, said [sealed]
         measured - | bound -
    FAIL step 2 (`insert into outbox (user_id, kind) values ('probe', 'reflect')`): the query failed at Postgres: no such table
         measured - | bound -
    open step 3 (WebSocket /ws): it was not done
         measured - | bound -
    "#);
}

#[test]
fn a_wait_is_over_when_the_field_says_so() {
    let import = r#"
steps = [
  { queue = "import", on = "cache", with = { body = '{"user": "probe"}' } },
  { wait = "GET /imports/probe", expect = "progress = 100%", within = "60s" },
]
"#;
    let put = Seen::default;
    let at = |body: &str| verdict(import, &[run(vec![put(), answer(200, body, 60_000)])]);
    let all = [
        at(r#"{"progress":"100%"}"#),
        at(r#"{"progress":"40%"}"#),
        at(r#"{"progress":100}"#),
        at(r#"{"done":1}"#),
        at("<html>"),
        at(""),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    pass
         measured progress `100%` | bound progress = 100%
    FAIL step 2 (GET /imports/probe): `progress = 100%` is expected within 1m, and `40%` came
         measured `40%` | bound progress = 100%
         the last answer: {"progress":"40%"}
    FAIL step 2 (GET /imports/probe): `progress = 100%` is expected within 1m, and `100` came, which cannot be compared
         measured `100` | bound progress = 100%
         the last answer: {"progress":100}
    FAIL step 2 (GET /imports/probe): `progress = 100%` is expected within 1m, and what came has no `progress`
         measured what came has no `progress` | bound progress = 100%
         the last answer: {"done":1}
    FAIL step 2 (GET /imports/probe): `progress = 100%` is expected within 1m, and what came is no JSON to look for it in
         measured what came is no JSON to look for it in | bound progress = 100%
         the last answer: <html>
    FAIL step 2 (GET /imports/probe): `progress = 100%` is expected within 1m, and nothing came to look for it in
         measured nothing came to look for it in | bound progress = 100%
    "#);
    let Act::Queue { list, .. } = &script(import).steps[0].act else {
        panic!("it is a job")
    };
    assert_eq!(list, "bull:import:wait");
}

#[test]
fn a_fixture_is_compared_with_the_release_that_runs_or_with_its_own_words() {
    let fixture = |hash: &str| {
        format!(
            "with = {{ hmac = \"KEY\" }}\nfixture = {{ request = \"POST /indicators\", body = \"a.json\", hash = \"{hash}\" }}"
        )
    };
    let sha = |digit: &str| format!("sha256:{}", digit.repeat(64));
    let came = |digit: &str, status| {
        let seen = Seen {
            digest: Some(sha(digit)),
            ..answer(status, "{}", 5)
        };
        vec![run(vec![seen])]
    };
    let judged =
        |text: &str, runs: &[Run], stable: Option<&str>| judge(&script(text), runs, stable, &Veil::default());
    let (one, stable) = (sha("a"), fixture("stable"));
    let first = judged(&stable, &came("a", 200), None);
    assert_eq!(first.hash, Some(one.clone()));
    let error = judged(&stable, &came("a", 500), None);
    assert_eq!(error.hash, None, "an error page is no answer to keep");
    let both = [came("a", 200), came("b", 200)].concat();
    let all = [
        first,
        judged(&stable, &came("a", 200), Some(&one)),
        judged(&stable, &came("b", 200), Some(&one)),
        judged(&fixture(&one), &came("a", 200), None),
        judged(&fixture(&one), &came("b", 200), Some(&sha("b"))),
        error,
        judged(&format!("{stable}\nruns = 2"), &both, None),
    ];
    let all: Vec<String> = all.iter().map(|judged| told(&judged.found)).collect();
    insta::assert_snapshot!(all.join("\n").replace(&"a".repeat(64), "a…").replace(&"b".repeat(64), "b…"), @r#"
    pass
         measured sha256:a…; nothing to compare with yet, so it is kept for the next release | bound -
    pass
         measured sha256:a… | bound sha256:a…
    FAIL POST /indicators: sha256:a… is what the release that runs answers, and sha256:b… came
         measured sha256:b… | bound sha256:a…
         the last answer: {}
    pass
         measured sha256:a… | bound sha256:a…
    FAIL POST /indicators: sha256:a… is expected, and sha256:b… came
         measured sha256:b… | bound sha256:a…
         the last answer: {}
    FAIL POST /indicators: `status matches 2*` is expected, and `500` came
         measured `500` | bound status matches 2*
         the last answer: {}
    FAIL POST /indicators: 2 answers to the same question came in 2 runs
         measured - | bound -
         the last answer: {}
         the times of 2 runs: 5.0 ms, 5.0 ms
    "#);
}

#[test]
fn other_kinds_and_their_bounds() {
    let seen = |seen: Seen| vec![run(vec![seen])];
    let row = |count, column: &str, value: Option<&str>| Seen {
        rows: count,
        row: vec![(column.to_owned(), value.map(str::to_owned))],
        ..Seen::default()
    };
    let header = Seen {
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        ..answer(200, "", 1)
    };
    let nested = answer(200, r#"{"status":"ok","data":{"items":[{"name":"a"}]}}"#, 1);
    let slow = Run {
        took: millis(1_200),
        ..run(vec![answer(200, "", 900)])
    };
    let all = [
        verdict(
            "sql = \"select\"\nexpect = \"rows = 1\"",
            &seen(row(1, "n", Some("3"))),
        ),
        verdict(
            "sql = \"select\"\nexpect = \"n >= 5\"",
            &seen(row(1, "n", Some("3"))),
        ),
        verdict(
            "sql = \"select\"\nexpect = \"= 3\"",
            &seen(row(1, "n", Some("3"))),
        ),
        verdict("sql = \"select\"\nexpect = \"n = 3\"", &seen(row(1, "n", None))),
        verdict("sql = \"select\"\nexpect = \"m = 3\"", &seen(row(1, "n", None))),
        verdict("sql = \"select\"", &seen(row(1, "n", None))),
        verdict(
            "http = \"/\"\nexpect = \"header Content-Type contains json\"",
            &seen(header.clone()),
        ),
        verdict("http = \"/\"\nexpect = \"header x-none = 1\"", &seen(header)),
        verdict(
            "http = \"/\"\nexpect = [\"body.status = ok\", \"data.items[0].name = a\"]",
            &seen(nested.clone()),
        ),
        verdict("http = \"/\"\nexpect = \"data.items[1].name = a\"", &seen(nested)),
        verdict(
            "http = \"/\"\nexpect = \"status = 200\"\nwithin = \"1s\"",
            std::slice::from_ref(&slow),
        ),
        verdict("http = \"/\"\nexpect = \"latency < 1s\"", &[slow]),
        verdict(
            "http = \"/\"\nexpect = \"status matches 3*\"",
            &seen(answer(302, "", 1)),
        ),
        verdict("tcp = \"db:5432\"", &seen(Seen::default())),
        verdict(
            "command = \"bin/smoke\"\nexpect = \"body contains ok\"",
            &seen(answer(0, "all ok\n", 1)),
        ),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    pass
         measured rows 1 | bound rows = 1
    FAIL `select`: `n >= 5` is expected, and `3` came
         measured `3` | bound n >= 5
    pass
         measured value `3` | bound = 3
    FAIL `select`: `n = 3` is expected, and `null` came, which cannot be compared
         measured `null` | bound n = 3
    FAIL `select`: `m = 3` is expected, and the row has no column `m`
         measured the row has no column `m` | bound m = 3
    pass
         measured took 0.0 ms | bound -
    FAIL GET /: `header Content-Type contains json` is expected, and `text/html` came
         measured `text/html` | bound header Content-Type contains json
    FAIL GET /: `header x-none = 1` is expected, and the answer has no header `x-none`
         measured the answer has no header `x-none` | bound header x-none = 1
    pass
         measured body.status `ok`, data.items[0].name `a` | bound body.status = ok, data.items[0].name = a
    FAIL GET /: `data.items[1].name = a` is expected, and what came has no `data.items.1.name`
         measured what came has no `data.items.1.name` | bound data.items[1].name = a
         the last answer: {"status":"ok","data":{"items":[{"name":"a"}]}}
    FAIL all of it took 1200 ms, and may take 1s
         measured 1200 ms | bound within 1s
    FAIL `latency < 1s` is expected, and it took 1200 ms
         measured 1200 ms | bound latency < 1s
    pass
         measured status 302 | bound status matches 3*
    pass
         measured took 0.0 ms | bound -
    pass
         measured body `all ok` | bound body contains ok
    "#);
}

#[test]
fn words_that_mean_nothing_are_told_and_nothing_is_asked() {
    let why = |text: &str| read(&probe(text)).expect_err(text);
    let all = [
        why("http = \"GET\"\nexpect = \"status = 200\""),
        why("http = \"GET x y\"\nexpect = \"status = 200\""),
        why("http = \"G/T /\"\nexpect = \"status = 200\""),
        why("http = \"/\"\nexpect = \"p95 < 250\""),
        why("tcp = \"db\""),
        why("tcp = \"db:5432\"\nexpect = \"status = 200\""),
        why("sql = \"select\"\nexpect = \"body contains x\""),
        why("websocket = \"ws\""),
        why("steps = [{ http = \"/\", expect = \"latency contains 3\" }]"),
        why("fixture = { request = \"POST /\", body = \"a.json\", hash = \"stabel\" }"),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    `GET` is no request; write a method and a path, such as GET /health
    `GET x y` is no request; write a method and a path, such as GET /health
    `G/T /` begins with no method such as GET or POST
    `p95 < 250` compares a time with a number; write a duration such as 250ms
    `db` is no port; write a name and a number, such as db:5432
    `status = 200` asks for something that a connection does not have; it has `latency`, and percentiles such as `p95`
    `body contains x` asks for something that a query does not have; it has `rows`, the columns of its first row, `latency`, and percentiles such as `p95`
    `ws` is no WebSocket; write its path, such as /ws
    step 1: `latency contains "3"` compares a time with a text; write a duration such as 250ms
    `stabel` is no digest; write sha256: with 64 digits, or `stable` for that of the release that runs
    "#);
}

#[test]
fn what_a_step_does_not_say_it_has_from_its_probe() {
    let read = script(
        "with = { token = \"secret:KEY\" }\non = \"db\"\nwithin = \"20s\"\ntimeout = \"4s\"\nsteps = [\n\
         { http = \"POST https://example.com/x\", expect = \"status = 200\" },\n\
         { sql = \"select 1\" },\n\
         { websocket = \"wss://example.com/ws\", with = { cookie = \"a=b\" }, within = \"2s\" },\n]\n\
         expect = [\"latency < 9s\", \"p50 < 3s\", \"messages >= 1\"]",
    );
    let Act::Http(request) = &read.steps[0].act else {
        panic!("it is a request")
    };
    assert_eq!(request.token, Some(Value::Secret("KEY".to_owned())));
    assert_eq!(request.to, To::Url("https://example.com/x".to_owned()));
    assert!(matches!(&read.steps[1].act, Act::Sql { on: Some(on), .. } if on == "db"));
    let Act::WebSocket(request) = &read.steps[2].act else {
        panic!("it is a WebSocket")
    };
    assert_eq!(
        (&request.token, &request.cookie),
        (&None, &Some(Value::Plain("a=b".to_owned())))
    );
    assert_eq!(request.to, To::Url("https://example.com/ws".to_owned()));
    let bounds: Vec<u64> = read.steps.iter().map(|step| step.bound.secs()).collect();
    assert_eq!(bounds, [4, 4, 2]);
    assert_eq!(
        (read.each.len(), read.across.len(), read.steps[2].expect.len()),
        (1, 1, 1)
    );
    assert_eq!(secrets(&probe("http = \"/\"\nexpect = \"status = 200\"\nwith = { cookie = \"secret:COOKIE\", hmac = \"KEY\", headers = { x = \"secret:KEY\" } }")).len(), 2);
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let row = prop::collection::vec(("[a-z]{1,8}", prop::option::of("[0-9a-z%]{0,4}")), 0..2);
    let headers = prop::collection::vec(("[a-z]{1,3}", ".{0,9}"), 0..2);
    let digest = prop::option::of("sha256:[0-9a-f]{64}");
    let body = prop_oneof![
        ".{0,40}",
        Just("{\"progress\":\"100%\",\"a\":[1,null]}".to_owned())
    ];
    (
        0_u64..u64::MAX,
        prop::option::of(any::<u16>()),
        headers,
        body,
        any::<u64>(),
        row,
        digest,
    )
        .prop_map(|(micros, status, headers, body, count, row, digest)| Seen {
            took: Span::from_micros(micros / 4_096),
            status,
            headers,
            body,
            rows: count,
            messages: count,
            row,
            digest,
        })
}

fn any_run() -> impl Strategy<Value = Run> {
    let why = prop_oneof![
        3 => Just(None),
        1 => ".{0,9}".prop_map(|why| Some(Broken::Failed(why))),
        1 => ".{0,9}".prop_map(|why| Some(Broken::Unknown(why))),
    ];
    (prop::collection::vec(any_seen(), 0..4), why, any::<u32>()).prop_map(|(seen, broken, took)| Run {
        seen,
        broken,
        took: millis(took.into()),
    })
}

fn any_probe() -> impl Strategy<Value = Probe> {
    let request = prop_oneof!["[A-Za-z]{0,5} ?[/a-z: ]{0,12}", ".{0,12}"];
    let expect = prop_oneof![
        "(status|body|rows|messages|latency|p[0-9.]{1,6}|header [a-z]{0,3}|[a-z.\\[\\]0-9]{0,9}|) ?(<|=|!=|>=|contains) ?([0-9]{1,4}(ms|s|%|)|[a-z]{1,4})",
    ];
    (request, prop::collection::vec(expect, 0..3), 0_usize..8, 0_u32..5).prop_map(
        |(words, expect, which, runs)| {
            let mut probe = probe(LOGIN);
            (probe.http, probe.expect, probe.runs) = (None, Vec::new(), runs);
            let expect = expect
                .iter()
                .filter_map(|text| towpath_model::unit::Unit::parse(text).ok());
            probe.expect = expect.collect();
            match which {
                0 => probe.http = Some(words),
                1 => probe.websocket = Some(words),
                2 => probe.tcp = Some(words),
                3 => probe.sql = Some(words),
                4 => probe.queue = Some(words),
                5 => probe.command = towpath_model::unit::Unit::parse(&words).ok(),
                6 => probe = self::probe(REFLECT),
                _ => {}
            }
            probe
        },
    )
}

proptest! {
    #[test]
    fn every_probe_and_every_run_has_a_verdict_and_passes_only_whole(
        probe in any_probe(),
        runs in prop::collection::vec(any_run(), 0..5),
        stable in prop::option::of(".{0,4}"),
    ) {
        if let Ok(script) = read(&probe) {
            let judged = judge(&script, &runs, stable.as_deref(), &Veil::over(["hunter2"]));
            if judged.found.verdict == Verdict::Pass {
                prop_assert!(runs.len() >= script.runs as usize && !runs.is_empty());
                for run in &runs {
                    prop_assert!(run.broken.is_none());
                    prop_assert!(run.seen.len() >= script.steps.len());
                    for (step, seen) in script.steps.iter().zip(&run.seen) {
                        prop_assert_eq!(met(step, seen), Ok(()));
                    }
                }
            }
        }
    }

    #[test]
    fn a_percentile_is_a_measured_time_with_its_part_at_or_below_it(
        times in prop::collection::vec(0_u64..1_000, 1..80),
        part in 0_u32..=ALL,
        other in 0_u32..=ALL,
    ) {
        let times: Vec<Span> = times.into_iter().map(millis).collect();
        let found = nearest_rank(&times, part).expect("there is one");
        prop_assert!(times.contains(&found));
        let below = |bound: Span| times.iter().filter(|time| **time <= bound).count() as u64;
        let enough = |count: u64| count * u64::from(ALL) >= times.len() as u64 * u64::from(part);
        prop_assert!(enough(below(found)));
        // The next smaller one would not do.
        if let Some(smaller) = times.iter().filter(|time| **time < found).max() {
            prop_assert!(!enough(below(*smaller)));
        }
        let later = nearest_rank(&times, part.max(other)).expect("there is one");
        prop_assert!(later >= found);
    }

    #[test]
    fn nothing_hidden_is_told_wherever_it_came(secret in "[A-Za-z0-9]{8,20}", before in "[ -~]{0,130}") {
        let script = script("http = \"/\"\nexpect = \"status = 200\"");
        let veil = Veil::over([secret.as_str()]);
        let text = format!("{before}{secret}");
        for run in [
            run(vec![answer(500, &text, 1)]),
            broken(vec![], Broken::Failed(text.clone())),
            broken(vec![], Broken::Unknown(text.clone())),
        ] {
            let found = judge(&script, &[run], None, &veil).found;
            let told = format!("{found:?}");
            prop_assert!(!told.contains(&secret), "it is told");
        }
    }
}
