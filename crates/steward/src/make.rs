//! Making: builds and packages, the files that ask for them, and the manifest itself.

use crate::build::{self, Builds, Line, Outcome, Request};
use crate::core::{Core, Message};
use crate::door::{clock, files, processes};
use crate::pack;
use crate::start::Config;
use crate::watch::{self, Change, Watcher};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use towpath_api::{Apply, Tone};
use towpath_decide::converge::Because;
use towpath_decide::launch::{digest, short_digest, text_digest};
use towpath_decide::tend::{Fact, Wish};
use towpath_engine::Engine;
use towpath_model::desired::component::WatchAction;
use towpath_model::run::{Build, Component, Product, Source, Variables, WatchRule};
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Glob, Name, Unit};
use towpath_store::Seq;

/// How many lines of a build may wait for whoever reads along.
const LINES: usize = 256;

/// How soon it is looked again for a folder that is missing. Nobody waits for it who would notice.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// What makes, and what watches.
#[derive(Debug)]
pub(crate) struct Maker {
    builds: Arc<Builds>,
    watched: Vec<(Name, WatchRule)>,
    watcher: Option<Watcher>,
    manifest: Vec<PathBuf>,
    manifest_watcher: Option<Watcher>,
    events: UnboundedSender<watch::Event>,
    reread: UnboundedSender<watch::Event>,
    /// Builds that run because files have changed: what they make is taken for new, unless it can be seen that it is not.
    changed: HashSet<Name>,
    /// How many builds have ended.
    pub(crate) rounds: Rounds,
    folder: PathBuf,
    state: PathBuf,
}

impl Maker {
    pub(crate) fn new(config: &Config, inbox: UnboundedSender<Message>, rounds: Rounds) -> Self {
        let (events, from_files) = unbounded_channel();
        let (reread, from_manifest) = unbounded_channel();
        tokio::spawn(hear_files(from_files, inbox.clone()));
        tokio::spawn(hear_manifest(
            from_manifest,
            inbox,
            config.clone(),
            rounds.clone(),
        ));
        Maker {
            builds: Arc::new(Builds::open(&config.state, Builds::at_once())),
            watched: Vec::new(),
            watcher: None,
            manifest: Vec::new(),
            manifest_watcher: None,
            events,
            reread,
            changed: HashSet::new(),
            rounds,
            folder: config.folder.clone(),
            state: config.state.clone(),
        }
    }

    /// Watches what the components of a product ask for, and what the product was read from. Whoever cannot be watched is
    /// told.
    pub(crate) fn watch(&mut self, product: &Product) -> Vec<String> {
        let mut refused = Vec::new();
        let components = product.components.iter();
        let rules: Vec<(Name, WatchRule)> = components
            .flat_map(|(name, component)| component.watch.iter().map(|rule| (name.clone(), rule.clone())))
            .collect();
        if rules != self.watched {
            self.watcher = None;
            match Self::watcher(&rules, &self.folder, &self.state, &self.events) {
                Ok(watcher) => self.watcher = watcher,
                Err(error) => refused.push(format!("files are not watched: {error}")),
            }
            self.watched = rules;
        }
        let sources: Vec<PathBuf> = product
            .sources
            .iter()
            .map(|source| PathBuf::from(&source.path))
            .collect();
        if sources != self.manifest {
            self.manifest_watcher = None;
            let rules: Vec<(Name, WatchRule)> =
                sources.iter().filter_map(|path| manifest_rule(path)).collect();
            match Self::watcher(&rules, &self.folder, &self.state.join("manifest"), &self.reread) {
                Ok(watcher) => self.manifest_watcher = watcher,
                Err(error) => refused.push(format!("the manifest is not watched: {error}")),
            }
            self.manifest = sources;
        }
        refused
    }

    fn watcher(
        rules: &[(Name, WatchRule)],
        folder: &Path,
        state: &Path,
        events: &UnboundedSender<watch::Event>,
    ) -> std::io::Result<Option<Watcher>> {
        if rules.is_empty() {
            return Ok(None);
        }
        files::make_private(state)?;
        Watcher::new(rules.to_vec(), folder, state, events.clone()).map(Some)
    }

    /// Ends what is being made.
    pub(crate) async fn end(&mut self) {
        self.builds.cancel_all().await;
        self.watcher = None;
        self.manifest_watcher = None;
    }

    fn pause(&self, owners: &[Name]) {
        for owner in owners {
            self.watcher.iter().for_each(|watcher| watcher.pause(owner));
        }
    }

    pub(crate) fn resume(&self, owners: &[Name]) {
        for owner in owners {
            self.watcher.iter().for_each(|watcher| watcher.resume(owner));
        }
    }
}

