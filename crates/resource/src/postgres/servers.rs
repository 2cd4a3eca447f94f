//! Which servers are on this machine, and which of them is taken.

use super::PostgresOrder;
use crate::door::{files, processes};
use crate::{Kind, ResourceError, major};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A server that is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    /// The folder of its programs.
    pub(super) folder: PathBuf,
    /// The number that decides what it can read.
    pub(super) major: u32,
    /// As it says itself: `15.18`.
    pub(super) version: String,
}

impl Server {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn shown(&self) -> String {
        format!("{} ({})", self.version, self.folder.display())
    }
}

/// Every server here, each once, the newest first. Debian keeps them out of the way of PATH, a folder for each version.
pub(super) fn find() -> Vec<Server> {
    let mut folders = processes::path();
    for (above, below) in [("/usr/lib/postgresql", "bin"), ("/usr/lib64/pgsql", "bin")] {
        let names = files::names(Path::new(above)).unwrap_or_default();
        folders.extend(names.iter().map(|name| Path::new(above).join(name).join(below)));
    }
    for name in files::names(Path::new("/usr")).unwrap_or_default() {
        if name.starts_with("pgsql-") {
            folders.push(Path::new("/usr").join(name).join("bin"));
        }
    }
    folders.push("/usr/local/pgsql/bin".into());
    let mut seen = BTreeSet::new();
    let mut servers: Vec<Server> = folders
        .iter()
        .filter_map(|folder| at(folder, &mut seen))
        .collect();
    servers.sort_by_key(|server| std::cmp::Reverse(rank(server)));
    servers
}

fn rank(server: &Server) -> (u32, u32) {
    let minor = server.version.split_once('.').and_then(|(_, minor)| major(minor));
    (server.major, minor.unwrap_or(0))
}

/// The server in a folder, if there is a whole one. Its programs may be links into the folder where they are at home.
fn at(folder: &Path, seen: &mut BTreeSet<PathBuf>) -> Option<Server> {
    let server = folder.join("postgres");
    if !files::is_program(&server) {
        return None;
    }
    let folder = files::real(&server).parent()?.to_owned();
    if !files::is_program(&folder.join("initdb")) || !seen.insert(folder.clone()) {
        return None;
    }
    let said = processes::version_of(&folder.join("postgres"), "postgres")?;
    let version = version(&said)?;
    Some(Server {
        major: major(&version)?,
        folder,
        version,
    })
}

/// `15.18` of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn version(said: &str) -> Option<String> {
    let rest = said.split_once("(PostgreSQL)")?.1;
    rest.split_whitespace().next().map(str::to_owned)
}

/// The one that is taken: of the version that is wanted, or else of the one that wrote what is kept, or else the newest.
pub(super) fn choose(
    found: &[Server],
    order: &PostgresOrder,
    kept: Option<u32>,
) -> Result<Server, ResourceError> {
    let wanted = match &order.version {
        None => None,
        Some(text) => Some(major(text).ok_or_else(|| ResourceError::Setting {
            what: "the version of Postgres",
            value: text.clone(),
            why: "it begins with no number",
        })?),
    };
    let other = |kept: u32, wanted: u32| ResourceError::OtherVersion {
        folder: order.named(),
        kept: kept.to_string(),
        wanted: wanted.to_string(),
    };
    if let (Some(kept), Some(wanted)) = (kept, wanted)
        && kept != wanted
    {
        return Err(other(kept, wanted));
    }
    let chosen = match wanted.or(kept) {
        Some(wanted) => found.iter().find(|server| server.major == wanted),
        None => found.first(),
    };
    match (chosen, kept, found.first()) {
        (Some(server), ..) => Ok(server.clone()),
        (None, Some(kept), Some(newest)) if wanted.is_none() => Err(other(kept, newest.major)),
        (None, ..) => Err(ResourceError::NoServer {
            kind: Kind::Postgres.to_string(),
            wanted: wanted.map(|wanted| wanted.to_string()),
            found: found.iter().map(Server::shown).collect(),
            package: wanted.map_or_else(
                || "postgresql".to_owned(),
                |wanted| format!("postgresql-{wanted}"),
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::Sealed;

    fn server(version: &str) -> Server {
        Server {
            folder: format!("/usr/lib/postgresql/{version}/bin").into(),
            major: major(version).unwrap(),
            version: version.to_owned(),
        }
    }

    fn chosen(found: &[&str], wanted: Option<&str>, kept: Option<u32>) -> String {
        let found: Vec<Server> = found.iter().map(|version| server(version)).collect();
        let order = PostgresOrder {
            folder: "/state/db".into(),
            port: 5432,
            database: "app".to_owned(),
            user: "app".to_owned(),
            password: Sealed::new(String::new()),
            extensions: Vec::new(),
            version: wanted.map(str::to_owned),
            memory: None,
            connections: 20,
        };
        match choose(&found, &order, kept) {
            Ok(server) => server.version,
            Err(error) => format!("{error}\n{}", error.hint().unwrap_or_default()),
        }
    }

    #[test]
    fn what_is_kept_decides_where_nothing_is_wanted() {
        assert_eq!(chosen(&["17.2", "15.18"], None, None), "17.2");
        assert_eq!(chosen(&["17.2", "15.18"], None, Some(15)), "15.18");
        assert_eq!(chosen(&["17.2", "15.18"], Some("15"), Some(15)), "15.18");
        assert_eq!(chosen(&["17.2", "15.18"], Some("15"), None), "15.18");
    }

    #[test]
    fn what_does_not_fit_is_told_with_the_next_step() {
        insta::assert_snapshot!(chosen(&[], None, None), @r"
        there is no Postgres server on this machine
        install it: apt-get install postgresql
        ");
        insta::assert_snapshot!(chosen(&["15.18"], Some("16"), None), @r"
        Postgres 16 is wanted, and only 15.18 (/usr/lib/postgresql/15.18/bin) is here
        install it (apt-get install postgresql-16), or write the version that is here
        ");
        insta::assert_snapshot!(chosen(&["16.1", "15.18"], Some("16"), Some(15)), @r#"
        /state/db was written by Postgres 15, and 16 is what would read it now
        install Postgres 15 and write version = "15"; or dump with it (pg_dumpall), move the folder away, start with 16 and load the dump
        "#);
        insta::assert_snapshot!(chosen(&["16.1"], None, Some(15)), @r#"
        /state/db was written by Postgres 15, and 16 is what would read it now
        install Postgres 15 and write version = "15"; or dump with it (pg_dumpall), move the folder away, start with 16 and load the dump
        "#);
        assert_eq!(
            chosen(&["16.1"], Some("new"), None),
            "the version of Postgres cannot be \"new\": it begins with no number\n"
        );
    }

    #[test]
    fn a_server_says_its_version_among_other_words() {
        let said = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)";
        assert_eq!(version(said).as_deref(), Some("15.18"));
        assert_eq!(
            version("postgres (PostgreSQL) 18beta1").as_deref(),
            Some("18beta1")
        );
        assert_eq!(version("postgres"), None);
    }
}
