//! Talking to the steward: somebody who answers, or is started, or a failure that says what to do.

use crate::door::processes::{self, Hatchling};
use crate::door::state::Alone;
use crate::failure::{Failure, Kind};
use crate::here::Here;
use crate::observed;
use std::future::Future;
use towpath_api::{Client, ClientError, Problem, Status};
use towpath_model::run::Seen;

/// Waits for what is asked of a steward. One thread is enough to wait.
pub(crate) fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => Err(Failure::new(
            Kind::Remote,
            format!("nothing can be waited for: {error}"),
        )),
    }
}

/// What is said while a steward has not taken over yet what another one has left.
const TAKES_OVER: &str = "the steward has not taken over yet what runs: this is what the keepers tell";

/// What is said of a steward elsewhere that has not been asked for anything yet.
const KNOWS_NOTHING: &str = "its steward has begun anew, and has not been asked for anything yet";

/// How everything is. Where nobody looks after it, it is as the keepers tell; where nothing runs, there is nothing to tell.
pub(crate) fn status(here: &Here) -> Result<Status, Failure> {
    wait(async {
        match here
            .client()
            .ask::<_, Status>(http::Method::GET, "/status", &())
            .await
        {
            // One that has just come has not taken over yet what runs, and knows nothing of it.
            Ok(mut status) if here.elsewhere().is_some() => {
                if status.product.is_empty() {
                    status.product = here.product();
                    status.environment.clone_from(&here.environment);
                    status.notes.push(KNOWS_NOTHING.to_owned());
                }
                Ok(status)
            }
            Ok(status) if status.product.is_empty() => Ok(match left_behind(here).await? {
                Some(left) => Status {
                    steward: status.steward,
                    edge: None,
                    notes: vec![TAKES_OVER.to_owned()],
                    ..left
                },
                None => status,
            }),
            Ok(status) => Ok(status),
            // One that dies may take a question and never answer it.
            Err(ClientError::Nobody | ClientError::Cut) if here.elsewhere().is_none() => {
                left_behind(here).await?.ok_or_else(|| nobody(here))
            }
            Err(error) => Err(failed(&error, here)),
        }
    })
}

/// What runs on though its steward has died; nothing where nothing does.
async fn left_behind(here: &Here) -> Result<Option<Status>, Failure> {
    let seen = seen(here).await?;
    Ok(observed::lives(&seen).then(|| observed::status(here, seen)))
}

/// How everything is where nobody looks after it: what the manifest tells, and what its keepers do.
pub(crate) fn unattended(here: &Here) -> Result<Status, Failure> {
    wait(async { Ok(observed::status(here, seen(here).await?)) })
}

/// Whether anything runs on though its steward has died.
pub(crate) async fn lives_on(here: &Here) -> Result<bool, Failure> {
    Ok(observed::lives(&seen(here).await?))
}

/// Somebody who answers; where nobody does, it is said what still runs, and which command helps.
pub(crate) async fn reach(here: &Here) -> Result<Client, Failure> {
    let client = here.client();
    if answers(&client, here).await? {
        return Ok(client);
    }
    if lives_on(here).await? {
        return Err(orphaned(here));
    }
    Err(nobody(here))
}

/// Somebody who answers for an environment that may have releases: where nobody does, somebody comes, who goes on with what
/// is under way.
pub(crate) async fn called(here: &Here) -> Result<Client, Failure> {
    if here.elsewhere().is_some() || !here.state.has_journal() {
        return reach(here).await;
    }
    call(here).await?.answered(here)?;
    Ok(here.client())
}

/// How often a steward that dies is followed by another one before it is left alone: something is wrong with it then.
pub(crate) const MOST_DEATHS: u32 = 5;

/// How long is waited for one that dies: it holds its socket for a moment longer.
const LAST_BREATH: std::time::Duration = std::time::Duration::from_millis(100);

/// Asks for something that changes nothing. One that dies in this moment is followed by another one, who is asked again.
pub(crate) async fn look<T>(
    here: &Here,
    ask: impl AsyncFn(Client) -> Result<T, ClientError>,
) -> Result<T, Failure> {
    let mut deaths = 0;
    loop {
        match ask(called(here).await?).await {
            Ok(told) => return Ok(told),
            Err(ClientError::Nobody | ClientError::Cut) if deaths < MOST_DEATHS => deaths += 1,
            Err(error) => return Err(failed(&error, here)),
        }
        tokio::time::sleep(LAST_BREATH).await;
    }
}

/// Nobody looks after what runs.
pub(crate) fn orphaned(here: &Here) -> Failure {
    let message = format!(
        "no steward looks after {}, though some of it runs on",
        here.title()
    );
    let (up, down) = (here.again("up"), here.again("down"));
    Failure::new(Kind::Remote, message).hint(format!("`{up}` takes it over, `{down}` stops it"))
}

/// Whether a steward has left anything: what lives, a keeper that waits to tell how its instance has ended, or the edge.
pub(crate) async fn is_left(here: &Here) -> Result<bool, Failure> {
    if here.elsewhere().is_some() {
        return Ok(false);
    }
    if !seen(here).await?.is_empty() {
        return Ok(true);
    }
    let config = crate::command::steward_config(&here.folder, &here.environment)?;
    Ok(towpath_steward::edge_is_there(&config).await)
}

