//! Which certificate is shown for which name, and what is told of it.

use std::collections::BTreeMap;

use super::*;
use crate::door::disk;
use jiff::SignedDuration;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

/// A certificate for names that ends after so many days, with its key, as text.
fn made(names: &[&str], days: i64) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        .expect("names");
    let now = clock::since_epoch();
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    params.not_before = date_time_ymd(1970, 1, 1) + now - day * 100;
    params.not_after = match u32::try_from(days) {
        Ok(days) => date_time_ymd(1970, 1, 1) + now + day * days,
        Err(_) => date_time_ymd(1970, 1, 1) + now - day * u32::try_from(-days).expect("days"),
    };
    let certificate = params.self_signed(&key).expect("it is signed");
    (certificate.pem(), key.serialize_pem())
}

fn front(rows: Vec<(&str, Certificate)>) -> Front {
    let rows = rows.into_iter().map(|(name, from)| (name.to_owned(), from));
    Front {
        domains: rows.collect::<BTreeMap<_, _>>(),
        ..Front::default()
    }
}

#[test]
fn a_pair_has_to_fit_together_and_to_its_domain() {
    let provider = aws_lc_rs::default_provider();
    let now = clock::today();
    let (chain, key) = made(&["example.com", "*.shop.example.com"], 10);
    let pair = Pair::read(&chain, &key, &provider).expect("they belong together");
    for (domain, does) in [
        ("example.com", true),
        ("a.shop.example.com", true),
        ("*.shop.example.com", true),
        ("a.b.shop.example.com", false),
        ("shop.example.com", false),
        ("other.example.com", false),
    ] {
        assert_eq!(pair.foreign(domain).is_none(), does, "{domain}");
    }
    assert_eq!(pair.untimely(now), None);
    let later = now
        .checked_add(SignedDuration::from_hours(24 * 11))
        .expect("a time");
    assert!(
        pair.untimely(later)
            .expect("it ended")
            .starts_with("it ended at ")
    );
    let told = |chain: &str, key: &str| Pair::read(chain, key, &provider).expect_err("it does not fit");
    let (_, other) = made(&["example.com"], 10);
    assert_eq!(told(&chain, &other), "its key belongs to another certificate");
    assert_eq!(told(&chain, "nonsense"), "its key cannot be read");
    assert_eq!(told("nonsense", &key), "there is no certificate in it");
    assert_eq!(
        told(
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            &key
        ),
        "its certificate cannot be read"
    );
}

#[test]
fn a_star_stands_for_one_label_and_an_exact_name_counts_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::default();
    let local = |because: &str| Certificate::Local {
        because: because.to_owned(),
    };
    let set = front(vec![
        ("*.example.com", local("star")),
        ("a.example.com", local("exact")),
    ]);
    certificates.set(set, folder.path());
    let facing = certificates.facing();
    let from = |name: &str| match facing.from(name) {
        Some(Certificate::Local { because }) => because.as_str(),
        _ => "nobody",
    };
    assert_eq!(from("a.example.com"), "exact");
    assert_eq!(from("b.example.com"), "star");
    assert_eq!(from("a.b.example.com"), "nobody");
    assert_eq!(from("example.com"), "nobody");
}

#[test]
fn a_bad_new_file_keeps_the_old_one_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let (chain, key) = (folder.path().join("site.pem"), folder.path().join("site.key"));
    let put = |pair: &(String, String)| {
        disk::replace_private(&chain, &pair.0).expect("a file");
        disk::replace_private(&key, &pair.1).expect("a file");
    };
    let certificates = Certificates::default();
    let from = Certificate::Files {
        chain: chain.display().to_string(),
        key: key.display().to_string(),
    };
    put(&made(&["example.com"], 60));
    certificates.set(front(vec![("example.com", from)]), folder.path());
    let facing = certificates.facing();
    let domain = facing.domain("example.com").expect("it is there");
    let told = || told::told(domain, None, clock::today());
    let first = domain.shown().expect("it was read");
    assert_eq!(
        (told().wrong, told().next.as_str()),
        (None, "it is read again when the files change")
    );
    for (pair, why) in [
        (made(&["other.example.com"], 60), "it holds for other.example.com"),
        (made(&["example.com"], -1), "it ended at "),
        (
            (made(&["example.com"], 60).0, made(&["example.com"], 60).1),
            "its key belongs to another certificate",
        ),
        (
            ("nonsense".to_owned(), first_key()),
            "there is no certificate in it",
        ),
    ] {
        put(&pair);
        domain.look(&certificates.provider);
        let wrong = told().wrong.expect("it is told");
        assert!(wrong.contains(why) && wrong.contains("site.pem"), "{wrong}");
        assert!(
            told().next.contains("the ones before are shown"),
            "{}",
            told().next
        );
        assert!(Arc::ptr_eq(&first, &domain.shown().expect("it stays")), "{why}");
    }
    disk::remove(&chain).expect("it was there");
    domain.look(&certificates.provider);
    assert!(told().wrong.expect("it is told").contains("cannot be read"));
    put(&made(&["example.com"], 5));
    domain.look(&certificates.provider);
    assert!(!Arc::ptr_eq(&first, &domain.shown().expect("it is there")));
    assert_eq!(
        (told().wrong, told().next.as_str()),
        (None, "put files there that last longer")
    );
}

