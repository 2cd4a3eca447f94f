//! Redis, or Valkey: a folder, a configuration that holds the password, and a server that takes our place.

mod ask;
mod configuration;
pub(crate) mod resp;

pub use ask::{ask, judge};

use crate::door::{files, processes};
use crate::{Exec, Kind, ResourceError, ground, major};
use std::path::{Path, PathBuf};
use towpath_model::Sealed;
use towpath_model::desired::resource::Evict;

/// What stops the server: it writes what it has to keep, and ends.
pub const STOP_SIGNAL: &str = "TERM";

/// What is installed where there is none. The package `redis-server` would start one of its own on the port that everybody
/// knows; the server itself is in this one, too, under another name.
pub const PACKAGES: &[&str] = &["redis-tools"];

/// The programs that will do, by their files and by the names that make them servers. The check of a dump is the same program
/// as the server, and becomes what it is called.
const PROGRAMS: &[(&str, &str)] = &[
    ("redis-server", "redis-server"),
    ("valkey-server", "valkey-server"),
    ("redis-check-rdb", "redis-server"),
    ("valkey-check-rdb", "valkey-server"),
];

/// A server that is wanted.
#[derive(Debug, Clone)]
pub struct RedisOrder {
    /// The folder that is its own.
    pub folder: PathBuf,
    /// The port of 127.0.0.1.
    pub port: u16,
    /// The password of everybody.
    pub password: Sealed<String>,
    /// The version that is wanted, as it is written: `7`.
    pub version: Option<String>,
    /// The memory that it may use, in bytes.
    pub memory: Option<u64>,
    /// What goes when memory is full.
    pub evict: Evict,
    /// Whether what it holds survives.
    pub persistent: bool,
}

impl RedisOrder {
    /// Where what it keeps stands. What is not to survive has a place of its own: a server that finds something loads it,
    /// and what was kept before stays for the day when it is to survive again.
    fn kept(&self) -> PathBuf {
        let name = if self.persistent { "kept" } else { "passing" };
        self.folder.join(name)
    }
}

/// Makes everything ready, and says what is to be started. It blocks, and is for a process that becomes the server then.
pub fn prepare(order: &RedisOrder) -> Result<Exec, ResourceError> {
    let doing = |what| ResourceError::files(what, &order.folder);
    let password = order.password.open();
    if password.is_empty() || password.contains('\0') {
        return Err(ResourceError::Setting {
            what: "the password",
            value: String::new(),
            why: "it is empty, or has a zero in it",
        });
    }
    files::make_folder(&order.folder).map_err(doing("making the folder"))?;
    let server = choose(&find(), order)?;
    let lock = ground::lock(&order.folder, || None)?;
    ground::port_is_free(order.port)?;
    ground::has_room(&order.folder)?;
    if !order.persistent {
        files::remove_folder(&order.kept()).map_err(doing("emptying the folder"))?;
    }
    files::make_folder(&order.kept()).map_err(doing("making the folder"))?;
    let configuration = order.folder.join("redis.conf");
    files::write_whole(&configuration, &configuration::text(order))
        .map_err(doing("writing the configuration"))?;
    Ok(Exec {
        program: server.program,
        name: server.name.into(),
        arguments: vec![configuration.into()],
        environment: processes::environment(),
        folder: order.folder.clone(),
        lock,
    })
}

/// A program that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    program: PathBuf,
    /// What it has to be called.
    name: &'static str,
    /// As it says itself: `7.0.15`.
    version: String,
}

fn find() -> Vec<Server> {
    let mut folders = processes::path();
    for folder in ["/usr/local/bin", "/usr/bin", "/usr/sbin"] {
        if !folders.iter().any(|known| known == Path::new(folder)) {
            folders.push(folder.into());
        }
    }
    let mut servers: Vec<Server> = Vec::new();
    for (file, name) in PROGRAMS {
        for program in folders.iter().map(|folder| folder.join(file)) {
            // A file that is there under several names is one server.
            let known = |server: &Server| files::real(&server.program) == files::real(&program);
            if !files::is_program(&program) || servers.iter().any(known) {
                continue;
            }
            let said = processes::version_of(&program, name);
            if let Some(version) = said.as_deref().and_then(version) {
                servers.push(Server {
                    program,
                    name,
                    version,
                });
            }
        }
    }
    servers
}

/// The versions that are on this machine.
pub fn installed() -> Vec<String> {
    find().into_iter().map(|server| server.version).collect()
}

/// `7.0.15` of `Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64`.
fn version(said: &str) -> Option<String> {
    let version = said.split_whitespace().find_map(|word| word.strip_prefix("v="));
    version.map(str::to_owned)
}

fn choose(found: &[Server], order: &RedisOrder) -> Result<Server, ResourceError> {
    let wanted = match &order.version {
        None => None,
        Some(text) => Some(major(text).ok_or_else(|| ResourceError::Setting {
            what: "the version of Redis",
            value: text.clone(),
            why: "it begins with no number",
        })?),
    };
    let fits = |server: &&Server| wanted.is_none_or(|wanted| major(&server.version) == Some(wanted));
    let chosen = found.iter().find(fits).cloned();
    chosen.ok_or_else(|| ResourceError::NoServer {
        kind: Kind::Redis.to_string(),
        wanted: wanted.map(|wanted| wanted.to_string()),
        found: found
            .iter()
            .map(|server| format!("{} ({})", server.version, server.program.display()))
            .collect(),
        package: PACKAGES.join(" "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_the_wanted_version_is_taken() {
        let server = |program: &str, version: &str| Server {
            program: program.into(),
            name: "redis-server",
            version: version.to_owned(),
        };
        let found = [
            server("/usr/bin/redis-server", "7.0.15"),
            server("/usr/bin/valkey-server", "8.0.1"),
        ];
        let chosen = |wanted: Option<&str>| {
            let order = RedisOrder {
                folder: "/state/cache".into(),
                port: 6379,
                password: Sealed::new(String::new()),
                version: wanted.map(str::to_owned),
                memory: None,
                evict: Evict::None,
                persistent: true,
            };
            match choose(&found, &order) {
                Ok(server) => server.program.display().to_string(),
                Err(error) => format!("{error}\n{}", error.hint().unwrap_or_default()),
            }
        };
        assert_eq!(chosen(None), "/usr/bin/redis-server");
        assert_eq!(chosen(Some("7.2")), "/usr/bin/redis-server");
        assert_eq!(chosen(Some("8")), "/usr/bin/valkey-server");
        insta::assert_snapshot!(chosen(Some("6")), @r"
        Redis 6 is wanted, and only 7.0.15 (/usr/bin/redis-server) and 8.0.1 (/usr/bin/valkey-server) is here
        install it (apt-get install redis-tools), or write the version that is here
        ");
    }

    #[test]
    fn a_server_says_its_version_among_other_words() {
        let said = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=1";
        assert_eq!(version(said).as_deref(), Some("7.0.15"));
        assert_eq!(version("Valkey server v=8.0.1 sha=0").as_deref(), Some("8.0.1"));
        assert_eq!(version("redis"), None);
    }
}