/// The manifest's own files are watched like anybody's.
fn manifest_rule(path: &Path) -> Option<(Name, WatchRule)> {
    let owner = Name::parse("manifest").ok()?;
    let rule = WatchRule {
        path: Glob::parse(path.to_str()?).ok()?,
        action: WatchAction::Restart,
        ignore: Vec::new(),
    };
    Some((owner, rule))
}

/// What changed files mean for those that they belong to.
async fn hear_files(mut events: UnboundedReceiver<watch::Event>, inbox: UnboundedSender<Message>) {
    while let Some(event) = events.recv().await {
        let message = match event {
            watch::Event::Changed(change) => Message::Files(change),
            watch::Event::Limited(why) => Message::Note(Tone::Warning, why),
            watch::Event::Output { owner, path } => Message::Note(
                Tone::Warning,
                format!(
                    "{owner}: its build writes {} each time, which it watches; name it in `ignore`",
                    path.display()
                ),
            ),
            watch::Event::Watching { .. } | watch::Event::Overflow => continue,
        };
        if inbox.send(message).is_err() {
            return;
        }
    }
}

/// Reads the manifest again when one of its files has changed.
async fn hear_manifest(
    mut events: UnboundedReceiver<watch::Event>,
    inbox: UnboundedSender<Message>,
    config: Config,
    rounds: Rounds,
) {
    while let Some(event) = events.recv().await {
        if let watch::Event::Changed(_) = event {
            let read = processes::compile(&config.program, &config.folder, &config.environment).await;
            let read = read.and_then(|text| {
                serde_json::from_slice::<Apply>(&text)
                    .map_err(|error| format!("it cannot be understood: {error}"))
            });
            let read = match read {
                Ok(apply) => Ok(Box::new(Looked::at(apply, &rounds).await)),
                Err(why) => Err(why),
            };
            if inbox.send(Message::Reread(read)).is_err() {
                return;
            }
        }
    }
}

/// How many builds have ended, for those who look at what builds make beside the core.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rounds(Arc<AtomicU64>);

impl Rounds {
    /// A build has ended: what was looked at before may be something else now.
    pub(crate) fn turn(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What somebody wants, with what its instances are to be started from.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) apply: Apply,
    pub(crate) digests: BTreeMap<Name, String>,
    round: u64,
}

impl Looked {
    /// Looks at what builds have made, which may take a while.
    pub(crate) async fn at(apply: Apply, rounds: &Rounds) -> Self {
        let round = rounds.now();
        let digests = digests(&apply).await;
        Looked {
            apply,
            digests,
            round,
        }
    }

    /// Whether a build has ended since: its new digest must not be taken back by an older one.
    pub(crate) fn is_stale(&self, rounds: &Rounds) -> bool {
        self.round != rounds.now()
    }
}

/// What the instances of each component are to be started from. What a build has made is looked at beside everything else,
/// since it may be large.
async fn digests(apply: &Apply) -> BTreeMap<Name, String> {
    let values = sealed(&apply.values);
    let folder = PathBuf::from(&apply.product.folder);
    let components: Vec<(Name, Arc<Component>)> = apply
        .product
        .components
        .iter()
        .map(|(name, component)| (name.clone(), Arc::clone(component)))
        .collect();
    let digests = tokio::task::spawn_blocking(move || {
        let one = |(name, component): (Name, Arc<Component>)| {
            let made = component
                .build
                .as_ref()
                .and_then(|_| build::artifact(&component, &folder));
            let digest = digest(&component, made.as_deref(), &values);
            (name, digest)
        };
        components.into_iter().map(one).collect()
    });
    digests.await.unwrap_or_default()
}

fn sealed(values: &BTreeMap<String, String>) -> Variables {
    values
        .iter()
        .map(|(name, value)| (name.clone(), Sealed::new(value.clone())))
        .collect()
}

/// The names in a folder, one a line: a folder is read by what is in it.
fn names_in(folder: &Path) -> Option<Vec<u8>> {
    let mut names: Vec<String> = files::list(folder)
        .ok()?
        .into_iter()
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    Some(names.join("\n").into_bytes())
}

/// Whether the files that a product was read from are as they were.
pub(crate) async fn unchanged(sources: Vec<Source>) -> bool {
    let looked = tokio::task::spawn_blocking(move || {
        sources.iter().all(|source| {
            let found = match source.path.strip_suffix('/') {
                Some(folder) => names_in(Path::new(folder)).map(|names| text_digest(&names)),
                // A seed may be larger than what anybody wants to hold at once.
                None => files::digest(Path::new(&source.path))
                    .ok()
                    .map(|hash| short_digest(&hash)),
            };
            found == source.digest
        })
    });
    looked.await.unwrap_or(false)
}

