//! `towpath resource`: makes a resource of the product ready, and becomes its server. A steward starts this, nobody types it.
//!
//! Everything stands in the environment, and the password in a file that only this process can read. It happens before there
//! is a runtime or a second thread: becoming Postgres as root means to become somebody else first.

use crate::door::files;
use crate::door::person;
use crate::door::signals::Interrupts;
use crate::door::state::{empty_for, remove_aside};
use crate::failure::{Failure, Kind};
use std::path::{Path, PathBuf};
use towpath_bucket::{Rule, Settings};
use towpath_decide::launch::{PASSWORD, POOLED};
use towpath_model::desired::resource::ResourceKind;
use towpath_model::run::Resource;
use towpath_model::sealed::Sealed;
use towpath_resource::postgres::{self, PoolOrder, PostgresOrder};
use towpath_resource::redis::{self, RedisOrder};
use towpath_resource::{Exec, ResourceError};
use towpath_steward::{RESOURCE, RESOURCE_FOLDER, RESOURCE_MAKING};

/// What the key is derived for that a bucket is encrypted with.
const ENCRYPTION: &str = "towpath 2026 content of a bucket";

/// A password has 64 letters.
const MOST: usize = 4096;

pub(super) fn run() -> Result<(), Failure> {
    let order = Order::read()?;
    // What was to be deleted stands in nobody's way; where it cannot be, somebody is told when they delete again.
    let _ = remove_aside(&order.folder);
    if let Some(making) = &order.making {
        order.begin_empty(making)?;
    }
    let done = match order.resource.kind {
        _ if order.resource.pool.is_some() => postgres::prepare_pool(&order.pool()?).and_then(Exec::exec),
        ResourceKind::Postgres => postgres::prepare(&order.postgres()).and_then(Exec::exec),
        ResourceKind::Redis => redis::prepare(&order.redis()).and_then(Exec::exec),
        ResourceKind::Bucket => return order.serve_bucket(),
    };
    match done {
        // The server has taken over by then: nothing comes back but an error.
        Ok(never) => match never {},
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &ResourceError) -> Failure {
    let failure = Failure::new(Kind::Remote, error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What a steward wants.
struct Order {
    resource: Resource,
    folder: PathBuf,
    port: u16,
    password: Sealed<String>,
    /// The port of what it pools.
    pooled: Option<u16>,
    /// The making of the environment that it begins empty for.
    making: Option<String>,
}

impl Order {
    fn read() -> Result<Self, Failure> {
        let all = person::environment();
        let maybe = |name: &str| {
            let found = all.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        let said = |name: &str| maybe(name).ok_or_else(|| not_by_hand(name));
        let resource = serde_json::from_str(said(RESOURCE)?).map_err(|_| not_by_hand(RESOURCE))?;
        let port = said("PORT")?.parse().map_err(|_| not_by_hand("PORT"))?;
        let path = said(PASSWORD)?;
        let password = files::text(Path::new(path), MOST)?.ok_or_else(|| not_by_hand(PASSWORD))?;
        Ok(Order {
            resource,
            folder: said(RESOURCE_FOLDER)?.into(),
            port,
            password: Sealed::new(password.trim_end().to_owned()),
            pooled: maybe(POOLED).and_then(|port| port.parse().ok()),
            making: maybe(RESOURCE_MAKING).map(str::to_owned),
        })
    }

    /// What it kept before its environment was made goes.
    fn begin_empty(&self, making: &str) -> Result<(), Failure> {
        let folder = self.folder.display();
        match empty_for(&self.folder, making) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::new(
                Kind::Remote,
                format!("{folder} is in use, and is not emptied"),
            )),
            Err(error) => Err(Failure::new(
                Kind::Remote,
                format!("{folder} cannot be emptied: {error}"),
            )),
        }
    }

    fn postgres(&self) -> PostgresOrder {
        let resource = &self.resource;
        PostgresOrder {
            folder: self.folder.clone(),
            port: self.port,
            database: resource.database.clone(),
            user: resource.user.clone(),
            password: self.password.clone(),
            extensions: resource.extensions.clone(),
            version: resource.version.clone(),
            memory: resource.memory.map(|memory| memory.count()),
            connections: resource.connections,
        }
    }

    fn pool(&self) -> Result<PoolOrder, Failure> {
        let (Some(pool), Some(server)) = (&self.resource.pool, self.pooled) else {
            return Err(not_by_hand(POOLED));
        };
        Ok(PoolOrder {
            folder: self.folder.clone(),
            port: self.port,
            server,
            user: self.resource.user.clone(),
            password: self.password.clone(),
            size: pool.size,
            mode: pool.mode,
        })
    }

    fn redis(&self) -> RedisOrder {
        let resource = &self.resource;
        RedisOrder {
            folder: self.folder.clone(),
            port: self.port,
            password: self.password.clone(),
            version: resource.version.clone(),
            memory: resource.memory.map(|memory| memory.count()),
            evict: resource.evict,
            persistent: resource.persistent,
        }
    }

    fn bucket(&self) -> Settings {
        let resource = &self.resource;
        let key = blake3::derive_key(ENCRYPTION, self.password.open().as_bytes());
        let rules = resource.expiry.iter().map(|expiry| Rule {
            prefix: expiry.prefix.clone(),
            after: expiry.after.to_std(),
            old_versions: expiry.old_versions,
        });
        Settings {
            folder: self.folder.clone(),
            name: resource.database.clone(),
            key: resource.user.clone(),
            secret: self.password.clone(),
            region: resource.region.clone(),
            versioning: resource.versioning,
            public: resource.public,
            lifecycle: rules.collect(),
            encrypted: resource.encrypted,
            encryption_key: Some(Sealed::new(key)),
            most: resource.storage.map(|storage| storage.count()),
        }
    }

    /// A bucket is served by ourselves.
    fn serve_bucket(&self) -> Result<(), Failure> {
        let settings = self.bucket();
        let port = self.port;
        crate::talk::wait(async move {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await;
            let listener = listener.map_err(|error| {
                Failure::new(
                    Kind::Remote,
                    format!("port {port} cannot be listened on: {error}"),
                )
            })?;
            let mut interrupts = Interrupts::listen()?;
            let served =
                towpath_bucket::serve(listener, settings, async move { interrupts.next().await }).await;
            served.map_err(|error| Failure::new(Kind::Remote, error.to_string()))
        })
    }
}

fn not_by_hand(name: &str) -> Failure {
    Failure::new(Kind::User, format!("`{name}` is not set as a steward sets it"))
        .hint("`towpath up` starts resources; this command is not for people")
}
