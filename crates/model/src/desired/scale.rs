//! What makes the number of instances grow and shrink.

use super::metric::ToMetric;
use super::resource::ToResource;
use crate::table;
use crate::unit::{Command, Comparison, Duration, Rate, Share, Window, known};
use crate::word::Ref;

table! {
    /// What makes the number of instances grow and shrink. Where several are written the largest number wins.
    Scale {}
    /// The processor use to keep near.
    cpu: Option<Share> { on [service worker bot function] eg "70%" };
    /// The memory use to keep near.
    memory: Option<Share> { on [service worker bot function] eg "80%" };
    /// How many open connections one instance takes.
    connections: Option<u32> { on [service function] eg "500" };
    /// How many requests one instance takes.
    requests: Option<Rate> { on [service function] eg "100/s" };
    /// Response time to stay under, at the 95th percentile.
    p95: Option<Duration> { on [service function] eg "250ms" };
    /// The jobs that wait, and how many of them one instance takes.
    queue: Vec<Queue> { on [service worker bot function] eg "{ redis = \"bull:import:wait\", each = 100 }" };
    /// Metrics of your own.
    metric: Vec<ScaleMetric> { on [service worker bot function] };
    /// Numbers by the time of day, by the clocks of each window's time zone or else the product's. What has none then is
    /// asleep, and no request wakes it but that for a function. `towpath start` and `towpath scale` go before it, until it
    /// wants another number.
    schedule: Vec<ScaleTime> { on [service worker bot function] eg "{ when = \"weekdays 08:00-20:00\", replicas = 1 }" };
    /// Sleeps after this long without work; what it waits for has to be able to wake it.
    zero_after: Option<Duration> { on [service worker bot function] eg "10m" };
    /// The time over which it is measured.
    window: Duration = known("60s");
    /// The short time in which a sudden rise counts.
    panic: Duration = known("6s");
    /// How long it waits before it shrinks.
    shrink_after: Duration = known("5m");
}

table! {
    /// Jobs that wait, and how many make another instance worth it.
    Queue { one_of [sql redis command metric] }
    /// The queue's name, for people.
    name: Option<String> { eg "import" };
    /// A query that counts them.
    sql: Option<String> { eg "select count(*) from jobs where queue = 'score'" };
    /// A Redis list or sorted set whose length counts them.
    redis: Option<String> { eg "bull:import:wait" };
    /// A command that prints the number.
    command: Option<Command>;
    /// A metric that counts them.
    metric: Option<Ref<ToMetric>>;
    /// The resource that it is asked of, where there are several.
    of: Option<Ref<ToResource>> { eg "db" };
    /// How many waiting jobs one instance takes.
    each: u32 { required eg "100" };
}

table! {
    /// A metric of your own, and the bound past which another instance is started.
    ScaleMetric {}
    /// The metric.
    metric: Ref<ToMetric> { required eg "delivery_lag" };
    /// What holds while there are enough instances.
    keep: Comparison { required eg "p95 < 3s" };
}

table! {
    /// A number of instances for a time.
    ScaleTime {}
    /// The time that it is for.
    when: Window { required eg "weekdays 08:00-20:00 Asia/Singapore" };
    /// How many run then; outside all such times, the smallest number that `replicas` allows.
    replicas: u32 { required eg "1" };
}

table! {
    /// What to do when something is short: the symptom, how it shows, and what helps.
    Lever {}
    /// What people notice.
    symptom: String { required eg "Imports take long" };
    /// The metric that shows it.
    metric: Option<Ref<ToMetric>>;
    /// The bound past which it is so.
    past: Option<Comparison> { eg "depth > 500" };
    /// What helps, best first.
    actions: Vec<String> { required };
}
