//! What each kind promises: functions sleep, jobs do not overlap, loops and memory are told.

use crate::kit::{Product, eventually};

#[test]
fn a_function_wakes_for_a_request_and_sleeps_again() {
    let product = Product::new(
        "sleeper",
        "[function.nap]\nrun = \"sh ./program web\"\npublic = true\nidle = \"1s\"\nreplicas = { min = 0, max = 1 }\nhealth = { path = \"/healthz\", interval = \"100ms\" }\n",
    );
    product.up();
    product.until_state("nap", "asleep");
    assert!(product.running("nap").is_empty());
    for _ in 0..2 {
        assert_eq!(product.get("nap", "/").as_deref(), Some("hello"));
        assert_eq!(product.running("nap").len(), 1);
        product.until("nap", |one| {
            one["state"] == "asleep" && product.running("nap").is_empty()
        });
    }
}

#[test]
fn runs_of_a_job_never_overlap() {
    let product = Product::new(
        "regular",
        r#"
[job.regular]
run  = "echo begin >> runs.txt; sleep 1.4; echo end >> runs.txt"
cron = "every 1s"

[job.asked]
run = "echo asked >> asked.txt"
"#,
    );
    product.up();
    eventually("it has run twice", || {
        (product.read("runs.txt").matches("end").count() >= 2).then_some(())
    });
    let runs = product.read("runs.txt");
    let expected = ["begin", "end"].into_iter().cycle();
    assert!(
        runs.lines()
            .zip(expected)
            .all(|(line, expected)| line == expected),
        "{runs}"
    );
    eventually("it has run once", || {
        (product.read("asked.txt").lines().count() == 1).then_some(())
    });
    product.until_state("asked", "done");
    product.well(&["start", "asked"]);
    eventually("it has run again", || {
        (product.read("asked.txt").lines().count() == 2).then_some(())
    });
}

#[test]
fn a_crash_loop_is_told_and_ends_once_its_cause_has_gone() {
    let product = Product::new(
        "looper",
        "[worker.loop]\nrun = \"test -e mended && exec sleep 600; echo broken; exit 7\"\n",
    );
    let ran = product.run(&["up", "--detach"]);
    assert!(ran.code == Some(0) || ran.code == Some(1), "{}", ran.err);
    let one = product.until_state("loop", "crash-looping");
    assert!(
        one["because"]
            .as_str()
            .is_some_and(|why| why.contains("ended with code 7")),
        "{one:#}"
    );
    let ran = product.run(&["status"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("crash-looping"), "{}", ran.out);
    assert!(product.explain("loop").contains("ended with code 7"));
    product.write("mended", "");
    product.well(&["restart", "loop"]);
    product.until_state("loop", "ready");
}

#[test]
fn who_takes_too_much_memory_is_killed_and_it_is_told_in_words() {
    let product = Product::new(
        "greedy",
        "[worker.greedy]\nrun = \"exec sh ./program greedy\"\nmemory = \"48MiB\"\nrestart = \"never\"\n",
    );
    product.run(&["up", "--detach"]);
    if product.component("greedy")["state"] == "ready"
        && product.status()["notes"].to_string().contains("memory")
    {
        println!("left out: this machine gives us no limits of memory");
        return;
    }
    let one = product.until_state("greedy", "failed");
    let words = "killed: out of memory at 48MiB";
    assert!(
        one["because"].as_str().is_some_and(|why| why.contains(words)),
        "{one:#}"
    );
    let ran = product.run(&["status"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains(words), "{}", ran.out);
    assert!(product.explain("greedy").contains(words));
    assert!(product.logs("greedy").contains(words));
}
