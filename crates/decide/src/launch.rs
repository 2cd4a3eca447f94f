//! From the manifest to what runs: every component with its command, its folder, its variables and all it is known by.
//!
//! **What it decides.** What is started in an environment, and how. Everything that a manifest may leave open is settled
//! here: shorthands are whole paths, a stand-in is a component like any other, a shared build is there once with the names
//! of those that share it, and each variable says where its value comes from. Who starts things needs no manifest.
//!
//! **Where values come from.** The manifest first, as it is in this environment. What it leaves open is taken from
//! `.env.ENVIRONMENT` beside it and then from `.env`, whichever variable or secret it is. What nobody gives and may be made
//! up is made once and kept by the caller. One name has one value in an environment, whoever asks for it: that is how a
//! person reads a `.env` file.
//!
//! **When it refuses.** Whatever stands in the way is told at once, each with its place and the next step, before anything
//! is started: values that nobody gives, files that git tracks, what this version cannot start. The rest is made all the
//! same, so that everything is told in one go; a product with problems is not to be started.

mod build;
mod component;
mod digest;
pub mod dotenv;
mod draft;
mod from;
mod front;
mod given;
mod listen;
mod mutual;
mod outside;
mod program;
mod reach;
pub mod release;
mod resource;
mod rules;
mod select;
mod spans;
#[cfg(test)]
mod tests;
pub mod tools;
mod usual;
mod variables;
mod versioned;
mod words;

pub use digest::{digest, short as short_digest, text_digest};
pub use given::{GIVEN, Given, HANDED_ON, HandedOn, base, made};
pub use listen::listening;
pub use program::{Program, below, program};
pub use resource::{ADDRESS, PASSWORD, POOLED, pooler};
pub use select::{narrow, select};
pub use usual::{is_own_machine, usual_environment};
pub use versioned::{version_of, versioned};

use dotenv::Dotenv;
use draft::Draft;
use std::sync::Arc;
use towpath_model::Desired;
use towpath_model::desired::secret::Generator;
use towpath_model::run::{Place, Product, Source, Variables};
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// What was read from outside.
pub struct Surroundings<'a> {
    /// The folder of the manifest, as a whole path.
    pub folder: &'a str,
    /// The files that the product was read from.
    pub sources: Vec<Source>,
    /// Where something stands in the manifest.
    pub place: &'a dyn Fn(&Path) -> Place,
    /// The `.env` files beside the manifest, the most exact one first.
    pub files: &'a [EnvFile],
    /// The values that were made earlier.
    pub kept: &'a Variables,
    /// The environment of the person who starts it.
    pub person: &'a [(String, String)],
    /// Values lie in the environment's vault, and not in files: what is missing is put there.
    pub vault: bool,
}

/// A `.env` file.
#[derive(Debug, Clone)]
pub struct EnvFile {
    /// Its name, as it is shown.
    pub name: String,
    /// Git tracks it.
    pub tracked: bool,
    /// What stands in it.
    pub read: Dotenv,
}

/// What is started, and what it is started with.
#[derive(Debug)]
pub struct Launched {
    /// What runs.
    pub product: Product,
    /// The values that it names, as far as somebody gives them.
    pub values: Variables,
    /// The values that are to be made up and kept, by the names that they are asked for under.
    pub generate: Vec<(String, Generator)>,
    /// The environment that lies below that of every process.
    pub base: Variables,
    /// The resources that somebody else has, and whose address is known.
    pub bound: Vec<Bound>,
    /// What stands in the way: with one of them nothing is started.
    pub problems: Vec<Problem>,
    /// What a person should know, and nothing waits for.
    pub notes: Vec<Problem>,
}

/// A resource that somebody else has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Its name.
    pub name: Name,
    /// The value that holds its address.
    pub secret: String,
    /// The version that it is to have.
    pub version: Option<String>,
}

/// Something that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, if it has a place.
    pub at: Option<Place>,
    /// What is wrong, and the rule that says so.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The components and builds that it concerns; all of them when empty.
    pub of: Vec<String>,
}

impl Problem {
    /// A problem without a place.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Problem {
            at: None,
            message: message.into(),
            hint: Some(hint.into()),
            of: Vec::new(),
        }
    }

    /// That concerns these alone.
    #[must_use]
    pub fn of(mut self, names: impl IntoIterator<Item = impl ToString>) -> Self {
        self.of = names.into_iter().map(|name| name.to_string()).collect();
        self
    }

    /// With its place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.at = Some(place);
        self
    }
}

/// What runs of a product in an environment. `desired` is the product with the environment laid over it, and only what is
/// present there.
pub fn launch(desired: &Desired, environment: &Name, surroundings: Surroundings<'_>) -> Launched {
    let mut draft = Draft::new(desired, environment, &surroundings);
    outside::engine(&mut draft);
    outside::files(&mut draft);
    for (kind, name, component) in desired.components() {
        component::component(&mut draft, kind, name, component);
    }
    component::stand_ins(&mut draft);
    resource::resources(&mut draft);
    outside::images(&mut draft);
    mutual::notes(&mut draft);
    spans::spans(&mut draft);
    variables::missing(&mut draft);
    words::secrets(&mut draft);
    let front = front::front(&mut draft);
    let Draft {
        components,
        builds,
        values,
        generate,
        problems,
        notes,
        ..
    } = draft;
    Launched {
        product: Product {
            product: desired.product.clone(),
            environment: environment.clone(),
            folder: surroundings.folder.to_owned(),
            sources: surroundings.sources,
            components: components
                .into_iter()
                .map(|(name, one)| (name, Arc::new(one)))
                .collect(),
            builds: builds
                .into_iter()
                .map(|(name, one)| (name, Arc::new(one)))
                .collect(),
            // Whoever may read files puts it there.
            error_page: None,
            front,
            credentials: mutual::credentials(desired),
        },
        values,
        generate: generate.into_iter().collect(),
        base: given::base(surroundings.person),
        bound: resource::bound(desired),
        problems,
        notes,
    }
}
