//! The stores as a team's scripts start them: Postgres and Redis by hand; the bucket is the one that Towpath has, since no other
//! one is at hand everywhere.

use crate::known::System;
use crate::part::Part;
use crate::place::script;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use towpath_bucket::{Settings, serve};
use towpath_model::sealed::Sealed;

/// Where a store is, as an address says it.
struct Store {
    user: String,
    password: String,
    port: u16,
    name: String,
}

impl Store {
    /// Of an address like `postgres://user:password@127.0.0.1:5432/name`, where a component has such a one.
    fn find(parts: &[Part], scheme: &str) -> Option<Store> {
        let start = format!("{scheme}://");
        let mut values = parts.iter().flat_map(|part| part.env.values());
        let rest = values.find_map(|value| value.strip_prefix(&start))?;
        let (user, rest) = rest.split_once(':')?;
        let (password, rest) = rest.split_once('@')?;
        let (place, name) = rest.split_once('/')?;
        Some(Store {
            user: user.to_owned(),
            password: password.to_owned(),
            port: place.rsplit_once(':')?.1.parse().ok()?,
            name: name.split('?').next().unwrap_or_default().to_owned(),
        })
    }
}

/// Postgres refuses to run as root.
const AS: &str = "#!/bin/sh
set -e
as=
if [ \"$(id -u)\" = 0 ]; then as='setpriv --reuid postgres --regid postgres --init-groups'; fi
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
";

/// Writes the scripts, and gives their lines of the Procfile.
pub(crate) fn scripts(folder: &Path, system: &System, parts: &[Part]) -> Result<String, String> {
    let mut procfile = String::new();
    if let Some(store) = Store::find(parts, "postgres") {
        script(folder, "run-postgres", &postgres(&store))?;
        script(folder, "migrate", &migrate(&store, system))?;
        procfile.push_str("postgres: exec ./run-postgres\n");
    }
    if let Some(Store { password, port, .. }) = Store::find(parts, "redis") {
        let text = format!(
            "#!/bin/sh\nmkdir -p redis\nexec redis-server --bind 127.0.0.1 --port {port} --requirepass {password} \
             --dir redis --save '' --appendonly no\n"
        );
        script(folder, "run-redis", &text)?;
        procfile.push_str("redis: exec ./run-redis\n");
    }
    let value = |name: &str| parts.iter().find_map(|part| part.env.get(name)).cloned();
    if let (Some(endpoint), Some(name), Some(key), Some(secret), Some(region)) = (
        value("FILES_ENDPOINT"),
        value("FILES_BUCKET"),
        value("FILES_ACCESS_KEY_ID"),
        value("FILES_SECRET_ACCESS_KEY"),
        value("FILES_REGION"),
    ) {
        let port = endpoint
            .rsplit_once(':')
            .map(|(_, port)| port)
            .unwrap_or_default();
        let ourselves = std::env::current_exe().map_err(|why| why.to_string())?;
        let _ = writeln!(
            procfile,
            "bucket: exec {} --bucket bucket {port} {name} {key} {secret} {region}",
            ourselves.display()
        );
    }
    Ok(procfile)
}

/// A cluster, made where there is none, and what makes it ready beside it.
fn postgres(store: &Store) -> String {
    let (user, password, port) = (&store.user, &store.password, store.port);
    format!(
        "{AS}if [ ! -e postgres/PG_VERSION ]; then
  mkdir -p postgres
  echo {password} > password
  chmod 644 password
  if [ -n \"$as\" ]; then chown postgres postgres; fi
  $as $bin/initdb -D postgres -U {user} --pwfile=password -A scram-sha-256 -E UTF8 --locale=C.UTF-8 >/dev/null
fi
./migrate &
exec $as $bin/postgres -D postgres -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=
"
    )
}

/// Everything that has not run yet, each once, and then the seed.
fn migrate(store: &Store, system: &System) -> String {
    let Store {
        user,
        password,
        port,
        name,
    } = store;
    let seed = system.seed.map_or_else(String::new, |seed| {
        format!("if [ ! -e ran/seed ]; then psql -q -v ON_ERROR_STOP=1 -1 -f {seed} && touch ran/seed; fi\n")
    });
    format!(
        "{AS}export PGHOST=127.0.0.1 PGPORT={port} PGUSER={user} PGPASSWORD={password} PGDATABASE={name}
until $bin/pg_isready -q -d postgres; do sleep 0.05; done
if [ ! -e ran ]; then
  mkdir ran
  if [ {name} != postgres ]; then psql -q -d postgres -c 'create database \"{name}\"'; fi
fi
for file in migrations/*.sql; do
  mark=ran/$(basename \"$file\")
  if [ ! -e \"$mark\" ]; then psql -q -v ON_ERROR_STOP=1 -1 -f \"$file\" >/dev/null && touch \"$mark\"; fi
done
{seed}touch ready
"
    )
}

/// Serves a bucket: `FOLDER PORT NAME KEY SECRET REGION`.
pub(crate) fn serve_bucket(words: &[String]) -> ExitCode {
    let [folder, port, name, key, secret, region] = words else {
        eprintln!("a bucket takes FOLDER PORT NAME KEY SECRET REGION");
        return ExitCode::from(2);
    };
    let settings = Settings {
        folder: folder.into(),
        name: name.clone(),
        key: key.clone(),
        secret: Sealed::new(secret.clone()),
        region: region.clone(),
        versioning: false,
        public: false,
        lifecycle: Vec::new(),
        encrypted: false,
        encryption_key: None,
        most: None,
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let address = format!("127.0.0.1:{port}");
    let served = runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let ended = async {
            if let Ok(mut asked) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                asked.recv().await;
            }
        };
        serve(listener, settings, ended)
            .await
            .map_err(std::io::Error::other)
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
