//! By what an answer is found again: everything that its origin is told of a request and that no header names.

use std::sync::Arc;

/// The key of an answer: the target and what it is made of, the door by which the request came, the host as it was written,
/// and the path with its query, byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key(Arc<[u8]>);

/// What a key is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'k> {
    pub(super) target: &'k str,
    /// What the target is made of.
    pub(super) build: u64,
    /// The release that answers, where there is a choice.
    pub(super) release: &'k str,
    pub(super) secure: bool,
    /// A component has asked, and no visitor.
    pub(super) inside: bool,
    /// As it was written, with its port: the origin is told it so.
    pub(super) host: &'k str,
    pub(super) path: &'k str,
}

impl Of<'_> {
    pub(super) fn key(&self) -> Key {
        let length = self.target.len() + self.host.len() + self.path.len() + self.release.len() + 13;
        let mut key = Vec::with_capacity(length);
        key.extend_from_slice(self.target.as_bytes());
        // None of the parts before the path can have this byte in it, so no two requests have one key.
        key.push(0);
        key.extend_from_slice(&self.build.to_le_bytes());
        key.push(u8::from(self.secure) | u8::from(self.inside) << 1);
        key.extend_from_slice(self.release.as_bytes());
        key.push(0);
        key.extend_from_slice(self.host.as_bytes());
        key.push(0);
        key.extend_from_slice(self.path.as_bytes());
        Key(key.into())
    }
}

impl Key {
    pub(super) fn weight(&self) -> usize {
        self.0.len()
    }

    /// Whether it belongs to a target that is made of something else now.
    pub(super) fn is_former(&self, target: &str, build: u64) -> bool {
        let rest = self.0.strip_prefix(target.as_bytes());
        let build_there = rest
            .and_then(|rest| rest.strip_prefix(&[0]))
            .and_then(|rest| rest.get(..8));
        build_there.is_some_and(|there| there != build.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: Of<'static> = Of {
        target: "web",
        build: 1,
        release: "",
        secure: true,
        inside: false,
        host: "a.example",
        path: "/a?b=1",
    };

    #[test]
    fn whatever_an_origin_is_told_makes_another_key() {
        let others = [
            Of { target: "we", ..OF },
            Of { build: 2, ..OF },
            Of { release: "2", ..OF },
            Of { secure: false, ..OF },
            Of { inside: true, ..OF },
            Of {
                host: "A.example",
                ..OF
            },
            Of {
                host: "a.example:1",
                ..OF
            },
            Of { path: "/a", ..OF },
            Of {
                path: "/a?b=1&",
                ..OF
            },
            Of {
                path: "/%61?b=1",
                ..OF
            },
            Of {
                path: "//a?b=1",
                ..OF
            },
        ];
        for other in others {
            assert_ne!(other.key(), OF.key(), "{other:?}");
        }
        assert_eq!(OF.key(), OF.key());
        assert!(OF.key().is_former("web", 2));
        assert!(!OF.key().is_former("web", 1) && !OF.key().is_former("we", 2));
    }
}
