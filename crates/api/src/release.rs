//! Releases: how one is handed over, how its rollout is followed, and what people say about it.
//!
//! A client makes a release: it asks which secrets there are (`POST /secrets/versions`), reckons the content, asks which of its
//! files are missing (`POST /artifacts/missing`), brings those (`PUT /artifacts/DIGEST`, the file as the body), and hands it over
//! (`POST /deploy`). Whoever hands over what is not whole is told what is missing, and nothing has changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use towpath_model::desired::secret::Generator;
use towpath_model::run::{
    Answer, Approved, Content, Course, Line, Origin, Questions, Reason, ReleaseId, Tree, Waiver,
};
use towpath_model::unit::Name;

/// `POST /secrets/versions`: the versions of these secrets that hold now. Those with a generator are made up where there are
/// none yet. Answered by `Versions`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Versioned {
    /// These, and how each is made up; all that there are, when empty.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, Option<crate::Opaque>>")
    )]
    pub names: BTreeMap<String, Option<Generator>>,
}

/// The versions of secrets that hold now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Versions {
    /// Each by its name. What is asked for and is not here has no value.
    pub versions: BTreeMap<String, u64>,
}

/// `POST /artifacts/missing`: which of these files are not there. Answered by the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Missing {
    /// Their digests.
    pub files: Vec<String>,
}

/// `POST /deploy`: this release is to be the current one. Answered by `Event`s until its rollout has ended or holds; or at
/// once, where nobody waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Deploy {
    /// What it is.
    #[cfg_attr(feature = "schema", schemars(with = "crate::Opaque"))]
    pub content: Content,
    /// The trees that it names as artifacts, by their digests.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, crate::Opaque>"))]
    pub trees: BTreeMap<String, Tree>,
    /// Where it comes from.
    #[cfg_attr(feature = "schema", schemars(with = "crate::Opaque"))]
    pub origin: Origin,
    /// What gates have answered that were asked elsewhere: where it was made, and in the environment that it comes from.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::Opaque>"))]
    pub answers: Vec<Answer>,
    /// Whoever asks waits for its end.
    pub wait: bool,
}

/// `POST /ask`: these gates are asked of what runs here. Answered by `Answered`, when each has answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ask {
    /// The questions.
    #[cfg_attr(feature = "schema", schemars(with = "crate::Opaque"))]
    pub questions: Questions,
    /// Those of them that are asked.
    pub gates: Vec<String>,
}

/// `GET /gates`: what gates have answered here, the newest first, and what is waived.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Answered {
    /// Each answer.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::Opaque>"))]
    pub answers: Vec<Answer>,
    /// What is passed over, and for how long.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::Opaque>"))]
    pub waivers: Vec<Waiver>,
    /// Who has said yes.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::Opaque>"))]
    pub approved: Vec<Approved>,
}

/// `POST /gates`: something about a gate. Answered by `Answered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum AboutGate {
    /// It is passed over for a time.
    Waive(#[cfg_attr(feature = "schema", schemars(with = "crate::Opaque"))] Waiver),
    /// That is over.
    Unwaive {
        /// The gate.
        gate: String,
        /// Who says so.
        by: String,
    },
    /// Somebody says yes.
    Approve(#[cfg_attr(feature = "schema", schemars(with = "crate::Opaque"))] Approved),
    /// What it has answered to somebody who could ask it: a job of CI with the folder of the product.
    Answered(#[cfg_attr(feature = "schema", schemars(with = "crate::Opaque"))] Box<Answer>),
}

/// `POST /course`: something about what is under way. Answered by `Event`s, as `Deploy` is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Steer {
    /// What.
    pub what: Steering,
    /// Who asks for it.
    pub by: String,
    /// Whoever asks waits for its end.
    pub wait: bool,
}

/// What can be said about what is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Steering {
    /// Nothing: somebody only looks on.
    Watch,
    /// This release again; the one before, where none is named. Where it is a beginning of a name, one release has it.
    Rollback(Option<String>),
    /// It stops where it is.
    Pause,
    /// It goes on.
    Resume,
    /// It comes back.
    Abort,
    /// It may go on.
    Approve,
    /// What is judged here counts as passed.
    Skip {
        /// Why.
        reason: String,
    },
    /// Nothing goes forward.
    Freeze {
        /// Until when.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// That is over.
    Thaw,
}

/// `GET /course`: where the environment stands between its releases; also told whenever it is another one (`Event::Course`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CourseTold {
    /// All of it.
    #[cfg_attr(feature = "schema", schemars(with = "crate::Opaque"))]
    pub course: Course,
    /// Why it is where it is; nothing before the first release.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::Opaque>"))]
    pub because: Option<Reason>,
    /// The same in words, as everybody is told.
    pub words: String,
    /// Gates that wait for somebody who has the product's folder: whoever waits for the end asks them there.
    #[serde(default)]
    pub awaits: Vec<String>,
    /// Components of which two releases have visitors: what each has, of ten thousand.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, Vec<(String, u16)>>"))]
    pub shares: BTreeMap<Name, Vec<(ReleaseId, u16)>>,
}

impl CourseTold {
    /// Whether nothing happens before a person, or the calendar, says so.
    pub fn holds(&self) -> bool {
        self.course.rollout.is_some() && self.because.as_ref().is_some_and(Reason::holds)
    }
}

/// `GET /releases`: those that there are, the newest first. `GET /releases/ID` is all of one (`run::Release`); a beginning of
/// its name is enough.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Releases {
    /// Where the environment stands.
    pub told: CourseTold,
    /// Each.
    pub releases: Vec<Listed>,
}

/// A release in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Listed {
    /// Its name.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub id: ReleaseId,
    /// When it came here.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
    /// Where it comes from.
    #[cfg_attr(feature = "schema", schemars(with = "crate::Opaque"))]
    pub origin: Origin,
    /// How its last rollout here ended, in words.
    pub ended: Option<String>,
}

/// `GET /history`: what has happened to releases here, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct History {
    /// Each.
    pub entries: Vec<Happened>,
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Happened {
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
    /// What: `deploy`, `rollback`, `ended`, `pause`, `freeze`.
    pub what: String,
    /// What it was about: a release, or a component.
    pub subject: String,
    /// Why, and who.
    pub because: String,
    /// The rollout, where it was in one.
    pub rollout: Option<u64>,
    /// How long it took, where it has ended something.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub took: Option<towpath_model::unit::Duration>,
}

/// `GET /rollouts/NUMBER`: the whole story of a rollout, however long ago it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Story {
    /// Its number.
    pub rollout: u64,
    /// It is still under way.
    pub lives: bool,
    /// What happened in it, the oldest first. The first says from where to where, and who wanted it; the last how it ended.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::Opaque>"))]
    pub lines: Vec<Line>,
}
