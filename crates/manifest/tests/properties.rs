//! What holds of every right manifest, tried on sampled ones. The seeds are fixed: a run means the same everywhere.

mod sample;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sample::{Dice, manifest, reading, told};
use std::sync::Arc;
use towpath_manifest::print;
use towpath_model::spec::{Entries, Kind, Node, Tree, merge};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_261_121),
        ..ProptestConfig::default()
    }
}

/// A small tree with few names, so that trees laid over each other meet.
fn tree(dice: &mut Dice, depth: usize) -> Tree {
    let kind = match dice.below(if depth == 0 { 3 } else { 6 }) {
        0 => Kind::Off,
        1 => Kind::Text(dice.below(3).to_string()),
        2 => Kind::List(vec![Arc::new(Node::text("one"))]),
        _ => table(dice, depth - 1),
    };
    Arc::new(Node::new(kind))
}

fn table(dice: &mut Dice, depth: usize) -> Kind {
    let count = dice.below(4);
    let entries: Entries = (0..count)
        .map(|_| {
            let name = (*dice.pick(&["a", "b", "c"])).to_owned();
            (name, tree(dice, depth))
        })
        .collect();
    Kind::Table(entries)
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn a_right_manifest_is_read_without_a_complaint_about_its_words(seed in any::<u64>()) {
        let text = toml::to_string(&manifest(seed)).expect("it is TOML");
        let reading = reading(&text);
        prop_assert_eq!(told(&reading, &["TP00", "TP01", "TP0201", "TP0209"]), Vec::<String>::new(), "{}", text);
        prop_assert!(reading.desired.is_some());
    }

    #[test]
    fn what_is_printed_means_the_same(seed in any::<u64>()) {
        let text = toml::to_string(&manifest(seed)).expect("it is TOML");
        let first = reading(&text);
        let desired = first.desired.as_ref().expect("it is readable");
        let printed = print(desired);
        let again = reading(&printed);
        prop_assert_eq!(told(&again, &["TP00", "TP01"]), Vec::<String>::new(), "{}", printed);
        prop_assert_eq!(again.desired.as_ref(), Some(desired), "{}", printed);
        prop_assert_eq!(print(desired), print(again.desired.as_ref().expect("it is readable")));
        for (name, layer) in &first.environments {
            let printed = reading(&print(&layer.desired));
            prop_assert_eq!(printed.desired.as_ref(), Some(&layer.desired), "{}", name);
        }
    }

    #[test]
    fn reading_twice_tells_the_same(seed in any::<u64>()) {
        let mut written = manifest(seed);
        written.remove("product");
        written.insert("prodct".to_owned(), toml::Value::Integer(1));
        let text = toml::to_string(&written).expect("it is TOML");
        prop_assert_eq!(reading(&text).findings, reading(&text).findings);
    }

    #[test]
    fn laying_over_manifests_is_associative(one in any::<u64>(), two in any::<u64>(), three in any::<u64>()) {
        let root = |seed| reading(&toml::to_string(&manifest(seed)).expect("it is TOML")).root;
        let (a, b, c) = (root(one), root(two), root(three));
        prop_assert_eq!(merge(&a, &merge(&b, &c)), merge(&merge(&a, &b), &c));
    }
}

proptest! {
    #![proptest_config(cases(4096))]

    #[test]
    fn laying_over_is_associative(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let [a, b, c] = std::array::from_fn(|_| Arc::new(Node::new(table(&mut dice, 3))));
        prop_assert_eq!(merge(&a, &merge(&b, &c)), merge(&merge(&a, &b), &c));
    }

    #[test]
    fn laying_a_tree_over_itself_changes_nothing(seed in any::<u64>()) {
        let tree = Arc::new(Node::new(table(&mut Dice(seed), 3)));
        prop_assert_eq!(merge(&tree, &tree), tree);
    }
}
