//! Who is trusted, for how long, and how often an identity is good for something.
#![allow(clippy::disallowed_methods, reason = "what is kept lies in a real file")]

use super::*;
use crate::tokens::{Denied, allows};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use towpath_api::Mint;

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn at(minute: i64) -> Timestamp {
    let began: Timestamp = "2026-11-22T08:00:00Z".parse().expect("a time");
    began
        .checked_add(SignedDuration::from_mins(minute))
        .expect("a time")
}

fn asked() -> Trust {
    Trust {
        product: "shop".to_owned(),
        environment: "prod".to_owned(),
        may: vec![Verb::Deploy, Verb::Read, Verb::Read],
        issuer: GITHUB.to_owned(),
        audience: None,
        claims: BTreeMap::from([("repository".to_owned(), vec!["acme/shop".to_owned()])]),
        name: None,
    }
}

fn opened(folder: &tempfile::TempDir) -> Tokens {
    Tokens::open(folder.path().join("tokens.json")).expect("it can be read")
}

fn holder(trust: &TrustTold, digest: &str) -> Holder {
    Holder {
        trust: trust.id.clone(),
        name: "repo:acme/shop".to_owned(),
        digest: digest.to_owned(),
        remembered: at(6),
    }
}

#[test]
fn an_identity_is_exchanged_once_also_after_a_restart_and_its_token_ends_after_a_quarter_of_an_hour() {
    let folder = tempfile::tempdir().expect("a folder");
    let pin = Pin::of(b"key");
    let tokens = opened(&folder);
    let trust = tokens
        .trust(asked(), "user 0".to_owned(), pin, at(0))
        .expect("it is kept");
    assert_eq!(trust.what.may, [Verb::Read, Verb::Deploy]);
    assert_eq!(trust.what.audience, Some(format!("towpath:{pin}")));
    let (token, told) = tokens.give(holder(&trust, "a"), pin, at(0)).expect("it is given");
    let text = token.text();
    let kept = std::fs::read_to_string(folder.path().join("tokens.json")).expect("it is there");
    assert!(
        !kept.contains(token.secret.open().as_str()),
        "its secret is not kept"
    );
    assert_eq!(told.environments, ["prod"]);
    assert_eq!(told.by, format!("trust {}", trust.id));
    assert_eq!(allows(&told, "shop", "prod", Verb::Deploy), Ok(()));
    assert!(allows(&told, "shop", "dev", Verb::Deploy).is_err());
    assert!(allows(&told, "shop", "prod", Verb::Secrets).is_err());
    assert!(tokens.admit(text.open(), at(14)).is_ok());
    assert_eq!(tokens.admit(text.open(), at(15)), Err(Denied::Expired(at(15))));

    let tokens = opened(&folder);
    let again = tokens.give(holder(&trust, "a"), pin, at(5));
    assert!(matches!(again, Err(Ungiven::Spent)), "{again:?}");
    assert!(tokens.give(holder(&trust, "b"), pin, at(5)).is_ok());
    // What is told to have ended is told so for an hour, and what a person has made is kept.
    let mint = Mint {
        product: "shop".to_owned(),
        environments: Vec::new(),
        may: vec![Verb::Read],
        lasts: 1,
        name: None,
    };
    tokens
        .mint(mint, "user 0".to_owned(), pin, at(5))
        .expect("it is made");
    assert_eq!(tokens.all().len(), 3);
    tokens
        .give(holder(&trust, "c"), pin, at(77))
        .expect("it is given");
    assert_eq!(tokens.all().len(), 3, "the first is forgotten");
}

#[test]
fn whoever_is_trusted_no_more_loses_what_was_given_to_them_and_nobody_else_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let pin = Pin::of(b"key");
    let tokens = opened(&folder);
    let trust = |tokens: &Tokens| {
        tokens
            .trust(asked(), String::new(), pin, at(0))
            .expect("it is kept")
    };
    let (one, other) = (trust(&tokens), trust(&tokens));
    let (gone, _) = tokens.give(holder(&one, "a"), pin, at(0)).expect("it is given");
    let (kept, _) = tokens.give(holder(&other, "b"), pin, at(0)).expect("it is given");
    assert!(tokens.distrust(&one.id).expect("it is written"));
    assert!(!tokens.distrust(&one.id).expect("it is written"));
    assert_eq!(tokens.admit(gone.text().open(), at(1)), Err(Denied::Unknown));
    assert!(tokens.admit(kept.text().open(), at(1)).is_ok());
    let given = tokens.give(holder(&one, "c"), pin, at(1));
    assert!(matches!(given, Err(Ungiven::Gone)), "{given:?}");
    assert_eq!(opened(&folder).trusts(pin), [other]);
}

#[test]
fn jobs_leave_room_for_the_tokens_of_people() {
    let folder = tempfile::tempdir().expect("a folder");
    let pin = Pin::of(b"key");
    let tokens = opened(&folder);
    let trust = tokens
        .trust(asked(), String::new(), pin, at(0))
        .expect("it is kept");
    {
        let (_, told) = tokens.give(holder(&trust, "a"), pin, at(0)).expect("it is given");
        let mut book = tokens.book.lock().expect("it is not held");
        let record = Record {
            told,
            digest: String::new(),
            trust: Some(trust.id.clone()),
        };
        book.tokens.resize(MOST_GIVEN, record);
    }
    let given = tokens.give(holder(&trust, "b"), pin, at(0));
    assert!(matches!(given, Err(Ungiven::Full)), "{given:?}");
    assert!(tokens.give(holder(&trust, "b"), pin, at(80)).is_ok());
}

#[test]
fn nobody_is_trusted_by_what_says_too_little_or_allows_too_much() {
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = opened(&folder);
    let why = |change: &dyn Fn(&mut Trust)| {
        let mut asked = asked();
        change(&mut asked);
        match tokens.trust(asked, String::new(), Pin::of(b""), at(0)) {
            Err(Unminted::Wrong(why)) => why,
            other => panic!("it was to be refused: {other:?}"),
        }
    };
    assert!(why(&|one| one.environment = "..".to_owned()).starts_with("`..`"));
    assert!(why(&|one| one.may.clear()).contains("allows nothing"));
    assert!(why(&|one| one.may.push(Verb::Admin)).contains("`admin` is for people"));
    assert!(why(&|one| one.may.push(Verb::Secrets)).contains("`secrets` is for people"));
    for issuer in [
        "http://id.example.com",
        "id.example.com",
        "https://a@id.example.com",
        "https://a?b",
        "",
    ] {
        why(&|one| one.issuer = issuer.to_owned());
    }
    assert!(why(&|one| one.claims.clear()).contains("`repository`"));
    assert!(why(&|one| one.audience = Some("a\nb".to_owned())).contains("a line"));
}
