//! A first manifest out of what is there: what other tools have been told, and what the sources show.
//!
//! Each source has one file here, which turns texts into [`found::Found`]. What somebody wrote down (compose, fly,
//! Procfile, crontab) comes first and decides what runs; what is concluded from sources (dependencies, scripts,
//! Dockerfiles) fills in what was left open, and adds a component only where nobody has said what runs. Then names
//! are made valid and different, references are resolved, and the manifest is written by hand, so that each part
//! says where it comes from. What cannot be taken over is listed, never dropped in silence; a value that looks secret
//! is never repeated.

mod cargo;
mod compose;
mod crontab;
mod dockerfile;
mod dotenv;
mod extension;
mod finish;
mod fly;
mod found;
mod golang;
mod node;
mod procfile;
mod python;
mod ruby;
mod site;
mod text;
mod view;
mod write;

pub use view::{View, is_own, is_telling};

/// A manifest that fits what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The manifest.
    pub text: String,
    /// The files that could not be understood, and why.
    pub broken: Vec<String>,
    /// How many things were not taken over.
    pub left: usize,
}

/// Proposes a manifest for a folder.
pub fn propose(view: &View) -> Proposal {
    let mut found = found::Found::default();
    for find in [
        compose::find,
        fly::find,
        procfile::find,
        crontab::find,
        cargo::find,
        python::find,
        node::find,
        golang::find,
        ruby::find,
        extension::find,
        dockerfile::find,
        site::find,
        dotenv::find,
    ] {
        find(view, &mut found);
    }
    found.broken.extend(view.unread.iter().cloned());
    let product = finish::finish(view, &mut found);
    Proposal {
        text: write::write(&product, &found),
        left: found.left.len(),
        broken: found.broken,
    }
}
