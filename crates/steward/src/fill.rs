//! Filling: what a resource is given once it takes requests, and before anybody else is let in: its schema, and a seed.
//!
//! What has been done is written down in the resource itself, so that this may be asked for as often as somebody likes: with
//! nothing left to do it is a look. Nobody who needs the resource starts before it is done, and a resource whose schema
//! cannot be moved is not well, and says why.

use crate::door::{clock, files};
use crate::dress::Wardrobe;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use towpath_api::Keeps;
use towpath_decide::launch::ADDRESS;
use towpath_decide::moving::{self, Allowed};
use towpath_model::desired::resource::{Phase, ResourceKind};
use towpath_model::run::Resource;
use towpath_model::sealed::Sealed;
use towpath_model::unit::Name;
use towpath_resource::ResourceError;
use towpath_resource::migrate::{self, Bounds, Command, Tell};
use towpath_resource::seed::{self, Mark, Seed, Seeded};

/// How long a connection may take to a server that has just said that it is ready.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a look may take: somebody waits for it at a terminal.
const LOOK: Duration = Duration::from_millis(700);

/// How it is told that something could not be done.
const MIGRATING: &str = "its migrations fail";
const SEEDING: &str = "its seed fails";
const LOADING: &str = "the rows of its environment fail";

/// The file by which it is known that a bucket was filled.
const FILLED: &str = "filled";

/// What is to be done to a resource.
#[derive(Debug)]
pub(crate) struct Filling {
    name: Name,
    /// The folder of the product.
    dir: String,
    resource: Arc<Resource>,
    address: Sealed<String>,
    password: Sealed<String>,
    port: Option<u16>,
    env: Vec<(String, Sealed<String>)>,
    folder: PathBuf,
}

impl Filling {
    /// What is to be done to a resource of this name, with what its own variables say.
    pub(crate) fn of(
        (name, dir): (&Name, &str),
        resource: &Arc<Resource>,
        env: Vec<(String, Sealed<String>)>,
        wardrobe: &Wardrobe,
        port: Option<u16>,
    ) -> Self {
        let nothing = || Sealed::new(String::new());
        let address = env.iter().find(|(known, _)| known == ADDRESS);
        Filling {
            name: name.clone(),
            dir: dir.to_owned(),
            resource: Arc::clone(resource),
            address: address.map_or_else(nothing, |(_, value)| value.clone()),
            password: wardrobe
                .values
                .get(&resource.password)
                .cloned()
                .unwrap_or_else(nothing),
            port,
            env,
            folder: wardrobe.resources.join(name.as_str()),
        }
    }

    /// What opens it.
    pub(crate) fn password(&self) -> &Sealed<String> {
        &self.password
    }

    /// How it is; nothing where it does not answer soon.
    pub(crate) async fn look(&self) -> Option<Keeps> {
        if self.resource.pool.is_some() {
            // It keeps nothing.
            return None;
        }
        if self.resource.kind == ResourceKind::Bucket {
            let (at, access) = self.bucket()?;
            let looked = tokio::time::timeout(LOOK, towpath_bucket::look(at, &access)).await;
            let facts = looked.ok()?.ok()?;
            return Some(Keeps {
                version: None,
                bytes: facts.bytes,
                connections: None,
                objects: Some(facts.objects),
                last_backup: None,
            });
        }
        let facts = towpath_resource::look(&self.address, LOOK).await.ok()?;
        Some(Keeps {
            version: Some(facts.version),
            bytes: facts.bytes,
            connections: Some(facts.connections),
            objects: None,
            last_backup: None,
        })
    }

    /// Whether there is anything to do at all.
    pub(crate) fn is_wanted(&self) -> bool {
        let resource = &self.resource;
        resource.migrate.is_some() || resource.seed.is_some() || resource.load.is_some()
    }

    /// What may run now of what moves its schema.
    pub(crate) fn allowed(&self, is_new: bool) -> Option<Allowed> {
        let migrate = self.resource.migrate.as_ref()?;
        Some(moving::allowed(migrate, is_new, clock::today()))
    }

    /// Does what has not been done yet. What was allowed, where something waits until more is; or why it could not be done,
    /// in words that stand behind the resource's name.
    pub(crate) async fn fill(&self, tell: Tell<'_>) -> Result<Option<Allowed>, String> {
        let failed = |doing: &'static str| move |error| self.said(doing, error);
        let waits = self.migrate(&mut *tell).await.map_err(failed(MIGRATING))?;
        self.seed(&mut *tell).await.map_err(failed(SEEDING))?;
        self.load(tell).await.map_err(failed(LOADING))?;
        Ok(waits)
    }