impl<E: Engine> Core<E> {
    /// Files of a component have changed.
    pub(crate) fn files_changed(&mut self, change: &Change) {
        let Some(name) = self.named(change.owner.as_str()) else {
            return;
        };
        let what = spoken(change, &self.config.folder);
        self.look_for_folders();
        self.keep_assets();
        let makes = self
            .tended
            .parts()
            .get(&name)
            .and_then(|part| part.component.as_ref())
            .is_some_and(|component| component.build.is_some() || component.pack.is_some());
        let wish = match change.action {
            WatchAction::Sync => {
                self.note(Tone::Note, format!("{name}: {what}"));
                return;
            }
            WatchAction::Rebuild if makes => {
                let build = self
                    .tended
                    .parts()
                    .get(&name)
                    .and_then(|part| part.component.as_ref()?.build.clone());
                self.maker.changed.extend(build);
                Wish::Make
            }
            WatchAction::Restart | WatchAction::Rebuild => Wish::Restart(Because::FilesChanged(what)),
        };
        self.learn(Fact::Wished { name, wish });
    }

    /// Looks whether the folders that sites serve are there.
    pub(crate) fn look_for_folders(&mut self) {
        let is_there = |folder: &str| {
            let stat = files::stat_through(Path::new(folder));
            stat.is_some_and(|stat| stat.kind == files::Kind::Folder)
        };
        let looked: Vec<(Name, Option<String>)> = self
            .tended
            .parts()
            .iter()
            .filter_map(|(name, part)| {
                let folder = &part.component.as_ref()?.site.as_ref()?.folder;
                let missing = (!is_there(folder)).then(|| folder.clone());
                (missing != part.missing).then(|| (name.clone(), missing))
            })
            .collect();
        for (name, missing) in looked {
            self.learn(Fact::Folder { name, missing });
        }
        let misses = self.tended.parts().values().any(|part| part.missing.is_some());
        self.look_again = misses.then(|| clock::now() + LOOK_AGAIN);
    }

    /// Runs a build beside the core.
    pub(crate) fn build(&mut self, seq: Seq, build: &Arc<Build>) {
        let owners: Vec<(Name, Arc<Component>)> = self
            .tended
            .parts()
            .iter()
            .filter_map(|(name, part)| Some((name, part.component.as_ref()?)))
            .filter(|(_, component)| component.build.as_ref() == Some(&build.name))
            .map(|(name, component)| (name.clone(), Arc::clone(component)))
            .collect();
        let names: Vec<Name> = owners.iter().map(|(name, _)| name.clone()).collect();
        self.maker.pause(&names);
        let changed = self.maker.changed.remove(&build.name);
        let (lines, from_build) = channel(LINES);
        let (env, files) = self.wardrobe.variables(&build.env, None, &self.addresses);
        let request = Request {
            build: Arc::clone(build),
            env,
            files,
            force: self.force_builds || changed,
            changed,
            outputs: owners
                .iter()
                .flat_map(|(_, component)| build::outputs(component, &self.config.folder))
                .collect(),
            lines: Some(lines),
        };
        tokio::spawn(pass_on(from_build, self.inbox.clone()));
        let builds = Arc::clone(&self.maker.builds);
        let inbox = self.inbox.clone();
        let values = self.wardrobe.values.clone();
        let folder = self.config.folder.clone();
        let name = build.name.clone();
        tokio::spawn(async move {
            let outcome = builds.run(request).await;
            let made = match &outcome {
                Outcome::Done { .. } | Outcome::Unchanged => Ok(made(owners, values, folder).await),
                Outcome::Failed { exit, last, log } => Err(failed(&exit.to_string(), last, log)),
                Outcome::Cancelled => Err("it was cancelled".to_owned()),
            };
            let anew: Vec<Name> = match (&outcome, &made) {
                // What was made cannot be looked at: it is taken for new where files had changed.
                (Outcome::Done { .. }, Ok(made)) if changed => made
                    .iter()
                    .filter(|(_, known, _)| !known)
                    .map(|(name, ..)| name.clone())
                    .collect(),
                _ => Vec::new(),
            };
            let result = made.map(|made| made.into_iter().map(|(name, _, digest)| (name, digest)).collect());
            let outcome = result
                .as_ref()
                .map(|_: &Vec<(Name, String)>| ())
                .map_err(Clone::clone);
            let fact = Fact::Built { build: name, result };
            // That nobody listens any more means that we are ending.
            let _ = inbox.send(Message::Done { seq, fact, outcome });
            let _ = inbox.send(Message::Built { owners: names, anew });
        });
    }

