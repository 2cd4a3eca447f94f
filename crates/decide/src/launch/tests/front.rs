//! What holds in front of everything, by environment: certificates, the way to HTTPS, who is let in and believed.

use super::*;
use towpath_model::run::{Acme, Certificate, Challenge, Front, Listen};

const SHOP: &str = r#"
product = "shop"
[service.web]
run     = "serve"
public  = true
domains = ["shop.example", "*.shop.example", "shop.localhost", "intranet"]
[service.filed]
run     = "serve"
public  = true
domains = ["filed.example"]
tls     = "files"
certificate = { chain = "tls/filed.pem", key = "/etc/filed.key" }
[service.fronted]
run     = "serve"
public  = true
domains = ["fronted.example"]
tls     = "in-front"
[service.inner]
run     = "serve"
domains = ["inner.example"]
[edge]
in_front  = "Cloudflare"
allow     = ["203.0.113.0/24"]
protocols = ["h1", "h2"]
[environment.dev]
[environment.live]
domain = "live.example"
"#;

fn front(text: &str, environment: &str) -> Front {
    launched(text, environment).product.front
}

#[test]
fn nobody_is_asked_for_a_certificate_from_somebodys_own_machine() {
    let dev = front(SHOP, "dev");
    assert_eq!(dev.acme, None);
    assert_eq!(dev.domains.keys().collect::<Vec<_>>(), ["filed.example"]);
    assert!(!dev.https_only && dev.allow.is_empty() && dev.forwarders.is_empty());
    assert_eq!(dev.protocols, ["h2", "http/1.1"]);
}

#[test]
fn elsewhere_each_domain_has_its_certificate_or_a_reason() {
    let live = front(SHOP, "live");
    let of = |domain: &str| live.domains.get(domain);
    assert_eq!(of("shop.example"), Some(&Certificate::Acme));
    assert_eq!(of("shop.localhost"), None, "a name of this machine");
    assert_eq!(of("inner.example"), None, "nobody comes there from outside");
    assert_eq!(of("fronted.example"), Some(&Certificate::InFront));
    for (domain, why) in [("*.shop.example", "DNS"), ("intranet", "without a dot")] {
        let found = of(domain);
        assert!(
            matches!(found, Some(Certificate::Local { because }) if because.contains(why)),
            "{domain}: {found:?}"
        );
    }
    let files = Certificate::Files {
        chain: "/p/tls/filed.pem".to_owned(),
        key: "/etc/filed.key".to_owned(),
    };
    assert_eq!(of("filed.example"), Some(&files));
    assert_eq!(
        live.acme.as_ref().map(|acme| acme.directory.as_str()),
        Some("https://acme-v02.api.letsencrypt.org/directory")
    );
    assert!(live.https_only);
    assert_eq!(
        (live.allow.len(), &live.forwarders),
        (1, &live.allow),
        "what is let in stands in front"
    );
}

#[test]
fn what_is_said_of_the_authority_and_of_those_in_front_is_kept() {
    let said = r#"acme = "https://ca.example/dir"
acme_root  = "tls/root.pem"
acme_proof = "tls"
forwarders = ["10.0.0.0/8"]
proxy_protocol = true
https_only = false
protocols  = ["h2", "h3"]
"#;
    let text = SHOP.replace("protocols = [\"h1\", \"h2\"]\n", said);
    let launched = launched(&text, "live");
    let live = launched.product.front;
    let acme = Acme {
        directory: "https://ca.example/dir".to_owned(),
        root: Some("/p/tls/root.pem".to_owned()),
        challenge: Some(Challenge::Tls),
    };
    assert_eq!(live.acme, Some(acme));
    assert_eq!(
        live.forwarders
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["10.0.0.0/8"]
    );
    assert!(live.proxy_protocol && !live.https_only);
    assert_eq!(live.protocols, ["h2"]);
    assert!(told("note", &launched.notes).contains("`h3` is not spoken by this version"));
}

#[test]
fn files_that_nobody_names_stand_in_the_way() {
    let text = SHOP.replace(
        "certificate = { chain = \"tls/filed.pem\", key = \"/etc/filed.key\" }\n",
        "",
    );
    let problems = told("problem", &launched(&text, "live").problems);
    assert!(
        problems.contains("`filed` has a certificate from files, and nothing says which"),
        "{problems}"
    );
}

const WEB: &str = "product = \"shop\"\n[service.web]\nrun = \"serve\"\npublic = true\n";

/// Where the edge of `WEB` listens in an environment whose edge is told this.
fn listen(environment: &str, said: &str) -> Listen {
    front(
        &format!("{WEB}[environment.{environment}]\n[environment.{environment}.edge]\n{said}\n"),
        environment,
    )
    .listen
}

fn spelled(listen: &Listen) -> String {
    let addresses: Vec<String> = listen.addresses.iter().map(ToString::to_string).collect();
    let port = |port: Option<u16>| port.map_or_else(|| "free".to_owned(), |port| port.to_string());
    format!(
        "{} {} {}",
        addresses.join(","),
        port(listen.https),
        port(listen.http)
    )
}

#[test]
fn a_server_listens_everywhere_on_the_usual_ports_and_a_laptop_for_itself() {
    for (environment, said, wanted) in [
        ("prod", "", "0.0.0.0,:: 443 80"),
        ("prod", "listen = [\"0.0.0.0\"]", "0.0.0.0 443 80"),
        (
            "prod",
            "listen = [\"203.0.113.7\", \"127.0.0.1\"]",
            "127.0.0.1,203.0.113.7 443 80",
        ),
        (
            "prod",
            "listen = [\"::\", \"127.0.0.1\", \"::1\", \"127.0.0.1\"]",
            "127.0.0.1,:: 443 80",
        ),
        ("prod", "https = 8443", "0.0.0.0,:: 8443 80"),
        ("prod", "listen = [\"127.0.0.1\"]", "127.0.0.1 free free"),
        (
            "prod",
            "listen = [\"127.0.0.1\"]\nhttp = 8000",
            "127.0.0.1 free 8000",
        ),
        ("local", "", " free free"),
        ("dev", "https = 9443", " 9443 free"),
        ("dev", "listen = [\"0.0.0.0\"]", "0.0.0.0 free free"),
    ] {
        assert_eq!(
            spelled(&listen(environment, said)),
            wanted,
            "{environment}: {said}"
        );
    }
}

#[test]
fn whoever_starts_it_may_say_otherwise() {
    let text = format!("{WEB}[edge]\nlisten = [\"203.0.113.7\"]\nhttp = 81\n[environment.prod]\n");
    let sources = BTreeMap::from([("towpath.toml".to_owned(), text.into_bytes())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    let prod = Name::parse("prod").expect("a name");
    let edge = &reading.environments["prod"].desired.edge;
    let said = |addresses: &[&str], https| Listen {
        addresses: addresses
            .iter()
            .map(|one| one.parse().expect("an address"))
            .collect(),
        https,
        http: None,
    };
    let listening = |said: Listen| spelled(&listening(edge, &prod, &said));
    assert_eq!(listening(said(&[], None)), "203.0.113.7 443 81");
    assert_eq!(
        listening(said(&["127.0.0.1", "::1"], None)),
        "127.0.0.1,::1 free free"
    );
    assert_eq!(listening(said(&[], Some(9_443))), "203.0.113.7 9443 81");
}

#[test]
fn two_protocols_do_not_share_a_port() {
    let text = format!("{WEB}[edge]\nhttps = 8443\nhttp = 8443\n[environment.prod]\n");
    let problems = launched(&text, "prod").problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.contains("at one port, 8443"), "{problems:?}");
}
