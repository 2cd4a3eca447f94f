//! What Redis is asked: the length of something, the keys that it threw away, the jobs in BullMQ's queues.

use crate::count;
use crate::sources::{Kind, Sources, Store};
use crate::sql::told;
use towpath_model::desired::metric::Metric;
use towpath_model::run::Reading;
use towpath_resource::{Reply, say};

/// How many are in these lists, sorted sets, sets and streams together. What is not there is empty: Redis keeps no empty list.
pub(crate) async fn lengths(store: &Store, keys: &[&str], sources: &Sources) -> Result<f64, String> {
    let questions: Vec<[&str; 2]> = keys.iter().map(|key| ["TYPE", key]).collect();
    let kinds = ask(store, &questions, sources).await?;
    let mut commands: Vec<[&str; 2]> = Vec::new();
    for (key, kind) in keys.iter().zip(&kinds) {
        let Reply::Text(kind) = kind else {
            return Err(format!("Redis does not say what `{key}` is"));
        };
        commands.push(match kind.as_str() {
            "none" => continue,
            "list" => ["LLEN", key],
            "zset" => ["ZCARD", key],
            "stream" => ["XLEN", key],
            "set" => ["SCARD", key],
            "hash" => ["HLEN", key],
            other => {
                return Err(format!(
                    "`{key}` is a {other} in Redis, which has no length; name a list, a sorted set or a stream"
                ));
            }
        });
    }
    let lengths = ask(store, &commands, sources).await?;
    Ok(lengths.iter().map(whole).sum())
}

#[expect(clippy::cast_precision_loss, reason = "no server keeps so many jobs")]
fn whole(reply: &Reply) -> f64 {
    match reply {
        Reply::Number(number) => *number as f64,
        _ => 0.0,
    }
}

async fn ask(store: &Store, commands: &[[&str; 2]], sources: &Sources) -> Result<Vec<Reply>, String> {
    if commands.is_empty() {
        return Ok(Vec::new());
    }
    let commands: Vec<&[&str]> = commands.iter().map(<[&str; 2]>::as_slice).collect();
    let said = say(&store.address, &commands, sources.bound.to_std()).await;
    said.map_err(|error| told(&error))
}

/// The keys that a server has thrown away since it began: it has another name after each start.
pub(crate) async fn evictions(metric: &Metric, sources: &Sources) -> Result<Reading, String> {
    let store = sources.store(Kind::Redis, metric)?;
    let replies = ask(store, &[["INFO", "server"], ["INFO", "stats"]], sources).await?;
    let text = |at: usize| match replies.get(at) {
        Some(Reply::Text(text)) => text.as_str(),
        _ => "",
    };
    let evicted = field(text(1), "evicted_keys").and_then(crate::number);
    let evicted = evicted.ok_or("Redis does not say how many keys it evicted; may we ask it for INFO?")?;
    Ok(count(field(text(0), "run_id").unwrap_or("redis"), evicted))
}

/// `3` of `evicted_keys:3`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.map(str::trim)
}

/// The queues that a metric is about: those of its component, or of all that use its Redis.
fn queues<'a>(metric: &Metric, sources: &'a Sources) -> Result<Vec<(&'a str, Option<&'a str>)>, String> {
    let of = metric.of.as_ref().map(towpath_model::word::Ref::as_str);
    let of_component = of.filter(|of| sources.components.contains_key(*of));
    let meant = sources
        .components
        .iter()
        .filter(|(name, component)| match (of_component, of) {
            (Some(of), _) => name.as_str() == of,
            (None, Some(of)) => component.uses.iter().any(|used| used == of),
            (None, None) => true,
        });
    let queues: Vec<_> = meant
        .flat_map(|(_, component)| {
            let dead = component.dead_letter.as_deref();
            component.queues.iter().map(move |queue| (queue.as_str(), dead))
        })
        .collect();
    if queues.is_empty() {
        let of = of.map_or_else(String::new, |of| format!(" of `{of}`"));
        return Err(format!(
            "nobody says which queues{of} there are; write queues = [\"NAME\"] at the worker that takes the jobs"
        ));
    }
    Ok(queues)
}

async fn added(metric: &Metric, sources: &Sources, mut keys: Vec<String>) -> Result<Reading, String> {
    let store = sources.store(Kind::Redis, metric)?;
    // Two components may take from one queue.
    keys.sort();
    keys.dedup();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    lengths(store, &keys, sources).await.map(Reading::Level)
}

/// Jobs that could be taken now: those that wait, those with a priority, and those of a queue that is paused. What is delayed
/// waits for a time, and not for a worker.
pub(crate) async fn waiting(metric: &Metric, sources: &Sources) -> Result<Reading, String> {
    let places = ["wait", "prioritized", "paused"];
    let queues = queues(metric, sources)?;
    let keys = queues
        .iter()
        .flat_map(|(queue, _)| places.map(|place| format!("bull:{queue}:{place}")));
    added(metric, sources, keys.collect()).await
}

/// Jobs that failed for good: where BullMQ puts them, and what waits in the queue that the manifest names for them.
pub(crate) async fn dead(metric: &Metric, sources: &Sources) -> Result<Reading, String> {
    let queues = queues(metric, sources)?;
    let failed = queues.iter().map(|(queue, _)| format!("bull:{queue}:failed"));
    let named = queues
        .iter()
        .filter_map(|(_, dead)| Some(format!("bull:{}:wait", (*dead)?)));
    added(metric, sources, failed.chain(named).collect()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Component;
    use crate::tests::metric;

    fn component(queues: &[&str], uses: &[&str], dead: Option<&str>) -> Component {
        Component {
            queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
            uses: uses.iter().map(|name| (*name).to_owned()).collect(),
            dead_letter: dead.map(str::to_owned),
            ..Component::default()
        }
    }

    #[test]
    fn the_queues_are_those_of_whoever_is_named() {
        let sources = Sources {
            components: [
                (
                    "import".to_owned(),
                    component(&["a", "b"], &["queue"], Some("dead")),
                ),
                ("mail".to_owned(), component(&["c"], &["other"], None)),
            ]
            .into(),
            ..Sources::default()
        };
        let of = |name: &str| {
            let metric = metric(&format!(r#"{{"of": "{name}"}}"#));
            queues(&metric, &sources).map(|queues| queues.iter().map(|(queue, _)| *queue).collect::<String>())
        };
        assert_eq!(of("import").unwrap(), "ab");
        assert_eq!(of("other").unwrap(), "c");
        assert!(of("queues").unwrap_err().contains("write queues"));
        assert_eq!(queues(&metric("{}"), &sources).unwrap().len(), 3);
    }

    #[test]
    fn a_field_of_what_redis_says_is_found_by_all_of_its_name() {
        let text = "# Stats\r\nevicted_keys_more:9\r\nevicted_keys:3\r\n";
        assert_eq!(field(text, "evicted_keys"), Some("3"));
        assert_eq!(field(text, "keys"), None);
    }
}
