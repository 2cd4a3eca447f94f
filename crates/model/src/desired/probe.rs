//! Probes: synthetic users.

use super::component::ToComponent;
use super::resource::ToResource;
use super::secret::ToSecret;
use crate::unit::{Command, Comparison, Duration, HeaderName, Path, known};
use crate::word::{Map, Ref};
use crate::{table, target};

target! {
    /// A probe.
    ToProbe = ["probe"];
}

table! {
    /// A synthetic user: one request or several steps, with bounds. Aimed at a release before it has traffic, and at an environment on a schedule.
    Probe { one_of [http websocket tcp sql queue command fixture steps] }
    /// What it tries, for people.
    about: Option<String> { eg "A signed-in visitor sees their profile" };
    /// An HTTP request.
    http: Option<String> { eg "GET /auth/me" };
    /// A WebSocket that is opened.
    websocket: Option<String> { eg "/ws" };
    /// A port that accepts.
    tcp: Option<String> { eg "db:5432" };
    /// A query.
    sql: Option<String> { eg "select 1" };
    /// A job put on a queue.
    queue: Option<String> { eg "import" };
    /// A command that ends with 0.
    command: Option<Command> { eg "bin/smoke" };
    /// A request with a fixed body, whose answer has a known digest.
    fixture: Option<Fixture> { eg "{ request = \"POST /indicators\", body = \"fixtures/prices.json\", hash = \"stable\" }" };
    /// Several steps, one after the other.
    steps: Vec<Step> { eg "{ sql = \"insert into outbox ..\" }" };
    /// The component that it is aimed at.
    of: Option<Ref<ToComponent>> { eg "edge" };
    /// The resource that a query or job goes to, where there are several.
    on: Option<Ref<ToResource>> { eg "db" };
    /// What the request carries.
    with: Option<With> { eg "{ cookie = \"secret:PROBE_COOKIE\" }" };
    /// What must hold of the answer.
    expect: Vec<Comparison> { eg "status = 200" };
    /// How long all of it may take.
    within: Option<Duration> { eg "3s" };
    /// How often it runs against an environment.
    every: Option<Duration> { eg "5m" };
    /// How many times it runs for one verdict, where a bound is a percentile.
    runs: u32 = 1;
    /// After a failure it is tried again this many times within half a minute before anybody is told.
    confirm: u32 = 3;
    /// How long one answer may take.
    timeout: Duration = known("10s");
}

table! {
    /// One step of a probe.
    Step { one_of [http websocket tcp sql queue command wait] }
    /// An HTTP request.
    http: Option<String> { eg "POST /imports" };
    /// A WebSocket that is opened, or the one that is open.
    websocket: Option<String> { eg "/ws" };
    /// A port that accepts.
    tcp: Option<String>;
    /// A query.
    sql: Option<String> { eg "insert into outbox (kind) values ('probe')" };
    /// A job put on a queue.
    queue: Option<String> { eg "import" };
    /// A command.
    command: Option<Command>;
    /// Asked again until what is expected holds.
    wait: Option<String> { eg "GET /imports/probe" };
    /// The resource that a query or job goes to.
    on: Option<Ref<ToResource>>;
    /// What it carries.
    with: Option<With>;
    /// What must hold.
    expect: Vec<Comparison> { eg "progress = 100%" };
    /// How long it may take.
    within: Option<Duration> { eg "60s" };
}

table! {
    /// What a request carries.
    With {}
    /// A cookie; `secret:NAME` takes it from a secret.
    cookie: Option<String> { eg "secret:PROBE_COOKIE" };
    /// A token, sent as `Authorization: Bearer`.
    token: Option<String> { eg "secret:PROBE_TOKEN" };
    /// The secret that signs the body.
    hmac: Option<Ref<ToSecret>> { eg "AI_HMAC_SECRET" };
    /// Further headers.
    headers: Map<HeaderName, String>;
    /// A body.
    body: Option<String>;
}

table! {
    /// A request with a fixed body, whose answer has a known digest.
    Fixture {}
    /// The request.
    request: String { required eg "POST /indicators" };
    /// The file with the body.
    body: Path { required eg "fixtures/prices.json" };
    /// The digest of the answer: `stable` for that of the release that runs, or `sha256:..`.
    hash: String { required eg "stable" };
}
