//! What is wanted, and what was left: a product is applied, taken over from an earlier steward, and followed.

use super::{Core, Message};
use crate::door::clock;
use crate::dress::Making;
use crate::errors;
use crate::keep::{applied, facts};
use crate::listens;
use crate::make::Looked;
use crate::tell::Onlooker;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use towpath_api::{Apply, Tone};
use towpath_decide::converge::Well;
use towpath_decide::tend::{Applied, Fact};
use towpath_engine::Engine;
use towpath_model::run::{Component, InstanceId, Product, Value};
use towpath_model::sealed::Sealed;
use towpath_model::unit::Name;

/// So many components are named when it is told what has changed.
const MOST_NAMED: usize = 4;

/// `web is`, `api, web are`, `a, b, c, d and 6 more are`.
fn are(names: &[&Name]) -> String {
    let named: Vec<&str> = names.iter().take(MOST_NAMED).map(|name| name.as_str()).collect();
    let more = match names.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{}{more} {verb}", named.join(", "))
}

impl<E: Engine> Core<E> {
    /// Wants what a client has asked for.
    pub(crate) async fn apply(
        &mut self,
        apply: Apply,
        digests: BTreeMap<Name, String>,
        onlooker: Option<Onlooker>,
    ) {
        self.notes.remove("manifest");
        let asked = onlooker.is_some();
        if let Some(onlooker) = onlooker {
            self.onlookers.add(onlooker, false);
        }
        if self.runs_by_releases() {
            return;
        }
        if self.tended.goes_down() {
            // Whoever asked is told when everything is gone.
            return;
        }
        if !self.restore().await {
            self.onlookers.refuse();
            return;
        }
        let Apply {
            product,
            values,
            base,
            only,
            build,
            listen,
            ..
        } = apply;
        self.listen_as(asked, listen);
        let mut product = product;
        let mut digests = digests;
        if !only.is_empty() {
            self.keep_others(&mut product, &mut digests);
        }
        self.share(&mut product);
        let product = Arc::new(product);
        self.have_edge(&product).await;
        self.wardrobe.base = base;
        // Whoever asks for some brings the values of those alone.
        if only.is_empty() {
            self.wardrobe.values.clear();
        }
        let values = values.into_iter().map(|(name, value)| (name, Sealed::new(value)));
        self.wardrobe.values.extend(values);
        self.face_edge(&product).await;
        self.see_to_credentials(&product).await;
        self.settle_addresses(&product);
        let wake = asked.then(|| self.chosen(&product, &only));
        for (name, digest) in &mut digests {
            if let Some(component) = product.components.get(name) {
                *digest = self.dressed(component, digest);
            }
        }
        self.make(&product);
        self.ledger.product(&product);
        self.flush();
        let wanted = applied(&product, &digests, build, wake);
        self.product = Some(Arc::clone(&product));
        for refused in self.maker.watch(&product) {
            self.note(Tone::Warning, refused);
        }
        if !asked {
            self.tell_changes(&wanted);
        }
        self.force_builds = build;
        self.untidy = true;
        let before = self.tended.is_settled();
        let refilled = self.refilled(&product);
        self.learn(Fact::Applied(wanted));
        self.unsettle(refilled);
        self.look_for_folders();
        self.keep_assets();
        if asked && before && self.tended.is_settled() {
            self.onlookers.idle();
        }
    }

    /// It is not known of these whether they are well.
    fn unsettle(&mut self, instances: Vec<InstanceId>) {
        for id in instances {
            let well = Well::NotYet { late: None };
            self.learn(Fact::Answered { id, well });
        }
    }

    /// Whether releases say what runs here; whoever wants a folder to run is told so.
    fn runs_by_releases(&mut self) -> bool {
        self.helm.take_if(|helm| helm.is_empty());
        if self.helm.is_none() {
            return false;
        }
        let environment = &self.config.environment;
        let text = format!(
            "{environment} runs by its releases, and a folder would take their place; `towpath deploy {environment}` makes a \
             release of it"
        );
        self.note(Tone::Error, text);
        self.onlookers.refuse();
        true
    }

    /// Makes the environment, where nothing of it ran: stores that are to be fresh begin empty. That is written down before
    /// any of them starts, and each empties itself once for each making, before it becomes a server.
    pub(crate) fn make(&mut self, product: &Product) {
        let making = &mut self.wardrobe.making;
        if std::mem::take(&mut self.from_nothing) {
            *making = Making {
                name: clock::today().as_nanosecond().to_string(),
                ..Making::default()
            };
        }
        let (news, empty) = making.learn(product);
        if news {
            self.ledger.making(&self.wardrobe.making);
        }
        if !empty.is_empty() {
            let empty: Vec<&Name> = empty.iter().collect();
            let (env, is) = (&product.environment, are(&empty));
            self.note(
                Tone::Note,
                format!("{is} empty: the data of {env} is fresh each time it is made"),
            );
        }
    }