    /// A build is over: its files are watched again, and those that cannot be known to be as they were are started anew.
    pub(crate) fn built(&mut self, owners: &[Name], anew: Vec<Name>) {
        self.maker.resume(owners);
        self.keep_assets();
        for name in anew {
            let wish = Wish::Restart(Because::Changed);
            self.learn(Fact::Wished { name, wish });
        }
    }

    /// Packs an extension beside the core.
    pub(crate) fn pack(&mut self, seq: Seq, name: Name) {
        let part = self.tended.parts().get(&name);
        let Some(what) = part.and_then(|part| part.component.as_ref()?.pack.clone()) else {
            let fact = Fact::Packed { name, result: Ok(()) };
            let _ = self.inbox.send(Message::Done {
                seq,
                fact,
                outcome: Ok(()),
            });
            return;
        };
        let out = self.config.state.join("packages");
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let of = name.clone();
            let packed = tokio::task::spawn_blocking(move || {
                files::make_private(&out).map_err(|error| error.to_string())?;
                pack::pack(&of, &what, &out).map_err(|error| crate::errors::told(&error))
            });
            let packed = packed
                .await
                .unwrap_or_else(|_| Err("packing broke off".to_owned()));
            // A new steward packs again, since it cannot know what has changed; what is the same is no news.
            if let Some(packed) = packed.as_ref().ok().filter(|packed| packed.is_new) {
                let files = match packed.files {
                    1 => "1 file".to_owned(),
                    files => format!("{files} files"),
                };
                let text = format!("{name}: packed {files} into {}", packed.path.display());
                let _ = inbox.send(Message::Note(Tone::Note, text));
            }
            let result = packed.map(|_| ());
            let outcome = result.clone();
            let fact = Fact::Packed { name, result };
            let _ = inbox.send(Message::Done { seq, fact, outcome });
        });
    }
}

/// The digests of those that a build has made, and whether what was made could be looked at.
async fn made(
    owners: Vec<(Name, Arc<Component>)>,
    values: Variables,
    folder: PathBuf,
) -> Vec<(Name, bool, String)> {
    let looked = tokio::task::spawn_blocking(move || {
        let one = |(name, component): (Name, Arc<Component>)| {
            let made = build::artifact(&component, &folder);
            let digest = digest(&component, made.as_deref(), &values);
            (name, made.is_some(), digest)
        };
        owners.into_iter().map(one).collect()
    });
    looked.await.unwrap_or_default()
}

fn failed(exit: &str, last: &[String], log: &Path) -> String {
    let mut text = format!("its command {exit}");
    for line in last.iter().rev().take(5).rev() {
        text.push_str("\n    ");
        text.push_str(line);
    }
    text.push_str(&format!("\n  all of it: {}", log.display()));
    text
}

async fn pass_on(mut lines: tokio::sync::mpsc::Receiver<Line>, inbox: UnboundedSender<Message>) {
    while let Some(line) = lines.recv().await {
        if inbox
            .send(Message::BuildLine(line.build.to_string(), line.text))
            .is_err()
        {
            return;
        }
    }
}

/// What has changed, in words: `src/main.rs`, or `src/main.rs and 3 more`.
fn spoken(change: &Change, folder: &Path) -> String {
    let first = change.paths.first().map_or_else(
        || "a file".to_owned(),
        |path| path.strip_prefix(folder).unwrap_or(path).display().to_string(),
    );
    match change.count {
        0 | 1 => first,
        count => format!("{first} and {} more", count - 1),
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "a file that is looked at has to be there"
)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_looked_at_before_a_build_ended_is_stale() {
        let apply: Apply = serde_json::from_value(serde_json::json!({
            "product": { "product": "shop", "environment": "dev", "folder": "/shop", "sources": [], "components": {}, "builds": {} },
            "values": {}, "base": {}, "only": [], "build": false, "manifest": "/shop/towpath.toml",
        }))
        .expect("it is one");
        let rounds = Rounds::default();
        let looked = Looked::at(apply, &rounds).await;
        assert!(!looked.is_stale(&rounds));
        rounds.turn();
        assert!(looked.is_stale(&rounds));
    }

    #[tokio::test]
    async fn files_are_unchanged_until_one_of_them_is_written_or_comes_into_being() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("towpath.toml"), "product = \"shop\"").expect("it can be written");
        let sources = vec![
            Source {
                path: path("towpath.toml"),
                digest: Some(text_digest(b"product = \"shop\"")),
            },
            Source {
                path: path(".env"),
                digest: None,
            },
        ];
        assert!(unchanged(sources.clone()).await);
        std::fs::write(path(".env"), "").expect("it can be written");
        assert!(!unchanged(sources.clone()).await);
        std::fs::remove_file(path(".env")).expect("it is there");
        std::fs::write(path("towpath.toml"), "product = \"shops\"").expect("it can be written");
        assert!(!unchanged(sources).await);
    }
}
