//! Who is trusted and who is not, and that no pattern is like more than it says.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn at(text: &str) -> Timestamp {
    text.parse().expect("it is a time")
}

fn now() -> Timestamp {
    at("2026-11-22T10:00:00Z")
}

fn patterns(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (claim, pattern) in pairs {
        all.entry((*claim).to_owned())
            .or_default()
            .push((*pattern).to_owned());
    }
    all
}

fn identity(other: Value) -> Map<String, Value> {
    let now = now().as_second();
    let mut all = json!({
        "iss": GITHUB,
        "aud": "towpath:key",
        "exp": now + 300,
        "iat": now - 5,
        "nbf": now - 5,
        "sub": "repo:acme/shop:ref:refs/tags/v1.2",
        "repository": "acme/shop",
        "ref": "refs/tags/v1.2",
        "run_attempt": 2,
        "groups": ["dev", "ops"],
    });
    for (name, value) in other.as_object().expect("an object") {
        match value {
            Value::Null => drop(all.as_object_mut().expect("an object").remove(name)),
            value => all[name] = value.clone(),
        }
    }
    all.as_object().expect("an object").clone()
}

fn told(other: Value, wanted: &[(&str, &str)]) -> String {
    let claims = patterns(wanted);
    let trust = Trust {
        issuer: GITHUB,
        audience: "towpath:key",
        claims: &claims,
    };
    match decide(&identity(other), &[trust], now()) {
        Ok(granted) => format!("granted, remembered until {}", granted.remembered),
        Err(refusal) => format!("{}: {refusal}", refusal.word()),
    }
}

#[test]
fn an_identity_that_is_as_wanted_is_let_in() {
    let wanted = [("repository", "acme/shop"), ("ref", "refs/tags/v*")];
    let granted = "granted, remembered until 2026-11-22T10:06:00Z";
    assert_eq!(told(json!({}), &wanted), granted);
    assert_eq!(
        told(
            json!({}),
            &[("ref", "refs/heads/main"), ("ref", "refs/tags/v[0-9]*")]
        ),
        granted
    );
    assert_eq!(
        told(json!({}), &[("groups", "ops"), ("run_attempt", "2")]),
        granted
    );
    assert_eq!(told(json!({ "aud": ["other", "towpath:key"] }), &wanted), granted);
    assert_eq!(told(json!({ "nbf": null }), &wanted), granted);
}

#[test]
fn whoever_is_refused_is_told_the_claim_what_it_was_and_what_is_wanted() {
    let second = now().as_second();
    for (other, wanted) in [
        (
            json!({ "repository": "evil/shop" }),
            "wrong-claim: its claim `repository` is `evil/shop`, and `acme/shop` is wanted",
        ),
        (
            json!({ "ref": "refs/heads/v1" }),
            "wrong-claim: its claim `ref` is `refs/heads/v1`, and `refs/tags/v*` is wanted",
        ),
        (
            json!({ "ref": "refs/tags/v1/../../heads/x" }),
            "wrong-claim: its claim `ref` is `refs/tags/v1/../../heads/x`, and `refs/tags/v*` is wanted",
        ),
        (
            json!({ "ref": null }),
            "wrong-claim: its claim `ref` is missing, and `refs/tags/v*` is wanted",
        ),
        (
            json!({ "ref": { "a": 1 } }),
            "wrong-claim: its claim `ref` is no text, and `refs/tags/v*` is wanted",
        ),
        (
            json!({ "ref": [] }),
            "wrong-claim: its claim `ref` is an empty list, and `refs/tags/v*` is wanted",
        ),
        (
            json!({ "ref": ["a", "b", "c", "d", "e", "f\u{1b}[0m"] }),
            "wrong-claim: its claim `ref` is one of `a`, `b`, `c`, `d`, `e`, …, and `refs/tags/v*` is wanted",
        ),
        (
            json!({ "repository": "a\u{1b}[31m`\n" }),
            "wrong-claim: its claim `repository` is `a\u{fffd}[31m\u{fffd}\u{fffd}`, and `acme/shop` is wanted",
        ),
        (
            json!({ "iss": format!("{GITHUB}/") }),
            "wrong-issuer: its issuer `iss` is `https://token.actions.githubusercontent.com/`, and \
             `https://token.actions.githubusercontent.com` is trusted",
        ),
        (
            json!({ "aud": "sts.amazonaws.com" }),
            "wrong-audience: its audience `aud` is `sts.amazonaws.com`, and `towpath:key` is wanted",
        ),
        (
            json!({ "aud": null }),
            "wrong-audience: its audience `aud` is missing, and `towpath:key` is wanted",
        ),
        (
            json!({ "exp": second - 61 }),
            "expired: it has expired at 2026-11-22T09:58:59Z (`exp`)",
        ),
        (
            json!({ "exp": null }),
            "no-time: its `exp` is missing, and a time is wanted",
        ),
        (
            json!({ "iat": "today" }),
            "no-time: its `iat` is `today`, and a time is wanted",
        ),
        (
            json!({ "nbf": "later" }),
            "no-time: its `nbf` is `later`, and a time is wanted",
        ),
        (
            json!({ "nbf": second + 61 }),
            "not-yet: it holds from 2026-11-22T10:01:01Z on (`nbf`), which has not come",
        ),
        (
            json!({ "iat": second + 61 }),
            "not-yet: it holds from 2026-11-22T10:01:01Z on (`iat`), which has not come",
        ),
        (
            json!({ "exp": second + 24 * 60 * 60 + 1 }),
            "lasts-too-long: it holds until 2026-11-23T10:00:01Z (`exp`), and a day is the longest",
        ),
        (
            json!({ "exp": 1e300 }),
            "lasts-too-long: it holds until 5138-11-16T09:46:40Z (`exp`), and a day is the longest",
        ),
    ] {
        assert_eq!(
            told(
                other.clone(),
                &[("repository", "acme/shop"), ("ref", "refs/tags/v*")]
            ),
            wanted.replace("\n", ""),
            "{other}"
        );
    }
}

