//! What is gathered of real folders.
#![allow(
    clippy::disallowed_methods,
    reason = "files that are gathered have to be there"
)]

use super::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;
use towpath_decide::launch::release::OUTSIDE;
use towpath_model::run::{Component, Site};

/// A product in a folder of its own, beside which something may lie.
struct Place {
    home: tempfile::TempDir,
    product: Product,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder can be made");
        let folder = home.path().join("shop");
        fs::create_dir(&folder).expect("a folder can be made");
        let product = serde_json::json!({
            "product": "shop", "environment": "prod", "folder": folder.to_str(), "sources": [], "components": {}, "builds": {}
        });
        let product = serde_json::from_value(product).expect("it is one");
        Place { home, product }
    }

    fn path(&self, at: &str) -> PathBuf {
        self.home.path().join("shop").join(at)
    }

    fn write(&self, at: &str, text: &[u8]) -> &Self {
        let path = self.path(at);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
        fs::write(&path, text).expect("it can be written");
        // Long enough ago to be known again.
        let file = fs::File::open(&path).expect("it is there");
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60))
            .expect("its time can be set");
        self
    }

    fn program(&self, at: &str) -> &Self {
        self.write(at, b"\x7fELF and more");
        fs::set_permissions(self.path(at), fs::Permissions::from_mode(0o755)).expect("it is ours");
        self
    }

    fn link(&self, at: &str, to: &str) -> &Self {
        let path = self.path(at);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
        symlink(to, path).expect("a link can be made");
        self
    }

    fn runs(&mut self, name: &str, command: &str, dir: &str) -> &mut Component {
        let dir = match dir {
            "" => self.home.path().join("shop"),
            dir => self.home.path().join("shop").join(dir),
        };
        let component = serde_json::json!({
            "name": name, "kind": "service", "at": { "file": "towpath.toml", "line": 1 }, "command": command, "dir": dir,
            "env": {}, "build": null, "needs": [], "instances": 1, "most": 1, "single": false, "listens": null,
            "health": { "ask": "runs", "interval": "1s", "timeout": "1s", "deadline": "1s" },
            "limits": { "memory": null, "cpu": null, "pids": 9 }, "restart": "always",
            "stop": { "signal": "TERM", "within": "1s", "drain": "1s" }, "site": null, "pack": null, "idle": null,
            "cron": null, "timeout": null, "retry": null, "watch": [], "resource": null
        });
        let component: Component = serde_json::from_value(component).expect("it is one");
        let name: Name = component.name.clone();
        self.product.components.insert(name.clone(), Arc::new(component));
        Arc::make_mut(self.product.components.get_mut(&name).expect("it is there"))
    }

    async fn gather_with(&self, config: &[(&str, &str)]) -> Result<Gathered, Vec<Refused>> {
        let config = config
            .iter()
            .map(|(name, file)| (towpath_model::unit::known(name), vec![(*file).to_owned()]));
        let state = self.path(".towpath/prod");
        gather(Arc::new(self.product.clone()), config.collect(), state).await
    }

    /// What the tree of a component has, a word each: `*` for what can be run, and where links lead.
    async fn told(&self, name: &str, config: &[(&str, &str)]) -> String {
        match self.gather_with(config).await {
            Ok(gathered) => shown(&gathered, name),
            Err(refused) => refused
                .iter()
                .map(|one| {
                    one.message
                        .replace(&*self.home.path().to_string_lossy(), "/there")
                })
                .collect::<Vec<_>>()
                .join("\n"),
        }
    }
}

