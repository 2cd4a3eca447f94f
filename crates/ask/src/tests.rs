//! Asking with real commands and real files.
#![allow(
    clippy::disallowed_methods,
    reason = "gates run real processes and read real files"
)]

use super::*;
use std::fs;
use std::sync::Mutex;
use std::time::Duration as Time;
use tempfile::TempDir;

/// Longer than any machine takes; a test that waits so long has failed.
const LONGEST: Time = Time::from_secs(30);

/// A suite with this many tests that pass and fail.
fn suite(passed: usize, failed: usize) -> String {
    let good = "<testcase name='good'/>".repeat(passed);
    format!(
        "<testsuite>{good}{}</testsuite>",
        "<testcase name='bad'><failure/></testcase>".repeat(failed)
    )
}

struct Scene {
    folder: TempDir,
    place: Place,
    said: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let said = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&said);
        let place = Place {
            folder: folder.path().to_path_buf(),
            env: vec![("PATH".to_owned(), Sealed::new("/usr/bin:/bin".to_owned()))],
            secrets: vec![Sealed::new("hunter22hunter22".to_owned())],
            environment: "prod".to_owned(),
            release: "4f1c".to_owned(),
            url: Some("https://shop.example".to_owned()),
            urls: BTreeMap::from([("api-v".to_owned(), "https://api.example".to_owned())]),
            weights: BTreeMap::from([("bot".to_owned(), 1_000)]),
            is_first: true,
            say: Arc::new(move |line: &str| hears.lock().expect("nobody panics").push(line.to_owned())),
        };
        Scene { folder, place, said }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("it can be written");
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().expect("nobody panics").clone()
    }

    async fn ask(&self, gate_text: &str) -> Found {
        let text = format!("product = \"shop\"\n[gate.g]\n{gate_text}\n[environment.dev]\n");
        let sources = BTreeMap::from([("towpath.toml".to_owned(), text.into_bytes())]);
        let reading = towpath_manifest::read("towpath.toml", &sources);
        let desired = reading.desired.expect("the manifest can be read");
        let gate = desired.gate.get("g").expect("it is there");
        tokio::time::timeout(LONGEST, ask(gate, "g", &self.place))
            .await
            .expect("it answers")
    }

    /// Why it fails.
    async fn why(&self, gate_text: &str) -> String {
        match self.ask(gate_text).await.verdict {
            Verdict::Fail(why) => why,
            other => panic!("it fails: {other:?}"),
        }
    }
}

