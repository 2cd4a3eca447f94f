//! How a product is run by people: roles, runbooks, decisions, maintenance, going live, service levels.

use super::component::ToEnvironment;
use super::gate::ToGate;
use super::metric::{ToChannel, ToMetric, ToOurs};
use super::secret::ToSecret;
use crate::unit::{Command, Date, Duration, Email, Schedule, Url, known};
use crate::word::Ref;
use crate::{choice, table, target};

target! {
    /// A role.
    ToRole = ["role"];
}

table! {
    /// What some people do, and may do.
    Role {}
    /// What it is called.
    title: Option<String> { eg "On-call" };
    /// What they see to.
    duties: Vec<String> { eg "roll back when in doubt" };
    /// Who has it.
    people: Vec<Email>;
    /// What they may do.
    may: Vec<Verb> { eg "deploy" };
    /// In these environments only.
    only: Vec<Ref<ToEnvironment>>;
}

choice! {
    /// Something that a role may do.
    Verb
    /// See how things are.
    See = "see";
    /// Deploy.
    Deploy = "deploy";
    /// Roll back.
    Rollback = "rollback";
    /// Say yes at a gate.
    Approve = "approve";
    /// Waive a gate.
    Waive = "waive";
    /// Change secrets.
    Secrets = "secrets";
    /// Restore data.
    Restore = "restore";
    /// Turn flags.
    Flags = "flags";
    /// Everything.
    All = "all";
}

table! {
    /// What to do when something happens, step by step. Restoring, failing over, renewing certificates, answering incidents and rolling back have a runbook without being written; what is written here is added to it.
    Runbook {}
    /// What it is called.
    title: Option<String> { eg "The queue does not drain" };
    /// When it is needed.
    when: Option<String> { eg "jobs wait for more than ten minutes" };
    /// What to do.
    steps: Vec<String> { eg "Look at `towpath status prod`" };
    /// Whom to tell, and what.
    tell: Vec<String> { eg "customers, on the status page" };
    /// What it is about.
    of: Option<Ref<ToOurs>>;
}

choice! {
    /// Where a decision stands.
    Standing
    /// It holds.
    Accepted = "accepted";
    /// It is weighed.
    Proposed = "proposed";
    /// Another one has taken its place.
    Superseded = "superseded";
    /// It was not taken.
    Rejected = "rejected";
}

table! {
    /// A decision, with what led to it and what follows.
    DecisionRecord {}
    /// What it is about.
    title: String { required eg "No Redis yet" };
    /// Its number or name elsewhere.
    id: Option<String> { eg "D08-03" };
    /// Where it stands.
    status: Standing = Standing::Accepted;
    /// What led to it.
    context: Option<String>;
    /// What was chosen.
    choice: String { required eg "LISTEN/NOTIFY" };
    /// What follows.
    consequences: Vec<String>;
    /// When it was made, or changed.
    date: Option<Date>;
    /// Which one it replaces.
    replaces: Option<String>;
}

table! {
    /// Something that is done again and again.
    Maintenance { short [every] }
    /// What is done.
    about: Option<String> { eg "Look through error reports" };
    /// When it is done.
    every: Schedule { required eg "weekly" };
    /// The command that does it; without one a person does.
    command: Option<Command> { eg "bin/audit" };
    /// The environment that it is done in.
    of: Option<Ref<ToEnvironment>>;
    /// The role that does it.
    who: Option<Ref<ToRole>>;
    /// Where its outcome is told.
    to: Vec<Ref<ToChannel>>;
    /// How long it may be overdue before that is an alert.
    late: Duration = known("2d");
}

table! {
    /// Something that has to be true before going live.
    GoLive { short [about] }
    /// What has to be true.
    about: String { required eg "DNS points here, with a short lifetime" };
    /// Gates and probes that show it.
    gates: Vec<Ref<ToGate>> { eg "login" };
    /// How long the gates must have held.
    lasting: Option<Duration> { eg "30m" };
    /// A command that ends with 0 when it is true.
    command: Option<Command>;
    /// Something that Towpath knows by itself.
    holds: Option<Known> { eg "backups-tested" };
    /// The role that says so, where nothing can be asked.
    who: Option<Ref<ToRole>>;
}

choice! {
    /// Something that Towpath knows by itself.
    Known
    /// Every promise has a backup whose restore has been tried.
    BackupsTested = "backups-tested";
    /// Every Postgres can be restored to a point in time.
    PointInTime = "point-in-time";
    /// Every flag stands on its safe side.
    FlagsSafe = "flags-safe";
    /// Somebody is on call.
    OncallSet = "oncall-set";
    /// Every secret has a value.
    SecretsSet = "secrets-set";
    /// Every public address has a certificate.
    CertificatesValid = "certificates-valid";
    /// The runbooks are written and reachable.
    RunbooksReachable = "runbooks-reachable";
    /// A canary is warm.
    CanaryWarm = "canary-warm";
}

