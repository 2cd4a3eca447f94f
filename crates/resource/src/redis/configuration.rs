//! The configuration. The password stands in it and nowhere else: words of a command can be read by everybody.

use super::RedisOrder;
use std::fmt::Write;
use std::path::Path;
use towpath_model::desired::resource::Evict;

const MEBIBYTE: u64 = 1024 * 1024;

/// The least that a server is given: below it, it does little but make room.
const LEAST: u64 = 4 * MEBIBYTE;

pub(super) fn text(order: &RedisOrder) -> String {
    let mut text = String::from("# Written by Towpath at each start.\n");
    let mut set = |name: &str, value: &str| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{name} {value}");
    };
    set("bind", "127.0.0.1");
    set("protected-mode", "yes");
    set("port", &order.port.to_string());
    set("requirepass", &quoted(order.password.open().as_bytes()));
    set("daemonize", "no");
    set("logfile", "\"\"");
    set("dir", &path(&order.kept()));
    set("maxmemory-policy", policy(order.evict));
    if let Some(memory) = order.memory {
        // While a copy is written to the disk, what is changed meanwhile is in memory twice; and not all that the process
        // uses is counted.
        let share = if order.persistent {
            memory / 4 * 3
        } else {
            memory / 10 * 9
        };
        set("maxmemory", &share.max(LEAST).to_string());
    }
    if order.persistent {
        set("appendonly", "yes");
        set("appendfsync", "everysec");
        // A power cut leaves half a command at the end. What was written before it is whole.
        set("aof-load-truncated", "yes");
        set("save", "3600 1 300 100 60 10000");
    } else {
        set("appendonly", "no");
        set("save", "\"\"");
    }
    text
}

fn policy(evict: Evict) -> &'static str {
    match evict {
        Evict::None => "noeviction",
        Evict::Lru => "allkeys-lru",
        Evict::Lfu => "allkeys-lfu",
        Evict::Ttl => "volatile-ttl",
    }
}

fn path(path: &Path) -> String {
    quoted(path.as_os_str().as_encoded_bytes())
}

/// In the marks of the configuration any byte can be written by its number.
fn quoted(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            quoted.push(char::from(*byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(quoted, "\\x{byte:02x}");
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::Sealed;

    fn order(persistent: bool) -> RedisOrder {
        RedisOrder {
            folder: "/state/the cache".into(),
            port: 6380,
            password: Sealed::new("a \"b\\\n".to_owned()),
            version: None,
            memory: Some(64 * MEBIBYTE),
            evict: Evict::Lru,
            persistent,
        }
    }

    #[test]
    fn what_is_to_survive_is_kept() {
        insta::assert_snapshot!(text(&order(true)), @r#"
        # Written by Towpath at each start.
        bind 127.0.0.1
        protected-mode yes
        port 6380
        requirepass "a\x20\x22b\x5c\x0a"
        daemonize no
        logfile ""
        dir "/state/the\x20cache/kept"
        maxmemory-policy allkeys-lru
        maxmemory 50331648
        appendonly yes
        appendfsync everysec
        aof-load-truncated yes
        save 3600 1 300 100 60 10000
        "#);
    }

    #[test]
    fn what_is_not_to_survive_is_nowhere() {
        let text = text(&order(false));
        for line in ["appendonly no\n", "save \"\"\n", "cache/passing\"\n"] {
            assert!(text.contains(line), "{text}");
        }
    }
}
