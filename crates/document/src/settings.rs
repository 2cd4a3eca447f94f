//! The settings of a component, each with the words for its value; only what was set has some.

use crate::{edge, words};
use towpath_model::desired::build::{Build, Sbom};
use towpath_model::desired::component::{
    Component, ComponentKind, Health, Replicas, Restart, Retry, Stop, Watch, WatchAction,
};
use towpath_model::desired::scale::{Queue, Scale};
use towpath_model::unit::known;

/// A setting: its name, and what a component says of it.
pub(crate) type Setting = (&'static str, fn(ComponentKind, &Component) -> Option<String>);

/// Every setting, in the order in which a reader asks.
pub(crate) const SETTINGS: &[Setting] = &[
    ("Starts with", |_, c| c.run.as_ref().map(words::code)),
    ("Folder", |_, c| c.dir.as_ref().map(words::code)),
    ("Files", |_, c| c.files.as_ref().map(words::code)),
    ("Answers for unknown paths", |_, c| {
        c.fallback.as_ref().map(words::code)
    }),
    ("Built by", |_, c| c.build.as_ref().map(build)),
    ("Artifact", |_, c| artifact(c)),
    ("Configuration", |_, c| some(words::codes(&c.config))),
    ("Port", |_, c| {
        c.port.as_ref().map(|port| port.number().to_string())
    }),
    ("Runs", schedule),
    ("Needs", |_, c| needs(c)),
    ("Instances", replicas),
    ("Scales by", |_, c| c.scale.as_ref().map(scale)),
    ("Sleeps after", |kind, c| {
        (kind == ComponentKind::Function).then(|| format!("{} without a request", words::time(c.idle)))
    }),
    ("Always on", |_, c| c.always_on.then(|| "yes".to_owned())),
    ("Each instance gets", |_, c| share_of_machine(c)),
    ("Health", |_, c| c.health.as_ref().map(health)),
    ("Stops", |kind, c| if kind.runs() { stop(&c.stop) } else { None }),
    ("Restarts", restart),
    ("Queues", |_, c| queues(c)),
    ("Tries again", |_, c| c.retry.as_ref().map(retry)),
    ("Time limit", |_, c| c.timeout.map(words::time)),
    ("Visitors", |_, c| {
        c.sticky.then(|| "stay on one instance".to_owned())
    }),
    ("Limits", |_, c| c.limit.as_ref().and_then(edge::limit)),
    ("Headers", |_, c| c.headers.as_ref().map(edge::headers)),
    ("Requests must carry", |_, c| {
        some(words::list(
            &c.require.iter().map(edge::required_header).collect::<Vec<_>>(),
        ))
    }),
    ("Caches", |_, c| c.cache.as_ref().map(edge::cache).and_then(some)),
    ("Browsers", |_, c| {
        some(words::list(
            &c.browsers
                .iter()
                .map(|b| words::capital(b.word()))
                .collect::<Vec<_>>(),
        ))
    }),
    ("Content policy", |_, c| c.csp.as_ref().map(words::code)),
    ("Metrics", |_, c| c.metrics.as_ref().map(words::code)),
    ("Traces", |_, c| {
        c.traces.then(|| "exported by OpenTelemetry".to_owned())
    }),
    ("Present", |_, c| {
        c.when
            .as_ref()
            .map(|flag| format!("only where the flag {} is on", words::code(flag)))
    }),
    ("While developing", |_, c| watch(&c.watch)),
    ("Around a release", |_, c| hooks(c)),
    ("May cost", |_, c| {
        c.budget.map(|budget| format!("{budget} a month"))
    }),
];

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// How something is built.
pub(crate) fn build(build: &Build) -> String {
    let mut parts = Vec::new();
    parts.extend(
        build
            .shared
            .as_ref()
            .map(|shared| format!("the shared build {}", words::code(shared))),
    );
    parts.extend(build.command.as_ref().map(words::code));
    if let Some(file) = &build.dockerfile {
        let stage = build
            .stage
            .as_ref()
            .map(|stage| format!(", stage {}", words::code(stage)));
        parts.push(format!("{}{}", words::code(file), stage.unwrap_or_default()));
    }
    parts.extend(build.dir.as_ref().map(|dir| format!("in {}", words::code(dir))));
    if !build.needs.is_empty() {
        parts.push(format!("with {}", words::texts(&build.needs)));
    }
    parts.extend(build.size.map(|size| format!("at most {}", words::size(size))));
    match build.sbom {
        Sbom::Off => {}
        Sbom::Cyclonedx => parts.push("its parts listed as CycloneDX".to_owned()),
        Sbom::Spdx => parts.push("its parts listed as SPDX".to_owned()),
    }
    if build.sign {
        parts.push("signed".to_owned());
    }
    parts.extend(watch(&build.watch).map(|watch| format!("while developing, {watch}")));
    parts.join("; ")
}

fn artifact(component: &Component) -> Option<String> {
    let artifact = component.artifact.as_ref()?;
    let mut parts = Vec::new();
    parts.extend(artifact.image.as_ref().map(words::code));
    parts.extend(
        artifact
            .registry
            .as_ref()
            .map(|registry| format!("in {}", words::code(registry))),
    );
    parts.extend(
        artifact
            .base
            .as_ref()
            .map(|base| format!("based on {}", words::code(base))),
    );
    some(parts.join(", "))
}

fn schedule(_: ComponentKind, component: &Component) -> Option<String> {
    component.cron.as_ref().map(words::schedule)
}

fn needs(component: &Component) -> Option<String> {
    let used = component.uses.iter().map(|used| {
        let mut about = Vec::new();
        about.extend(used.env.as_ref().map(|env| format!("as {}", words::code(env))));
        if used.rights != towpath_model::desired::component::Rights::Write {
            about.push(format!(
                "may {}",
                if used.rights.word() == "read" {
                    "only read"
                } else {
                    "change the schema, too"
                }
            ));
        }
        if used.optional {
            about.push("can do without".to_owned());
        }
        match about.is_empty() {
            true => words::code(&used.name),
            false => format!("{} ({})", words::code(&used.name), about.join(", ")),
        }
    });
    some(words::list(&used.collect::<Vec<_>>()))
}

fn replicas(kind: ComponentKind, component: &Component) -> Option<String> {
    let replicas = &component.replicas;
    if !kind.runs() || *replicas == Replicas::usual(kind.word()) && kind != ComponentKind::Function {
        return None;
    }
    let (least, most) = (replicas.min, replicas.most());
    Some(if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    })
}

