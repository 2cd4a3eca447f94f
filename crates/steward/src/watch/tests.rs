//! Watching real files: each way of saving, and each trap.
#![allow(clippy::disallowed_methods, reason = "what is watched are real files")]

use super::*;
use std::fs;
use std::os::unix::fs::symlink;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use towpath_model::unit::{Unit, known};

/// Longer than any machine takes; a test that waits so long has failed.
const LONGEST: Duration = Duration::from_secs(20);

struct Scene {
    folder: TempDir,
    rules: Vec<(Name, WatchRule)>,
    most_folders: usize,
    watcher: Option<Watcher>,
    events: UnboundedReceiver<Event>,
    watched: usize,
}

fn rule(owner: &str, path: &str, action: WatchAction, ignore: &[&str]) -> (Name, WatchRule) {
    let glob = |text: &&str| towpath_model::unit::Glob::parse(text).unwrap();
    let ignore = ignore.iter().map(glob).collect();
    (
        known(owner),
        WatchRule {
            path: glob(&path),
            action,
            ignore,
        },
    )
}

impl Scene {
    /// A folder with these files, and rules that are not followed yet.
    fn new(files: &[(&str, &str)], rules: Vec<(Name, WatchRule)>) -> Self {
        let scene = Scene {
            folder: tempfile::tempdir().unwrap(),
            rules,
            most_folders: usize::MAX,
            watcher: None,
            events: unbounded_channel().1,
            watched: 0,
        };
        files.iter().for_each(|(path, text)| scene.write(path, text));
        scene
    }

    /// The same, watched.
    async fn watched(files: &[(&str, &str)], rules: Vec<(Name, WatchRule)>) -> Self {
        let mut scene = Scene::new(files, rules);
        scene.start().await;
        scene
    }

    async fn start(&mut self) {
        let (sender, events) = unbounded_channel();
        self.events = events;
        let options = Options {
            base: self.path("p"),
            record: self.path("state/watch.seen"),
            quiet: Duration::from_millis(25),
            longest: Duration::from_millis(500),
            most_folders: self.most_folders,
        };
        self.watcher = Some(Watcher::with(options, &self.rules, sender).unwrap());
        let Event::Watching { folders, .. } = self.event().await else {
            panic!("the first event says that it is watched");
        };
        self.watched = folders;
    }

    fn stop(&mut self) {
        self.watcher = None;
    }

