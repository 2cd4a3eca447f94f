//! Components: what is built and released.

use super::build::{Artifact, Build};
use super::edge::{Access, Cache, Files, Headers, Limit, Route, Tls, Waf};
use super::extension::{Browser, Store};
use super::place::ToHost;
use super::resource::Hooks;
use super::rollout::Rollout;
use super::scale::Scale;
use super::secret::{ToSecret, Variable};
use crate::unit::{
    Bytes, Cidr, Command, Cpu, Domain, Duration, Glob, Money, Name, Path, Port, Rate, Schedule, Trigger,
    VarName, known,
};
use crate::word::{Map, Ref};
use crate::{choice, table, target};

target! {
    /// A component.
    ToComponent = ["service" "worker" "bot" "site" "function" "job" "extension"];
    /// Whatever a component can need: another component, a resource, or something outside.
    ToNeeded = ["service" "worker" "bot" "site" "function" "job" "extension" "postgres" "redis" "bucket" "external"];
    /// An environment.
    ToEnvironment = ["environment"];
}

choice! {
    /// The kind of a component, which is the name of its table.
    ComponentKind
    /// Takes requests.
    Service = "service";
    /// Takes jobs.
    Worker = "worker";
    /// Keeps one connection to somewhere; exactly one instance is live.
    Bot = "bot";
    /// Static files.
    Site = "site";
    /// A service that sleeps at zero.
    Function = "function";
    /// Runs and ends.
    Job = "job";
    /// A package that is released to stores.
    Extension = "extension";
}

impl ComponentKind {
    /// Whether requests reach it through the edge.
    pub fn takes_requests(self) -> bool {
        matches!(
            self,
            ComponentKind::Service | ComponentKind::Site | ComponentKind::Function
        )
    }

    /// Whether it has instances that run on a machine of ours.
    pub fn runs(self) -> bool {
        !matches!(self, ComponentKind::Site | ComponentKind::Extension)
    }
}

choice! {
    /// What happens when an instance ends.
    Restart
    /// It is started again, with a growing pause.
    Always = "always";
    /// It is started again unless it ended well.
    OnFailure = "on-failure";
    /// It stays ended.
    Never = "never";
}

choice! {
    /// How two components or a component and a resource talk.
    Protocol
    /// HTTP/1.1 or HTTP/2.
    Http = "http";
    /// A REST interface over HTTP.
    Rest = "rest";
    /// WebSocket.
    Websocket = "websocket";
    /// gRPC over HTTP/2.
    Grpc = "grpc";
    /// Jobs put on a queue.
    Queue = "queue";
    /// SQL.
    Sql = "sql";
    /// The Redis protocol.
    Redis = "redis";
    /// The S3 protocol.
    S3 = "s3";
    /// Bytes over TCP.
    Tcp = "tcp";
    /// An outside gateway that keeps the connection open.
    Gateway = "gateway";
}

choice! {
    /// How the called side knows the caller.
    Trust
    /// Only the private network.
    Network = "network";
    /// Both sides show certificates of the product's own authority.
    Mtls = "mtls";
    /// Each request is signed with a shared secret. Where the called side is a component, the edge signs what it passes on, as
    /// `X-Towpath-Signature`.
    Hmac = "hmac";
    /// Each request carries a signed token.
    Jwt = "jwt";
    /// A key or password.
    Key = "key";
    /// Each request carries the visitor's session.
    Session = "session";
}

choice! {
    /// What a component may do with what is kept in a resource.
    Rights
    /// Look.
    Read = "read";
    /// Look and change.
    Write = "write";
    /// Look, change, and change the schema, too.
    Own = "own";
}

choice! {
    /// How a bot passes from one release to the next without two sessions on one token.
    Handover
    /// The old instance is stopped before the new one starts.
    StopFirst = "stop-first";
    /// The new instance starts and waits for a lease, which the old one gives up.
    Lease = "lease";
    /// Shards move one by one.
    Shards = "shards";
}

choice! {
    /// What a change to a watched file does while developing.
    WatchAction
    /// The file is copied into the running component.
    Sync = "sync";
    /// The component is restarted.
    Restart = "restart";
    /// The component is built anew and restarted.
    Rebuild = "rebuild";
}