    /// The migrations that have run in it.
    pub(crate) async fn has_run(&self) -> Result<BTreeSet<String>, String> {
        let ran = migrate::ran(&self.address, self.bounds()).await;
        ran.map_err(|error| self.said(MIGRATING, error))
    }

    /// Moves its schema by one migration of a release, with those before it that may run, too; and fills it, where it meets its
    /// first release. The migrations that have run then.
    pub(crate) async fn move_schema(
        &self,
        wanted: &str,
        allowed: &[Phase],
        fills: bool,
        tell: Tell<'_>,
    ) -> Result<BTreeSet<String>, String> {
        let failed = |doing: &'static str| move |error| self.said(doing, error);
        let folder = self
            .resource
            .migrate
            .as_ref()
            .and_then(|migrate| migrate.folder.as_ref());
        let folder = folder.ok_or_else(|| "it has no folder of migrations".to_owned())?;
        let files = migrate::read(Path::new(folder)).map_err(failed(MIGRATING))?;
        let report = migrate::run(&self.address, &files, allowed, self.bounds(), &mut *tell).await;
        let report = report.map_err(failed(MIGRATING))?;
        if fills {
            self.seed(&mut *tell).await.map_err(failed(SEEDING))?;
            self.load(tell).await.map_err(failed(LOADING))?;
        }
        let ran = self.has_run().await?;
        match report.waiting.iter().find(|one| one.name == wanted) {
            Some(waiting) if !ran.contains(wanted) => {
                let behind = waiting.behind.as_deref().unwrap_or("others");
                Err(format!("{wanted} waits behind {behind}, which may not run yet"))
            }
            _ if !ran.contains(wanted) => Err(format!("there is no {wanted} in {}", self.short(folder))),
            _ => Ok(ran),
        }
    }

    /// What went wrong, with the file as a person finds it, and what to do about it.
    fn said(&self, doing: &str, error: ResourceError) -> String {
        let resource = &self.resource;
        let named = match doing {
            MIGRATING => resource
                .migrate
                .as_ref()
                .and_then(|migrate| migrate.folder.as_ref()),
            SEEDING => resource.seed.as_ref().and_then(|seed| seed.file.as_ref()),
            _ => resource.load.as_ref(),
        };
        let error = match (error, named.map(|path| self.short(path))) {
            (
                ResourceError::Statement {
                    file,
                    line,
                    said,
                    stays,
                },
                Some(named),
            ) => ResourceError::Statement {
                file: if doing == MIGRATING {
                    format!("{named}/{file}")
                } else {
                    named
                },
                line,
                said,
                stays,
            },
            (error, _) => error,
        };
        let mut text = format!("{doing}: {error}");
        // What the system has said stands behind an error of ours, not in it.
        if let Some(why) = std::error::Error::source(&error) {
            text.push_str(&format!(": {why}"));
        }
        let by_hand = || format!("`towpath restart {}` tries it again at once", self.name);
        text + "; " + &error.hint().unwrap_or_else(by_hand)
    }

    fn bounds(&self) -> Bounds {
        let lock = self
            .resource
            .migrate
            .as_ref()
            .map_or(CONNECT, |migrate| migrate.lock.to_std());
        Bounds {
            connect: CONNECT,
            lock,
        }
    }

    fn command(&self, line: &str, dir: &str) -> Command {
        Command {
            line: line.to_owned(),
            folder: dir.into(),
            environment: self.env.clone(),
        }
    }

    async fn migrate(&self, tell: Tell<'_>) -> Result<Option<Allowed>, ResourceError> {
        let Some(wanted) = &self.resource.migrate else {
            return Ok(None);
        };
        let bounds = self.bounds();
        let is_new = !moving::is_bounded(wanted) || migrate::is_new(&self.address, bounds).await?;
        let allowed = moving::allowed(wanted, is_new, clock::today());
        let mut waits = false;
        if let Some(folder) = &wanted.folder {
            let files = migrate::read(Path::new(folder))?;
            let report = migrate::run(&self.address, &files, &allowed.phases, bounds, &mut *tell).await?;
            waits = moving::is_bounded(wanted) && !report.waiting.is_empty();
        }
        match (&wanted.command, &wanted.window) {
            (Some(line), _) if allowed.command => {
                let command = self.command(line, &wanted.dir);
                migrate::command(&self.address, &command, bounds, tell).await?;
            }
            (Some(line), Some(window)) => {
                tell(&format!("`{line}` waits until it may run: {window}"));
                waits = true;
            }
            _ => {}
        }
        Ok(waits.then_some(allowed))
    }

