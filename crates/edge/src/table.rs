//! The targets, and the names under which they are found.
//!
//! A change costs what it changes: targets that are not named stay where they are, and instances that stay keep their
//! connections. New entries are made before the table is locked; under the lock they only change places.

use foldhash::fast::RandomState;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use towpath_model::desired::edge::SignIn;

use crate::client::Instance;
use crate::door::clock;
use crate::guard::{Counters, Guard};
use crate::place::Place;
use crate::route::{Names, Way, route};
use crate::seen::{self, Lane, Seen, Series};
use crate::shares::{Ranges, Visitors, Wish};
use crate::{Answer, Releases, Route, RouteTo, Target};

/// A target as it was last set.
#[derive(Debug)]
pub(crate) struct Aim {
    /// What was set; its instances and routes have been taken out.
    pub(crate) target: Target,
    /// Those that are ready.
    pub(crate) instances: Box<[Arc<Instance>]>,
    /// Where they are, by the marks that visitors bring, if visitors stay on one.
    marks: HashMap<u64, usize>,
    /// Those of each release, in the order of their shares; none where no releases are known.
    groups: Box<[Group]>,
    ranges: Ranges,
    pub(crate) place: Arc<Place>,
    /// What is kept in front of all of it.
    pub(crate) guard: Arc<Guard>,
    /// The parts of its address space.
    pub(crate) branches: Box<[Branch]>,
    /// What it is made of, in short.
    pub(crate) build: u64,
    lane: Lane,
}

/// The ready instances of a release.
#[derive(Debug)]
struct Group {
    release: Arc<str>,
    parts: u16,
    instances: Box<[Arc<Instance>]>,
}

/// A part of an address space.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) path: String,
    pub(crate) to: Option<RouteTo>,
    pub(crate) guard: Arc<Guard>,
    lane: Lane,
}

impl Branch {
    /// A part of a target's address space. What comes through is counted with whatever else its target gets.
    pub(crate) fn of(target: &str, route: Route, before: &[Branch], counters: &Counters) -> Branch {
        let is_same = |branch: &&Branch| branch.path == route.path && branch.to == route.to;
        let same = before.iter().filter(is_same);
        let target = match &route.to {
            Some(RouteTo::Target(other)) => other,
            _ => target,
        };
        Branch {
            guard: Guard::new(target, route.rules, same.map(|branch| &branch.guard), counters),
            path: route.path,
            to: route.to,
            lane: Lane::default(),
        }
    }
}

impl Aim {
    /// A target as it is from now on. What it was before lends its place and the instances that stay.
    pub(crate) fn new(name: &str, mut target: Target, before: Option<&Aim>, counters: &Counters) -> Aim {
        let place = before.map_or_else(
            || Arc::new(Place::new(Arc::from(name))),
            |aim| Arc::clone(&aim.place),
        );
        let (ready, releases) = match &mut target.answer {
            Answer::Instances { ready, releases, .. } => (std::mem::take(ready), Some(releases)),
            Answer::Files { releases, .. } => (Vec::new(), Some(releases)),
            Answer::Closed { .. } => (Vec::new(), None),
        };
        let known = before.map_or(&[][..], |aim| &aim.instances);
        let known: HashMap<&str, &Arc<Instance>> = known.iter().map(|one| (one.id.as_str(), one)).collect();
        let is_alone = known.is_empty();
        let stays = |id: &str, at| {
            let instance = known.get(id).filter(|instance| instance.is(id, at, target.grpc));
            instance.map(|instance| Arc::clone(instance))
        };
        let comes = |id, at| {
            let instance = Instance::new(id, at, target.grpc, &place.queue);
            if !is_alone {
                instance.pulse.begins_slowly(clock::millis());
            }
            Arc::new(instance)
        };
        let instances: Box<[Arc<Instance>]> = ready
            .into_iter()
            .map(|(id, at)| stays(&id, at).unwrap_or_else(|| comes(id, at)))
            .collect();
        let division = before.and_then(Aim::releases).map(|before| &before.division);
        let groups = match releases {
            Some(releases) => grouped(releases, division, &instances),
            None => Box::default(),
        };
        let ranges = match &target.answer {
            Answer::Instances { releases, .. } | Answer::Files { releases, .. } => {
                releases.division.ranges(&releases.shares)
            }
            Answer::Closed { .. } => Ranges::default(),
        };
        let marks = instances.iter().enumerate().filter(|_| target.sticky);
        let marks = marks.map(|(at, instance)| (instance.mark, at)).collect();
        for host in &mut target.hosts {
            host.make_ascii_lowercase();
        }
        let known = before.map_or(&[][..], |aim| &aim.branches);
        let routes = std::mem::take(&mut target.routes).into_iter();
        let branches = routes
            .map(|route| Branch::of(name, route, known, counters))
            .collect();
        let earlier = before.iter().map(|aim| &aim.guard);
        let guard = Guard::new(name, Arc::clone(&target.rules), earlier, counters);
        let build = match (&target.build, before) {
            (Some(build), _) => short(build),
            // While nothing answers it is made of what it was made of.
            (None, Some(before)) if instances.is_empty() => before.build,
            (None, _) => 0,
        };
        Aim {
            build,
            guard,
            branches,
            target,
            instances,
            marks,
            groups,
            ranges,
            place,
            lane: Lane::default(),
        }
    }

