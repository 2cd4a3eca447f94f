//! Resources of ours: what their servers are started with, and under which names others are told of them.
//!
//! A resource is started like a component. Its command is one of our own binary, which makes what is not there yet and then
//! becomes the server. It has one instance, at a port that is its own as long as the state folder lives, and one person's
//! worth of credentials: a user with the product's name, and a password that is made up once.
//!
//! Nothing is made where somebody else has it: a resource that is bound, or whose address `.env` gives to those who use it.

use super::draft::{Draft, Target};
use super::variables::{address_of, plain};
use super::{Bound, Problem, reach, variables};
use crate::here::{delivered, prefix};
use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_model::Desired;
use towpath_model::desired::component::{Protocol, Restart, Use};
use towpath_model::desired::resource::{Migrate, Pool, Resource, ResourceKind, StorageClass};
use towpath_model::desired::secret::{Delivery, Generator};
use towpath_model::finding::listed;
use towpath_model::run::{self, Ask, Health, Limits, Part, Value};
use towpath_model::spec::Path;
use towpath_model::unit::{Duration, Name, Unit, Window, known};

/// The processes of a server: one for each connection, and those that it needs itself.
const PIDS: u32 = 1024;

/// The region of a bucket that has none of its own: what every SDK takes for granted.
const REGION: &str = "us-east-1";

/// The variable by which a server of ours is told its password. It holds the path of a file.
pub const PASSWORD: &str = "TOWPATH_PASSWORD";

/// A part of how a resource is reached, by the end of the variable that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Url,
    /// The address of what keeps, where `Url` is that of a pooler before it.
    DirectUrl,
    Host,
    Port,
    User,
    Password,
    Name,
    Endpoint,
    Region,
}

/// The parts of an address that can be asked for by name.
const NAMED: &[(&str, Told)] = &[
    ("url", Told::Url),
    ("direct_url", Told::DirectUrl),
    ("host", Told::Host),
    ("port", Told::Port),
    ("user", Told::User),
    ("password", Told::Password),
    ("name", Told::Name),
    ("endpoint", Told::Endpoint),
    ("region", Told::Region),
];

/// Their names.
pub(super) const PARTS: &[&str] = &["url", "direct_url", "host", "port", "user", "password", "name"];

/// The variable by which a pooler is told the port of what it pools.
pub const POOLED: &str = "TOWPATH_POOLED_PORT";

/// What the name of a pooler ends with, behind that of its database.
const POOLER: &str = "-pool";

/// The ends of variables that a bucket is told by: always all of them, because no address says everything.
const OF_BUCKET: &[(&str, Told)] = &[
    ("_ENDPOINT", Told::Endpoint),
    ("_BUCKET", Told::Name),
    ("_REGION", Told::Region),
    ("_ACCESS_KEY_ID", Told::User),
    ("_SECRET_ACCESS_KEY", Told::Password),
];

/// The names by which every SDK for buckets looks for them by itself.
const BY_CUSTOM: &[(&str, Told)] = &[
    ("AWS_ENDPOINT_URL_S3", Told::Endpoint),
    ("AWS_REGION", Told::Region),
    ("AWS_ACCESS_KEY_ID", Told::User),
    ("AWS_SECRET_ACCESS_KEY", Told::Password),
];

/// The address of a resource of ours, and what else arrives with it.
pub(super) fn used(
    draft: &mut Draft<'_>,
    kind: ResourceKind,
    name: &Name,
    resource: &Resource,
    using: &Use,
    env: &mut BTreeMap<String, run::Variable>,
) {
    let made = Made::of(draft, kind, name, resource);
    env.insert(delivered(using), plain(made.told(Told::Url)));
    if made.pool.is_some() {
        // For what needs a session of its own: LISTEN, locks that are held, temporary tables.
        let direct = format!("{}_DIRECT_URL", prefix(name.as_str()));
        env.entry(direct)
            .or_insert_with(|| plain(made.told(Told::DirectUrl)));
    }
    if kind == ResourceKind::Bucket {
        let prefix = prefix(name.as_str());
        for (end, part) in OF_BUCKET {
            env.insert(format!("{prefix}{end}"), plain(made.told(*part)));
        }
        for (variable, part) in BY_CUSTOM {
            // The first bucket that is used is the one that an SDK finds by itself.
            env.entry((*variable).to_owned())
                .or_insert_with(|| plain(made.told(*part)));
        }
    }
}

