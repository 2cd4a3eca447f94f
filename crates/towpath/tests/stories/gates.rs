//! Gates of the build: asked where the product's folder is, after the build and before anything is handed over.

use crate::kit::{Product, Ran};

/// A service, and gates of the build.
fn shape(gates: &str) -> String {
    format!(
        r#"
[service.web]
run      = "sh ./program web"
dir      = "app"
public   = true
health   = {{ path = "/healthz", interval = "50ms", timeout = "1s", deadline = "10s" }}
env      = {{ KEY = "secret:KEY" }}

[secret.KEY]

[rollout]
strategy = "rolling"
bake     = "0s"
{gates}
"#
    )
}

/// What is in the `.env`, and in no output.
const VALUE: &str = "correct-horse-battery";

fn product(name: &str) -> Product {
    let product = Product::new(name, &shape(""));
    std::fs::create_dir(product.folder.join("app")).expect("a folder can be made");
    std::fs::copy(product.folder.join("program"), product.folder.join("app/program"))
        .expect("it can be copied");
    product.write("value", VALUE);
    product.well(&["secrets", "set", "dev", "KEY", "--file", "value"]);
    std::fs::remove_file(product.folder.join("value")).expect("it can be removed");
    product.write(".env", &format!("KEY={VALUE}\n"));
    product
}

/// Deploys with these gates, and looks that no secret is shown.
#[track_caller]
fn deploy(product: &Product, gates: &str) -> Ran {
    product.manifest(&shape(gates));
    let ran = product.run(&["deploy", "dev"]);
    assert!(!format!("{}{}", ran.out, ran.err).contains(VALUE), "{ran:?}");
    ran
}

/// Whether anything has come to the environment.
fn releases(product: &Product) -> usize {
    let told = product.run(&["releases", "dev"]).out;
    told.lines().filter(|line| line.contains("current")).count()
}

const TESTS: &str =
    "[gate.tests]\nstage = \"build\"\njunit = { report = \"reports.xml\", run = \"sh tests.sh\" }\n";

#[test]
fn a_failed_gate_of_the_build_refuses_the_release_and_says_why() {
    let product = product("gated");
    for (script, code, words) in [
        ("cat .env; exit 3", 2, "tests: `sh tests.sh` ended with code 3"),
        (
            "exit 0",
            2,
            "reports.xml: is not there; look whether `sh tests.sh` writes it there",
        ),
        (
            "echo \"<testsuite><testcase name='pays'><failure message='got $(cat .env)'/></testcase></testsuite>\" >reports.xml; exit 1",
            2,
            "tests: 1 of 1 test failed: pays",
        ),
        (
            "exit 0",
            2,
            "reports.xml: was not written by `sh tests.sh`, it is from before",
        ),
        (
            "echo '<testsuite><testcase' >reports.xml",
            2,
            "reports.xml, line 1, column 12: breaks off",
        ),
        (
            "echo '<html/>' >reports.xml",
            2,
            "reports.xml, line 1, column 1: is a page and no JUnit",
        ),
    ] {
        product.write("tests.sh", script);
        let ran = deploy(&product, TESTS);
        assert_eq!(ran.code, Some(code), "{script}: {ran:?}");
        assert!(ran.err.contains(words), "{script}: {ran:?}");
        assert!(ran.err.contains("nothing is handed over"), "{ran:?}");
        assert_eq!(releases(&product), 0);
    }
    let pass = "echo \"<testsuite><testcase name='pays'/></testsuite>\" >reports.xml; echo \"at $TOWPATH_ENVIRONMENT $TOWPATH_RELEASE\"";
    product.write("tests.sh", pass);
    let ran = deploy(&product, TESTS);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.err
            .contains("gate tests  pass  1 test passed (no failure, and at least 1 test that ran)"),
        "{ran:?}"
    );
    let told = ran
        .err
        .lines()
        .find_map(|line| line.trim().strip_prefix("at dev "));
    let release = told.expect("it was told which release it is asked about");
    assert!(
        ran.err
            .contains(&format!("release {} to dev", &release[..8.min(release.len())])),
        "{ran:?}"
    );
    assert_eq!(releases(&product), 1);
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn every_gate_is_asked_and_one_that_only_warns_refuses_nothing() {
    let product = product("warned");
    product.write("bundle.js", &"x".repeat(2_000));
    product.write("web.json", "{\"modal\": {\"render\": {\"p95\": 51}}}");
    let size = "[gate.bundle]\nstage = \"build\"\nsize = { file = \"*.js\", most = \"1KB\" }\n";
    let slow = "[gate.modal]\nstage = \"build\"\nperformance = { report = \"web.json\", value = \"modal.render.p95\", keep = \"<= 50ms\" }\n";
    let ran = deploy(&product, &format!("{size}{slow}"));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.err.contains("gate bundle  fail  bundle.js: 2KB (<= 1KB)"),
        "{ran:?}"
    );
    assert!(
        ran.err
            .contains("modal: modal.render.p95 is 51ms, and not <= 50ms"),
        "{ran:?}"
    );
    let ran = deploy(
        &product,
        &format!("{size}fails = \"warn\"\n{slow}fails = \"warn\"\n"),
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("gate bundle  warn"), "{ran:?}");
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn a_weakness_that_blocks_comes_into_a_first_environment_and_a_worse_one_into_none() {
    let product = product("scanned");
    let gate = "[gate.weaknesses]\nstage = \"build\"\nsarif = \"scan.sarif\"\n";
    let scan = |score: &str| {
        let result = format!("{{\"ruleId\": \"R\", \"properties\": {{\"security-severity\": \"{score}\"}}}}");
        product.write(
            "scan.sarif",
            &format!("{{\"version\": \"2.1.0\", \"runs\": [{{\"results\": [{result}]}}]}}"),
        );
    };
    scan("9.8");
    let ran = deploy(&product, gate);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("weaknesses: 1 critical: R"), "{ran:?}");
    scan("7.5");
    let ran = deploy(&product, gate);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.err
            .contains("1 high; it goes no further than here with anything high or worse"),
        "{ran:?}"
    );
    // The same into an environment that comes after another.
    let next = format!("{gate}[environment.next]\nafter = \"dev\"\n");
    product.manifest(&shape(&next));
    product.write("value", "another");
    product.well(&["secrets", "set", "next", "KEY", "--file", "value"]);
    std::fs::remove_file(product.folder.join("value")).expect("it can be removed");
    let ran = product.run(&["deploy", "next"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("weaknesses: 1 high: R"), "{ran:?}");
    product.well(&["down", "dev"]);
    product.run(&["down", "next"]);
    product.leaves_nothing();
}