    /// The target, as it was set.
    pub(crate) fn as_set(&self) -> Target {
        let mut target = self.target.clone();
        if let Answer::Instances { ready, .. } = &mut target.answer {
            let all = self.instances.iter();
            *ready = all.map(|instance| (instance.id.clone(), instance.at)).collect();
        }
        let route = |branch: &Branch| Route {
            path: branch.path.clone(),
            to: branch.to.clone(),
            rules: Arc::clone(branch.guard.rules()),
        };
        target.routes = self.branches.iter().map(route).collect();
        target
    }

    /// What was set of its releases, and how they divide visitors now.
    fn releases(&self) -> Option<&Releases> {
        match &self.target.answer {
            Answer::Instances { releases, .. } | Answer::Files { releases, .. } => Some(releases),
            Answer::Closed { .. } => None,
        }
    }

    /// By what its visitors are known again.
    pub(crate) fn visitors(&self) -> &Visitors {
        self.releases()
            .map_or(&Visitors::Nobody, |releases| &releases.visitors)
    }

    /// Whether there is more than one release to ask for.
    pub(crate) fn has_releases(&self) -> bool {
        self.groups.len() > 1
    }

    /// Whether more than one release gets visitors.
    pub(crate) fn has_shares(&self) -> bool {
        self.groups.iter().filter(|group| group.parts > 0).count() > 1
    }

    fn group(&self, wish: &Wish) -> Option<&Group> {
        match wish {
            Wish::Forced(release) => self.groups.iter().find(|group| *group.release == **release),
            Wish::Bucket(bucket) => {
                let at = self.ranges.of(*bucket)?;
                self.groups.get(at)
            }
            Wish::Any => self.main(),
        }
    }

    /// The release that gets most; of those that get as much, the oldest.
    fn main(&self) -> Option<&Group> {
        self.groups.iter().rev().max_by_key(|group| group.parts)
    }

    /// The instances that may answer, and the release that they are of.
    pub(crate) fn pool(&self, wish: &Wish) -> (&[Arc<Instance>], Option<&Arc<str>>) {
        match self.group(wish) {
            Some(group) => (&group.instances, Some(&group.release)),
            None if matches!(wish, Wish::Forced(_)) => (&[], None),
            None => (&self.instances, None),
        }
    }

    /// The folder from which a visitor is answered, and the release that it is of.
    pub(crate) fn folder(&self, wish: &Wish) -> (&Path, Option<&Arc<str>>) {
        let Answer::Files { folder, sides, .. } = &self.target.answer else {
            return (Path::new(""), None);
        };
        let release = self.group(wish).map(|group| &group.release);
        let own = release.and_then(|release| sides.get(&**release));
        (own.unwrap_or(folder), release)
    }

    /// Those that answer in the place of a release that cannot.
    pub(crate) fn instead(&self) -> [&[Arc<Instance>]; 2] {
        [self.main().map_or(&[], |main| &main.instances), &self.instances]
    }

    /// The instance that a visitor has been given this mark of.
    pub(crate) fn marked(&self, mark: u64) -> Option<&Arc<Instance>> {
        self.instances.get(*self.marks.get(&mark)?)
    }

    /// Where its requests are counted that come over none of its routes.
    pub(crate) fn series(&self, seen: &Seen) -> Arc<Series> {
        self.lane
            .series(|| seen.series(&self.place.name, seen::ALL, None))
    }

    /// Tells the instances that are not there after it to leave.
    pub(crate) fn part_from(&self, after: Option<&Aim>) {
        let drain = after.map_or(self.target.drain, |after| after.target.drain);
        let stay = after.map_or(&[][..], |after| &after.instances);
        let stay: HashSet<*const Instance> = stay.iter().map(Arc::as_ptr).collect();
        for instance in &self.instances {
            if !stay.contains(&Arc::as_ptr(instance)) {
                self.place.leaves(instance);
                instance.leave.tell(drain);
            }
        }
    }
}