#[test]
fn a_minute_is_given_to_clocks_that_differ() {
    let second = now().as_second();
    for (other, is_granted) in [
        (json!({ "exp": second - 59 }), true),
        (json!({ "exp": second - 60 }), false),
        (json!({ "nbf": second + 60, "iat": second + 60 }), true),
        (json!({ "nbf": second as f64 + 60.5 }), false),
        (json!({ "exp": -1e300 }), false),
    ] {
        assert_eq!(
            told(other.clone(), &[("ref", "**")]).starts_with("granted"),
            is_granted,
            "{other}"
        );
    }
}

#[test]
fn of_several_trusts_the_first_that_holds_is_taken_and_otherwise_the_nearest_is_told() {
    let (main, tags, other) = (
        patterns(&[("ref", "refs/heads/main"), ("repository", "acme/shop")]),
        patterns(&[("ref", "refs/tags/*"), ("repository", "acme/shop")]),
        patterns(&[("a", "b")]),
    );
    let trust = |issuer, claims| Trust {
        issuer,
        audience: "towpath:key",
        claims,
    };
    let trusts = [
        trust("https://id.example.com", &other),
        trust(GITHUB, &main),
        trust(GITHUB, &tags),
    ];
    let granted = decide(&identity(json!({})), &trusts, now()).expect("it is let in");
    assert_eq!(granted.by, 2);
    let refused = |claims: Value| {
        decide(&identity(claims), &trusts, now())
            .expect_err("no")
            .to_string()
    };
    assert_eq!(
        refused(json!({ "repository": "evil/shop" })),
        "its claim `repository` is `evil/shop`, and `acme/shop` is wanted"
    );
    assert_eq!(
        refused(json!({ "iss": "https://evil.example" })),
        "its issuer `iss` is `https://evil.example`, and `https://id.example.com` or \
         `https://token.actions.githubusercontent.com` is trusted"
    );
    assert_eq!(decide(&identity(json!({})), &[], now()), Err(Refusal::Nobody));
    assert_eq!(known(Some(GITHUB), &trusts), Ok(()));
    assert_eq!(known(Some(GITHUB), &[]), Err(Refusal::Nobody));
    assert!(known(Some("https://evil.example"), &trusts).is_err() && known(None, &trusts).is_err());
}

