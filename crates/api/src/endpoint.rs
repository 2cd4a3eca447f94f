//! Everything that can be asked for: one table, from which the rights of tokens and the OpenAPI document come.

use crate::verb::Verb;

/// Something that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// `GET`.
    pub method: &'static str,
    /// `/components/{name}/scale`: a part in braces stands for any one part.
    pub path: &'static str,
    /// What a token has to allow.
    pub verb: Verb,
    /// What is brought.
    pub asks: Asks,
    /// What comes back.
    pub answers: Answers,
    /// What it does, in a sentence or two.
    pub text: &'static str,
}

/// What is brought with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// An object of this type.
    Object(&'static str),
    /// A file, however large it is.
    File,
}

/// What comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// That it is done.
    Done,
    /// An object of this type.
    Object(&'static str),
    /// Objects of this type, one a line, as they come.
    Lines(&'static str),
    /// Text.
    Text,
}

impl Answers {
    /// The media type that says so.
    pub fn media(self) -> &'static str {
        match self {
            Answers::Done | Answers::Object(_) => "application/json",
            Answers::Lines(_) => "application/x-ndjson",
            Answers::Text => "text/plain; version=0.0.4",
        }
    }
}

const fn get(path: &'static str, verb: Verb, answers: Answers, text: &'static str) -> Endpoint {
    Endpoint {
        method: "GET",
        path,
        verb,
        asks: Asks::Nothing,
        answers,
        text,
    }
}

const fn post(
    path: &'static str,
    verb: Verb,
    asks: &'static str,
    answers: Answers,
    text: &'static str,
) -> Endpoint {
    Endpoint {
        method: "POST",
        path,
        verb,
        asks: Asks::Object(asks),
        answers,
        text,
    }
}

const fn done(path: &'static str, text: &'static str) -> Endpoint {
    Endpoint {
        method: "POST",
        path,
        verb: Verb::Operate,
        asks: Asks::Nothing,
        answers: EVENTS,
        text,
    }
}

const EVENTS: Answers = Answers::Lines("Event");

/// What stands before the endpoints of an environment when a machine is asked for them.
pub const ENVIRONMENT: &str = "/v1/products/{product}/environments/{environment}";

/// Where an identity is exchanged: it needs no token.
pub const EXCHANGE: &str = "/v1/exchange";

/// What a machine answers.
pub const OF_A_MACHINE: &[Endpoint] = &[
    get(
        "/v1",
        Verb::Read,
        Answers::Object("Machine"),
        "The version of the machine, and what is on it of what the token is for. Every token may ask.",
    ),
    get(
        "/v1/tokens",
        Verb::Admin,
        Answers::Object("Tokens"),
        "All tokens, without their secrets. Only the machine's own socket answers it.",
    ),
    post(
        "/v1/tokens",
        Verb::Admin,
        "Mint",
        Answers::Object("Minted"),
        "Makes a token. Only the machine's own socket answers it.",
    ),
    Endpoint {
        method: "DELETE",
        path: "/v1/tokens/{id}",
        verb: Verb::Admin,
        asks: Asks::Nothing,
        answers: Answers::Object("Tokens"),
        text: "Takes a token back. Only the machine's own socket answers it.",
    },
    get(
        "/v1/trusts",
        Verb::Admin,
        Answers::Object("Trusts"),
        "Whose jobs are trusted by their identity. Only the machine's own socket answers it.",
    ),
    post(
        "/v1/trusts",
        Verb::Admin,
        "Trust",
        Answers::Object("TrustTold"),
        "Trusts the jobs of a pipeline by the identity that their issuer gives them. Only the machine's own socket answers it.",
    ),
    Endpoint {
        method: "DELETE",
        path: "/v1/trusts/{id}",
        verb: Verb::Admin,
        asks: Asks::Nothing,
        answers: Answers::Object("Trusts"),
        text: "Trusts nobody by this any more, and takes back what it has given. Only the machine's own socket answers it.",
    },
    post(
        EXCHANGE,
        Verb::Read,
        "Exchange",
        Answers::Object("Minted"),
        "Gives a token for a quarter of an hour to a job that shows an identity which is trusted.",
    ),
];

