//! ReflectPause: a harsh message, the pause that is offered, and what is kept of it and for how long.

use crate::inside::{example, get, inside, post};
use crate::kit::{Product, eventually};
use serde_json::{Value, json};
use std::fs;

/// What the bot has answered, once there are so many.
fn heard(discord: u16, count: usize) -> Vec<Value> {
    eventually("the bot answers", || {
        let all = get(discord, "/heard")["heard"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        (all.len() >= count).then_some(all)
    })
}

fn says(discord: u16, user: &str, text: &str) {
    assert_eq!(
        post(discord, "/say", &json!({ "user": user, "text": text })).0,
        202
    );
}

/// A person has what is kept about them deleted, and what is kept of others stays.
fn what_is_kept_about_one_person_goes(product: &Product, discord: u16) {
    says(discord, "4711", "good morning");
    says(discord, "4711", "you idiot");
    says(discord, "4711", "shut up, all of you");
    says(discord, "4712", "I hate you");
    let offered = heard(discord, 3);
    assert!(offered.iter().all(|one| one["channel"] == "2"), "{offered:?}");
    for (user, count) in [("4711", 2), ("4711", 0), ("4712", 1)] {
        let before = heard(discord, 0).len();
        assert_eq!(post(discord, "/privacy", &json!({ "user": user })).0, 202);
        let answer = heard(discord, before + 1).pop().expect("an answer");
        let content = format!("Deleted what was kept about you: {count} entries");
        assert_eq!(answer["content"], content, "{user}");
    }
    let logs = product.logs("guard");
    for secret in ["4711", "4712", "idiot", "hate"] {
        assert!(!logs.contains(secret), "{secret} is logged: {logs}");
    }
}

/// The package lies where it is said, and its manifest has the policy that ours says.
fn the_extension_is_packed(product: &Product) {
    product.until("pause", |one| one["state"] == "ready" || one["state"] == "done");
    let packages = product.folder.join(".towpath/local/packages");
    let packed = fs::read_dir(packages).expect("there are packages").flatten();
    let names: Vec<String> = packed
        .map(|one| one.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["pause-0.1.0.zip"]);
    let manifest: Value = serde_json::from_str(&product.read("extension/manifest.json")).expect("it is JSON");
    let policy = manifest["content_security_policy"]["extension_pages"]
        .as_str()
        .expect("a policy");
    assert!(
        product
            .read("towpath.toml")
            .contains(&format!("csp      = \"{policy}\"")),
        "{policy}"
    );

    // Another policy is noticed when it is saved, and with it nothing is packed.
    let file = product.folder.join("extension/manifest.json");
    let text = product.read("extension/manifest.json");
    fs::write(&file, text.replace(policy, "script-src 'self' 'unsafe-eval';")).expect("it can be written");
    product.until("pause", |one| {
        let why = one["because"].as_str().unwrap_or_default();
        one["state"] == "failed" && why.contains("policy")
    });
    fs::write(&file, text).expect("it can be written");
    product.until_state("pause", "ready");
}

/// How much memory the group of a process allows, where the machine keeps that.
fn limit(pid: u32) -> Option<u64> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let most = groups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let file = match rest.split_once(':')? {
            ("", path) => format!("/sys/fs/cgroup{path}/memory.max"),
            ("memory", path) => format!("/sys/fs/cgroup/memory{path}/memory.limit_in_bytes"),
            _ => return None,
        };
        fs::read_to_string(file).ok()
    });
    most?.trim().parse().ok()
}

#[test]
fn a_pause_is_offered_and_what_is_kept_goes_when_its_person_asks() {
    let Some(product) = example("reflectpause") else {
        return;
    };
    product.well(&["up", "--detach", "--yes", "--env", "local"]);
    product.until_state("guard", "ready");
    let discord = inside(&product, "discord");
    eventually("the bot is connected", || {
        (get(discord, "/heard")["connected"] == true).then_some(())
    });
    what_is_kept_about_one_person_goes(&product, discord);
    the_extension_is_packed(&product);
    match limit(product.pid("guard")) {
        // Memory is given by the page.
        Some(most) => assert_eq!(most / 4096, 256_000_000 / 4096),
        None => println!("left out: this machine gives us no limits of memory"),
    }
    assert_eq!(get(discord, "/heard")["sessions"], 1, "one token, one session");

    // Without a word nothing is counted; with it there is somebody who counts.
    assert_eq!(product.component("analytics"), Value::Null);
    let manifest = product.read("towpath.toml");
    let opted = manifest.replace(
        "flags   = { analytics = false }",
        "flags   = { analytics = true }",
    );
    assert_ne!(manifest, opted);
    product.write("towpath.toml", &opted);
    product.well(&["up", "--detach", "--yes", "--env", "local"]);
    eventually("the function is there", || {
        (product.component("analytics") != Value::Null).then_some(())
    });
    let analytics = inside(&product, "analytics");
    let pause = json!({ "site": "x.com", "choice": "changed" });
    assert_eq!(post(analytics, "/pauses", &pause).0, 204);
    assert_eq!(
        post(
            analytics,
            "/pauses",
            &json!({ "site": "x.com", "choice": "kept", "user": "4711" })
        )
        .0,
        422
    );
    let counted = json!([{ "site": "x.com", "choice": "changed", "count": 1 }]);
    assert_eq!(get(analytics, "/pauses"), counted);
    product.write("towpath.toml", &manifest);
    product.well(&["up", "--detach", "--yes", "--env", "local"]);
    eventually("the function has gone", || {
        (product.component("analytics") == Value::Null && product.running("analytics").is_empty())
            .then_some(())
    });
}
