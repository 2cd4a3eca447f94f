//! Making a release, and bringing it to an environment: what the steward knows is asked first, what it does not have is
//! brought, and only then it is told.

use crate::checked::Checked;
use crate::door::{clock, files, git, person};
use crate::failure::{Failure, Kind};
use crate::here::{self, Here, Purpose};
use crate::launched::launch_release;
use crate::talk::failed;
use crate::view::{measure, paint, progress};
use futures_util::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use towpath_api::{Client, ClientError, Deploy, Missing, Versioned, Versions};
use towpath_decide::launch::release::{Made, content, secrets};
use towpath_decide::launch::{Launched, text_digest};
use towpath_model::Desired;
use towpath_model::desired::secret::Generator;
use towpath_model::run::{Content, Migration, Origin, Product, Tree};
use towpath_model::unit::Name;
use towpath_steward::gather::{Gathered, Refused};

/// So many files are asked about at once: a question is held in memory by both.
const ASKED: usize = 5_000;

/// So many files are brought at once: enough that none waits for the disk alone.
const AT_ONCE: usize = 8;

/// Finds the environment that is meant.
pub(crate) fn aim(env: &str, manifest: Option<&Path>) -> Result<Here, Failure> {
    let words = manifest.map(|path| {
        let text = path.to_string_lossy().into_owned();
        match here::is_path(&text) {
            true => text,
            false => format!("./{text}"),
        }
    });
    let words: Vec<String> = words.into_iter().collect();
    Here::find(&words, Some(env), Purpose::Running)
}

/// An environment that a release is made for.
pub(crate) struct Making<'a> {
    pub(crate) here: &'a Here,
    pub(crate) client: &'a Client,
    pub(crate) checked: Checked,
}

impl<'a> Making<'a> {
    pub(crate) fn new(here: &'a Here, client: &'a Client) -> Self {
        let checked = here.check();
        Making {
            here,
            client,
            checked,
        }
    }

    /// What runs, with paths from this folder on, and the secrets that it is started with. What may be made up is made up.
    pub(crate) async fn launch(
        &self,
        folder: &Path,
        terminal: crate::door::terminal::Terminal,
    ) -> Result<(Launched, BTreeMap<String, u64>), Failure> {
        let mut versions = self.versions(BTreeMap::new()).await?;
        let mut tell = |text: &str| terminal.tell(text);
        let launched = launch_release(
            &self.here.place,
            &self.checked,
            (&self.here.environment, folder),
            &versions,
            terminal.color_errors,
            &mut tell,
        )?;
        if !launched.generate.is_empty() {
            let names = launched.generate.iter();
            let names = names.map(|(name, how)| (name.clone(), Some(*how)));
            versions.extend(self.versions(names.collect()).await?);
        }
        Ok((launched, versions))
    }

    async fn versions(
        &self,
        names: BTreeMap<String, Option<Generator>>,
    ) -> Result<BTreeMap<String, u64>, Failure> {
        let asked = Versioned { names };
        let told: Result<Versions, ClientError> = self
            .client
            .ask(http::Method::POST, "/secrets/versions", &asked)
            .await;
        told.map(|told| told.versions)
            .map_err(|error| failed(&error, self.here))
    }

    /// The product with the environment laid over it.
    pub(crate) fn desired(&self) -> Result<&Desired, Failure> {
        let (desired, _) = self.checked.product(Some(&self.here.environment))?;
        Ok(desired)
    }

    /// The release of what was found.
    pub(crate) fn content(
        &self,
        product: &Product,
        artifacts: BTreeMap<Name, String>,
        versions: BTreeMap<String, u64>,
        migrations: BTreeMap<Name, Vec<Migration>>,
    ) -> Result<Content, Failure> {
        let named = secrets(product);
        let made = Made {
            manifest: digest_of(&self.checked),
            artifacts,
            versions: versions
                .into_iter()
                .filter(|(name, _)| named.contains(name))
                .collect(),
            migrations,
        };
        Ok(content(self.desired()?, &product.environment, product, &made))
    }

