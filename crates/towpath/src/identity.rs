//! What is shown to a machine elsewhere: a token that somebody has handed over or kept, or one that the machine gives for the
//! identity of this job.
//!
//! Whoever shows an identity has to know beforehand to whom: whoever stood between could show it on. So the job is told the key of
//! the machine (`TOWPATH_PIN`), and has its identity made out for that key alone. Where it says that key, it means the identity,
//! whatever token is kept for the machine besides.

use crate::door::elsewhere::{Elsewhere, Pipeline, pipeline};
use crate::failure::{Failure, Kind};
use crate::talk::{refused, wait};
use serde::Deserialize;
use towpath_api::{ClientError, Exchange, Pin, Token, Unread, Web, audience, exchange};
use towpath_model::sealed::Sealed;

/// What is shown to a machine.
pub(crate) fn token(to: &Elsewhere, product: &str, environment: &str) -> Result<Token, Failure> {
    if let Some(token) = to.handed()? {
        return Ok(token);
    }
    let pipeline = pipeline()?;
    let has_identity = pipeline.identity.is_some() || pipeline.issues.is_some();
    let is_meant = pipeline.pin.is_some() || pipeline.identity.is_some();
    if !(has_identity && is_meant) {
        return to.kept()?.ok_or_else(|| without(to, &pipeline));
    }
    let pin = pin(to, &pipeline)?;
    let shown = |identity: &Sealed<String>| Exchange {
        product: product.to_owned(),
        environment: environment.to_owned(),
        identity: identity.open().clone(),
    };
    let work = async {
        let identity = match &pipeline.identity {
            Some((identity, _)) => identity.clone(),
            None => issued(&pipeline, pin).await?,
        };
        let exchanged = exchange(&to.host, to.port, pin, &shown(&identity)).await;
        exchanged.map_err(|error| failed(&error))
    };
    // Some ask from where somebody waits already, and one thread waits for one thing.
    let done = std::thread::scope(|scope| scope.spawn(|| wait(work)).join());
    done.unwrap_or_else(|_| Err(Failure::new(Kind::Internal, "the identity cannot be exchanged")))
}

/// The key of the machine.
fn pin(to: &Elsewhere, pipeline: &Pipeline) -> Result<Pin, Failure> {
    let hint = "`towpath token trust` prints it on the machine; it is no secret, so it may stand in the pipeline's file";
    let Some(text) = &pipeline.pin else {
        let message = format!(
            "TOWPATH_PIN is not set, so it cannot be known whether {} is who this job may show its identity to",
            to.shown()
        );
        return Err(Failure::new(Kind::User, message).hint(hint));
    };
    let message = "TOWPATH_PIN holds no key of a machine: it has 43 letters";
    Pin::parse(text).ok_or_else(|| Failure::new(Kind::User, message).hint(hint))
}

/// There is nothing to show.
fn without(to: &Elsewhere, pipeline: &Pipeline) -> Failure {
    if pipeline.issues.is_some() {
        // It has an identity, and does not know to whom it shows it.
        return match pin(to, pipeline) {
            Err(failure) => failure,
            Ok(_) => to.without(),
        };
    }
    if pipeline.pin.is_some() && pipeline.is_github {
        let message = "this job is given no identity by GitHub, so there is nothing to show";
        return Failure::new(Kind::User, message).hint(
            "let it have one: `permissions: { id-token: write, contents: read }`; a pull request from a fork has none",
        );
    }
    if pipeline.pin.is_some() {
        let message = "TOWPATH_PIN is set, and this job has no identity to show";
        return Failure::new(Kind::User, message)
            .hint("hand it over in TOWPATH_ID_TOKEN, or in a file that TOWPATH_ID_TOKEN_FILE names");
    }
    to.without()
}

/// Has GitHub issue an identity that is made out for the machine with this key.
async fn issued(pipeline: &Pipeline, pin: Pin) -> Result<Sealed<String>, Failure> {
    #[derive(Deserialize)]
    struct Told {
        value: String,
    }
    let no = |why: String| {
        let message = format!("GitHub has not issued an identity for this job: {why}");
        Failure::new(Kind::Remote, message)
            .hint("run the job again; githubstatus.com says whether it is down")
    };
    let Some((url, bearer)) = &pipeline.issues else {
        return Err(no("it does not say where".to_owned()));
    };
    let wanted = pipeline.audience.clone().unwrap_or_else(|| audience(pin));
    let join = if url.contains('?') { '&' } else { '?' };
    let address = format!("{url}{join}audience={}", encoded(&wanted));
    let read = async { Web::open()?.read(&address, Some(bearer)).await };
    let text = read.await.map_err(|Unread(why)| no(why))?;
    // What is in it is a secret: why it cannot be read is not told.
    let told: Told =
        serde_json::from_slice(&text).map_err(|_| no("what it has answered cannot be read".to_owned()))?;
    Ok(Sealed::new(told.value))
}

fn encoded(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                written.push(char::from(byte))
            }
            byte => written.push_str(&format!("%{byte:02X}")),
        }
    }
    written
}

/// Why the machine gives nothing for it.
fn failed(error: &ClientError) -> Failure {
    match error {
        ClientError::Refused(problem) => refused(problem),
        ClientError::Unreachable { why, .. } => Failure::new(Kind::Remote, format!("{error}: {why}")).hint(
            "look whether `towpath serve --listen` runs there, and whether its port can be reached from here",
        ),
        ClientError::OtherKey { place, shown, .. } => {
            let message = format!("{place} shows the key {shown}, and TOWPATH_PIN says another one");
            Failure::new(Kind::Remote, message).hint(
                "nothing was shown to it; where that machine was made anew, `towpath token trust` prints its key on it; \
                 otherwise somebody stands between you and it",
            )
        }
        ClientError::Cut => Failure::new(
            Kind::Remote,
            "the machine went away before it gave a token for the identity",
        )
        .hint("run the job again: an identity is good for one exchange"),
        error => Failure::new(Kind::Remote, error.to_string()).hint("use the same version here and there"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_nothing_to_show_is_told_what_is_missing() {
        let to = Elsewhere {
            host: "server".to_owned(),
            port: 8440,
        };
        let told = |change: fn(&mut Pipeline)| {
            let mut pipeline = Pipeline::default();
            change(&mut pipeline);
            let failure = without(&to, &pipeline);
            assert!(failure.hint.is_some());
            failure.message
        };
        let issues = |one: &mut Pipeline| one.issues = Some(("u".to_owned(), Sealed::new("t".to_owned())));
        assert!(told(issues).starts_with("TOWPATH_PIN is not set"));
        assert_eq!(told(|_| {}), "there is no token for server");
        assert_eq!(
            told(|one| (one.pin, one.is_github) = (Some("p".to_owned()), true)),
            "this job is given no identity by GitHub, so there is nothing to show"
        );
        assert_eq!(
            told(|one| one.pin = Some("p".to_owned())),
            "TOWPATH_PIN is set, and this job has no identity to show"
        );
        let short = Pipeline {
            pin: Some("abc".to_owned()),
            ..Pipeline::default()
        };
        assert!(pin(&to, &short).expect_err("no").message.contains("43 letters"));
    }

    #[test]
    fn an_audience_is_one_word_of_a_query() {
        assert_eq!(encoded("towpath:a_b-c&d=é"), "towpath%3Aa_b-c%26d%3D%C3%A9");
    }
}