/// A part of the address of a resource: that of one of ours, or what `.env` says where it is elsewhere.
pub(super) fn part(
    draft: &mut Draft<'_>,
    kind: ResourceKind,
    name: &Name,
    resource: &Resource,
    part: &str,
) -> Option<Value> {
    let (_, part) = NAMED.iter().find(|(known, _)| *known == part)?;
    if *part == Told::DirectUrl && kind != ResourceKind::Postgres {
        return None;
    }
    Some(Made::of(draft, kind, name, resource).told(*part))
}

/// `DB_HOST` and its like, where they are named and `db` is used: what the variable's name ends with.
pub(super) fn part_of(
    draft: &mut Draft<'_>,
    kind: ResourceKind,
    name: &Name,
    resource: &Resource,
    end: &str,
) -> Option<Value> {
    part(
        draft,
        kind,
        name,
        resource,
        &end.strip_prefix('_')?.to_ascii_lowercase(),
    )
}

/// The resources that are bound to an address, those with one that can be asked how they are.
pub(super) fn bound(product: &Desired) -> Vec<Bound> {
    let bound = product.resources().filter_map(|(kind, name, resource)| {
        let secret = resource.bind.as_ref().filter(|_| kind != ResourceKind::Bucket)?;
        Some(Bound {
            name: name.clone(),
            secret: secret.as_str().to_owned(),
            version: resource.version.clone(),
        })
    });
    bound.collect()
}

/// How a resource of ours is reached.
struct Made<'a> {
    kind: ResourceKind,
    name: &'a Name,
    user: String,
    database: String,
    password: Value,
    region: String,
    /// Who answers in its place.
    pool: Option<Name>,
}

impl<'a> Made<'a> {
    fn of(draft: &mut Draft<'_>, kind: ResourceKind, name: &'a Name, resource: &Resource) -> Self {
        let password = password_of(name);
        draft.secrets.insert(password.clone());
        let password =
            variables::made_up(draft, &password, Some(Generator::Hex)).unwrap_or(Value::Sealed(password));
        let product = &draft.product.product;
        let database = match (kind, &resource.database) {
            (ResourceKind::Postgres, Some(database)) => database.to_string(),
            (ResourceKind::Postgres, None) => product.to_string(),
            (ResourceKind::Redis, _) => "0".to_owned(),
            (ResourceKind::Bucket, _) => name.to_string(),
        };
        let user = match kind {
            ResourceKind::Redis => "default".to_owned(),
            ResourceKind::Postgres | ResourceKind::Bucket => product.to_string(),
        };
        let region = resource
            .region
            .as_ref()
            .map_or_else(|| REGION.to_owned(), ToString::to_string);
        Made {
            kind,
            name,
            user,
            database,
            password,
            region,
            pool: resource.pool.as_ref().and_then(|_| pooler(name)),
        }
    }

    /// Whom its users ask.
    fn front(&self) -> &Name {
        self.pool.as_ref().unwrap_or(self.name)
    }

    fn told(&self, part: Told) -> Value {
        let text = |text: &str| Value::Text(text.to_owned());
        let port = || address_of(self.front(), Part::Port);
        match part {
            Told::Url => self.url(self.front()),
            Told::DirectUrl => self.url(self.name),
            Told::Host => address_of(self.front(), Part::Host),
            Told::Port => port(),
            Told::User => text(&self.user),
            Told::Password => self.password.clone(),
            Told::Name => text(&self.database),
            Told::Endpoint => Value::Joined(vec![text("http://127.0.0.1:"), port()]),
            Told::Region => text(&self.region),
        }
    }

    fn url(&self, of: &Name) -> Value {
        let text = Value::Text;
        let port = address_of(of, Part::Port);
        let scheme = match self.kind {
            ResourceKind::Postgres => "postgres",
            ResourceKind::Redis => "redis",
            ResourceKind::Bucket => {
                let name = text(format!("/{}", self.database));
                return Value::Joined(vec![text("http://127.0.0.1:".to_owned()), port, name]);
            }
        };
        Value::Joined(vec![
            text(format!("{scheme}://{}:", self.user)),
            self.password.clone(),
            text("@127.0.0.1:".to_owned()),
            port,
            text(format!("/{}", self.database)),
        ])
    }
}

/// The name of the pooler of a database.
pub fn pooler(name: &Name) -> Option<Name> {
    Name::parse(&format!("{name}{POOLER}")).ok()
}

/// The name of the value that opens a resource.
fn password_of(name: &Name) -> String {
    format!("TOWPATH_{}_PASSWORD", prefix(name.as_str()))
}

/// Adds every resource that is made here.
pub(super) fn resources(draft: &mut Draft<'_>) {
    let product = draft.product;
    for (kind, name, resource) in product.resources() {
        if !draft.is_elsewhere(name, resource) {
            let made = started(draft, kind, name, resource);
            if let Some(pool) = &resource.pool {
                pooled(draft, &made, pool);
            }
            draft.components.insert(name.clone(), made);
            replicas(draft, kind, name, resource);
        }
    }
    windows(draft);
}