table! {
    /// Something that is built and released. The table's name is its kind: `service`, `worker`, `bot`, `site`, `function`, `job` or `extension`.
    Component {}
    /// What it does, in a sentence for the document.
    about: Option<String> { eg "Scores messages that browsers report" };
    /// Why it is made and hosted the way it is.
    why: Option<String> { eg "Long-lived connections need a process that stays" };
    /// Where it runs, by the name of a host; by default where its environment does.
    at: Option<Ref<ToHost>> { eg "fly" };
    /// The runtime that it needs, for the document.
    runtime: Option<String> { eg "Python 3.12" };
    /// The command that starts one instance. Nothing secret belongs here: other programs can read it.
    run: Option<Command> { on [service worker bot function job] eg "target/release/api" };
    /// How it is built: a command, the name of a shared build, or a table.
    build: Option<Build> { eg "cargo build --release -p api" };
    /// The folder that its commands run in, relative to the manifest.
    dir: Option<Path> { eg "services/api" };
    /// The folder with the files that are served or packed. The path begins at the manifest, also where there is a `dir`.
    files: Option<Path> { on [site extension] eg "dist" };
    /// The file that answers for paths that have none, as single-page applications need it.
    fallback: Option<Path> { on [site] eg "index.html" };
    /// The artifact that is kept and moved from environment to environment.
    artifact: Option<Artifact> { eg "ghcr.io/acme/api" };
    /// Reachable from outside, through the edge. Everything else is private.
    public: bool { on [service site function] } = false;
    /// The port that it listens on. Without one it is given a free port as `PORT`.
    port: Option<Port> { on [service function bot worker] eg "8000" };
    /// The protocols that it speaks besides HTTP.
    speaks: Vec<Protocol> { on [service function] eg "websocket" };
    /// The names under which the edge (or, for a private component, the private network) knows it.
    domains: Vec<Domain> { on [service site function] eg "app.example.com" };
    /// How it is known that an instance can take requests, and goes on to.
    health: Option<Health> { on [service worker bot function] eg "/healthz" };
    /// What it needs. It starts once that is healthy, and gets its address and credentials as environment variables.
    uses: Vec<Use> { eg "db" };
    /// Its environment variables: where each comes from, and what it is for.
    env: Map<VarName, Variable> { eg "{ LOG_LEVEL = \"info\" }" };
    /// Files with settings that are not secret. They are part of the release, so a rollback brings them back.
    config: Vec<Path> { on [service worker bot function job] eg "config.yaml" };
    /// What sends it to its stores, where it does not wait until its environment's turn comes.
    on: Vec<Trigger> { on [extension] eg "tag v*" };
    /// The environments that it is present in; all of them when empty.
    only: Vec<Ref<ToEnvironment>> { eg "prod" };
    /// Present only where this flag is on.
    when: Option<Ref<super::secret::ToFlag>> { eg "analytics" };
    /// How many instances run.
    replicas: Replicas { on [service worker function job bot] } => |kind| Replicas::usual(kind);
    /// What makes the number of instances grow and shrink.
    scale: Option<Scale> { on [service worker function bot] eg "{ cpu = \"70%\" }" };
    /// Must never sleep: a schedule or an idle time that would stop it is refused.
    always_on: bool { on [service worker bot] } = false;
    /// How a bot passes from one release to the next.
    handover: Handover { on [bot] } = Handover::StopFirst;
    /// How much processor one instance may use.
    cpu: Option<Cpu> { on [service worker bot function job] eg "0.5" };
    /// How much memory one instance may use; above it the instance is ended and it is said so.
    memory: Option<Bytes> { on [service worker bot function job] eg "256MiB" };
    /// How many GPUs one instance gets.
    gpu: Option<u32> { on [service worker job] eg "1" };
    /// The provider's size class of one instance, for the document and the cost.
    size: Option<String> { eg "shared-cpu-1x" };
    /// How many processes and threads one instance may have.
    pids: u32 { on [service worker bot function job] } = 512;
    /// What happens when an instance ends.
    restart: Restart { on [service worker bot function job] } => |kind| if kind == "job" { Restart::OnFailure } else { Restart::Always };
    /// How an instance is stopped.
    stop: Stop { on [service worker bot function job] } = Stop::usual();
    /// When a job runs.
    cron: Option<Schedule> { on [job] eg "daily 03:00" };
    /// How long one run or one queued job may take.
    timeout: Option<Duration> { on [worker job function] eg "10m" };
    /// How failed work is tried again, and where it goes in the end.
    retry: Option<Retry> { on [worker job] eg "{ times = 5 }" };
    /// The queues that it takes jobs from.
    queues: Vec<String> { on [worker] eg "import" };
    /// How many jobs one instance works on at a time.
    concurrency: Option<u32> { on [worker] eg "4" };
    /// The key by which work is spread over instances, for the document and for shard hand-over.
    shard: Option<String> { on [worker bot] eg "hash of the user id" };
    /// How long without a request before a function sleeps.
    idle: Duration { on [function] } = known("5m");
    /// Visitors stay on one instance, by a cookie of the edge.
    sticky: bool { on [service] } = false;
    /// The response headers that the edge adds.
    headers: Option<Headers> { on [service site function] eg "strict" };
    /// Limits that the edge keeps.
    limit: Option<Limit> { on [service site function] eg "{ rate = \"100/s per ip\", body = \"1MiB\" }" };
    /// How long browsers and the edge may keep answers.
    cache: Option<Cache> { on [service site function] eg "{ assets = \"1y\" }" };
    /// Who may pass: a sign-in at the edge, in front of the component.
    access: Option<Access> { on [service site function] eg "{ sign_in = \"oidc\" }" };
    /// It is for the team, as a dashboard or a back office is. Where nothing is said about who may see it, visitors sign in with
    /// a password that is made up and kept as `DASHBOARD_PASSWORD`. On somebody's own machine nobody is asked for it.
    dashboard: bool { on [service site function] } = false;
    /// Only these networks may reach it from outside; others get 403.
    allow: Vec<Cidr> { on [service site function] eg "203.0.113.0/24" };
    /// Headers that a request from outside has to carry, by method; else it gets 400.
    require: Vec<Require> { on [service function] eg "{ header = \"Idempotency-Key\", methods = [\"POST\"] }" };
    /// Rules against unwanted requests.
    waf: Option<Waf> { on [service site function] eg "{ bots = \"challenge\" }" };
    /// Requests that change something must come from the product's own pages, by what the browser says; else they get 403.
    /// A program that says nothing and brings no cookie passes.
    csrf: bool { on [service function] } = false;
    /// Answers are compressed with what the visitor accepts.
    compress: bool { on [service site function] } = true;
    /// Parts of the address space with rules of their own.
    route: Vec<Route> { on [service site function] eg "{ path = \"/upload\", body = \"20MB\" }" };
    /// The certificate that visitors see.
    tls: Tls { on [service site function] } = Tls::Auto;
    /// The files of the certificate, where `tls` is `files`.
    certificate: Option<Files> { on [service site function] eg "{ chain = \"tls/site.pem\", key = \"tls/site.key\" }" };
    /// Path of its metrics in the Prometheus text format.
    metrics: Option<String> { on [service worker bot function] eg "/metrics" };
    /// Spans are exported by OpenTelemetry's protocol.
    traces: bool { on [service worker bot function job] } = false;
    /// The stores that the extension is released to.
    store: Map<Name, Store> { on [extension] };
    /// The browsers that the extension is made for.
    browsers: Vec<Browser> { on [extension] };
    /// The content-security policy of the extension's pages; checked against the packed manifest.
    csp: Option<String> { on [extension] eg "script-src 'self' 'wasm-unsafe-eval'" };
    /// What changed files do while developing. Where nothing is said here or in the build, the build's `inputs` build it anew.
    watch: Vec<Watch> { eg "{ path = \"src\", action = \"restart\" }" };
    /// How it goes from one release to the next. It holds as a whole, in place of the environment's: what it leaves out
    /// has its default.
    rollout: Option<Rollout> { eg "{ strategy = \"blue-green\" }" };
    /// Commands around a release.
    hooks: Option<Hooks> { eg "{ after_restart = \"bin/warm\" }" };
    /// What it may cost a month; more is an error.
    budget: Option<Money> { eg "$10" };
    /// What personal data it keeps and how one person's is deleted.
    privacy: Option<Privacy>;
    /// Remarks for the document.
    notes: Vec<String>;
}

