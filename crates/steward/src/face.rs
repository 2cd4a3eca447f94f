//! What the edge is told of a component.

use crate::addresses::Addresses;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use towpath_decide::converge::Will;
use towpath_decide::rollout::Row;
use towpath_decide::tend::Part;
use towpath_edge::{Answer, Releases, RouteTo, Share, Target, people};
use towpath_model::desired::component::Protocol;
use towpath_model::desired::edge::SignIn;
use towpath_model::run::{
    Listens, Product, Route, SPANS_HEADERS, SPANS_OF, SPANS_SHARE, SPANS_TO, State, Variables,
};
use towpath_model::unit::Name;

/// How long a request waits for an instance.
const HOLD: Duration = Duration::from_secs(30);

/// How long the share of an instance grows that comes to others: what a just-in-time compiler, a cache and a pool of connections
/// take to warm up. One that is alone, or comes with all others, has its whole share at once.
const SLOW_START: Duration = Duration::from_secs(10);

/// The target of a component; nothing where it is not reached at all.
pub(crate) fn target(name: &Name, part: &Part, product: &str, addresses: &Addresses) -> Option<Target> {
    // A resource is reached where it listens itself: what speaks to it needs nobody in between.
    let component = part
        .component
        .as_ref()
        .filter(|component| component.resource.is_none())?;
    let listens = component.listens.as_ref();
    let is_public = listens.is_some_and(|listens| listens.public);
    let hosts = if is_public {
        hosts(name, product, listens)
    } else {
        Vec::new()
    };
    let answer = match &component.site {
        Some(site) if part.state.is_well() => Answer::Files {
            folder: PathBuf::from(&site.folder),
            fallback: site.fallback.clone(),
            assets: site.assets.map_or(YEAR, |kept| kept.to_std()),
            pages: site.pages.map(|kept| kept.to_std()),
            former: Vec::new(),
            releases: Releases::default(),
            sides: Default::default(),
        },
        _ => instances(name, part),
    };
    let routes = listens.map(|listens| &listens.routes).into_iter().flatten();
    Some(Target {
        name: name.to_string(),
        hosts,
        inside: addresses.inside(name),
        raw: listens.is_some_and(|listens| listens.speaks.contains(&Protocol::Tcp)),
        grpc: listens.is_some_and(|listens| listens.speaks.contains(&Protocol::Grpc)),
        sticky: listens.is_some_and(|listens| listens.sticky),
        compress: listens.is_none_or(|listens| listens.compress),
        routes: routes.map(part_of).collect(),
        rules: listens
            .map(|listens| Arc::clone(&listens.rules))
            .unwrap_or_default(),
        drain: component.stop.drain.to_std(),
        slow_start: SLOW_START,
        answer,
        build: build(part),
        maintenance: None,
        mutual: listens.and_then(|listens| listens.mutual.clone()),
    })
}

/// Divides the visitors of a component among its releases.
pub(crate) fn divide(target: &mut Target, part: &Part, row: &Row) {
    let releases = match &mut target.answer {
        Answer::Instances { releases, .. } => releases,
        Answer::Files { releases, sides, .. } => {
            let folders = row.sides.iter().filter_map(|side| {
                let site = side.component.site.as_ref()?;
                Some((side.release.to_string(), PathBuf::from(&site.folder)))
            });
            sides.extend(folders);
            releases
        }
        Answer::Closed { .. } => return,
    };
    let shares = row.sides.iter().map(|side| {
        let own = part.standing.iter();
        let own = own.filter(|one| one.seen.digest == side.digest && one.serves());
        Share {
            release: side.release.to_string(),
            parts: side.parts,
            instances: own.map(|one| one.seen.id.to_string()).collect(),
        }
    });
    releases.shares = shares.collect();
}

