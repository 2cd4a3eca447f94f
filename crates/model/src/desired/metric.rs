//! Metrics, objectives, alerts, and whom they reach.

use super::gate::ToGate;
use super::place::ToHost;
use super::probe::ToProbe;
use super::secret::ToSecret;
use crate::unit::{Command, Comparison, Duration, Email, Schedule, Severities, Severity, Share, Url, known};
use crate::word::Ref;
use crate::{choice, table, target};

target! {
    /// A metric.
    ToMetric = ["metric"];
    /// An objective.
    ToObjective = ["objective"];
    /// A channel.
    ToChannel = ["channel"];
    /// A rotation.
    ToRotation = ["oncall"];
    /// A runbook.
    ToRunbook = ["runbook"];
    /// A component or resource.
    ToOurs = ["service" "worker" "bot" "site" "function" "job" "extension" "postgres" "redis" "bucket"];
}

choice! {
    /// A number that Towpath measures itself.
    Measured
    /// The share of requests answered well.
    Availability = "availability";
    /// Response time.
    Latency = "latency";
    /// The share of requests that failed.
    Errors = "errors";
    /// Requests in a time.
    Requests = "requests";
    /// Open connections.
    Connections = "connections";
    /// The share of the time that a component was up; time in which it is meant to sleep does not count.
    Uptime = "uptime";
    /// Processor use.
    Cpu = "cpu";
    /// Memory use.
    Memory = "memory";
    /// Restarts.
    Restarts = "restarts";
    /// Waiting jobs.
    QueueDepth = "queue-depth";
    /// Jobs that failed for good.
    DeadLetters = "dead-letters";
    /// Locks that are waited for in a database.
    Locks = "locks";
    /// Connections to a database.
    DatabaseConnections = "database-connections";
    /// Keys evicted from Redis.
    Evictions = "evictions";
    /// Web vitals that browsers report: time to first byte, first and largest paint.
    WebVitals = "web-vitals";
    /// Incidents that people opened.
    Incidents = "incidents";
}

table! {
    /// A number that is watched.
    Metric { one_of [measured series prometheus sql redis command store http] }
    /// What it counts.
    about: Option<String> { eg "Time from an outbox row to the browser" };
    /// A number that Towpath measures itself.
    measured: Option<Measured> { eg "evictions" };
    /// A series on the component's own page of metrics.
    series: Option<String> { eg "event_delivery_lag_ms" };
    /// A PromQL query to an outside Prometheus.
    prometheus: Option<String> { eg "sum(rate(incidents_total[1d]))" };
    /// A query; `:from` and `:to` in it are the time that is asked about.
    sql: Option<String> { eg "select count(*) from incidents where at >= :from and at < :to" };
    /// A Redis list or sorted set whose length it is.
    redis: Option<String> { eg "bull:import:wait" };
    /// A command that prints it.
    command: Option<Command> { eg "bin/depth" };
    /// A number that a store reports: `crash-users`, `users`, `rating`.
    store: Option<String> { eg "crash-users" };
    /// A JSON document and where in it the number stands.
    http: Option<String> { eg "https://stats.example.com/events" };
    /// Where in a JSON document the number stands.
    value: Option<String> { eg "events.per_minute" };
    /// What it is measured of.
    of: Option<Ref<ToOurs>> { eg "edge" };
    /// Where a Prometheus or another source is.
    from: Option<Ref<ToHost>> { eg "grafana" };
    /// The secret that opens the source.
    secret: Option<Ref<ToSecret>>;
    /// The unit, for people.
    unit: Option<String> { eg "events/minute" };
    /// It stands on the status page and dashboard of the product.
    shown: bool = false;
}

table! {
    /// What users can count on, with the budget of errors that is left for change.
    Objective { short [target] }
    /// What it promises.
    about: Option<String> { eg "The site answers" };
    /// The share that has to be good.
    target: Share { required eg "99.9%" };
    /// The time over which it is counted.
    window: Duration = known("30d");
    /// What is measured.
    measure: Measured = Measured::Availability;
    /// What counts as good, for latency.
    good: Option<Comparison> { eg "latency < 250ms" };
    /// The component.
    of: Option<Ref<ToOurs>> { eg "edge" };
    /// Measured by a probe instead of by requests.
    probe: Option<Ref<ToProbe>> { eg "home" };
    /// Measured by a metric of your own.
    metric: Option<Ref<ToMetric>>;
    /// The fewest bad events before anybody is woken.
    min_bad: u32 = 5;
    /// How bad a missed objective is.
    severity: Severity = known("sev2");
    /// The runbook for whoever is woken.
    runbook: Option<Ref<ToRunbook>>;
}

