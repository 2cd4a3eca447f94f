//! Gates: questions with a recorded answer.

use super::component::ToComponent;
use super::metric::{ToMetric, ToObjective};
use super::probe::ToProbe;
use crate::unit::{Bytes, Change, Command, Comparison, Duration, Email, Money, Path, Share, Window, known};
use crate::word::Ref;
use crate::{choice, table, target};

target! {
    /// A gate, or a probe, which is a gate by itself.
    ToGate = ["gate" "probe"];
}

choice! {
    /// How bad a found weakness is.
    Weakness
    /// Worth knowing.
    Low = "low";
    /// Worth mending soon.
    Medium = "medium";
    /// To be mended before going on.
    High = "high";
    /// To be mended now.
    Critical = "critical";
}

choice! {
    /// What a failed gate does.
    OnFail
    /// Nothing goes on.
    Block = "block";
    /// What has been done is taken back.
    Rollback = "rollback";
    /// It is told, and goes on.
    Warn = "warn";
}

choice! {
    /// How a change is judged.
    ChangeMode
    /// The numbers as they are.
    Point = "point";
    /// The interval of the change has to lie on the right side.
    Confident = "confident";
}

choice! {
    /// Where in the way of a change a gate stands.
    Stage
    /// After the build, before anything is deployed.
    Build = "build";
    /// Before an environment is entered.
    Enter = "enter";
    /// While a release gets its share.
    During = "during";
    /// After everything runs.
    After = "after";
}

table! {
    /// A question with a recorded answer: pass, fail, inconclusive or waived. Which question it asks is the field that it has.
    Gate { one_of [command junit sarif size performance probe objective metric change canary load cost approval window bake budget_left] }
    /// What it asks, for people.
    about: Option<String> { eg "Browser smoke tests on the five largest sites" };
    /// A command that ends with 0.
    command: Option<Command> { eg "cargo test" };
    /// A JUnit report without failures.
    junit: Option<Junit> { eg "reports/junit.xml" };
    /// A SARIF report without weaknesses that are too bad.
    sarif: Option<Sarif> { eg "reports/codeql.sarif" };
    /// A file or artifact that is no larger than its bound.
    size: Option<SizeGate> { eg "{ file = \"dist/app.js\", most = \"500KB\" }" };
    /// A number in a report that keeps its bound.
    performance: Option<Performance> { eg "{ report = \"reports/web.json\", value = \"lcp\", keep = \"< 2.5s\" }" };
    /// A probe that passes.
    probe: Option<Ref<ToProbe>> { eg "login" };
    /// An objective that is kept.
    objective: Option<Ref<ToObjective>> { eg "availability" };
    /// A metric that keeps its bound.
    metric: Option<MetricGate> { eg "{ metric = \"evictions\", keep = \"= 0\" }" };
    /// A metric that has changed as hoped against its time before.
    change: Option<ChangeGate> { eg "{ metric = \"incidents\", by = \"-30%\" }" };
    /// The new release against the old one, by errors and latency.
    canary: Option<CanaryGate> { eg "{ errors = \"1%\" }" };
    /// A load test that keeps its bounds.
    load: Option<LoadGate> { eg "{ command = \"k6 run load.js\", report = \"load.json\", keep = [\"p95 < 250ms\"] }" };
    /// The most that the product may be estimated to cost in a month.
    cost: Option<Money> { eg "$50" };
    /// People who say yes.
    approval: Option<Approval> { eg "ana@example.com" };
    /// A time in which it may go on.
    window: Option<Window> { eg "weekdays 08:00-16:00" };
    /// A time that has to pass without a fault.
    bake: Option<Duration> { eg "30m" };
    /// The share of the error budget that has to be left.
    budget_left: Option<Share> { eg "20%" };
    /// When the question is asked; by default at the point where the gate is named.
    stage: Option<Stage> { eg "build" };
    /// The components that it is asked for; all of them when empty.
    on: Vec<Ref<ToComponent>> { eg "api" };
    /// What a failure does.
    fails: OnFail = OnFail::Block;
    /// How long it may take.
    timeout: Duration = known("15m");
    /// How often it is tried again before it counts as failed.
    retries: u32 = 0;
    /// What it runs against, one after the other: sites, browsers, systems.
    over: Vec<String> { eg "firefox" };
    /// Who may waive it, and for how long.
    waive: Option<Waive>;
    /// The tool behind it, for the document.
    tool: Option<String> { eg "Playwright" };
}