/// What those who serve are made of, and the first of them: where they are replaced by others, as when a file has been edited,
/// what they have answered is not right any more. One more of them changes nothing.
fn build(part: &Part) -> Option<String> {
    let serving = || part.standing.iter().filter(|one| one.serves());
    let first = serving().map(|one| one.seen.id.number).min()?;
    let digests: BTreeSet<&str> = serving().map(|one| one.seen.digest.as_str()).collect();
    let digests: Vec<&str> = digests.into_iter().collect();
    Some(format!("{} from {first}", digests.join(" and ")))
}

/// A part of an address space, as the edge takes it.
fn part_of(route: &Route) -> towpath_edge::Route {
    let to = route.to.as_ref().map(|to| RouteTo::Target(to.to_string()));
    let elsewhere = || route.redirect.clone().map(RouteTo::Redirect);
    towpath_edge::Route {
        path: route.path.clone(),
        to: to.or_else(elsewhere),
        rules: Arc::clone(&route.rules),
    }
}

/// Where a sign-in asks for certificates and does not say who signs them, the product's own authority does.
pub(crate) fn believe(certificates: &Path, target: &mut Target) {
    let routes = target.routes.iter_mut().map(|route| &mut route.rules);
    for rules in routes.chain([&mut target.rules]) {
        let asks = rules.access.as_ref();
        if !asks.is_some_and(|asks| asks.sign_in == SignIn::Certificate && asks.authority.is_none()) {
            continue;
        }
        if let Some(access) = &mut Arc::make_mut(rules).access {
            let (authority, issued) = people::of_people(certificates);
            access.authority = Some(authority.to_string_lossy().into_owned());
            access.issued = Some(issued.to_string_lossy().into_owned());
        }
    }
}

/// The values that rules of a product are checked with, as far as they are known.
pub(crate) fn keys(product: &Product, values: &Variables) -> Variables {
    let listens = product
        .components
        .values()
        .filter_map(|component| component.listens.as_ref());
    let rules = listens.flat_map(|listens| {
        let parts = listens.routes.iter().map(|route| &route.rules);
        parts.chain([&listens.rules])
    });
    let names = rules.flat_map(|rules| {
        let access = rules.access.as_ref().and_then(|access| access.secret.as_ref());
        access.into_iter().chain(&rules.signs).map(String::as_str)
    });
    // Where spans go is not for everybody either: what opens a collector is among it.
    names
        .chain([SPANS_TO, SPANS_HEADERS, SPANS_SHARE, SPANS_OF])
        .filter_map(|name| Some((name.to_owned(), values.get(name)?.clone())))
        .collect()
}

/// How long files with a digest in their name are kept where nobody says otherwise: such a name never means other bytes.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fn hosts(name: &Name, product: &str, listens: Option<&Listens>) -> Vec<String> {
    let mut hosts = vec![format!("{name}.{product}.localhost")];
    hosts.extend(listens.iter().flat_map(|listens| listens.domains.iter().cloned()));
    hosts
}

fn instances(name: &Name, part: &Part) -> Answer {
    // Where nothing will answer soon, whoever asks is told so at once.
    let hopeless = matches!(
        part.state,
        State::Failed | State::Blocked | State::Looping | State::Stopped | State::Stopping
    );
    // No request wakes what its schedule lets sleep: a crawler would keep it up all night.
    let hopeless = hopeless || part.state == State::Asleep && !part.sleeps();
    let serving = part.standing.iter().filter(|one| one.serves());
    let ready: Vec<(String, SocketAddr)> = serving
        .filter_map(|one| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, one.seen.port?));
            Some((one.seen.id.to_string(), address))
        })
        .collect();
    let because = format!("{name} is {}: {}", part.state, part.because);
    let replaced =
        part.will == Will::Up && part.instances() > 0 && part.standing.iter().any(|one| one.busy.is_some());
    if ready.is_empty() && hopeless && !replaced {
        return Answer::Closed { because };
    }
    Answer::Instances {
        ready,
        hold: HOLD,
        because,
        releases: Releases::default(),
    }
}
