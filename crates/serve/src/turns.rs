//! Something that is done so often in such a time at most.

use std::time::Duration;

/// When it was done lately.
#[derive(Debug)]
pub(crate) struct Turns {
    at: Vec<Duration>,
    most: usize,
    within: Duration,
}

impl Turns {
    pub(crate) fn new(most: usize, within: Duration) -> Self {
        Turns {
            at: Vec::new(),
            most,
            within,
        }
    }

    /// Whether it may be done now. Whoever asks does it.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        self.at.retain(|at| now < *at + self.within);
        let is_free = self.at.len() < self.most;
        if is_free {
            self.at.push(now);
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_done_so_often_in_such_a_time_and_later_again() {
        let mut turns = Turns::new(2, Duration::from_secs(30));
        let mut take = |second| turns.take(Duration::from_secs(second));
        assert!(take(0) && take(10));
        assert!(!take(29));
        assert!(take(30) && !take(39) && take(40));
    }
}