    /// Loads the environment's own rows, behind the seed.
    async fn load(&self, tell: Tell<'_>) -> Result<(), ResourceError> {
        let Some(file) = &self.resource.load else {
            return Ok(());
        };
        if seed::load(&self.address, Path::new(file), self.bounds()).await? == Seeded::Now {
            tell(&format!("loaded {}", self.short(file)));
        }
        Ok(())
    }

    /// A path as a person says it.
    fn short(&self, path: &str) -> String {
        let dir = format!("{}/", self.dir);
        path.strip_prefix(&dir).unwrap_or(path).to_owned()
    }

    async fn seed(&self, tell: Tell<'_>) -> Result<(), ResourceError> {
        let Some(wanted) = &self.resource.seed else {
            return Ok(());
        };
        let command = wanted
            .command
            .as_deref()
            .map(|line| self.command(line, &wanted.dir));
        let is_bucket = self.resource.kind == ResourceKind::Bucket;
        let mut filled = Filled(self.folder.join(FILLED));
        let seeded = match (wanted.file.as_deref().map(Path::new), command) {
            (_, Some(command)) if is_bucket => seed::by_command(&mut filled, &command, &mut *tell).await?,
            (Some(folder), None) if is_bucket => self.put_all(&mut filled, folder, &mut *tell).await?,
            (Some(file), _) => {
                seed::seed(&self.address, &Seed::file(file)?, self.bounds(), &mut *tell).await?
            }
            (None, Some(command)) => {
                seed::seed(&self.address, &Seed::Command(command), self.bounds(), &mut *tell).await?
            }
            (None, None) => return Ok(()),
        };
        if seeded == Seeded::Now {
            tell("filled for the first time");
        }
        Ok(())
    }
}

impl Filling {
    /// What a bucket is asked with, and where.
    fn bucket(&self) -> Option<(SocketAddr, towpath_bucket::Access)> {
        let access = towpath_bucket::Access {
            key: self.resource.user.clone(),
            secret: self.password.clone(),
            region: self.resource.region.clone(),
        };
        Some((SocketAddr::from((Ipv4Addr::LOCALHOST, self.port?)), access))
    }

    /// Makes each file of a folder an object, unless that has been done: its name is its path from there. Whoever is
    /// interrupted begins again, and writes the same over what is there.
    async fn put_all(
        &self,
        filled: &mut Filled,
        folder: &Path,
        tell: Tell<'_>,
    ) -> Result<Seeded, ResourceError> {
        let Some((at, access)) = self.bucket() else {
            return Ok(Seeded::Before);
        };
        if filled.is_there().await? {
            return Ok(Seeded::Before);
        }
        let mut paths = Vec::new();
        below(folder, &mut paths)?;
        for path in &paths {
            let key = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
            let body = files::open_beside(path).await;
            let body = body.map_err(ResourceError::files("reading", path))?;
            let kind = mime_guess::from_path(path).first_or_octet_stream();
            let whose = (self.resource.database.as_str(), &*key);
            let put = towpath_bucket::put(at, &access, whose, kind.as_ref(), body).await;
            put.map_err(|error| ResourceError::Store {
                doing: format!("filling it with {key}"),
                at: at.to_string(),
                said: error.to_string(),
            })?;
        }
        tell(&format!(
            "{} objects from {}",
            paths.len(),
            self.short(&folder.to_string_lossy())
        ));
        filled.set(&folder.to_string_lossy()).await?;
        Ok(Seeded::Now)
    }
}

/// The files in a folder and in all folders below it.
fn below(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), ResourceError> {
    let names = match files::list(folder) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            let folder = folder.display();
            return Err(ResourceError::Unread {
                problems: vec![format!(
                    "{folder} is no folder: a bucket is filled with a folder, and each file in it is an object"
                )],
            });
        }
        Err(error) => return Err(ResourceError::files("reading", folder)(error)),
    };
    for (name, kind) in names {
        let path = folder.join(name);
        match kind {
            files::Kind::Folder => below(&path, paths)?,
            files::Kind::File => paths.push(path),
            // A link to a file is that file. One to a folder may lead in a circle.
            files::Kind::Link
                if files::stat_through(&path).is_some_and(|stat| stat.kind == files::Kind::File) =>
            {
                paths.push(path);
            }
            files::Kind::Link | files::Kind::Other => {}
        }
    }
    Ok(())
}

/// The mark of a bucket that was filled: a file beside it.
struct Filled(PathBuf);

impl Mark for Filled {
    async fn is_there(&mut self) -> Result<bool, ResourceError> {
        Ok(crate::door::files::stat(&self.0).is_some())
    }

    async fn set(&mut self, digest: &str) -> Result<(), ResourceError> {
        crate::door::files::write_whole(&self.0, digest.as_bytes())
            .map_err(ResourceError::files("writing", &self.0))
    }
}
