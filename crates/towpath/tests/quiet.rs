//! Right manifests that a hasty rule would accuse: overlays that pin what the root lets grow, words taken over from
//! another environment, hosts that are not ours.

use towpath::checked::check_example;
use towpath::render_diagnostics;

/// Nothing of the families of components, data, environments, gates and the edge is told.
fn is_quiet(text: &str) {
    let mut checked = check_example(text);
    checked.diagnostics.retain(|one| {
        ["TP03", "TP04", "TP05", "TP06", "TP08"]
            .iter()
            .any(|family| one.code.id.starts_with(family))
    });
    let told = render_diagnostics(&checked.diagnostics, &checked.reading.sources, false);
    assert!(told.is_empty(), "{told}");
}

#[test]
fn an_environment_may_pin_what_the_root_lets_grow() {
    is_quiet(
        r#"
product = "shop"

[service.api]
run      = "bin/api"
health   = "/healthz"
replicas = { min = 2, max = 8 }
scale    = { p95 = "250ms", schedule = [{ when = "weekdays 08:00-20:00", replicas = 6 }] }

[environment.dev]
on = "manual"

[environment.dev.service.api]
replicas = 1

[environment.preview]
on      = "pull-request"
preview = "3d"
cap     = { replicas = 1 }

[environment.prod]
on = "tag v*"
"#,
    );
}

#[test]
fn words_of_a_canary_may_come_from_the_environment_that_one_is_like() {
    is_quiet(
        r#"
product = "shop"

[service.web]
run = "bin/web"

[service.api]
run = "bin/api"

[environment.staging]
on      = "push main"
like    = "prod"
rollout = "rolling"

[environment.prod]
on      = "tag v*"
after   = "staging"
rollout = { strategy = "canary", steps = ["10% for 30m", "pause", "100%"], unit = "traffic", together = ["web", "api"] }
"#,
    );
}

#[test]
fn a_promise_holds_where_real_data_is() {
    is_quiet(
        r#"
product = "shop"

[postgres.db]
promise = { rpo = "15m", rto = "4h" }

[environment.dev]
on   = "manual"
data = { fresh = true }

[environment.staging]
on = "push main"

[environment.prod]
after = "staging"
data  = { real = true }

[environment.prod.postgres.db]
backup = { full = "daily", wal = "5m", drill = "monthly" }
"#,
    );
}

#[test]
fn a_cluster_has_zones_and_ports_of_its_own() {
    is_quiet(
        r#"
product = "shop"

[service.api]
run      = "bin/api"
port     = 8080
health   = "/healthz"
replicas = 3

[service.admin]
run  = "bin/admin"
port = 8080

[postgres.db]
availability = "zones"
backup       = { full = "daily", drill = "monthly", to = "copies" }

[bucket.copies]

[environment.prod]
on     = "tag v*"
engine = "kubernetes"
data   = { real = true }
"#,
    );
}

#[test]
fn what_stays_in_a_store_or_changes_hands_needs_nothing_warm() {
    is_quiet(
        r#"
product = "reader"

[bot.herald]
run     = "bin/herald"
rollout = { strategy = "rolling", bake = "1d" }

[extension.reader]
files   = "dist"
rollout = { strategy = "canary", steps = ["10% for 1d", "50% for 1d", "100%"], bake = "3d" }

[extension.reader.store.chrome]
kind  = "chrome-web-store"
users = 25000

[environment.prod]
on = "tag v*"
"#,
    );
}

#[test]
fn a_component_that_is_switched_off_somewhere_is_no_sleeper() {
    is_quiet(
        r#"
product = "club"

[bot.herald]
run       = "bin/herald"
always_on = true

[worker.points]
run      = "bin/points"
uses     = ["jobs"]
replicas = { min = 0, max = 4 }
scale    = { queue = { redis = "points", each = 10 }, zero_after = "10m" }

[redis.jobs]

[environment.dev]
on = "manual"

[environment.dev.bot.herald]
replicas = 0

[environment.prod]
on = "tag v*"
"#,
    );
}

#[test]
fn a_canary_gate_may_come_from_where_there_is_a_canary() {
    is_quiet(
        r#"
product = "shop"

[service.web]
run     = "bin/web"
public  = true
health  = "/healthz"
rollout = { strategy = "canary", steps = ["10% for 30m", "100%"], gates = ["errors"] }

[service.core]
run     = "bin/core"
rollout = { progress = "20m" }

[gate.errors]
canary = { errors = "1%" }

[environment.dev]
on = "manual"

[environment.dev.service.web]
rollout = "recreate"

[environment.staging]
on      = "push main"
rollout = { strategy = "canary", steps = ["10% for 30m", "100%"], gates = ["errors"] }

[environment.pilot]
like    = "staging"
on      = "manual"
after   = "staging"
rollout = "rolling"
"#,
    );
}

#[test]
fn a_route_may_send_visitors_to_a_more_exact_one() {
    is_quiet(
        r#"
product = "shop"

[service.web]
run    = "bin/web"
public = true

[[service.web.route]]
path     = "/"
redirect = "/docs?from=home"

[[service.web.route]]
path  = "/docs"
cache = { edge = "5m" }
"#,
    );
}