table! {
    /// A JUnit report.
    Junit { short [report] }
    /// The report.
    report: Path { required eg "reports/junit.xml" };
    /// The command that makes it.
    run: Option<Command> { eg "pytest --junitxml reports/junit.xml" };
    /// The fewest tests that have to be in it.
    at_least: u32 = 1;
}

table! {
    /// A SARIF report.
    Sarif { short [report] }
    /// The report.
    report: Path { required eg "reports/codeql.sarif" };
    /// The command that makes it.
    run: Option<Command> { eg "trivy image --format sarif" };
    /// From this severity on a release does not move on.
    block: Weakness = Weakness::High;
    /// From this severity on the build fails.
    fail: Weakness = Weakness::Critical;
    /// A weakness that is known for longer than this fails, however bad it is.
    older_than: Option<Duration> { eg "7d" };
}

table! {
    /// The weight of a file or an artifact.
    SizeGate {}
    /// The file, or a pattern whose files are added up.
    file: Option<crate::unit::Glob> { eg "dist/assets/*.js" };
    /// The artifact of a component.
    artifact: Option<Ref<ToComponent>> { eg "bot" };
    /// The most that it may weigh.
    most: Bytes { required eg "500KB" };
}

table! {
    /// A number in a report.
    Performance {}
    /// The report, JSON.
    report: Path { required eg "reports/web.json" };
    /// The command that makes it.
    run: Option<Command> { eg "npx playwright test perf" };
    /// Where the number stands in it.
    value: String { required eg "modal.render.p95" };
    /// What must hold of it.
    keep: Comparison { required eg "< 50ms" };
}

table! {
    /// A metric's bound.
    MetricGate {}
    /// The metric.
    metric: Ref<ToMetric> { required eg "evictions" };
    /// What must hold of it.
    keep: Comparison { required eg "= 0" };
    /// How long it must hold.
    over: Duration = known("10m");
}

table! {
    /// A metric's change against its time before.
    ChangeGate {}
    /// The metric.
    metric: Ref<ToMetric> { required eg "incidents" };
    /// The smallest change that passes.
    by: Change { required eg "-30%" };
    /// The time over which it is measured.
    over: Duration = known("14d");
    /// How long the time before is that it is compared with; by default as long as `over`.
    baseline: Option<Duration> { eg "14d" };
    /// The fewest events in the time before that a verdict rests on.
    min_baseline: u32 = 50;
    /// How the change is judged.
    mode: ChangeMode = ChangeMode::Confident;
    /// What events are counted against: users, messages, hours.
    per: Option<Ref<ToMetric>> { eg "messages" };
}

table! {
    /// The new release against the old one.
    CanaryGate {}
    /// The share of errors that is never exceeded, however the old one does.
    errors: Share = known("1%");
    /// How much slower, as a share of the old one's latency.
    slower: Share = known("10%");
    /// How much slower in time; both have to be exceeded to fail.
    tolerance: Duration = known("20ms");
    /// The quantile of latency that is compared.
    quantile: Share = known("95%");
    /// How sure it has to be that the new release is worse before it fails.
    confidence: Share = known("99.9%");
}

table! {
    /// A load test.
    LoadGate {}
    /// The command that runs it.
    command: Command { required eg "k6 run load.js" };
    /// Its summary, JSON.
    report: Path { required eg "load.json" };
    /// What must hold of it.
    keep: Vec<Comparison> { eg "p95 < 250ms" };
}

table! {
    /// People who say yes.
    Approval { short [people] }
    /// These people, by address or name.
    people: Vec<Email> { eg "ana@example.com" };
    /// Anybody with this role.
    role: Option<Ref<super::operations::ToRole>> { eg "lead" };
    /// How many of them have to say yes.
    count: u32 = 1;
    /// How long a yes holds.
    lasts: Duration = known("24h");
}

table! {
    /// Who may waive a gate; a waiver has a name, a reason and an end.
    Waive { short [people] }
    /// The people who may waive it.
    people: Vec<Email>;
    /// How long a waiver may last.
    most: Duration = known("7d");
}
