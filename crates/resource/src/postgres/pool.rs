//! A pooler before a cluster: pgbouncer, which lends few connections to many clients.
//!
//! It keeps nothing but its configuration, so it may be killed and started at any time. It knows one user, by the password
//! that opens the cluster, and listens on this machine only. Like Postgres it refuses to run as root, and becomes whom the
//! cluster's server would be.

use super::identity;
use crate::door::{files, processes};
use crate::{Exec, ResourceError, ground};
use std::path::{Path, PathBuf};
use towpath_model::Sealed;
use towpath_model::desired::resource::PoolMode;

/// What is installed where there is none, and what a shell has to do before: Debian would start one of its own.
pub const POOLER_PACKAGES: &[&str] = &["pgbouncer"];
pub const BEFORE_POOLER_INSTALLATION: &str =
    "mkdir -p /etc/systemd/system && ln -sf /dev/null /etc/systemd/system/pgbouncer.service";

/// The most clients at a time: more would need more open files than a process usually gets.
const CLIENTS: u32 = 500;

/// The first version that knows prepared statements when a connection is lent for a transaction: 1.21. Nearly every driver
/// prepares its statements, and with an older one they would fail at random. There whole sessions are lent instead.
const KNOWS_STATEMENTS: (u32, u32) = (1, 21);

/// How many prepared statements it keeps for each connection.
const STATEMENTS: u32 = 200;

/// A pooler that is wanted.
#[derive(Debug, Clone)]
pub struct PoolOrder {
    /// The folder that is its own.
    pub folder: PathBuf,
    /// The port of 127.0.0.1 that it listens on.
    pub port: u16,
    /// The port of 127.0.0.1 that the cluster listens on.
    pub server: u16,
    /// As whom everybody connects.
    pub user: String,
    /// The password.
    pub password: Sealed<String>,
    /// Connections to the cluster.
    pub size: u32,
    /// How long one belongs to a client.
    pub mode: PoolMode,
}

/// Whether there is a pooler on this machine.
pub fn is_pooler_here() -> bool {
    program().is_some()
}

/// Debian keeps it where the PATH of an ordinary user does not lead.
fn program() -> Option<PathBuf> {
    let mut folders = processes::path();
    folders.extend(["/usr/sbin", "/usr/local/sbin", "/usr/bin"].map(PathBuf::from));
    folders
        .iter()
        .map(|folder| folder.join("pgbouncer"))
        .find(|path| files::is_program(path))
}

/// Makes everything ready, and says what is to be started, as [`super::prepare`] does for a cluster.
pub fn prepare_pool(order: &PoolOrder) -> Result<Exec, ResourceError> {
    files::make_folder(&order.folder).map_err(ResourceError::files("making the folder", &order.folder))?;
    let program = program().ok_or_else(|| ResourceError::NoServer {
        kind: "pgbouncer".to_owned(),
        wanted: None,
        found: Vec::new(),
        package: POOLER_PACKAGES.concat(),
    })?;
    let configuration = order.folder.join("pgbouncer.ini");
    identity::take_on(&order.folder, &configuration)?;
    let lock = ground::lock(&order.folder, || None)?;
    ground::port_is_free(order.port)?;
    ground::has_room(&order.folder)?;
    let users = order.folder.join("users.txt");
    let write = |path: &Path, text: &str| {
        files::write_whole(path, text).map_err(ResourceError::files("writing the configuration", path))
    };
    let (user, password) = (quoted(&order.user), quoted(order.password.open()));
    write(&users, &format!("{user} {password}\n"))?;
    let said = processes::version_of(&program, "pgbouncer").unwrap_or_default();
    write(&configuration, &text(order, &users, knows_statements(&said)))?;
    Ok(Exec {
        name: program.clone().into(),
        program,
        arguments: vec![configuration.into()],
        environment: processes::environment(),
        folder: order.folder.clone(),
        lock,
    })
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Whether a pooler that says this of its version (`PgBouncer 1.18.0`) knows prepared statements.
fn knows_statements(said: &str) -> bool {
    let version = said.split_whitespace().nth(1).unwrap_or_default();
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(KNOWS_STATEMENTS.0), Some(KNOWS_STATEMENTS.1))
}

fn text(order: &PoolOrder, users: &Path, knows_statements: bool) -> String {
    let PoolOrder {
        port,
        server,
        size,
        mode,
        ..
    } = order;
    let (mode, statements) = match mode {
        PoolMode::Transaction if !knows_statements => (
            "session",
            "; in transactions this version would lose prepared statements\n".to_owned(),
        ),
        PoolMode::Transaction => (mode.word(), format!("max_prepared_statements = {STATEMENTS}\n")),
        _ => (mode.word(), String::new()),
    };
    format!(
        "; Written by Towpath at each start.\n\
         [databases]\n\
         * = host=127.0.0.1 port={server}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = scram-sha-256\n\
         auth_file = {}\n\
         pool_mode = {}\n\
         default_pool_size = {size}\n\
         max_client_conn = {CLIENTS}\n\
         server_reset_query = DISCARD ALL\n\
         ignore_startup_parameters = extra_float_digits\n\
         log_connections = 0\n\
         log_disconnections = 0\n\
         log_stats = 0\n\
         {statements}",
        users.display(),
        mode,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_says_everything_and_nothing_secret() {
        let order = PoolOrder {
            folder: "/state/db-pool".into(),
            port: 6432,
            server: 5432,
            user: "shop".to_owned(),
            password: Sealed::new("se\"cret".to_owned()),
            size: 5,
            mode: PoolMode::Transaction,
        };
        let users = Path::new("/state/db-pool/users.txt");
        let older = super::text(&order, users, knows_statements("PgBouncer 1.18.0\nlibevent 2"));
        assert!(older.contains("pool_mode = session"), "{older}");
        let text = super::text(&order, users, knows_statements("PgBouncer 1.24.1"));
        for line in [
            "* = host=127.0.0.1 port=5432",
            "listen_addr = 127.0.0.1",
            "listen_port = 6432",
            "auth_file = /state/db-pool/users.txt",
            "pool_mode = transaction",
            "default_pool_size = 5",
            "max_prepared_statements = 200",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in {text}");
        }
        assert!(!text.contains("cret"), "{text}");
        assert_eq!(quoted(order.password.open()), "\"se\"\"cret\"");
    }
}
