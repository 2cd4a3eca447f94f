//! Products that are made ready to start, with real files: `.env`, values that are made up and kept, what stands in the way.
#![allow(
    clippy::disallowed_methods,
    reason = "what is kept is real files, and git is asked"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use towpath::launched::launch;
use towpath_decide::launch::Launched;

/// A folder of its own, which goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("launched-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder can be made");
        let folder = Folder(folder);
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), text).expect("a file can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).expect("it is there")
    }

    fn mode(&self, name: &str) -> u32 {
        let about = fs::metadata(self.0.join(name)).expect("it is there");
        about.permissions().mode() & 0o777
    }

    /// What is started, or what is told, with the folder's own name left out.
    fn launch(&self) -> Result<Launched, String> {
        self.launch_part(&[])
    }

    fn launch_part(&self, names: &[&str]) -> Result<Launched, String> {
        let mut told = String::new();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let launched = launch(Some(&self.0), None, &names, false, &mut |text| {
            told.push_str(text)
        });
        launched.map_err(|failure| {
            let hint = failure
                .hint
                .map(|hint| format!("\nhelp: {hint}"))
                .unwrap_or_default();
            let text = format!("{told}{}{hint}", failure.message);
            text.replace(&self.0.display().to_string(), "~")
        })
    }

    fn value(&self, name: &str) -> String {
        let launched = self.launch().unwrap_or_else(|told| panic!("{told}"));
        launched.values[name].open().clone()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const MADE: &str = r#"product = "shop"
[service.web]
run = "web"
env = { SALT = { generate = "hex" }, KEY = "secret:KEY" }
[secret.KEY]
generate = "key-pair"
[environment.dev]
"#;

#[test]
fn what_is_made_up_is_kept_for_the_person_alone() {
    let folder = Folder::new("made", &[("towpath.toml", MADE)]);
    let (salt, key) = (folder.value("SALT"), folder.value("KEY"));
    assert_eq!(salt.len(), 64);
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{key}");
    assert_eq!(
        (folder.value("SALT"), folder.value("KEY")),
        (salt.clone(), key.clone())
    );
    assert_eq!(folder.mode(".towpath"), 0o700);
    assert_eq!(folder.mode(".towpath/dev"), 0o700);
    assert_eq!(folder.mode(".towpath/dev/generated.env"), 0o600);
    assert_eq!(folder.read(".towpath/.gitignore"), "*\n");
    assert!(!folder.0.join(".towpath/dev/generated.env.tmp").exists());

    let text = folder.read(".towpath/dev/generated.env");
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("SALT")).collect();
    folder.write(".towpath/dev/generated.env", without.join("\n"));
    assert_ne!(
        folder.value("SALT"),
        salt,
        "a line that was taken out is made anew"
    );
    assert_eq!(folder.value("KEY"), key, "the others stay");

    folder.write(".env", "SALT=mine\n");
    assert_eq!(folder.value("SALT"), "mine");
}

#[test]
fn several_that_start_at_once_make_up_one_value() {
    let folder = Folder::new("at-once", &[("towpath.toml", MADE)]);
    let made: Vec<String> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| folder.value("SALT"))).collect();
        all.into_iter().map(|one| one.join().expect("it ends")).collect()
    });
    assert!(made.iter().all(|value| *value == made[0]), "{made:?}");
    assert_eq!(folder.value("SALT"), made[0]);
}

