//! What the tests of all sections share: a product from the text of a manifest.

use crate::page::Page;
use crate::product::Product;
use std::collections::BTreeMap;
use towpath_decide::review::Whole;
use towpath_model::Desired;
use towpath_model::unit::Name;

/// Does something with the product that a manifest describes; a manifest with errors is told.
fn with_product<T>(manifest: &str, look: impl FnOnce(&Whole<'_>) -> T) -> T {
    let sources = BTreeMap::from([("towpath.toml".to_owned(), manifest.as_bytes().to_vec())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    assert!(!reading.has_errors(), "{:#?}", reading.findings);
    let environments: Vec<(&Name, &Desired)> = reading
        .environments
        .iter()
        .map(|(name, layered)| (name, &layered.desired))
        .collect();
    look(&Whole {
        tree: &reading.root,
        root: reading
            .desired
            .as_ref()
            .expect("a manifest without errors is a product"),
        environments: &environments,
    })
}

/// What a section writes for a manifest.
pub(crate) fn section(write: fn(&Product<'_>, &mut Page), manifest: &str) -> String {
    with_product(manifest, |whole| {
        let mut page = Page::default();
        write(&Product::of(whole), &mut page);
        page.into_text()
    })
}

/// A whole document.
fn whole(manifest: &str) -> String {
    with_product(manifest, crate::document)
}

#[test]
fn a_small_product_has_a_short_document() {
    insta::assert_snapshot!(whole(r#"
        product = "hello"
        [service.web]
        run = "python3 -m http.server $PORT"
        public = true
        health = "/"
    "#), @r#"
        # hello: infrastructure

        1. [Hosting](#1-hosting)
        2. [Topology](#2-topology)
        3. [Components](#3-components)
        4. [Security](#4-security)
        5. [Runbooks](#5-runbooks)
        6. [Quick reference](#6-quick-reference)

        ## 1. Hosting

        | Component | Kind    |
        | --------- | ------- |
        | `web`     | service |

        ## 2. Topology

        ### Addresses

        | Component | Reached from | Certificate                    |
        | --------- | ------------ | ------------------------------ |
        | `web`     | anywhere     | issued and renewed by the edge |

        ## 3. Components

        Only what was chosen stands here. Unless a table says otherwise, an instance is asked every second whether it is well and has 5 seconds to answer, a new one has 30 seconds to become ready, and one that is stopped has 30 seconds to end what it is doing.

        ### web (service)

        | Setting     | Value                          |
        | ----------- | ------------------------------ |
        | Starts with | `python3 -m http.server $PORT` |
        | Health      | `/` answers 200                |

        ## 4. Security

        | Area                  | What holds |
        | --------------------- | ---------- |
        | Encryption on the way | TLS for `web`, with certificates that the edge renews.<br>Plain HTTP is answered with the HTTPS address. |
        | Record                | Every deployment and every change of a secret is recorded, with who and why. |

        ## 5. Runbooks

        ### Rollback

        When a release does harm. When in doubt, go back first and look for the reason after.

        1. `towpath rollback prod` puts the release before back: code, configuration, secrets and flags together. It should take at most 2 minutes, needs no network, registry or pipeline, and prints how long it took.
        2. Look at `towpath status prod` until everything is well, and write down what happened. The last 5 releases can be gone back to.

        ### Incident response

        When an alert arrives or somebody reports that something does not work.

        1. Say that you are on it, where everybody reads it.
        2. Look at `towpath status prod` and `towpath logs prod web`.
        3. If a release or a flag was changed shortly before, take that back first: `towpath rollback prod`.
        4. When it is over, read `towpath audit prod` and write down what happened, what helped and what would have kept it from happening.

        ### Certificate rotation

        When a certificate is about to end, or its key may be known to others.

        1. Certificates for visitors are renewed by the edge by itself. `towpath status prod` tells when each one ends.
        2. If one is not renewed, look whether the address still points here and whether the authority can reach it.

        ## 6. Quick reference

        ### Commands

        | To                                 | Type            |
        | ---------------------------------- | --------------- |
        | Run all of it on a laptop          | `towpath up`    |
        | Know whether the manifest is right | `towpath check` |
        "#);
}

/// A manifest in which `ODD` stands wherever people may write what they like.
const ODD: &str = r#"
    product = "shop"
    title = "ODD"
    about = "ODD"
    goals = ["ODD"]
    region = "sin"
    region_why = "ODD"
    notes = ["ODD"]
    [edge]
    in_front = "ODD"
    [service.web]
    about = "ODD"
    why = "ODD"
    runtime = "ODD"
    run = "bin/web | tee log"
    size = "ODD"
    public = true
    uses = [{ name = "db", why = "ODD" }, { name = "mail", why = "ODD" }]
    headers = { csp = "ODD" }
    notes = ["ODD"]
    privacy = { keeps = "ODD", delete = "ODD", law = "ODD" }
    env.A = { value = "ODD", about = "ODD", example = "ODD" }
    route = [{ path = "/x", about = "ODD", redirect = "ODD" }]
    [worker.mail]
    run = "mail"
    uses = ["outside"]
    queues = ["ODD"]
    shard = "ODD"
    [postgres.db]
    about = "ODD"
    why = "ODD"
    size = "ODD"
    read_replicas = { why = "ODD" }
    [external.outside]
    about = "ODD"
    why = "ODD"
    [host.vm]
    title = "ODD"
    about = "ODD"
    why = "ODD"
    instead = "ODD"
    plan = "ODD"
    group = "ODD"
    network = ["ODD"]
    [registry.images]
    address = "ODD"
    about = "ODD"
    [ci]
    at = "vm"
    repository = "ODD"
    systems = ["ODD"]
    gates = ["unit"]
    notes = ["ODD"]
    [gate.unit]
    about = "ODD"
    command = "bin/unit | tee log"
    over = ["ODD"]
    tool = "ODD"
    [probe.login]
    about = "ODD"
    of = "web"
    steps = [{ sql = "ODD", on = "db", expect = "body contains 'x | y'" }]
    [metric.lag]
    about = "ODD"
    sql = "ODD"
    unit = "ODD"
    [objective.up]
    about = "ODD"
    target = "99%"
    of = "web"
    [alert.lag]
    about = "ODD"
    metric = "lag"
    past = "> 1"
    [channel.ops]
    slack = "ODD"
    secret = "KEY"
    [oncall.team]
    people = ["ODD"]
    escalate = ["ODD"]
    duties = ["ODD"]
    [secret.KEY]
    about = "ODD"
    source = "ODD"
    escrow = "ODD"
    [flag.new]
    about = "ODD"
    owner = "ODD"
    kill = true
    [cost.plan]
    title = "ODD"
    price = "$1"
    unit = "ODD"
    assume = "ODD"
    rate = "ODD"
    save = "ODD"
    [lever.lag]
    symptom = "ODD"
    actions = ["ODD"]
    [role.ops]
    title = "ODD"
    duties = ["ODD"]
    [runbook.restore]
    title = "ODD"
    when = "ODD"
    steps = ["ODD"]
    tell = ["ODD"]
    [decision.one]
    title = "ODD"
    id = "ODD"
    context = "ODD"
    choice = "ODD"
    consequences = ["ODD"]
    [maintenance.look]
    about = "ODD"
    every = "weekly"
    [golive.one]
    about = "ODD"
    [service_level.one]
    about = "ODD"
    within = "1d"
    [control.one]
    about = "ODD"
    area = "ODD"
    [link.one]
    url = "https://example.com/a|b"
    about = "ODD"
    [future.one]
    about = "ODD"
    when = "ODD"
    [environment.dev]
    about = "ODD"
    notes = ["ODD"]
    [environment.prod]
    at = "vm"
    after = "dev"
    freeze = { every = "fri 16:00-23:59", why = "ODD" }
"#;

/// The bars of a line that end a cell: those without a backslash before them.
fn bars(line: &str) -> usize {
    let mut bars = 0;
    let mut escaped = false;
    for c in line.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            '|' if !escaped => bars += 1,
            _ => escaped = false,
        }
    }
    bars
}

#[test]
fn odd_text_breaks_neither_tables_nor_diagrams() {
    let odd = [
        "a | b",
        "a \\\\| b `c \\\\| d` `e",
        "x\\n\\n| a | b |\\n|---|---|",
        "\\\"] --> evil[\\\"y",
        "\\\"| z",
        "```\\n# heading\\n```",
        "end",
        "%%{init: {}}%%",
        "<!-- <details> -->",
        "-->|x|",
        "# [a](b) *c* _d_ ~~e~~ <b>",
        "subgraph x\\nend",
    ];
    let plain = whole(&ODD.replace("ODD", "word"));
    for odd in odd {
        let text = whole(&ODD.replace("ODD", odd));
        assert_eq!(headings(&text), headings(&plain), "{odd}");
        let mut cells = None;
        let mut in_diagram = false;
        for line in text.lines() {
            match (line, in_diagram) {
                ("```mermaid", _) => in_diagram = true,
                ("```", true) => in_diagram = false,
                (line, true) => {
                    assert!(line.matches('"').count() % 2 == 0, "{odd}: {line}");
                    assert!(line.matches('"').count() <= 2, "{odd}: {line}");
                    assert!(!line.contains("%%"), "{odd}: {line}");
                }
                (line, false) if line.starts_with('|') => {
                    assert_eq!(bars(line), *cells.get_or_insert(bars(line)), "{odd}: {line}");
                }
                (line, false) => {
                    cells = None;
                    assert!(!line.starts_with("```"), "{odd}: {line}");
                    assert!(
                        !line.contains("<!--") || line.contains("\\<!--") || line.contains('`'),
                        "{odd}: {line}"
                    );
                }
            }
        }
        assert!(!in_diagram, "{odd}");
    }
}

/// How many headings of each level there are.
fn headings(text: &str) -> Vec<usize> {
    let level = |level: usize| format!("{} ", "#".repeat(level));
    (1..=6)
        .map(|number| {
            text.lines()
                .filter(|line| line.starts_with(&level(number)))
                .count()
        })
        .collect()
}

#[test]
fn nothing_of_the_machine_stands_in_a_document() {
    let text = whole(&ODD.replace("ODD", "word"));
    for noise in ["None", "Some(", "Ref(", "n/a", "..", "  \n", "  |  |"] {
        assert!(!text.contains(noise), "{noise} in:\n{text}");
    }
}
