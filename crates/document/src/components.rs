//! What is set for each component and each shared build.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::settings::{self, SETTINGS};
use crate::words;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    if product.components().iter().any(|(kind, ..)| kind.runs()) {
        page.paragraph(
            "Only what was chosen stands here. Unless a table says otherwise, an instance is asked every second whether \
             it is well and has 5 seconds to answer, a new one has 30 seconds to become ready, and one that is stopped \
             has 30 seconds to end what it is doing.",
        );
    }
    for (kind, name, component) in product.components() {
        let mut table = Table::new(["Setting", "Value"]);
        for (label, value) in SETTINGS {
            let told = product.of_component(name, |component| value(kind, component));
            if !told.is_empty() {
                table.row([(*label).to_owned(), told]);
            }
        }
        if table.is_empty() {
            continue;
        }
        page.heading(3, &format!("{name} ({})", kind.word()));
        if let Some(about) = &component.about {
            page.paragraph(words::sentence(about));
        }
        page.table(&table);
    }
    let builds = product.all(|product| &product.build);
    if !builds.is_empty() {
        page.heading(3, "Shared builds");
        page.list(builds.into_iter().map(|(name, _)| {
            let told = product.across(|here| here.build.get(name).map(|build| Some(settings::build(build))));
            let notes = product
                .main
                .build
                .get(name)
                .map(|build| build.notes.as_slice())
                .unwrap_or_default();
            let notes = words::sentences(notes.iter().map(String::as_str));
            format!("{}: {told}. {notes}", words::code(name))
                .trim_end()
                .to_owned()
        }));
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn a_component_tells_only_what_is_set() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            about = "Sells"
            run = "bin/web | tee log"
            build = "node"
            public = true
            port = 8000
            health = "/healthz"
            uses = [{ name = "db", env = "DATABASE_URL", optional = true }]
            replicas = { min = 2, max = 10 }
            scale = { connections = 500, cpu = "70%" }
            limit = { rate = "100/s per ip", body = "1MiB", soft = 400, hard = 600 }
            headers = { set = "strict", csp = "default-src 'self'", hsts = "1y" }
            memory = "512MiB"
            require = { header = "Idempotency-Key", methods = ["POST"] }
            stop = { within = "1m" }
            [worker.mail]
            run = "mail"
            queues = ["mail", "bulk"]
            retry = { times = 5, dead_letter = "dead" }
            [job.tidy]
            run = "tidy"
            cron = "daily 03:00"
            [postgres.db]
            [build.node]
            command = "npm run build"
            needs = ["node 22"]
            watch = { path = "package.json", action = "rebuild" }
            [environment.dev]
            service.web.replicas = 1
            [environment.prod]
        "#), @r#"
        Only what was chosen stands here. Unless a table says otherwise, an instance is asked every second whether it is well and has 5 seconds to answer, a new one has 30 seconds to become ready, and one that is stopped has 30 seconds to end what it is doing.

        ### web (service)

        Sells.

        | Setting             | Value                                                     |
        | ------------------- | --------------------------------------------------------- |
        | Starts with         | `bin/web \| tee log`                                      |
        | Built by            | the shared build `node`                                   |
        | Port                | 8000                                                      |
        | Needs               | `db` (as `DATABASE_URL`, can do without)                  |
        | Instances           | 1 (dev); 2 to 10 (prod)                                   |
        | Scales by           | CPU at 70%; 500 open connections for each instance        |
        | Each instance gets  | 512 MiB of memory                                         |
        | Health              | `/healthz` answers 200                                    |
        | Stops               | by SIGTERM within 1 minute; open WebSockets are closed over 30 seconds |
        | Limits              | 100/s per IP; bodies up to 1 MiB; 400 to 600 connections for each instance |
        | Headers             | the strict set; CSP `default-src 'self'`; HSTS for 1 year |
        | Requests must carry | `Idempotency-Key` on POST                                 |

        ### mail (worker)

        | Setting     | Value             |
        | ----------- | ----------------- |
        | Starts with | `mail`            |
        | Queues      | `mail` and `bulk` |
        | Tries again | 5 times, first after 1 second, then to `dead` (an alert above 0) |

        ### tidy (job)

        | Setting     | Value              |
        | ----------- | ------------------ |
        | Starts with | `tidy`             |
        | Runs        | every day at 03:00 |

        ### Shared builds

        - `node`: `npm run build`; with node 22; while developing, a change to `package.json` builds it anew.
        "#);
    }
}
