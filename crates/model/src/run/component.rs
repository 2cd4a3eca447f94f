//! A product, its components and builds, as they are started.

use crate::choice;
use crate::desired::component::{ComponentKind, Protocol, Restart, WatchAction};
use crate::desired::resource::ResourceKind;
use crate::desired::secret::Delivery;
use crate::run::{Credential, Credentials, Front, Mutual, Resource, Rules, Shift};
use crate::sealed::Sealed;
use crate::unit::{Bytes, Cpu, Duration, Glob, Name, Schedule, Zone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A product in one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// The product.
    pub product: Name,
    /// The environment.
    pub environment: Name,
    /// The folder of the manifest, as a whole path.
    pub folder: String,
    /// The files that it was read from: when none has changed, neither has this.
    pub sources: Vec<Source>,
    /// The components that are present here, stand-ins for outside things among them.
    pub components: BTreeMap<Name, Arc<Component>>,
    /// The builds that they name.
    pub builds: BTreeMap<Name, Arc<Build>>,
    /// What browsers are shown for what cannot be answered, where it is a page of the product's own.
    #[serde(default)]
    pub error_page: Option<String>,
    /// What holds for everything that visitors reach.
    #[serde(default)]
    pub front: Front,
    /// Components show each other certificates.
    #[serde(default)]
    pub credentials: Option<Credentials>,
}

/// A file that a product was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its whole path.
    pub path: String,
    /// The digest of what stood in it; nothing where there was no such file.
    pub digest: Option<String>,
}

/// The values of secrets by their names, for those who may know them.
pub type Variables = BTreeMap<String, Sealed<String>>;

choice! {
    /// What a thing that runs is.
    Kind
    /// Takes requests.
    Service = "service";
    /// Takes jobs.
    Worker = "worker";
    /// Keeps one connection to somewhere; exactly one instance is live.
    Bot = "bot";
    /// Static files.
    Site = "site";
    /// A service that sleeps at zero.
    Function = "function";
    /// Runs and ends.
    Job = "job";
    /// A package that is released to stores.
    Extension = "extension";
    /// Stands in for something outside.
    StandIn = "stand-in";
    /// Lends the connections of a Postgres database.
    Pool = "pool";
    /// A Postgres database.
    Postgres = "postgres";
    /// Redis or Valkey.
    Redis = "redis";
    /// An S3-compatible bucket.
    Bucket = "bucket";
}

impl Kind {
    /// Whether it keeps data.
    pub fn is_resource(self) -> bool {
        matches!(self, Kind::Postgres | Kind::Redis | Kind::Bucket)
    }
}

impl From<ResourceKind> for Kind {
    fn from(kind: ResourceKind) -> Self {
        match kind {
            ResourceKind::Postgres => Kind::Postgres,
            ResourceKind::Redis => Kind::Redis,
            ResourceKind::Bucket => Kind::Bucket,
        }
    }
}

impl From<ComponentKind> for Kind {
    fn from(kind: ComponentKind) -> Self {
        match kind {
            ComponentKind::Service => Kind::Service,
            ComponentKind::Worker => Kind::Worker,
            ComponentKind::Bot => Kind::Bot,
            ComponentKind::Site => Kind::Site,
            ComponentKind::Function => Kind::Function,
            ComponentKind::Job => Kind::Job,
            ComponentKind::Extension => Kind::Extension,
        }
    }
}

/// A component, spelled out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Its name.
    pub name: Name,
    /// Its kind.
    pub kind: Kind,
    /// Where the manifest says it.
    pub at: Place,
    /// What starts one instance, as it is typed in a shell. Sites and extensions have none.
    pub command: Option<String>,
    /// The folder that its commands run in, as a whole path.
    pub dir: String,
    /// All of its environment variables, above those that are handed on from the person.
    pub env: BTreeMap<String, Variable>,
    /// The build that has to have succeeded before, by its name in the product.
    pub build: Option<Name>,
    /// The components that it needs.
    pub needs: Vec<Need>,
    /// How many instances run when nothing else is said, be it by a shift. None: a function is woken by a request, a job by
    /// its time.
    pub instances: u32,
    /// How many run at certain times; where several hold, the largest number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<Shift>,
    /// The most instances that may run; none of a site or an extension.
    pub most: u32,
    /// At most one is live at any time, and it holds a lease for it.
    pub single: bool,
    /// How it is reached; none where nothing does. A site is reached, too, though no process of it listens.
    pub listens: Option<Listens>,
    /// How it is known to be well.
    pub health: Health,
    /// What one instance may use.
    pub limits: Limits,
    /// What happens when an instance ends.
    pub restart: Restart,
    /// How an instance is stopped.
    pub stop: Stop,
    /// The files that are served.
    pub site: Option<Site>,
    /// What is packed.
    pub pack: Option<Pack>,
    /// How long without a request until it sleeps.
    pub idle: Option<Duration>,
    /// When it runs, with the zone that holds where the schedule names none.
    pub cron: Option<(Schedule, Zone)>,
    /// How long one run of a job may take.
    pub timeout: Option<Duration>,
    /// How a failed run of a job is tried again.
    pub retry: Option<Retry>,
    /// What changed files do.
    pub watch: Vec<WatchRule>,
    /// What it keeps, where it is a resource: its command is ours then.
    pub resource: Option<Arc<Resource>>,
}

