//! Two products on one machine, and two checkouts of one: each has its names, its ports and its data, and neither notices
//! when the other one goes.

use crate::example::{Place, example};
use crate::kit::Product;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The changes that let synapse run beside another one: its own ports are the only thing of which a machine has one.
const ANY_PORT: [(&str, &str); 3] = [
    ("port  = 5173\n", ""),
    ("port     = 8000\n", ""),
    ("port     = 3000\n", ""),
];

/// Where visitors reach a component, by its name.
#[track_caller]
fn visited(product: &Product, name: &str) -> Place {
    let one = product.until(name, |one| {
        one["url"].is_string() && (one["state"] == "ready" || one["state"] == "asleep")
    });
    let url = one["url"].as_str().unwrap_or_default().to_owned();
    let host = url.split("://").nth(1).and_then(|host| host.split(':').next());
    let http = product.status()["steward"]["http"].as_u64();
    Place {
        port: http
            .and_then(|port| u16::try_from(port).ok())
            .expect("it is public"),
        host: host.expect("it has a name").to_owned(),
    }
}

/// Every port that a product has taken.
fn ports(product: &Product) -> BTreeSet<u16> {
    let status = product.status();
    let inside = |one: &Value| {
        let address = one["inside"].as_str()?.to_owned();
        address.rsplit_once(':')?.1.parse().ok()
    };
    let all = status["components"].as_array().into_iter().flatten();
    let mut ports: BTreeSet<u16> = all.filter_map(inside).collect();
    ports.extend(
        status["steward"]["http"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok()),
    );
    ports
}

/// Asks somebody without a pause while something else happens. How often they answered well, and every other answer.
fn asked_meanwhile(place: &Place, path: &str, happens: impl FnOnce()) -> (usize, Vec<u16>) {
    let over = AtomicBool::new(false);
    let well = AtomicUsize::new(0);
    let mut lost = Vec::new();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut lost = Vec::new();
            while !over.load(Ordering::Relaxed) {
                match place.get(path).status {
                    200 => drop(well.fetch_add(1, Ordering::Relaxed)),
                    other => lost.push(other),
                }
            }
            lost
        });
        happens();
        over.store(true, Ordering::Relaxed);
        lost = asking.join().expect("it asks");
    });
    (well.into_inner(), lost)
}

#[test]
fn two_products_run_side_by_side_and_one_that_goes_is_not_noticed() {
    let Some(synapse) = example("synapse", &ANY_PORT) else {
        return;
    };
    let Some(webapp) = example("webapp", &[]) else {
        return;
    };
    synapse.well(&["up", "--detach", "--yes"]);
    webapp.well(&["up", "--detach", "--yes"]);

    let (club, notes) = (visited(&synapse, "api"), visited(&webapp, "web"));
    assert!(
        club.get("/zones").body.contains("showcase"),
        "synapse has its data"
    );
    assert!(notes.get("/").body.contains("<title>Notes</title>"));
    assert_eq!(notes.get("/api/health").json()["database"], "ok");
    let strangers = Place {
        port: club.port,
        host: notes.host.clone(),
    };
    assert_eq!(
        strangers.get("/").status,
        404,
        "who is asked for answers, and nobody else"
    );
    let (one, other) = (ports(&synapse), ports(&webapp));
    assert!(one.is_disjoint(&other), "{one:?} {other:?}");
    assert_ne!(
        synapse.pid("db"),
        webapp.pid("db"),
        "each has a cluster of its own"
    );

    // One goes, its data, too.
    let before = synapse.status();
    let (well, lost) = asked_meanwhile(&club, "/zones", || {
        webapp.well(&["down", "--delete-data", "--yes"]);
        webapp.leaves_nothing();
    });
    assert!(
        well > 0 && lost.is_empty(),
        "{well} were answered, and {lost:?} were not"
    );
    let instances = |status: &Value| {
        let all = status["components"].as_array().into_iter().flatten();
        all.map(|one| (one["name"].clone(), one["instances"][0]["pid"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(instances(&synapse.status()), instances(&before));

    // And comes again from nothing.
    let (well, lost) = asked_meanwhile(&club, "/zones", || {
        webapp.well(&["up", "--detach", "--yes"]);
    });
    assert!(
        well > 0 && lost.is_empty(),
        "{well} were answered, and {lost:?} were not"
    );
    assert_eq!(visited(&webapp, "web").get("/api/health").status, 200);
    synapse.well(&["down"]);
    synapse.leaves_nothing();
    assert_eq!(visited(&webapp, "web").get("/api/health").status, 200);
    webapp.well(&["down"]);
}

#[test]
fn a_second_checkout_of_a_product_has_data_and_ports_of_its_own() {
    let Some(first) = example("webapp", &[]) else {
        return;
    };
    let Some(second) = example("webapp", &[]) else {
        return;
    };
    first.well(&["up", "--detach", "--yes"]);
    second.well(&["up", "--detach", "--yes"]);
    let (here, there) = (visited(&first, "web"), visited(&second, "web"));
    assert_eq!(here.host, there.host, "the product is called the same");
    assert_ne!(here.port, there.port);
    assert!(ports(&first).is_disjoint(&ports(&second)));

    let enter = |site: &Place| {
        let body = json!({ "access_token": "visitor-ada" });
        site.ask("POST", "/api/session", "", &body).cookie()
    };
    let count = |site: &Place, cookie: &str| {
        let notes = site.ask("GET", "/api/notes", cookie, &Value::Null).json();
        notes.as_array().map(Vec::len)
    };
    let (ada, her) = (enter(&here), enter(&there));
    let note = json!({ "text": "Only here" });
    assert_eq!(here.ask("POST", "/api/notes", &ada, &note).status, 200);
    assert_eq!((count(&here, &ada), count(&there, &her)), (Some(3), Some(2)));
    let (well, lost) = asked_meanwhile(&here, "/", || {
        second.well(&["down"]);
    });
    assert!(
        well > 0 && lost.is_empty(),
        "{well} were answered, and {lost:?} were not"
    );
    assert_eq!(count(&here, &ada), Some(3));
    first.well(&["down"]);
}

#[test]
fn a_port_that_another_checkout_has_is_told_and_taken_when_that_one_goes() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = free.local_addr().expect("it has one").port();
    drop(free);
    let fixed = format!("port     = {port}\n");
    let changes = [ANY_PORT[0], (ANY_PORT[1].0, fixed.as_str()), ANY_PORT[2]];
    let Some(first) = example("synapse", &changes) else {
        return;
    };
    let Some(second) = example("synapse", &changes) else {
        return;
    };
    first.well(&["up", "--detach", "--yes"]);
    let refused = second.run(&["up", "--detach", "--yes"]);
    let holder = format!("which is api of synapse in {}", first.folder.display());
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains(&holder), "{}", refused.err);
    // Both bots run: each has a gateway of its own.
    second.until_state("bot", "ready");
    assert_eq!(first.component("api")["state"], "ready");

    first.well(&["down"]);
    second.until_state("api", "ready");
    second.well(&["down"]);
}
