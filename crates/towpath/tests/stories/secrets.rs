//! Secrets: set, listed, taken out and brought back; and looked for everywhere that they must not be.
#![allow(clippy::print_stdout, reason = "a story that is left out says why")]

use crate::kit::{Product, Ran, eventually, kill, parent, pass};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

const WEB: &str = r#"
[service.web]
run    = "sh ./program web"
public = true
health = { path = "/healthz", interval = "100ms" }
env    = { API_TOKEN = "secret:API_TOKEN", DELIVERED = { value = "secret:DELIVERED", deliver = "file" } }

[secret.API_TOKEN]
about = "what it signs in with"

[secret.DELIVERED]
about = "what it reads from a file"
"#;

/// Values that are found wherever they are.
const USED: &str = "canary-used-7c41e0d2";
const DELIVERED: &str = "canary-file-93ab51f7";
const SEALED: &str = "canary-sealed-e86f20b9";
const WRONG: &str = "canary-wrong-41d7aa08";
const CANARIES: [&str; 4] = [USED, DELIVERED, SEALED, WRONG];

fn finds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[track_caller]
fn is_clean(what: &str, bytes: &[u8]) {
    for canary in CANARIES {
        assert!(!finds(bytes, canary), "{canary} stands in {what}");
    }
}

#[track_caller]
fn says_nothing(ran: &Ran) {
    is_clean("what a command said", ran.out.as_bytes());
    is_clean("what a command complained about", ran.err.as_bytes());
}

/// Every file below a folder, with what stands in it.
fn below(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_dir() => below(&path, found),
            Ok(about) if about.is_file() => found.push((path.clone(), fs::read(&path).unwrap_or_default())),
            _ => {}
        }
    }
}

/// Asks the steward as a client of ours would not.
fn say(product: &Product, method: &str, path: &str, body: &[u8]) -> String {
    let mut stream = UnixStream::connect(product.state().join("steward.sock")).expect("it listens");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: towpath\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it listens");
    stream.write_all(body).expect("it listens");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn no_value_is_ever_written_shown_or_told() {
    let product = Product::new("canaries", WEB);
    product.write(".env", &format!("API_TOKEN={USED}\nDELIVERED={DELIVERED}\n"));
    let mut said = vec![product.up()];
    let set = product.given(&["secrets", "set", "dev", "API_TOKEN"], &format!("{SEALED}\n"));
    assert!(set.out.contains("API_TOKEN is set in dev (version 1)"), "{set:?}");
    assert!(set.err.contains("takes its values from .env files"), "{set:?}");
    said.push(set);
    // Everything that goes wrong has the value in its hands.
    for words in [
        ["secrets", "set", "dev", "API_TOKEN", WRONG],
        ["secrets", "set", "dev", &format!("API_TOKEN={WRONG}"), ""],
    ] {
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let ran = product.run(&words);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains("a value is not given as an argument"), "{ran:?}");
        said.push(ran);
    }
    for text in [
        format!("API_TOKEN=\"{WRONG}\n"),
        format!("{WRONG} = {WRONG}\n"),
        format!("A={WRONG}\0\n"),
    ] {
        let ran = product.given(&["secrets", "import", "dev"], &text);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        said.push(ran);
    }
    for (body, code) in [
        (format!("{{\"values\": {{\"API_TOKEN\": {WRONG}"), " 400 "),
        (
            format!("{{\"values\": {{\"{WRONG} x\": \"{WRONG}\"}}, \"by\": \"me\"}}"),
            " 422 ",
        ),
        (
            format!("{{\"values\": {{\"API_TOKEN\": \"{WRONG}\\u0000\"}}, \"by\": \"me\"}}"),
            " 422 ",
        ),
        (format!("{{\"values\": \"{WRONG}\"}}"), " 400 "),
    ] {
        let answer = say(&product, "POST", "/secrets/set", body.as_bytes());
        assert!(answer.contains(code), "{answer}");
        is_clean("an answer", answer.as_bytes());
    }
    said.push(product.given(&["secrets", "list", "dev"], ""));
    said.push(product.given(&["secrets", "list", "dev", "--json"], ""));
    said.push(product.well(&["logs"]));
    said.iter().for_each(says_nothing);

    // What it was started with reaches it all the same.
    assert_eq!(product.get("web", "/env/API_TOKEN").as_deref(), Some(USED));
    for path in ["/status", "/secrets", "/components/web/explain"] {
        let answer = say(&product, "GET", path, b"");
        assert!(answer.contains(" 200 "), "{answer}");
        is_clean(path, answer.as_bytes());
    }
    for entry in fs::read_dir("/proc").expect("it is there").flatten() {
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        // The names of what is looked for stand in the words of this test, where it was asked for by name.
        is_clean("the words of a process", &words);
    }
    let in_files = |product: &Product| {
        let mut files = Vec::new();
        below(&product.state(), &mut files);
        below(&product.home(), &mut files);
        assert!(files.len() > 4, "{}", files.len());
        for (path, bytes) in files {
            is_clean(&path.display().to_string(), &bytes);
        }
    };
    in_files(&product);
    product.well(&["down"]);
    in_files(&product);
    product.leaves_nothing();
}

