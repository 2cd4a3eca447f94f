//! `towpath init`: small folders, and the manifests that are written for them; each of these passes the check.
//!
//! A sample is a file in `init/`; a line `=== NAME` begins one of its files. The manifest stands beside it.
//! `UPDATE_GOLDEN=1 cargo test -p towpath --test init` writes the manifests anew; read them before committing.
#![allow(
    clippy::disallowed_methods,
    reason = "golden texts are files, and the binary is run"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use towpath::checked::check_sources;
use towpath::init::{Proposal, View, propose};

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/init");
    let mut samples: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the samples are there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    samples.sort();
    samples
}

/// The folder of a sample. Its name is that of the sample without the number.
fn view(sample: &Path) -> View {
    let stem = sample.file_stem().unwrap_or_default().to_string_lossy();
    let name = stem.split_once('-').map_or(&*stem, |(_, name)| name).to_owned();
    of(&name, &fs::read_to_string(sample).expect("a sample is text"))
}

fn of(name: &str, text: &str) -> View {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut file = String::new();
    for line in text.split_inclusive('\n') {
        match line.trim_end().strip_prefix("=== ") {
            Some(next) => {
                next.clone_into(&mut file);
                texts.insert(file.clone(), String::new());
            }
            None => texts.entry(file.clone()).or_default().push_str(line),
        }
    }
    View {
        name: name.to_owned(),
        names: texts.keys().cloned().collect(),
        texts,
        unread: Vec::new(),
    }
}

/// What the check says of a manifest, one finding a line.
fn findings(proposal: &Proposal) -> Vec<String> {
    let sources = BTreeMap::from([("towpath.toml".to_owned(), proposal.text.clone().into_bytes())]);
    let checked = check_sources("towpath.toml", &sources, &[]);
    let said = checked.diagnostics.iter();
    said.map(|one| format!("{}: {}", one.code.id, one.message))
        .collect()
}

