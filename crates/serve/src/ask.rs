//! What somebody asks a machine for: the product and the environment, and what of it.

use crate::problem;
use crate::stewards::Place;
use http::{Method, StatusCode};
use towpath_api::{EXCHANGE, Problem, Verb, verb};
use towpath_model::unit::{Name, Unit};

/// Something that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// What there is.
    Machine,
    /// All tokens.
    Tokens,
    /// Another token.
    Mint,
    /// A token less.
    Revoke(String),
    /// Everybody who is trusted by their identity.
    Trusts,
    /// Somebody is trusted.
    Trust,
    /// Somebody is trusted no more.
    Distrust(String),
    /// Something that a steward answers.
    Steward {
        /// Which one.
        place: Place,
        /// What is asked of it.
        path: String,
        /// What has to be allowed for that.
        verb: Verb,
    },
}

/// Whether somebody shows an identity, who has no token yet.
pub(crate) fn is_exchange(method: &Method, path: &str) -> bool {
    method == Method::POST && path == EXCHANGE
}

impl Ask {
    /// What is asked for by a method and a path.
    pub(crate) fn of(method: &Method, path: &str) -> Result<Self, Box<Problem>> {
        let parts: Vec<&str> = path.split('/').collect();
        match (method, parts.as_slice()) {
            (&Method::GET, ["", "v1"]) => Ok(Ask::Machine),
            (&Method::GET, ["", "v1", "tokens"]) => Ok(Ask::Tokens),
            (&Method::POST, ["", "v1", "tokens"]) => Ok(Ask::Mint),
            (&Method::DELETE, ["", "v1", "tokens", id]) => Ok(Ask::Revoke((*id).to_owned())),
            (&Method::GET, ["", "v1", "trusts"]) => Ok(Ask::Trusts),
            (&Method::POST, ["", "v1", "trusts"]) => Ok(Ask::Trust),
            (&Method::DELETE, ["", "v1", "trusts", id]) => Ok(Ask::Distrust((*id).to_owned())),
            (
                method,
                [
                    "",
                    "v1",
                    "products",
                    product,
                    "environments",
                    environment,
                    rest @ ..,
                ],
            ) if !rest.is_empty() => {
                let place = Place {
                    product: name(product)?,
                    environment: name(environment)?,
                };
                // A steward leaves such parts out; what is asked of it has to be what was allowed.
                if rest
                    .iter()
                    .any(|part| part.is_empty() || *part == "." || *part == "..")
                {
                    return Err(nowhere(path));
                }
                let path = format!("/{}", rest.join("/"));
                let verb = verb(method.as_str(), &path);
                Ok(Ask::Steward { place, path, verb })
            }
            _ => Err(nowhere(path)),
        }
    }

    /// Whether it changes anything, and is therefore written down.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Ask::Machine | Ask::Tokens | Ask::Trusts => false,
            Ask::Mint | Ask::Revoke(_) | Ask::Trust | Ask::Distrust(_) => true,

            Ask::Steward { verb, .. } => *verb != Verb::Read,
        }
    }

    /// The environment that it is about.
    pub(crate) fn place(&self) -> Option<&Place> {
        match self {
            Ask::Steward { place, .. } => Some(place),
            _ => None,
        }
    }
}

fn name(text: &str) -> Result<Name, Box<Problem>> {
    Name::parse(text).map_err(|misread| {
        let message = format!("`{text}` is no name of a product or an environment: it {misread}");
        problem(StatusCode::BAD_REQUEST, "not-a-name", &message, None)
    })
}

fn nowhere(path: &str) -> Box<Problem> {
    let message = format!("there is no {path}");
    let hint = "docs/reference/openapi.json lists what there is";
    problem(StatusCode::NOT_FOUND, "unknown-endpoint", &message, Some(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(method: Method, path: &str) -> String {
        match Ask::of(&method, path) {
            Ok(Ask::Steward { place, path, verb }) => {
                format!("{} {} {path} {verb}", place.product, place.environment)
            }
            Ok(ask) => format!("{ask:?}"),
            Err(problem) => problem.status.to_string(),
        }
    }

    #[test]
    fn a_path_is_of_a_product_and_an_environment_or_of_the_machine() {
        let at = |rest: &str| format!("/v1/products/shop/environments/prod{rest}");
        assert_eq!(told(Method::GET, &at("/status")), "shop prod /status read");
        assert_eq!(
            told(Method::POST, &at("/components/web/restart")),
            "shop prod /components/web/restart operate"
        );
        assert_eq!(told(Method::POST, &at("/whatever")), "shop prod /whatever admin");
        assert_eq!(told(Method::GET, "/v1"), "Machine");
        assert_eq!(told(Method::DELETE, "/v1/tokens/5b1c"), "Revoke(\"5b1c\")");
        assert_eq!(told(Method::DELETE, "/v1/trusts/5b1c"), "Distrust(\"5b1c\")");
    }

    #[test]
    fn nothing_leads_out_of_the_folder_or_around_a_right() {
        for path in [
            "/v1/products/../environments/prod/status",
            "/v1/products/shop/environments/..%2f/status",
            "/v1/products/Shop/environments/prod/status",
            "/v1/products/shop/environments//status",
            "/v1/products/shop/environments/.towpath/status",
        ] {
            assert_eq!(told(Method::GET, path), "400", "{path}");
        }
        for path in [
            "/",
            "/v1/",
            "/v2",
            "//v1",
            "/v1/products/shop/environments/prod",
            "/v1/products/shop/environments/prod/",
            "/v1/products/shop/environments/prod//status",
            "/v1/products/shop/environments/prod/status/",
            "/v1/products/shop/environments/prod/../status",
        ] {
            assert_eq!(told(Method::GET, path), "404", "{path}");
        }
    }
}