#[test]
fn secrets_are_taken_out_for_a_password_manager_and_brought_back() {
    let product = Product::new("exported", WEB);
    let text = "API_TOKEN='one # two'\nDELIVERED=\"lines\\nand more\"\n";
    let ran = product.given(&["secrets", "import", "dev"], text);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    product.write("passphrase", "a boat on a canal\n");
    let export = ["secrets", "export", "dev", "--passphrase-file", "passphrase"];
    let exported = product.well(&export).out;
    assert!(
        exported.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"),
        "{exported}"
    );
    product.well(&["secrets", "unset", "dev", "API_TOKEN"]);
    product.write("wrong", "another\n");
    let import = |passphrase| {
        let words = ["secrets", "import", "dev", "--passphrase-file", passphrase];
        product.given(&words, &exported)
    };
    let refused = import("wrong");
    assert!(
        refused.err.contains("the passphrase does not open it"),
        "{refused:?}"
    );
    let back = import("passphrase");
    assert!(
        back.out.contains("API_TOKEN is set in dev (version 3)"),
        "{back:?}"
    );
    assert!(
        back.out.contains("1 secret had the same value already"),
        "{back:?}"
    );

    // The key is lost: that is said, with the file, and there is a way to begin anew.
    product.well(&["down"]);
    let key = product.home().join("data/towpath/vault.key");
    fs::remove_file(&key).expect("it is there");
    let set = product.given(&["secrets", "set", "dev", "API_TOKEN"], "three");
    assert_eq!(set.code, Some(3), "{set:?}");
    assert!(set.err.contains(&key.display().to_string()), "{set:?}");
    let words = [
        "secrets",
        "import",
        "dev",
        "--new-key",
        "--passphrase-file",
        "passphrase",
    ];
    let anew = product.given(&words, &exported);
    assert!(
        anew.out.contains("API_TOKEN is set in dev (version 4)"),
        "{anew:?}"
    );
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn a_file_of_a_release_comes_over_the_socket_and_is_what_its_name_says() {
    let product = Product::new("brought", WEB);
    product.well(&["secrets", "list", "dev"]);
    assert_eq!(
        product.given(&["secrets", "set", "dev", "API_TOKEN"], "one").code,
        Some(0)
    );
    let content = vec![7_u8; 3_000_000];
    let digest = blake3::hash(&content).to_hex().to_string();
    let missing = || {
        say(
            &product,
            "POST",
            "/artifacts/missing",
            format!("{{\"files\":[\"{digest}\"]}}").as_bytes(),
        )
    };
    assert!(missing().contains(&digest));
    let refused = say(
        &product,
        "PUT",
        &format!("/artifacts/{digest}"),
        b"something else",
    );
    assert!(
        refused.contains(" 422 ") && refused.contains("\"unlike\""),
        "{refused}"
    );
    let refused = say(&product, "PUT", "/artifacts/..%2f..%2fetc", b"something else");
    assert!(
        refused.contains(" 400 ") && refused.contains("\"no-digest\""),
        "{refused}"
    );
    assert!(missing().contains(&digest));
    let kept = say(&product, "PUT", &format!("/artifacts/{digest}"), &content);
    assert!(kept.contains(" 200 "), "{kept}");
    assert!(!missing().contains(&digest));
    product.well(&["down"]);
}

#[test]
fn a_steward_with_nothing_to_do_ends_and_one_that_looks_after_something_does_not() {
    let product = Product::new("lonely", WEB);
    product.write(".env", "API_TOKEN=one\nDELIVERED=two\n");
    let folder = product.folder.display().to_string();
    let words = [
        "steward",
        "--folder",
        &folder,
        "--env",
        "dev",
        "--patience",
        "300",
    ];
    let set = product.given(&["secrets", "set", "dev", "API_TOKEN"], "one");
    assert_eq!(set.code, Some(0), "{set:?}");
    product.well(&["down"]);
    let ended = product.begin_command(&words).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");

    product.up();
    assert!(product.kill_steward());
    let steward = product.begin_command(&words);
    eventually("it answers", || {
        UnixStream::connect(product.state().join("steward.sock")).ok()
    });
    pass(Duration::from_secs(1));
    assert!(product.steward().is_some(), "{}", steward.err());
    product.well(&["down"]);
    steward.end();
    product.leaves_nothing();
}

/// How large a core file of this process may be, as the system tells it.
fn core_limit(pid: u32) -> String {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max core file size"));
    let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    words.get(4).copied().unwrap_or_default().to_owned()
}

#[test]
fn whoever_knows_a_secret_leaves_no_core_file_and_what_it_starts_may() {
    let most = getrlimit(Resource::Core).maximum;
    let all = Rlimit {
        current: most,
        maximum: most,
    };
    setrlimit(Resource::Core, all).expect("it may be as large as it may");
    if most.is_some_and(|most| most < 2) {
        println!("left out: no process of this machine may leave a core file");
        return;
    }
    let product = Product::new("cores", WEB);
    product.write(".env", "API_TOKEN=one\nDELIVERED=two\n");
    product.up();
    let (steward, web) = (product.steward().expect("it runs"), product.pid("web"));
    let keeper = parent(web).expect("it has one");
    let edge = product.edge().expect("it runs");
    for pid in [steward, keeper, edge] {
        assert_eq!(core_limit(pid), "1", "process {pid}");
    }
    assert_eq!(core_limit(web), core_limit(std::process::id()));
    kill(steward, Signal::ABORT);
    kill(keeper, Signal::ABORT);
    eventually("both have ended", || {
        let gone = |pid: u32| crate::kit::is_over(pid);
        (gone(steward) && gone(keeper)).then_some(())
    });
    let mut files = Vec::new();
    below(&product.folder, &mut files);
    let cores = files.iter().filter(|(path, _)| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("core")
    });
    assert_eq!(cores.count(), 0);
    product.up();
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn what_a_store_repeats_of_a_secret_is_not_told_on() {
    if towpath_resource::postgres::installed().is_empty() {
        println!("left out: there is no Postgres here");
        return;
    }
    let shape =
        format!("{WEB}\n[postgres.db]\nmigrate = \"migrations\"\n[rollout]\nbake = \"0s\"\nwarm = \"0s\"\n");
    let product = Product::new("repeats", &shape);
    for (name, value) in [("API_TOKEN", USED), ("DELIVERED", DELIVERED)] {
        product.given(&["secrets", "set", "dev", name], value);
    }
    fs::create_dir(product.folder.join("migrations")).expect("a folder can be made");
    let migration = |name: &str, text: &str| {
        fs::write(product.folder.join("migrations").join(name), text).expect("it can be written");
    };
    migration("001_boats.sql", "create table boats (name text);\n");
    product.well(&["deploy", "dev"]);
    // As a store does that was asked for a row in which somebody keeps one.
    let halves = USED.split_at(9);
    let text = format!("select ('{}' || '{}')::integer;\n", halves.0, halves.1);
    migration("002_wrong.sql", &text);
    let ran = product.run(&["deploy", "dev"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        format!("{}{}", ran.out, ran.err).contains("type integer: \"[sealed]\""),
        "{ran:?}"
    );
    says_nothing(&ran);
    for words in [["history", "dev"], ["releases", "dev"], ["rollout", "dev"]] {
        says_nothing(&product.run(&words));
    }
    product.well(&["down"]);
    for file in ["store.db", "store.db-wal"] {
        let written = fs::read(product.state().join(file)).unwrap_or_default();
        is_clean(file, &written);
    }
    product.leaves_nothing();
}