/// Sorts instances by their releases, and divides visitors anew where shares have changed.
fn grouped(
    releases: &mut Releases,
    before: Option<&crate::Division>,
    instances: &[Arc<Instance>],
) -> Box<[Group]> {
    let division = before
        .filter(|before| !before.is_empty())
        .unwrap_or(&releases.division);
    releases.division = division.after(&releases.shares);
    let ids: HashMap<&str, &Arc<Instance>> = instances.iter().map(|one| (one.id.as_str(), one)).collect();
    let group = |share: &crate::Share| {
        let release: Arc<str> = Arc::from(share.release.as_str());
        let own = share.instances.iter().filter_map(|id| ids.get(id.as_str()));
        let own = own.inspect(|instance| instance.belongs_to(&release));
        Group {
            instances: own.map(|instance| Arc::clone(instance)).collect(),
            parts: share.parts,
            release,
        }
    };
    releases.shares.iter().map(group).collect()
}

/// A text in short, the same in every process.
fn short(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// All targets. What visitors ask for is looked up in it and never put into it, so its hashes may be quick ones.
#[derive(Debug, Default)]
pub(crate) struct Table {
    targets: HashMap<Arc<str>, Arc<Aim>, RandomState>,
    hosts: HashMap<Box<str>, Arc<str>, RandomState>,
    inside: HashMap<u16, Arc<str>, RandomState>,
    public: BTreeSet<Arc<str>>,
    /// How many targets divide their visitors among releases.
    shared: usize,
}

/// Where a request goes, with what it needs there.
#[derive(Debug)]
pub(crate) enum Found {
    /// To a target, past this guard, and counted here.
    Aim(Arc<Aim>, Arc<Guard>, Arc<Series>),
    /// Somewhere else, past this guard.
    Redirect(String, Arc<Guard>),
    /// Nothing has this name.
    Unknown,
    /// A route leads to a target that is not there.
    Gone(String),
}

impl Table {
    pub(crate) fn aim(&self, name: &str) -> Option<&Arc<Aim>> {
        self.targets.get(name)
    }

    /// All of them, by their names.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<Aim>)> {
        self.targets.iter()
    }

    /// What is reached by an inside port.
    pub(crate) fn inside(&self, port: u16) -> Option<&Arc<Aim>> {
        self.targets.get(self.inside.get(&port)?)
    }

    /// What is reached from outside.
    pub(crate) fn outside(&self, host: &str, path: &str, seen: &Seen) -> Found {
        match route(self, host, path) {
            Way::Unknown => Found::Unknown,
            Way::Redirect(elsewhere, branch) => {
                Found::Redirect(elsewhere.to_owned(), Arc::clone(&branch.guard))
            }
            Way::Target(name, branch) => match self.targets.get(name) {
                Some(aim) => {
                    let guard = branch.map_or(&aim.guard, |branch| &branch.guard);
                    let series = match branch {
                        Some(branch) => branch.lane.series(|| seen.series(name, &branch.path, None)),
                        None => aim.series(seen),
                    };
                    Found::Aim(Arc::clone(aim), Arc::clone(guard), series)
                }
                None => Found::Gone(name.to_owned()),
            },
        }
    }

    /// Whether people reach something by this name.
    pub(crate) fn is_own(&self, host: &str) -> bool {
        self.hosts.contains_key(host)
    }

    /// Whether somebody signs in by a certificate under this name.
    pub(crate) fn asks_certificate(&self, host: &str) -> bool {
        let target = self.hosts.get(host).and_then(|name| self.targets.get(&**name));
        target.is_some_and(|aim| {
            let parts = aim.target.routes.iter().map(|route| &route.rules);
            let mut access = parts
                .chain([&aim.target.rules])
                .filter_map(|rules| rules.access.as_ref());
            access.any(|access| access.sign_in == SignIn::Certificate)
        })
    }

    /// Whether any target divides its visitors among releases.
    pub(crate) fn has_shares(&self) -> bool {
        self.shared > 0
    }

    /// Whether people reach something by a name below this one.
    pub(crate) fn has_below(&self, host: &str) -> bool {
        let is_below = |name: &str| name.strip_suffix(host).is_some_and(|rest| rest.ends_with('.'));
        self.hosts.keys().any(|name| is_below(name))
    }

    /// Names under which people reach something, in order, and no more than `most` of them.
    pub(crate) fn addresses(&self, most: usize) -> Vec<String> {
        let hosts = self.public.iter().filter_map(|name| self.targets.get(name));
        let hosts = hosts.flat_map(|aim| aim.target.hosts.iter().cloned());
        hosts.take(most).collect()
    }

    /// Puts a target in its place, or takes it away, and hands back what was there.
    pub(crate) fn exchange(&mut self, name: &str, aim: Option<Arc<Aim>>) -> Option<Arc<Aim>> {
        let before = match &aim {
            Some(aim) => self.targets.insert(Arc::clone(&aim.place.name), Arc::clone(aim)),
            None => self.targets.remove(name),
        };
        self.shared += usize::from(aim.as_ref().is_some_and(|aim| aim.has_shares()));
        if let Some(before) = &before {
            self.shared -= usize::from(before.has_shares());
            self.forget_names(name, &before.target);
        }
        if let Some(aim) = aim {
            let name = &aim.place.name;
            for host in &aim.target.hosts {
                self.hosts.insert(host.as_str().into(), Arc::clone(name));
            }
            if let Some(port) = aim.target.inside {
                self.inside.insert(port, Arc::clone(name));
            }
            if !aim.target.hosts.is_empty() {
                self.public.insert(Arc::clone(name));
            }
        }
        before
    }

    /// Takes away names that lead to this target; a name that another target has taken over stays with that one.
    fn forget_names(&mut self, name: &str, target: &Target) {
        for host in &target.hosts {
            if self
                .hosts
                .get(host.as_str())
                .is_some_and(|owner| **owner == *name)
            {
                self.hosts.remove(host.as_str());
            }
        }
        if let Some(port) = target.inside
            && self.inside.get(&port).is_some_and(|owner| **owner == *name)
        {
            self.inside.remove(&port);
        }
        self.public.remove(name);
    }
}

