//! What commands say, accept and hand on.

use crate::kit::Product;

#[test]
fn a_value_that_is_delivered_as_a_file_reaches_every_command_as_a_path() {
    let product = Product::new(
        "handed",
        r#"
[build.make]
command = "cat $KEY > built.txt; echo $KEY > way.txt"
env.KEY = { value = "secret:KEY", deliver = "file" }

[service.web]
run = "sh ./program web"
build = "make"
env.KEY = { value = "secret:KEY", deliver = "file" }
health = { command = "test $(cat $KEY) = hush && stat -L -c %a $KEY > healthy.txt", interval = "100ms" }

[secret.KEY]
about = "A key"
"#,
    );
    product.write(".env", "KEY=hush\n");
    product.up();
    assert_eq!(product.read("built.txt"), "hush");
    assert!(
        product.read("way.txt").starts_with('/'),
        "{}",
        product.read("way.txt")
    );
    assert_eq!(product.read("healthy.txt").trim(), "400");
    let ran = product.well(&["run", "web", "--", "echo $KEY; cat $KEY; sh -c 'cat $KEY'"]);
    let (path, values) = ran.out.split_once('\n').expect("a path and values");
    assert!(path.starts_with('/'), "{}", ran.out);
    assert_eq!(values, "hushhush", "{}", ran.out);
}

#[test]
fn what_cannot_be_scaled_is_refused_with_the_rule_and_the_next_step() {
    let product = Product::new(
        "scaled",
        r#"
[bot.ear]
run = "exec sleep 600"

[worker.hand]
run = "exec sleep 600"
replicas = { min = 1, max = 2 }

[job.night]
run = "true"
cron = "0 3 * * *"
"#,
    );
    product.up();
    for (word, rule, next) in [
        ("ear=3", "bot `ear` is single", "towpath scale ear=1"),
        (
            "night=2",
            "job `night` has one run at a time",
            "towpath start night",
        ),
        (
            "hand=3",
            "the manifest lets 2 of `hand` run at most",
            "raise `max`",
        ),
    ] {
        let ran = product.run(&["scale", word]);
        assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
        assert!(ran.err.contains(rule) && ran.err.contains(next), "{}", ran.err);
    }
    assert_eq!(product.running("ear").len(), 1);
    product.well(&["scale", "hand=2"]);
    assert_eq!(product.running("hand").len(), 2);
}

const PAIR: &str = r#"
[build.make]
command = "echo made by hand"

[service.web]
run = "sh ./program web"
build = "make"
public = true

[worker.count]
run = "echo counted; while ! test -e said; do sleep 0.05; done; echo went on; exec sleep 600"
"#;

#[test]
fn without_a_steward_each_command_tells_what_can_be_known_and_what_starts_it() {
    let product = Product::new("unattended", PAIR);
    let status = product.run(&["status", "--json"]);
    assert_eq!(status.code, Some(3), "{}", status.err);
    let object: serde_json::Value = serde_json::from_str(&status.out).expect("it is JSON");
    assert!(object["steward"].is_null());
    assert_eq!(crate::kit::component(&object, "web")["state"], "stopped");
    for words in [
        &["stop", "web"][..],
        &["restart", "web"],
        &["scale", "web=2"],
        &["run", "web", "--", "env"],
        &["open"],
        &["status"],
    ] {
        let ran = product.run(words);
        assert_eq!(ran.code, Some(3), "{words:?}: {}", ran.err);
        assert!(
            ran.err.contains("nothing runs") && ran.err.contains("`towpath up` starts"),
            "{words:?}: {}",
            ran.err
        );
    }
    let opened = product.run(&["open"]);
    assert!(
        opened.err.contains("https://web.unattended.localhost"),
        "{}",
        opened.err
    );
    let told = product.well(&["explain", "web"]).out;
    assert!(
        told.contains("stopped") && told.contains("towpath.toml:"),
        "{told}"
    );
    product.up();
    assert_eq!(product.well(&["logs", "make"]).out, "made by hand\n");
    product.well(&["down"]);
    let ran = product.well(&["logs", "-f", "count"]);
    assert!(ran.out.contains("counted"), "{}", ran.out);
    assert!(
        ran.err.contains("nothing of unattended in dev runs"),
        "{}",
        ran.err
    );
}

#[test]
fn what_runs_on_without_a_steward_is_told_apart_from_nothing() {
    let product = Product::new("orphaned", PAIR);
    product.up();
    let pid = product.pid("web");
    assert!(product.kill_steward());
    let status = crate::kit::eventually("it is gone", || {
        Some(product.status()).filter(|status| status["steward"].is_null())
    });
    assert_eq!(
        crate::kit::pids(&crate::kit::component(&status, "web")),
        [pid].into()
    );
    let ran = product.run(&["stop", "web"]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(
        ran.err.contains("some of it runs on") && ran.err.contains("takes it over"),
        "{}",
        ran.err
    );
    let told = product.well(&["explain", "web"]).out;
    assert!(told.contains(&format!("process {pid}")), "{told}");
    let mut follows = product.begin_command(&["logs", "-f", "count"]);
    follows.says("counted");
    product.write("said", "");
    follows.says("went on");
    follows.signal(rustix::process::Signal::TERM);
    follows.end();
}

#[test]
fn a_doctor_looks_and_leaves_nothing() {
    let product = Product::new(
        "looked",
        "[worker.count]\nrun = \"exec sleep 600\"\nenv.KEY = \"secret:KEY\"\n[secret.KEY]\nabout = \"A key\"\ngenerate = \"hex\"\n",
    );
    let ran = product.run(&["doctor"]);
    assert!(ran.out.contains("disk"), "{}{}", ran.out, ran.err);
    assert!(!ran.err.contains("is wrong"), "{}", ran.err);
    assert!(!product.state().exists(), "nothing was asked for");
}

#[test]
fn whoever_takes_long_to_stop_is_named_once_with_the_time_of_its_end() {
    let product = Product::new(
        "obstinate",
        "[worker.deaf]\nrun = \"trap '' TERM; while :; do sleep 0.05; done\"\nstop = \"2s\"\n[worker.quick]\nrun = \"exec sleep 600\"\n",
    );
    product.up();
    let ran = product.well(&["down"]);
    let told = "deaf.1  it has been asked to stop, and is killed at ";
    assert_eq!(ran.err.matches(told).count(), 1, "{}", ran.err);
    assert!(ran.err.contains("towpath down --now"), "{}", ran.err);
    assert!(!ran.err.contains("quick.1"), "{}", ran.err);
}

#[test]
fn an_up_that_goes_away_has_seen_what_has_no_health_check_run_for_a_moment() {
    let product = Product::new(
        "brief",
        "[worker.brief]\nrun = \"sleep 0.05; echo no such table; exit 3\"\nrestart = \"never\"\n[worker.after]\nrun = \"exec sleep 600\"\n",
    );
    let ran = product.run(&["up", "--detach"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("ended with code 3") && ran.err.contains("no such table"),
        "{}",
        ran.err
    );
    assert_eq!(product.component("after")["state"], "ready");
}