    /// Says what follows from a manifest that has changed: whoever sees an instance stop wants to know why.
    fn tell_changes(&mut self, wanted: &Applied) {
        let runs = |name: &Name| self.tended.parts().get(name).filter(|part| part.lives());
        let known = |name: &Name| {
            let part = self.tended.parts().get(name);
            part.is_some_and(|part| part.component.is_some())
        };
        let mut anew = Vec::new();
        let mut new = Vec::new();
        for (name, (_, digest)) in &wanted.components {
            match runs(name) {
                Some(part) if part.digest != *digest => anew.push(name),
                None if !known(name) => new.push(name),
                _ => {}
            }
        }
        let gone = self.tended.parts().keys();
        let gone: Vec<&Name> = gone
            .filter(|name| known(name) && !wanted.components.contains_key(*name))
            .collect();
        let mut parts = vec!["the manifest has changed".to_owned()];
        let told = [(anew, "started anew"), (new, "new"), (gone, "not in it any more")];
        for (names, what) in told.iter().filter(|(names, _)| !names.is_empty()) {
            parts.push(format!("{} {what}", are(names)));
        }
        let text = match parts.split_first() {
            Some((first, rest)) if !rest.is_empty() => format!("{first}: {}", rest.join("; ")),
            _ => parts.concat(),
        };
        self.note(Tone::Note, text);
    }

    /// The instances of resources that are to be migrated or filled by something else than before: they are not well until
    /// that is done, and go on meanwhile.
    fn refilled(&self, product: &Product) -> Vec<InstanceId> {
        let parts = self.tended.parts().iter();
        let changed = parts.filter(|(name, part)| {
            let contents = |component: &Arc<Component>| Some(component.resource.as_ref()?.contents.clone());
            let was = part.component.as_ref().and_then(contents);
            was.is_some() && was != product.components.get(*name).and_then(contents)
        });
        let instances = changed.flat_map(|(_, part)| &part.standing);
        instances.map(|one| one.seen.id.clone()).collect()
    }

    /// What has stayed the same is kept once, not twice.
    fn share(&self, product: &mut Product) {
        for (name, component) in &mut product.components {
            let known = self
                .tended
                .parts()
                .get(name)
                .and_then(|part| part.component.as_ref());
            if let Some(known) = known.filter(|known| *known == component) {
                *component = Arc::clone(known);
            }
        }
    }

    /// A build has ended while it was looked at what is there: it is looked once more, beside everything else.
    pub(crate) fn look_once_more(
        &self,
        looked: Looked,
        tell: impl FnOnce(Looked) -> Message + Send + 'static,
    ) {
        let (inbox, rounds) = (self.inbox.clone(), self.maker.rounds.clone());
        tokio::spawn(async move {
            let looked = Looked::at(looked.apply, &rounds).await;
            // That nobody listens any more means that we are ending.
            let _ = inbox.send(tell(looked));
        });
    }

    /// Whoever asks for some of the components says nothing about the others: they stay as they are.
    fn keep_others(&self, product: &mut Product, digests: &mut BTreeMap<Name, String>) {
        for (name, part) in self.tended.parts() {
            let Some(component) = part.component.as_ref() else {
                continue;
            };
            if !product.components.contains_key(name) {
                product.components.insert(name.clone(), Arc::clone(component));
                digests.insert(name.clone(), part.digest.clone());
            }
        }
        for (name, build) in self.product.iter().flat_map(|old| &old.builds) {
            product
                .builds
                .entry(name.clone())
                .or_insert_with(|| Arc::clone(build));
        }
    }

    /// The digest of what a component is started from, with where those are that it is told of: when one of them moves, it
    /// is started anew.
    pub(crate) fn dressed(&self, component: &Component, digest: &str) -> String {
        let told = component
            .env
            .values()
            .flat_map(|variable| variable.value.parts())
            .filter_map(|part| match part {
                Value::Address { of, .. } => self.addresses.inside(of),
                _ => None,
            });
        let mut dressed = digest.split('.').next().unwrap_or_default().to_owned();
        for port in told {
            dressed.push_str(&format!(".{port}"));
        }
        dressed
    }

    /// What a build has made is started with the addresses that hold now.
    pub(super) fn dressed_fact(&self, fact: Fact) -> Fact {
        let Fact::Built {
            build,
            result: Ok(made),
        } = fact
        else {
            return fact;
        };
        let parts = self.tended.parts();
        let dress = |(name, digest): (Name, String)| {
            let component = parts.get(&name).and_then(|part| part.component.as_ref());
            let dressed = component.map(|component| self.dressed(component, &digest));
            (name, dressed.unwrap_or(digest))
        };
        let result = Ok(made.into_iter().map(dress).collect());
        Fact::Built { build, result }
    }