/// Whether a process is there and no zombie.
fn lives(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn dies(pid: &str) {
    let look = async {
        while lives(pid) {
            tokio::time::sleep(Time::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LONGEST, look)
        .await
        .expect("the process ends");
}

#[tokio::test]
async fn a_command_is_told_what_it_is_asked_about_and_passes_by_its_end() {
    let scene = Scene::new();
    let told = "echo $TOWPATH_GATE $TOWPATH_ENVIRONMENT $TOWPATH_RELEASE $TOWPATH_URL $TOWPATH_URL_API_V";
    let found = scene.ask(&format!("command = \"{told}\"")).await;
    assert_eq!(found.verdict, Verdict::Pass);
    assert_eq!(
        scene.said(),
        ["g prod 4f1c https://shop.example https://api.example"]
    );
    assert_eq!(
        scene.why("command = \"exit 3\"").await,
        "`exit 3` ended with code 3"
    );
    assert_eq!(
        scene.why("command = \"no-such-program\"").await,
        "`no-such-program` ended with code 127: its command was not found"
    );
}

#[tokio::test]
async fn what_it_runs_against_is_asked_one_after_the_other_and_one_failure_fails() {
    let scene = Scene::new();
    let found = scene
        .ask("command = \"echo $TOWPATH_OVER; test $TOWPATH_OVER != webkit\"\nover = [\"firefox\", \"webkit\", \"chromium\"]")
        .await;
    let Verdict::Fail(why) = &found.verdict else {
        panic!("one of them fails: {found:?}");
    };
    assert!(
        why.starts_with("webkit: `echo") && why.ends_with("ended with code 1"),
        "{why}"
    );
    let said = scene.said();
    assert_eq!(
        said,
        [
            "over firefox",
            "firefox",
            "over webkit",
            "webkit",
            "over chromium",
            "chromium"
        ]
    );
    assert_eq!(found.measured.map(|words| words.matches("; ").count()), Some(2));
}

#[tokio::test]
async fn a_gate_that_fails_is_tried_again_as_often_as_it_says() {
    let scene = Scene::new();
    let count = "echo x >>tries; test $(wc -l <tries) -ge 3";
    let found = scene.ask(&format!("command = \"{count}\"\nretries = 2")).await;
    assert_eq!(found.verdict, Verdict::Pass);
    assert!(
        found
            .measured
            .expect("it is measured")
            .ends_with(", at try 3 of 3")
    );
    scene.write("tries", "");
    scene.why(&format!("command = \"{count}\"\nretries = 1")).await;
    let tries = fs::read_to_string(scene.folder.path().join("tries")).expect("it is there");
    assert_eq!(tries.lines().count(), 2);
}

#[tokio::test]
async fn nothing_is_left_of_a_command_whose_time_is_up() {
    let scene = Scene::new();
    let command = "setsid sh -c 'sleep 300 & echo $! >away; wait' >/dev/null 2>&1 & sleep 300 & echo $! >near; \
                   until test -s away; do sleep 0.01; done; echo begun; sleep 300";
    let why = scene
        .why(&format!("command = '''{command}'''\ntimeout = \"3s\""))
        .await;
    assert!(why.ends_with("killed: it ran for longer than 3s"), "{why}");
    assert_eq!(scene.said(), ["begun"], "it came so far before");
    for name in ["near", "away"] {
        dies(&fs::read_to_string(scene.folder.path().join(name)).expect("it was written")).await;
    }
}

#[tokio::test]
async fn what_a_command_leaves_in_its_group_ends_with_it() {
    let scene = Scene::new();
    let found = scene
        .ask("command = \"sleep 300 & echo $! >left; echo done\"")
        .await;
    assert_eq!(found.verdict, Verdict::Pass);
    dies(&fs::read_to_string(scene.folder.path().join("left")).expect("it was written")).await;
}

#[tokio::test]
async fn a_report_is_judged_that_its_command_has_written() {
    let scene = Scene::new();
    scene.write("good.xml", &suite(3, 0));
    scene.write("bad.xml", &suite(2, 1));
    let of = |from: &str, end: &str| {
        format!("junit = {{ report = \"r.xml\", run = \"cat {from} >r.xml; echo ran; exit {end}\" }}")
    };
    let found = scene.ask(&of("good.xml", "0")).await;
    assert_eq!(found.verdict, Verdict::Pass);
    assert_eq!(found.measured.as_deref(), Some("3 tests passed"));
    // A runner that ends badly because a test failed: the report says which.
    let found = scene.ask(&of("bad.xml", "1")).await;
    assert_eq!(
        found.verdict,
        Verdict::Fail("1 of 3 tests failed: bad".to_owned())
    );
    assert!(found.evidence.iter().any(|one| one.text == "ran"), "{found:?}");
    // One that ends badly although no test failed.
    assert!(
        scene
            .why(&of("good.xml", "2"))
            .await
            .ends_with("ended with code 2")
    );
}

#[tokio::test]
async fn a_report_from_before_is_none() {
    let scene = Scene::new();
    scene.write("r.xml", &suite(3, 0));
    assert_eq!(
        scene.ask("junit = \"r.xml\"").await.verdict,
        Verdict::Pass,
        "nothing has to write it"
    );
    let why = scene.why("junit = { report = \"r.xml\", run = \"true\" }").await;
    assert!(
        why.starts_with("r.xml: was not written by `true`, it is from before"),
        "{why}"
    );
    // Put there by the run, and made long before it.
    let old = "touch -d '2020-01-01' old.xml; cp -p old.xml r.xml";
    scene.write("old.xml", &suite(3, 0));
    let why = scene
        .why(&format!("junit = {{ report = \"r.xml\", run = \"{old}\" }}"))
        .await;
    assert!(why.contains("it is from before"), "{why}");
    let why = scene
        .why("junit = { report = \"none.xml\", run = \"true\" }")
        .await;
    assert_eq!(why, "none.xml: is not there; look whether `true` writes it there");
}

#[tokio::test]
async fn what_is_no_file_or_too_large_is_not_read() {
    let scene = Scene::new();
    fs::create_dir(scene.folder.path().join("folder")).expect("a folder can be made");
    assert!(
        scene
            .why("junit = \"folder\"")
            .await
            .starts_with("folder: is a folder and no file")
    );
    // A pipe that nobody writes to would hold whoever opens it.
    let why = scene
        .why("junit = { report = \"pipe\", run = \"mkfifo pipe\" }")
        .await;
    assert!(why.starts_with("pipe: is a device or a pipe"), "{why}");
    let large = fs::File::create(scene.folder.path().join("large.json")).expect("a file can be made");
    large
        .set_len(towpath_decide::gate::report::MOST + 1)
        .expect("it can be long");
    let why = scene
        .why("performance = { report = \"large.json\", value = \"a\", keep = \"< 1s\" }")
        .await;
    assert!(
        why.starts_with("large.json: has 33554433 bytes, and at most 33554432 are read"),
        "{why}"
    );
}

#[tokio::test]
async fn no_value_of_a_secret_is_told_or_kept() {
    let scene = Scene::new();
    scene.write(
        "r.xml",
        "<testsuite><testcase name='a'><failure message='got hunter22hunter22'/></testcase></testsuite>",
    );
    for gate in [
        "command = \"echo the key is hunter22hunter22; exit 1\"",
        "junit = \"r.xml\"",
        "performance = { report = \"hunter22hunter22\", value = \"a\", keep = \"< 1s\" }",
    ] {
        let found = scene.ask(gate).await;
        let all = format!("{found:?}{:?}", scene.said());
        assert!(!all.contains("hunter22") && all.contains('…'), "{all}");
    }
}

#[tokio::test]
async fn much_output_is_bounded() {
    let scene = Scene::new();
    let found = scene.ask("command = \"seq 100000; exit 1\"").await;
    let kept: Vec<&str> = found.evidence.iter().flat_map(|one| one.text.lines()).collect();
    assert_eq!((kept.len(), kept.last()), (30, Some(&"100000")));
    assert_eq!(scene.said().len(), 100_000, "all of it was heard");
}

#[tokio::test]
async fn files_like_a_pattern_are_weighed_wherever_they_lie() {
    let scene = Scene::new();
    for (folder, name, bytes) in [
        ("dist/assets", "a.js", 600),
        ("dist/assets/deep", "b.js", 500),
        ("dist", "c.css", 9),
    ] {
        fs::create_dir_all(scene.folder.path().join(folder)).expect("a folder can be made");
        scene.write(&format!("{folder}/{name}"), &"x".repeat(bytes));
    }
    std::os::unix::fs::symlink(".", scene.folder.path().join("dist/again")).expect("a link can be made");
    for (pattern, most, measured) in [
        ("dist/assets/*.js", "1KB", Ok("dist/assets/a.js: 600B")),
        (
            "dist/**/*.js",
            "1KB",
            Err("2 files like dist/**/*.js: 1.1KB, which is 100B over 1KB"),
        ),
        ("**/*.css", "1KB", Ok("dist/c.css: 9B")),
        ("dist/c.css", "8B", Err("dist/c.css: 9B, which is 1B over 8B")),
    ] {
        let found = scene
            .ask(&format!("size = {{ file = \"{pattern}\", most = \"{most}\" }}"))
            .await;
        match measured {
            Ok(words) => assert_eq!(found.measured.as_deref(), Some(words), "{pattern}"),
            Err(why) => assert_eq!(found.verdict, Verdict::Fail(why.to_owned()), "{pattern}"),
        }
    }
    assert!(
        scene
            .why("size = { file = \"dist/*.wasm\", most = \"1MB\" }")
            .await
            .starts_with("dist/*.wasm: no file")
    );
}

#[tokio::test]
async fn a_gate_of_what_runs_is_left_open() {
    let found = Scene::new().ask("bake = \"30m\"").await;
    assert!(matches!(found.verdict, Verdict::Inconclusive(_)), "{found:?}");
}