fn shown(gathered: &Gathered, name: &str) -> String {
    let tree = &gathered.trees[&gathered.artifacts[name]];
    let entry = |(at, entry): (&String, &Entry)| match entry {
        Entry::File { runs: true, .. } => format!("{at}*"),
        Entry::File { .. } => at.clone(),
        Entry::Link(to) => format!("{at}->{to}"),
    };
    tree.entries.iter().map(entry).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn an_executable_takes_itself_its_settings_and_what_git_keeps_of_its_own_folder() {
    let mut place = Place::new();
    place
        .program("target/release/api")
        .write("target/release/other", b"x")
        .write("config.yaml", b"a: 1")
        .write("README.md", b"x")
        .write("api/templates/page.html", b"x")
        .write("api/.gitignore", b"*.log\n")
        .write("api/today.log", b"x")
        .write("api/.env.prod", b"KEY=1");
    place.runs("api", "target/release/api --port 1", "");
    assert_eq!(place.told("api", &[]).await, "target/release/api*");
    place.runs("api", "../target/release/api", "api");
    assert_eq!(
        place.told("api", &[("api", "config.yaml")]).await,
        "api/.gitignore api/templates/page.html config.yaml target/release/api*"
    );
}

#[tokio::test]
async fn what_is_read_by_something_takes_its_folder_without_values_and_caches() {
    let mut place = Place::new();
    for at in [
        "web/main.js",
        "web/dist/app.js",
        "web/node_modules/left/index.js",
        "web/node_modules/left/target/x.js",
        "web/__pycache__/a.pyc",
        "web/.cache/a",
        "web/.git/HEAD",
        "web/.env",
        "web/.envrc",
        "web/target/release/big",
        "web/target/CACHEDIR.TAG",
        "other/file",
    ] {
        place.write(at, b"x");
    }
    place.write("web/.gitignore", b"node_modules\ndist\n");
    let _socket =
        std::os::unix::net::UnixListener::bind(place.path("web/live.sock")).expect("it can be bound");
    place.runs("web", "node main.js", "web");
    assert_eq!(
        place.told("web", &[]).await,
        "web/.gitignore web/dist/app.js web/main.js web/node_modules/left/index.js web/node_modules/left/target/x.js"
    );
    place.runs("web", "node web/main.js", "");
    assert!(place.told("web", &[]).await.ends_with("x.js"));
    assert!(
        place
            .told("web", &[])
            .await
            .starts_with("other/file web/.gitignore")
    );
}

#[tokio::test]
async fn a_program_beside_the_folder_has_its_own_place_and_a_site_is_its_folder() {
    let mut place = Place::new();
    place
        .program("../target/debug/api")
        .write("site/index.html", b"x")
        .write("site/.well-known/a", b"x");
    place.runs("api", "../target/debug/api", "");
    let site = place.path("site").to_string_lossy().into_owned();
    let pages = place.runs("pages", "unused", "");
    pages.command = None;
    pages.site = Some(Site {
        folder: site,
        fallback: None,
        assets: None,
        pages: None,
    });
    assert_eq!(place.told("api", &[]).await, format!("{OUTSIDE}/api*"));
    assert_eq!(
        place.told("pages", &[]).await,
        "site/.well-known/a site/index.html"
    );
}

#[tokio::test]
async fn links_stay_in_the_tree_and_bring_what_they_lead_to() {
    let mut place = Place::new();
    place
        .write("web/main.js", b"x")
        .write("packages/shared/index.js", b"x")
        .write("../elsewhere.txt", b"x")
        .link("web/node_modules/shared", "../../packages/shared")
        .link("web/latest.js", "main.js")
        .link("web/broken", "nowhere")
        .link("web/elsewhere", "../../elsewhere.txt");
    place.runs("web", "node main.js", "web");
    assert_eq!(
        place.told("web", &[]).await,
        "packages/shared/index.js web/broken->nowhere web/elsewhere web/latest.js->main.js web/main.js \
         web/node_modules/shared->../../packages/shared"
    );
    place
        .link("web/up", "../..")
        .link("web/etc", "/etc")
        .link("web/gone", "/no/such/file");
    assert_eq!(
        place.told("web", &[]).await,
        "`web` cannot be released: /there/shop/web/etc is a link to /etc, which is no file\n\
         `web` cannot be released: /there/shop/web/gone is a link to /no/such/file, and nothing is there\n\
         `web` cannot be released: /there/shop/web/up is a link to ../.., which is no file"
    );
}

#[tokio::test]
async fn whatever_is_missing_is_told_at_once() {
    let mut place = Place::new();
    place.runs("api", "target/release/api", "");
    place.runs("web", "node main.js", "web");
    let far = place.home.path().join("far").to_string_lossy().into_owned();
    place.runs("far", "node main.js", "").dir = far;
    assert_eq!(
        place.told("api", &[("web", "settings.toml")]).await,
        "`api` cannot be released: it runs /there/shop/target/release/api, which is not there\n\
         `far` cannot be released: it runs in /there/far, outside of the product's folder\n\
         `web` cannot be released: it runs in /there/shop/web, which is not there\n\
         `web` cannot be released: its `config` is in /there/shop/settings.toml, which is not there"
    );
}

#[tokio::test]
async fn an_unchanged_folder_is_not_hashed_again_and_a_changed_file_is() {
    let mut place = Place::new();
    place.write("web/a.js", b"a").write("web/b.js", b"b");
    place.runs("web", "node a.js", "web");
    let gather = async |place: &Place| place.gather_with(&[]).await.expect("it is all there");
    let first = gather(&place).await;
    let second = gather(&place).await;
    assert_eq!((first.hashed, second.hashed), (2, 0));
    assert_eq!(
        (&first.artifacts, &first.trees),
        (&second.artifacts, &second.trees)
    );
    place.write("web/a.js", b"c");
    let third = gather(&place).await;
    assert_eq!(third.hashed, 1);
    assert_ne!(third.artifacts, second.artifacts);
    // What was written this moment may be written again within the same time.
    fs::write(place.path("web/a.js"), b"d").expect("it can be written");
    assert_eq!((gather(&place).await.hashed, gather(&place).await.hashed), (1, 1));
}

#[tokio::test]
async fn a_tree_says_who_may_be_run_and_what_stands_in_a_file() {
    let mut place = Place::new();
    place.program("bin/api");
    place.runs("api", "bin/api", "");
    let gathered = place.gather_with(&[]).await.expect("it is there");
    let tree = &gathered.trees[&gathered.artifacts["api"]];
    let digest = blake3::hash(b"\x7fELF and more").to_hex().to_string();
    let entry = Entry::File {
        digest: digest.clone(),
        bytes: 13,
        runs: true,
    };
    assert_eq!(tree.entries["bin/api"], entry);
    assert_eq!(gathered.files[&digest], place.path("bin/api"));
}

#[tokio::test]
async fn what_is_laid_out_is_gathered_again_unless_it_was_spoiled() {
    let mut place = Place::new();
    place.program("bin/api");
    place.runs("api", "bin/api", "");
    let gathered = place.gather_with(&[]).await.expect("it is there");
    let name = gathered.artifacts["api"].clone();
    let laid_out = format!(".towpath/prod/artifacts/trees/{name}/bin/api");
    place.program(&laid_out);
    let state = place.path(".towpath/prod");
    let found = again(state.clone(), BTreeSet::from([name.clone()]))
        .await
        .expect("it is whole");
    assert_eq!(found.trees, gathered.trees);
    place.write(&laid_out, b"\x7fELF and less");
    let refused = again(state, BTreeSet::from([name.clone()]))
        .await
        .expect_err("it is spoiled");
    assert!(refused[0].message.contains(&name), "{refused:?}");
}
