//! Resources: what keeps data.

use super::place::ToHost;
use super::secret::ToSecret;
use crate::unit::{Bytes, Cidr, Command, Duration, Name, Path, Region, Schedule, Url, Window, known};
use crate::word::Ref;
use crate::{choice, table, target};

target! {
    /// A resource.
    ToResource = ["postgres" "redis" "bucket"];
    /// A bucket.
    ToBucket = ["bucket"];
}

choice! {
    /// The kind of a resource, which is the name of its table.
    ResourceKind
    /// A Postgres database.
    Postgres = "postgres";
    /// Redis or Valkey.
    Redis = "redis";
    /// An S3-compatible bucket.
    Bucket = "bucket";
}

choice! {
    /// What Redis does when its memory is full.
    Evict
    /// Writes fail.
    None = "none";
    /// The keys used longest ago go first.
    Lru = "lru";
    /// The keys used least go first.
    Lfu = "lfu";
    /// Keys that expire go first, the soonest ones.
    Ttl = "ttl";
}

choice! {
    /// How long a pooled connection belongs to a client.
    PoolMode
    /// For a transaction.
    Transaction = "transaction";
    /// For a session.
    Session = "session";
}

choice! {
    /// Which guarantee keeps a resource running when a machine fails.
    Availability
    /// None: one machine in one zone.
    Single = "single";
    /// A standby in another zone.
    Zones = "zones";
    /// A standby in another region.
    Regions = "regions";
}

table! {
    /// Something that keeps data. The table's name is its kind: `postgres`, `redis` or `bucket`. It is provisioned unless `bind` names one that exists.
    Resource {}
    /// What it keeps, in a sentence for the document.
    about: Option<String> { eg "Members, zones and scores" };
    /// Why it is made and hosted the way it is.
    why: Option<String>;
    /// Where it runs, by the name of a host.
    at: Option<Ref<ToHost>> { eg "rds" };
    /// The region, where it is not the product's.
    region: Option<Region> { eg "sin" };
    /// The major version.
    version: Option<String> { on [postgres redis] eg "16" };
    /// The provider's size class.
    size: Option<String> { eg "B1ms" };
    /// The memory that it may use.
    memory: Option<Bytes> { on [postgres redis] eg "512MiB" };
    /// The disk that it may use.
    storage: Option<Bytes> { eg "20GiB" };
    /// One that exists already: the secret that holds its address. It is checked and used, never made or deleted.
    bind: Option<Ref<ToSecret>> { eg "DATABASE_URL" };
    /// The database's name; by default the product's.
    database: Option<Name> { on [postgres] eg "app" };
    /// Extensions to have.
    extensions: Vec<String> { on [postgres] eg "pgcrypto" };
    /// Connections that many clients share: pgbouncer stands before the database, as `NAME-pool`. Who uses the database is told
    /// the pooler's address in `NAME_URL`, and its own in `NAME_DIRECT_URL`.
    pool: Option<Pool> { on [postgres] eg "20" };
    /// Copies that only answer reads. `towpath up` makes none on one machine: who reads asks the one that writes.
    read_replicas: Vec<ReadReplica> { on [postgres redis] eg "{ region = \"fra\" }" };
    /// What keeps it running when a machine fails.
    availability: Availability = Availability::Single;
    /// Connections have to be encrypted.
    tls: bool = true;
    /// Besides the product's components only these networks reach it.
    allow: Vec<Cidr>;
    /// What it holds is encrypted on disk.
    encrypted: bool = true;
    /// What it holds survives a restart.
    persistent: bool { on [redis] } = true;
    /// What goes when memory is full.
    evict: Evict { on [redis] } = Evict::None;
    /// Old versions of objects are kept.
    versioning: bool { on [bucket] } = false;
    /// Anybody may read.
    public: bool { on [bucket] } = false;
    /// What happens to objects as they age.
    lifecycle: Vec<Lifecycle> { on [bucket] eg "{ after = \"30d\", to = \"infrequent\" }" };
    /// Backups.
    backup: Option<Backup> { eg "{ full = \"daily\", keep = \"30d\", drill = \"monthly\" }" };
    /// What may be lost, and how long it may take to be back.
    promise: Option<Promise> { eg "{ rpo = \"15m\", rto = \"4h\" }" };
    /// How its schema moves.
    migrate: Option<Migrate> { on [postgres] eg "migrations" };
    /// What a fresh one is filled with, once.
    seed: Option<Seed> { on [postgres redis bucket] eg "seed.sql" };
    /// When patches are applied; without it the provider chooses.
    patch: Option<Window> { eg "sun 03:00-05:00" };
    /// What it may cost a month; more is an error.
    budget: Option<crate::unit::Money>;
    /// What personal data it keeps and how one person's is deleted.
    privacy: Option<super::component::Privacy>;
    /// Remarks for the document.
    notes: Vec<String>;
}

