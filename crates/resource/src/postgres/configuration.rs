//! The configuration: a few lines of ours after those that the cluster was made with.

use super::PostgresOrder;
use crate::ResourceError;
use crate::door::{files, person};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The longest path of a socket that the system knows.
const LONGEST_SOCKET: usize = 107;

/// What is assumed where the manifest says nothing about memory: enough for a laptop's data, too little to be noticed.
const MEMORY: u64 = 256 * MEBIBYTE;
const MEBIBYTE: u64 = 1024 * 1024;

/// Connections that the server keeps for its superuser, on top of those that are ordered.
const RESERVED: u32 = 3;

/// Extensions that only work in a server that has loaded them at its start.
const PRELOADED: &[&str] = &[
    "age",
    "citus",
    "pg_cron",
    "pg_stat_statements",
    "pgaudit",
    "timescaledb",
];

/// Who may connect: with a password, from this machine.
const ACCESS: &str = "\
# Written by Towpath at each start.
local all         all               scram-sha-256
host  all         all 127.0.0.1/32  scram-sha-256
local replication all               scram-sha-256
host  replication all 127.0.0.1/32  scram-sha-256
";

/// Writes it, and says where it is.
pub(super) fn write(order: &PostgresOrder) -> Result<PathBuf, ResourceError> {
    let write = |name: &str, text: &str| {
        let path = order.folder.join(name);
        let doing = ResourceError::files("writing the configuration", &path);
        files::write_whole(&path, text).map_err(doing).map(|()| path)
    };
    write("access.conf", ACCESS)?;
    let socket = socket(order);
    write("postgresql.conf", &text(order, socket.as_deref()))
}

/// The libraries that are loaded at the start.
pub(super) fn libraries(order: &PostgresOrder) -> String {
    let wanted = |name: &&str| order.extensions.iter().any(|wanted| wanted == name);
    PRELOADED
        .iter()
        .copied()
        .filter(wanted)
        .collect::<Vec<_>>()
        .join(",")
}

/// The folder of the socket: in the state folder, or, where its path would be too long, in a folder of ours among those of
/// others. Where that cannot be had, there is no socket; everybody can still use the port.
fn socket(order: &PostgresOrder) -> Option<PathBuf> {
    let near = order.folder.join("socket");
    let folder = if fits(&near) {
        files::make_folder(&near).ok()?;
        near
    } else {
        let named = blake3::hash(order.folder.as_os_str().as_encoded_bytes()).to_hex();
        let far = PathBuf::from(format!("/tmp/towpath-{}-{}", person::us(), &named[..16]));
        files::make_own_folder(&far).then_some(far)?
    };
    // What a killed server has left. The server would take a process that has its number now for it.
    for name in files::names(&folder).unwrap_or_default() {
        if name.starts_with(".s.PGSQL.") {
            let _ = files::remove_file(&folder.join(name));
        }
    }
    Some(folder)
}

fn fits(folder: &Path) -> bool {
    folder.as_os_str().len() + "/.s.PGSQL.65535".len() <= LONGEST_SOCKET
}

fn text(order: &PostgresOrder, socket: Option<&Path>) -> String {
    let memory = order.memory.unwrap_or(MEMORY);
    let connections = order.connections.max(1);
    let share = |of: u64, least: u64, most: u64| (of / MEBIBYTE).clamp(least, most);
    let shared = share(memory / 4, 16, 8192);
    let work = share(memory / 4 / u64::from(connections), 1, 64);
    let maintenance = share(memory / 8, 16, 1024);
    let cache = share(memory / 2, 32, 1024 * 1024);
    let socket = socket.map_or_else(String::new, |folder| folder.display().to_string());
    let access = order.folder.join("access.conf").display().to_string();
    let mut text = String::from(
        "# Written by Towpath at each start. What is to be different: ALTER SYSTEM, which is read after this.\n\
         include 'cluster/postgresql.conf'\n",
    );
    let mut set = |name: &str, value: &str| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{name} = {value}");
    };
    set("hba_file", &quoted(&access));
    set("listen_addresses", "'127.0.0.1'");
    set("port", &order.port.to_string());
    set("unix_socket_directories", &quoted(&socket));
    set("unix_socket_permissions", "0700");
    set("max_connections", &(connections + RESERVED).to_string());
    set("password_encryption", "'scram-sha-256'");
    set("ssl", "off");
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        set(setting, "on");
    }
    set("wal_level", "'replica'");
    set("max_wal_size", "'512MB'");
    set("shared_buffers", &format!("'{shared}MB'"));
    set("work_mem", &format!("'{work}MB'"));
    set("maintenance_work_mem", &format!("'{maintenance}MB'"));
    set("effective_cache_size", &format!("'{cache}MB'"));
    set("jit", "off");
    set("logging_collector", "off");
    set("log_destination", "'stderr'");
    set("log_checkpoints", "off");
    set("log_line_prefix", "'%q%u@%d: '");
    set("shared_preload_libraries", &quoted(&libraries(order)));
    text
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::Sealed;

    fn order(folder: &str) -> PostgresOrder {
        PostgresOrder {
            folder: folder.into(),
            port: 5433,
            database: "app".to_owned(),
            user: "app".to_owned(),
            password: Sealed::new("hunter2".to_owned()),
            extensions: vec!["pgcrypto".to_owned(), "pg_stat_statements".to_owned()],
            version: None,
            memory: Some(512 * MEBIBYTE),
            connections: 20,
        }
    }

    #[test]
    fn it_is_short_and_says_nothing_secret() {
        let order = order("/state/it's");
        insta::assert_snapshot!(text(&order, Some(Path::new("/state/it's/socket"))), @r"
        # Written by Towpath at each start. What is to be different: ALTER SYSTEM, which is read after this.
        include 'cluster/postgresql.conf'
        hba_file = '/state/it''s/access.conf'
        listen_addresses = '127.0.0.1'
        port = 5433
        unix_socket_directories = '/state/it''s/socket'
        unix_socket_permissions = 0700
        max_connections = 23
        password_encryption = 'scram-sha-256'
        ssl = off
        fsync = on
        full_page_writes = on
        synchronous_commit = on
        wal_level = 'replica'
        max_wal_size = '512MB'
        shared_buffers = '128MB'
        work_mem = '6MB'
        maintenance_work_mem = '64MB'
        effective_cache_size = '256MB'
        jit = off
        logging_collector = off
        log_destination = 'stderr'
        log_checkpoints = off
        log_line_prefix = '%q%u@%d: '
        shared_preload_libraries = 'pg_stat_statements'
        ");
    }

    #[test]
    fn a_socket_whose_path_would_be_too_long_is_elsewhere() {
        assert!(fits(Path::new("/state/db/socket")));
        assert!(fits(Path::new(&format!("/{}", "x".repeat(91)))));
        assert!(!fits(Path::new(&format!("/{}", "x".repeat(92)))));
    }
}