choice! {
    /// What an alert does besides telling.
    AlertAction
    /// Nothing.
    Tell = "tell";
    /// It rolls the release back.
    Rollback = "rollback";
    /// It stops releases from moving on.
    Hold = "hold";
}

table! {
    /// Something that people are told about.
    Alert { one_of [metric probe objective gate when] }
    /// What has happened, in words.
    about: Option<String> { eg "Jobs pile up" };
    /// A metric that leaves its bound.
    metric: Option<Ref<ToMetric>> { eg "lag" };
    /// A probe that fails.
    probe: Option<Ref<ToProbe>> { eg "home" };
    /// An objective that is missed, or whose budget burns too fast.
    objective: Option<Ref<ToObjective>> { eg "availability" };
    /// A gate that fails.
    gate: Option<Ref<ToGate>> { eg "audit" };
    /// Something that Towpath itself notices.
    when: Option<Event> { eg "backup-failed" };
    /// The bound of the metric: people are told when this holds.
    past: Option<Comparison> { eg "> 3s" };
    /// How long it must be so before anybody is told.
    lasting: Duration = known("0s");
    /// How bad it is.
    severity: Severity = known("sev2");
    /// These channels instead of those that the severity leads to.
    to: Vec<Ref<ToChannel>> { eg "ops" };
    /// What it does besides telling.
    action: AlertAction = AlertAction::Tell;
    /// The component or resource that it is about.
    of: Option<Ref<ToOurs>>;
    /// The runbook for whoever is told.
    runbook: Option<Ref<ToRunbook>>;
}

choice! {
    /// Something that Towpath itself notices.
    Event
    /// A backup did not end well.
    BackupFailed = "backup-failed";
    /// A restore was not tried in time, or did not find what it should.
    DrillFailed = "drill-failed";
    /// A component crashes again and again.
    CrashLoop = "crash-loop";
    /// A rollout failed or holds.
    RolloutStuck = "rollout-stuck";
    /// A certificate is about to end.
    CertificateEnding = "certificate-ending";
    /// A secret has not been rotated in time.
    SecretOld = "secret-old";
    /// A job did not run, or did not end well.
    JobFailed = "job-failed";
    /// A store's review takes longer than expected.
    ReviewOverdue = "review-overdue";
    /// A disk fills.
    DiskFull = "disk-full";
    /// The month's cost is about to pass its budget.
    OverBudget = "over-budget";
    /// Work that failed for good lies in a queue.
    DeadLetters = "dead-letters";
}

table! {
    /// Where people are told. Each channel says which severities are told there.
    Channel { one_of [discord slack pagerduty email issues webhook] }
    /// A Discord channel; the webhook's address is a secret.
    discord: Option<String> { eg "#ops" };
    /// A Slack channel; the webhook's address is a secret.
    slack: Option<String> { eg "#on-call" };
    /// A PagerDuty service; the routing key is a secret.
    pagerduty: Option<String> { eg "platform" };
    /// Mail addresses.
    email: Vec<Email> { eg "ops@example.com" };
    /// A repository in which an issue is opened for each incident, and closed with it.
    issues: Option<String> { eg "acme/app" };
    /// An address that is called, with a signed body.
    webhook: Option<Url> { eg "https://example.com/hooks/towpath" };
    /// The secret that opens it.
    secret: Option<Ref<ToSecret>> { eg "OPS_WEBHOOK" };
    /// The severities that are told here.
    severities: Severities = known("all");
    /// How long nobody may answer before it is told again.
    repeat: Option<Duration> { eg "4h" };
    /// Whoever is on call in this rotation is named.
    oncall: Option<Ref<ToRotation>> { eg "platform" };
}

table! {
    /// Who is on call, and who comes next when nobody answers.
    Rotation { short [people] }
    /// The people, in turn.
    people: Vec<String> { eg "ana" };
    /// When the turn passes on.
    turns: Schedule = known("weekly");
    /// Who is told next, in order, when nobody answers.
    escalate: Vec<String> { eg "team lead" };
    /// How long the one on call may take to answer before the next is told.
    after: Duration = known("15m");
    /// What is expected of whoever is on call.
    duties: Vec<String> { eg "roll back when in doubt" };
}
