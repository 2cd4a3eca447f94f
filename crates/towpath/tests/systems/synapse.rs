//! Synapse: from what somebody says in the club to their score, whatever happens to the bot in between.

use crate::example::{Place, example};
use crate::kit::{Product, eventually, kill};
use rustix::process::Signal;
use serde_json::{Value, json};

/// A member whom the club of the stand-in does not have.
const ZOE: &str = "9001";

struct Club {
    product: Product,
    api: Place,
    discord: Place,
}

impl Club {
    fn of(product: Product) -> Club {
        let api = Place::of(&product.until_state("api", "ready")["inside"]);
        let discord = Place::of(&product.until_state("discord", "ready")["inside"]);
        product.until_state("bot", "ready");
        Club {
            product,
            api,
            discord,
        }
    }

    /// Zoe writes something where one can ask for help.
    fn zoe_writes(&self) {
        let body = json!({ "member": 9001, "name": "Zoe", "channel": 5002, "kind": "message" });
        assert_eq!(self.discord.ask("POST", "/mock/events", "", &body).status, 202);
    }

    fn points(&self) -> i64 {
        let scores = self.api.get("/scores").json();
        let zoe = scores
            .as_array()
            .into_iter()
            .flatten()
            .find(|one| one["member"] == ZOE);
        zoe.and_then(|zoe| zoe["points"].as_i64()).unwrap_or(0)
    }

    #[track_caller]
    fn zoe_gets(&self, points: i64) {
        eventually("all of it is counted", || (self.points() >= points).then_some(()));
        assert_eq!(self.points(), points, "nothing is counted twice");
    }

    fn zone(&self, name: &str) -> Value {
        let zones = self.api.get("/zones").json();
        let zone = zones
            .as_array()
            .into_iter()
            .flatten()
            .find(|one| one["name"] == name);
        zone.cloned().unwrap_or_default()
    }

    /// Signs a member in, by way of Discord.
    fn signed_in(&self, member: &str) -> String {
        let login = self.api.get("/auth/login");
        assert_eq!(login.status, 303);
        let there = login.header("location").expect("it leads somewhere").to_owned();
        let path = there.split_once(&self.discord.host).expect("to Discord").1;
        let back = self.discord.get(&format!("{path}&as={member}"));
        let back = back.header("location").expect("it leads back").to_owned();
        let path = back.split_once(":5173").expect("to the dashboard").1;
        assert_eq!(
            self.api.get(path).status,
            400,
            "a sign-in of somebody else is refused"
        );
        let answer = self.api.ask("GET", path, &login.cookie(), &Value::Null);
        assert_eq!(answer.status, 303, "{answer:?}");
        assert!(answer.head.contains("HttpOnly"), "{answer:?}");
        answer.cookie()
    }

    fn change(&self, multiplier: i64, cookie: &str) -> u16 {
        let body = json!({ "multiplier": multiplier });
        self.api.ask("PUT", "/zones/help", cookie, &body).status
    }

    fn sessions(&self) -> Value {
        self.discord.get("/mock/sessions").json()
    }
}

fn club() -> Option<Club> {
    let product = example(
        "synapse",
        &[
            // Somebody may have the example running beside us.
            ("port  = 5173\n", ""),
            ("port     = 8000\n", ""),
            ("port     = 3000\n", ""),
        ],
    )?;
    product.well(&["up", "--detach", "--yes"]);
    Some(Club::of(product))
}

#[test]
fn a_zone_that_an_admin_changes_counts_from_the_next_event_on() {
    let Some(club) = club() else { return };
    let health = club.api.get("/health");
    assert_eq!((health.status, &health.json()["database"]), (200, &json!("ok")));
    assert_eq!(club.zone("help")["multiplier"], 2, "it is seeded");

    assert_eq!(club.change(4, ""), 401);
    assert_eq!(club.change(4, &club.signed_in("7002")), 403, "Linus is no admin");
    let ada = club.signed_in("7001");
    assert_eq!(club.change(40, &ada), 422);
    assert_eq!(club.change(4, &ada), 200);
    eventually("the bot has seen it", || club.zone("help")["after_ms"].as_f64());
    club.zoe_writes();
    club.zoe_gets(40);
    assert!(club.product.logs("bot").contains("a zone has changed"));

    // Whoever looks on is told, through the edge and the dashboard.
    let port = u16::try_from(club.product.status()["steward"]["http"].as_u64().expect("a port"));
    let dashboard = Place {
        port: port.expect("a port"),
        host: "dashboard.synapse.localhost".to_owned(),
    };
    assert!(dashboard.get("/").body.contains("<title>Synapse</title>"));
    assert!(dashboard.says("/api/live", "event: scores"));
    club.product.well(&["down"]);
    club.product.leaves_nothing();
}

#[test]
fn no_event_is_lost_whatever_happens_to_the_bot() {
    let Some(club) = club() else { return };
    club.zoe_writes();
    club.zoe_gets(20);

    assert_eq!(
        club.discord
            .ask("POST", "/mock/disconnect", "", &Value::Null)
            .status,
        202
    );
    club.zoe_writes();
    club.zoe_gets(40);

    kill(club.product.pid("bot"), Signal::KILL);
    club.zoe_writes();
    club.zoe_writes();
    club.zoe_gets(80);
    let sessions = club.sessions();
    assert_eq!(
        sessions["begun"], 1,
        "the bot came back to its session: {sessions}"
    );
    assert_eq!(
        sessions["sessions"].as_array().map(Vec::len),
        Some(1),
        "{sessions}"
    );

    // Stopping and starting keeps every row.
    club.product.well(&["down"]);
    club.product.leaves_nothing();
    club.product.well(&["up", "--detach", "--yes"]);
    let club = Club::of(club.product);
    assert_eq!(club.points(), 80);
    club.zoe_writes();
    club.zoe_gets(100);
}