/// What makes the number of instances change.
pub(crate) fn scale(scale: &Scale) -> String {
    let mut parts = Vec::new();
    parts.extend(scale.cpu.map(|share| format!("CPU at {share}")));
    parts.extend(scale.memory.map(|share| format!("memory at {share}")));
    parts.extend(scale.connections.map(|number| {
        format!(
            "{} open connections for each instance",
            words::grouped(u64::from(number))
        )
    }));
    parts.extend(
        scale
            .requests
            .as_ref()
            .map(|rate| format!("{} for each instance", words::rate(rate))),
    );
    parts.extend(
        scale
            .p95
            .map(|time| format!("answers within {} at the 95th percentile", words::time(time))),
    );
    parts.extend(scale.queue.iter().map(queue));
    parts.extend(scale.metric.iter().map(|metric| {
        format!(
            "{} keeps {}",
            words::code(&metric.metric),
            words::code(&metric.keep)
        )
    }));
    parts.extend(scale.schedule.iter().map(|time| {
        format!(
            "{} {}",
            words::count(time.replicas, "instance"),
            words::window(&time.when)
        )
    }));
    parts.extend(
        scale
            .zero_after
            .map(|time| format!("asleep after {} without work", words::time(time))),
    );
    parts.join("; ")
}

fn queue(queue: &Queue) -> String {
    let asked = queue.redis.as_ref().or(queue.sql.as_ref()).map(words::code);
    let command = queue.command.as_ref().map(words::code);
    let metric = queue.metric.as_ref().map(words::code);
    let name = queue
        .name
        .as_ref()
        .map(words::code)
        .or(metric)
        .or(asked)
        .or(command)
        .unwrap_or_default();
    format!(
        "{} waiting in {name} for each instance",
        words::grouped(u64::from(queue.each))
    )
}

