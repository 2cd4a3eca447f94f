//! Environments: where a product runs, and how a release gets there.

use super::component::ToEnvironment;
use super::edge::Access;
use super::gate::ToGate;
use super::operations::ToRole;
use super::place::ToHost;
use super::rollout::Rollout;
use super::secret::Secrets;
use crate::unit::{Bytes, Date, Domain, Duration, Name, Path, Trigger, Window};
use crate::word::{Map, Ref};
use crate::{choice, table};

choice! {
    /// What runs instances.
    Engine
    /// Processes under keepers.
    Process = "process";
    /// Containers.
    Docker = "docker";
    /// A cluster.
    Kubernetes = "kubernetes";
}

choice! {
    /// How far an environment is apart from the others.
    Isolation
    /// It shares machine and network with others, with its own state and credentials.
    Shared = "shared";
    /// It has its own network and credentials.
    Isolated = "isolated";
    /// It has its own machines, too.
    Dedicated = "dedicated";
}

table! {
    /// A place where the product runs. Every word of the root may stand here, too, and is laid over the root.
    Environment { overlays }
    /// What it is for.
    about: Option<String> { eg "The last look before production" };
    /// What makes a change arrive here. Without it a release comes by itself, as soon as `after` has it and the gates hold.
    on: Vec<Trigger> { eg "push main" };
    /// The environment that a release comes from.
    after: Option<Ref<ToEnvironment>> { eg "staging" };
    /// Another environment whose words hold here, too, unless this one says otherwise. Trigger, predecessor, data, domain and flags are not taken over.
    like: Option<Ref<ToEnvironment>> { eg "prod" };
    /// What runs instances.
    engine: Engine = Engine::Process;
    /// Where everything runs that says nothing else.
    at: Option<Ref<ToHost>> { eg "fly" };
    /// What its data stores hold.
    data: Contents = Contents::usual();
    /// How far it is apart from the others.
    isolation: Isolation = Isolation::Isolated;
    /// The domain that the components' names are put in front of.
    domain: Option<Domain> { eg "staging.example.com" };
    /// What has to hold before a release may enter.
    gates: Vec<Ref<ToGate>> { eg "smoke" };
    /// How it goes from one release to the next. It holds as a whole, in place of the product's; a component's own holds
    /// in place of both.
    rollout: Option<Rollout> { eg "{ strategy = \"canary\", steps = [\"10% for 30m\", \"100%\"] }" };
    /// One environment for each pull request, with an end.
    preview: Option<Preview> { eg "{ expires = \"3d\" }" };
    /// The most that anything here may use.
    cap: Option<Cap> { eg "{ replicas = 1 }" };
    /// The flags that have another value here than their default.
    flags: Map<Name, bool> { eg "{ new_scorer = true }" };
    /// How secrets are kept here.
    secrets: Option<Secrets> { eg "dotenv" };
    /// Who may deploy here.
    deployers: Vec<Ref<ToRole>> { eg "ops" };
    /// Who may see it: a sign-in at the edge, in front of everything public here.
    access: Option<Access>;
    /// Nothing is deployed in these times.
    freeze: Vec<Freeze> { eg "{ from = \"2026-12-20\", to = \"2027-01-03\", why = \"holidays\" }" };
    /// Remarks for the document.
    notes: Vec<String>;
}

table! {
    /// The data of an environment.
    Contents {}
    /// The data stores are empty each time the environment is made: when it is brought up and nothing of it runs yet. What
    /// `bind` names is never emptied.
    fresh: bool = false;
    /// The file of SQL that a fresh database is filled with, once, after its migrations and its own `seed`. It belongs to the
    /// database that is written first.
    load: Option<Path> { eg "seed.sql" };
    /// The environment whose data is copied.
    copy: Option<Ref<ToEnvironment>> { eg "prod" };
    /// What is masked in the copy: `table.column`, and with what.
    mask: Map<crate::unit::Column, Mask> { eg "{ \"users.email\" = \"fake\" }" };
    /// It holds real data of real people.
    real: bool = false;
    /// When the copy is made anew.
    refresh: Option<crate::unit::Schedule> { eg "weekly" };
}

impl Contents {
    /// Its own, kept.
    pub fn usual() -> Self {
        Contents {
            fresh: false,
            load: None,
            copy: None,
            mask: Map::new(),
            real: false,
            refresh: None,
        }
    }
}

choice! {
    /// What a masked column holds.
    Mask
    /// Something that looks right and belongs to nobody, the same for the same input.
    Fake = "fake";
    /// A digest.
    Hash = "hash";
    /// Nothing.
    Null = "null";
    /// The row is left out.
    Drop = "drop";
}

table! {
    /// One environment for each pull request or branch.
    Preview { short [expires] }
    /// How long without a push until it is removed.
    expires: Duration = crate::unit::known("3d");
    /// Pull requests from forks get one, without secrets.
    forks: bool = false;
    /// Whether its address is written to the pull request.
    comment: bool = true;
    /// The most that exist at a time.
    most: u32 = 10;
    /// Visitors of everything public sign in, where nothing else is said about who may see it: with a password that is made
    /// up and kept as `PREVIEW_PASSWORD`. On somebody's own machine nobody is asked for it.
    protected: bool = true;
}

table! {
    /// The most that anything in an environment may use.
    Cap { short [replicas] }
    /// Instances of one component.
    replicas: Option<u32> { eg "1" };
    /// Memory of one instance.
    memory: Option<Bytes> { eg "256MiB" };
}

table! {
    /// A time in which nothing is deployed.
    Freeze {}
    /// The first day.
    from: Option<Date> { eg "2026-12-20" };
    /// The last day.
    to: Option<Date> { eg "2027-01-03" };
    /// A time that comes again: each week or each day.
    every: Option<Window> { eg "fri 16:00-23:59" };
    /// Why nothing is deployed then.
    why: String { required eg "holidays" };
}
