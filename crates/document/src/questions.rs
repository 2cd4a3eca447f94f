//! What gates and probes ask, in words.

use crate::product::Product;
use crate::words;
use towpath_model::desired::gate::{Approval, CanaryGate, ChangeGate, ChangeMode, Gate, Sarif};
use towpath_model::desired::probe::{Probe, Step, With};

/// A gate or probe in a few words: what it is for, else its name.
pub(crate) fn short(product: &Product<'_>, name: &str) -> String {
    let gates = product.all(|product| &product.gate);
    let probes = product.all(|product| &product.probe);
    let gate = gates
        .iter()
        .find(|(gate, _)| gate.as_str() == name)
        .and_then(|(_, gate)| gate.about.as_deref());
    let probe = probes
        .iter()
        .find(|(probe, _)| probe.as_str() == name)
        .and_then(|(_, probe)| probe.about.as_deref());
    match gate.or(probe) {
        Some(about) => format!("{} ({})", words::code(name), words::text(about)),
        None => words::code(name),
    }
}

/// What a gate asks, with its bound.
pub(crate) fn question(gate: &Gate) -> String {
    let asked = [
        gate.command
            .as_ref()
            .map(|command| format!("{} ends with 0", words::code(command))),
        gate.junit.as_ref().map(|junit| {
            let tests = match junit.at_least {
                0 | 1 => String::new(),
                least => format!(" in at least {}", words::count(least, "test")),
            };
            format!(
                "{}no failure{tests} in {}",
                run(&junit.run),
                words::code(&junit.report)
            )
        }),
        gate.sarif.as_ref().map(sarif),
        gate.size.as_ref().map(|size| {
            let what = size.file.as_ref().map(words::code);
            let artifact = size
                .artifact
                .as_ref()
                .map(|artifact| format!("the artifact of {}", words::code(artifact)));
            format!(
                "{} weighs at most {}",
                what.or(artifact).unwrap_or_else(|| "the artifact".to_owned()),
                words::size(size.most)
            )
        }),
        gate.performance.as_ref().map(|performance| {
            format!(
                "{}{} {} in {}",
                run(&performance.run),
                words::code(&performance.value),
                words::code(&performance.keep),
                words::code(&performance.report)
            )
        }),
        gate.probe
            .as_ref()
            .map(|probe| format!("the probe {} passes", words::code(probe))),
        gate.objective
            .as_ref()
            .map(|objective| format!("the objective {} is kept", words::code(objective))),
        gate.metric.as_ref().map(|metric| {
            format!(
                "{} {} for {}",
                words::code(&metric.metric),
                words::code(&metric.keep),
                words::time(metric.over)
            )
        }),
        gate.change.as_ref().map(change),
        gate.canary.as_ref().map(canary),
        gate.load.as_ref().map(|load| {
            format!(
                "{} keeps {}",
                words::code(&load.command),
                words::codes(&load.keep)
            )
        }),
        gate.cost
            .map(|most| format!("the month's estimate is at most {most}")),
        gate.approval.as_ref().map(approval),
        gate.window
            .as_ref()
            .map(|window| format!("it is {}", words::window(window))),
        gate.bake
            .map(|time| format!("{} without a fault", words::time(time))),
        gate.budget_left
            .map(|share| format!("at least {share} of the error budget is left")),
    ];
    asked.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn run(command: &Option<towpath_model::unit::Command>) -> String {
    command
        .as_ref()
        .map(|command| format!("{}: ", words::code(command)))
        .unwrap_or_default()
}

fn sarif(sarif: &Sarif) -> String {
    let old = sarif.older_than.map(|age| {
        format!(
            "; one known for more than {} fails, however bad",
            words::time(age)
        )
    });
    let bounds = match sarif.block == sarif.fail {
        true => format!("a weakness of severity {} or worse fails the build", sarif.fail),
        false => format!(
            "a {} weakness stops the release, a {} one the build",
            sarif.block, sarif.fail
        ),
    };
    format!("{}{bounds}{}", run(&sarif.run), old.unwrap_or_default())
}

fn change(change: &ChangeGate) -> String {
    let by = change.by.to_string();
    let way = match by.strip_prefix('-') {
        Some(less) => format!("at least {less} less"),
        None => format!("at most {} more", by.trim_start_matches('+')),
    };
    let per = change
        .per
        .as_ref()
        .map(|per| format!(", counted by {}", words::code(per)));
    let sure = match change.mode {
        ChangeMode::Point => "by the numbers as they are",
        ChangeMode::Confident => "with the whole 95% interval on that side",
    };
    format!(
        "{} is {way} over {} than over the {} before{}, {sure}; fewer than {} before is no verdict",
        words::code(&change.metric),
        words::time(change.over),
        words::time(change.baseline.unwrap_or(change.over)),
        per.unwrap_or_default(),
        words::count(change.min_baseline, "event"),
    )
}

fn canary(canary: &CanaryGate) -> String {
    format!(
        "errors stay at or below {} and are no worse than before, and the {} quantile of latency is not both {} and {} slower",
        canary.errors,
        canary.quantile,
        canary.slower,
        words::time(canary.tolerance)
    )
}

fn approval(approval: &Approval) -> String {
    let people: Vec<String> = approval
        .people
        .iter()
        .map(|person| words::text(person.as_str()))
        .collect();
    let role = approval
        .role
        .as_ref()
        .map(|role| format!("somebody with the role {}", words::code(role)));
    let who = match (people.is_empty(), role) {
        (true, None) => "somebody".to_owned(),
        (true, Some(role)) => role,
        (false, None) if approval.count > 1 => words::list(&people),
        (false, None) => words::either(&people),
        (false, Some(role)) => format!("{} or {role}", people.join(", ")),
    };
    let count = if approval.count > 1 {
        format!("{} of ", approval.count)
    } else {
        String::new()
    };
    let verb = if approval.count > 1 { "say" } else { "says" };
    format!(
        "{count}{who} {verb} yes, which holds for {}",
        words::time(approval.lasts)
    )
}

/// What a probe does, step by step.
pub(crate) fn steps(probe: &Probe) -> Vec<String> {
    if !probe.steps.is_empty() {
        return probe.steps.iter().map(step).collect();
    }
    let on = probe.on.as_ref().map(|on| format!(" on {}", words::code(on)));
    let on = on.unwrap_or_default();
    let carried = probe.with.as_ref().map(carried).unwrap_or_default();
    let tried = [
        probe.http.as_ref().map(words::code),
        probe
            .websocket
            .as_ref()
            .map(|path| format!("a WebSocket on {}", words::code(path))),
        probe
            .tcp
            .as_ref()
            .map(|address| format!("{} accepts", words::code(address))),
        probe.sql.as_ref().map(|sql| format!("{}{on}", words::code(sql))),
        probe
            .queue
            .as_ref()
            .map(|queue| format!("a job on the queue {}{on}", words::code(queue))),
        probe
            .command
            .as_ref()
            .map(|command| format!("{} ends with 0", words::code(command))),
        probe.fixture.as_ref().map(|fixture| {
            let same = match fixture.hash.as_str() {
                "stable" => "what the running release answers".to_owned(),
                hash => format!("the digest {}", words::code(hash)),
            };
            format!(
                "{} with {}{} gives {same}",
                words::code(&fixture.request),
                words::code(&fixture.body),
                carried.replacen(" with ", " and ", 1)
            )
        }),
    ];
    let mut text = tried.into_iter().flatten().collect::<Vec<_>>().join("; ");
    if probe.fixture.is_none() {
        text.push_str(&carried);
    }
    vec![text]
}

fn step(step: &Step) -> String {
    let on = step
        .on
        .as_ref()
        .map(|on| format!(" on {}", words::code(on)))
        .unwrap_or_default();
    let tried = [
        step.http.as_ref().map(words::code),
        step.websocket
            .as_ref()
            .map(|path| format!("WebSocket {}", words::code(path))),
        step.tcp
            .as_ref()
            .map(|address| format!("{} accepts", words::code(address))),
        step.sql.as_ref().map(|sql| format!("{}{on}", words::code(sql))),
        step.queue
            .as_ref()
            .map(|queue| format!("a job on the queue {}{on}", words::code(queue))),
        step.command
            .as_ref()
            .map(|command| format!("{} ends with 0", words::code(command))),
        step.wait
            .as_ref()
            .map(|request| format!("{} again and again", words::code(request))),
    ];
    let mut text = tried.into_iter().flatten().collect::<Vec<_>>().join("; ");
    text.push_str(&step.with.as_ref().map(carried).unwrap_or_default());
    if !step.expect.is_empty() {
        let until = if step.wait.is_some() { " until" } else { ":" };
        text.push_str(&format!("{until} {}", words::codes(&step.expect)));
    }
    text.push_str(
        &step
            .within
            .map(|time| format!(" within {}", words::time(time)))
            .unwrap_or_default(),
    );
    text
}

/// What a request carries; values of secrets are only named.
fn carried(with: &With) -> String {
    let mut parts = Vec::new();
    parts.extend(with.cookie.as_ref().map(|_| "a cookie".to_owned()));
    parts.extend(with.token.as_ref().map(|_| "a token".to_owned()));
    parts.extend(with.hmac.as_ref().map(|_| "a signature".to_owned()));
    match parts.is_empty() {
        true => String::new(),
        false => format!(" with {}", words::list(&parts)),
    }
}

#[cfg(test)]
mod tests {
    use towpath_model::desired::gate::Gate;
    use towpath_model::spec::{Entries, Kind, Node};
    use towpath_model::word::Word;

    #[test]
    fn a_gate_without_a_question_has_no_words() {
        let gate =
            Gate::read(&Node::new(Kind::Table(Entries::new())), "").expect("every field has a default");
        assert_eq!(super::question(&gate), "");
    }
}