/// Adds the pooler of a database: a component of its own, which needs it and is what its users ask.
fn pooled(draft: &mut Draft<'_>, cluster: &run::Component, pool: &Pool) {
    let at = Path::of([ResourceKind::Postgres.word(), cluster.name.as_str()]).key("pool");
    let Some(name) = pooler(&cluster.name).filter(|name| draft.target(name.as_str()).is_none()) else {
        let message = format!(
            "the pooler of `{0}` is called `{0}{POOLER}`, and so is something else",
            cluster.name
        );
        draft.refuse(
            &at,
            Problem::new(message, "give the other one that is called so another name"),
        );
        return;
    };
    let mut env = variables::given(draft, &name, true);
    env.extend(
        cluster
            .env
            .get(PASSWORD)
            .map(|password| (PASSWORD.to_owned(), password.clone())),
    );
    env.insert(POOLED.to_owned(), plain(address_of(&cluster.name, Part::Port)));
    let resource = cluster.resource.as_ref().map(|resource| {
        Arc::new(run::Resource {
            pool: Some(run::Pool {
                size: pool.size,
                mode: pool.mode,
            }),
            load: None,
            fresh: false,
            ..resource.server()
        })
    });
    let made = run::Component {
        name: name.clone(),
        kind: run::Kind::Pool,
        at: draft.place(&at),
        env,
        needs: vec![run::Need {
            name: cluster.name.clone(),
            optional: false,
        }],
        stop: run::Stop {
            // INT waits until nothing is lent, and with whole sessions that is when the last client leaves.
            signal: "TERM".to_owned(),
            ..cluster.stop.clone()
        },
        resource,
        ..cluster.clone()
    };
    draft.components.insert(name, made);
}

/// Says that no copies are made: beside what is copied, on the same disk, they would be slower and no safer.
fn replicas(draft: &mut Draft<'_>, kind: ResourceKind, name: &Name, resource: &Resource) {
    if resource.read_replicas.is_empty() {
        return;
    }
    let at = Path::of([kind.word(), name.as_str()]).key("read_replicas");
    let message =
        format!("`{name}` has no read replicas on this machine: whoever reads asks `{name}` itself");
    let hint = "a copy beside it would be slower and no safer; nothing has to be changed";
    let note = Problem::new(message, hint).of([name]).at(draft.place(&at));
    draft.notes.push(note);
}

/// Says that windows do not hold, where nobody is to be protected by them.
fn windows(draft: &mut Draft<'_>) {
    if draft.own.is_some_and(|own| own.data.real) {
        return;
    }
    let is_bound = |window: &Option<Window>| window.as_ref().is_some_and(|window| *window != Window::ALWAYS);
    let bounded = |migrate: &Migrate| is_bound(&migrate.window) || is_bound(&migrate.contract);
    let all = draft.product.postgres.iter().filter(|(name, resource)| {
        !draft.is_elsewhere(name, resource) && resource.migrate.as_ref().is_some_and(bounded)
    });
    let names: Vec<&Name> = all.map(|(name, _)| name).collect();
    if let Some(first) = names.first() {
        let of = listed(&names, "and");
        let here = draft.environment;
        let message = format!(
            "the data of {here} is not real: migrations of {of} run at once, outside their windows, too"
        );
        let hint = format!(
            "write data = {{ real = true }} in [environment.{here}] where people are to be protected by them"
        );
        let at = Path::of([ResourceKind::Postgres.word(), first.as_str()]).key("migrate");
        let note = Problem::new(message, hint).of(&names).at(draft.place(&at));
        draft.notes.push(note);
    }
}

