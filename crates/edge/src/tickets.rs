//! Tickets by which a visitor comes back without a whole handshake, to this edge or the one after it.
//!
//! Nothing is kept for them: a ticket is what the visitor brings, sealed with a key that only edges of this product have. Each
//! key follows from the one before by a hash and is forgotten after two turns, so what was sealed long ago cannot be opened
//! by whoever steals one later. An edge and its successor come to the same keys without talking to each other.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use rustls::server::ProducesTickets;
use serde::{Deserialize, Serialize};
use towpath_model::sealed::Sealed;

use crate::door::clock;
use crate::guard::random;

/// A key is the one that seals for so many seconds, and opens for as long again.
const TURN: u64 = 6 * 60 * 60;

/// A clock that has jumped further than this has lost count, and the keys begin anew.
const TURNS: u64 = 10_000;

const LENGTH: usize = 32;

/// The keys.
pub(crate) struct Tickets(Mutex<Ring>);

struct Ring {
    turn: u64,
    /// The one that seals, and the one before it.
    roots: [[u8; LENGTH]; 2],
    keys: [Option<LessSafeKey>; 2],
}

/// What a successor is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Handed {
    turn: u64,
    #[serde(with = "sealed_texts")]
    roots: [Sealed<String>; 2],
}

impl Default for Tickets {
    fn default() -> Tickets {
        let roots = [random(), random()];
        Tickets(Mutex::new(Ring::new(
            turn_at(clock::since_epoch().as_secs()),
            roots,
        )))
    }
}

impl Tickets {
    /// What a successor needs to open what is sealed here.
    pub(crate) fn hand_over(&self) -> Handed {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Handed {
            turn: ring.turn,
            roots: ring
                .roots
                .map(|root| Sealed::new(base64_simd::STANDARD.encode_to_string(root))),
        }
    }

    /// Goes on with the keys of the one before.
    pub(crate) fn take_over(&self, handed: &Handed) {
        let read = |text: &Sealed<String>| {
            let bytes = base64_simd::STANDARD.decode_to_vec(text.open()).ok()?;
            <[u8; LENGTH]>::try_from(bytes).ok()
        };
        if let [Some(one), Some(other)] = [read(&handed.roots[0]), read(&handed.roots[1])] {
            let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *ring = Ring::new(handed.turn, [one, other]);
        }
    }

    fn seal(&self, plain: &[u8], now: u64) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).ok()?;
        let mut sealed = Vec::with_capacity(8 + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        let mut body = plain.to_vec();
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.turn_to(turn_at(now));
        let mark = ring.turn.to_be_bytes();
        let key = ring.keys[0].as_ref()?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&mark), &mut body)
            .ok()?;
        drop(ring);
        sealed.extend_from_slice(&mark);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Some(sealed)
    }

    fn open(&self, sealed: &[u8], now: u64) -> Option<Vec<u8>> {
        let (mark, rest) = sealed.split_first_chunk::<8>()?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        let mut body = body.to_vec();
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.turn_to(turn_at(now));
        let age = ring.turn.checked_sub(u64::from_be_bytes(*mark))?;
        let key = ring.keys.get(usize::try_from(age).ok()?)?.as_ref()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = key.open_in_place(nonce, Aad::from(mark), &mut body).ok()?;
        Some(plain.to_vec())
    }
}

impl Ring {
    fn new(turn: u64, roots: [[u8; LENGTH]; 2]) -> Ring {
        Ring {
            turn,
            keys: [key(&roots[0]), key(&roots[1])],
            roots,
        }
    }

    /// Turns forward; a clock that was set back turns nothing.
    fn turn_to(&mut self, turn: u64) {
        let Some(turns) = turn.checked_sub(self.turn).filter(|turns| *turns > 0) else {
            return;
        };
        let mut roots = self.roots;
        if turns > TURNS {
            roots = [random(), random()];
        } else {
            for _ in 0..turns {
                roots = [
                    blake3::derive_key("towpath edge: the next key for tickets", &roots[0]),
                    roots[0],
                ];
            }
        }
        *self = Ring::new(turn, roots);
    }
}

fn turn_at(seconds: u64) -> u64 {
    seconds / TURN
}

fn key(root: &[u8; LENGTH]) -> Option<LessSafeKey> {
    let key = blake3::derive_key("towpath edge: a key for tickets", root);
    UnboundKey::new(&AES_256_GCM, &key).ok().map(LessSafeKey::new)
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(2 * TURN).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.seal(plain, clock::since_epoch().as_secs())
    }

    fn decrypt(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.open(sealed, clock::since_epoch().as_secs())
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tickets").finish_non_exhaustive()
    }
}

/// Texts that nobody sees but those at both ends of the line.
mod sealed_texts {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use towpath_model::sealed::Sealed;

    pub(super) fn serialize<S: Serializer>(texts: &[Sealed<String>; 2], to: S) -> Result<S::Ok, S::Error> {
        [texts[0].open(), texts[1].open()].serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[Sealed<String>; 2], D::Error> {
        <[String; 2]>::deserialize(from).map(|texts| texts.map(Sealed::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn tickets() -> Tickets {
        Tickets(Mutex::new(Ring::new(turn_at(NOW), [random(), random()])))
    }

    #[test]
    fn a_ticket_is_opened_for_two_turns_and_by_whoever_was_given_the_keys() {
        let one = tickets();
        let ticket = one.seal(b"state", NOW).expect("it is sealed");
        let next = Tickets::default();
        next.take_over(&one.hand_over());
        for (tickets, later) in [(&one, 0), (&next, 0), (&one, TURN), (&next, TURN)] {
            let opened = tickets.open(&ticket, NOW + later);
            assert_eq!(opened.as_deref(), Some(&b"state"[..]), "{later}");
        }
        let since = next.seal(b"later", NOW + TURN).expect("it is sealed");
        assert_eq!(one.open(&since, NOW + TURN).as_deref(), Some(&b"later"[..]));
        assert_eq!(one.open(&ticket, NOW + 2 * TURN), None);
        assert_eq!(tickets().open(&ticket, NOW), None, "it is of another edge");
    }

    #[test]
    fn what_was_changed_or_cut_is_not_opened() {
        let tickets = tickets();
        let ticket = tickets.seal(b"state", NOW).expect("it is sealed");
        for at in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[at] ^= 1;
            assert_eq!(tickets.open(&changed, NOW), None, "{at}");
            assert_eq!(tickets.open(&ticket[..at], NOW), None, "{at}");
        }
    }

    #[test]
    fn a_clock_may_jump_either_way() {
        let tickets = tickets();
        let ticket = tickets.seal(b"state", NOW).expect("it is sealed");
        assert!(tickets.open(&ticket, NOW - 100 * TURN).is_some());
        assert!(tickets.open(&ticket, NOW + (TURNS + 5) * TURN).is_none());
        let anew = tickets.seal(b"anew", NOW).expect("it is sealed");
        assert!(tickets.open(&anew, NOW).is_some());
    }

    #[test]
    fn what_is_handed_over_is_not_shown() {
        assert!(!format!("{:?}", tickets().hand_over()).contains('='));
    }
}
