//! Which target answers for a host and a path.
//!
//! The host names a target, exactly; an address of this machine (`localhost`, `127.0.0.1`) names the only public target where
//! there is just one. Of the target's routes the longest beginning wins, and a beginning ends where a part of the path ends:
//! `/api` is the beginning of `/api/users` and not of `/apiary`. Routes of the target that a route leads to are not followed:
//! a path leads at most one step, so there are no circles to be found.

use crate::RouteTo;
use crate::table::Branch;

/// The names that a route is found among.
pub(crate) trait Names {
    /// The target that has this host name.
    fn named(&self, host: &str) -> Option<&str>;
    /// The target that is reached from outside, where there is just one.
    fn only(&self) -> Option<&str>;
    /// The parts of a target's address space.
    fn branches(&self, target: &str) -> &[Branch];
}

/// Where a request goes.
#[derive(Debug)]
pub(crate) enum Way<'t> {
    /// To a target, through a part of the address space with rules of its own.
    Target(&'t str, Option<&'t Branch>),
    /// The visitor is sent somewhere else, by this part.
    Redirect(&'t str, &'t Branch),
    /// Nothing has this name.
    Unknown,
}

/// Finds the way for a host (a name in small letters, without port) and a path.
pub(crate) fn route<'t>(names: &'t impl Names, host: &str, path: &str) -> Way<'t> {
    let target = names
        .named(host)
        .or_else(|| is_this_machine(host).then(|| names.only()).flatten());
    let Some(target) = target else {
        return Way::Unknown;
    };
    let longest = names
        .branches(target)
        .iter()
        .filter(|branch| begins(path, &branch.path))
        .max_by_key(|branch| branch.path.len());
    match longest.map(|branch| (branch, &branch.to)) {
        Some((branch, Some(RouteTo::Target(other)))) => Way::Target(other, Some(branch)),
        Some((branch, Some(RouteTo::Redirect(elsewhere)))) => Way::Redirect(elsewhere, branch),
        Some((branch, None)) => Way::Target(target, Some(branch)),
        None => Way::Target(target, None),
    }
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

fn begins(path: &str, beginning: &str) -> bool {
    path.strip_prefix(beginning)
        .is_some_and(|rest| beginning.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Route;
    use std::sync::Arc;

    /// A host, its target, and the parts of that.
    type Row = (&'static str, &'static str, Vec<Branch>);

    struct Product(Vec<Row>);

    impl Names for Product {
        fn named(&self, host: &str) -> Option<&str> {
            self.0.iter().find(|row| row.0 == host).map(|row| row.1)
        }
        fn only(&self) -> Option<&str> {
            (self.0.len() == 1).then(|| self.0[0].1)
        }
        fn branches(&self, target: &str) -> &[Branch] {
            self.0
                .iter()
                .find(|row| row.1 == target)
                .map_or(&[], |row| &row.2)
        }
    }

    fn part(beginning: &str, to: Option<RouteTo>) -> Branch {
        let route = Route {
            path: beginning.to_owned(),
            to,
            rules: Arc::default(),
        };
        Branch::of("", route, &[], &crate::guard::Counters::default())
    }

    fn to(beginning: &str, target: &str) -> Branch {
        part(beginning, Some(RouteTo::Target(target.to_owned())))
    }

    /// The way in words.
    fn way(product: &Product, host: &str, path: &str) -> String {
        match route(product, host, path) {
            Way::Target(name, None) => name.to_owned(),
            Way::Target(name, Some(branch)) => format!("{name} through {}", branch.path),
            Way::Redirect(elsewhere, _) => format!("-> {elsewhere}"),
            Way::Unknown => String::new(),
        }
    }

    #[test]
    fn a_request_goes_where_its_host_and_path_say() {
        let away = Some(RouteTo::Redirect("/new".to_owned()));
        let product = Product(vec![
            (
                "web.hello.localhost",
                "web",
                vec![
                    to("/api", "api"),
                    to("/api/files/", "files"),
                    part("/upload", None),
                    part("/old", away),
                ],
            ),
            ("api.hello.localhost", "api", vec![to("/loop", "web")]),
        ]);
        let table = [
            ("web.hello.localhost", "/", "web"),
            ("web.hello.localhost", "/index.html", "web"),
            ("web.hello.localhost", "/api", "api through /api"),
            ("web.hello.localhost", "/api/users", "api through /api"),
            ("web.hello.localhost", "/apiary", "web"),
            ("web.hello.localhost", "/api/files", "api through /api"),
            ("web.hello.localhost", "/api/files/a", "files through /api/files/"),
            ("web.hello.localhost", "/upload/a", "web through /upload"),
            ("web.hello.localhost", "/old", "-> /new"),
            ("web.hello.localhost", "/old/page", "-> /new"),
            ("web.hello.localhost", "/older", "web"),
            ("api.hello.localhost", "/api", "api"),
            ("api.hello.localhost", "/loop", "web through /loop"),
            ("other.hello.localhost", "/", ""),
            ("hello.localhost", "/", ""),
            ("localhost", "/", ""),
            ("127.0.0.1", "/", ""),
            ("", "/", ""),
        ];
        for (host, path, expected) in table {
            assert_eq!(way(&product, host, path), expected, "{host}{path}");
        }
    }

    #[test]
    fn this_machine_is_the_only_public_target() {
        let product = Product(vec![("web.hello.localhost", "web", Vec::new())]);
        for host in ["localhost", "127.0.0.1", "::1", "web.hello.localhost"] {
            assert_eq!(way(&product, host, "/a"), "web", "{host}");
        }
        assert_eq!(way(&product, "example.com", "/a"), "");
    }
}
