//! What people are told about, where, and who is on call.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::words;
use towpath_model::desired::metric::{Alert, AlertAction, Channel, Event, Rotation};
use towpath_model::unit::{Name, Severity};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let channels = product.all(|product| &product.channel);
    let routes = routes(&channels);
    if !routes.is_empty() {
        page.heading(3, "Who is told");
        page.table(&routes);
    }
    let table = alerts(product, &channels);
    if !table.is_empty() {
        page.heading(3, "Alerts");
        page.table(&table);
    }
    let rotations = product.all(|product| &product.oncall);
    if !rotations.is_empty() {
        page.heading(3, "On-call");
        page.list(
            rotations
                .into_iter()
                .map(|(name, rotation)| on_call(name, rotation)),
        );
    }
}

fn alerts(product: &Product<'_>, channels: &[(&Name, &Channel)]) -> Table {
    let mut table = Table::new([
        "Alert",
        "What has happened",
        "When",
        "Severity",
        "Told to",
        "Besides telling",
    ]);
    let all = product.all(|product| &product.alert);
    let chosen = all.iter().any(|(_, alert)| !alert.to.is_empty());
    for (name, alert) in all {
        let told = alert.to.iter().map(|channel| {
            let known = channels
                .iter()
                .find(|(known, _)| known.as_str() == channel.as_str());
            known.map_or_else(|| words::code(channel), |(name, channel)| place(name, channel))
        });
        let told = match (alert.to.is_empty(), chosen) {
            (true, true) => "by severity".to_owned(),
            (true, false) => String::new(),
            (false, _) => words::list(&told.collect::<Vec<_>>()),
        };
        let runbook = alert.runbook.as_ref();
        let runbook = runbook.map(|runbook| format!("runbook {}", words::code(runbook)));
        let does: Vec<String> = action(alert).into_iter().chain(runbook).collect();
        table.row([
            words::code(name),
            words::maybe(&alert.about),
            cause(alert),
            alert.severity.to_string(),
            told,
            does.join("; "),
        ]);
    }
    table
}

/// For each severity the channels that are told; severities with the same channels share a row.
fn routes(channels: &[(&Name, &Channel)]) -> Table {
    let mut table = Table::new(["Severity", "Told to"]);
    let mut rows: Vec<(Vec<Severity>, String)> = Vec::new();
    for severity in Severity::ALL {
        let told: Vec<String> = channels
            .iter()
            .filter(|(_, channel)| channel.severities.contains(severity))
            .map(|(name, channel)| place(name, channel))
            .collect();
        let told = words::list(&told);
        match rows.last_mut() {
            Some((severities, same)) if *same == told => severities.push(severity),
            _ => rows.push((vec![severity], told)),
        }
    }
    for (severities, told) in rows.into_iter().filter(|(_, told)| !told.is_empty()) {
        let text = match severities.as_slice() {
            [only] => only.to_string(),
            all if all.len() == Severity::ALL.len() => "all".to_owned(),
            [first, last] => format!("{first} and {last}"),
            [first, .., last] => format!("{first} to {last}"),
            [] => continue,
        };
        table.row([text, told]);
    }
    table
}

/// A channel as people know it.
pub(crate) fn place(name: &Name, channel: &Channel) -> String {
    let at = |what: &str, where_to: &Option<String>| {
        where_to
            .as_ref()
            .map(|place| format!("{what} {}", words::text(place)))
    };
    let emails = (!channel.email.is_empty()).then(|| {
        let people: Vec<String> = channel
            .email
            .iter()
            .map(|email| words::text(email.as_str()))
            .collect();
        words::list(&people)
    });
    let kinds = [
        at("Discord", &channel.discord),
        at("Slack", &channel.slack),
        at("PagerDuty", &channel.pagerduty),
        emails,
        channel
            .issues
            .as_ref()
            .map(|repository| format!("an issue in {}", words::code(repository))),
        channel
            .webhook
            .as_ref()
            .map(|url| format!("a call to {}", words::url(url))),
    ];
    let text = kinds
        .into_iter()
        .flatten()
        .next()
        .unwrap_or_else(|| words::code(name));
    let text = text.replace(" \\#", " #");
    let mut about = Vec::new();
    about.extend(
        channel
            .oncall
            .as_ref()
            .map(|rotation| format!("names who is on call for {rotation}")),
    );
    about.extend(
        channel
            .repeat
            .map(|time| format!("again {} without an answer", words::each_time(time))),
    );
    match about.is_empty() {
        true => text,
        false => format!("{text} ({})", about.join(", ")),
    }
}