fn share_of_machine(component: &Component) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(component.size.as_ref().map(|size| words::text(size)));
    parts.extend(component.cpu.map(words::cpu));
    parts.extend(
        component
            .memory
            .map(|memory| format!("{} of memory", words::size(memory))),
    );
    parts.extend(
        component
            .gpu
            .filter(|gpu| *gpu > 0)
            .map(|gpu| words::count(gpu, "GPU")),
    );
    if component.pids != 512 {
        parts.push(format!(
            "at most {} processes",
            words::grouped(u64::from(component.pids))
        ));
    }
    some(words::list(&parts))
}

/// How it is known that an instance is well; the usual times go without saying.
fn health(health: &Health) -> String {
    let asked = match (&health.path, &health.command) {
        (Some(path), _) => format!("{} answers 200", words::code(path)),
        (None, Some(command)) => format!("{} ends with 0", words::code(command)),
        (None, None) => "it listens".to_owned(),
    };
    let usual = (known("1s"), known("5s"), known("30s"));
    let mut parts = vec![asked];
    if health.timeout != usual.1 {
        parts.push(format!("within {}", words::time(health.timeout)));
    }
    if health.interval != usual.0 {
        parts.push(format!("asked {}", words::each_time(health.interval)));
    }
    if health.deadline != usual.2 {
        parts.push(format!("with {} to become ready", words::time(health.deadline)));
    }
    parts.join(", ")
}

fn stop(stop: &Stop) -> Option<String> {
    (*stop != Stop::usual()).then(|| {
        format!(
            "by SIG{} within {}; open WebSockets are closed over {}",
            stop.signal.trim_start_matches("SIG"),
            words::time(stop.within),
            words::time(stop.drain)
        )
    })
}

fn restart(kind: ComponentKind, component: &Component) -> Option<String> {
    let usual = if kind == ComponentKind::Job {
        Restart::OnFailure
    } else {
        Restart::Always
    };
    (kind.runs() && component.restart != usual).then(|| match component.restart {
        Restart::Always => "whenever it ends".to_owned(),
        Restart::OnFailure => "when it fails".to_owned(),
        Restart::Never => "never".to_owned(),
    })
}

fn queues(component: &Component) -> Option<String> {
    let mut parts = Vec::new();
    if !component.queues.is_empty() {
        parts.push(words::codes(&component.queues));
    }
    parts.extend(
        component
            .concurrency
            .map(|number| format!("{} at a time", words::count(number, "job"))),
    );
    parts.extend(
        component
            .shard
            .as_ref()
            .map(|shard| format!("spread by the {}", words::text(shard))),
    );
    some(parts.join("; "))
}

fn retry(retry: &Retry) -> String {
    let dead = retry.dead_letter.as_ref().map(|queue| {
        format!(
            ", then to {} (an alert above {})",
            words::code(queue),
            retry.dead_most
        )
    });
    format!(
        "{}, first after {}{}",
        words::count(retry.times, "time"),
        words::time(retry.backoff),
        dead.unwrap_or_default()
    )
}

fn watch(watch: &[Watch]) -> Option<String> {
    let parts: Vec<String> = watch
        .iter()
        .map(|watch| {
            let action = match watch.action {
                WatchAction::Sync => "is copied in",
                WatchAction::Restart => "restarts it",
                WatchAction::Rebuild => "builds it anew",
            };
            format!("a change to {} {action}", words::code(&watch.path))
        })
        .collect();
    some(words::list(&parts))
}

fn hooks(component: &Component) -> Option<String> {
    let hooks = component.hooks.as_ref()?;
    let mut parts = Vec::new();
    parts.extend(
        hooks
            .before
            .as_ref()
            .map(|command| format!("before it {}", words::code(command))),
    );
    parts.extend(
        hooks
            .after
            .as_ref()
            .map(|command| format!("after it {}", words::code(command))),
    );
    parts.extend(
        hooks
            .after_rollback
            .as_ref()
            .map(|command| format!("after a rollback {}", words::code(command))),
    );
    parts.extend(
        hooks
            .after_restart
            .as_ref()
            .map(|command| format!("after a restart {}", words::code(command))),
    );
    some(parts.join("; "))
}
