//! Numbers that nobody can guess. Each request needs some, so they are fetched many at a time.

use std::cell::RefCell;

/// How many a thread fetches at a time.
const TOGETHER: usize = 128;

struct Fetched {
    numbers: [u64; TOGETHER],
    left: usize,
}

impl Fetched {
    const NONE: Fetched = Fetched {
        numbers: [0; TOGETHER],
        left: 0,
    };

    fn refill(&mut self) {
        let mut bytes = [0; TOGETHER * size_of::<u64>()];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system gives random bytes");
        for (number, eight) in self.numbers.iter_mut().zip(bytes.as_chunks().0) {
            *number = u64::from_ne_bytes(*eight);
        }
        self.left = TOGETHER;
    }
}

/// Another number.
pub(crate) fn number() -> u64 {
    thread_local! {
        static FETCHED: RefCell<Fetched> = const { RefCell::new(Fetched::NONE) };
    }
    FETCHED.with_borrow_mut(|fetched| {
        if fetched.left == 0 {
            fetched.refill();
        }
        fetched.left -= 1;
        // It is somebody's from here on, and nobody finds it here again.
        std::mem::take(&mut fetched.numbers[fetched.left])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_number_comes_twice() {
        let here = (0..3 * TOGETHER).map(|_| number());
        let there = std::thread::spawn(|| [(); TOGETHER].map(|()| number()));
        let all: HashSet<u64> = here.chain(there.join().expect("it counts")).collect();
        assert_eq!(all.len(), 4 * TOGETHER);
    }
}
