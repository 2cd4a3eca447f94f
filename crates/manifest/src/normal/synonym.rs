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
            "readinessprobe",
            "livenessprobe",
            "startupprobe",
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
    (&["schedule", "crontab", "every"], "cron"),
    (&["every", "schedule", "frequency"], "full"),
    (&["test"], "command"),
    (&["httpget", "endpoint", "url"], "path"),
    (&["periodseconds", "period", "every"], "interval"),
    (&["timeoutseconds"], "timeout"),
    (
        &["initialdelayseconds", "start_period", "grace_period"],
        "deadline",
    ),
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

/// What a word of another tool may be called here, best first.
pub(super) fn synonyms(word: &str, root: bool, single: bool) -> Vec<&'static str> {
    let folded = word.to_lowercase().replace('-', "_");
    // A single value at the root is no table of things: it names the product or its region.
    if root && single {
        let known = |words: &[&str]| words.contains(&folded.as_str());
        if known(&["app", "name", "project", "app_name"]) {
            return vec!["product"];
        }
        return known(&["primary_region", "location"])
            .then_some("region")
            .into_iter()
            .collect();
    }
    let known = if root { TABLES } else { FIELDS };
    known
        .iter()
        .filter(|(words, _)| words.contains(&folded.as_str()))
        .map(|(_, here)| *here)
        .collect()
}

/// What to do about a word of another tool that has no like here.
pub(super) fn advice(word: &str, table: &str) -> Option<&'static str> {
    let folded = word.to_lowercase().replace('-', "_");
    Some(match (folded.as_str(), table) {
        ("version" | "apiversion", "Desired") => "a manifest has no version of its own: take it out",
        ("kind", "Desired") => "the kind is the name of the table, as in [service.NAME] or [job.NAME]",
        ("metadata" | "spec", "Desired") => "a component is a table: [service.NAME], and its fields below it",
        ("variable" | "variables" | "var" | "locals", "Desired") => {
            "what is secret is a [secret.NAME]; other values stand in the `env` of a component"
        }
        ("resource" | "resources" | "module" | "data", "Desired") => {
            "what keeps data is a [postgres.NAME], [redis.NAME] or [bucket.NAME]"
        }
        ("terraform", "Desired") => "Towpath keeps its own record of what runs: take it out",
        ("http_service", "Desired") => "what takes requests is a [service.NAME] with public = true",
        ("kill_signal", "Desired") => "write it in a component: stop = { signal = \"INT\" }",
        ("kill_timeout", "Desired") => "write it in a component: stop = \"30s\"",
        ("processes", "Desired") => {
            "each process is a component: [service.NAME], [worker.NAME] or [bot.NAME]"
        }
        ("vm", "Desired") => "write `cpu` and `memory` in a component",
        ("configs", "Desired") => "files with settings belong to a component: config = [\"FILE\"]",
        ("resources", "Component") => "write `cpu` and `memory` in the component itself",
        ("env_file" | "envfile" | "envfrom", "Component") => {
            "what is secret is a [secret.NAME], and all else is written in `env`"
        }
        ("secrets", "Component") => "write env = { NAME = \"secret:NAME\" }, and declare [secret.NAME]",
        ("securitycontext" | "privileged" | "cap_add" | "user", "Component") => {
            "instances run without rights that they do not need: take it out"
        }
        ("port", "Health") => "the component's own `port` is asked: take it out",
        ("retries" | "failurethreshold" | "successthreshold", "Health") => {
            "a new instance is asked again and again until the `deadline`: take it out"
        }
        ("targetcpuutilizationpercentage" | "target_cpu" | "target", "Replicas") => {
            "what makes the number grow stands beside `replicas`: scale = { cpu = \"70%\" }"
        }
        ("maxsurge" | "max_surge" | "maxunavailable" | "max_unavailable" | "max_parallel", "Rollout") => {
            "new instances start before old ones stop, so there are never too few: take it out"
        }
        ("force_https", _) => "the edge answers plain HTTP with the HTTPS address by itself: take it out",
        ("auto_stop_machines" | "auto_start_machines" | "auto_stop" | "auto_start", _) => {
            "what sleeps without requests is a [function.NAME]; other components stay"
        }
        ("mounts" | "volume_mounts" | "volumemounts" | "volumes", _) => {
            "instances come and go: what has to stay is kept in a [bucket.NAME] or a database"
        }
        ("networks", _) => "there are no networks to declare: `uses` says who reaches whom",
        ("container_name" | "labels", _) => "Towpath names what it runs itself: take it out",
        ("branch", _) => "say what makes a change arrive: on = \"push BRANCH\"",
        _ => return None,
    })
}

/// What words of other tools are among the words that may be chosen.
pub(super) fn choice(word: &str) -> &'static [&'static str] {
    match word.to_lowercase().replace(['-', '_', ' '], "").as_str() {
        "unlessstopped" => &["always"],
        "no" => &["never"],
        "rollingupdate" | "rollingrelease" => &["rolling"],
        "replace" | "stopfirst" | "inplace" => &["recreate"],
        "allkeyslru" | "volatilelru" => &["lru"],
        "allkeyslfu" | "volatilelfu" => &["lfu"],
        "noeviction" => &["none"],
        "k8s" | "eks" | "gke" | "aks" | "kubernetes" => &["kubernetes", "cluster"],
        "vm" | "vps" | "server" | "droplet" | "baremetal" => &["machine"],
        "paas" => &["platform"],
        "compose" | "dockercompose" => &["docker"],
        "ws" | "wss" => &["websocket"],
        "https" => &["http"],
        _ => &[],
    }
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
