//! What runs: a product in one environment, spelled out so far that it can be started as it stands here.
//!
//! `Desired` is what people write, with everything that may be left out. A `run::Product` is made of it for one
//! environment on one machine: each path is whole, each variable says where its value comes from, each default is
//! applied. No value of a secret is in it, so that it can be kept and shown; the values travel beside it, sealed.

mod artifact;
mod component;
mod front;
mod gate;
mod instance;
mod maintenance;
mod mutual;
mod reading;
mod release;
mod resource;
mod rollout;
mod rules;
mod shift;
mod spans;
mod state;
mod story;
mod verdict;

pub use artifact::{ARTIFACT, Entry, Tree};
pub use component::{
    Ask, Build, Component, Health, Kind, Limits, Listens, Need, Pack, Part, Place, Product, Retry, Route,
    Site, Source, Stop, Value, Variable, Variables, WatchRule,
};
pub use front::{Acme, Certificate, Certified, Challenge, Front, Listen};
pub use gate::{Answer, Approved, Evidence, Found, Questions, Waiver};
pub use instance::{Exit, InstanceId, Life, Seen, Usage};
pub use maintenance::Maintenance;
pub use mutual::{AUTHORITY, CERTIFICATE, Credential, Credentials, Mutual};
pub use reading::{Reading, Spread, Tally};
pub use release::{
    ALL, Closed, Content, Frame, Migration, Origin, Portion, Rehearsal, Release, ReleaseId, Schema, Step, Way,
};
pub use resource::{Expiry, Migrate, Pool, Resource, Seed};
pub use rollout::{
    Clock, Course, Ended, Frozen, Leg, Moved, Next, Rehearsed, Rehearsing, Rollout, Since, Stage, Task,
    Vigil, Warm, Work,
};
pub use rules::{Access, Bounds, Carried, Rules, Unwanted};
pub use shift::Shift;
pub use spans::{SPANS_HEADERS, SPANS_OF, SPANS_SHARE, SPANS_TO};
pub use state::State;
pub use story::{Line, percent};
pub use verdict::{Blame, Reason, Refusal, Trouble, Verdict};
