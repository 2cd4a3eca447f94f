//! Filling: what a resource is given once it takes requests, and before anybody else is let in: its schema, and a seed.
//!
//! What has been done is written down in the resource itself, so that this may be asked for as often as somebody likes: with
//! nothing left to do it is a look. Nobody who needs the resource starts before it is done, and a resource whose schema
//! cannot be moved is not well, and says why.

use crate::dress::Wardrobe;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use towpath_api::Keeps;
use towpath_decide::launch::ADDRESS;
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

/// The phases that run where nobody chooses: nothing of an older release runs beside this.
const ALL: &[Phase] = &[Phase::Expand, Phase::Backfill, Phase::Contract];

/// The file by which it is known that a bucket was filled.
const FILLED: &str = "filled";

/// What is to be done to a resource.
#[derive(Debug)]
pub(crate) struct Filling {
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
        name: &Name,
        resource: &Arc<Resource>,
        env: Vec<(String, Sealed<String>)>,
        wardrobe: &Wardrobe,
        port: Option<u16>,
    ) -> Self {
        let nothing = || Sealed::new(String::new());
        let address = env.iter().find(|(known, _)| known == ADDRESS);
        Filling {
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
        if self.resource.kind == ResourceKind::Bucket {
            let access = towpath_bucket::Access {
                key: self.resource.user.clone(),
                secret: self.password.clone(),
                region: self.resource.region.clone(),
            };
            let at = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port?));
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
        self.resource.migrate.is_some() || self.resource.seed.is_some()
    }

    /// Does what has not been done yet. Why it could not be, in words that stand behind the resource's name.
    pub(crate) async fn fill(&self, tell: Tell<'_>) -> Result<(), String> {
        self.migrate(tell).await.map_err(said)?;
        self.seed(tell).await.map_err(said)
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

    async fn migrate(&self, tell: Tell<'_>) -> Result<(), ResourceError> {
        let Some(wanted) = &self.resource.migrate else {
            return Ok(());
        };
        if let Some(folder) = &wanted.folder {
            let files = migrate::read(Path::new(folder))?;
            let phases = if wanted.phases.is_empty() {
                ALL
            } else {
                wanted.phases.as_slice()
            };
            migrate::run(&self.address, &files, phases, self.bounds(), &mut *tell).await?;
        }
        if let Some(line) = &wanted.command {
            let command = self.command(line, &wanted.dir);
            migrate::command(&self.address, &command, self.bounds(), tell).await?;
        }
        Ok(())
    }

    async fn seed(&self, tell: Tell<'_>) -> Result<(), ResourceError> {
        let Some(wanted) = &self.resource.seed else {
            return Ok(());
        };
        let file = wanted
            .file
            .as_deref()
            .map(|file| Seed::file(Path::new(file)))
            .transpose()?;
        let command = wanted
            .command
            .as_deref()
            .map(|line| self.command(line, &wanted.dir));
        let seeded = match (file, command) {
            (_, Some(command)) if self.resource.kind == ResourceKind::Bucket => {
                seed::by_command(&mut Filled(self.folder.join(FILLED)), &command, &mut *tell).await?
            }
            (Some(file), _) => seed::seed(&self.address, &file, self.bounds(), &mut *tell).await?,
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

/// What went wrong, and what to do about it.
fn said(error: ResourceError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
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
