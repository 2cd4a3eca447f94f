//! The binary as it is called: exit codes, what goes where, colors, help.
#![allow(clippy::disallowed_methods, reason = "the real binary runs on real files")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The binary, without anything of this machine's environment that changes what it prints.
fn towpath(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_towpath"))
        .args(words)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .output()
        .expect("the binary runs")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder of its own with a manifest in it.
fn folder(name: &str, manifest: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("towpath.toml"), manifest).expect("a manifest can be written");
    folder
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const WRONG: &str = "product = \"x\"\n[service.web]\nrun = \"web\"\nreplicas = \"two\"\n";
const RIGHT: &str = "product = \"x\"\n[service.web]\nrun = \"web\"\n";

#[test]
fn a_right_manifest_is_said_to_be_right_on_standard_output() {
    let output = towpath(&folder("right", RIGHT), &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(out(&output), "towpath.toml is right: 1 component\n");
    assert_eq!(err(&output), "");
}

#[test]
fn errors_go_to_standard_error_and_end_with_one() {
    let output = towpath(&folder("wrong", WRONG), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(out(&output), "");
    assert!(
        err(&output).contains("error[TP0102]: `service.web.replicas` has to be a whole number, not text")
    );
    assert!(err(&output).contains("towpath.toml:4:12"), "{}", err(&output));
    assert!(!err(&output).contains('\u{1b}'), "no colors without a terminal");
}

#[test]
fn colors_come_when_they_are_asked_for() {
    let folder = folder("colors", WRONG);
    assert!(err(&towpath(&folder, &["check", "--color", "always"])).contains('\u{1b}'));
    assert!(!err(&towpath(&folder, &["check", "--color", "never"])).contains('\u{1b}'));
}

#[test]
fn json_is_an_array_of_findings_with_their_places() {
    let output = towpath(&folder("json", WRONG), &["check", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let found: serde_json::Value = serde_json::from_str(&out(&output)).expect("it is JSON");
    let first = &found[0];
    let keys: Vec<&str> = first
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let wanted = [
        "code",
        "severity",
        "message",
        "hint",
        "file",
        "line",
        "column",
        "end_line",
        "end_column",
    ];
    assert_eq!(keys, wanted);
    assert_eq!(first["code"], "TP0102");
    assert_eq!((&first["line"], &first["column"]), (&4.into(), &12.into()));
    assert_eq!(
        (&first["end_line"], &first["end_column"]),
        (&4.into(), &17.into())
    );
    let output = towpath(&folder("json-right", RIGHT), &["check", "--json"]);
    assert_eq!(out(&output), "[]\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_missing_manifest_says_what_to_do() {
    let folder = folder("missing", RIGHT);
    let output = towpath(&folder, &["check", "elsewhere"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("there is no `elsewhere`") && err(&output).contains("towpath init"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_wrong_call_ends_with_two() {
    let folder = folder("call", RIGHT);
    assert_eq!(towpath(&folder, &["chekc"]).status.code(), Some(2));
    let output = towpath(&folder, &["check", "--env", "prdo"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("there is no environment named `prdo`"),
        "{}",
        err(&output)
    );
}

#[test]
fn the_nearest_manifest_upwards_is_found() {
    let folder = folder("upwards", RIGHT);
    let below = folder.join("a/b");
    fs::create_dir_all(&below).expect("a folder can be made");
    let output = towpath(&below, &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(out(&output), "../../towpath.toml is right: 1 component\n");
}

#[test]
fn help_fits_a_screen() {
    let output = towpath(&repository(), &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let text = out(&output);
    assert!(text.lines().count() <= 25, "{text}");
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    assert!(text.contains("Exit codes:"));
}

#[test]
fn help_names_every_command() {
    use clap::CommandFactory;
    let text = out(&towpath(&repository(), &["--help"]));
    let words: Vec<&str> = text
        .split(|letter: char| !letter.is_ascii_alphabetic() && letter != '-')
        .collect();
    for command in towpath::cli::Cli::command()
        .get_subcommands()
        .filter(|one| !one.is_hide_set())
    {
        assert!(
            words.contains(&command.get_name()),
            "{} is not named",
            command.get_name()
        );
    }
}

#[test]
fn completions_are_there_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let output = towpath(&repository(), &["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(out(&output).contains("deny-warnings"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_towpath"))
        .arg("schema")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

#[test]
fn explain_tells_where_a_value_comes_from() {
    let manifest = "product = \"x\"\n[service.web]\nrun = \"web\"\n[environment.dev]\n[environment.prod]\n\
                    service.web.replicas = 3\n";
    let folder = folder("explain", manifest);
    let output = towpath(&folder, &["explain", "service.web.replicas.min"]);
    assert!(out(&output).contains("the default"), "{}", out(&output));
    let output = towpath(&folder, &["explain", "service.web.replicas.min", "--env", "prod"]);
    assert!(
        out(&output).contains("laid over by environment prod at towpath.toml:6"),
        "{}",
        out(&output)
    );
    let output = towpath(&folder, &["explain", "service.web.run"]);
    assert!(
        out(&output).contains("written at towpath.toml:3"),
        "{}",
        out(&output)
    );
    let output = towpath(&folder, &["explain", "service.web.replcas"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("did you mean `service.web.replicas`?"),
        "{}",
        err(&output)
    );
}

#[test]
fn explain_prints_the_page_of_a_code() {
    let output = towpath(&repository(), &["explain", "tp0101"]);
    assert!(
        out(&output).starts_with("TP0101 (error): every key is a word of the language"),
        "{}",
        out(&output)
    );
    let output = towpath(&repository(), &["explain", "TP9999"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_costs_of_the_examples_are_those_of_their_documents() {
    let total = |name: &str| {
        let output = towpath(&repository(), &["cost", &format!("examples/{name}"), "--json"]);
        let estimate: serde_json::Value = serde_json::from_str(&out(&output)).expect("it is JSON");
        let total = &estimate["totals"][0];
        (
            total["amount"].as_str().unwrap_or_default().to_owned(),
            total["at_least"].as_bool(),
        )
    };
    assert_eq!(total("reflectpause"), ("0.42".to_owned(), Some(false)));
    assert_eq!(total("synapse"), ("34.12".to_owned(), Some(false)));
    let (amount, at_least) = total("webapp");
    assert_eq!(at_least, Some(true));
    assert!(amount.parse::<f64>().expect("a number") >= 71.0, "{amount}");
}

/// The first lines of help of a failed call.
fn hint(folder: &Path, words: &[&str]) -> String {
    let told = err(&towpath(folder, words));
    let line = told.lines().find(|line| line.trim_start().starts_with("help:"));
    line.unwrap_or(&told).trim().to_owned()
}

const SHOP: &str = "product = \"shop\"\n\n[service.web]\nrun = \"web\"\nreplicas = 2\nhealth = \"/\"\nuses = [\"db\"]\n\n[postgres.db]\n\n\
    [environment.production]\non = \"push main\"\n\n[environment.staging]\non = \"push main\"\nservice.web.replicas = 1\n";

#[test]
fn an_environment_that_is_not_there_is_told_with_those_that_are() {
    let folder = folder("environments", SHOP);
    assert_eq!(
        hint(&folder, &["plan", "prod"]),
        "help: did you mean `production`?"
    );
    assert_eq!(
        hint(&folder, &["plan", "live"]),
        "help: there are `production` and `staging`"
    );
}

#[test]
fn a_word_without_its_table_is_found() {
    let folder = folder("elsewhere", SHOP);
    for (word, told) in [
        ("web", "help: did you mean `service.web`?"),
        ("fallback", "help: did you mean `site.NAME.fallback`?"),
        (
            "service.web.uses.db",
            "help: it is a list; its first is `service.web.uses[0]`",
        ),
        ("qwertyuiop", "help: `towpath explain` lists all words"),
    ] {
        assert_eq!(hint(&folder, &["explain", word]), told);
    }
    let first = out(&towpath(&folder, &["explain", "service.web.uses.0"]));
    assert!(first.starts_with("service.web.uses[0]\n"), "{first}");
}

#[test]
fn what_an_environment_lays_over_is_explained_with_its_own_line() {
    let folder = folder("overlay", SHOP);
    for words in [
        &["explain", "environment.staging.service.web.replicas"][..],
        &["explain", "service.web.replicas", "--env", "staging"],
    ] {
        let told = out(&towpath(&folder, words));
        assert!(
            told.contains(
                "in staging  { min = 1, max = 1 }\n            laid over by environment staging at towpath.toml:16\n"
            ),
            "{told}"
        );
    }
}

const LEAKING: &str = "product = \"leak\"\n[service.web]\nrun = \"web\"\nenv = { STRIPE_SECRET_KEY = \"sk_live_51H8abcdefghijklmnopqrstu\" }\n\
    [environment.prod]\non = \"push main\"\nservice.web.env.STRIPE_SECRET_KEY = \"sk_live_51H8abcdefghijklmnopqrs99\"\n";

#[test]
fn what_is_secret_is_told_by_no_command() {
    let folder = folder("leaking", LEAKING);
    for words in [
        &["check"][..],
        &["check", "--json"],
        &["explain", "service"],
        &["explain", "service.web.env"],
        &["explain", "service.web.env.STRIPE_SECRET_KEY.value"],
        &["explain", "service.web.env.STRIPE_SECRET_KEY", "--env", "prod"],
        &["explain", "environment.prod"],
        &["explain", "environment"],
        &["plan", "prod"],
        &["docs"],
        &["cost"],
    ] {
        let output = towpath(&folder, words);
        let told = out(&output) + &err(&output);
        assert!(!told.contains("sk_live_"), "{words:?}: {told}");
    }
}

#[test]
fn lines_that_end_as_on_windows_are_shown_without_a_mark() {
    let output = towpath(&folder("windows", &WRONG.replace('\n', "\r\n")), &["check"]);
    assert!(err(&output).contains("towpath.toml:4:12"), "{}", err(&output));
    assert!(!err(&output).contains(['\r', '\u{240d}']), "{}", err(&output));
}

#[test]
fn a_file_that_cannot_be_written_to_is_told_in_words() {
    let folder = folder("folder-as-file", RIGHT);
    let told = err(&towpath(&folder, &["docs", "--out", "."]));
    assert!(told.contains(". cannot be read: it is a folder"), "{told}");
}

#[cfg(unix)]
#[test]
fn a_manifest_may_be_a_link_to_one_elsewhere() {
    let real = folder("linked-real", RIGHT);
    let link = folder("linked", RIGHT);
    fs::remove_file(link.join("towpath.toml")).expect("it is there");
    std::os::unix::fs::symlink(real.join("towpath.toml"), link.join("towpath.toml"))
        .expect("a link can be made");
    let output = towpath(&link, &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

#[test]
fn what_a_file_beside_the_manifest_gives_a_value_is_not_missing() {
    let manifest = "product = \"x\"\n[service.web]\nrun = \"web\"\nenv.SIGN = {}\nenv.CALL = {}\n\
        [environment.dev]\nengine = \"process\"\nsecrets = \"dotenv\"\n[environment.test]\nengine = \"process\"\nsecrets = \"dotenv\"\n";
    let folder = folder("provided", manifest);
    let missing = |variable: &str| {
        let said = err(&towpath(&folder, &["check"]));
        said.contains(&format!("does not start without `{variable}`"))
    };
    assert!(missing("SIGN") && missing("CALL"));
    fs::write(folder.join(".env"), "SIGN=one\n").expect("it can be written");
    assert!(!missing("SIGN") && missing("CALL"));
    fs::write(folder.join(".env.dev"), "CALL=two\n").expect("it can be written");
    let said = err(&towpath(&folder, &["check"]));
    assert!(missing("CALL"), "it is there in one environment only: {said}");
    let output = towpath(&folder, &["check", "--env", "dev"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}
