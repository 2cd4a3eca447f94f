//! Postgres as it really is: made, killed, refused, without room, as root and as an ordinary user.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(clippy::disallowed_methods, reason = "these tests start real servers")]

mod kit;

use kit::{BOUNDS, Kind, Mount, Stand, is_here, is_root, wait_for};
use sqlx::{Connection, PgConnection, Row};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use towpath_model::Sealed;
use towpath_resource::{ResourceError, check, look};

async fn connect(stand: &Stand) -> PgConnection {
    PgConnection::connect(stand.address().open()).await.unwrap()
}

async fn run(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

async fn count(stand: &Stand) -> i64 {
    let mut connection = connect(stand).await;
    let row = sqlx::query("SELECT count(*) FROM rows")
        .fetch_one(&mut connection)
        .await;
    row.unwrap().get(0)
}

fn unfinished(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).into_iter().flatten();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("making-")).collect()
}

#[tokio::test]
async fn a_cluster_is_made_once_and_keeps_its_rows() {
    if !is_here(Kind::Postgres) {
        return;
    }
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("it's a state/db");
    let mut stand = Stand::begin(Kind::Postgres, &folder, &[("EXTENSIONS", "pgcrypto")]);
    stand.wait();
    let mut connection = connect(&stand).await;
    run(
        &mut connection,
        "CREATE TABLE rows (id int); INSERT INTO rows VALUES (1); SELECT gen_random_uuid()",
    )
    .await;
    let facts = look(&stand.address(), BOUNDS.connect).await.unwrap();
    assert!(
        facts.version.contains('.') && facts.bytes > 1_000_000 && facts.connections == 1,
        "{facts:?}"
    );
    connection.close().await.unwrap();

    let seen = format!("/proc/{}", stand.child.id());
    for file in ["cmdline", "environ"] {
        let text = std::fs::read(format!("{seen}/{file}")).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains(kit::PASSWORD), "{file}");
    }
    let wrong = Sealed::new(stand.address().open().replace("word", "sword"));
    let refused = check(&wrong, None, BOUNDS.connect).await.unwrap_err();
    assert!(matches!(&refused, ResourceError::Refused { .. }), "{refused:?}");
    let other = check(&stand.address(), Some("9"), BOUNDS.connect)
        .await
        .unwrap_err();
    assert!(matches!(&other, ResourceError::Version { .. }), "{other:?}");
    check(&stand.address(), Some(&facts.version), BOUNDS.connect)
        .await
        .unwrap();
    stand.stop();

    let made = std::fs::metadata(folder.join("cluster/PG_VERSION"))
        .unwrap()
        .ino();
    let stand = Stand::ready(Kind::Postgres, &folder);
    assert_eq!(count(&stand).await, 1);
    assert_eq!(
        std::fs::metadata(folder.join("cluster/PG_VERSION"))
            .unwrap()
            .ino(),
        made
    );
    stand.stop();
    let gone = look(
        &Sealed::new("postgres://a:b@127.0.0.1:1/c".to_owned()),
        BOUNDS.connect,
    )
    .await;
    assert!(matches!(gone, Err(ResourceError::Unreachable { .. })), "{gone:?}");
}

#[tokio::test]
async fn another_password_holds_from_the_next_start_on() {
    if !is_here(Kind::Postgres) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut first = Stand::begin(Kind::Postgres, folder.path(), &[("PASSWORD", "other")]);
    first.wait();
    let refused = look(&first.address(), BOUNDS.connect).await.unwrap_err();
    assert!(matches!(refused, ResourceError::Refused { .. }));
    first.stop();
    let second = Stand::ready(Kind::Postgres, folder.path());
    look(&second.address(), BOUNDS.connect).await.unwrap();
    second.stop();
}

#[tokio::test]
async fn no_acknowledged_row_is_lost_when_the_server_is_killed() {
    if !is_here(Kind::Postgres) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..3 {
        let stand = Stand::ready(Kind::Postgres, folder.path());
        let mut connection = connect(&stand).await;
        run(&mut connection, "CREATE TABLE IF NOT EXISTS rows (id int)").await;
        let there = count(&stand).await;
        assert!(
            there >= acknowledged && there <= acknowledged + 1,
            "{there} of {acknowledged}"
        );
        acknowledged = there;
        let pid = stand.pid();
        let before = acknowledged;
        // Until the connection breaks: a statement is under way when the server dies.
        while sqlx::raw_sql("INSERT INTO rows VALUES (1)")
            .execute(&mut connection)
            .await
            .is_ok()
        {
            acknowledged += 1;
            if acknowledged == before + 100 + round {
                let own = std::fs::read_to_string(folder.path().join("cluster/postmaster.pid")).unwrap();
                assert!(own.starts_with(&pid.as_raw_nonzero().to_string()));
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            }
        }
        stand.kill();
    }
    let stand = Stand::ready(Kind::Postgres, folder.path());
    assert!(count(&stand).await >= acknowledged);
    stand.stop();
}

