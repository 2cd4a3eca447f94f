//! Who may see previews and dashboards where nobody says who may.

use super::{Launched, launched, with};
use insta::assert_snapshot;
use towpath_model::desired::edge::SignIn;
use towpath_model::run::Access;

const SHOP: &str = r#"
product = "shop"
[service.web]
run = "web"
public = true
tls = "off"
route = [{ path = "/health", limit = "1/s" }]
[service.core]
run = "core"
[environment.dev]
preview = "3d"
[environment.try]
on = "pull-request"
preview = "3d"
[environment.prod]
"#;

fn access(launched: &Launched, name: &str) -> Option<Access> {
    let component = &launched.product.components[name];
    component.listens.as_ref()?.rules.access.clone()
}

fn asks(text: &str, environment: &str) -> Option<(SignIn, Option<String>)> {
    let access = access(&launched(text, environment), "web")?;
    Some((access.sign_in, access.secret))
}

#[test]
fn a_preview_asks_for_a_password_that_is_made_up_for_it_and_says_where_it_is() {
    let launched = launched(SHOP, "try");
    let web = access(&launched, "web").expect("it asks");
    assert_eq!(
        (web.sign_in, web.secret.as_deref()),
        (SignIn::Password, Some("PREVIEW_PASSWORD"))
    );
    let listens = launched.product.components["web"]
        .listens
        .as_ref()
        .expect("it listens");
    assert_eq!(
        listens.routes[0].rules.access.as_ref(),
        Some(&web),
        "nor may anybody pass below"
    );
    assert_eq!(access(&launched, "core"), None, "nobody comes there from outside");
    let made: Vec<&str> = launched.generate.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(made, ["PREVIEW_PASSWORD"]);
    let notes = super::told("note", &launched.notes);
    assert_snapshot!(notes, @r"
    note at environment.try.preview: `try` is a preview: visitors are asked for a password, which is PREVIEW_PASSWORD in .towpath/try/generated.env
      help: any name goes with it; write `access` in [environment.try] to say who may see it, or `protected = false` in `preview`
    ");
}

#[test]
fn a_password_that_somebody_gives_or_that_was_made_before_is_the_one() {
    for (files, kept) in [
        (vec![(".env", "PREVIEW_PASSWORD=given")], vec![]),
        (vec![], vec![("PREVIEW_PASSWORD", "given")]),
    ] {
        let launched = with(SHOP, "try", &files, &kept);
        assert!(launched.generate.is_empty(), "{:?}", launched.generate);
        assert_eq!(launched.values["PREVIEW_PASSWORD"].open(), "given");
        let told = super::told("note", &launched.notes);
        assert!(!told.contains("given"), "{told}");
        assert_eq!(told.contains("in .env\n"), kept.is_empty(), "{told}");
    }
}

#[test]
fn who_says_who_may_see_it_is_believed_and_others_are_not_asked() {
    let own = "access = { sign_in = \"token\", secret = \"KEY\" }";
    let secret = "[secret.KEY]\ngenerate = \"token\"\n[environment.dev]";
    let token = Some((SignIn::Token, Some("KEY".to_owned())));
    let by_environment = SHOP
        .replace("on = \"pull-request\"", &format!("on = \"pull-request\"\n{own}"))
        .replace("[environment.dev]", secret);
    assert_eq!(asks(&by_environment, "try"), token);
    let by_component = SHOP
        .replace("tls = \"off\"", &format!("tls = \"off\"\n{own}"))
        .replace("[environment.dev]", secret);
    assert_eq!(asks(&by_component, "try"), token);
    let opened = SHOP.replace(
        "on = \"pull-request\"\npreview = \"3d\"",
        "on = \"pull-request\"\npreview = { protected = false }",
    );
    for (text, environment) in [(opened.as_str(), "try"), (SHOP, "prod"), (SHOP, "dev")] {
        let launched = launched(text, environment);
        assert_eq!(access(&launched, "web"), None, "{environment}");
        assert!(
            launched.generate.is_empty() && launched.notes.is_empty(),
            "{environment}"
        );
    }
}

const OPS: &str = r#"
product = "shop"
[service.web]
run = "web"
public = true
tls = "off"
route = [{ path = "/back", to = "office" }]
[service.office]
run = "office"
dashboard = true
[site.ops]
files = "ops"
public = true
dashboard = true
[environment.local]
[environment.dev]
[environment.prod]
"#;

#[test]
fn a_dashboard_asks_for_a_password_wherever_others_come_by() {
    for (environment, asks) in [("local", false), ("dev", true), ("prod", true)] {
        let launched = launched(OPS, environment);
        let word = asks.then_some("DASHBOARD_PASSWORD");
        let secret = |access: Option<Access>| access.and_then(|access| access.secret);
        assert_eq!(secret(access(&launched, "ops")).as_deref(), word, "{environment}");
        assert_eq!(access(&launched, "web"), None, "a page for everybody");
        let web = launched.product.components["web"]
            .listens
            .as_ref()
            .expect("it listens");
        let back = web.routes[0].rules.access.clone();
        assert_eq!(
            secret(back).as_deref(),
            word,
            "by the way of another one: {environment}"
        );
        let made: Vec<&str> = launched.generate.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(made, Vec::from_iter(word), "{environment}");
    }
    let prod = launched(OPS, "prod");
    assert_snapshot!(super::told("note", &prod.notes), @r"
    note at service.office.dashboard: `office` is for the team: visitors are asked for a password, which is DASHBOARD_PASSWORD in .towpath/prod/generated.env
      help: any name goes with it; write `access` to say who may see it, or `dashboard = false`
    note at site.ops.dashboard: `ops` is for the team: visitors are asked for a password, which is DASHBOARD_PASSWORD in .towpath/prod/generated.env
      help: any name goes with it; write `access` to say who may see it, or `dashboard = false`
    ");
}

#[test]
fn of_a_dashboard_what_is_said_holds_and_a_preview_of_it_has_one_password() {
    let own = "dashboard = true\naccess = { sign_in = \"token\", secret = \"KEY\" }";
    let secret = "[secret.KEY]\ngenerate = \"token\"\n[environment.local]";
    let said = OPS
        .replace("dashboard = true", own)
        .replace("[environment.local]", secret);
    assert_eq!(
        access(&launched(&said, "prod"), "ops").map(|one| one.sign_in),
        Some(SignIn::Token)
    );
    let shut = OPS.replace(
        "[environment.prod]",
        "[secret.KEY]\ngenerate = \"token\"\n[environment.prod]\naccess = { sign_in = \"token\", secret = \"KEY\" }",
    );
    assert_eq!(
        access(&launched(&shut, "prod"), "ops").map(|one| one.sign_in),
        Some(SignIn::Token)
    );
    let seen = OPS.replace("[environment.prod]", "[environment.prod]\npreview = \"3d\"");
    let seen = launched(&seen, "prod");
    let made: Vec<&str> = seen.generate.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(made, ["PREVIEW_PASSWORD"]);
}
