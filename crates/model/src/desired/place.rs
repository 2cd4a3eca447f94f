//! Hosts and regions: where things run, and why there.

use super::component::ToEnvironment;
use super::secret::ToSecret;
use crate::unit::{Bytes, Cidr, Cpu, Region, Url};
use crate::word::Ref;
use crate::{choice, table, target};

target! {
    /// A host.
    ToHost = ["host"];
    /// A registry.
    ToRegistry = ["registry"];
}

choice! {
    /// What kind of place a host is.
    HostKind
    /// A machine of ours.
    Machine = "machine";
    /// A platform that runs what it is given.
    Platform = "platform";
    /// A managed database, cache or bucket.
    Managed = "managed";
    /// A network that delivers files and ends TLS.
    Cdn = "cdn";
    /// A cluster.
    Cluster = "cluster";
    /// A service that builds, watches or keeps.
    Saas = "saas";
    /// A store that releases packages.
    Store = "store";
}

table! {
    /// A place where something runs or is kept: a machine, a platform, a managed service.
    Host {}
    /// What it is called.
    title: Option<String> { eg "Fly.io" };
    /// What kind of place it is.
    kind: HostKind = HostKind::Machine;
    /// What it is used for.
    about: Option<String>;
    /// Why this one.
    why: Option<String> { eg "Runs near the users and sleeps for nothing" };
    /// What else was weighed, and when to move.
    instead: Option<String> { eg "A cluster, once three machines are full" };
    /// Its region.
    region: Option<Region> { eg "sin" };
    /// Further regions in which the same runs, all of them active.
    regions: Vec<Region> { eg "fra" };
    /// How much processor it has.
    cpu: Option<Cpu> { eg "2" };
    /// How much memory it has.
    memory: Option<Bytes> { eg "8GiB" };
    /// How much disk it has.
    disk: Option<Bytes> { eg "80GiB" };
    /// How many GPUs it has.
    gpu: Option<u32>;
    /// The plan or size class.
    plan: Option<String> { eg "B1 Linux" };
    /// The account, subscription or resource group.
    group: Option<String> { eg "synapse-prod" };
    /// The networks that it is reached from and reaches: peering, endpoints, tunnels.
    network: Vec<String> { eg "WireGuard to the database" };
    /// The only networks that reach it.
    allow: Vec<Cidr>;
    /// Its address, where Towpath asks it something.
    url: Option<Url>;
    /// The secret that opens it.
    secret: Option<Ref<ToSecret>>;
    /// The CI proves who it is, so that no key is kept for it.
    oidc: bool = false;
    /// The environments that use it, where that does not follow from elsewhere.
    only: Vec<Ref<ToEnvironment>>;
    /// The machine that takes over when this one fails.
    standby: Option<Ref<ToHost>>;
}
