//! The sign of life of the bot: a file with the time of the gateway's last answer, and how often there should be one.

use std::fs;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// So many beats may be missed: one gets lost now and then.
const MISSED: u32 = 3;

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Notes that the gateway has answered. Whoever reads it sees the whole of it.
pub fn note(path: &str, every: Duration) -> io::Result<()> {
    if let Some(folder) = std::path::Path::new(path).parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = format!("{path}.new");
    fs::write(&beside, format!("{} {}", now(), every.as_millis()))?;
    fs::rename(beside, path)
}

/// There is no connection any more.
pub fn forget(path: &str) {
    // That there was none is as well.
    let _ = fs::remove_file(path);
}

/// Whether the connection lives, or why not.
pub fn lives(path: &str) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|_| "there is no connection to the gateway".to_owned())?;
    judge(&text, now())
}

fn judge(text: &str, now: u64) -> Result<(), String> {
    let mut numbers = text.split(' ').map(str::parse::<u64>);
    let (Some(Ok(at)), Some(Ok(every))) = (numbers.next(), numbers.next()) else {
        return Err("the sign of life cannot be read".to_owned());
    };
    let age = now.saturating_sub(at);
    match age <= every.saturating_mul(u64::from(MISSED)) {
        true => Ok(()),
        false => Err(format!("the gateway has not answered for {} s", age / 1000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_lives_as_long_as_the_gateway_answers() {
        assert_eq!(judge("10000 2000", 15_000), Ok(()));
        assert_eq!(
            judge("10000 2000", 17_500),
            Err("the gateway has not answered for 7 s".to_owned())
        );
        assert!(judge("", 0).is_err());
    }
}