#[test]
fn every_sample_gets_its_manifest_and_the_manifest_passes() {
    let samples = samples();
    assert!(samples.len() >= 12, "there are {} samples", samples.len());
    let mut wrong = Vec::new();
    for sample in samples {
        let proposal = propose(&view(&sample));
        for finding in findings(&proposal) {
            wrong.push(format!("{}: {finding}\n{}", sample.display(), proposal.text));
        }
        let golden = sample.with_extension("toml");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &proposal.text).expect("a golden text can be written");
        } else if fs::read_to_string(&golden).unwrap_or_default() != proposal.text {
            wrong.push(format!(
                "{} is not what is written now:\n{}",
                golden.display(),
                proposal.text
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_folder_gets_the_same_manifest() {
    for sample in samples() {
        let view = view(&sample);
        assert_eq!(propose(&view), propose(&view));
    }
}

#[test]
fn no_secret_of_an_example_is_repeated() {
    let view = of(
        "shop",
        "=== Procfile\nweb: node index.js\n=== .env.example\nSTRIPE=sk_live_abcdef\nAPI_KEY=hunter2\nHOOK=https://u:p4ss@example.com/x\nRANDOM=Zm9vYmFyYmF6cXV4MTIzNDU2\n",
    );
    let text = propose(&view).text;
    for secret in ["sk_live", "hunter2", "p4ss", "Zm9v"] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// A folder that goes away with the test.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("init-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder can be made");
        Scratch { path }
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.path.join(name), text).expect("a file can be written");
    }

    fn init(&self) -> Output {
        towpath(&["init", &self.path.to_string_lossy()])
    }

    fn manifest(&self) -> String {
        fs::read_to_string(self.path.join("towpath.toml")).unwrap_or_default()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn towpath(args: &[&str]) -> Output {
    let binary = Command::new(env!("CARGO_BIN_EXE_towpath")).args(args).output();
    binary.expect("the binary runs")
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_manifest_is_written_once_and_never_overwritten() {
    let folder = Scratch::new("once");
    folder.file("Procfile", "web: python3 app.py\n");
    let first = folder.init();
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    assert!(said(&first).contains("towpath check"), "{}", said(&first));
    let written = folder.manifest();
    assert!(written.contains("[service.web]"), "{written}");
    let path = folder.path.to_string_lossy().into_owned();
    let checked = towpath(&["check", "--deny-warnings", &path]);
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    folder.file("towpath.toml", "product = \"mine\"\n");
    let second = folder.init();
    assert_eq!(second.status.code(), Some(2), "{}", said(&second));
    assert!(
        said(&second).contains("is never overwritten"),
        "{}",
        said(&second)
    );
    assert_eq!(folder.manifest(), "product = \"mine\"\n");
}

#[test]
fn a_broken_file_is_told_and_the_rest_is_taken() {
    let folder = Scratch::new("broken");
    folder.file("Procfile", "web: python3 app.py\n");
    folder.file("compose.yaml", "services: [\n");
    let output = folder.init();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(
        said(&output).contains("compose.yaml is not valid YAML"),
        "{}",
        said(&output)
    );
    assert!(
        folder.manifest().contains("# Not read: compose.yaml"),
        "{}",
        folder.manifest()
    );
    assert!(
        folder.manifest().contains("[service.web]"),
        "{}",
        folder.manifest()
    );
}

#[test]
fn a_folder_that_is_not_there_is_a_wrong_call() {
    let output = towpath(&["init", "/there/is/no/such/folder"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[test]
fn of_many_that_race_one_writes() {
    let folder = Scratch::new("race");
    let codes: Vec<Option<i32>> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| folder.init().status.code()))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap_or(None)).collect()
    });
    assert_eq!(
        codes.iter().filter(|code| **code == Some(0)).count(),
        1,
        "{codes:?}"
    );
    assert_eq!(
        codes.iter().filter(|code| **code == Some(2)).count(),
        7,
        "{codes:?}"
    );
}

#[test]
fn hostile_texts_end_in_a_manifest_that_passes() {
    let long = "a".repeat(300);
    let bomb: String = (1..12)
        .map(|level| {
            format!(
                "a{level}: &a{level} [{}]\n",
                vec![format!("*a{}", level - 1); 9].join(",")
            )
        })
        .collect();
    let texts = [
        format!("=== compose.yaml\na0: &a0 [x]\n{bomb}"),
        format!("=== compose.yaml\nservices:\n  '{long}':\n    image: x\n    command: \"say 'it\"\n  '..': {{build: ../../etc}}\n  'a\\nb': {{image: \"x\\ny\"}}\n"),
        "=== compose.yaml\nservices:\n  a: {build: ., ports: [80], environment: {B_URL: 'http://b', X: 'secret:Y', Z: 'from:nobody.url'}}\n  b: {build: b, ports: [80], environment: {A_URL: 'http://a'}}\n".to_owned(),
        "=== compose.yaml\nservices: 3\n=== fly.toml\napp = 3\n[processes]\nx = 1\n=== Procfile\n: x\nweb:\n\u{202e}: y\n".to_owned(),
        "=== package.json\n{\"name\": \"\\u202eevil\\\"\\n]]\", \"scripts\": {\"start; rm -rf ~\": \"x\", \"start\": \"x\"}, \"dependencies\": {\"express\": 1}}\n".to_owned(),
        "=== Dockerfile\nEXPOSE 99999999\nCMD [\"a\", \"it's\", \"\"\"\"]\n=== .env.example\nlower=1\nA=\"\"\"\nB='\n=x\n1A=2\n".to_owned(),
        "=== crontab\n* * * * *\n@never x\n99 * * * * x\n0 3 * * * 'x\n0 3 * * * /bin/x > /dev/null\n0 4 * * * /bin/x\n".to_owned(),
        "=== Cargo.toml\n[package]\nname = \"a b\"\n=== pyproject.toml\n[project]\ndependencies = 3\n=== manifest.json\n{\"manifest_version\": []}\n=== go.mod\nmodule \n=== main.go\n=== Gemfile\ngem \"\ngem 'rails\n".to_owned(),
        "=== a\u{202e}b/package.json\n{\"dependencies\": {\"vite\": \"\"}, \"scripts\": {\"build\": \"x\"}}\n=== it's/Cargo.toml\n[package]\nname = \"it's\"\n[dependencies]\naxum = \"1\"\n=== it's/src/main.rs\n=== end /Procfile\nweb: x\n=== .env.example\nA=\u{202e}x\n".to_owned(),
    ];
    for text in texts {
        let proposal = propose(&of("漢字", &text));
        assert_eq!(
            findings(&proposal),
            Vec::<String>::new(),
            "{text}\n{}",
            proposal.text
        );
        let tame = |letter: char| letter == '\n' || (!letter.is_control() && letter != '\u{202e}');
        assert!(proposal.text.chars().all(tame), "{}", proposal.text);
    }
}