table! {
    /// Something that people promise: how soon something is done.
    ServiceLevel {}
    /// What is done.
    about: String { required eg "Security patches" };
    /// How soon it is done.
    within: Duration { required eg "24h" };
    /// How it is measured: by the age of what is open, or the time to an answer.
    measure: ServiceMeasure = ServiceMeasure::Age;
    /// The metric behind it.
    metric: Option<Ref<ToMetric>>;
}

choice! {
    /// How a service level is measured.
    ServiceMeasure
    /// The age of the oldest open one.
    Age = "age";
    /// The time until somebody answers.
    Answer = "answer";
    /// The time until it is done.
    Done = "done";
}

table! {
    /// How changes are built and tested before they arrive.
    Ci {}
    /// The service.
    at: Option<Ref<super::place::ToHost>> { eg "github" };
    /// The repository.
    repository: Option<String> { eg "acme/app" };
    /// The systems that it runs on.
    systems: Vec<String> { eg "ubuntu-latest" };
    /// The versions of the language that it runs with.
    runtimes: Vec<String> { eg "python 3.12" };
    /// The browsers that it tests with.
    browsers: Vec<super::extension::Browser> { eg "chrome" };
    /// The packages of a monorepo; only what a change touches is built.
    packages: Vec<String> { eg "apps/*" };
    /// The tool that knows the packages.
    workspace: Option<String> { eg "pnpm" };
    /// Proves who it is to hosts, so that no long-lived key is kept.
    oidc: bool = false;
    /// Secrets that it needs all the same.
    secrets: Vec<Ref<ToSecret>> { eg "REGISTRY_PASSWORD" };
    /// What it has to have passed.
    gates: Vec<Ref<ToGate>> { eg "unit" };
    /// Workflows to write for it.
    workflows: Vec<Workflow> { eg "deploy" };
    /// Weaknesses in dependencies are mended by pull requests from this severity on.
    mend_from: Option<super::gate::Weakness> { eg "high" };
    /// Remarks for the document.
    notes: Vec<String>;
}

choice! {
    /// A workflow.
    Workflow
    /// Builds, tests, deploys.
    Deploy = "deploy";
    /// Rolls back.
    Rollback = "rollback";
    /// Looks whether all is well.
    HealthCheck = "health-check";
    /// Looks for weaknesses.
    Security = "security";
}

choice! {
    /// A tool for which files are written from the manifest.
    Export
    /// A compose file that brings up everything.
    Compose = "compose";
    /// Terraform modules, and variables for each environment.
    Terraform = "terraform";
    /// Kubernetes objects.
    Kubernetes = "kubernetes";
    /// The workflows that `ci` asks for.
    GithubActions = "github-actions";
}

table! {
    /// A command that people type, for the quick reference.
    Shortcut { short [run] }
    /// The command.
    run: Command { required eg "towpath logs prod" };
    /// What it is for.
    about: Option<String> { eg "Follow what production says" };
}

table! {
    /// An address that people need.
    Link { short [url] }
    /// Its address.
    url: Url { required eg "https://example.com/api/health" };
    /// What is there.
    about: Option<String>;
    /// The environment that it belongs to.
    of: Option<Ref<ToEnvironment>>;
}

table! {
    /// A rule of security that the document states, beside those that follow from the manifest.
    Control { short [about] }
    /// What holds.
    about: String { required eg "Rows are visible to their owner only" };
    /// What it is about.
    area: Option<String> { eg "Data protection" };
    /// The gate that shows it.
    gate: Option<Ref<ToGate>>;
}

table! {
    /// How and where logs and traces go.
    Telemetry {}
    /// Where logs go besides the store on the machine.
    logs: Option<Ref<super::place::ToHost>> { eg "loki" };
    /// The service that reads the product's metrics.
    metrics: Option<Ref<super::place::ToHost>> { eg "grafana" };
    /// Where spans go, by OpenTelemetry's protocol.
    traces: Option<Ref<super::place::ToHost>> { eg "tempo" };
    /// The service that errors are sent to.
    errors: Option<Ref<super::place::ToHost>> { eg "sentry" };
    /// The service that counts what people do.
    analytics: Option<Ref<super::place::ToHost>> { eg "posthog" };
    /// Browsers report web vitals, from pages with `<script src="/.well-known/towpath/vitals.js" defer></script>`.
    vitals: bool = false;
    /// How long logs are kept.
    keep: Duration = known("30d");
    /// Values that never stand in logs, besides all secrets: names of fields.
    hide: Vec<String> { eg "email" };
    /// Deployments and changes of secrets are recorded, with who and why.
    audit: bool = true;
}

table! {
    /// Something that is to come, for the document.
    Future { short [about] }
    /// What is to come.
    about: String { required eg "A second region" };
    /// What has to be true first.
    when: Option<String> { eg "1,000 people at once" };
    /// When it is to come.
    by: Option<Date>;
}