#[test]
fn a_cluster_is_whole_or_not_there_whenever_its_making_is_killed() {
    if !is_here(Kind::Postgres) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let points = [
        "",
        "PG_VERSION",
        "global/pg_control",
        "base/1/PG_VERSION",
        "base/5",
        "towpath.settled",
    ];
    for (number, point) in points.iter().enumerate() {
        let stand = Stand::begin(Kind::Postgres, folder.path(), &[]);
        wait_for(point, || {
            let making = unfinished(folder.path());
            let reached = making
                .iter()
                .any(|name| folder.path().join(name).join(point).exists());
            (reached || folder.path().join("cluster").exists()).then_some(())
        });
        // Once what was started goes on alone.
        if number == 1 {
            stand.abandon();
        } else {
            stand.kill_all();
        }
        let whole = folder.path().join("cluster/towpath.settled").exists();
        assert!(whole || !folder.path().join("cluster").exists());
        if whole {
            break;
        }
    }
    let stand = Stand::ready(Kind::Postgres, folder.path());
    assert_eq!(unfinished(folder.path()), [""; 0]);
    stand.stop();
}

#[test]
fn another_version_is_told_and_nothing_is_touched() {
    if !is_here(Kind::Postgres) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let told = Stand::begin(Kind::Postgres, folder.path(), &[("VERSION", "9.6")]).refusal();
    assert!(
        told.contains("Postgres 9 is wanted, and only ") && told.contains("hint: install it"),
        "{told}"
    );
    Stand::ready(Kind::Postgres, folder.path()).stop();

    let mark = folder.path().join("cluster/PG_VERSION");
    let version = std::fs::read_to_string(&mark).unwrap();
    std::fs::write(&mark, "8\n").unwrap();
    let told = Stand::begin(Kind::Postgres, folder.path(), &[]).refusal();
    assert!(
        told.contains("was written by Postgres 8, and") && told.contains("pg_dumpall"),
        "{told}"
    );
    std::fs::remove_file(&mark).unwrap();
    let told = Stand::begin(Kind::Postgres, folder.path(), &[]).refusal();
    assert!(
        told.contains("is no whole cluster: it has no PG_VERSION"),
        "{told}"
    );

    std::fs::write(&mark, version).unwrap();
    if let Some((owner, group)) = owner(&folder.path().join("cluster")) {
        std::os::unix::fs::chown(&mark, Some(owner), Some(group)).unwrap();
    }
    Stand::ready(Kind::Postgres, folder.path()).stop();
}

fn owner(path: &Path) -> Option<(u32, u32)> {
    let found = std::fs::metadata(path).ok()?;
    is_root().then_some((found.uid(), found.gid()))
}

#[test]
fn a_port_that_is_taken_is_told_and_nothing_is_made() {
    if !is_here(Kind::Postgres) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let command = kit::command(Kind::Postgres, kit::program(), folder.path(), port);
    let told = Stand::of(Kind::Postgres, command, folder.path(), port).refusal();
    assert!(
        told.contains(&format!("port {port} of 127.0.0.1 is taken")),
        "{told}"
    );
    assert!(!folder.path().join("cluster").exists());
}