#[test]
fn a_trust_says_whose_jobs_it_means() {
    let gitlab = "https://gitlab.com";
    let own = "https://id.example.com";
    for (issuer, claims, is_fine) in [
        (GITHUB, &[("repository", "acme/shop")][..], true),
        (GITHUB, &[("repository", "acme/*")], true),
        (GITHUB, &[("repository", "*/shop")], false),
        (GITHUB, &[("repository", "ac*")], false),
        (GITHUB, &[("repository", "/**")], false),
        (
            GITHUB,
            &[("repository", "acme/shop"), ("repository", "**")],
            false,
        ),
        (GITHUB, &[("repository_owner", "acme")], true),
        (GITHUB, &[("repository_owner", "acme*")], false),
        (GITHUB, &[("repository_id", "42")], true),
        (GITHUB, &[("sub", "repo:acme/shop:environment:prod")], true),
        (GITHUB, &[("sub", "repo:acme/*")], true),
        (GITHUB, &[("sub", "repo:*/shop:environment:prod")], false),
        (GITHUB, &[("sub", "*")], false),
        (GITHUB, &[("ref", "refs/heads/main")], false),
        (GITHUB, &[("repository", "acme/shop"), ("aud", "a")], false),
        (GITHUB, &[("repository", "acme/shop"), ("ref", "v[")], false),
        (GITHUB, &[], false),
        (gitlab, &[("project_path", "acme/shop")], true),
        (gitlab, &[("ref", "main")], false),
        (own, &[("sub", "job-7")], true),
        (own, &[("sub", "*")], false),
        (own, &[], false),
    ] {
        let why = unsafe_claims(issuer, &patterns(claims));
        assert_eq!(why.is_none(), is_fine, "{issuer} {claims:?}: {why:?}");
    }
    assert!(is_any_branch(GITHUB, &patterns(&[("repository", "acme/shop")])));
    assert!(!is_any_branch(GITHUB, &patterns(&[("ref", "refs/heads/main")])));
    assert!(!is_any_branch(own, &patterns(&[("sub", "a")])));
}

/// A pattern read letter by letter, as it is written in the reference and not as it is done in the code.
fn is_like(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', '*', rest @ ..], _) => (0..=text.len()).any(|at| is_like(rest, &text[at..])),
        (['*', rest @ ..], _) => {
            let part = text.iter().position(|one| *one == '/').unwrap_or(text.len());
            (0..=part).any(|at| is_like(rest, &text[at..]))
        }
        (['?', rest @ ..], [one, more @ ..]) => *one != '/' && is_like(rest, more),
        ([wanted, rest @ ..], [one, more @ ..]) => wanted == one && is_like(rest, more),
        _ => false,
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[ab/]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..3)
                .prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_pattern_is_like_more_than_it_says(
        pattern in "[ab/]{0,3}(\\*|\\?|[ab])[ab/]{0,3}\\*?[ab]{0,2}",
        text in "[ab/]{0,7}",
    ) {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        let is_granted = told(json!({ "ref": text }), &[("ref", &pattern)]).starts_with("granted");
        prop_assert_eq!(is_granted, is_like(&letters(&pattern), &letters(&text)));
    }

    #[test]
    fn whatever_is_claimed_is_answered_and_only_what_holds_is_granted(
        claims in prop::collection::btree_map("iss|aud|exp|iat|nbf|a|b", any_json(), 0..7),
        wanted in prop::collection::btree_map("a|b|c", prop::collection::vec("[ab*/\\[\\]]{0,4}", 0..3), 0..3),
        base in any::<bool>(),
        second in any::<i32>(),
    ) {
        let now = Timestamp::new(i64::from(second), 0).expect("a time");
        let mut claims: Map<String, Value> = claims.into_iter().collect();
        if base {
            claims.insert("iss".to_owned(), json!("i"));
            claims.insert("aud".to_owned(), json!(["x", "u"]));
            claims.insert("exp".to_owned(), json!(i64::from(second) + 60));
            claims.insert("iat".to_owned(), json!(second));
            claims.remove("nbf");
        }
        let trust = Trust { issuer: "i", audience: "u", claims: &wanted };
        match decide(&claims, &[trust], now) {
            Ok(granted) => {
                prop_assert_eq!(&claims["iss"], &json!("i"));
                prop_assert!(granted.remembered > now);
                for (claim, patterns) in &wanted {
                    prop_assert!(claims.contains_key(claim) && !patterns.is_empty());
                }
                for claim in wanted.keys() {
                    let mut less = claims.clone();
                    less.remove(claim);
                    prop_assert!(decide(&less, &[trust], now).is_err(), "{} is not needed", claim);
                }
                let long_after = now.checked_add(SignedDuration::from_hours(26)).expect("a time");
                prop_assert!(decide(&claims, &[trust], long_after).is_err());
            }
            Err(refusal) => {
                let told = refusal.to_string();
                prop_assert!(!told.chars().any(char::is_control), "{}", told);
                prop_assert!(!refusal.word().is_empty());
            }
        }
    }
}
