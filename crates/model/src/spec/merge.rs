//! Lays one tree over another, and tells two trees apart.
//!
//! Tables merge name by name; everything else is replaced as a whole. `false` switches an optional setting off, and
//! what is laid over an off setting starts afresh, so that it does not bring back what was switched off. With that
//! mark, laying over is associative: it does not matter whether an environment's words are first joined with those
//! of the environment that it is like, or laid over the product one after the other.

use super::{Kind, Node, Path, Tree};
use std::sync::Arc;

/// `over` laid over `base`.
pub fn merge(base: &Tree, over: &Tree) -> Tree {
    if over.fresh {
        return Arc::clone(over);
    }
    match (&base.kind, &over.kind) {
        (Kind::Table(below), Kind::Table(above)) => {
            if above.is_empty() {
                return Arc::clone(base);
            }
            let mut joined = below.clone();
            for (name, node) in above {
                match joined.get_mut(name) {
                    Some(old) => *old = merge(old, node),
                    None => {
                        joined.insert(name.clone(), Arc::clone(node));
                    }
                }
            }
            let kind = Kind::Table(joined);
            Arc::new(Node {
                kind,
                at: base.at.or(over.at),
                fresh: base.fresh,
            })
        }
        (_, Kind::Table(_)) => Arc::new(Node {
            fresh: true,
            ..Node::clone(over)
        }),
        _ => Arc::clone(over),
    }
}

/// One place in which two trees say something else.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where.
    pub path: Path,
    /// What the first says, if anything.
    pub before: Option<Tree>,
    /// What the second says, if anything.
    pub after: Option<Tree>,
}

/// Everything in which `after` differs from `before`, in the order of `before` and then of `after`.
pub fn differences(before: &Tree, after: &Tree) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(Path::root(), Some(before), Some(after), &mut found);
    found
}

fn compare(path: Path, before: Option<&Tree>, after: Option<&Tree>, found: &mut Vec<Difference>) {
    match (before, after) {
        (Some(one), Some(other)) if Arc::ptr_eq(one, other) => {}
        (Some(one), Some(other)) => match (&one.kind, &other.kind) {
            (Kind::Table(below), Kind::Table(above)) => {
                for (name, node) in below {
                    compare(path.key(name), Some(node), above.get(name), found);
                }
                for (name, node) in above.iter().filter(|(name, _)| !below.contains_key(*name)) {
                    compare(path.key(name), None, Some(node), found);
                }
            }
            (one_kind, other_kind) if one_kind == other_kind => {}
            _ => found.push(Difference {
                path,
                before: before.cloned(),
                after: after.cloned(),
            }),
        },
        (None, None) => {}
        _ => found.push(Difference {
            path,
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}