#[tokio::test]
async fn a_server_that_lives_keeps_its_folder_and_the_mark_of_a_dead_one_stops_nobody() {
    if !is_here(Kind::Postgres) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let stand = Stand::ready(Kind::Postgres, folder.path());
    // Not through a stand, which would wait for the lock of the first one when it is dropped.
    let mut command = kit::command(Kind::Postgres, kit::program(), folder.path(), kit::free_port());
    let told = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(
        told.contains(&format!("is in use by process {}", stand.child.id())),
        "{told}"
    );
    look(&stand.address(), BOUNDS.connect).await.unwrap();
    stand.kill();

    let mark = folder.path().join("cluster/postmaster.pid");
    let text = std::fs::read_to_string(&mark).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    std::fs::write(&mark, format!("{}\n{rest}", std::process::id())).unwrap();
    Stand::ready(Kind::Postgres, folder.path()).stop();
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_lost() {
    if !is_here(Kind::Postgres) || !is_root() {
        println!("left out: only root can mount a small disk");
        return;
    }
    let disk = tempfile::tempdir().unwrap();
    let Some(small) = Mount::new(disk.path(), "16m") else {
        return;
    };
    let folder = disk.path().join("db");
    let told = Stand::begin(Kind::Postgres, &folder, &[]).refusal();
    assert!(told.contains("the disk is full"), "{told}");
    assert_eq!(unfinished(&folder), [""; 0]);
    drop(small);

    let _large = Mount::new(disk.path(), "160m").unwrap();
    let stand = Stand::ready(Kind::Postgres, &folder);
    let mut connection = connect(&stand).await;
    run(&mut connection, "CREATE TABLE rows (id int, text text)").await;
    let filler = disk.path().join("filler");
    kit::fill(&filler);
    let mut acknowledged = 0;
    let insert = "INSERT INTO rows SELECT 1, repeat('x', 2000)";
    while sqlx::raw_sql(insert).execute(&mut connection).await.is_ok() {
        acknowledged += 1;
    }
    drop(connection);
    stand.kill();
    let told = Stand::begin(Kind::Postgres, &folder, &[]).refusal();
    assert!(told.contains("the disk is full"), "{told}");
    std::fs::remove_file(&filler).unwrap();
    let stand = Stand::ready(Kind::Postgres, &folder);
    let there = count(&stand).await;
    assert!(there >= acknowledged, "{there} of {acknowledged}");
    stand.stop();
}

#[tokio::test]
async fn root_and_an_ordinary_user_have_it_as_well() {
    if !is_here(Kind::Postgres) || !is_root() {
        println!("left out: only root can be somebody else");
        return;
    }
    let program = kit::open_folder();
    let copy = program.path().join("stand");
    std::fs::copy(kit::program(), &copy).unwrap();

    // Root, where nobody else may enter: the files stay root's.
    let closed = tempfile::tempdir().unwrap();
    std::fs::set_permissions(closed.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let stand = Stand::ready(Kind::Postgres, &closed.path().join("db"));
    stand.stop();
    let made_by = |folder: &Path| {
        std::fs::metadata(folder.join("cluster/PG_VERSION"))
            .unwrap()
            .uid()
    };
    assert_eq!(made_by(&closed.path().join("db")), 0);

    // Root, where others may enter: the user of the server has it, and keeps it.
    let open = kit::open_folder();
    let folder = open.path().join("db");
    for _ in 0..2 {
        let stand = Stand::ready(Kind::Postgres, &folder);
        look(&stand.address(), BOUNDS.connect).await.unwrap();
        stand.stop();
    }
    let postgres = Command::new("id")
        .args(["-u", "postgres"])
        .output()
        .unwrap()
        .stdout;
    if let Ok(postgres) = String::from_utf8_lossy(&postgres).trim().parse::<u32>() {
        assert_eq!(made_by(&folder), postgres);
    }

    // An ordinary user; and root, who finds that user's cluster and runs it as that user.
    let folder = open.path().join("own/db");
    std::fs::create_dir(open.path().join("own")).unwrap();
    std::os::unix::fs::chown(open.path().join("own"), Some(65534), Some(65534)).unwrap();
    std::fs::set_permissions(open.path().join("own"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let port = kit::free_port();
    let ordinary = kit::command(Kind::Postgres, &copy, &folder, port);
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.arg(ordinary.get_program()).args(ordinary.get_args());
    command.envs(
        ordinary
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    command.stderr(std::process::Stdio::piped());
    let mut stand = Stand::of(Kind::Postgres, command, &folder, port);
    stand.wait();
    look(&stand.address(), BOUNDS.connect).await.unwrap();
    stand.stop();
    assert_eq!(made_by(&folder), 65534);
    Stand::ready(Kind::Postgres, &folder).stop();
    assert_eq!(made_by(&folder), 65534);
}

#[test]
fn a_socket_is_elsewhere_where_its_path_would_be_too_long() {
    if !is_here(Kind::Postgres) {
        return;
    }
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("x".repeat(120));
    let stand = Stand::ready(Kind::Postgres, &folder);
    let text = std::fs::read_to_string(folder.join("postgresql.conf")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("unix_socket_directories = '"));
    let socket = line.unwrap().trim_end_matches('\'').to_owned();
    assert!(!socket.starts_with(state.path().to_str().unwrap()), "{socket}");
    assert!(
        Path::new(&socket)
            .join(format!(".s.PGSQL.{}", stand.port))
            .exists()
    );
    stand.stop();
    std::fs::remove_dir_all(socket).unwrap();
}
