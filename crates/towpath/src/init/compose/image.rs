//! Images that everybody knows: what Towpath has a word for, and what it does itself.

use towpath_model::desired::resource::ResourceKind;

/// What an image is.
pub(super) enum Image {
    /// Something that keeps data, its major version, and the extensions that come with it.
    Resource(ResourceKind, Option<String>, Vec<&'static str>),
    /// A proxy in front of the others.
    Proxy,
    /// Something that is not taken over, and why.
    Tool(&'static str),
    /// A component of the product.
    Own,
}

pub(super) fn known(image: &str) -> Image {
    let (name, tag) = split(image);
    let last = name.rsplit('/').next().unwrap_or(name);
    let whole = name.strip_prefix("docker.io/").unwrap_or(name);
    let major = || major(tag);
    match (whole, last) {
        (_, "postgres" | "postgresql") => Image::Resource(ResourceKind::Postgres, major(), Vec::new()),
        (_, "postgis") => Image::Resource(ResourceKind::Postgres, major(), vec!["postgis"]),
        (_, "pgvector") => Image::Resource(ResourceKind::Postgres, major(), vec!["vector"]),
        (_, "timescaledb") => Image::Resource(ResourceKind::Postgres, pg_in(tag), vec!["timescaledb"]),
        (_, "redis" | "valkey") => Image::Resource(ResourceKind::Redis, major(), Vec::new()),
        (_, "redis-stack" | "redis-stack-server" | "keydb" | "dragonfly") => {
            Image::Resource(ResourceKind::Redis, None, Vec::new())
        }
        (_, "minio") => Image::Resource(ResourceKind::Bucket, None, Vec::new()),
        ("minio/mc", _) => Image::Tool("buckets are made by Towpath"),
        (_, "nginx" | "caddy" | "traefik" | "haproxy" | "envoy" | "nginx-proxy" | "httpd") => Image::Proxy,
        (_, "certbot" | "acme-companion") => Image::Tool("the edge gets certificates itself"),
        (_, "cloudflared") => Image::Tool("a tunnel; say it with edge.in_front"),
        (
            _,
            "mysql" | "mariadb" | "mongo" | "mongodb" | "rabbitmq" | "kafka" | "cp-kafka" | "nats"
            | "memcached" | "elasticsearch" | "opensearch" | "meilisearch" | "clickhouse-server"
            | "zookeeper" | "cp-zookeeper" | "mosquitto" | "localstack" | "mssql" | "server" | "cassandra"
            | "qdrant" | "influxdb",
        ) => Image::Tool(
            "Towpath does not run it; declare it as [external.NAME] with the secret that holds its address",
        ),
        (_, "adminer" | "pgadmin4" | "phpmyadmin" | "redis-commander" | "redisinsight" | "mongo-express") => {
            Image::Tool("a tool to look at data, not part of the product")
        }
        (_, "mailhog" | "mailpit" | "maildev" | "smtp4dev") => {
            Image::Tool("catches mail while developing; declare the real one as [external.mail]")
        }
        (
            _,
            "prometheus" | "grafana" | "loki" | "promtail" | "jaeger" | "tempo" | "cadvisor"
            | "node-exporter" | "alertmanager" | "otel-collector",
        ) => Image::Tool("see [metric.NAME], [alert.NAME] and `telemetry`"),
        (_, "watchtower" | "autoheal" | "ofelia") => Image::Tool("Towpath does this itself"),
        _ => Image::Own,
    }
}

/// The name and the tag of an image.
fn split(image: &str) -> (&str, &str) {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, ""),
    }
}

/// The name of an image without its tag.
pub(super) fn untagged(image: &str) -> Option<String> {
    let name = split(image).0;
    let fine = |letter: char| letter.is_ascii_alphanumeric() || "-_./:".contains(letter);
    (!name.is_empty() && name.chars().all(fine)).then(|| name.to_owned())
}

/// The number that a tag begins with: `16-alpine` is 16.
fn major(tag: &str) -> Option<String> {
    let tag = tag.strip_prefix("pg").unwrap_or(tag);
    let digits: String = tag.chars().take_while(char::is_ascii_digit).take(3).collect();
    (!digits.is_empty()).then_some(digits)
}

/// The version of Postgres in a tag: `latest-pg16` is 16.
fn pg_in(tag: &str) -> Option<String> {
    tag.split("pg").nth(1).and_then(major)
}