    /// Brings what is missing there, and says how many files that were.
    pub(crate) async fn bring(
        &self,
        gathered: &Gathered,
        terminal: crate::door::terminal::Terminal,
    ) -> Result<usize, Failure> {
        let told = |error: ClientError| failed(&error, self.here);
        let all: BTreeMap<String, u64> = gathered
            .trees
            .values()
            .flat_map(Tree::files)
            .map(|(digest, bytes)| (digest.to_owned(), bytes))
            .collect();
        let names: Vec<&String> = all.keys().collect();
        let mut missing: BTreeSet<String> = BTreeSet::new();
        for asked in names.chunks(ASKED) {
            let files = asked.iter().map(|name| (*name).clone()).collect();
            let answer: Result<Missing, ClientError> = self
                .client
                .ask(http::Method::POST, "/artifacts/missing", &Missing { files })
                .await;
            missing.extend(answer.map_err(told)?.files);
        }
        if missing.is_empty() {
            return Ok(0);
        }
        let bytes: u64 = missing.iter().filter_map(|digest| all.get(digest)).sum();
        terminal.tell(&format!(
            "bringing {}, {}\n",
            measure::counted(missing.len(), "file"),
            measure::bytes(bytes)
        ));
        let one = |digest: &String| {
            let place = gathered.files.get(digest).cloned();
            let (digest, length) = (digest.clone(), all.get(digest).copied().unwrap_or_default());
            async move {
                let place =
                    place.ok_or_else(|| Failure::new(Kind::Internal, format!("file {digest} is nowhere")))?;
                let file = files::open_beside(&place).await?;
                let brought: Result<(), ClientError> = self
                    .client
                    .put(&format!("/artifacts/{digest}"), file, length)
                    .await;
                brought.map_err(|error| unbrought(&error, &place, self.here))
            }
        };
        let mut brought = futures_util::stream::iter(missing.iter().map(one)).buffer_unordered(AT_ONCE);
        while let Some(done) = brought.next().await {
            done?;
        }
        Ok(missing.len())
    }
}

/// Why a file was not brought, with its name.
fn unbrought(error: &ClientError, place: &Path, here: &Here) -> Failure {
    let failure = failed(error, here);
    let message = format!("{}: {}", place.display(), failure.message);
    let named = Failure::new(failure.kind, message);
    match failure.hint {
        Some(hint) => named.hint(hint),
        None => named,
    }
}

/// The digest of a manifest, with everything that it includes. What its files are called is no part of it: that depends on where
/// somebody stands.
fn digest_of(checked: &Checked) -> String {
    let mut whole = String::new();
    for source in &checked.reading.sources {
        whole.push_str(&format!("{}\n{}", source.text.len(), source.text));
    }
    text_digest(whole.as_bytes())
}

/// The migrations of each resource, in their order. `folder_of` says where a folder of the product lies.
pub(crate) fn migrations(
    product: &Product,
    folder_of: impl Fn(&Name, &str) -> PathBuf,
) -> Result<BTreeMap<Name, Vec<Migration>>, Failure> {
    let mut all = BTreeMap::new();
    for (name, component) in &product.components {
        let migrate = component
            .resource
            .as_ref()
            .and_then(|resource| resource.migrate.as_ref());
        let Some(folder) = migrate.and_then(|migrate| migrate.folder.as_ref()) else {
            continue;
        };
        let read = towpath_resource::migrate::read(&folder_of(name, folder)).map_err(|error| {
            let failure = Failure::new(Kind::Config, format!("the migrations of {name}: {error}"));
            match error.hint() {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        let one = |migration: towpath_resource::migrate::Migration| Migration {
            name: migration.name,
            phase: migration.phase,
            digest: migration.digest,
        };
        all.insert(name.clone(), read.into_iter().map(one).collect());
    }
    Ok(all)
}

/// Where a release comes from that is made here and now.
pub(crate) fn origin(here: &Here, build: BTreeMap<String, String>) -> Origin {
    let mut build = build;
    let commit = git::commit(&here.folder);
    if commit.as_ref().is_some_and(|(_, changed)| *changed) {
        build.insert("changes".to_owned(), "not all of it is committed".to_owned());
    }
    Origin {
        by: person::name(),
        at: Some(clock::now()),
        commit: commit.map(|(commit, _)| commit),
        build,
    }
}

/// What is handed over.
pub(crate) fn handed(content: Content, gathered: Gathered, origin: Origin, wait: bool) -> Deploy {
    Deploy {
        content,
        trees: gathered.trees,
        origin,
        answers: Vec::new(),
        wait,
    }
}

/// Everything that stands in the way of gathering, told at once.
pub(crate) fn ungathered(refused: &[Refused], terminal: crate::door::terminal::Terminal) -> Failure {
    for one in refused {
        let hint = format!("  {}: {}\n", paint::bold("help"), one.hint);
        terminal.tell(&format!("{}: {}\n{hint}", paint::red("error"), one.message));
    }
    let message = match refused.len() {
        1 => "nothing is released: something stands in the way".to_owned(),
        count => format!("nothing is released: {count} things stand in the way"),
    };
    Failure::new(Kind::User, message)
}

/// Until a release is handed over nothing has changed: whatever fails before that is refused.
pub(crate) fn before(failure: Failure) -> Failure {
    match failure.kind {
        Kind::Config | Kind::Remote => failure.by(Kind::User),
        Kind::User | Kind::Held | Kind::Internal => failure,
    }
}

/// How long something took, for people.
pub(crate) fn took(began: clock::Began) -> String {
    progress::seconds(began.took())
}
