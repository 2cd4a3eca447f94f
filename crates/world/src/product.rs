//! Products in a few words: `web 2 needs=db,cache`, for scripts that are read by people.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_decide::tend::Applied;
use towpath_model::desired::component::Restart;
use towpath_model::run::{
    Ask, Build, Component, Health, Kind, Limits, Listens, Need, Pack, Place, Retry, Shift, Site, Stop,
};
use towpath_model::unit::{Duration, Name, Unit, Window, Zone};

/// What is wanted: components with the digests that they are started from, and their builds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Product {
    /// The components.
    pub components: BTreeMap<Name, (Arc<Component>, String)>,
    /// Their builds.
    pub builds: BTreeMap<Name, Arc<Build>>,
    /// How often something has changed: each change makes new digests.
    changes: u64,
}

impl Product {
    /// Adds a component, or puts another in its place; says what cannot be understood.
    pub fn put(&mut self, words: &str) -> Result<Name, String> {
        let component = component(words)?;
        let name = component.name.clone();
        if component.build.is_some() {
            self.builds.insert(name.clone(), Arc::new(build(&name)));
        }
        let same = |(old, _): &(Arc<Component>, String)| {
            // More of the same is no change of what each is started from.
            let mut old = Component::clone(old);
            (old.instances, old.most) = (component.instances, component.most);
            old.shifts.clone_from(&component.shifts);
            old == component
        };
        let digest = match self.components.get(&name).filter(|old| same(old)) {
            Some((_, digest)) => digest.clone(),
            None => self.new_digest(),
        };
        self.components
            .insert(name.clone(), (Arc::new(component), digest));
        Ok(name)
    }

    /// A component is started from something else than before. Says whether there is one.
    pub fn change(&mut self, name: &Name) -> bool {
        let new = self.new_digest();
        let found = self.components.get_mut(name);
        found.map(|(_, digest)| *digest = new).is_some()
    }

    /// A component is no part of it any more. Says whether it was.
    pub fn remove(&mut self, name: &Name) -> bool {
        self.builds.remove(name);
        self.components.remove(name).is_some()
    }

    fn new_digest(&mut self) -> String {
        self.changes += 1;
        format!("v{}", self.changes)
    }

    /// What a steward is told of it.
    pub fn applied(&self, up: bool) -> Applied {
        Applied {
            components: self.components.clone(),
            builds: self.builds.clone(),
            build: false,
            wake: up.then(|| self.components.keys().cloned().collect()),
        }
    }

    /// As it stands in the journal: a text, because a tree of values takes longer to make than to read.
    pub(crate) fn record(&self) -> Value {
        let components = self.components.values();
        let components: Vec<(&Component, &str)> = components
            .map(|(component, digest)| (&**component, digest.as_str()))
            .collect();
        let builds: Vec<&Build> = self.builds.values().map(|build| &**build).collect();
        let text = serde_json::to_string(&(components, builds, self.changes));
        Value::String(text.expect("a product is plain data with names as keys"))
    }

    pub(crate) fn of_record(record: &Value) -> Option<Product> {
        type Record = (Vec<(Component, String)>, Vec<Build>, u64);
        let (components, builds, changes): Record = serde_json::from_str(record.as_str()?).ok()?;
        let components = components.into_iter();
        let builds = builds.into_iter();
        Some(Product {
            components: components
                .map(|(component, digest)| (component.name.clone(), (Arc::new(component), digest)))
                .collect(),
            builds: builds
                .map(|build| (build.name.clone(), Arc::new(build)))
                .collect(),
            changes,
        })
    }
}

/// A component from its words: its name, its kind where it is no service, how many, and what is special about it.
fn component(words: &str) -> Result<Component, String> {
    let mut words = words.split_whitespace();
    let name = words.next().ok_or("a component has a name")?;
    let mut component = plain(name_of(name)?);
    let mut instances = None;
    for word in words {
        if let Ok(count) = word.parse() {
            instances = Some(count);
        } else if let Some(kind) = Kind::ALL.iter().find(|kind| kind.word() == word) {
            become_kind(&mut component, *kind);
        } else {
            special(&mut component, word)?;
        }
    }
    if let Some(instances) = instances {
        component.instances = instances;
        component.most = component.most.max(instances);
    }
    Ok(component)
}

pub(crate) fn name_of(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|misread| format!("`{text}` is no name: it {}", misread.because))
}