/// A place in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, as the person named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// Where its value comes from.
    pub value: Value,
    /// How it reaches the process. By file, the variable holds the file's path.
    pub deliver: Delivery,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// It stands in the manifest.
    Text(String),
    /// It is the value of this name among the sealed ones: a secret, or what `.env` says.
    Sealed(String),
    /// The port that the instance listens on.
    Port,
    /// Where another component is reached from inside.
    Address {
        /// The component.
        of: Name,
        /// What of its address.
        part: Part,
    },
    /// Where a component is reached by people.
    Public(Name),
    /// The path of a file by which a component and others know each other.
    Credential {
        /// The component.
        of: Name,
        /// Which file.
        which: Credential,
    },
    /// These, one after the other; none of them is joined itself.
    Joined(Vec<Value>),
}

impl Value {
    /// What it is made of: itself, where it is not joined.
    pub fn parts(&self) -> &[Value] {
        match self {
            Value::Joined(parts) => parts,
            one => std::slice::from_ref(one),
        }
    }
}

/// A part of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// `http://127.0.0.1:4711`
    Url,
    /// `127.0.0.1`
    Host,
    /// `4711`
    Port,
}

/// A component that another one needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// The needed one.
    pub name: Name,
    /// Starting does not wait for it.
    pub optional: bool,
}

/// How something is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listens {
    /// The port that every instance listens on; without one each instance is given a free one as `PORT`.
    pub port: Option<u16>,
    /// What it speaks besides HTTP. Where this is `tcp` the edge passes bytes on.
    pub speaks: Vec<Protocol>,
    /// People reach it by its name.
    pub public: bool,
    /// Other components reach it.
    pub private: bool,
    /// Further names, besides its own.
    pub domains: Vec<String>,
    /// Visitors stay on one instance.
    pub sticky: bool,
    /// Parts of its address space that others answer or that have rules of their own, the longest path first.
    pub routes: Vec<Route>,
    /// Answers are compressed.
    pub compress: bool,
    /// What the edge keeps in front of it.
    #[serde(default)]
    pub rules: Arc<Rules>,
    /// Who of the components may call it, where they show who they are.
    #[serde(default)]
    pub mutual: Option<Mutual>,
}

/// A part of an address space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The beginning of the path.
    pub path: String,
    /// Who answers there, where that is somebody else.
    pub to: Option<Name>,
    /// Where the visitor is sent instead.
    pub redirect: Option<String>,
    /// What the edge keeps there.
    #[serde(default)]
    pub rules: Arc<Rules>,
}

/// How an instance is known to be well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// What is asked.
    pub ask: Ask,
    /// How often.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How long a new instance may take to become well. An exit fails at once.
    pub deadline: Duration,
}

/// What is asked of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// It runs: there is nothing to ask.
    Runs,
    /// Its port takes connections.
    Port,
    /// This path answers with success.
    Path(String),
    /// This command ends with 0.
    Command(String),
    /// It is a Postgres that takes this user into this database.
    Postgres {
        /// The user.
        user: String,
        /// The database.
        database: String,
    },
    /// It is a Redis that takes commands.
    Redis,
}

/// What one instance may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory.
    pub memory: Option<Bytes>,
    /// Processor.
    pub cpu: Option<Cpu>,
    /// Processes and threads.
    pub pids: u32,
}

/// How an instance is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The signal that asks it to stop: `TERM`.
    pub signal: String,
    /// How long it may take before it is killed.
    pub within: Duration,
    /// How long open WebSockets may stay.
    pub drain: Duration,
}

/// Static files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// The folder, as a whole path.
    pub folder: String,
    /// The file that answers for paths that have none.
    pub fallback: Option<String>,
    /// How long files with a digest in their name may be kept.
    pub assets: Option<Duration>,
    /// How long pages may be kept.
    pub pages: Option<Duration>,
}

/// What is packed, and for whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pack {
    /// The folder, as a whole path.
    pub folder: String,
    /// The content-security policy that its own manifest has to state, where ours says one.
    pub policy: Option<String>,
}

/// How a failed run is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// How many times.
    pub times: u32,
    /// The pause before the first new try; it doubles each time.
    pub backoff: Duration,
}

/// What changed files do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRule {
    /// The files, as a whole path or pattern.
    pub path: Glob,
    /// What a change does.
    pub action: WatchAction,
    /// Files below it that do not count.
    pub ignore: Vec<Glob>,
}

/// A build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// Its name: that of a shared build, or of the component that it belongs to.
    pub name: Name,
    /// Where the manifest says it.
    pub at: Place,
    /// The command.
    pub command: String,
    /// The folder that it runs in, as a whole path.
    pub dir: String,
    /// Its environment variables, above those that are handed on from the person.
    pub env: BTreeMap<String, Variable>,
    /// The files that it is made of. None are named: it is asked each time, and knows by itself what to do.
    pub inputs: Vec<Glob>,
    /// The tools that it needs, as they are written: `python 3.12`.
    pub needs: Vec<String>,
}
