//! Words of other tools, and what they are called here.

/// Words that other tools use for tables of the root.
const TABLES: &[(&[&str], &str)] = &[
    (
        &[
            "services",
            "app",
            "apps",
            "web",
            "api",
            "server",
            "component",
            "components",
        ],
        "service",
    ),
    (
        &["workers", "worker_process", "consumer", "queue", "queues"],
        "worker",
    ),
    (&["bots", "discord", "discord_bot"], "bot"),
    (
        &["sites", "static", "frontend", "page", "pages", "spa", "website"],
        "site",
    ),
    (
        &["functions", "lambda", "serverless", "edge_function"],
        "function",
    ),
    (
        &["jobs", "cron", "crons", "task", "tasks", "cronjob", "scheduled"],
        "job",
    ),
    (&["extensions", "addon", "browser_extension"], "extension"),
    (
        &[
            "db",
            "database",
            "databases",
            "pg",
            "postgresql",
            "mysql",
            "sqlite",
        ],
        "postgres",
    ),
    (&["cache", "valkey", "kv", "memcached"], "redis"),
    (
        &["s3", "storage", "buckets", "volume", "volumes", "object_storage"],
        "bucket",
    ),
    (&["env", "envs", "environments", "stage", "stages"], "environment"),
    (&["proxy", "ingress", "http", "network"], "edge"),
    (&["slo", "slos", "objectives"], "objective"),
    (&["alerts", "alerting", "monitor", "monitoring"], "alert"),
    (
        &["notify", "notification", "notifications", "channels"],
        "channel",
    ),
    (&["check", "checks", "gates", "tests", "test"], "gate"),
    (&["probes", "synthetic", "healthcheck"], "probe"),
    (&["costs", "price", "prices"], "cost"),
    (&["flags", "feature", "features", "feature_flag"], "flag"),
    (&["adr", "adrs", "decisions"], "decision"),
    (&["name", "project", "app_name"], "product"),
    (
        &["dependency", "dependencies", "third_party", "externals"],
        "external",
    ),
];

/// Words that other tools use for fields.
const FIELDS: &[(&[&str], &str)] = &[
    (
        &["cmd", "command", "start", "entrypoint", "exec", "start_command"],
        "run",
    ),
    (&["image", "docker_image", "oci"], "artifact"),
    (&["depends_on", "needs", "requires", "links", "depends"], "uses"),
    (&["ports", "listen", "internal_port", "target_port"], "port"),
    (&["environment", "vars", "variables", "env_vars"], "env"),
    (
        &[
            "healthcheck",
            "health_check",
            "readiness",
            "liveness",
            "health_path",
        ],
        "health",
    ),
    (
        &["instances", "count", "scale_to", "num_replicas", "replica"],
        "replicas",
    ),
    (&["autoscale", "autoscaling", "autoscaler"], "scale"),
    (&["domain", "host", "hostname", "hostnames", "urls"], "domains"),
    (&["mem", "memory_limit", "ram", "mem_limit"], "memory"),
    (&["cpus", "cpu_limit", "vcpu"], "cpu"),
    (&["schedule", "crontab"], "cron"),
    (
        &["root", "output", "publish", "dist", "output_directory"],
        "files",
    ),
    (&["workdir", "cwd", "working_dir", "path", "directory"], "dir"),
    (&["description", "desc", "summary", "comment"], "about"),
    (&["rationale", "reason", "because"], "why"),
    (&["host", "provider", "place", "runs_on"], "at"),
    (&["strategy", "deploy", "deployment", "update"], "rollout"),
    (&["trigger", "triggers", "when", "branch"], "on"),
    (&["from", "promote_from", "needs", "previous"], "after"),
    (&["extends", "inherits", "inherit", "base"], "like"),
    (&["retention", "retain", "keep_for"], "keep"),
    (&["internal", "expose", "exposed", "private"], "public"),
    (&["rate_limit", "ratelimit", "limits"], "limit"),
    (&["backups"], "backup"),
    (&["migrations", "migration"], "migrate"),
    (&["seeds", "fixtures"], "seed"),
    (&["grace", "kill_timeout", "stop_grace_period"], "stop"),
    (&["wait", "bake_time"], "bake"),
    (&["owner", "who", "assignee"], "people"),
];

/// What a word of another tool is called here.
pub(super) fn synonym(word: &str, root: bool, single: bool) -> Option<&'static str> {
    let folded = word.to_lowercase().replace('-', "_");
    // A single value at the root is no table of things: it names the product or its region.
    if root && single {
        let known = |words: &[&str]| words.contains(&folded.as_str());
        if known(&["app", "name", "project", "app_name"]) {
            return Some("product");
        }
        return known(&["primary_region", "location"]).then_some("region");
    }
    let known = if root { TABLES } else { FIELDS };
    known
        .iter()
        .find(|(words, _)| words.contains(&folded.as_str()))
        .map(|(_, here)| *here)
}

/// What to do about a word of another tool that has no like here.
pub(super) fn advice(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().replace('-', "_").as_str() {
        "version" => "a manifest has no version of its own: take it out",
        "force_https" => "the edge answers plain HTTP with the HTTPS address by itself: take it out",
        "auto_stop_machines" | "auto_start_machines" | "auto_stop" | "auto_start" => {
            "what sleeps without requests is a [function.NAME]; other components stay"
        }
        "mounts" | "volume_mounts" | "volumes" => {
            "instances come and go: what has to stay is kept in a [bucket.NAME] or a database"
        }
        "networks" => "there are no networks to declare: `uses` says who reaches whom",
        "container_name" | "labels" => "Towpath names what it runs itself: take it out",
        "branch" => "say what makes a change arrive: on = \"push BRANCH\"",
        _ => return None,
    })
}

/// What to write instead of a field that a kind does not have.
pub(super) fn instead(field: &str, kind: &str) -> Option<&'static str> {
    Some(match (field, kind) {
        ("public", "bot") => "a bot takes no requests; a page or an interface of it is a service",
        ("public" | "domains", "worker") => "a worker takes no requests; what does is a service",
        ("public", "job") => "a job takes no requests; what does is a service or a function",
        ("health", "job") => "a job is well when it ends with 0; `timeout` bounds how long it may run",
        ("cron", _) => "only a job runs at times; make it a [job.NAME] of its own",
        ("run", "site") => "a site has no process: `build` makes its `files`; what runs is a service",
        ("run", "extension") => "an extension has no process: `build` makes the `files` that are packed",
        ("replicas", "site") => "a site has no instances; the edge serves its files",
        ("sticky", "function") => "instances of a function come and go; what has to stay is a service",
        ("scale", "job") => "a job runs once each time; `cron` says when, `concurrency` belongs to a worker",
        _ => return None,
    })
}