fn become_kind(component: &mut Component, kind: Kind) {
    component.kind = kind;
    if !matches!(kind, Kind::Service | Kind::Function | Kind::StandIn) {
        component.listens = None;
        component.health.ask = Ask::Runs;
    }
    match kind {
        Kind::Bot => component.single = true,
        Kind::Function => {
            component.instances = 0;
            component.idle = Some(Duration::from_minutes(5));
        }
        Kind::Job => {
            component.instances = 0;
            component.restart = Restart::OnFailure;
        }
        Kind::Site => {
            component.command = None;
            component.site = Some(Site {
                folder: "/product/site".to_owned(),
                fallback: None,
                assets: None,
                pages: None,
            });
        }
        Kind::Extension => {
            component.command = None;
            component.pack = Some(Pack {
                folder: "/product/extension".to_owned(),
                policy: None,
            });
        }
        // A resource is one of a command of its own: for whoever decides it is like what runs and listens.
        Kind::Postgres | Kind::Redis | Kind::Bucket | Kind::Pool => component.single = true,
        Kind::Service | Kind::Worker | Kind::StandIn => {}
    }
}

fn special(component: &mut Component, word: &str) -> Result<(), String> {
    let unknown = || format!("`{word}` says nothing about a component");
    let (key, value) = word.split_once('=').unwrap_or((word, ""));
    match key {
        "needs" => {
            for name in value.split(',') {
                let (name, optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
                let name = name_of(name)?;
                component.needs.push(Need { name, optional });
            }
        }
        "port" => {
            let port = value.parse().map_err(|_| unknown())?;
            component.listens = Some(listens(Some(port)));
        }
        "restart" => {
            let found = Restart::ALL.iter().find(|restart| restart.word() == value);
            component.restart = *found.ok_or_else(unknown)?;
        }
        "deadline" => component.health.deadline = value_of(value)?,
        "within" => component.stop.within = value_of(value)?,
        "idle" => component.idle = Some(value_of(value)?),
        "cron" => component.cron = Some((value_of(&value.replace('_', " "))?, Zone::utc())),
        "hours" => {
            for shift in value.split('+') {
                component.shifts.push(self::shift(shift).ok_or_else(unknown)??);
            }
            let most = component.shifts.iter().map(|shift| shift.instances).max();
            component.most = component.most.max(most.unwrap_or(0));
        }
        "retry" => {
            component.retry = Some(Retry {
                times: value.parse().map_err(|_| unknown())?,
                backoff: Duration::from_secs(1),
            });
        }
        "build" => component.build = Some(component.name.clone()),
        _ => return Err(unknown()),
    }
    Ok(())
}

/// `daily_07:00-23:00=1`
fn shift(text: &str) -> Option<Result<Shift, String>> {
    let (when, instances) = text.split_once('=')?;
    let instances = instances.parse().ok()?;
    let when = value_of::<Window>(&when.replace('_', " "));
    Some(when.map(|when| Shift {
        when: when.in_zone(&Zone::utc()),
        instances,
    }))
}

pub(crate) fn value_of<U: Unit>(text: &str) -> Result<U, String> {
    U::parse(text).map_err(|misread| format!("`{text}` is not {}: it {}", U::WHAT, misread.because))
}

fn place() -> Place {
    Place {
        file: "towpath.toml".to_owned(),
        line: 1,
    }
}

/// A service about which nothing special is said.
fn plain(name: Name) -> Component {
    Component {
        kind: Kind::Service,
        at: place(),
        command: Some(format!("run {name}")),
        dir: "/product".to_owned(),
        env: crate::secrets::variables("1"),
        build: None,
        needs: Vec::new(),
        instances: 1,
        shifts: Vec::new(),
        most: 1,
        single: false,
        listens: Some(listens(None)),
        health: Health {
            ask: Ask::Path("/health".to_owned()),
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(1),
            deadline: Duration::from_secs(30),
        },
        limits: Limits {
            memory: None,
            cpu: None,
            pids: 100,
        },
        restart: Restart::Always,
        stop: Stop {
            signal: "TERM".to_owned(),
            within: Duration::from_secs(10),
            drain: Duration::ZERO,
        },
        site: None,
        pack: None,
        idle: None,
        cron: None,
        timeout: None,
        retry: None,
        watch: Vec::new(),
        resource: None,
        name,
    }
}

fn listens(port: Option<u16>) -> Listens {
    Listens {
        port,
        speaks: Vec::new(),
        public: true,
        private: true,
        domains: Vec::new(),
        sticky: false,
        routes: Vec::new(),
        compress: false,
        rules: Arc::default(),
        mutual: None,
    }
}

fn build(name: &Name) -> Build {
    Build {
        name: name.clone(),
        at: place(),
        command: format!("make {name}"),
        dir: "/product".to_owned(),
        env: BTreeMap::new(),
        inputs: Vec::new(),
        needs: Vec::new(),
    }
}
