//! Which target answers for a host and a path.
//!
//! The host names a target, exactly; an address of this machine (`localhost`, `127.0.0.1`) names the only public target where
//! there is just one. Of the target's routes the longest beginning wins, and a beginning ends where a part of the path ends:
//! `/api` is the beginning of `/api/users` and not of `/apiary`. Routes of the target that a route leads to are not followed:
//! a path leads at most one step, so there are no circles to be found.

use crate::RouteTo;

/// The names that a route is found among.
pub(crate) trait Names {
    /// The target that has this host name.
    fn named(&self, host: &str) -> Option<&str>;
    /// The target that is reached from outside, where there is just one.
    fn only(&self) -> Option<&str>;
    /// The routes of a target.
    fn routes(&self, target: &str) -> &[(String, RouteTo)];
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Way<'t> {
    /// To a target.
    Target(&'t str),
    /// The visitor is sent somewhere else.
    Redirect(&'t str),
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
        .routes(target)
        .iter()
        .filter(|(beginning, _)| begins(path, beginning))
        .max_by_key(|(beginning, _)| beginning.len());
    match longest {
        Some((_, RouteTo::Target(other))) => Way::Target(other),
        Some((_, RouteTo::Redirect(elsewhere))) => Way::Redirect(elsewhere),
        None => Way::Target(target),
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

    /// A host, its target, and the routes of that.
    type Row = (&'static str, &'static str, Vec<(String, RouteTo)>);

    struct Product(Vec<Row>);

    impl Names for Product {
        fn named(&self, host: &str) -> Option<&str> {
            self.0.iter().find(|row| row.0 == host).map(|row| row.1)
        }
        fn only(&self) -> Option<&str> {
            (self.0.len() == 1).then(|| self.0[0].1)
        }
        fn routes(&self, target: &str) -> &[(String, RouteTo)] {
            self.0
                .iter()
                .find(|row| row.1 == target)
                .map_or(&[], |row| &row.2)
        }
    }

    fn to(beginning: &str, target: &str) -> (String, RouteTo) {
        (beginning.to_owned(), RouteTo::Target(target.to_owned()))
    }

    #[test]
    fn a_request_goes_where_its_host_and_path_say() {
        let product = Product(vec![
            (
                "web.hello.localhost",
                "web",
                vec![
                    to("/api", "api"),
                    to("/api/files/", "files"),
                    ("/old".to_owned(), RouteTo::Redirect("/new".to_owned())),
                ],
            ),
            ("api.hello.localhost", "api", vec![to("/loop", "web")]),
        ]);
        let table = [
            ("web.hello.localhost", "/", Way::Target("web")),
            ("web.hello.localhost", "/index.html", Way::Target("web")),
            ("web.hello.localhost", "/api", Way::Target("api")),
            ("web.hello.localhost", "/api/users", Way::Target("api")),
            ("web.hello.localhost", "/apiary", Way::Target("web")),
            ("web.hello.localhost", "/api/files", Way::Target("api")),
            ("web.hello.localhost", "/api/files/a", Way::Target("files")),
            ("web.hello.localhost", "/old", Way::Redirect("/new")),
            ("web.hello.localhost", "/old/page", Way::Redirect("/new")),
            ("web.hello.localhost", "/older", Way::Target("web")),
            ("api.hello.localhost", "/api", Way::Target("api")),
            ("api.hello.localhost", "/loop", Way::Target("web")),
            ("other.hello.localhost", "/", Way::Unknown),
            ("hello.localhost", "/", Way::Unknown),
            ("localhost", "/", Way::Unknown),
            ("127.0.0.1", "/", Way::Unknown),
            ("", "/", Way::Unknown),
        ];
        for (host, path, expected) in table {
            assert_eq!(route(&product, host, path), expected, "{host}{path}");
        }
    }

    #[test]
    fn this_machine_is_the_only_public_target() {
        let product = Product(vec![("web.hello.localhost", "web", Vec::new())]);
        for host in ["localhost", "127.0.0.1", "::1", "web.hello.localhost"] {
            assert_eq!(route(&product, host, "/a"), Way::Target("web"), "{host}");
        }
        assert_eq!(route(&product, "example.com", "/a"), Way::Unknown);
    }
}