#[test]
fn everything_that_stands_in_the_way_is_told_at_once_and_nothing_is_kept() {
    let text = r#"product = "shop"
[service.web]
run = "web"

[service.web.env]
CLIENT = { about = "The client at the sign-in", example = "42" }
TOKEN  = "secret:TOKEN"
SALT   = { generate = "hex" }

[secret.TOKEN]
about  = "Lets us in"
source = "the portal"

[environment.dev]
"#;
    let folder = Folder::new("told", &[("towpath.toml", text), (".env", "OTHER='x\n")]);
    insta::assert_snapshot!(folder.launch().expect_err("it is told"), @r"
    error: line 1 of ~/.env cannot be read: `OTHER` has an opening mark that is not closed
     --> ~/.env:1
      = help: close it at the end of the value

    error: `web` does not start without `CLIENT`, which has no value: The client at the sign-in
     --> ~/towpath.toml:6
      = help: write CLIENT=.. into .env, for example 42

    error: `web` does not start without `TOKEN`, which has no value: Lets us in
     --> ~/towpath.toml:7
      = help: write TOKEN=.. into .env; it comes from: the portal

    nothing is started from ~/towpath.toml: 3 things stand in the way
    ");
    assert!(!folder.0.join(".towpath").exists());
    let unknown = folder
        .launch_part(&["wep"])
        .expect_err("there is no such component");
    assert_eq!(
        unknown,
        "there is no component `wep` in dev\nhelp: did you mean `web`?"
    );
    folder.write(".env", "CLIENT=1\nTOKEN=2\n");
    let launched = folder.launch().expect("nothing is missing any more");
    let names: Vec<String> = launched
        .product
        .sources
        .iter()
        .map(|source| {
            let name = source.path.rsplit('/').next().unwrap_or_default();
            format!("{name}{}", if source.digest.is_some() { "" } else { " (none)" })
        })
        .collect();
    assert_eq!(
        names,
        [".env", ".env.dev (none)", "generated.env", "towpath.toml"]
    );
    let component = &launched.product.components["web"];
    assert!(component.at.file.ends_with("towpath.toml"));
    assert_eq!(component.at.line, 2);
    assert_eq!(Path::new(&component.dir), self::whole(&folder.0));
    assert!(launched.base.contains_key("PATH"));
}

fn whole(path: &Path) -> PathBuf {
    path.canonicalize().expect("it is there")
}

#[test]
fn a_place_is_in_the_environment_that_says_it() {
    let text = "product = \"shop\"\n[service.web]\nrun = \"web\"\nenv.A = \"from:api.url\"\n\n[service.api]\nrun = \"api\"\n\
                [environment.dev]\nservice.web.env.A = \"from:api.user\"\n";
    let folder = Folder::new("place", &[("towpath.toml", text)]);
    insta::assert_snapshot!(folder.launch().expect_err("it is told"), @r"
    error: `web` takes `user` of `api`, which has none
     --> ~/towpath.toml:9
      = help: `api` has `url`, `host` and `port`

    nothing is started from ~/towpath.toml: something stands in the way
    ");
}

#[test]
fn a_wrong_manifest_starts_nothing() {
    let text = "product = \"shop\"\n[service.web]\nrun = \"web\"\nreplicas = \"two\"\n[environment.dev]\n";
    let folder = Folder::new("wrong", &[("towpath.toml", text)]);
    let told = folder.launch().expect_err("it is told");
    assert!(told.contains("error[TP0102]"), "{told}");
    assert!(
        told.contains("nothing is started from ~/towpath.toml, which is wrong"),
        "{told}"
    );
}

#[test]
fn a_file_that_is_no_text_is_not_guessed_at() {
    let folder = Folder::new("latin", &[("towpath.toml", MADE)]);
    folder.write(".env", b"A=1\nB=\xe9\n");
    let told = folder.launch().expect_err("it is told");
    assert_eq!(told, "line 2 of ~/.env is no UTF-8\nhelp: save it as UTF-8");
}

#[test]
fn what_somebody_broke_in_the_kept_values_is_told() {
    let folder = Folder::new("broken", &[("towpath.toml", MADE)]);
    folder.value("SALT");
    folder.write(".towpath/dev/generated.env", "SALT=\"abc\n");
    let told = folder.launch().expect_err("it is told");
    assert!(
        told.contains("line 1 of ~/.towpath/dev/generated.env cannot be read"),
        "{told}"
    );
    assert_eq!(
        folder.read(".towpath/dev/generated.env"),
        "SALT=\"abc\n",
        "nothing is written over it"
    );
}

#[test]
fn the_usual_environment_is_taken_and_others_are_named() {
    let text =
        "product = \"shop\"\n[environment.one]\non = \"push main\"\n[environment.two]\non = \"push main\"\n";
    let folder = Folder::new("usual", &[("towpath.toml", text)]);
    insta::assert_snapshot!(folder.launch().expect_err("it is told"), @r"
    none of the environments `one` and `two` is the usual one
    help: name one with `--env NAME`; where it is called `dev`, it is meant when none is named
    ");
}

#[test]
fn a_file_that_git_tracks_is_refused() {
    let folder = Folder::new("tracked", &[("towpath.toml", MADE), (".env", "PLAIN=1\n")]);
    let git = |words: &[&str]| {
        let run = Command::new("git").arg("-C").arg(&folder.0).args(words).output();
        run.is_ok_and(|output| output.status.success())
    };
    if !(git(&["init", "--quiet"]) && git(&["add", ".env"])) {
        println!("left out: git is not here");
        return;
    }
    insta::assert_snapshot!(folder.launch().expect_err("it is told"), @r"
    error: git tracks ~/.env, and with it everybody has the secrets in it
     --> ~/.env:1
      = help: take it out of git with `git rm --cached ~/.env`, name it in .gitignore, and replace what was secret in it

    nothing is started from ~/towpath.toml: something stands in the way
    ");
}

#[test]
fn what_a_store_is_filled_with_may_be_large_and_in_any_letters() {
    const MANIFEST: &str = r#"product = "shop"
[worker.quiet]
run  = "sleep 600"
uses = ["db"]
[postgres.db]
migrate = "migrations"
seed    = "seed.sql"
[environment.dev]
"#;
    let folder = Folder::new("large", &[("towpath.toml", MANIFEST)]);
    fs::create_dir(folder.0.join("migrations")).expect("a folder can be made");
    folder.write("migrations/001_boats.sql", b"-- caf\xe9\n");
    let mut seed = vec![b'\n'; 3 * 1024 * 1024];
    folder.write("seed.sql", &seed);
    let contents = || {
        let launched = folder.launch().unwrap_or_else(|told| panic!("{told}"));
        let db = launched
            .product
            .components
            .get("db")
            .and_then(|db| db.resource.clone());
        let seed = folder.0.join("seed.sql");
        let seed = seed.canonicalize().expect("it is there");
        let sources = launched.product.sources.iter();
        let source = sources.filter(|source| Path::new(&source.path) == seed);
        let source: Vec<_> = source.map(|source| source.digest.clone()).collect();
        (db.expect("it keeps something").contents.clone(), source)
    };
    let before = contents();
    assert_eq!(before, contents(), "it stays what it is");
    let whole = towpath_decide::launch::text_digest(&seed);
    assert_eq!(before.1, [Some(whole)], "it is watched by all that stands in it");
    *seed.last_mut().expect("it is long") = b' ';
    folder.write("seed.sql", &seed);
    assert_ne!(before, contents(), "its last letter counts, too");
}