table! {
    /// How many instances run.
    Replicas { short [min max] }
    /// The fewest instances.
    min: u32 = 1;
    /// The most instances; where nothing is said, as many as the fewest.
    max: Option<u32>;
}

impl Replicas {
    /// What a careful engineer starts with: one of everything, and functions that sleep.
    pub fn usual(kind: &str) -> Self {
        match kind {
            "function" => Replicas {
                min: 0,
                max: Some(10),
            },
            _ => Replicas { min: 1, max: None },
        }
    }

    /// The most instances that may run.
    pub fn most(&self) -> u32 {
        self.max.unwrap_or(self.min).max(self.min)
    }
}

table! {
    /// How it is known that an instance is ready and stays well.
    Health { short [path] }
    /// The path that answers 200 when the instance is well.
    path: Option<String> { eg "/healthz" };
    /// A command that ends with 0 when the instance is well, where there is no HTTP.
    command: Option<Command> { eg "bin/ready" };
    /// How often it is asked.
    interval: Duration = known("1s");
    /// How long an answer may take.
    timeout: Duration = known("5s");
    /// How long a new instance may take to become ready. An exit fails at once.
    deadline: Duration = known("30s");
}

table! {
    /// Something that a component needs. Its address arrives as `NAME_URL`: of a Postgres and of a Redis with user, password
    /// and database in it. A bucket brings `NAME_ENDPOINT`, `NAME_BUCKET`, `NAME_REGION`, `NAME_ACCESS_KEY_ID` and
    /// `NAME_SECRET_ACCESS_KEY`, too, and the first one what SDKs look for by themselves: `AWS_ENDPOINT_URL_S3`, `AWS_REGION`,
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    Use { short [name] }
    /// The component, resource or outside thing.
    name: Ref<ToNeeded> { required eg "db" };
    /// How they talk; by default what the other one speaks.
    by: Option<Protocol> { eg "rest" };
    /// How the called side knows the caller.
    trust: Option<Trust> { eg "mtls" };
    /// The secret that signs or opens the connection, for `hmac`, `jwt` and `key`.
    secret: Option<Ref<ToSecret>> { eg "AI_HMAC_SECRET" };
    /// What it may do there, where that is a resource: it is given a user of its own with these rights.
    rights: Rights = Rights::Write;
    /// The variable that the address arrives under, where `NAME_URL` does not suit.
    env: Option<VarName> { eg "DATABASE_URL" };
    /// What for, as it stands on the arrow of the diagram.
    why: Option<String> { eg "enqueues imports" };
    /// The component starts and serves without it, too.
    optional: bool = false;
}

