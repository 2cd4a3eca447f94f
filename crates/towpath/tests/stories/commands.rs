//! What commands say, accept and hand on.

use crate::kit::Product;

#[test]
fn a_value_that_is_delivered_as_a_file_reaches_every_command_as_a_path() {
    let product = Product::new(
        "handed",
        r#"
[build.make]
command = "cat $KEY > built.txt; echo $KEY > way.txt"
env.KEY = { value = "secret:KEY", deliver = "file" }

[service.web]
run = "sh ./program web"
build = "make"
env.KEY = { value = "secret:KEY", deliver = "file" }
health = { command = "test $(cat $KEY) = hush && stat -L -c %a $KEY > healthy.txt", interval = "100ms" }

[secret.KEY]
about = "A key"
"#,
    );
    product.write(".env", "KEY=hush\n");
    product.up();
    assert_eq!(product.read("built.txt"), "hush");
    assert!(
        product.read("way.txt").starts_with('/'),
        "{}",
        product.read("way.txt")
    );
    assert_eq!(product.read("healthy.txt").trim(), "400");
    let ran = product.well(&["run", "web", "--", "echo $KEY; cat $KEY; sh -c 'cat $KEY'"]);
    let (path, values) = ran.out.split_once('\n').expect("a path and values");
    assert!(path.starts_with('/'), "{}", ran.out);
    assert_eq!(values, "hushhush", "{}", ran.out);
}
