//! Releases of every example, and what changes a digest.

use super::super::tests::{environment, with};
use super::*;
use std::fmt::Write as _;
use towpath_model::desired::resource::Phase;
use towpath_model::run::{Entry, Way};
use towpath_model::unit::known;

const EXAMPLES: &[(&str, &str)] = &[
    (
        "hello",
        include_str!("../../../../../examples/hello/towpath.toml"),
    ),
    (
        "lockside",
        include_str!("../../../../../examples/lockside/towpath.toml"),
    ),
    (
        "phishsentry",
        include_str!("../../../../../examples/phishsentry/towpath.toml"),
    ),
    (
        "reflect-coach",
        include_str!("../../../../../examples/reflect-coach/towpath.toml"),
    ),
    (
        "reflectpause",
        include_str!("../../../../../examples/reflectpause/towpath.toml"),
    ),
    (
        "synapse",
        include_str!("../../../../../examples/synapse/towpath.toml"),
    ),
    (
        "webapp",
        include_str!("../../../../../examples/webapp/towpath.toml"),
    ),
];

fn desired(text: &str, environment: &str) -> Desired {
    let sources = BTreeMap::from([("towpath.toml".to_owned(), text.as_bytes().to_vec())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    reading.environments[environment].desired.clone()
}

/// The release of a manifest in which every component has an artifact of its own, every secret its first version, and each
/// resource one migration of each phase.
fn made_of(text: &str, environment: &str, change: impl FnOnce(&mut Made)) -> Content {
    let product = with(text, environment, &[(".env", "KEY=a value\n")], &[]).product;
    let mut made = Made {
        manifest: text_digest(text.as_bytes()),
        ..Made::default()
    };
    for (name, component) in &product.components {
        made.artifacts.insert(name.clone(), format!("tree-of-{name}"));
        if component.resource.is_some() {
            let phases = [Phase::Expand, Phase::Backfill, Phase::Contract];
            let one = |phase: Phase| Migration {
                name: format!("1.{phase}.sql"),
                phase,
                digest: phase.to_string(),
            };
            made.migrations.insert(name.clone(), phases.map(one).into());
        }
    }
    made.versions = secrets(&product).into_iter().map(|name| (name, 1)).collect();
    change(&mut made);
    content(&desired(text, environment), &known(environment), &product, &made)
}

fn digests(content: &Content) -> BTreeMap<&str, &str> {
    let portions = content.components.iter();
    portions
        .map(|(name, one)| (name.as_str(), one.digest.as_str()))
        .collect()
}

/// The components of which the digest differs.
fn restarted(before: &Content, after: &Content) -> Vec<String> {
    let (before, after) = (digests(before), digests(after));
    let differ = after
        .iter()
        .filter(|(name, digest)| before.get(*name) != Some(*digest));
    differ.map(|(name, _)| (*name).to_owned()).collect()
}

/// Every environment of every example.
fn every(mut act: impl FnMut(&str, &str, &str)) {
    for (example, text) in EXAMPLES {
        let sources = BTreeMap::from([("towpath.toml".to_owned(), text.as_bytes().to_vec())]);
        let reading = towpath_manifest::read("towpath.toml", &sources);
        for environment in reading.environments.keys() {
            act(example, text, environment.as_ref());
        }
    }
}

#[test]
fn every_environment_of_every_example_becomes_a_release_that_names_no_folder_of_this_machine() {
    let mut seen = 0;
    every(|example, text, environment| {
        let content = made_of(text, environment, |_| {});
        let shown = serde_json::to_string(&content.components).expect("plain");
        assert!(
            !shown.contains("\"/p/") && !shown.contains("\"/p\""),
            "{example} {environment}"
        );
        seen += 1;
    });
    assert!(seen >= 15, "{seen}");
}

#[test]
fn a_release_that_is_housed_has_whole_paths_and_the_same_digests() {
    every(|example, text, environment| {
        let content = made_of(text, environment, |_| {});
        let housed = housed(&content, &|tree| format!("/state/trees/{tree}"));
        let shown = serde_json::to_string(&housed.components).expect("plain");
        assert!(
            !shown.contains("\"@/") && !shown.contains("\"@\""),
            "{example} {environment}"
        );
        assert_eq!(digests(&housed), digests(&content), "{example} {environment}");
    });
}

#[test]
fn a_comment_in_the_manifest_starts_nothing_anew() {
    every(|example, text, environment| {
        let before = made_of(text, environment, |_| {});
        let after = made_of(&format!("# said in passing\n{text}"), environment, |_| {});
        assert_eq!(
            restarted(&before, &after),
            Vec::<String>::new(),
            "{example} {environment}"
        );
        assert_ne!(before.manifest, after.manifest);
    });
}

const SHOP: &str = r#"
[service.api]
run = "target/release/api"
uses = ["db"]
env = { KEY = "secret:KEY" }
[service.web]
run = "node web/main.js"
dir = "web"
[postgres.db]
migrate = { folder = "migrations", phases = ["expand", "contract"] }
[secret.KEY]
"#;

#[test]
fn a_secret_that_has_changed_starts_those_anew_that_name_it() {
    let text = environment(SHOP);
    let before = made_of(&text, "dev", |_| {});
    let after = made_of(&text, "dev", |made| {
        made.versions.insert("KEY".into(), 2);
    });
    assert_eq!(restarted(&before, &after), ["api"]);
    assert_eq!(after.secrets["KEY"], 2);
    let elsewhere = made_of(&text, "dev", |made| {
        made.versions.insert("NOBODYS".into(), 7);
    });
    assert!(!elsewhere.secrets.contains_key("NOBODYS"));
}

#[test]
fn new_files_start_their_component_anew_and_a_database_never() {
    let text = environment(SHOP);
    let before = made_of(&text, "dev", |_| {});
    let after = made_of(&text, "dev", |made| {
        made.artifacts.insert(known("web"), "another".into());
        made.artifacts.insert(known("db"), "another".into());
    });
    assert_eq!(restarted(&before, &after), ["web"]);
    let db = &after.components["db"];
    assert_eq!(
        db.component.resource.as_ref().map(|one| one.contents.as_str()),
        Some("another")
    );
}

#[test]
fn a_schema_has_the_phases_that_run_here() {
    let content = made_of(&environment(SHOP), "dev", |_| {});
    let names: Vec<&str> = content.schema["db"]
        .migrations
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["1.expand.sql", "1.contract.sql"]);
}

#[test]
fn a_program_built_beside_the_folder_has_a_place_in_its_artifact() {
    let component = |run: &str, dir: &str| {
        let text = environment(&format!(
            "[service.api]\nrun = \"{run}\"\ndir = \"{dir}\"\nhealth = {{ command = \"{run} health\" }}\n"
        ));
        let content = made_of(&text, "dev", |_| {});
        let one = Arc::clone(&content.components["api"].component);
        (
            one.command.clone().unwrap_or_default(),
            one.dir.clone(),
            one.health.ask.clone(),
        )
    };
    for (run, dir, command, housed) in [
        (
            "../target/release/api --port 1",
            ".",
            "./.outside/api --port 1",
            "@",
        ),
        (
            "A=1 exec ../../../t/api",
            "a/b",
            "A=1 exec ../../.outside/api",
            "@/a/b",
        ),
        ("../target/api", "a", "../target/api", "@/a"),
        ("/p/target/api x", "a", "../target/api x", "@/a"),
        ("/usr/bin/node x", ".", "/usr/bin/node x", "@"),
        ("python -m api", "a", "python -m api", "@/a"),
    ] {
        let (told, at, health) = component(run, dir);
        assert_eq!((told.as_str(), at.as_str()), (command, housed), "{run}");
        assert_eq!(
            health,
            towpath_model::run::Ask::Command(format!("{command} health")),
            "{run}"
        );
    }
}

fn way_of(content: &Content, name: &str) -> String {
    let way: &Way = &content.components[name].way;
    let mut text = format!("{}", way.strategy);
    if let Some(of) = &way.of {
        let _ = write!(text, " of {of}");
    }
    for step in &way.steps {
        let _ = write!(text, ", {}", step.parts);
        if let Some(tenants) = step.tenants {
            let _ = write!(text, " to {tenants} tenants");
        }
        if let Some(hold) = step.hold {
            let _ = write!(text, " for {hold}");
        }
        text.push_str(if step.person {
            " until a person says so"
        } else {
            ""
        });
    }
    let _ = write!(text, "; surge {} missing {}", way.surge, way.missing);
    if !way.gates.is_empty() {
        let _ = write!(text, "; asks {}", way.gates.join(" "));
    }
    text
}

#[test]
fn a_way_is_the_most_exact_one_that_is_written_made_exact() {
    let ways = |product: &str, prod: &str, api: &str| {
        let text = format!(
            "product = \"shop\"\n{product}\n\
             [service.api]\nrun = \"a\"\nreplicas = 4\n{api}\n[service.web]\nrun = \"b\"\nreplicas = 2\n[worker.jobs]\nrun = \"c\"\n\
             [probe.up]\nhttp = \"GET /\"\nof = \"api\"\n[gate.compare]\ncanary = {{ errors = \"1%\" }}\n[environment.prod]\n{prod}\n"
        );
        let content = made_of(&text, "prod", |_| {});
        ["api", "web", "jobs"].map(|name| way_of(&content, name))
    };
    let usual = "rolling; surge 2500 missing 0";
    assert_eq!(ways("", "", ""), [usual; 3]);
    let canary = "{ strategy = \"canary\", steps = [\"0.001%\", \"10% for 30m\", \"1 instance for 10m\", \"pause\", \"50% until approved\", \"100%\"], gates = [\"up\", \"compare\"] }";
    let exact = "1, 1000 for 30m, 2500 for 10m, 2500 until a person says so, 5000 until a person says so, 10000; surge 2500 missing 0; asks up compare";
    assert_eq!(
        ways("", &format!("rollout = {canary}"), "rollout = \"recreate\""),
        [
            "recreate of api; surge 2500 missing 0".to_owned(),
            format!("canary, {exact}"),
            format!("canary, {exact}")
        ]
    );
    let rolling = "rollout = { strategy = \"rolling\", surge = \"50%\", missing = \"10%\", gates = [\"up\", \"compare\"] }";
    assert_eq!(
        ways(rolling, "", ""),
        ["rolling; surge 5000 missing 1000; asks up"; 3]
    );
    let together = "rollout = { strategy = \"blue-green\", together = [\"web\"] }";
    assert_eq!(
        ways("", "", together),
        [
            "blue-green of api; surge 2500 missing 0",
            "blue-green of api; surge 2500 missing 0",
            usual
        ]
    );
    assert_eq!(
        ways(
            "",
            "rollout = { strategy = \"blue-green\", together = [\"api\", \"web\"] }",
            "rollout = \"recreate\""
        ),
        ["blue-green; surge 2500 missing 0"; 3]
    );
}

#[test]
fn a_bot_goes_by_the_tenants_that_are_named() {
    let bot = |first: &str| {
        let text = environment(&format!(
            "[bot.guard]\nrun = \"bot\"\nhandover = \"shards\"\nshard = \"guild\"\n[bot.guard.rollout]\nstrategy = \"canary\"\nunit = \"tenants\"\n\
             steps = [\"2 guilds for 1d\", \"50% for 1h\", \"100%\"]\n{first}\n"
        ));
        way_of(&made_of(&text, "dev", |_| {}), "guard")
    };
    assert_eq!(
        bot("first = [\"a\", \"b\", \"c\", \"d\", \"e\"]"),
        "canary of guard, 0 to 2 tenants for 1d, 0 to 3 tenants for 1h, 10000; surge 2500 missing 0"
    );
    assert_eq!(
        bot(""),
        "canary of guard, 0 for 1d, 5000 for 1h, 10000; surge 2500 missing 0"
    );
}

#[test]
fn flags_and_freezes_are_those_of_the_environment() {
    let text = "product = \"shop\"\ntime_zone = \"Europe/Berlin\"\n[service.a]\nrun = \"a\"\n[flag.new]\nabout = \"a trial\"\n[releases]\nkeep = 9\n[environment.prod]\nflags = { new = true }\n\
                freeze = { from = \"2026-12-20\", to = \"2027-01-03\", why = \"holidays\" }\n[environment.dev]\n";
    let prod = made_of(text, "prod", |_| {});
    assert!(prod.flags["new"] && !made_of(text, "dev", |_| {}).flags["new"]);
    assert_eq!((prod.frame.keep, prod.frame.zone.name()), (9, "Europe/Berlin"));
    assert_eq!(prod.frame.closed[0].why, "holidays");
}

#[test]
fn a_tree_has_the_name_of_what_is_in_it() {
    let tree = |path: &str, runs: bool| {
        let entry = Entry::File {
            digest: "d".repeat(64),
            bytes: 1,
            runs,
        };
        tree_digest(&Tree {
            entries: BTreeMap::from([(path.to_owned(), entry)]),
        })
    };
    assert_eq!(tree("a", true), tree("a", true));
    let all = [
        tree("a", true),
        tree("a", false),
        tree("b", true),
        tree_digest(&Tree::default()),
    ];
    let distinct: BTreeSet<&String> = all.iter().collect();
    assert_eq!((distinct.len(), all[0].len()), (4, 32));
}

#[test]
fn what_is_asked_of_a_release_stands_in_it_and_what_follows_from_the_manifest_is_answered() {
    let text = "product = \"shop\"\n[service.api]\nrun = \"a\"\n[probe.up]\nhttp = \"GET /\"\nof = \"api\"\n\
                [cost.machine]\nprice = \"$40\"\n[gate.cheap]\ncost = \"$30\"\n[gate.dear]\ncost = \"$50\"\n[gate.tests]\ncommand = \"make test\"\n\
                [gate.elsewhere]\ncommand = \"nobody asks this\"\n[role.lead]\npeople = [\"ana@example.com\"]\n\
                [gate.yes]\napproval = { role = \"lead\" }\n[ci]\ngates = [\"tests\"]\n\
                [environment.dev]\n[environment.prod]\nafter = \"dev\"\ngates = [\"up\", \"cheap\", \"dear\", \"yes\"]\n";
    let content = made_of(text, "prod", |_| {});
    let questions = &content.questions;
    let names = |all: &[Name]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(names(&questions.build), "tests");
    assert_eq!(names(&questions.enter), "up cheap dear yes");
    assert_eq!(
        questions.after.as_ref().map(ToString::to_string),
        Some("dev".to_owned())
    );
    assert!(!questions.gates.contains_key("elsewhere"), "nobody names it");
    assert!(questions.probes.contains_key("up") && questions.roles.contains_key("lead"));
    let known = questions
        .known
        .iter()
        .map(|(name, found)| format!("{name}: {}", found.verdict));
    assert_eq!(
        known.collect::<Vec<_>>(),
        [
            "cheap: fail: a month is estimated to cost $40.00, which is $10.00 too much",
            "dear: pass"
        ]
    );
    let kept = serde_json::to_string(&content).expect("plain data");
    let read: Content = serde_json::from_str(&kept).expect("as it was written");
    assert_eq!(read.questions, content.questions);
    let dev = made_of(text, "dev", |_| {});
    assert!(dev.questions.enter.is_empty() && dev.questions.known.is_empty());
}