    /// A component is told of other addresses than before, or is reached by another one itself.
    pub(super) fn dress(&mut self, name: &Name) {
        let part = self.tended.parts().get(name);
        if let Some((part, component)) = part.and_then(|part| Some((part, part.component.as_ref()?))) {
            let digest = self.dressed(component, &part.digest);
            self.learn(Fact::Dressed {
                name: name.clone(),
                digest,
            });
        }
    }

    /// The components that are asked for, with all that they need.
    fn chosen(&self, product: &Product, only: &[String]) -> BTreeSet<Name> {
        if only.is_empty() {
            return product.components.keys().cloned().collect();
        }
        let mut chosen = BTreeSet::new();
        let mut open: Vec<&str> = only.iter().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            if let Some((name, component)) = product.components.get_key_value(name)
                && chosen.insert(name.clone())
            {
                open.extend(component.needs.iter().map(|need| need.name.as_str()));
            }
        }
        chosen
    }

    /// What runs, as it was looked at when we came, or now; nothing where it cannot be seen, and that is said.
    async fn what_runs(&mut self) -> Option<Vec<towpath_model::run::Seen>> {
        let observed = match self.observed.take() {
            Some(observed) => observed.await.ok(),
            None => None,
        };
        let observed = match observed {
            Some(observed) => observed,
            None => self.engine.observe().await,
        };
        observed
            .map_err(|error| {
                let why = errors::told(&error);
                let text = format!("what runs cannot be seen, and nothing is done: {why}");
                self.note(Tone::Error, text);
            })
            .ok()
    }

    /// Takes over what an earlier steward has left: what was wanted, what was remembered, and what still runs.
    pub(crate) async fn restore(&mut self) -> bool {
        if self.restored {
            return true;
        }
        let mut left = match self.left.take() {
            Some(left) => left,
            None => match self.ledger.left().await {
                Ok(left) => left,
                Err(error) => {
                    let why = errors::told(&error);
                    self.note(
                        Tone::Error,
                        format!("what was left cannot be read, and nothing is done: {why}"),
                    );
                    return false;
                }
            },
        };
        if left.unread.is_some() {
            self.left = Some(left);
            self.say_unread();
            return false;
        }
        if let Err(error) = self.ledger.close_open().await {
            self.cannot_write(&error);
        }
        for (name, port) in &left.inside {
            self.addresses.remember(name.clone(), *port);
        }
        self.edge_ports = self.edge_ports.or(left.edge);
        let Some(seen) = self.what_runs().await else {
            return false;
        };
        seen.iter()
            .filter_map(|one| one.port)
            .for_each(|port| self.addresses.take(port));
        let mut digests: BTreeMap<Name, String> = BTreeMap::new();
        for one in &seen {
            digests.insert(one.id.component.clone(), one.digest.clone());
        }
        seen.iter().for_each(|one| self.look_for_silent(one));
        self.from_nothing = seen.iter().all(|one| one.life.is_over());
        self.wardrobe.making = left.making.clone();
        self.closed = left.closed.clone();
        self.signed_out = left.signed_out.clone();
        self.tended.learn(Fact::Observed(seen));
        if self.helm.is_some() {
            // Who was killed between two writes may have left both.
            left.product = None;
            self.house_releases().await;
            self.line_up().await;
        }
        // What was wanted before is not made anew: it runs already, or it is asked for again in a moment.
        let product = left.product.clone();
        for fact in facts(&left, &digests) {
            self.tended.learn(fact);
        }
        self.product = product.map(Arc::new).or(self.product.take());
        if let Some(product) = self.product.clone() {
            self.see_to_credentials(&product).await;
        }
        self.begin_believing();
        self.restored = true;
        true
    }

    pub(crate) fn settle_addresses(&mut self, product: &Product) {
        for (name, component) in &product.components {
            let reached = component.listens.as_ref().is_some_and(|listens| listens.private);
            if reached && let Some(port) = self.addresses.settle(name) {
                self.ledger.inside(name, port);
            }
        }
        let https = self.edge_ports.map(|(https, _)| https);
        let listening = self.edge.as_ref().and_then(|edge| edge.listening());
        let is_open = listening.is_some_and(|listening| listening.is_open());
        self.wardrobe.public = product
            .components
            .iter()
            .filter_map(|(name, component)| {
                Some((
                    name.clone(),
                    listens::url(name, component, product, (https?, is_open))?,
                ))
            })
            .collect();
    }

    pub(super) async fn reread(&mut self, reread: Result<Box<Looked>, String>) {
        match reread {
            Ok(looked) if looked.is_stale(&self.maker.rounds) => {
                self.look_once_more(*looked, |looked| Message::Reread(Ok(Box::new(looked))));
            }
            Ok(looked) => {
                self.apply(looked.apply, looked.digests, None).await;
            }
            Err(why) => {
                let text = format!(
                    "the manifest has changed and cannot be followed; what runs stays as it is\n{why}"
                );
                self.notes.insert("manifest", text.clone());
                self.note(Tone::Error, text);
            }
        }
    }
}