fn cause(alert: &Alert) -> String {
    let past = alert
        .past
        .as_ref()
        .map(|past| format!(" {}", words::code(past)))
        .unwrap_or_default();
    let lasting = match alert.lasting.is_zero() {
        true => String::new(),
        false => format!(" for {}", words::time(alert.lasting)),
    };
    let causes = [
        alert
            .metric
            .as_ref()
            .map(|metric| format!("{}{past}", words::code(metric))),
        alert
            .probe
            .as_ref()
            .map(|probe| format!("the probe {} fails", words::code(probe))),
        alert.objective.as_ref().map(|objective| {
            format!(
                "the objective {} is missed, or its budget burns too fast",
                words::code(objective)
            )
        }),
        alert
            .gate
            .as_ref()
            .map(|gate| format!("the gate {} fails", words::code(gate))),
        alert.when.map(|event| noticed(event).to_owned()),
    ];
    let of = alert
        .of
        .as_ref()
        .filter(|_| alert.when.is_some())
        .map(|of| format!(" ({})", words::code(of)));
    format!(
        "{}{}{lasting}",
        causes.into_iter().flatten().next().unwrap_or_default(),
        of.unwrap_or_default()
    )
}

fn noticed(event: Event) -> &'static str {
    match event {
        Event::BackupFailed => "a backup did not end well",
        Event::DrillFailed => "a restore was not tried in time, or did not find what it should",
        Event::CrashLoop => "it crashes again and again",
        Event::RolloutStuck => "a rollout failed or holds",
        Event::CertificateEnding => "a certificate is about to end",
        Event::SecretOld => "a secret was not replaced in time",
        Event::JobFailed => "a job did not run, or did not end well",
        Event::ReviewOverdue => "a store's review takes longer than expected",
        Event::DiskFull => "a disk fills",
        Event::OverBudget => "the month's cost is about to pass its budget",
        Event::DeadLetters => "work that failed for good lies in a queue",
    }
}

fn action(alert: &Alert) -> Option<String> {
    match alert.action {
        AlertAction::Tell => None,
        AlertAction::Rollback => Some("rolls the release back".to_owned()),
        AlertAction::Hold => Some("stops releases from moving on".to_owned()),
    }
}

/// A rotation: whose turn it is, and who comes next.
fn on_call(name: &Name, rotation: &Rotation) -> String {
    let people: Vec<String> = rotation.people.iter().map(|person| words::text(person)).collect();
    let mut sentences = vec![match people.as_slice() {
        [] => "Nobody is named yet.".to_owned(),
        [only] => format!("{only}."),
        people => format!(
            "{} in turn, passing on {}.",
            words::list(people),
            words::schedule(&rotation.turns)
        ),
    }];
    if !rotation.escalate.is_empty() {
        let next: Vec<String> = rotation
            .escalate
            .iter()
            .map(|person| words::text(person))
            .collect();
        sentences.push(format!(
            "After {} without an answer: {}.",
            words::time(rotation.after),
            next.join(", then ")
        ));
    }
    sentences.extend(rotation.duties.iter().map(|duty| words::sentence(duty)));
    format!("**{name}**: {}", sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn alerts_tell_whom_they_reach() {
        insta::assert_snapshot!(section(super::write, r##"
            product = "shop"
            [service.web]
            run = "web"
            [metric.errors]
            measured = "errors"
            of = "web"
            [alert.errors]
            about = "Requests fail"
            metric = "errors"
            past = "> 5%"
            lasting = "5m"
            severity = "sev1"
            action = "rollback"
            [alert.backup]
            when = "backup-failed"
            to = "ops"
            [channel.pager]
            pagerduty = "platform"
            secret = "PAGER"
            severities = "sev0-sev1"
            oncall = "platform"
            [channel.ops]
            slack = "#on-call"
            secret = "SLACK"
            severities = "sev2+"
            [oncall.platform]
            people = ["ana", "ben"]
            escalate = ["team lead", "CTO"]
            duties = ["roll back when in doubt"]
            [secret.PAGER]
            [secret.SLACK]
        "##), @r#"
        ### Who is told

        | Severity      | Told to                                                |
        | ------------- | ------------------------------------------------------ |
        | sev0 and sev1 | PagerDuty platform (names who is on call for platform) |
        | sev2 to sev4  | Slack #on-call                                         |

        ### Alerts

        | Alert    | What has happened | When                          | Severity | Told to        | Besides telling        |
        | -------- | ----------------- | ----------------------------- | -------- | -------------- | ---------------------- |
        | `errors` | Requests fail     | `errors` `> 5%` for 5 minutes | sev1     | by severity    | rolls the release back |
        | `backup` |                   | a backup did not end well     | sev2     | Slack #on-call |                        |

        ### On-call

        - **platform**: ana and ben in turn, passing on every Sunday at 00:00. After 15 minutes without an answer: team lead, then CTO. Roll back when in doubt.
        "#);
    }
}