#[test]
fn one_that_has_ended_is_better_than_none_and_gives_way_to_one_that_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let (chain, key) = (folder.path().join("site.pem"), folder.path().join("site.key"));
    let put = |pair: &(String, String)| {
        disk::replace_private(&chain, &pair.0).expect("a file");
        disk::replace_private(&key, &pair.1).expect("a file");
    };
    let from = Certificate::Files {
        chain: chain.display().to_string(),
        key: key.display().to_string(),
    };
    put(&made(&["example.com"], -1));
    // As after a start, or an upgrade, with a clock that has jumped.
    let certificates = Certificates::default();
    certificates.set(front(vec![("example.com", from)]), folder.path());
    let facing = certificates.facing();
    let domain = facing.domain("example.com").expect("it is there");
    let told = |now| told::told(domain, None, now);
    assert!(domain.shown().is_some());
    let said = told(clock::today());
    assert!(said.wrong.expect("it is told").starts_with("it ended at "));
    assert_eq!(said.next, "put files there that last longer");
    // Where the clock is put right, nothing is wrong any more.
    let before = clock::today() - SignedDuration::from_hours(24 * 2);
    assert_eq!(told(before).wrong, None);
    put(&made(&["example.com"], 60));
    domain.look(&certificates.provider);
    assert_eq!(told(clock::today()).wrong, None);
    // And a clock that jumps ahead takes nothing away.
    let shown = domain.shown().expect("it is there");
    let after = clock::today() + SignedDuration::from_hours(24 * 365);
    assert!(told(after).wrong.expect("it is told").starts_with("it ended at "));
    domain.look(&certificates.provider);
    assert!(Arc::ptr_eq(&shown, &domain.shown().expect("it stays")));
}

fn first_key() -> String {
    made(&["example.com"], 1).1
}

#[test]
fn what_is_asked_for_elsewhere_is_found_again_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme {
        directory: "https://acme.example/dir".to_owned(),
        root: None,
        challenge: None,
    };
    let (chain, key) = made(&["example.com"], 60);
    let record = Record {
        directory: acme.directory.clone(),
        issued: Some(record::Issued {
            chain,
            key,
            at: clock::today(),
            suggested: None,
            ask_again: None,
        }),
        failure: Some(record::Failure {
            at: clock::today(),
            times: 2,
            how: record::How::Unreached,
            until: None,
            why: "nobody is there".to_owned(),
        }),
        ..Record::default()
    };
    let text = serde_json::to_string(&record).expect("it is written");
    disk::replace_private(&record::of_domain(folder.path(), "example.com"), &text).expect("a file");
    let certificates = Certificates::default();
    let mut set = front(vec![
        ("example.com", Certificate::Acme),
        ("new.example.com", Certificate::Acme),
    ]);
    set.acme = Some(acme.clone());
    certificates.set(set.clone(), folder.path());
    let told = certificates.told();
    let [old, new] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(old.from, "acme.example");
    assert!(old.until.is_some_and(|until| until > clock::today()));
    assert_eq!(old.wrong.as_deref(), Some("nobody is there (2 times in a row)"));
    assert!(
        new.wrong
            .as_deref()
            .is_some_and(|wrong| wrong.starts_with("there is none yet"))
    );
    assert_eq!(new.next, "it is asked for now: there is none yet");
    // Another authority is asked anew, and what the one before has given is shown meanwhile.
    set.acme = Some(Acme {
        directory: "https://other.example/dir".to_owned(),
        ..acme
    });
    certificates.set(set, folder.path());
    let told = certificates.told();
    assert!(
        told[0].next.starts_with("it is asked for now"),
        "{}",
        told[0].next
    );
    assert!(told[0].until.is_some());
}
