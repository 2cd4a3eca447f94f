//! Plans of sample products.

use super::*;
use insta::assert_snapshot;
use std::collections::BTreeMap;
use towpath_manifest::Reading;
use towpath_model::unit::Unit;

fn reading(text: &str) -> Reading {
    let sources = BTreeMap::from([("towpath.toml".to_owned(), text.as_bytes().to_vec())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    let told: Vec<&str> = reading
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert!(!reading.has_errors(), "{told:?}");
    reading
}

/// The plan for an environment of a manifest.
pub(crate) fn planned(manifest: &str, environment: &str) -> (Plan, Desired) {
    let reading = reading(manifest);
    let name = Name::parse(environment).expect("a name");
    let others: Vec<(&Name, &Desired)> = reading
        .environments
        .iter()
        .map(|(name, layered)| (name, &layered.desired))
        .collect();
    let product = match reading.environments.get(environment) {
        Some(layered) => layered.desired.clone(),
        None => reading.desired.clone().expect("it is readable"),
    };
    (plan(&product, &name, &others), product)
}

/// The plan without its reasons, which most tests are not about.
fn steps(manifest: &str, environment: &str) -> String {
    let (plan, product) = planned(manifest, environment);
    assert_eq!(crate::lint::lint(&plan, &product), Vec::new());
    let lines: Vec<String> = plan
        .steps
        .iter()
        .map(|step| format!("{} {}", step.part.word(), step.action))
        .collect();
    lines.join("\n")
}

pub(crate) const REFLECT: &str = r#"
product = "reflect"

[service.edge]
run = "edge"
build = "shared"
artifact = "ghcr.io/reflect/app"
public = true
health = "/healthz"
uses = ["core"]
domains = ["app.example.com"]
replicas = { min = 2, max = 4 }

[service.core]
run = "core"
build = "shared"
artifact = "ghcr.io/reflect/app"
uses = ["db", "ai"]

[worker.score]
run = "score"
build = "shared"
artifact = "ghcr.io/reflect/app"
uses = ["db"]
env.MODEL = { about = "which one" }

[build.shared]
command = "cargo build"
size = "200MB"
sbom = "cyclonedx"
sign = true

[job.digest]
run = "digest"
cron = "daily 03:00"
uses = ["db"]

[external.ai]
mock = "ai-mock"
mock_in = ["staging"]

[postgres.db]
backup = { full = "daily 01:00", wal = "5m", drill = "monthly" }
promise = { rpo = "15m" }
migrate = { folder = "migrations", phases = ["expand", "backfill", "contract"], contract = "sun 02:00-04:00" }

[ci]
gates = ["unit"]

[gate.unit]
junit = "reports/unit.xml"

[gate.lead]
approval = { people = ["ana@example.com"] }

[gate.good]
canary = { errors = "1%" }

[gate.smoke]
command = "bin/smoke"
fails = "rollback"

[probe.login]
http = "GET /auth/me"
of = "edge"
every = "5m"

[alert.login]
probe = "login"
severity = "sev1"

[secret.API_KEY]

[environment.staging]
on = "push main"
gates = ["login"]
data = { copy = "prod", mask = { "users.email" = "fake" } }

[environment.prod]
on = "tag v*"
after = "staging"
gates = ["lead"]
freeze = { from = "2026-12-20", to = "2027-01-03", why = "holidays" }

[environment.prod.rollout]
strategy = "canary"
steps = ["10% for 30m", "100%"]
gates = ["login", "good"]
after = ["smoke"]
window = "weekdays 08:00-16:00"
"#;

#[test]
fn a_release_passes_every_gate_on_its_way_to_production() {
    let (plan, product) = planned(REFLECT, "prod");
    assert_eq!(crate::lint::lint(&plan, &product), Vec::new());
    assert_snapshot!(text(&plan), @r"
        reflect into prod: 41 steps

        Before
         1. wait for a push to main, which brings a change to `staging`
            because that is what makes a change arrive
         2. check that `API_KEY` has a value
            because what is missing is found before anything has changed
         3. check that `MODEL` of worker `score` has a value
            because what is missing is found before anything has changed

        Build
         4. run build `shared` with `cargo build`
            because `edge`, `core` and `score` share it, and it is built once for every environment
         5. check that the artifact of build `shared` weighs at most 200MB
            because `build.shared.size` says so
         6. list the parts of the artifact of build `shared` as cyclonedx
            because `build.shared.sbom` says so
         7. ask gate `unit`: reports/unit.xml has no failed test, and at least 1
            because `ci.gates` names it
         8. sign the artifact of build `shared`
            because whoever runs it can check that it is what was built
         9. push ghcr.io/reflect/app for `edge`, `core` and `score`
            because it is fetched by its digest, so that a tag cannot change what runs
        10. make the release
            because from here on nothing of it changes: artifacts, configuration, secrets, flags

        On the way
        11. ask probe `login`
            because `environment.staging.gates` names it
        12. run in `staging`
            because `prod` takes releases from there, with the same artifacts

        Enter
        13. take the release over from `staging` to `prod`, on a tag like v*
            because that is what makes a change arrive
        14. check that nothing is frozen for holidays
            because `environment.prod.freeze[0]` says so
        15. check that the time is within weekdays 08:00-16:00
            because `environment.prod.rollout.window` says so
        16. ask gate `lead`: `ana@example.com` says yes
            because `environment.prod.gates` names it

        Data
        17. make postgres `db`
            because `core`, `score` and `digest` need it
        18. back up postgres `db` daily 01:00, its log each 5m, with a restore tried monthly
            because no more than 15m may be lost
        19. expand the schema of postgres `db` from migrations
            because it adds, and the old release runs with it
        20. backfill the schema of postgres `db` from migrations
            because it fills in beside what runs

        Start
        21. start service `core`
            because it uses `db`, which is ready
        22. wait until service `core` has stayed up for 10s
            because nothing gets work before it is well
        23. start 2 instances of service `edge`
            because it uses `core`, which is ready
        24. wait until service `edge` answers on /healthz, at most 30s
            because nothing gets work before it is well
        25. start worker `score`
            because it uses `db`, which is ready
        26. wait until worker `score` has stayed up for 10s
            because nothing gets work before it is well

        Traffic
        27. let the edge answer on `app.example.com` for service `edge`
            because it is public
        28. give `edge` and `core` 10% for 30m, counted in traffic
            because a fault reaches no more than this; too little to judge by holds it, and somebody is told
        29. give `score` 10% for 30m, counted in jobs
            because a fault reaches no more than this; too little to judge by holds it, and somebody is told
        30. ask probe `login`
            because `environment.prod.rollout.gates` names it
        31. ask gate `good`: errors stay below 1%, and it is not 10% slower than the old release
            because `environment.prod.rollout.gates` names it
        32. give `edge` and `core` 100%, counted in traffic
            because every step before it went well
        33. give `score` 100%, counted in jobs
            because every step before it went well
        34. keep the old release of `edge`, `core` and `score` warm for 10m
            because a rollback has to take less than 2m
        35. watch `edge`, `core` and `score` for 10m
            because a fault that shows late still rolls back
        36. ask gate `smoke`: `bin/smoke` ends with 0, or roll back
            because `environment.prod.rollout.after` names it

        After
        37. run job `digest` daily 03:00
            because from now on this release runs it, and no other
        38. run probe `login` each 5m
            because faults show between releases, too
        39. arm alert `login`, sev1
            because `alert.login` says so
        40. count the release as done
            because everything that was asked was answered well
        41. contract the schema of postgres `db` from migrations, within sun 02:00-04:00
            because it takes away what the old release needs: behind it there is no rollback
        ");
}

#[test]
fn staging_gets_a_masked_copy_and_a_stand_in_for_the_outside() {
    assert_snapshot!(steps(REFLECT, "staging"), @r"
        before wait for a push to main, which brings a change to `staging`
        before check that `API_KEY` has a value
        before check that `MODEL` of worker `score` has a value
        build run build `shared` with `cargo build`
        build check that the artifact of build `shared` weighs at most 200MB
        build list the parts of the artifact of build `shared` as cyclonedx
        build ask gate `unit`: reports/unit.xml has no failed test, and at least 1
        build sign the artifact of build `shared`
        build push ghcr.io/reflect/app for `edge`, `core` and `score`
        build make the release
        enter ask probe `login`
        data make postgres `db`
        data back up postgres `db` daily 01:00, its log each 5m, with a restore tried monthly
        data copy postgres `db` from `prod`, with `users.email` masked
        data expand the schema of postgres `db` from migrations
        data backfill the schema of postgres `db` from migrations
        start start a stand-in for external `ai` with `ai-mock`
        start start service `core`
        start wait until service `core` has stayed up for 10s
        start start 2 instances of service `edge`
        start wait until service `edge` answers on /healthz, at most 30s
        start start worker `score`
        start wait until worker `score` has stayed up for 10s
        traffic let the edge answer on `app.example.com` for service `edge`
        traffic switch `edge`, `core` and `score` over, rolling
        traffic keep the old release of `edge`, `core` and `score` warm for 10m
        traffic watch `edge`, `core` and `score` for 10m
        after run job `digest` daily 03:00
        after run probe `login` each 5m
        after arm alert `login`, sev1
        after count the release as done
        after contract the schema of postgres `db` from migrations, within sun 02:00-04:00
        ");
}

#[test]
fn a_bot_ends_its_session_before_the_next_and_an_extension_waits_for_its_stores() {
    let manifest = r#"
product = "pause"

[bot.guard]
run = "guard"
health = { command = "bin/ready" }

[bot.lease]
run = "lease"
handover = "lease"

[extension.pause]
build = "web-ext build"
rollout = { strategy = "canary", steps = ["10% for 1d", "100%"], gates = ["crashes"] }
store.edge = { kind = "edge-addons", after = "chrome" }
store.chrome = { kind = "chrome-web-store", review = "3d" }

[metric.crashes]
store = "crash-users"

[gate.crashes]
metric = { metric = "crashes", keep = "< 5%" }

[environment.pilot]
on = "tag v*"

[environment.prod]
after = "pilot"
gates = ["fewer"]

[metric.incidents]
sql = "select count(*) from incidents"

[gate.fewer]
change = { metric = "incidents", by = "-30%" }
"#;
    assert_snapshot!(steps(manifest, "prod"), @r"
        before wait for a tag like v*, which brings a change to `pilot`
        build build extension `pause` with `web-ext build`
        build make the release
        way run in `pilot`
        way ask gate `crashes`: metric `crashes` < 5% for 10m
        enter take the release over from `pilot` to `prod`
        enter ask gate `fewer`: metric `incidents` has changed by -30% over 14d
        start stop the old instance of bot `guard`, if there is one
        start start bot `guard`
        start wait until `bin/ready` finds bot `guard` well, at most 30s
        start start bot `lease`
        start wait until bot `lease` has stayed up for 10s
        start pass the lease of bot `lease` to the new instance
        traffic watch `guard` and `lease` for 10m
        stores pack extension `pause`
        stores upload extension `pause` to store `chrome`, Chrome Web Store
        stores wait until store `chrome` has reviewed extension `pause`, expected within 3d
        stores let store `chrome` give extension `pause` to 10% for 1d
        stores ask gate `crashes`: metric `crashes` < 5% for 10m
        stores let store `chrome` give extension `pause` to 100%
        stores upload extension `pause` to store `edge`, Edge Add-ons
        stores wait until store `edge` has reviewed extension `pause`
        stores let store `edge` give extension `pause` to 10% for 1d
        stores ask gate `crashes`: metric `crashes` < 5% for 10m
        stores let store `edge` give extension `pause` to 100%
        after count the release as done
        ");
}

#[test]
fn a_fresh_environment_is_seeded_behind_its_schema() {
    let manifest = r#"
product = "p"
[service.api]
run = "api"
uses = ["db"]
hooks = { before = "bin/announce", after = "bin/warm" }
[postgres.db]
migrate = "migrations"
seed = "seed.py"
[environment.dev]
on = "pull-request"
data = { fresh = true, load = "dev.sql" }
cap = { replicas = 1 }
"#;
    assert_snapshot!(steps(manifest, "dev"), @r"
        before wait for a pull request, which brings a change to `dev`
        build make the release
        data make postgres `db`
        data begin with nothing in postgres `db`
        data expand the schema of postgres `db` from migrations
        data fill postgres `db` from seed.py
        data fill postgres `db` from dev.sql
        start run `bin/announce` before service `api` starts
        start start service `api`
        start wait until service `api` has stayed up for 10s
        traffic switch `api` over, rolling
        traffic keep the old release of `api` warm for 10m
        traffic watch `api` for 10m
        after run `bin/warm` now that service `api` runs
        after count the release as done
        ");
}

#[test]
fn a_gate_stands_where_its_stage_says_and_only_where_its_components_are() {
    let manifest = r#"
product = "p"
[service.api]
run = "api"
[service.beta]
run = "beta"
only = "dev"
[gate.weight]
stage = "build"
size = { file = "dist/app.js", most = "500KB" }
[gate.late]
stage = "after"
command = "bin/late"
[gate.beta]
command = "bin/beta"
on = "beta"
[environment.dev]
gates = ["late", "beta"]
[environment.prod]
gates = ["late", "beta"]
"#;
    let asked = |environment: &str| {
        let (plan, _) = planned(manifest, environment);
        let gates: Vec<String> = plan
            .gates()
            .map(|(step, gate)| format!("{} {}", step.part, gate.name))
            .collect();
        gates.join(", ")
    };
    assert_eq!(asked("dev"), "build weight, enter beta, traffic late");
    assert_eq!(asked("prod"), "build weight, traffic late");
}

#[test]
fn an_environment_that_nobody_wrote_has_a_plan_all_the_same() {
    let manifest = "product = \"p\"\n[service.api]\nrun = \"api\"\n";
    assert_snapshot!(steps(manifest, "here"), @r"
        before wait for somebody to deploy to `here`
        build make the release
        start start service `api`
        start wait until service `api` has stayed up for 10s
        traffic switch `api` over, rolling
        traffic keep the old release of `api` warm for 10m
        traffic watch `api` for 10m
        after count the release as done
        ");
}

#[test]
fn components_in_a_circle_are_cut_at_the_first_and_found_by_the_lint() {
    let manifest = r#"
product = "p"
[service.a]
run = "a"
uses = ["b"]
[service.b]
run = "b"
uses = ["a"]
[environment.prod]
"#;
    let sources = BTreeMap::from([("towpath.toml".to_owned(), manifest.as_bytes().to_vec())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    let product = &reading.environments["prod"].desired;
    let plan = plan(product, &Name::parse("prod").expect("a name"), &[]);
    let told: Vec<String> = crate::lint::lint(&plan, product)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_snapshot!(told.join("\n"), @"step 3: service `a` starts before `b` is ready");
}

#[test]
fn a_rollout_holds_as_a_whole_and_a_canary_gate_is_asked_of_a_canary_only() {
    let manifest = r#"
product = "shop"

rollout = { strategy = "canary", gates = ["login"], window = "weekdays 08:00-16:00" }

[service.web]
run = "bin/web"

[service.core]
run = "bin/core"
rollout = { bake = "5m" }

[gate.errors]
canary = { errors = "1%" }

[probe.login]
http = "GET https://shop.example.com/login"
expect = ["status = 200"]

[environment.staging]
rollout = { strategy = "canary", gates = ["errors"] }

[environment.pilot]
like = "staging"
rollout = "rolling"
"#;
    let told = |environment: &str| {
        let about = ["ask ", "switch ", "window"];
        let steps = steps(manifest, environment).to_lowercase();
        let lines = steps
            .lines()
            .filter(|line| about.iter().any(|word| line.contains(word)));
        lines.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(told("staging"), @r"
    traffic ask gate `errors`: errors stay below 1%, and it is not 10% slower than the old release
    traffic switch `core` over, rolling
    ");
    assert_snapshot!(told("pilot"), @r"
    traffic switch `web` over, rolling
    traffic switch `core` over, rolling
    ");
}