    fn watcher(&self) -> &Watcher {
        self.watcher.as_ref().unwrap()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A path of the product.
    fn of(&self, path: &str) -> PathBuf {
        self.path("p").join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.of(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    async fn event(&mut self) -> Event {
        tokio::time::timeout(LONGEST, self.events.recv())
            .await
            .expect("an event comes")
            .expect("it is watched")
    }

    async fn change(&mut self) -> (String, Vec<String>) {
        match self.event().await {
            Event::Changed(change) => {
                let base = self.path("p");
                let name = |path: &PathBuf| path.strip_prefix(&base).unwrap().display().to_string();
                assert!(change.count >= change.paths.len());
                let paths = change.paths.iter().map(name).collect();
                (
                    format!("{} {} {}", change.owner, change.action, change.count),
                    paths,
                )
            }
            other => panic!("no change: {other:?}"),
        }
    }

    /// The next change is of this file and no other: nothing that happened before counted.
    async fn only(&mut self, path: &str) {
        assert_eq!(self.change().await.1, [path]);
    }

    /// Nothing that happened so far counted: the next change is the one that is made here.
    async fn nothing_until(&mut self, path: &str) {
        self.write(path, &format!("mark {:?}", clock_free_mark(path)));
        self.only(path).await;
    }
}

/// A text that no other mark has.
fn clock_free_mark(path: &str) -> (String, u32) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static MARKS: AtomicU32 = AtomicU32::new(0);
    (path.to_owned(), MARKS.fetch_add(1, Ordering::Relaxed))
}

fn src() -> Vec<(Name, WatchRule)> {
    vec![rule("web", "src", WatchAction::Restart, &[])]
}

#[tokio::test]
async fn a_saved_file_is_told_to_its_owner_with_the_strongest_action() {
    let rules = vec![
        rule("web", "src", WatchAction::Sync, &[]),
        rule("web", "src/**/*.lock", WatchAction::Rebuild, &[]),
        rule("bot", "src", WatchAction::Restart, &[]),
    ];
    let mut scene = Scene::watched(&[("src/a.py", "a"), ("src/b/c.lock", "c")], rules).await;
    scene.write("src/a.py", "b");
    assert_eq!(
        scene.change().await,
        ("bot restart 1".into(), vec!["src/a.py".into()])
    );
    assert_eq!(
        scene.change().await,
        ("web sync 1".into(), vec!["src/a.py".into()])
    );
    scene.write("src/a.py", "c");
    scene.write("src/b/c.lock", "d");
    assert_eq!(scene.change().await.0, "bot restart 2");
    assert_eq!(
        scene.change().await,
        ("web rebuild 2".into(), vec!["src/b/c.lock".into()])
    );
}

#[tokio::test]
async fn every_way_of_saving_is_one_change() {
    let mut scene = Scene::watched(&[("src/a", "1")], src()).await;
    // Into a new file that takes the old one's name.
    scene.write("src/.a.tmp", "2");
    fs::rename(scene.of("src/.a.tmp"), scene.of("src/a")).unwrap();
    scene.only("src/a").await;
    // As vim does: a try whether it may write, the old one aside, the new one, and the old one deleted.
    scene.write("src/4913", "");
    fs::remove_file(scene.of("src/4913")).unwrap();
    fs::rename(scene.of("src/a"), scene.of("src/a~")).unwrap();
    scene.write("src/a", "3");
    fs::remove_file(scene.of("src/a~")).unwrap();
    scene.only("src/a").await;
    // What an editor leaves lying is nothing.
    for left in ["src/a~", "src/.a.swp", "src/#a#", "src/.#a", "src/4913"] {
        scene.write(left, "x");
    }
    scene.nothing_until("src/a").await;
}

#[tokio::test]
async fn what_was_touched_or_written_again_has_not_changed() {
    let mut scene = Scene::watched(&[("src/a", "1"), ("src/b", "1"), ("src/c", "1")], src()).await;
    let file = fs::File::options().write(true).open(scene.of("src/a")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    drop(file);
    scene.write("src/b", "1");
    scene.write("src/.c", "1");
    fs::rename(scene.of("src/.c"), scene.of("src/c")).unwrap();
    scene.write("src/new", "x");
    fs::remove_file(scene.of("src/new")).unwrap();
    scene.nothing_until("src/b").await;
}

#[tokio::test]
async fn ignored_files_do_not_count_unless_a_rule_names_them() {
    let files = [
        (".gitignore", "*.log\n/dist/*\n.env\n"),
        ("src/.ignore", "!keep.log\n"),
        ("src/gen/.gitignore", "*\n"),
        ("node_modules/x/index.js", "1"),
        ("node_modules/mine/index.js", "1"),
        (".env", "A=1"),
        ("dist/index.js", "1"),
        ("src/a", "1"),
    ];
    let rules = vec![
        rule("web", ".", WatchAction::Restart, &["**/*.tmp", "cache/"]),
        rule("web", "node_modules/mine", WatchAction::Restart, &[]),
        rule("web", ".env", WatchAction::Restart, &[]),
        rule("web", "dist", WatchAction::Restart, &[]),
    ];
    let mut scene = Scene::watched(&files, rules).await;
    for ignored in [
        "a.log",
        "src/b.log",
        "src/gen/x/y",
        "node_modules/x/index.js",
        "target/debug/a",
        ".git/index",
        ".towpath/state",
        "src/deep/x.tmp",
        "src/cache/x",
    ] {
        scene.write(ignored, "2");
    }
    scene.nothing_until("src/a").await;
    for counted in [
        "src/keep.log",
        "node_modules/mine/index.js",
        ".env",
        "dist/index.js",
    ] {
        scene.nothing_until(counted).await;
    }
}

#[tokio::test]
async fn a_changed_ignore_file_is_followed_and_changes_nothing_by_itself() {
    let mut scene = Scene::watched(
        &[(".gitignore", "old\n"), ("src/old", "1"), ("src/new", "1")],
        src(),
    )
    .await;
    scene.write(".gitignore", "new\n");
    scene.nothing_until("src/a").await;
    scene.write("src/new", "2");
    scene.nothing_until("src/old").await;
}

#[tokio::test]
async fn what_changes_while_nobody_watches_is_told_at_the_next_start() {
    let files = [("src/a", "1"), ("src/b/c", "1"), ("src/d", "1"), ("src/e", "1")];
    let mut scene = Scene::watched(&files, src()).await;
    scene.nothing_until("src/a").await;
    scene.stop();
    scene.start().await;
    scene.nothing_until("src/a").await;
    scene.stop();
    scene.write("src/b/c", "2");
    scene.write("src/d", "1");
    fs::remove_file(scene.of("src/e")).unwrap();
    scene.write("src/new/f", "1");
    scene.start().await;
    let told = scene.change().await;
    assert_eq!(
        told,
        (
            "web restart 3".into(),
            vec!["src/b/c".into(), "src/e".into(), "src/new/f".into()]
        )
    );
    // Other files are asked for: there is nothing to compare with.
    scene.stop();
    scene.write("src/a", "other");
    scene
        .rules
        .push(rule("web", "src/**/*.x", WatchAction::Sync, &[]));
    scene.start().await;
    scene.nothing_until("src/a").await;
    // The record is damaged.
    scene.stop();
    scene.write("src/a", "another");
    fs::write(scene.path("state/watch.seen"), "towseen").unwrap();
    scene.start().await;
    scene.nothing_until("src/a").await;
}

#[tokio::test]
async fn new_folders_are_watched_and_gone_ones_are_told() {
    let mut scene = Scene::watched(&[("src/a", "1")], src()).await;
    scene.write("src/x/y/z/deep", "1");
    scene.only("src/x/y/z/deep").await;
    scene.write("src/x/y/z/deep", "2");
    scene.only("src/x/y/z/deep").await;
    fs::rename(scene.of("src/x"), scene.of("src/w")).unwrap();
    let told = scene.change().await.1;
    assert_eq!(told, ["src/w/y/z/deep", "src/x/y/z/deep"]);
    scene.write("src/w/y/z/deep", "3");
    scene.only("src/w/y/z/deep").await;
    fs::remove_dir_all(scene.of("src/w")).unwrap();
    scene.only("src/w/y/z/deep").await;
}

#[tokio::test]
async fn a_root_may_come_late_go_and_come_again() {
    let mut scene = Scene::watched(&[("other", "1")], src()).await;
    scene.write("src/a", "1");
    scene.only("src/a").await;
    fs::rename(scene.of("src"), scene.of("aside")).unwrap();
    scene.only("src/a").await;
    scene.write("aside/a", "2");
    scene.write("src/a", "3");
    scene.only("src/a").await;
    fs::remove_dir_all(scene.of("src")).unwrap();
    scene.only("src/a").await;
    scene.nothing_until("src/b/c").await;
}

#[tokio::test]
async fn one_file_is_followed_by_its_name() {
    let rules = vec![rule("web", "etc/app.yaml", WatchAction::Restart, &[])];
    let mut scene = Scene::watched(&[("etc/app.yaml", "1")], rules).await;
    scene.write("etc/.new", "2");
    fs::rename(scene.of("etc/.new"), scene.of("etc/app.yaml")).unwrap();
    scene.only("etc/app.yaml").await;
    scene.write("etc/other.yaml", "2");
    fs::remove_dir_all(scene.of("etc")).unwrap();
    scene.only("etc/app.yaml").await;
    scene.write("etc/app.yaml", "2");
    scene.only("etc/app.yaml").await;
}

#[tokio::test]
async fn a_root_may_be_a_link_that_is_turned_to_another_folder() {
    let mut scene = Scene::new(&[("one/a", "1"), ("two/a", "2"), ("two/b", "1")], vec![]);
    scene.rules = vec![rule("web", "current", WatchAction::Restart, &[])];
    symlink("one", scene.of("current")).unwrap();
    scene.start().await;
    scene.write("one/a", "changed");
    scene.only("current/a").await;
    symlink("two", scene.of("next")).unwrap();
    fs::rename(scene.of("next"), scene.of("current")).unwrap();
    assert_eq!(scene.change().await.1, ["current/a", "current/b"]);
    scene.write("one/a", "nobody sees it");
    scene.write("two/b", "seen");
    scene.only("current/b").await;
}

#[tokio::test]
async fn a_link_inside_is_compared_by_where_it_points() {
    let mut scene = Scene::new(&[("src/a", "1"), ("far/b", "1")], src());
    symlink("../far", scene.of("src/link")).unwrap();
    symlink("..", scene.of("src/circle")).unwrap();
    scene.start().await;
    scene.write("far/b", "2");
    scene.nothing_until("src/a").await;
    symlink("../near", scene.of("src/.next")).unwrap();
    fs::rename(scene.of("src/.next"), scene.of("src/link")).unwrap();
    scene.only("src/link").await;
}

#[tokio::test]
async fn what_changes_during_a_build_is_told_once_afterwards() {
    let rules = vec![
        rule("web", "src", WatchAction::Rebuild, &[]),
        rule("bot", "src", WatchAction::Restart, &[]),
    ];
    let mut scene = Scene::watched(&[("src/a", "1"), ("src/gen", "1")], rules).await;
    let web: Name = known("web");
    scene.watcher().pause(&web);
    scene.write("src/a", "an edit");
    assert_eq!(scene.change().await.0, "bot restart 1");
    scene.write("src/gen", "an output");
    assert_eq!(scene.change().await.0, "bot restart 1");
    scene.watcher().resume(&web);
    assert_eq!(
        scene.change().await,
        ("web rebuild 2".into(), vec!["src/a".into(), "src/gen".into()])
    );
    // The second build writes the same bytes: there it ends.
    scene.watcher().pause(&web);
    scene.write("src/gen", "an output");
    scene.watcher().resume(&web);
    scene.write("src/a", "next");
    assert_eq!(scene.change().await.0, "bot restart 1");
    assert_eq!(
        scene.change().await,
        ("web rebuild 1".into(), vec!["src/a".into()])
    );
}

#[tokio::test]
async fn a_build_that_never_writes_the_same_ends_its_loop_and_says_so() {
    let mut scene = Scene::watched(&[("src/a", "1")], src()).await;
    let web: Name = known("web");
    for time in 1..=4 {
        scene.watcher().pause(&web);
        scene.write("src/stamp", &time.to_string());
        scene.watcher().resume(&web);
        match time {
            1 | 2 => scene.only("src/stamp").await,
            3 => assert_eq!(
                scene.event().await,
                Event::Output {
                    owner: web.clone(),
                    path: scene.of("src/stamp")
                }
            ),
            _ => scene.nothing_until("src/a").await,
        }
    }
}

#[tokio::test]
async fn a_reached_limit_is_told_and_the_rest_is_watched() {
    let mut scene = Scene::new(&[("src/a", "1"), ("src/b/c", "1"), ("src/d/e", "1")], src());
    scene.most_folders = 2;
    scene.start().await;
    assert!(matches!(scene.event().await, Event::Limited(said) if said.contains("changes in 2 folders")));
    scene.write("src/b/c", "2");
    scene.nothing_until("src/a").await;
}

#[tokio::test]
async fn only_folders_in_which_something_may_lie_are_watched() {
    let files = [
        ("src/a.py", "1"),
        ("src/b/c.py", "1"),
        ("node_modules/x/y", "1"),
        ("docs/a/b/c", "1"),
    ];
    let rules = vec![
        rule("web", "*.toml", WatchAction::Rebuild, &[]),
        rule("web", "src/*/c.py", WatchAction::Sync, &[]),
    ];
    let mut scene = Scene::watched(&files, rules).await;
    assert_eq!(scene.watched, 3, "the folder itself, src, src/b");
    scene.nothing_until("new.toml").await;
    scene.nothing_until("src/b/c.py").await;
}

#[test]
fn the_kernel_tells_when_it_has_told_too_little() {
    let folder = tempfile::tempdir().unwrap();
    let mut seats = Seats::open(usize::MAX).unwrap();
    seats.take(0, folder.path(), false).unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    fs::write(&one, "").unwrap();
    let queue: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events")
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    for _ in 0..queue / 4 + 1 {
        fs::rename(&one, &two).unwrap();
        fs::rename(&two, &one).unwrap();
    }
    assert!(
        seats
            .told()
            .iter()
            .any(|told| matches!(told, seats::Told::Overflow))
    );
    assert!(seats.told().is_empty());
}
