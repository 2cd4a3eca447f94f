//! Everybody is signed out from afar, and stays so.

use crate::kit::Product;

#[test]
fn whoever_has_signed_in_does_so_once_more_after_a_sign_out_of_all() {
    let service = |name: &str, more: &str| {
        format!(
            "[service.{name}]\nrun = \"sh ./program web\"\npublic = true\nhealth = {{ path = \"/healthz\", interval = \"100ms\" }}\n{more}\n"
        )
    };
    let access = "access = { sign_in = \"password\", secret = \"SITE_PASSWORD\", lasts = \"1h\" }";
    let product = Product::new(
        "signingout",
        &format!(
            "{}{}[secret.SITE_PASSWORD]\n",
            service("web", access),
            service("open", "")
        ),
    );
    product.write(".env", "SITE_PASSWORD=open\n");
    product.up();
    let sign_in = || {
        let (status, text) = product.say("web", "GET /", &["authorization: Basic YW5hOm9wZW4="]);
        assert_eq!(status, 200, "{text}");
        let given = text.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let given = given.expect("a cookie").split(';').next().expect("its value");
        format!("cookie: {given}")
    };
    let comes = |cookie: &str| product.say("web", "GET /", &[cookie]).0;
    let before = sign_in();
    assert_eq!(comes(&before), 200);
    assert_eq!(
        product.run(&["sign-out", "web"]).code,
        Some(2),
        "it is said that all are meant"
    );
    let ran = product.run(&["sign-out", "--all", "open"]);
    assert!(
        ran.code != Some(0) && ran.err.contains("nobody is signed in"),
        "{}",
        ran.err
    );
    assert_eq!(comes(&before), 200);
    assert_eq!(
        product.well(&["sign-out", "--all"]).out,
        "everybody is signed out of web\n"
    );
    assert_eq!(comes(&before), 401);
    let after = sign_in();
    assert_eq!(comes(&after), 200);
    assert!(product.kill_steward());
    product.up();
    assert_eq!(
        (comes(&before), comes(&after)),
        (401, 200),
        "it outlives a steward"
    );
    product.well(&["down"]);
    product.leaves_nothing();
}
