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

/// A time zone in which it is about this hour of the day now, whenever this runs.
fn zone_where_it_is(hour: i64) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("it is later than 1970");
    let utc = i64::try_from(now.as_secs() / 3600 % 24).expect("a day has few hours");
    // There are zones from twelve hours behind to fourteen before; their names count the other way.
    match (hour - utc + 12).rem_euclid(24) - 12 {
        0 => "UTC".to_owned(),
        before @ 1.. => format!("Etc/GMT-{before}"),
        behind => format!("Etc/GMT+{}", -behind),
    }
}

/// The example as its document has it: the bot sleeps here, too, by the clocks of this zone.
fn by_the_clock(manifest: &str, zone: &str) -> String {
    let awake = "replicas = 1\nscale    = false\n";
    let own = "time_zone  = \"Asia/Singapore\"";
    assert!(manifest.contains(awake) && manifest.contains(own));
    let zone = format!("time_zone  = \"{zone}\"");
    manifest.replace(awake, "").replace(own, &zone)
}

#[test]
fn the_bot_sleeps_by_the_clock_and_a_person_wakes_it() {
    let Some(product) = example("reflectpause") else {
        return;
    };
    let manifest = product.read("towpath.toml");
    let up = ["up", "--detach", "--yes", "--env", "local"];
    let night = zone_where_it_is(3);
    product.write("towpath.toml", &by_the_clock(&manifest, &night));
    // Nobody waits for somebody who sleeps, and nobody takes it for a failure.
    product.well(&up);
    let asleep = product.until_state("guard", "asleep");
    let because = asleep["because"].as_str().expect("it is told why");
    assert!(because.starts_with("it sleeps until "), "{because}");
    let window = format!("(schedule daily 07:00-23:00 {night})");
    assert!(because.contains(&window), "{because}");
    assert!(product.running("guard").is_empty());
    assert_eq!(asleep["schedule"]["wanted"], 0);
    assert_eq!(asleep["schedule"]["then"], 1);
    let told = product.well(&["status"]).out;
    assert!(told.contains(&window), "{told}");
    assert!(product.explain("guard").contains(&window));
    let discord = inside(&product, "discord");
    assert_eq!(get(discord, "/heard")["connected"], false);

    let woken = product.well(&["start", "guard"]).out;
    assert!(woken.contains("asked for by hand"), "{woken}");
    eventually("the bot is connected", || {
        (get(discord, "/heard")["connected"] == true).then_some(())
    });
    let by_hand = product.component("guard")["schedule"].clone();
    assert_eq!(
        (&by_hand["wanted"], &by_hand["by_hand"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(by_hand["until"], asleep["schedule"]["until"]);

    // The next steward keeps to it; and by day nobody has to ask.
    let pid = product.pid("guard");
    assert!(product.kill_steward());
    product.well(&up);
    assert_eq!(product.until_state("guard", "ready")["schedule"]["by_hand"], true);
    assert_eq!(product.pid("guard"), pid);
    let day = by_the_clock(&manifest, &zone_where_it_is(12));
    product.write("towpath.toml", &day);
    product.well(&up);
    product.until("guard", |one| {
        one["schedule"]["by_hand"] == false && one["state"] == "ready"
    });
    assert_eq!(product.pid("guard"), pid, "hours are no reason to start anew");

    // At night it is asked to go, and closes its session.
    product.write("towpath.toml", &by_the_clock(&manifest, &night));
    product.well(&up);
    product.until_state("guard", "asleep");
    assert!(product.running("guard").is_empty());
    assert!(
        product.logs("guard").contains("\"stopped\""),
        "{}",
        product.logs("guard")
    );
    eventually("its session is closed", || {
        (get(discord, "/heard")["connected"] == false).then_some(())
    });
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