impl Names for Table {
    fn named(&self, host: &str) -> Option<&str> {
        self.hosts.get(host).map(|name| &**name)
    }

    fn only(&self) -> Option<&str> {
        let mut names = self.public.iter();
        let first = names.next()?;
        names.next().is_none().then_some(first)
    }

    fn branches(&self, target: &str) -> &[Branch] {
        self.targets.get(target).map_or(&[], |aim| &aim.branches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn target(host: &str, inside: Option<u16>, ready: &[(&str, u16)]) -> Target {
        let ready = ready
            .iter()
            .map(|(id, port)| ((*id).to_owned(), ([127, 0, 0, 1], *port).into()))
            .collect();
        Target {
            name: "web".to_owned(),
            hosts: vec![host.to_owned()],
            inside,
            raw: false,
            grpc: false,
            sticky: false,
            compress: false,
            routes: Vec::new(),
            rules: Arc::default(),
            drain: Duration::ZERO,
            slow_start: Duration::ZERO,
            answer: Answer::Instances {
                ready,
                hold: Duration::from_secs(1),
                because: String::new(),
                releases: Releases::default(),
            },
            build: None,
            maintenance: None,
            mutual: None,
        }
    }

    fn set(table: &mut Table, name: &str, target: Option<Target>) {
        let before = table.aim(name).map(Arc::clone);
        let aim =
            target.map(|target| Arc::new(Aim::new(name, target, before.as_deref(), &Counters::default())));
        table.exchange(name, aim);
    }

    fn found(table: &Table, host: &str) -> Option<String> {
        match table.outside(host, "/", &Seen::default()) {
            Found::Aim(aim, _, _) => Some(aim.place.name.to_string()),
            _ => None,
        }
    }

    #[test]
    fn instances_that_stay_keep_what_they_have() {
        let mut table = Table::default();
        set(
            &mut table,
            "web",
            Some(target("a", None, &[("one", 1), ("two", 2)])),
        );
        let before: Vec<_> = table.aim("web").expect("it is set").instances.to_vec();
        set(
            &mut table,
            "web",
            Some(target("a", None, &[("two", 2), ("one", 3)])),
        );
        let after = &table.aim("web").expect("it is set").instances;
        assert!(Arc::ptr_eq(&before[1], &after[0]));
        assert!(!Arc::ptr_eq(&before[0], &after[1]), "its address is another one");
    }

    #[test]
    fn names_go_with_their_target_unless_another_has_taken_them() {
        let mut table = Table::default();
        set(&mut table, "blue", Some(target("Web.localhost", Some(7), &[])));
        set(&mut table, "green", Some(target("web.localhost", Some(7), &[])));
        assert_eq!(found(&table, "web.localhost").as_deref(), Some("green"));
        set(&mut table, "blue", None);
        assert_eq!(found(&table, "web.localhost").as_deref(), Some("green"));
        assert_eq!(table.addresses(9), ["web.localhost"]);
        assert_eq!(found(&table, "localhost").as_deref(), Some("green"));
        assert!(table.inside(7).is_some());
        set(&mut table, "green", Some(target("other.localhost", None, &[])));
        assert_eq!(found(&table, "web.localhost"), None);
        assert!(table.inside(7).is_none());
        set(&mut table, "green", None);
        assert!(table.addresses(9).is_empty());
    }
}
