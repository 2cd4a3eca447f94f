//! What users can count on, and the budget of errors that it leaves.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::{metrics, words};
use towpath_model::desired::metric::Objective;
use towpath_model::unit::Duration;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let mut table = Table::new([
        "Objective",
        "What it promises",
        "Of",
        "Target",
        "Over",
        "Error budget",
        "Measured as",
        "When missed",
    ]);
    for (name, objective) in product.all(|product| &product.objective) {
        let runbook = objective
            .runbook
            .as_ref()
            .map(|runbook| format!(", runbook {}", words::code(runbook)));
        table.row([
            words::code(name),
            words::maybe(&objective.about),
            objective.of.as_ref().map(words::code).unwrap_or_default(),
            objective.target.to_string(),
            words::time(objective.window),
            budget(objective),
            measure(product, objective),
            format!("{}{}", objective.severity, runbook.unwrap_or_default()),
        ]);
    }
    page.table(&table);
    if !table.is_empty() {
        page.paragraph("Somebody is woken when the budget burns 14.4 times too fast over an hour or 6 times over six hours; 3 times over a day or once over three days is a ticket. Fewer bad events than the objective's minimum wake nobody.");
    }
}

/// The part of the window that may be bad, in minutes as people say it.
fn budget(objective: &Objective) -> String {
    let whole = u128::from(objective.window.millis());
    let bad = whole * u128::from(objective.target.rest().ppm());
    // Thousandths of a minute, rounded down: a promise is never made larger by rounding.
    let thousandths = bad / 1_000_000 / 60;
    let (minutes, rest) = (thousandths / 1000, thousandths % 1000);
    if minutes == 0 {
        let millis = u64::try_from(bad / 1_000_000).unwrap_or(u64::MAX);
        return words::time(Duration::from_millis(millis));
    }
    let rest = format!("{rest:03}");
    match rest.trim_end_matches('0') {
        "" => format!("{minutes} minutes"),
        rest => format!("{minutes}.{rest} minutes"),
    }
}

fn measure(product: &Product<'_>, objective: &Objective) -> String {
    if let Some(probe) = &objective.probe {
        let probes = product.all(|product| &product.probe);
        let every = probes
            .iter()
            .find(|(name, _)| name.as_str() == probe.as_str())
            .and_then(|(_, probe)| probe.every);
        let every = every
            .map(|every| format!(", {}", words::each_time(every)))
            .unwrap_or_default();
        return format!("the probe {}{every}", words::code(probe));
    }
    if let Some(metric) = &objective.metric {
        return format!("the metric {}", words::code(metric));
    }
    match &objective.good {
        Some(good) => format!(
            "{}, good where {}",
            metrics::measured(objective.measure),
            words::code(good)
        ),
        None => metrics::measured(objective.measure).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn objectives_tell_their_budget_in_minutes() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            public = true
            [objective.up]
            about = "The site answers"
            target = "99.9%"
            of = "web"
            [objective.week]
            target = "99%"
            window = "7d"
            measure = "uptime"
            of = "web"
            [objective.fast]
            target = "99.999%"
            window = "1d"
            measure = "latency"
            good = "latency < 250ms"
            of = "web"
            severity = "sev1"
        "#), @r#"
        | Objective | What it promises | Of    | Target  | Over    | Error budget     | Measured as                                 | When missed |
        | --------- | ---------------- | ----- | ------- | ------- | ---------------- | ------------------------------------------- | ----------- |
        | `up`      | The site answers | `web` | 99.9%   | 30 days | 43.2 minutes     | requests answered well                      | sev2        |
        | `week`    |                  | `web` | 99%     | 7 days  | 100.8 minutes    | time up                                     | sev2        |
        | `fast`    |                  | `web` | 99.999% | 1 day   | 864 milliseconds | response time, good where `latency < 250ms` | sev1        |

        Somebody is woken when the budget burns 14.4 times too fast over an hour or 6 times over six hours; 3 times over a day or once over three days is a ticket. Fewer bad events than the objective's minimum wake nobody.
        "#);
    }
}