table! {
    /// Pooled connections.
    Pool { short [size] }
    /// Connections to the database.
    size: u32 = 20;
    /// How long one belongs to a client.
    mode: PoolMode = PoolMode::Transaction;
}

table! {
    /// A copy that only answers reads.
    ReadReplica { short [region] }
    /// The region that it is in, where that is another one.
    region: Option<Region> { eg "fra" };
    /// What it is for.
    why: Option<String> { eg "reports" };
}

choice! {
    /// Where objects go as they age.
    StorageClass
    /// Deleted.
    Delete = "delete";
    /// Storage that is cheaper to keep and dearer to read.
    Infrequent = "infrequent";
    /// Storage that has to be thawed before it is read.
    Archive = "archive";
}

table! {
    /// What happens to objects as they age.
    Lifecycle {}
    /// The age at which it happens.
    after: Duration { required eg "30d" };
    /// Where they go.
    to: StorageClass = StorageClass::Delete;
    /// Only objects whose name begins so.
    prefix: Option<String> { eg "exports/" };
    /// Only versions that have been replaced.
    old_versions: bool = false;
}

table! {
    /// Backups.
    Backup { short [full] }
    /// When a whole copy is made.
    full: Option<Schedule> { eg "daily 02:00" };
    /// How often the log of changes is shipped, even when nothing happens: the most that can be lost.
    wal: Option<Duration> { on [postgres] eg "5m" };
    /// When a snapshot of the disk is made.
    snapshot: Option<Schedule> { eg "hourly" };
    /// How long copies are kept at the least.
    keep: Duration = known("30d");
    /// How long copies are kept at the most.
    keep_most: Option<Duration> { eg "30d" };
    /// When a restore is tried, with the heartbeat row looked for.
    drill: Option<Schedule> { eg "monthly" };
    /// The bucket that copies go to; one outside the machine, or the drill is worth little.
    to: Option<Ref<ToBucket>> { eg "backups" };
    /// An address elsewhere for a further copy.
    offsite: Option<Url> { eg "s3://backups.example.com/db" };
    /// When the further copy is made; by default with each whole copy.
    offsite_when: Option<Schedule> { eg "weekly" };
    /// Copies are encrypted before they leave.
    encrypted: bool = true;
    /// The provider makes them, not we; drills are still ours.
    provider: bool = false;
}

table! {
    /// What may be lost, and how long it may take to be back.
    Promise {}
    /// The recovery point: the most work that may be lost.
    rpo: Option<Duration> { eg "15m" };
    /// The recovery time: until it works again.
    rto: Option<Duration> { eg "4h" };
}

choice! {
    /// What a migration does to code that runs.
    Phase
    /// It adds; old and new code both run.
    Expand = "expand";
    /// It fills in; old and new code both run.
    Backfill = "backfill";
    /// It takes away; old code no longer runs, and there is no rollback behind it.
    Contract = "contract";
}

table! {
    /// How a schema moves: a command, or a folder of SQL files.
    Migrate { short [folder] }
    /// The command.
    command: Option<Command> { eg "prisma migrate deploy" };
    /// A folder of SQL files, applied in the order of their names.
    folder: Option<Path> { eg "migrations" };
    /// The phases that migrations here have.
    phases: Vec<Phase> { eg "expand" };
    /// When migrations may run at all, where the data is real. Elsewhere they run at once, and so do the first ones of an
    /// empty database.
    window: Option<Window> { eg "daily 02:00-04:00" };
    /// When contract migrations may run, where the data is real; there is no going back behind them.
    contract: Option<Window> { eg "sun 02:00-04:00" };
    /// How long to wait for a lock before giving up and telling.
    lock: Duration = known("5s");
}

table! {
    /// What a fresh resource is filled with, once.
    Seed { short [file] }
    /// The file that it is filled with: SQL, or commands of Redis. A bucket is filled with a folder, and each file in it is an
    /// object.
    file: Option<Path> { eg "seed.sql" };
    /// The command that fills it.
    command: Option<Command> { eg "python seed.py" };
}

table! {
    /// Commands around a release.
    Hooks {}
    /// Before anything of the release starts.
    before: Option<Command> { eg "bin/announce" };
    /// After everything runs.
    after: Option<Command>;
    /// After a rollback.
    after_rollback: Option<Command> { eg "bin/purge-cdn" };
    /// After a restart of an instance or of what it needs: to warm a cache, for example.
    after_restart: Option<Command> { eg "bin/warm-cache" };
}
