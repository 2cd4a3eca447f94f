//! The probes: synthetic users, with bounds.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::{gates, questions, words};
use towpath_model::desired::probe::Probe;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let mut table = Table::new(["Probe", "About", "Does", "Expects", "Aimed at", "Runs", "Gates"]);
    for (name, probe) in product.all(|product| &product.probe) {
        let steps = questions::steps(probe);
        let steps: Vec<String> = match steps.len() {
            1 => steps,
            _ => (1..)
                .zip(steps)
                .map(|(number, step)| format!("{number}) {step}"))
                .collect(),
        };
        table.row([
            words::code(name),
            words::maybe(&probe.about),
            steps.join("<br>"),
            expects(probe),
            probe.of.as_ref().map(words::code).unwrap_or_default(),
            runs(probe),
            gates::stands(product, name.as_str(), None),
        ]);
    }
    if table.is_empty() {
        return;
    }
    page.paragraph("A probe is aimed at a release before it has traffic, and at an environment on a schedule. After a failure it is tried again within half a minute before anybody is told.");
    page.table(&table);
}

fn expects(probe: &Probe) -> String {
    let mut parts = Vec::new();
    if !probe.expect.is_empty() {
        parts.push(words::codes(&probe.expect));
    }
    parts.extend(probe.within.map(|time| format!("within {}", words::time(time))));
    parts.join(", ")
}

fn runs(probe: &Probe) -> String {
    let mut parts = Vec::new();
    parts.extend(probe.every.map(words::each_time));
    if probe.runs > 1 {
        parts.push(format!("{} for one verdict", words::count(probe.runs, "time")));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn probes_tell_steps_and_bounds() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            speaks = "websocket"
            uses = ["db"]
            [postgres.db]
            [secret.COOKIE]
            [secret.KEY]
            [probe.login]
            about = "A visitor signs in"
            http = "GET /me"
            of = "web"
            with = { cookie = "secret:COOKIE" }
            expect = ["status = 200", "p95 < 250ms"]
            runs = 20
            every = "1m"
            [probe.reflect]
            of = "web"
            steps = [
                { sql = "insert into outbox values ('a' || 'b')", on = "db" },
                { websocket = "/ws", expect = "body contains reflect", within = "3s" },
                { wait = "GET /x", expect = "progress = 100%", within = "60s" },
            ]
            [probe.same]
            of = "web"
            with = { hmac = "KEY" }
            fixture = { request = "POST /x", body = "a.json", hash = "stable" }
            [environment.prod]
            gates = "login"
        "#), @r#"
        A probe is aimed at a release before it has traffic, and at an environment on a schedule. After a failure it is tried again within half a minute before anybody is told.

        | Probe     | About              | Does                    | Expects                          | Aimed at | Runs                                   | Gates       |
        | --------- | ------------------ | ----------------------- | -------------------------------- | -------- | -------------------------------------- | ----------- |
        | `login`   | A visitor signs in | `GET /me` with a cookie | `status = 200` and `p95 < 250ms` | `web`    | every minute, 20 times for one verdict | before prod |
        | `reflect` |                    | 1) `insert into outbox values ('a' \|\| 'b')` on `db`<br>2) WebSocket `/ws`: `body contains reflect` within 3 seconds<br>3) `GET /x` again and again until `progress = 100%` within 1 minute |                                  | `web`    |                                        |             |
        | `same`    |                    | `POST /x` with `a.json` and a signature gives what the running release answers |                                  | `web`    |                                        |             |
        "#);
    }
}
