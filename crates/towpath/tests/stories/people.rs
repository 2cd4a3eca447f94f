//! People sign in by certificates that the product itself has signed, until those are taken back.
#![allow(clippy::print_stdout, reason = "a story that is left out says why")]

use crate::kit::Product;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn a_person_passes_by_a_certificate_until_it_is_taken_back() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("left out: curl is not installed");
        return;
    }
    let product = Product::new(
        "people",
        "[service.web]\nrun = \"sh ./program web\"\npublic = true\nhealth = { path = \"/healthz\", interval = \"100ms\" }\naccess = { sign_in = \"certificate\" }\n",
    );
    product.up();
    let ran = product.well(&["certificate", "ana@example.com", "--out", "ana.pem"]);
    let serial = ran.out.split(' ').next().expect("a number").to_owned();
    let file = product.folder.join("ana.pem");
    let mode = std::fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = product.run(&["certificate", "ana@example.com", "--out", "ana.pem"]);
    assert!(again.code != Some(0), "nothing is written over: {}", again.out);
    assert!(
        product.run(&["certificate", "ana"]).code == Some(2),
        "it is no address"
    );
    let listed = product.well(&["certificate", "--list"]).out;
    assert!(
        listed.contains(&serial) && listed.contains("ana@example.com"),
        "{listed}"
    );
    let url = product.component("web")["url"]
        .as_str()
        .expect("an address")
        .to_owned();
    let (_, port) = url.rsplit_once(':').expect("a port");
    let port = port.trim_end_matches('/');
    let come = |shows: bool| {
        let mut curl = Command::new("curl");
        curl.args([
            "-sk",
            "--max-time",
            "20",
            "-w",
            " %{http_code}",
            "-H",
            "Accept: text/plain",
        ]);
        curl.args(["--resolve", &format!("web.people.localhost:{port}:127.0.0.1")]);
        if shows {
            curl.arg("--cert").arg(&file);
        }
        let output = curl
            .arg(format!("https://web.people.localhost:{port}/hello"))
            .output()
            .expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(come(true), "hello 200");
    assert!(!come(false).ends_with(" 200"));
    assert_eq!(product.run(&["certificate", "--revoke", "00"]).code, Some(2));
    product.well(&["certificate", "--revoke", &serial]);
    let told = come(true);
    assert!(
        told.contains("was taken back") && !told.ends_with(" 200"),
        "{told}"
    );
    let listed = product.well(&["certificate", "--list"]).out;
    assert!(listed.contains("taken back at"), "{listed}");
    product.well(&["down"]);
    product.leaves_nothing();
}
