//! Resources: made or bound, backed up, filled, and their schema moved as far as the old release can bear.

use super::Draft;
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::Desired;
use towpath_model::desired::environment::Contents;
use towpath_model::desired::resource::{Migrate, Phase, Resource, ResourceKind};
use towpath_model::plan::{Action, How, Named, Part, Reason, ResourceId, StepId};
use towpath_model::unit::{Name, Path};

/// Makes every resource ready for the components that use it.
pub(super) fn prepare(draft: &mut Draft<'_>) {
    let entered = draft.all();
    let product = draft.product;
    let main = product.postgres.keys().next();
    let mut users = users(product);
    for (kind, name, resource) in product.resources() {
        let mut chain = Chain {
            id: Named::new(kind, name),
            resource,
            users: users.remove(name.as_str()).unwrap_or_default(),
            last: entered.clone(),
        };
        chain.exist(draft);
        if let Some(own) = draft.own {
            // A file of rows belongs to the database written first: an environment has one such file.
            let loaded = kind == ResourceKind::Postgres && main == Some(name);
            chain.filled(draft, &own.data, loaded);
        } else {
            chain.moved(draft);
            chain.seeded(draft);
        }
        draft.ready.insert(name.to_string(), chain.last);
    }
}

/// What is done to one resource, one after the other.
struct Chain<'a> {
    id: ResourceId,
    resource: &'a Resource,
    /// The components that use it.
    users: Vec<Name>,
    last: Vec<StepId>,
}

impl Chain<'_> {
    fn then(&mut self, draft: &mut Draft<'_>, action: Action, because: Reason) {
        let id = draft.step(Part::Data, action, &self.last, because);
        self.last = vec![id];
    }

    fn exist(&mut self, draft: &mut Draft<'_>) {
        let resource = self.id.clone();
        match &self.resource.bind {
            Some(secret) => {
                let secret = secret.to_string();
                self.then(draft, Action::Bind { resource, secret }, Reason::Exists);
            }
            None => {
                let users = std::mem::take(&mut self.users);
                let because = match users.is_empty() {
                    true => Reason::PartOfProduct,
                    false => Reason::NeededBy(users),
                };
                self.then(draft, Action::Provision { resource }, because);
            }
        }
        if let Some(backup) = &self.resource.backup {
            let action = Action::BackUp {
                resource: self.id.clone(),
                full: backup.full.clone().or(backup.snapshot.clone()),
                log: backup.wal,
                drill: backup.drill.clone(),
            };
            let promise = self.resource.promise.as_ref().and_then(|promise| promise.rpo);
            self.then(draft, action, Reason::Promise(promise));
        }
    }

    /// The environment's policy for data, around the moves of the schema: a copy has the old schema, rows need the new.
    fn filled(&mut self, draft: &mut Draft<'_>, data: &Contents, loaded: bool) {
        let policy = || Reason::DataOf(draft.environment.clone());
        let keeps = self.id.kind != ResourceKind::Redis;
        if let Some(from) = data.copy.as_ref().filter(|_| keeps) {
            let from = draft.product.environment.get_key_value(from.as_str());
            if let Some((from, _)) = from {
                let masked = match self.id.kind {
                    ResourceKind::Postgres => data.mask.keys().cloned().collect(),
                    _ => Vec::new(),
                };
                let action = Action::Copy {
                    resource: self.id.clone(),
                    from: from.clone(),
                    masked,
                };
                let because = policy();
                self.then(draft, action, because);
            }
        } else if data.fresh {
            let because = policy();
            self.then(
                draft,
                Action::Empty {
                    resource: self.id.clone(),
                },
                because,
            );
        }
        self.moved(draft);
        self.seeded(draft);
        if let Some(load) = data.load.as_ref().filter(|_| loaded) {
            let because = Reason::DataOf(draft.environment.clone());
            self.fill(draft, How::Files(load.clone()), because);
        }
    }

    fn fill(&mut self, draft: &mut Draft<'_>, how: How, because: Reason) {
        self.then(
            draft,
            Action::Fill {
                resource: self.id.clone(),
                how,
            },
            because,
        );
    }

    /// What the old release can bear: it adds, and it fills in.
    fn moved(&mut self, draft: &mut Draft<'_>) {
        let Some(migrate) = &self.resource.migrate else {
            return;
        };
        for (phase, because) in [(Phase::Expand, Reason::Adds), (Phase::Backfill, Reason::FillsIn)] {
            if has(migrate, phase) {
                self.then(draft, migration(&self.id, migrate, phase), because);
            }
        }
    }

    fn seeded(&mut self, draft: &mut Draft<'_>) {
        // One that exists already is not fresh.
        let Some(seed) = self
            .resource
            .seed
            .as_ref()
            .filter(|_| self.resource.bind.is_none())
        else {
            return;
        };
        let how = seed.command.clone().map(How::Command);
        let how = how
            .or_else(|| seed.file.clone().map(How::Files))
            .unwrap_or(How::Usual);
        self.fill(draft, how, Reason::FreshOnly);
    }
}

/// Whether migrations have a phase. Where none is written they expand, which is what can be rolled back.
fn has(migrate: &Migrate, phase: Phase) -> bool {
    match phase {
        Phase::Expand if migrate.phases.is_empty() => true,
        // A window for it says that it happens.
        Phase::Contract if migrate.contract.is_some() => true,
        _ => migrate.phases.contains(&phase),
    }
}

fn migration(resource: &ResourceId, migrate: &Migrate, phase: Phase) -> Action {
    let files = |folder: &Option<Path>| folder.clone().map(How::Files);
    let how = migrate
        .command
        .clone()
        .map(How::Command)
        .or_else(|| files(&migrate.folder));
    let own = migrate.contract.clone().filter(|_| phase == Phase::Contract);
    Action::Migrate {
        resource: resource.clone(),
        phase,
        how: how.unwrap_or(How::Usual),
        window: own.or_else(|| migrate.window.clone()),
    }
}

/// Takes away from schemas what the old release needed, behind everything else.
pub(super) fn contract(draft: &mut Draft<'_>) {
    for (kind, name, resource) in draft.product.resources() {
        if let Some(migrate) = resource
            .migrate
            .as_ref()
            .filter(|migrate| has(migrate, Phase::Contract))
        {
            let needs = draft.all();
            let action = migration(&Named::new(kind, name), migrate, Phase::Contract);
            draft.step(Part::After, action, &needs, Reason::TakesAway);
        }
    }
}

/// The components that use each name, worked out once for all resources.
fn users(product: &Desired) -> BTreeMap<&str, Vec<Name>> {
    let mut users: BTreeMap<&str, Vec<Name>> = BTreeMap::new();
    for (_, name, component) in product.components() {
        let used: BTreeSet<&str> = component.uses.iter().map(|used| used.name.as_str()).collect();
        for used in used {
            users.entry(used).or_default().push(name.clone());
        }
    }
    users
}
