//! Each rule, with as little of a product as it takes.

use super::*;
use insta::assert_snapshot;

/// What is started of this in `dev`.
fn dev(text: &str) -> String {
    shown(&launched(&environment(text), "dev"))
}

/// The same with a `.env` beside it.
fn dotenv(text: &str, file: &str) -> String {
    shown(&with(&environment(text), "dev", &[(".env", file)], &[]))
}

#[test]
fn everything_that_runs_knows_what_it_is() {
    let launched = launched(&environment("[worker.w]\nrun = \"w\""), "dev");
    let component = &launched.product.components["w"];
    let text = |name: &str| format!("{:?}", component.env[name].value);
    assert_eq!(text("TOWPATH_PRODUCT"), "Text(\"shop\")");
    assert_eq!(text("TOWPATH_ENVIRONMENT"), "Text(\"dev\")");
    assert_eq!(text("TOWPATH_COMPONENT"), "Text(\"w\")");
    assert_eq!(component.env.len(), 3, "what does not listen has no port");
}

#[test]
fn what_is_used_arrives_under_its_name_and_in_parts() {
    let text = r#"
[service.web]
run = "web"
uses = [
  "api", { name = "api-two", env = "SECOND" }, "mail", "outside", "job", "quiet", "loud", "hidden", "unsaid",
  { name = "api", optional = true },
]
env.API_HOST = {}
env.API_PORT = { about = "where" }
env.SECOND = { about = "the address, once more" }
env.COPY = "from:api.port"
env.SITE = "from:pages.public"
env.OUT = "from:outside.host"
env.OUT_PORT = "from:outside.port"
env.FILE = { value = "from:api.url", deliver = "file" }
[service.api]
run = "api"
port = 4000
[service.api-two]
run = "api"
[site.pages]
files = "dist"
public = true
[job.job]
run = "job"
cron = "daily 03:00"
[worker.quiet]
run = "quiet"
[bot.loud]
run = "loud"
health = "/up"
[external.mail]
url = "smtp://mail.example.com"
mock = "fake-mail"
mock_in = "dev"
speaks = "tcp"
[external.outside]
url = "https://api.example.com/v1"
[external.hidden]
secret = "HIDDEN"
[external.unsaid]
[secret.HIDDEN]
"#;
    assert_snapshot!(dotenv(text, "HIDDEN=x"), @r#"
    service api: api
      in /p
      runs 1 of 1
      listens 4000
      well port
      PORT = its port
    service api-two: api
      in /p
      runs 1 of 1
      listens any
      well port
      PORT = its port
    job job: job
      in /p
      runs 0 of 1
      when daily 03:00 in UTC
    bot loud: loud
      in /p
      runs 1 of 1, never two
      listens any
      well /up within 30s
      PORT = its port
    stand-in mail: fake-mail
      in /p
      runs 1 of 1
      listens any, plain, tcp
      well port
      PORT = its port
    site pages: -
      in /p
      runs 0 of 0
      listens any, public, not inside
      serves /p/dist or None
    worker quiet: quiet
      in /p
      runs 1 of 1
    service web: web
      in /p
      runs 1 of 1
      needs api api-two mail quiet loud
      listens any
      well port
      API_HOST = host of api
      API_PORT = port of api
      API_URL = url of api
      COPY = port of api
      FILE = url of api, as a file
      HIDDEN_URL = sealed HIDDEN
      LOUD_URL = url of loud
      MAIL_URL = url of mail
      OUT = "api.example.com"
      OUTSIDE_URL = "https://api.example.com/v1"
      OUT_PORT = "443"
      PORT = its port
      SECOND = url of api-two
      SITE = public address of pages
    values: HIDDEN
    "#);
}

#[test]
fn a_part_that_nothing_has_is_told_with_those_that_there_are() {
    let text = r#"
[service.web]
run = "web"
public = true
env.A = "from:web-two.user"
env.B = "from:job.url"
env.C = "from:outside.user"
env.D = "from:hidden.host"
env.E = "from:db.host"
env.F = "from:unsaid.url"
[service.web-two]
run = "web"
[job.job]
run = "job"
[external.outside]
url = "https://api.example.com/v1"
[external.unsaid]
[external.hidden]
secret = "HIDDEN"
[secret.HIDDEN]
[postgres.db]
bind = "HIDDEN"
"#;
    assert_snapshot!(dotenv(text, "HIDDEN=x"), @r"
    job job: job
      in /p
      runs 0 of 1
    service web: web
      in /p
      runs 1 of 1
      listens any, public
      well port
      PORT = its port
    service web-two: web
      in /p
      runs 1 of 1
      listens any
      well port
      PORT = its port
    problem at service.web.env.A.value: `web` takes `user` of `web-two`, which has none
      help: `web-two` has `url`, `host` and `port`
    problem at service.web.env.B.value: `web` takes `url` of `job`, which has none
      help: `job` has no address: let it listen, or take the value from elsewhere
    problem at service.web.env.C.value: `web` takes `user` of `outside`, which has none
      help: `outside` has `url`, `host` and `port`
    problem at service.web.env.D.value: `web` takes `host` of `hidden`, which has none
      help: `hidden` has `url`
    problem at service.web.env.E.value: `web` takes `host` of `db`, which has none
      help: `db` has `url`
    problem at service.web.env.F.value: `web` takes `url` of `unsaid`, which has none
      help: `unsaid` has no address: let it listen, or take the value from elsewhere
    ");
}

#[test]
fn values_come_from_the_manifest_then_from_the_most_exact_file_then_are_made_up() {
    let text = environment(
        r#"
[service.web]
run = "web"
[service.web.env]
SAID = "manifest"
BOTH = {}
ONE = {}
MADE = { generate = "hex" }
KEPT = { generate = "uuid" }
GIVEN = { generate = "hex" }
OPTIONAL = { required = false }
LATER = { future = true }
ELSEWHERE = { only = "prod" }
TOKEN = "secret:TOKEN"
SALT = { value = "secret:SALT", deliver = "file" }
[secret.TOKEN]
[secret.SALT]
generate = "token"
"#,
    ) + "[environment.prod]\nservice.web.env = { BOTH = \"1\", ONE = \"1\", ELSEWHERE = \"1\" }\n";
    // The check asks every environment for values; what is started is asked in its own only.
    let text = text
        .replace("BOTH = {}", "BOTH = { required = false }")
        .replace("ONE = {}", "ONE = { required = false }");
    let files = [
        (".env.dev", "BOTH=dev\nSAID=file"),
        (".env", "BOTH=plain\nONE=plain\nGIVEN=x\nTOKEN=t"),
    ];
    let launched = with(&text, "dev", &files, &[("KEPT", "k"), ("OLD", "o")]);
    assert_snapshot!(shown(&launched), @r#"
    service web: web
      in /p
      runs 1 of 1
      listens any
      well port
      BOTH = sealed BOTH
      GIVEN = sealed GIVEN
      KEPT = sealed KEPT
      MADE = sealed MADE
      ONE = sealed ONE
      PORT = its port
      SAID = "manifest"
      SALT = sealed SALT, as a file
      TOKEN = sealed TOKEN
    values: BOTH GIVEN KEPT ONE TOKEN
    make: MADE (hex) SALT (token)
    "#);
    let value = |name: &str| launched.values[name].open().as_str();
    assert_eq!(
        [value("BOTH"), value("ONE"), value("KEPT"), value("TOKEN")],
        ["dev", "plain", "k", "t"]
    );
}

#[test]
fn every_missing_value_is_told_once_with_what_it_is_for() {
    let text = r#"
[service.api]
run = "api"
uses = [{ name = "web", trust = "hmac", secret = "SHARED" }]
env.TOKEN = "secret:TOKEN"
env.CLIENT_ID = { required = true, generate = "hex" }
[service.web]
run = "web"
env.TOKEN = "secret:TOKEN"
env.SHARED = "secret:SHARED"
env.MAYBE = { value = "secret:MAYBE", required = false }
env.KEY = { value = "secret:KEY", about = "What it opens", example = "never-shown" }
[secret.TOKEN]
about = "Lets the bot in."
source = "the portal"
[secret.SHARED]
[secret.MAYBE]
[secret.KEY]
"#;
    assert_snapshot!(told("problem", &launched(&environment(text), "dev").problems), @r"
    problem at service.web.env.KEY.value: `web` does not start without `KEY`, which has no value: What it opens
      help: write KEY=.. into .env
    problem at service.api.uses[0].secret: `api` and `web` do not start without `SHARED`, which has no value
      help: write SHARED=.. into .env
    problem at service.api.env.TOKEN.value: `api` and `web` do not start without `TOKEN`, which has no value: Lets the bot in
      help: write TOKEN=.. into .env; it comes from: the portal
    ");
}

#[test]
fn a_variable_that_only_its_environment_lacks_is_asked_for_with_its_example() {
    let launched = {
        // The check refuses this where no `.env` can be looked at; what is started looks.
        let text = "product = \"p\"\n[service.api]\nrun = \"api\"\nenv.ID = { about = \"The client\", example = \"42\" }\n[environment.dev]\n";
        launched(text, "dev")
    };
    assert_snapshot!(told("problem", &launched.problems), @r"
    problem at service.api.env.ID: `api` does not start without `ID`, which has no value: The client
      help: write ID=.. into .env, for example 42
    ");
}

#[test]
fn env_files_that_git_tracks_or_nobody_can_read_are_told_without_values() {
    let text = environment("[service.api]\nrun = \"api\"");
    let files = [("tracked .env.dev", "A=${B}\n"), (".env", "A=\"sup3rsecret\nB\n")];
    let launched = with(&text, "dev", &files, &[]);
    let told = told("problem", &launched.problems) + &told("note", &launched.notes);
    assert!(!told.contains("sup3r"));
    assert_snapshot!(told, @r"
    problem at .env.dev: git tracks .env.dev, and with it everybody has the secrets in it
      help: take it out of git with `git rm --cached .env.dev`, name it in .gitignore, and replace what was secret in it
    problem at .env: line 1 of .env cannot be read: `A` has an opening mark that is not closed
      help: close it at the end of the value
    problem at .env: line 2 of .env cannot be read: it has no `=`
      help: write NAME=value, or begin the line with # where it is a remark
    note at .env.dev: `A` names another variable, and nothing is put in for it in .env.dev
      help: write the whole value; in single marks nobody takes it for a reference
    ");
}

#[test]
fn flags_are_seen_as_they_are_here_and_open_what_they_guard() {
    let text = r#"
product = "p"
[service.api]
run = "api"
env.FAST = "flag:fast"
env.QUIET = "yes"
[service.extra]
run = "extra"
when = "fast"
[service.late]
run = "late"
when = "slow"
[flag.fast]
env = { dev = true }
as_env = "IS_FAST"
[flag.slow]
[flag.quiet]
default = true
as_env = "QUIET"
[environment.dev]
flags = { quiet = false }
"#;
    assert_snapshot!(shown(&launched(text, "dev")), @r#"
    service api: api
      in /p
      runs 1 of 1
      listens any
      well port
      FAST = "true"
      IS_FAST = "true"
      PORT = its port
      QUIET = "yes"
    service extra: extra
      in /p
      runs 1 of 1
      listens any
      well port
      IS_FAST = "true"
      PORT = its port
      QUIET = "false"
    "#);
}

#[test]
fn an_environment_caps_what_anything_may_use() {
    let text = r#"
product = "p"
[service.large]
run = "large"
memory = "1GiB"
replicas = { min = 3, max = 9 }
health = "/"
public = true
[service.small]
run = "small"
memory = "64MiB"
[environment.dev]
cap = { replicas = 2, memory = "256MiB" }
domain = "dev.example.com"
"#;
    assert_snapshot!(shown(&launched(text, "dev")), @r"
    service large: large
      in /p
      runs 2 of 2
      listens any, public, large.dev.example.com
      well / within 30s
      memory 256MiB
      PORT = its port
    service small: small
      in /p
      runs 1 of 1
      listens any
      well port
      memory 64MiB
      PORT = its port
    ");
}

#[test]
fn each_kind_has_what_it_is() {
    let text = r#"
time_zone = "Asia/Singapore"
[bot.bot]
run = "bot"
replicas = { min = 0, max = 1 }
scale = { schedule = { when = "daily 07:00-23:00", replicas = 1 } }
[bot.sharded]
run = "bot"
handover = "shards"
shard = "guild"
replicas = 2
[function.f]
run = "f"
idle = "2m"
[worker.w]
run = "w"
health = { command = "ready" }
timeout = "1h"
retry = 5
stop = "1h"
[job.nightly]
run = "nightly"
cron = "daily 03:00"
timeout = "10m"
retry = { times = 2, backoff = "5s" }
[site.pages]
files = "./dist"
fallback = "index.html"
dir = "web"
public = true
[extension.x]
files = "pack"
browsers = "chrome"
build = { command = "make", env = { B = "2" } }
env = { A = "1", B = "1" }
store.chrome = { kind = "chrome-web-store" }
"#;
    let text = text.replace("stop = \"1h\"", "stop = \"5m\"");
    assert_snapshot!(dev(&text), @r#"
    bot bot: bot
      in /p
      runs 0 of 1, never two
      but 1 daily 07:00-23:00 Asia/Singapore
    function f: f
      in /p
      runs 0 of 10
      listens any
      well port
      sleeps after 2m
      PORT = its port
    job nightly: nightly
      in /p
      runs 0 of 1
      when daily 03:00 in Asia/Singapore
      takes 10m
      again 2 after 5s
    site pages: -
      in /p/web
      runs 0 of 0
      listens any, public, not inside
      serves /p/dist or Some("index.html")
    bot sharded: bot
      in /p
      runs 2 of 2
    worker w: w
      in /p
      runs 1 of 1
      well ready
    extension x: -
      in /p
      runs 0 of 0
      built by x
      packs /p/pack
    build x: make in /p
      A = "1"
      B = "2"
    "#);
}

#[test]
fn parts_of_an_address_space_go_elsewhere_the_longest_first() {
    let text = r#"
[site.web]
files = "dist"
public = true
compress = false
route = [
  { path = "/a", to = "api" }, { path = "/a/b", redirect = "/new" }, { path = "/own", body = "20MB" },
  { path = "/j", to = "job" }, { path = "/gone", to = "gone" },
]
[service.api]
run = "api"
sticky = true
health = "/"
speaks = "websocket"
domains = "api.example.com"
[job.job]
run = "job"
[service.gone]
run = "gone"
only = "prod"
"#;
    let text = environment(text) + "[environment.prod]\n";
    assert_snapshot!(shown(&launched(&text, "dev")), @r#"
    service api: api
      in /p
      runs 1 of 1
      listens any, sticky, websocket, api.example.com
      well / within 30s
      PORT = its port
    job job: job
      in /p
      runs 0 of 1
    site web: -
      in /p
      runs 0 of 0
      listens any, public, not inside, plain, /a/b to /new, /own apart, /a to api
      serves /p/dist or None
    problem at site.web.route[3].to: `web` leaves /j to `job`, which does not listen
      help: let both be present in the same environments, or give this environment a `route` of its own
    problem at site.web.route[4].to: `web` leaves /gone to `gone`, which is not present in dev
      help: let both be present in the same environments, or give this environment a `route` of its own
    "#);
}

#[test]
fn a_shared_build_is_there_once_and_watches_for_all() {
    let text = r#"
[build.py]
command = "uv sync"
dir = "py"
needs = ["python 3.12", "uv"]
inputs = ["py/**", "uv.lock"]
env = { A = "1", KEY = "secret:KEY", NOT = { value = "x", only = "prod" } }
secrets = ["KEY", "CI"]
watch = [{ path = "py", action = "sync", ignore = "**/*.pyc" }, { path = "uv.lock", action = "rebuild" }]
[service.api]
run = "api"
build = "py"
watch = { path = "./py/", action = "restart" }
[worker.w]
run = "w"
build = "py"
[service.own]
run = "own"
dir = "own"
build = { command = "make", inputs = ["own/*.c", "/usr/include/x.h"] }
[service.py-own]
run = "x"
build = { command = "make x", dir = "elsewhere" }
[secret.KEY]
[secret.CI]
short_lived = true
"#;
    assert_snapshot!(dotenv(&(text.to_owned() + "[environment.prod]\n"), "KEY=k"), @r#"
    service api: api
      in /p
      runs 1 of 1
      built by py
      listens any
      well port
      watches /p/py: restart
      watches /p/uv.lock: rebuild
      PORT = its port
    service own: own
      in /p/own
      runs 1 of 1
      built by own
      listens any
      well port
      watches /p/own/*.c: rebuild
      watches /usr/include/x.h: rebuild
      PORT = its port
    service py-own: x
      in /p
      runs 1 of 1
      built by py-own
      listens any
      well port
      PORT = its port
    worker w: w
      in /p
      runs 1 of 1
      built by py
      watches /p/py: sync but /p/**/*.pyc
      watches /p/uv.lock: rebuild
    build own: make in /p/own
      of /p/own/*.c, /usr/include/x.h
    build py: uv sync in /p/py
      of /p/py/**, /p/uv.lock
      with python 3.12, uv
      A = "1"
      KEY = sealed KEY
    build py-own: make x in /p/elsewhere
    values: KEY
    "#);
}

#[test]
fn an_image_is_not_made_and_what_has_no_command_is_not_started() {
    let text = r#"
[build.image]
dockerfile = "Dockerfile"
inputs = "src/**"
[service.api]
run = "api"
build = "image"
[service.whole]
build = { dockerfile = "whole/Dockerfile" }
[site.pages]
artifact = "ghcr.io/x/pages"
"#;
    assert_snapshot!(dev(text), @r#"
    service api: api
      in /p
      runs 1 of 1
      listens any
      well port
      watches /p/src/**: restart
      PORT = its port
    problem at service.whole: service `whole` has no `run`: an image brings its command, and a process has none
      help: add the command that starts it, in [environment.dev.service.whole] for example
    problem at site.pages: site `pages` does not say where its files are, and its image is not looked into
      help: add the folder with them, as in `files = "dist"`
    note at build.image.dockerfile: `api` is started by `run`, and not from an image: Dockerfile is not used
      help: where something has to be built first, add a `command` to [build.image]
    "#);
}

#[test]
fn what_this_version_cannot_start_is_told() {
    let text = r#"
product = "p"
[service.api]
run = "api"
uses = ["db", { name = "cache", optional = true }, "files"]
[worker.w]
run = "w"
uses = ["db"]
[postgres.db]
[redis.cache]
[bucket.files]
[secret.FILES]
[environment.dev]
engine = "docker"
bucket.files.bind = "FILES"
"#;
    let files = [(".env", "FILES=x")];
    assert_snapshot!(shown(&with(text, "dev", &files, &[])), @r#"
    service api: api
      in /p
      runs 1 of 1
      needs db cache?
      listens any
      well port
      CACHE_URL = "redis://default:" + sealed TOWPATH_CACHE_PASSWORD + "@127.0.0.1:" + port of cache + "/0"
      DB_URL = "postgres://p:" + sealed TOWPATH_DB_PASSWORD + "@127.0.0.1:" + port of db + "/p"
      FILES_URL = sealed FILES
      PORT = its port
    redis cache: -
      in /p
      runs 1 of 1, never two
      listens any, plain, tcp
      well redis
      keeps 0 of version any
      DATABASE_URL = "redis://default:" + sealed TOWPATH_CACHE_PASSWORD + "@127.0.0.1:" + port of cache + "/0"
      PORT = its port
    postgres db: -
      in /p
      runs 1 of 1, never two
      listens any, plain, tcp
      well p may use p
      keeps p of version any
      DATABASE_URL = "postgres://p:" + sealed TOWPATH_DB_PASSWORD + "@127.0.0.1:" + port of db + "/p"
      PORT = its port
    worker w: w
      in /p
      runs 1 of 1
      needs db
      DB_URL = "postgres://p:" + sealed TOWPATH_DB_PASSWORD + "@127.0.0.1:" + port of db + "/p"
    values: FILES
    make: TOWPATH_CACHE_PASSWORD (hex) TOWPATH_DB_PASSWORD (hex)
    problem at environment.dev.engine: `dev` runs on docker, and this version starts processes only
      help: write engine = "process" in [environment.dev], or name another environment with `--env`
    "#);
    let files = [(".env", "FILES=x\nDB_URL=postgres://localhost/p")];
    let elsewhere = with(text, "dev", &files, &[]);
    assert!(
        !elsewhere.product.components.contains_key("db"),
        "one whose address is given is somewhere else"
    );
}

#[test]
fn the_usual_environment_is_the_one_that_people_mean() {
    let usual = |environments: &[&str]| {
        let text: String = environments
            .iter()
            .map(|name| format!("[environment.{name}]\n"))
            .collect();
        let sources = BTreeMap::from([(
            "towpath.toml".to_owned(),
            format!("product = \"p\"\n{text}").into_bytes(),
        )]);
        let desired = towpath_manifest::read("towpath.toml", &sources)
            .desired
            .expect("readable");
        usual_environment(&desired)
            .map(|name| name.to_string())
            .map_err(|problem| problem.message)
    };
    assert_eq!(usual(&["prod", "dev", "local"]).as_deref(), Ok("local"));
    assert_eq!(usual(&["prod", "dev"]).as_deref(), Ok("dev"));
    assert_eq!(usual(&["prod"]).as_deref(), Ok("prod"));
    assert_eq!(
        usual(&["prod", "staging"]).expect_err("which one?"),
        "none of the environments `prod` and `staging` is the usual one"
    );
    assert_eq!(
        usual(&[]).expect_err("none"),
        "this product has no environment to run in"
    );
}

#[test]
fn a_part_of_a_product_has_all_that_it_needs_and_nothing_else() {
    let text = r#"
[build.one]
command = "one"
[build.two]
command = "two"
[service.web]
run = "web"
uses = ["api"]
build = "one"
[service.api]
run = "api"
uses = [{ name = "core", optional = true }]
[service.core]
run = "core"
[worker.other]
run = "other"
build = "two"
"#;
    let product = launched(&environment(text), "dev").product;
    let names = |wanted: &[&str]| {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        let part = select(&product, &wanted)?;
        let all = part.components.keys().chain(part.builds.keys());
        Ok::<_, Problem>(all.map(ToString::to_string).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(names(&["web"]).as_deref(), Ok("api core web one"));
    assert_eq!(names(&["core", "other"]).as_deref(), Ok("core other two"));
    assert_eq!(names(&[]).as_deref(), Ok("api core other web one two"));
    let hint = |name: &str| names(&[name]).expect_err("unknown").hint;
    assert_eq!(hint("wep").as_deref(), Some("did you mean `web`?"));
    assert_eq!(
        hint("database").as_deref(),
        Some("there are `api`, `core`, `other` and `web`")
    );
}

#[test]
fn what_stands_in_the_way_of_others_is_left_out_with_them() {
    let text = r#"
[service.web]
run = "web"
env.BACK = "from:back.url"
env.SALT = { generate = "hex" }
[service.back]
run = "back"
env.KEY = "secret:KEY"
[service.other]
run = "other"
env.OWN = "secret:OWN"
env.MADE = { generate = "hex" }
[service.whole]
build = { dockerfile = "Dockerfile" }
[site.pages]
files = "dist"
route = { path = "/", to = "web" }
[secret.KEY]
[secret.OWN]
"#;
    let part = |name: &str| {
        let mut launched = launched(&environment(text), "dev");
        narrow(&mut launched, &[name.to_owned()]).map(|()| {
            let names: Vec<&str> = launched.product.components.keys().map(Name::as_str).collect();
            let made: Vec<&str> = launched.generate.iter().map(|(name, _)| name.as_str()).collect();
            let problems: Vec<&str> = launched.problems.iter().map(|one| one.message.as_str()).collect();
            format!(
                "{} | {} | {}",
                names.join(" "),
                made.join(" "),
                problems.join("; ")
            )
        })
    };
    assert_snapshot!(part("web").expect("it is there"), @"back web | SALT | `back` does not start without `KEY`, which has no value");
    assert_snapshot!(part("pages").expect("it is there"), @"back pages web | SALT | `back` does not start without `KEY`, which has no value");
    assert_snapshot!(part("other").expect("it is there"), @"other | MADE | `other` does not start without `OWN`, which has no value");
    assert_snapshot!(part("whole").expect("it is told"), @" |  | service `whole` has no `run`: an image brings its command, and a process has none");
    assert_eq!(
        part("hole").expect_err("unknown").message,
        "there is no component `hole` in dev"
    );
}

#[test]
fn ten_thousand_components_are_all_there() {
    let mut text = String::from("[build.all]\ncommand = \"make\"\ninputs = \"src/**\"\n");
    for number in 0..10_000 {
        let uses = if number > 0 {
            format!("uses = [\"s{}\"]\n", number - 1)
        } else {
            String::new()
        };
        let _ = write!(text, "[service.s{number}]\nrun = \"s\"\nbuild = \"all\"\n{uses}");
    }
    let launched = launched(&environment(&text), "dev");
    assert_eq!(launched.product.components.len(), 10_000);
    assert_eq!(launched.product.builds.len(), 1);
    assert_eq!(
        select(&launched.product, &["s9999".to_owned()]).map(|part| part.components.len()),
        Ok(10_000)
    );
}

#[test]
fn a_stand_in_starts_when_it_is_built_and_is_built_anew_as_its_build_says() {
    let text = r#"
[build.rust]
command = "cargo build"
needs = ["rust 1.95"]
watch = [{ path = "src", action = "rebuild" }]
[service.api]
run = "target/debug/api"
build = "rust"
[external.mail]
mock = "target/debug/fake-mail"
build = "rust"
mock_in = "dev"
"#;
    assert_snapshot!(dotenv(text, ""), @r"
    service api: target/debug/api
      in /p
      runs 1 of 1
      built by rust
      listens any
      well port
      watches /p/src: rebuild
      PORT = its port
    stand-in mail: target/debug/fake-mail
      in /p
      runs 1 of 1
      built by rust
      listens any, plain
      well port
      watches /p/src: rebuild
      PORT = its port
    build rust: cargo build in /p
      with rust 1.95
    ");
    // Where nothing else is built so, the stand-in's build is there all the same.
    let (before, after) = text.split_once("[service.api]").unwrap();
    let (_, after) = after.split_once("[external").unwrap();
    assert_snapshot!(dotenv(&format!("{before}[external{after}"), ""), @r"
    stand-in mail: target/debug/fake-mail
      in /p
      runs 1 of 1
      built by rust
      listens any, plain
      well port
      watches /p/src: rebuild
      PORT = its port
    build rust: cargo build in /p
      with rust 1.95
    ");
}

#[test]
fn a_database_with_a_pool_is_asked_through_its_pooler_and_both_are_waited_for() {
    let text = "[worker.w]\nrun = \"w\"\nuses = [\"db\"]\nenv.PORT_OF = \"from:db.port\"\n\
                env.OWN = \"from:db.direct_url\"\n[postgres.db]\npool = 5\nread_replicas = [{}, {}]\n";
    let launched = launched(&environment(text), "dev");
    let components = &launched.product.components;
    let pooler = &components["db-pool"];
    let said = |of: &str, name: &str| format!("{:?}", components[of].env[name].value);
    let asks = |of: &str, name: &str, whom: &str| {
        let said = said(of, name);
        assert!(
            said.contains(&format!("text: \"{whom}\" }}, part")),
            "{name}: {said}"
        );
    };
    asks("w", "DB_URL", "db-pool");
    asks("w", "PORT_OF", "db-pool");
    asks("w", "DB_DIRECT_URL", "db");
    asks("w", "OWN", "db");
    asks("db", ADDRESS, "db");
    asks("db-pool", POOLED, "db");
    let needs: Vec<&str> = components["w"]
        .needs
        .iter()
        .map(|need| need.name.as_str())
        .collect();
    assert_eq!(needs, ["db", "db-pool"]);
    assert_eq!(pooler.needs[0].name.as_str(), "db");
    let resource = pooler.resource.as_ref().expect("it is a server of ours");
    assert_eq!(resource.pool.as_ref().map(|pool| pool.size), Some(5));
    assert!(
        components["db"]
            .resource
            .as_ref()
            .is_some_and(|resource| resource.pool.is_none())
    );
    assert_snapshot!(told("note", &launched.notes), @r"
    note at postgres.db.read_replicas: `db` has no read replicas on this machine: whoever reads asks `db` itself
      help: a copy beside it would be slower and no safer; nothing has to be changed
    ");
}

#[test]
fn what_is_packed_as_it_stands_is_packed_anew_when_it_changes() {
    let text = r#"
[build.web]
command = "npm run build"
inputs = ["src/**"]
[extension.plain]
files = "plain"
[extension.built]
files = "dist"
build = "web"
[extension.chosen]
files = "chosen"
watch = [{ path = "chosen/manifest.json", action = "rebuild" }]
"#;
    assert_snapshot!(dotenv(text, ""), @r"
    extension built: -
      in /p
      runs 0 of 0
      built by web
      packs /p/dist
      watches /p/src/**: rebuild
    extension chosen: -
      in /p
      runs 0 of 0
      packs /p/chosen
      watches /p/chosen/manifest.json: rebuild
    extension plain: -
      in /p
      runs 0 of 0
      packs /p/plain
      watches /p/plain: rebuild
    build web: npm run build in /p
      of /p/src/**
    ");
}

#[test]
fn the_pooler_of_a_database_takes_no_name_that_somebody_has() {
    let text = "[worker.db-pool]\nrun = \"w\"\nuses = [\"db\"]\n[postgres.db]\npool = 5\n";
    assert_snapshot!(told("problem", &launched(&environment(text), "dev").problems), @r"
    problem at postgres.db.pool: the pooler of `db` is called `db-pool`, and so is something else
      help: give the other one that is called so another name
    ");
}

#[test]
fn windows_of_migrations_hold_where_the_data_is_real() {
    let text = "[worker.w]\nrun = \"w\"\nuses = [\"db\"]\n[postgres.db]\n\
                migrate = { folder = \"migrations\", contract = \"sun 02:00-04:00\" }\n";
    let migrate = |launched: &Launched| {
        let resource = launched.product.components["db"].resource.clone();
        resource
            .and_then(|resource| resource.migrate.clone())
            .expect("it is migrated")
    };
    let plain = launched(&environment(text), "dev");
    assert_eq!(migrate(&plain).contract, None);
    assert_snapshot!(told("note", &plain.notes), @r"
    note at postgres.db.migrate: the data of dev is not real: migrations of `db` run at once, outside their windows, too
      help: write data = { real = true } in [environment.dev] where people are to be protected by them
    ");
    let real = launched(&format!("{}data = {{ real = true }}\n", environment(text)), "dev");
    assert!(migrate(&real).contract.is_some());
    assert!(real.notes.is_empty());
}

#[test]
fn data_that_is_fresh_concerns_every_store_and_its_rows_the_first_database() {
    let text = "[worker.w]\nrun = \"w\"\nuses = [\"db\", \"more\", \"cache\"]\n\
                [postgres.db]\n[postgres.more]\n[redis.cache]\n";
    let text = format!(
        "{}data = {{ fresh = true, load = \"rows.sql\" }}\n",
        environment(text)
    );
    let launched = launched(&text, "dev");
    let of = |name: &str| {
        let resource = launched.product.components[name]
            .resource
            .as_ref()
            .expect("a store");
        (resource.fresh, resource.load.clone())
    };
    assert_eq!(of("db"), (true, Some("/p/rows.sql".to_owned())));
    assert_eq!(of("more"), (true, None));
    assert_eq!(of("cache"), (true, None));
}
