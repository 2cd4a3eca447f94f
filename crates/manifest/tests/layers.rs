//! Environments laid over the root, shorthands, and what `false` switches off.

mod sample;

use sample::{reading, told};
use towpath_manifest::Reading;
use towpath_model::desired::component::Component;

/// A service in an environment.
fn web<'a>(reading: &'a Reading, environment: &str) -> &'a Component {
    &reading.environments[environment].desired.service["web"]
}

fn right(text: &str) -> Reading {
    let reading = reading(&format!("product = \"x\"\n[service.web]\nrun = \"web\"\n{text}"));
    assert_eq!(
        told(&reading, &["TP00", "TP01", "TP0203", "TP0205"]),
        Vec::<String>::new()
    );
    reading
}

#[test]
fn an_environment_takes_over_what_the_one_says_that_it_is_like() {
    let reading = right(
        "replicas = 1\n\
         [environment.c]\nlike = \"b\"\n\
         [environment.b]\nlike = \"a\"\nengine = \"docker\"\nservice.web.memory = \"1GiB\"\n\
         [environment.a]\non = \"push main\"\ndomain = \"a.example.com\"\nisolation = \"shared\"\nservice.web.replicas = 3\n",
    );
    assert_eq!(web(&reading, "c").replicas.min, 3);
    assert_eq!(
        web(&reading, "c").memory.map(|memory| memory.to_string()),
        Some("1GiB".to_owned())
    );
    assert_eq!(web(&reading, "a").memory, None);
    let own = &reading.environments["c"].desired.environment["c"];
    assert_eq!((own.engine.word(), own.isolation.word()), ("docker", "shared"));
    assert!(
        own.on.is_empty() && own.domain.is_none(),
        "trigger and domain are its own"
    );
}

#[test]
fn a_circle_is_told_once_and_names_each_environment_once() {
    let reading = reading(
        "product = \"x\"\n[environment.z]\nlike = \"b\"\n[environment.a]\nlike = \"b\"\n[environment.b]\nlike = \"c\"\n\
         [environment.c]\nlike = \"a\"\n[environment.d]\nlike = \"d\"\n",
    );
    assert_eq!(
        told(&reading, &["TP02"]),
        [
            "TP0203 `\"b\"` `b`, `c` and `a` are like each other in a circle",
            "TP0205 `\"d\"` `d` is like itself",
        ]
    );
    assert_eq!(reading.environments.len(), 5, "each is there all the same");
}

#[test]
fn a_long_chain_of_environments_is_followed_and_a_longer_one_cut() {
    let mut text = "product = \"x\"\n".to_owned();
    for number in 0..99 {
        text.push_str(&format!("[environment.e{number}]\nlike = \"e{}\"\n", number + 1));
    }
    text.push_str("[environment.e99]\nengine = \"docker\"\n");
    let whole = reading(&text);
    assert_eq!(told(&whole, &["TP0"]), Vec::<String>::new());
    text.push_str("[environment.e100]\n[environment.e101]\n");
    assert_eq!(
        told(&reading(&text), &["TP01"]),
        ["TP0113 `e100` this product has more than 100 environments"]
    );
    let first = &whole.environments["e0"].desired.environment["e0"];
    assert_eq!(first.engine.word(), "docker");
}

#[test]
fn what_was_switched_off_starts_afresh() {
    let reading = right(
        "scale = { cpu = \"70%\", window = \"5m\" }\n\
         [environment.off]\nservice.web.scale = false\n\
         [environment.again]\nlike = \"off\"\nservice.web.scale = { memory = \"80%\" }\n\
         [environment.more]\nservice.web.scale = { memory = \"80%\" }\n",
    );
    assert!(web(&reading, "off").scale.is_none());
    let again = web(&reading, "again").scale.as_ref().expect("it scales again");
    assert!(again.cpu.is_none() && again.memory.is_some());
    assert_eq!(again.window.to_string(), "1m");
    let more = web(&reading, "more").scale.as_ref().expect("it scales");
    assert!(more.cpu.is_some() && more.memory.is_some());
}

#[test]
fn a_bare_build_takes_the_place_of_a_shared_one() {
    let reading = right(
        "build = { shared = \"node\", dir = \"web\" }\n[build.node]\ncommand = \"npm run build\"\n\
         [environment.dev]\nservice.web.build = \"npm run dev\"\n\
         [environment.prod]\nservice.web.build = \"node\"\n",
    );
    let dev = web(&reading, "dev").build.as_ref().expect("it is built");
    assert!(dev.shared.is_none() && dev.command.is_some() && dev.dir.is_some());
    let prod = web(&reading, "prod").build.as_ref().expect("it is built");
    assert!(prod.shared.is_some() && prod.command.is_none());
}

#[test]
fn a_channel_can_be_another_one_in_an_environment() {
    let reading = right(
        "[channel.ops]\nslack = \"#ops\"\n[environment.dev]\nchannel.ops.slack = false\nchannel.ops.email = \"dev@example.com\"\n",
    );
    let ops = &reading.environments["dev"].desired.channel["ops"];
    assert!(ops.slack.is_none() && ops.email.len() == 1);
}

#[test]
fn true_and_false_are_values_of_variables_and_flags() {
    let reading = right(
        "env = { DEBUG = true, QUIET = false, LEVEL = 3, NAME = { value = \"x\" } }\n[flag]\nnew = false\nold = true\n",
    );
    let desired = reading.desired.as_ref().expect("it is readable");
    let value = |name: &str| {
        desired.service["web"]
            .env
            .iter()
            .find(|(known, _)| known.as_str() == name)
            .and_then(|(_, variable)| variable.value.clone())
    };
    let all: Vec<Option<String>> = ["DEBUG", "QUIET", "LEVEL", "NAME"].map(value).into();
    assert_eq!(all, ["true", "false", "3", "x"].map(|text| Some(text.to_owned())));
    assert!(!desired.flag["new"].default && desired.flag["old"].default);
}

#[test]
fn one_alone_may_stand_for_a_list_and_a_value_for_its_table() {
    let reading = right(
        "uses = \"db\"\nreplicas = 2\nhealth = \"/up\"\n[postgres.db]\nversion = 16\n\
         [environment.dev]\nservice.web.health.interval = \"9s\"\nservice.web.replicas.max = 4\n",
    );
    let dev = web(&reading, "dev");
    let health = dev.health.as_ref().expect("it has a health check");
    assert_eq!(
        (health.path.as_deref(), health.interval.to_string()),
        (Some("/up"), "9s".to_owned())
    );
    assert_eq!((dev.replicas.min, dev.replicas.most()), (2, 4));
    assert_eq!(dev.uses.len(), 1);
}

#[test]
fn what_only_one_environment_declares_can_be_used_there() {
    let reading = right(
        "[environment.dev]\nservice.mock = { run = \"mock\" }\nservice.web.uses = [\"mock\"]\n[environment.prod]\non = \"tag v*\"\n",
    );
    assert_eq!(told(&reading, &["TP02"]), Vec::<String>::new());
    assert!(reading.environments["dev"].desired.service.contains_key("mock"));
    assert!(!reading.environments["prod"].desired.service.contains_key("mock"));
}

#[test]
fn nothing_is_unused_where_something_could_not_be_read() {
    let right = "product = \"x\"\n[gate.tests]\ncommand = \"make\"\n[environment.prod]\non = \"tag v*\"\n";
    assert_eq!(told(&reading(right), &["TP0208"]).len(), 1);
    let wrong = format!("{right}gate = [\"tests\"]\n");
    assert_eq!(told(&reading(&wrong), &["TP0208"]), Vec::<String>::new());
}