fn started(draft: &mut Draft<'_>, kind: ResourceKind, name: &Name, resource: &Resource) -> run::Component {
    let made = Made::of(draft, kind, name, resource);
    let password = run::Variable {
        value: made.password.clone(),
        deliver: Delivery::File,
    };
    let mut env = variables::given(draft, name, true);
    env.insert(PASSWORD.to_owned(), password);
    let (url, region) = (made.url(name), made.region.clone());
    let (user, database) = (made.user, made.database);
    // What migrates and fills it is told of it like whoever uses it.
    env.insert(ADDRESS.to_owned(), plain(url));
    let ask = match kind {
        ResourceKind::Postgres => Ask::Postgres {
            user: user.clone(),
            database: database.clone(),
        },
        ResourceKind::Redis => Ask::Redis,
        ResourceKind::Bucket => Ask::Path("/-/health".to_owned()),
    };
    let dir = draft.whole("");
    run::Component {
        name: name.clone(),
        kind: kind.into(),
        at: draft.place(&Path::of([kind.word(), name.as_str()])),
        command: None,
        dir: dir.clone(),
        env,
        build: None,
        needs: Vec::new(),
        instances: 1,
        shifts: Vec::new(),
        most: 1,
        single: true,
        listens: Some(run::Listens {
            speaks: match kind {
                ResourceKind::Bucket => Vec::new(),
                ResourceKind::Postgres | ResourceKind::Redis => vec![Protocol::Tcp],
            },
            ..reach::inside()
        }),
        health: Health {
            ask,
            interval: known("10s"),
            timeout: known("5s"),
            deadline: known("2m"),
        },
        limits: Limits {
            memory: None,
            cpu: None,
            pids: PIDS,
        },
        restart: Restart::Always,
        stop: run::Stop {
            // A Postgres that is asked by TERM waits until every client has left; INT loses nothing either.
            signal: if kind == ResourceKind::Postgres {
                "INT"
            } else {
                "TERM"
            }
            .to_owned(),
            within: known("30s"),
            drain: Duration::ZERO,
        },
        site: None,
        pack: None,
        idle: None,
        cron: None,
        timeout: None,
        retry: None,
        watch: Vec::new(),
        resource: Some(Arc::new(run::Resource {
            user,
            database,
            region,
            password: password_of(name),
            ..spelled(draft, kind, name, resource, &dir)
        })),
    }
}

/// The variable by which what migrates or fills a resource is told its address, whatever else it is called by.
pub const ADDRESS: &str = "DATABASE_URL";

/// What the manifest says of it; how it is opened is added by whoever knows.
fn spelled(
    draft: &Draft<'_>,
    kind: ResourceKind,
    name: &Name,
    resource: &Resource,
    dir: &str,
) -> run::Resource {
    let contents = draft.own.map(|own| &own.data);
    let load = contents.and_then(|contents| contents.load.as_ref());
    let load = load.map(|file| draft.whole(file.as_str()));
    let real = contents.is_some_and(|contents| contents.real);
    let main = draft.product.postgres.keys().next();
    let expiry = resource
        .lifecycle
        .iter()
        .filter(|rule| rule.to == StorageClass::Delete);
    run::Resource {
        kind,
        version: resource.version.clone(),
        database: String::new(),
        user: String::new(),
        password: String::new(),
        region: String::new(),
        memory: resource.memory,
        storage: resource.storage,
        pool: None,
        connections: resource.pool.as_ref().map_or(100, |pool| pool.size.max(20) + 10),
        extensions: resource.extensions.clone(),
        persistent: resource.persistent,
        evict: resource.evict,
        versioning: resource.versioning,
        public: resource.public,
        encrypted: resource.encrypted && kind == ResourceKind::Bucket,
        expiry: expiry
            .map(|rule| run::Expiry {
                prefix: rule.prefix.clone().unwrap_or_default(),
                after: rule.after,
                old_versions: rule.old_versions,
            })
            .collect(),
        migrate: resource.migrate.as_ref().map(|migrate| run::Migrate {
            folder: migrate.folder.as_ref().map(|folder| draft.whole(folder.as_str())),
            command: migrate.command.as_ref().map(ToString::to_string),
            dir: dir.to_owned(),
            phases: migrate.phases.clone(),
            lock: migrate.lock,
            window: migrate.window.clone().filter(|_| real),
            contract: migrate.contract.clone().filter(|_| real),
            zone: draft.product.time_zone.clone(),
        }),
        contents: String::new(),
        // A file of rows belongs to the database written first: an environment has one such file.
        load: load.filter(|_| kind == ResourceKind::Postgres && main == Some(name)),
        // A copy takes the place of what would be empty.
        fresh: contents.is_some_and(|contents| contents.fresh && contents.copy.is_none()),
        seed: resource.seed.as_ref().map(|seed| run::Seed {
            file: seed.file.as_ref().map(|file| draft.whole(file.as_str())),
            command: seed.command.as_ref().map(ToString::to_string),
            dir: dir.to_owned(),
        }),
    }
}

/// The resources that a component waits for: those of ours that it uses.
pub(super) fn waited_for(draft: &Draft<'_>, using: &Use) -> Vec<Name> {
    match draft.target(using.name.as_str()) {
        Some(Target::Resource(_, name, resource)) if !draft.is_elsewhere(name, resource) => {
            // Who is told the address of both is started anew when either moves.
            let pool = resource.pool.as_ref().and_then(|_| pooler(name));
            [name.clone()].into_iter().chain(pool).collect()
        }
        _ => Vec::new(),
    }
}
