//! The cluster itself: made beside its place, and settled when the order says something else than it was made for.

use super::servers::Server;
use super::statements::There;
use super::{PostgresOrder, configuration, failed, statements};
use crate::ResourceError;
use crate::door::{files, processes};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use towpath_model::Sealed;

/// What a cluster that is being made is called.
const MAKING: &str = "making-";

/// A cluster that is in use writes as it always does. One that is being made waits for the disk once, at the end.
const ORDINARY: &str = "fsync=on";

/// The file in a cluster that says for what order it was last settled.
const SETTLED: &str = "towpath.settled";

/// The version that wrote the cluster which is there; nothing where there is none.
pub(super) fn kept(order: &PostgresOrder) -> Result<Option<u32>, ResourceError> {
    let cluster = order.cluster();
    if !files::is_there(&cluster) {
        return Ok(None);
    }
    let mark = cluster.join("PG_VERSION");
    let version = files::read(&mark).map_err(ResourceError::files("reading", &mark))?;
    let damaged = |why: &str| ResourceError::Damaged {
        folder: cluster.display().to_string(),
        why: why.to_owned(),
    };
    let version = version.ok_or_else(|| damaged("it has no PG_VERSION"))?;
    let major = crate::major(&version).ok_or_else(|| damaged("its PG_VERSION is no number"))?;
    if !files::is_there(&cluster.join("global/pg_control")) {
        return Err(damaged("it has no global/pg_control"));
    }
    Ok(Some(major))
}

/// Makes a cluster: whole, or not at all.
pub(super) fn make(order: &PostgresOrder, server: &Server) -> Result<(), ResourceError> {
    remove_unfinished(&order.folder)?;
    let making = order.folder.join(format!("{MAKING}{}", std::process::id()));
    let made = make_at(order, server, &making);
    if made.is_err() {
        // A full disk is to be as empty as it was.
        let _ = files::remove_folder(&making);
    }
    made
}

fn make_at(order: &PostgresOrder, server: &Server, making: &Path) -> Result<(), ResourceError> {
    run(
        order,
        server,
        "making a cluster",
        "initdb",
        initdb(making, server.major),
        None,
    )?;
    fill(order, server, making, There::fresh(order), "fsync=off")?;
    let path: OsString = making.into();
    let sync = vec!["--sync-only".into(), "-D".into(), path];
    run(
        order,
        server,
        "writing the cluster to the disk",
        "initdb",
        sync,
        None,
    )?;
    files::rename_folder(making, &order.cluster())
        .map_err(ResourceError::files("giving the cluster its name", making))
}

/// What is left of those that were not finished. The lock is ours, so nobody makes one now.
fn remove_unfinished(folder: &Path) -> Result<(), ResourceError> {
    let names = files::names(folder).map_err(ResourceError::files("reading", folder))?;
    for name in names.iter().filter(|name| name.starts_with(MAKING)) {
        let path = folder.join(name);
        files::remove_folder(&path).map_err(ResourceError::files("removing what was not finished", &path))?;
    }
    Ok(())
}

/// The superuser cannot log in. The order of texts is that of their characters,
/// which no update of the system changes under an index; from 17 on the server has it built in.
fn initdb(cluster: &Path, major: u32) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["-D".into(), cluster.into()];
    let locale: &[&str] = if major >= 17 {
        &[
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
    } else {
        &["--locale=C.UTF-8"]
    };
    let plain = [
        "--username=postgres",
        "--auth=reject",
        "--encoding=UTF8",
        "--data-checksums",
        "--no-sync",
    ];
    arguments.extend(plain.iter().chain(locale).map(OsString::from));
    arguments
}

/// Brings a cluster that is there in line with the order, where the order is not the one it was last settled for.
pub(super) fn settle(order: &PostgresOrder, server: &Server) -> Result<(), ResourceError> {
    let cluster = order.cluster();
    let mark = cluster.join(SETTLED);
    let settled = files::read(&mark).map_err(ResourceError::files("reading", &mark))?;
    if settled.as_deref() == Some(&digest(order)) {
        return Ok(());
    }
    let arguments = single(order, &cluster, "postgres", ORDINARY);
    let questions = Some(Sealed::new(statements::questions(order)));
    let doing = "looking for role and database";
    let answers = run(order, server, doing, "postgres", arguments, questions)?;
    fill(order, server, &cluster, There::by(&answers), ORDINARY)
}

/// Role, database and extensions.
fn fill(
    order: &PostgresOrder,
    server: &Server,
    cluster: &Path,
    there: There,
    setting: &str,
) -> Result<(), ResourceError> {
    let single = |database: &str, doing: &str, typed: String| {
        let arguments = single(order, cluster, database, setting);
        run(
            order,
            server,
            doing,
            "postgres",
            arguments,
            Some(Sealed::new(typed)),
        )
    };
    let statements = statements::role_and_database(order, there);
    single("postgres", "making role and database", statements)?;
    if !order.extensions.is_empty() {
        single(
            &order.database,
            "making the extensions",
            statements::extensions(order),
        )?;
    }
    let mark = cluster.join(SETTLED);
    files::write_whole(&mark, &digest(order)).map_err(ResourceError::files("writing", &mark))
}

/// The single-user mode. What it says goes to us, and a statement with a password in it is no part of that.
fn single(order: &PostgresOrder, cluster: &Path, database: &str, setting: &str) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["--single".into(), "-D".into(), cluster.into()];
    let libraries = configuration::libraries(order);
    let preload = format!("shared_preload_libraries={libraries}");
    let settings = [
        setting,
        "exit_on_error=on",
        "log_min_error_statement=panic",
        "log_checkpoints=off",
        "password_encryption=scram-sha-256",
    ];
    for setting in settings {
        arguments.extend(["-c".into(), setting.into()]);
    }
    if !libraries.is_empty() {
        arguments.extend(["-c".into(), preload.into()]);
    }
    arguments.push(database.into());
    arguments
}

fn run(
    order: &PostgresOrder,
    server: &Server,
    doing: &str,
    program: &str,
    arguments: Vec<OsString>,
    typed: Option<Sealed<String>>,
) -> Result<String, ResourceError> {
    let program: PathBuf = server.program(program);
    let outcome = processes::run(&program, &arguments, &order.folder, typed.as_ref())
        .map_err(ResourceError::files("starting it", &program))?;
    if outcome.done {
        Ok(outcome.said)
    } else {
        Err(failed(doing, &order.folder, &outcome.complained))
    }
}

/// Says for what a cluster was settled, and not how. It stands beside what the server itself keeps of the password.
fn digest(order: &PostgresOrder) -> String {
    let mut hasher = blake3::Hasher::new();
    let parts = [&order.user, order.password.open(), &order.database];
    for part in parts.into_iter().chain(&order.extensions) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
