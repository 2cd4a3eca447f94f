//! `towpath psql` and `towpath redis`: a client on a resource of the product. It becomes the client, and the password goes by
//! the environment, which only this person can read: command lines are for everybody.

use crate::cli::{Psql, Redis, Upon};
use crate::door::processes::{become_client, is_program};
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::talk::{failed, reach, wait};
use towpath_api::{ClientError, Status, Surroundings};
use towpath_decide::launch::PASSWORD;
use towpath_model::desired::resource::ResourceKind;
use towpath_model::run::{Resource, State};
use towpath_model::sealed::Sealed;
use towpath_steward::RESOURCE;

/// `towpath psql`
pub(super) fn psql(args: Psql) -> Result<(), Failure> {
    let open = find(&args.upon, ResourceKind::Postgres, "psql")?;
    let text = |text: &str| Sealed::new(text.to_owned());
    let told = [
        ("PGHOST", text("127.0.0.1")),
        ("PGPORT", text(&open.port.to_string())),
        ("PGUSER", text(&open.resource.user)),
        ("PGDATABASE", text(&open.resource.database)),
        ("PGPASSWORD", open.password),
    ];
    Err(become_client("psql", &args.arguments, &told, "postgresql-client"))
}

/// `towpath redis`
pub(super) fn redis(args: Redis) -> Result<(), Failure> {
    let open = find(&args.upon, ResourceKind::Redis, "redis")?;
    // Where Valkey is installed in place of Redis, so is its client.
    let (client, own) = match is_program("valkey-cli") && !is_program("redis-cli") {
        true => ("valkey-cli", "VALKEYCLI_AUTH"),
        false => ("redis-cli", "REDISCLI_AUTH"),
    };
    let place = ["-h", "127.0.0.1", "-p", &open.port.to_string()].map(Into::into);
    let arguments: Vec<_> = place.into_iter().chain(args.arguments).collect();
    Err(become_client(
        client,
        &arguments,
        &[(own, open.password)],
        "redis-tools",
    ))
}

/// A resource that runs, and what opens it.
pub(super) struct Opened {
    pub(super) resource: Resource,
    pub(super) port: u16,
    pub(super) password: Sealed<String>,
}

/// Finds the resource that is meant, and what opens it.
pub(super) fn find(upon: &Upon, kind: ResourceKind, command: &str) -> Result<Opened, Failure> {
    let here = Here::find(&upon.words, upon.env.as_deref(), Purpose::Running)?;
    let name = chosen(&here, kind, command)?;
    let (around, status) = wait(async {
        let told = |error: ClientError| match error {
            ClientError::Refused(problem) if problem.code == "unknown-component" => elsewhere(&here, &name),
            error => failed(&error, &here),
        };
        let client = reach(&here).await?;
        let path = format!("/components/{name}/surroundings");
        let around: Surroundings = client.ask(http::Method::GET, &path, &()).await.map_err(told)?;
        let status: Status = client
            .ask(http::Method::GET, "/status", &())
            .await
            .map_err(told)?;
        Ok((around, status))
    })?;
    let one = status.components.iter().find(|one| one.name == name);
    let ends = |state: State| {
        matches!(
            state,
            State::Looping | State::Failed | State::Stopped | State::Stopping
        )
    };
    let port = around.env.get("PORT").and_then(|port| port.parse().ok());
    let lives = one.is_none_or(|one| !ends(one.state));
    let Some(port) = port.filter(|_| lives) else {
        let state = one.map_or(State::Stopped, |one| one.state);
        let because = one.map(|one| one.because.as_str()).unwrap_or_default();
        let because = crate::view::tame::plain(because);
        let hint = match state {
            State::Stopped => format!("`{}` starts it", here.again(&format!("start {name}"))),
            _ => format!("`{}` tells more", here.again(&format!("explain {name}"))),
        };
        let message = format!("{name} does not run, it is {state}: {because}");
        return Err(Failure::new(Kind::Remote, message).hint(hint));
    };
    let order = around.env.get(RESOURCE);
    let resource = order.and_then(|order| serde_json::from_str(order).ok());
    let password = around.files.get(PASSWORD).cloned().unwrap_or_default();
    Ok(Opened {
        resource: resource.ok_or_else(|| failed(&ClientError::Cut, &here))?,
        port,
        password: Sealed::new(password),
    })
}

/// The resource of this kind that is named, or the only one that there is.
fn chosen(here: &Here, kind: ResourceKind, command: &str) -> Result<String, Failure> {
    let called = called(kind);
    let wrong = |message: String, hint: String| Err(Failure::new(Kind::User, message).hint(hint));
    match here.components.as_slice() {
        [] => {}
        [name] => {
            let table = here.names.table(name);
            if table.is_some_and(|table| table != kind.word()) {
                let table = table.unwrap_or_default();
                return wrong(
                    format!("`{name}` is a {table}, and no {called}"),
                    "`towpath status` tells what there is".to_owned(),
                );
            }
            return Ok(name.clone());
        }
        [one, other, ..] => {
            return wrong(
                format!("`{one}` and `{other}` are two, and a command is about one"),
                "call it once for each".to_owned(),
            );
        }
    }
    let all: Vec<&str> = here.names.of_table(kind.word()).collect();
    match all.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => wrong(
            format!("this product has no {called}"),
            format!("declare one with [{}.NAME]", kind.word()),
        ),
        several => wrong(
            format!("there is more than one {called}: {}", several.join(", ")),
            format!("name one: `towpath {command} {}`", several[0]),
        ),
    }
}

/// As people call it.
fn called(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Postgres => "Postgres",
        ResourceKind::Redis => "Redis",
        ResourceKind::Bucket => "bucket",
    }
}

/// Somebody else has it.
pub(super) fn elsewhere(here: &Here, name: &str) -> Failure {
    let message = format!(
        "{name} does not run here in {}: somebody else has it",
        here.environment
    );
    Failure::new(Kind::Remote, message).hint(
        "its address stands where its users find it: `towpath run COMPONENT -- COMMAND` runs a client as they would",
    )
}
