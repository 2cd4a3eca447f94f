//! The id by which a request is found again in the logs of everything that it went through.
//!
//! One that is brought along is kept, where it looks like one: what a component says when it asks another one, and what a
//! visitor's own tools count by. What it looks like ends up in logs, so nothing else is let in.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::{chance, hexadecimal};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The ids of all tracing systems that we know of fit; a longer one is no id.
const LONGEST: usize = 128;

/// Digits of a new one.
const LENGTH: usize = 32;

/// How many new ones share a piece of memory.
const TOGETHER: usize = 64;

/// The id of a request: its own, or a new one.
pub(crate) fn of(headers: &HeaderMap) -> HeaderValue {
    let mut brought = headers.get_all(REQUEST_ID).iter();
    match (brought.next(), brought.next()) {
        (Some(id), None) if is_plausible(id.as_bytes()) => id.clone(),
        _ => make(),
    }
}

fn is_plausible(id: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:=+/@".contains(byte);
    (8..=LONGEST).contains(&id.len()) && id.iter().all(is_letter)
}

/// An id that nobody has and nobody can guess.
fn make() -> HeaderValue {
    let mut id = [0; LENGTH];
    let (left, right) = id.split_at_mut(LENGTH / 2);
    hexadecimal::write(&chance::number().to_ne_bytes(), left);
    hexadecimal::write(&chance::number().to_ne_bytes(), right);
    HeaderValue::from_maybe_shared(keep(&id)).expect("it is in hexadecimal digits")
}

/// Keeps an id in memory that it shares with those before and after it: one piece for many of them, which is given back when
/// the last of them has gone.
fn keep(id: &[u8; LENGTH]) -> Bytes {
    thread_local! {
        static ROOM: RefCell<BytesMut> = RefCell::new(BytesMut::new());
    }
    ROOM.with_borrow_mut(|room| {
        if room.capacity() < LENGTH {
            *room = BytesMut::with_capacity(LENGTH * TOGETHER);
        }
        room.extend_from_slice(id);
        room.split().freeze()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(ids: &[&str]) -> HeaderMap {
        let value = |id: &&str| (REQUEST_ID, HeaderValue::try_from(*id).expect("it is a value"));
        ids.iter().map(value).collect()
    }

    #[test]
    fn what_looks_like_an_id_is_kept() {
        for id in ["4bf92f3577b34da6", "01J9Z3NDEKTSV4RRFFQ69G5FAV", "a:b/c=d+e@f._-"] {
            assert_eq!(of(&with(&[id])), id);
        }
    }

    #[test]
    fn what_does_not_is_replaced_by_one_that_nobody_has() {
        let long = "a".repeat(129);
        for ids in [
            &[][..],
            &[""],
            &["short"],
            &["with space"],
            &["<script>x"],
            &[&long],
            &["abcdefgh", "ijklmnop"],
        ] {
            let made = of(&with(ids));
            assert!(made.len() == 32 && is_plausible(made.as_bytes()), "{ids:?}");
            assert_ne!(made, of(&with(ids)));
        }
    }
}
