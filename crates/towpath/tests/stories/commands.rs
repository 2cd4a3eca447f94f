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
