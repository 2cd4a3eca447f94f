//! A small fuzzer that runs wherever tests run: examples and broken manifests, bent a little, from a fixed seed.
//!
//! What it finds is found again by the same seed. The real one, guided by coverage, is in `fuzz/`.
#![allow(clippy::disallowed_methods, reason = "seeds are files of the repository")]

mod fuzzing;

use std::fs;
use std::path::{Path, PathBuf};

/// How often each seed is bent; a debug build does all of it in about ten seconds.
const BENT: usize = 20;

/// Pieces that mean something to the language or to TOML.
const PIECES: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    "\"",
    "'",
    "\"\"\"",
    ",",
    ".",
    "\n",
    "\r\n",
    "#",
    "\\",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "false",
    "true",
    "-1",
    "0",
    "99999999999999999999",
    "1e400",
    "nan",
    "inf",
    "0x7f",
    "10%",
    "$5",
    "30d",
    "100/s",
    "1979-05-27",
    "secret:",
    "from:",
    "flag:",
    "like = \"prod\"\n",
    "include = \"towpath.toml\"\n",
    "only = []\n",
    "uses = [\"web\"]\n",
    "[environment.prod.service.web]\n",
    "[environment.dev]\n",
    "# file: more.toml\n",
];

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % (bound.max(1) as u64)).expect("it is below a bound")
    }
}

fn manifests() -> Vec<(String, Vec<u8>)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut folders = vec![here.join("../../examples"), here.join("tests/broken")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of seeds is there") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                // What has been built there, and what runs there, is no seed.
                if !path.ends_with("target") && !path.ends_with(".towpath") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let read = |path: PathBuf| {
        (
            path.display().to_string(),
            fs::read(&path).expect("a seed is readable"),
        )
    };
    paths.into_iter().map(read).collect()
}

/// Bends bytes in a few places.
fn bend(bytes: &[u8], others: &[(String, Vec<u8>)], dice: &mut Dice) -> Vec<u8> {
    let mut bent = bytes.to_vec();
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(bent.len());
        let end = (at + dice.below(40)).min(bent.len());
        match dice.below(6) {
            0 => drop(bent.drain(at..end)),
            1 => {
                let piece = PIECES[dice.below(PIECES.len())];
                bent.splice(at..at, piece.bytes());
            }
            2 => {
                let piece = PIECES[dice.below(PIECES.len())];
                bent.splice(at..end, piece.bytes());
            }
            3 => {
                let copied = bent[at..end].to_vec();
                let to = dice.below(bent.len());
                bent.splice(to..to, copied);
            }
            4 => {
                let (_, other) = &others[dice.below(others.len())];
                let from = dice.below(other.len());
                let part = &other[from..(from + 200).min(other.len())];
                bent.splice(at..at, part.iter().copied());
            }
            _ => {
                if let Some(byte) = bent.get_mut(at) {
                    *byte = u8::try_from(dice.below(256)).unwrap_or(0);
                }
            }
        }
    }
    bent
}

#[test]
fn bent_manifests_neither_panic_nor_blow_up() {
    let seeds = manifests();
    assert!(seeds.len() >= 30, "only {} seeds", seeds.len());
    let mut dice = Dice(20_261_121);
    for (name, bytes) in &seeds {
        fuzzing::try_everything(bytes);
        for number in 0..BENT {
            let bent = bend(bytes, &seeds, &mut dice);
            let tried = std::panic::catch_unwind(|| fuzzing::try_everything(&bent));
            assert!(
                tried.is_ok(),
                "bent {number} times, {name} is too much:\n{}",
                String::from_utf8_lossy(&bent)
            );
        }
    }
}

#[test]
fn every_manifest_may_end_anywhere() {
    for (name, bytes) in manifests() {
        let mut dice = Dice(bytes.len() as u64);
        let end = dice.below(bytes.len());
        let tried = std::panic::catch_unwind(|| fuzzing::try_everything(&bytes[..end]));
        assert!(tried.is_ok(), "{name} must not end at {end}");
    }
}
