//! The web application: a site, a function that sleeps, a database, and all of it twice.

use crate::example::{Answer, Place, example};
use crate::kit::{Product, component, eventually};
use serde_json::{Value, json};

fn status(product: &Product, environment: &str) -> Value {
    let ran = product.run(&["status", "--json", "--env", environment]);
    serde_json::from_str(&ran.out).unwrap_or(Value::Null)
}

/// The site of an environment, as its edge serves it.
fn site(product: &Product, environment: &str) -> Place {
    let told = eventually("the site is ready", || {
        let told = status(product, environment);
        (component(&told, "web")["state"] == "ready").then_some(told)
    });
    let port = told["steward"]["http"]
        .as_u64()
        .and_then(|port| u16::try_from(port).ok());
    let url = component(&told, "web")["url"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let host = url.split("://").nth(1).and_then(|host| host.split(':').next());
    Place {
        port: port.expect("the edge listens"),
        host: host.expect("the site has a name").to_owned(),
    }
}

fn enter(site: &Place, name: &str) -> String {
    let body = json!({ "access_token": format!("visitor-{name}") });
    let answer = site.ask("POST", "/api/session", "", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.cookie()
}

fn notes(site: &Place, cookie: &str) -> Vec<String> {
    let answer: Answer = site.ask("GET", "/api/notes", cookie, &Value::Null);
    assert_eq!(answer.status, 200, "{answer:?}");
    let all = answer.json();
    let texts = all
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|note| note["text"].as_str());
    texts.map(str::to_owned).collect()
}

#[test]
fn a_preview_runs_beside_development_with_its_own_data() {
    let Some(product) = example("webapp", &[]) else {
        return;
    };
    product.well(&["up", "--detach", "--yes", "--env", "dev"]);
    let dev = site(&product, "dev");
    assert!(dev.get("/").body.contains("<title>Notes</title>"));
    let sleeping = component(&status(&product, "dev"), "api");
    assert_eq!(sleeping["state"], "asleep", "{sleeping:#}");

    // The first question wakes it.
    let health = dev.get("/api/health");
    assert_eq!((health.status, &health.json()["database"]), (200, &json!("ok")));
    assert_eq!(component(&status(&product, "dev"), "api")["state"], "ready");

    assert_eq!(dev.get("/api/notes").status, 401);
    let ada = enter(&dev, "ada");
    assert_eq!(notes(&dev, &ada).len(), 2, "as they are seeded");
    let note = json!({ "text": "Only in development" });
    assert_eq!(dev.ask("POST", "/api/notes", &ada, &note).status, 200);
    assert_eq!(notes(&dev, &ada).len(), 3);
    assert!(
        notes(&dev, &enter(&dev, "eve")).is_empty(),
        "a row is its owner's"
    );

    product.well(&["up", "--detach", "--yes", "--env", "preview"]);
    let preview = site(&product, "preview");
    assert_ne!(preview.port, dev.port);
    assert_eq!(preview.get("/api/front").json()["environment"], "preview");
    assert_eq!(dev.get("/api/front").json()["environment"], "dev");
    let there = enter(&preview, "ada");
    assert_eq!(notes(&preview, &there).len(), 2, "a preview has its own data");
    let refused = preview.ask("GET", "/api/notes", &ada, &Value::Null);
    assert_eq!(refused.status, 401, "and its own secrets");

    product.well(&["down", "--env", "preview"]);
    assert_eq!(notes(&dev, &ada).len(), 3, "development goes on");
    product.well(&["down", "--env", "dev"]);
    product.leaves_nothing();
}