async fn seen(here: &Here) -> Result<Vec<Seen>, Failure> {
    if here.elsewhere().is_some() || !here.state.has_journal() {
        return Ok(Vec::new());
    }
    let config = crate::command::steward_config(&here.folder, &here.environment)?;
    towpath_steward::observe(&config).await.map_err(|error| {
        let message = format!("what runs cannot be looked at: {}", towpath_steward::told(&error));
        Failure::new(Kind::Remote, message)
    })
}

/// A steward that answers already, or one that is about to.
pub(crate) struct Calling {
    hatchling: Option<Hatchling>,
    /// Nobody else starts one meanwhile.
    _alone: Option<Alone>,
}

/// Looks whether somebody answers, and starts a steward where nobody does. It gets ready while we go on.
pub(crate) async fn call(here: &Here) -> Result<Calling, Failure> {
    let client = here.client();
    if answers(&client, here).await? {
        return Ok(Calling {
            hatchling: None,
            _alone: None,
        });
    }
    here.state.make()?;
    let alone = here.state.start_alone()?;
    // Whoever we have waited for has started one.
    let hatchling = if answers(&client, here).await? {
        None
    } else {
        Some(processes::hatch(&here.folder, &here.environment, &here.state)?)
    };
    Ok(Calling {
        hatchling,
        _alone: Some(alone),
    })
}

impl Calling {
    /// Waits until it answers; what came back is the steward where it is a new one.
    pub(crate) fn answered(self, here: &Here) -> Result<Option<Hatchling>, Failure> {
        let Some(mut hatchling) = self.hatchling else {
            return Ok(None);
        };
        match hatchling.listens() {
            Ok(()) => Ok(Some(hatchling)),
            Err(said) => Err(stillborn(here, &said)),
        }
    }

    /// It is not needed after all.
    pub(crate) fn never_mind(self) {
        if let Some(hatchling) = self.hatchling {
            hatchling.send_away();
        }
    }
}

/// A steward that ended before it listened.
fn stillborn(here: &Here, said: &str) -> Failure {
    let (said, hint) = said.split_once('\n').unwrap_or((said, ""));
    let failure = Failure::new(
        Kind::Remote,
        match said {
            "" => "the steward ended before it listened".to_owned(),
            said => format!("the steward cannot start: {said}"),
        },
    );
    if !hint.trim().is_empty() {
        return failure.hint(hint.trim());
    }
    let log = here.state.log();
    match here.state.last_words(3).as_slice() {
        [] => failure.hint(format!("what it does is written to {}", log.display())),
        last => failure.hint(format!(
            "the last lines of {}:\n        {}",
            log.display(),
            last.join("\n        ")
        )),
    }
}

async fn answers(client: &Client, here: &Here) -> Result<bool, Failure> {
    match client.is_there().await {
        Ok(there) => Ok(there),
        Err(error) => Err(failed(&error, here)),
    }
}

/// Why there is no answer, and what to do.
pub(crate) fn failed(error: &ClientError, here: &Here) -> Failure {
    match error {
        ClientError::Nobody => nobody(here),
        ClientError::Refused(problem) => refused(problem),
        ClientError::Closed { why, .. } => Failure::new(Kind::Remote, format!("{error}: {why}"))
            .hint("it belongs to who has started it: run this as the same user"),
        ClientError::Unreachable { why, .. } => Failure::new(Kind::Remote, format!("{error}: {why}"))
            .hint("look whether `towpath serve --listen` runs there, and whether its port can be reached from here"),
        ClientError::OtherKey { .. } => Failure::new(Kind::Remote, error.to_string()).hint(
            "where that machine was made anew, make another token on it; otherwise somebody stands between you and it",
        ),
        ClientError::Cut if here.elsewhere().is_some() => Failure::new(Kind::Remote, error.to_string())
            .hint("what runs goes on there, and so does what was asked for; ask again in a moment"),
        ClientError::Garbled(why) if here.elsewhere().is_some() => {
            Failure::new(Kind::Remote, format!("{error} ({why})")).hint("use the same version here and there")
        }
        ClientError::Cut => Failure::new(Kind::Remote, error.to_string()).hint(format!(
            "what runs goes on under its keepers; `{}` starts a new one, and {} says why the last one ended",
            here.again("up"),
            here.state.log().display()
        )),
        ClientError::Garbled(why) => Failure::new(Kind::Remote, format!("{error} ({why})")).hint(format!(
            "start it again with this version: `{}`, then `{}`",
            here.again("down"),
            here.again("up")
        )),
    }
}

/// Nobody looks after it.
pub(crate) fn nobody(here: &Here) -> Failure {
    let message = format!("nothing runs: no steward looks after {}", here.title());
    Failure::new(Kind::Remote, message).hint(format!(
        "`{}` starts one, and everything with it",
        here.again("up")
    ))
}

pub(crate) fn refused(problem: &Problem) -> Failure {
    let kind = match problem.status {
        400..500 => Kind::User,
        _ => Kind::Remote,
    };
    let failure = Failure::new(kind, problem.message.clone());
    match &problem.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_refused_called_wrongly_unless_it_failed() {
        let problem = |status| Problem {
            status,
            code: "unknown-component".to_owned(),
            message: "there is no component named `wbe`".to_owned(),
            hint: Some("did you mean `web`?".to_owned()),
        };
        let failure = refused(&problem(404));
        assert_eq!(failure.kind, Kind::User);
        assert_eq!(failure.hint.as_deref(), Some("did you mean `web`?"));
        assert_eq!(refused(&problem(503)).kind, Kind::Remote);
    }
}
