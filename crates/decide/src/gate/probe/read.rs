//! From the words of a probe to what is done, exactly.

use super::request;
use super::{Act, Bound, Hash, Request, Script, Step, Value};
use std::collections::BTreeSet;
use towpath_model::desired::probe::{self, Fixture, Probe, With};
use towpath_model::unit::{Comparison, Duration};

/// The most runs of one verdict: a mistake in a manifest is not to ask a product without end.
const MOST_RUNS: u32 = 10_000;

/// Reads a probe; or why nobody could run it.
pub fn read(probe: &Probe) -> Result<Script, String> {
    let mut steps = Vec::new();
    if let Some(act) = own(probe)? {
        let bound = probe.timeout.min(probe.within.unwrap_or(probe.timeout));
        let bound = match act {
            // What comes by itself is waited for as long as it is said.
            Act::WebSocket(_) | Act::Command(_) => probe.within.unwrap_or(probe.timeout),
            _ => bound,
        };
        steps.push(made(act, &[], bound, probe.timeout)?);
    }
    for (index, step) in probe.steps.iter().enumerate() {
        let made = one(probe, step).map_err(|why| format!("step {}: {why}", index + 1))?;
        steps.push(made);
    }
    let Some(last) = steps.last_mut() else {
        return Err("it does nothing: it has no request, and no steps".to_owned());
    };
    let (mut each, mut across) = (Vec::new(), Vec::new());
    for keep in &probe.expect {
        let bound = Bound::read(keep, &last.act)?;
        match (bound.is_across(), bound.is_time()) {
            (true, _) => across.push(bound),
            (false, true) => each.push(bound),
            (false, false) => last.expect.push(bound),
        }
    }
    Ok(Script {
        steps,
        runs: probe.runs.clamp(1, MOST_RUNS),
        within: probe.within,
        each,
        across,
    })
}

/// What a probe does that has no steps.
fn own(probe: &Probe) -> Result<Option<Act>, String> {
    let with = probe.with.as_ref();
    let on = || probe.on.as_ref().map(|on| on.as_str().to_owned());
    if let Some(fixture) = &probe.fixture {
        return fixed(fixture, with).map(Some);
    }
    let act = Words {
        http: probe.http.as_deref(),
        websocket: probe.websocket.as_deref(),
        tcp: probe.tcp.as_deref(),
        sql: probe.sql.as_deref(),
        queue: probe.queue.as_deref(),
        command: probe.command.as_ref().map(|command| command.as_str()),
        wait: None,
    };
    act.read(with, on())
}

/// One of several steps. What it does not say itself it has from the probe.
fn one(probe: &Probe, step: &probe::Step) -> Result<Step, String> {
    let with = step.with.as_ref().or(probe.with.as_ref());
    let on = step.on.as_ref().or(probe.on.as_ref());
    let words = Words {
        http: step.http.as_deref(),
        websocket: step.websocket.as_deref(),
        tcp: step.tcp.as_deref(),
        sql: step.sql.as_deref(),
        queue: step.queue.as_deref(),
        command: step.command.as_ref().map(|command| command.as_str()),
        wait: step.wait.as_deref(),
    };
    let act = words.read(with, on.map(|on| on.as_str().to_owned()))?;
    let act = act.ok_or_else(|| "it does nothing".to_owned())?;
    let bound = step.within.unwrap_or(probe.timeout);
    made(act, &step.expect, bound, probe.timeout)
}

/// What a probe and a step say in the same words.
struct Words<'w> {
    http: Option<&'w str>,
    websocket: Option<&'w str>,
    tcp: Option<&'w str>,
    sql: Option<&'w str>,
    queue: Option<&'w str>,
    command: Option<&'w str>,
    wait: Option<&'w str>,
}

impl Words<'_> {
    fn read(&self, with: Option<&With>, on: Option<String>) -> Result<Option<Act>, String> {
        Ok(Some(if let Some(text) = self.http {
            Act::Http(request::http(text, with)?)
        } else if let Some(text) = self.wait {
            Act::Wait(request::http(text, with)?)
        } else if let Some(text) = self.websocket {
            Act::WebSocket(request::websocket(text, with)?)
        } else if let Some(text) = self.tcp {
            Act::Tcp(request::tcp(text)?)
        } else if let Some(text) = self.sql {
            let text = text.to_owned();
            Act::Sql { text, on }
        } else if let Some(queue) = self.queue {
            let body = with.and_then(|with| with.body.as_deref()).map(request::value);
            let list = request::list(queue)?;
            Act::Queue { list, body, on }
        } else if let Some(command) = self.command {
            Act::Command(command.to_owned())
        } else {
            return Ok(None);
        }))
    }
}

fn fixed(fixture: &Fixture, with: Option<&With>) -> Result<Act, String> {
    let hash = match fixture.hash.trim() {
        "stable" => Hash::Stable,
        text => Hash::Is(digest(text)?),
    };
    Ok(Act::Fixture {
        request: request::http(&fixture.request, with)?,
        file: fixture.body.to_string(),
        hash,
    })
}

/// `sha256:` and 64 digits, in small letters.
fn digest(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    match digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(format!(
            "`{text}` is no digest; write sha256: with 64 digits, or `stable` for that of the release that runs"
        )),
    }
}

fn made(act: Act, expect: &[Comparison], bound: Duration, timeout: Duration) -> Result<Step, String> {
    let bounds: Result<Vec<Bound>, String> = expect.iter().map(|keep| Bound::read(keep, &act)).collect();
    let (across, expect) = bounds?.into_iter().partition(Bound::is_across);
    Ok(Step {
        words: act.words(),
        act,
        expect,
        across,
        bound,
        timeout,
    })
}

/// The secrets whose values a probe carries.
pub fn secrets(probe: &Probe) -> BTreeSet<String> {
    let Ok(script) = read(probe) else {
        return BTreeSet::new();
    };
    let mut names = BTreeSet::new();
    for step in &script.steps {
        match &step.act {
            Act::Http(request)
            | Act::WebSocket(request)
            | Act::Wait(request)
            | Act::Fixture { request, .. } => {
                names.extend(named(request));
            }
            Act::Queue { body, .. } => names.extend(body.as_ref().and_then(Value::secret)),
            Act::Tcp(_) | Act::Sql { .. } | Act::Command(_) => {}
        }
    }
    names
}

fn named(request: &Request) -> impl Iterator<Item = String> {
    let values = [&request.cookie, &request.token, &request.body];
    let values = values.into_iter().flatten();
    let headers = request.headers.iter().map(|(_, value)| value);
    values
        .chain(headers)
        .filter_map(Value::secret)
        .chain(request.hmac.clone())
}

impl Value {
    /// The secret that it comes from.
    pub fn secret(&self) -> Option<String> {
        match self {
            Value::Secret(name) => Some(name.clone()),
            Value::Plain(_) => None,
        }
    }
}
