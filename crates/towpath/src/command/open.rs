//! `towpath open`: a component in the browser.

use super::Context;
use super::steward::HTTPS;
use crate::cli::Open as Args;
use crate::door::processes::browse;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::talk;
use towpath_api::Component;
use towpath_model::run::State;

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Running)?;
    let status = match talk::status(&here) {
        Ok(status) if status.steward.is_some() => status,
        asked => {
            return Err(unreached(
                &here,
                asked.err().unwrap_or_else(|| talk::orphaned(&here)),
            ));
        }
    };
    let component = choose(&status.components, &here.components)?;
    let address = component.url.as_deref().unwrap_or_default();
    context.terminal.result(&format!("{address}\n"))?;
    // A script wants the address and no window.
    if context.terminal.live {
        browse(address);
    }
    Ok(())
}

/// Nobody answers: which address it would be, as far as the manifest knows, and what starts it.
fn unreached(here: &Here, failure: Failure) -> Failure {
    let Some(product) = here.known() else {
        return failure;
    };
    let port = match product.front.listen.https.unwrap_or(HTTPS) {
        443 => String::new(),
        port => format!(":{port}"),
    };
    let public = product.components.values().filter_map(|one| {
        one.listens.as_ref().filter(|listens| listens.public)?;
        Some(Component {
            name: one.name.to_string(),
            kind: one.kind,
            state: State::Stopped,
            because: String::new(),
            url: Some(format!(
                "https://{}.{}.localhost{port}",
                one.name, product.product
            )),
            inside: None,
            requests: 0,
            lately: None,
            vitals: std::collections::BTreeMap::new(),
            instances: Vec::new(),
            schedule: None,
            keeps: None,
        })
    });
    let public: Vec<Component> = public.collect();
    let component = match choose(&public, &here.components) {
        Ok(component) => component,
        Err(failure) => return failure,
    };
    let address = component.url.as_deref().unwrap_or_default();
    let hint = failure.hint.clone().unwrap_or_default();
    failure.hint(format!(
        "{hint}; `{}` is then at {address}, unless somebody else has that port",
        component.name
    ))
}

/// The one that is named, or the only one that has an address.
fn choose<'a>(components: &'a [Component], named: &[String]) -> Result<&'a Component, Failure> {
    let public: Vec<&Component> = components.iter().filter(|one| one.url.is_some()).collect();
    let names = || {
        public
            .iter()
            .map(|one| one.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (named, public.as_slice()) {
        ([name], _) => {
            if let Some(found) = public.iter().find(|one| one.name == *name) {
                return Ok(found);
            }
            let failure = Failure::new(Kind::User, format!("`{name}` has no address that people reach"));
            Err(if public.is_empty() {
                failure.hint("`public = true` gives a service or a site one")
            } else {
                failure.hint(format!("these have one: {}", names()))
            })
        }
        ([], [only]) => Ok(only),
        ([], []) => Err(
            Failure::new(Kind::User, "nothing here has an address that people reach")
                .hint("`public = true` gives a service or a site one"),
        ),
        ([], _) => Err(Failure::new(Kind::User, "several components have an address")
            .hint(format!("name one: {}", names()))),
        _ => Err(Failure::new(Kind::User, "one component is opened at a time").hint("name one")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::status::tests::component;
    use towpath_model::run::{Kind as Of, State};

    #[test]
    fn the_only_address_is_opened_without_being_named() {
        let with = |name: &str, url: bool| {
            let mut one = component(name, Of::Service, State::Ready);
            one.url = url.then(|| format!("https://{name}.shop.localhost"));
            one
        };
        let some = [with("web", true), with("api", false)];
        let told = |components: &[Component], named: &[&str]| {
            let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
            match choose(components, &named) {
                Ok(one) => one.name.clone(),
                Err(failure) => format!("{}; {}", failure.message, failure.hint.unwrap_or_default()),
            }
        };
        assert_eq!(told(&some, &[]), "web");
        assert_eq!(
            told(&some, &["api"]),
            "`api` has no address that people reach; these have one: web"
        );
        let both = [with("web", true), with("docs", true)];
        assert_eq!(
            told(&both, &[]),
            "several components have an address; name one: web, docs"
        );
        assert_eq!(told(&both, &["docs"]), "docs");
    }
}
