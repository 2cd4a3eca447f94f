//! Visitors who come again and again, and count what was lost.

use crate::outside::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a visitor waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// Visitors, each of one host, with a new connection each time.
pub(crate) struct Visitors {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    all: Vec<JoinHandle<u64>>,
}

impl Visitors {
    /// One for each of these hosts, with this pause between two requests.
    pub(crate) fn come(port: u16, hosts: &[&str], pause: Duration) -> Visitors {
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let visitor = |host: &&str| {
            let (stop, asked, host) = (Arc::clone(&stop), Arc::clone(&asked), (*host).to_owned());
            thread::spawn(move || {
                let mut lost = 0;
                while !stop.load(Ordering::Relaxed) {
                    let answered = get(port, &host, PATIENCE) == Some(200);
                    lost += u64::from(!answered);
                    asked.fetch_add(1, Ordering::Relaxed);
                    if !pause.is_zero() {
                        thread::sleep(pause);
                    }
                }
                lost
            })
        };
        let all = hosts.iter().map(visitor).collect();
        Visitors { stop, asked, all }
    }

    /// How many requests there were, and how many of them were lost.
    pub(crate) fn go(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        let lost = self.all.into_iter();
        let lost = lost.filter_map(|visitor| visitor.join().ok()).sum();
        (self.asked.load(Ordering::Relaxed), lost)
    }
}