table! {
    /// How an instance is stopped.
    Stop { short [within] }
    /// The signal that asks it to stop.
    signal: String = "TERM".to_owned();
    /// How long it may take before it is killed.
    within: Duration = known("30s");
    /// How long open WebSockets may stay before they are closed with code 1012, spread over this time.
    drain: Duration = known("30s");
}

impl Stop {
    /// The usual way.
    pub fn usual() -> Self {
        Stop {
            signal: "TERM".to_owned(),
            within: known("30s"),
            drain: known("30s"),
        }
    }
}

table! {
    /// How failed work is tried again.
    Retry { short [times] }
    /// How many times.
    times: u32 = 3;
    /// The pause before the first new try; it doubles each time.
    backoff: Duration = known("1s");
    /// The queue that work goes to when all tries have failed.
    dead_letter: Option<String> { eg "import-dead" };
    /// The most that may lie there before an alert.
    dead_most: u32 = 0;
}

table! {
    /// A header that requests have to carry.
    Require { short [header] }
    /// The header.
    header: String { required eg "Idempotency-Key" };
    /// For these methods only; all of them when empty.
    methods: Vec<String> { eg "POST" };
    /// A JWT of this issuer stands in the header, and is verified at the edge with the keys that the issuer publishes (OpenID
    /// Connect Discovery); else the request gets 401.
    issuer: Option<crate::unit::Url> { eg "https://id.example.com" };
    /// The JWT is for this audience. Without it, one that is for another application of the same issuer passes, too.
    audience: Option<String> { eg "https://api.example.com" };
}

table! {
    /// What changed files do while developing.
    Watch { short [path] }
    /// The files. The pattern begins at the manifest; a folder stands for all that is in it.
    path: Glob { required eg "src" };
    /// What a change does.
    action: WatchAction = WatchAction::Restart;
    /// Files below it that do not count. The patterns begin at the manifest, too.
    ignore: Vec<Glob> { eg "**/*.tmp" };
}

table! {
    /// What personal data a component keeps, and how one person's is deleted.
    Privacy { short [keeps] }
    /// What is kept about a person.
    keeps: String { required eg "hashed user ids" };
    /// How a person has it deleted.
    delete: Option<String> { eg "/privacy delete" };
    /// The law or the promise that asks for it.
    law: Option<String> { eg "GDPR" };
}

table! {
    /// Something outside that components need: an API, a gateway, a model.
    External {}
    /// What it is.
    about: Option<String> { eg "Scores how toxic a text is" };
    /// Its address.
    url: Option<crate::unit::Url> { eg "https://api.example.com" };
    /// The secret that holds its address, where that is not public.
    secret: Option<Ref<ToSecret>>;
    /// How components talk to it.
    speaks: Protocol = Protocol::Http;
    /// A command that stands in for it while developing.
    mock: Option<Command> { eg "target/release/gateway-mock" };
    /// The shared build that makes the stand-in, where it has to be built before it starts.
    build: Option<Ref<super::build::ToBuild>> { eg "rust" };
    /// The environments in which the stand-in is used.
    mock_in: Vec<Ref<ToEnvironment>> { eg "dev" };
    /// What it allows before it refuses.
    quota: Option<Rate> { eg "10000/day" };
    /// Why this one.
    why: Option<String>;
}
