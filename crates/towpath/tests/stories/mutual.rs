//! Components that show each other who they are, from the manifest to the call.
#![allow(clippy::print_stdout, reason = "a story that is left out says why")]

use crate::kit::{Product, eventually};
use std::fs;

/// As a component would call: with what it is given, and nothing else.
const CALL: &str = "curl -sS --max-time 20 -w ' %{http_code}' --cert \"$TOWPATH_CERTIFICATE\" --cacert \"$TOWPATH_AUTHORITY\"";

#[test]
fn a_component_calls_what_it_uses_and_shows_who_it_is() {
    if std::process::Command::new("curl")
        .arg("--version")
        .output()
        .is_err()
    {
        println!("left out: curl is not installed");
        return;
    }
    let service = |name: &str, more: &str| {
        format!(
            "[service.{name}]\nrun = \"sh ./program web\"\nhealth = {{ path = \"/healthz\", interval = \"100ms\" }}\n{more}\n"
        )
    };
    let product = Product::new(
        "mutual",
        &format!(
            "[edge]\nmtls = true\ncertificates = \"4s\"\n{}{}{}",
            service("core", ""),
            service("web", "uses = [\"core\"]"),
            service("other", ""),
        ),
    );
    product.up();
    let address = product
        .well(&["run", "web", "--", "sh", "-c", "echo $CORE_URL"])
        .out;
    let address = address.trim();
    assert!(address.starts_with("https://127.0.0.1:"), "{address}");
    let call = |component: &str| {
        let line = format!("{CALL} {address}/pid");
        product.run(&["run", component, "--", "sh", "-c", &line])
    };
    let pid = product.pid("core").to_string();
    let ran = call("web");
    assert_eq!(ran.out.trim(), format!("{pid} 200"), "{}", ran.err);
    let ran = call("other");
    assert!(ran.out.ends_with(" 403"), "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("`other` does not name it in `uses`"),
        "{}",
        ran.out
    );
    let plain = address.replace("https", "http");
    let line = format!("curl -sS -w ' %{{http_code}}' {plain}/pid");
    let ran = product.run(&["run", "web", "--", "sh", "-c", &line]);
    assert!(ran.out.ends_with(" 400"), "{}{}", ran.out, ran.err);
    let none = format!("{CALL} {address}/pid").replace("--cert \"$TOWPATH_CERTIFICATE\"", "");
    let ran = product.run(&["run", "web", "--", "sh", "-c", &none]);
    assert!(ran.out.ends_with(" 000"), "{}{}", ran.out, ran.err);
    // The file is replaced while everything goes on, and holds longer than the first one did.
    let file = product
        .well(&["run", "web", "--", "sh", "-c", "echo $TOWPATH_CERTIFICATE"])
        .out;
    let file = file.trim().to_owned();
    let read = || fs::read_to_string(&file).expect("it is there");
    for _ in 0..3 {
        let before = read();
        eventually("it is replaced", || (read() != before).then_some(()));
    }
    let ran = call("web");
    assert_eq!(
        ran.out.trim(),
        format!("{pid} 200"),
        "nobody was restarted for it: {}",
        ran.err
    );
    product.well(&["down"]);
    product.leaves_nothing();
}
