//! The probes of Reflect Coach, word for word as its manifest has them, against the example as it runs.

use crate::kit::{Product, component, eventually};
use crate::reflect_coach::{Visitor, example, examples, up};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;
use towpath_model::desired::probe::Probe;
use towpath_model::run::Verdict;
use towpath_model::sealed::Sealed;
use towpath_probe::{Aim, Base, Outcome};

/// What the synthetic visitor is known by.
const SESSION: &str = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e";

fn probe(name: &str) -> Probe {
    let text = fs::read(examples().join("reflect-coach/towpath.toml")).expect("it is there");
    let sources = BTreeMap::from([("towpath.toml".to_owned(), text)]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    let local = reading.environments.get("local").expect("it is there");
    local.desired.probe.get(name).expect("it is there").clone()
}

/// What the processes of a component were started with.
fn environments(status: &Value, name: &str) -> Vec<BTreeMap<String, String>> {
    let instances = component(status, name)["instances"]
        .as_array()
        .expect("it has some")
        .clone();
    let pids = instances.iter().filter_map(|one| one["pid"].as_u64());
    pids.map(|pid| {
        let bytes = fs::read(format!("/proc/{pid}/environ")).expect("it runs");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    })
    .collect()
}

fn ports(status: &Value, name: &str) -> Vec<u16> {
    let all = environments(status, name);
    all.iter()
        .filter_map(|env| env.get("PORT")?.parse().ok())
        .collect()
}

struct Stage {
    status: Value,
    resources: BTreeMap<String, Sealed<String>>,
    secrets: BTreeMap<String, Sealed<String>>,
}

impl Stage {
    fn of(product: &Product) -> Stage {
        let status = product.status();
        let own = environments(&status, "core").remove(0);
        let value = |name: &str| Sealed::new(own.get(name).expect("core is told of it").clone());
        let cookie = Sealed::new(format!("session={SESSION}"));
        Stage {
            resources: BTreeMap::from([
                ("db".to_owned(), value("DATABASE_URL")),
                ("queue".to_owned(), value("REDIS_URL")),
            ]),
            secrets: BTreeMap::from([
                ("PROBE_COOKIE".to_owned(), cookie),
                ("AI_HMAC_SECRET".to_owned(), value("AI_HMAC_SECRET")),
            ]),
            status,
        }
    }

    fn aim(&self, probe: &Probe) -> Aim {
        let name = probe.of.as_ref().expect("it is aimed at something").as_str();
        let at = ports(&self.status, name).into_iter();
        Aim {
            at: at
                .map(|port| Base::instance(([127, 0, 0, 1], port).into()))
                .collect(),
            resources: self.resources.clone(),
            secrets: self.secrets.clone(),
            files: examples().join("reflect-coach"),
            ..Aim::default()
        }
    }
}

#[track_caller]
fn passes(outcome: &Outcome) {
    assert_eq!(outcome.found.verdict, Verdict::Pass, "{outcome:#?}");
}

#[test]
fn the_four_probes_of_the_document_work_as_they_are_written() {
    let Some(product) = example() else { return };
    up(&product);
    let stage = Stage::of(&product);
    for port in ports(&stage.status, "edge") {
        let (host, cookie) = ("localhost", String::new());
        let edge = Visitor { port, host, cookie };
        eventually("the edge hears core", || {
            (edge.get("/healthz").json()["hears_core"] == true).then_some(())
        });
    }
    let runtime = tokio::runtime::Runtime::new().expect("there can be one");
    runtime.block_on(async {
        let bound = Duration::from_secs(20);
        let session = format!(
            "INSERT INTO sessions (token, person, until) VALUES \
             (encode(digest('{SESSION}', 'sha256'), 'hex'), 'probe', now() + interval '1 hour')"
        );
        let opened = towpath_resource::query(&stage.resources["db"], &session, bound).await;
        opened.expect("the synthetic visitor has a session");

        let login = probe("login");
        assert_eq!(login.runs, 20);
        let outcome = towpath_probe::probe(&login, "login", &stage.aim(&login)).await;
        match &outcome.found.verdict {
            // How fast it is depends on what else this machine does; that it is measured does not.
            Verdict::Fail(why) if why.contains("`p95 < 250ms` is expected, and p95 ") => {}
            _ => passes(&outcome),
        }
        assert_eq!(outcome.runs, 20);
        let measured = outcome.found.measured.unwrap_or_default();
        assert!(measured.contains("p95 ") && measured.contains("of 20 runs"), "{measured}");
        let stranger = Aim {
            secrets: BTreeMap::from([("PROBE_COOKIE".to_owned(), Sealed::new("session=0000".to_owned()))]),
            ..stage.aim(&login)
        };
        let outcome = towpath_probe::probe(&login, "login", &stranger).await;
        assert!(
            matches!(&outcome.found.verdict, Verdict::Fail(why) if why.contains("`status = 200` is expected, and `401` came")),
            "{outcome:#?}"
        );

        // What the first one has left does not help the second one.
        for name in ["reflect", "import", "reflect", "import"] {
            let probe = probe(name);
            passes(&towpath_probe::probe(&probe, name, &stage.aim(&probe)).await);
        }

        let ai = probe("ai");
        let first = towpath_probe::probe(&ai, "ai", &stage.aim(&ai)).await;
        passes(&first);
        assert!(first.hash.is_some(), "{first:#?}");
        let mut aim = stage.aim(&ai);
        aim.stable.clone_from(&first.hash);
        passes(&towpath_probe::probe(&ai, "ai", &aim).await);
        aim.stable = Some(format!("sha256:{}", "0".repeat(64)));
        let changed = towpath_probe::probe(&ai, "ai", &aim).await;
        assert!(matches!(changed.found.verdict, Verdict::Fail(_)), "{changed:#?}");
    });
    // Without whoever takes jobs, an import comes to no end, and it is said how far it came.
    product.well(&["stop", "workers"]);
    product.until_state("workers", "stopped");
    let mut import = probe("import");
    import.steps[1].within = Some(towpath_model::unit::Duration::from_secs(2));
    let outcome = runtime.block_on(towpath_probe::probe(&import, "import", &stage.aim(&import)));
    assert!(
        matches!(&outcome.found.verdict, Verdict::Fail(why) if why.contains("`progress = 100%` is expected within 2s, and `0%` came")),
        "{outcome:#?}"
    );
}