/// What the steward of an environment answers.
pub const OF_AN_ENVIRONMENT: &[Endpoint] = &[
    get(
        "/status",
        Verb::Read,
        Answers::Object("Status"),
        "How everything is. With `usage=no` it is not looked at what instances use, which is faster.",
    ),
    get(
        "/metrics",
        Verb::Read,
        Answers::Text,
        "Counts and times of requests, as Prometheus reads them.",
    ),
    get(
        "/events",
        Verb::Read,
        EVENTS,
        "What happens, as it happens, until everything has stopped.",
    ),
    post(
        "/logs",
        Verb::Read,
        "LogArgs",
        Answers::Lines("LogLine"),
        "What components have written.",
    ),
    get(
        "/components/{name}/explain",
        Verb::Read,
        Answers::Object("Explained"),
        "Why a component is as it is.",
    ),
    Endpoint {
        method: "POST",
        path: "/same",
        verb: Verb::Read,
        asks: Asks::Nothing,
        answers: Answers::Object("Same"),
        text: "Whether nothing has to be done, because no file has changed and everything is well.",
    },
    get(
        "/course",
        Verb::Read,
        Answers::Object("CourseTold"),
        "Where the environment stands between its releases.",
    ),
    get(
        "/releases",
        Verb::Read,
        Answers::Object("Releases"),
        "The releases that there are, the newest first.",
    ),
    get(
        "/releases/{id}",
        Verb::Read,
        Answers::Object("Release"),
        "All of a release; a beginning of its name is enough.",
    ),
    get(
        "/gates",
        Verb::Read,
        Answers::Object("Answered"),
        "What gates have answered, the newest first, what is waived, and who has said yes.",
    ),
    post(
        "/gates",
        Verb::Deploy,
        "AboutGate",
        Answers::Object("Answered"),
        "Waives a gate for a time, says yes to one, or brings what one has answered to somebody who could ask it.",
    ),
    post(
        "/ask",
        Verb::Deploy,
        "Ask",
        Answers::Object("Answered"),
        "Asks gates of what runs here, for a release that is to go onward, and answers when each has answered.",
    ),
    get(
        "/history",
        Verb::Read,
        Answers::Object("History"),
        "What has happened to releases, the newest first.",
    ),
    get(
        "/rollouts/{number}",
        Verb::Read,
        Answers::Object("Story"),
        "The whole story of a rollout, however long ago it was.",
    ),
    post(
        "/secrets/versions",
        Verb::Deploy,
        "Versioned",
        Answers::Object("Versions"),
        "The versions of secrets that hold now. Those with a generator are made up where there are none yet.",
    ),
    post(
        "/artifacts/missing",
        Verb::Deploy,
        "Missing",
        Answers::Object("Missing"),
        "Which of these files are not there.",
    ),
    Endpoint {
        method: "PUT",
        path: "/artifacts/{digest}",
        verb: Verb::Deploy,
        asks: Asks::File,
        answers: Answers::Done,
        text: "Brings a file, which has to have that digest.",
    },
    post(
        "/deploy",
        Verb::Deploy,
        "Deploy",
        EVENTS,
        "This release is to be the current one.",
    ),
    post(
        "/course",
        Verb::Deploy,
        "Steer",
        EVENTS,
        "Steers what is under way: rollback, pause, resume, abort, approve, skip, freeze, thaw; or only looks on.",
    ),
    done(
        "/components/{name}/start",
        "Starts a component that was stopped, or that sleeps.",
    ),
    done(
        "/components/{name}/stop",
        "Stops a component until it is started again.",
    ),
    done(
        "/components/{name}/restart",
        "Stops a component, and starts it again.",
    ),
    post(
        "/components/{name}/scale",
        Verb::Operate,
        "Scale",
        EVENTS,
        "Says how many instances of a component run from now on.",
    ),
    post(
        "/maintenance",
        Verb::Operate,
        "Maintain",
        Answers::Object("Maintained"),
        "Closes components for visitors, or opens them.",
    ),
    post(
        "/sign-out",
        Verb::Operate,
        "SignOut",
        Answers::Object("SignedOut"),
        "Whoever has signed in at the edge has to do so once more.",
    ),
    get(
        "/components/{name}/surroundings",
        Verb::Secrets,
        Answers::Object("Surroundings"),
        "Everything that a component is given, in clear.",
    ),
    post(
        "/apply",
        Verb::Admin,
        "Apply",
        EVENTS,
        "Makes a product true that was spelled out elsewhere, as `towpath up` does.",
    ),
    post(
        "/down",
        Verb::Admin,
        "DownArgs",
        EVENTS,
        "Stops everything; the last event is `gone`, and the steward ends.",
    ),
];

/// Everything else of this name, and below it, belongs to a verb, too.
const BELOW: &[(&str, Verb)] = &[("secrets", Verb::Secrets)];

impl Endpoint {
    /// Whether a question is for it.
    pub fn is(&self, method: &str, path: &str) -> bool {
        let parts = |path: &'static str| path.split('/');
        let mut asked = path.split('/');
        let same = parts(self.path).all(|part| {
            asked
                .next()
                .is_some_and(|asked| part == asked || (part.starts_with('{') && !asked.is_empty()))
        });
        self.method == method && same && asked.next().is_none()
    }
}

/// The endpoint of an environment that a question is for, where there is one.
pub fn endpoint(method: &str, path: &str) -> Option<&'static Endpoint> {
    OF_AN_ENVIRONMENT.iter().find(|one| one.is(method, path))
}

/// What a token has to allow for a question to an environment. What nobody has thought of is for those who may do everything.
pub fn verb(method: &str, path: &str) -> Verb {
    let first = path.split('/').nth(1).unwrap_or_default();
    let below = || BELOW.iter().find(|(name, _)| *name == first);
    endpoint(method, path)
        .map(|one| one.verb)
        .or_else(|| below().map(|(_, verb)| *verb))
        .unwrap_or(Verb::Admin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_belongs_to_one_verb_and_an_unknown_one_is_for_those_who_may_do_everything() {
        for (method, path, wanted) in [
            ("GET", "/status", Verb::Read),
            ("POST", "/logs", Verb::Read),
            ("GET", "/course", Verb::Read),
            ("GET", "/rollouts/7", Verb::Read),
            ("POST", "/course", Verb::Deploy),
            ("PUT", "/artifacts/5b1c", Verb::Deploy),
            ("POST", "/components/web/restart", Verb::Operate),
            ("GET", "/components/web/surroundings", Verb::Secrets),
            ("POST", "/secrets/versions", Verb::Deploy),
            ("POST", "/secrets/set", Verb::Secrets),
            ("GET", "/secrets", Verb::Secrets),
            ("GET", "/secretsauce", Verb::Admin),
            ("POST", "/down", Verb::Admin),
            ("POST", "/status", Verb::Admin),
            ("POST", "/components/web/erase", Verb::Admin),
            ("POST", "/components//restart", Verb::Admin),
            ("POST", "/components/web/restart/", Verb::Admin),
            ("GET", "/status/", Verb::Admin),
            ("GET", "/", Verb::Admin),
            ("get", "/status", Verb::Admin),
        ] {
            assert_eq!(verb(method, path), wanted, "{method} {path}");
        }
    }

    #[test]
    fn no_two_endpoints_are_asked_for_alike() {
        for (at, one) in OF_AN_ENVIRONMENT.iter().enumerate() {
            let same = OF_AN_ENVIRONMENT
                .iter()
                .position(|other| other.is(one.method, one.path));
            assert_eq!(same, Some(at), "{} {}", one.method, one.path);
        }
    }

    #[test]
    fn admin_covers_everything_and_the_others_themselves() {
        for verb in Verb::ALL {
            assert_eq!(Verb::of(verb.word()), Some(verb));
            assert!(Verb::Admin.covers(verb) && verb.covers(verb));
            assert_eq!(verb.covers(Verb::Admin), verb == Verb::Admin);
        }
        assert!(!Verb::Deploy.covers(Verb::Read));
    }
}
