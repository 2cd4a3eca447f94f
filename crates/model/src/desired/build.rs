//! Builds: from sources to artifacts that are kept.

use super::component::Watch;
use super::place::ToRegistry;
use super::secret::{ToSecret, Variable};
use crate::unit::{Bytes, Command, Path, VarName};
use crate::word::{Map, Ref};
use crate::{choice, table, target};

target! {
    /// A build that several components share.
    ToBuild = ["build"];
}

choice! {
    /// A list of the parts that went into an artifact.
    Sbom
    /// None is made.
    Off = "off";
    /// CycloneDX JSON.
    Cyclonedx = "cyclonedx";
    /// SPDX JSON.
    Spdx = "spdx";
}

table! {
    /// How something is built. A command alone may stand for it.
    Build { short [command] named shared }
    /// The command.
    command: Option<Command> { eg "cargo build --release" };
    /// The name of a build that several components share.
    shared: Option<Ref<ToBuild>> { eg "python" };
    /// The folder that it runs in. The component's own where it says none and is not shared.
    dir: Option<Path>;
    /// Built by this Dockerfile. The path begins at the manifest, also where there is a `dir`.
    dockerfile: Option<Path> { eg "Dockerfile" };
    /// The Dockerfile's stage.
    stage: Option<String> { eg "runtime" };
    /// Values for the Dockerfile's arguments.
    args: Map<VarName, String>;
    /// Environment variables while building; what a site is built with ends up in visitors' hands.
    env: Map<VarName, Variable>;
    /// Secrets that are there while building and in no layer or artifact.
    secrets: Vec<Ref<ToSecret>>;
    /// The tools and their exact versions.
    needs: Vec<String> { eg "python 3.12" };
    /// Files whose change makes the build run again. The patterns begin at the manifest.
    inputs: Vec<crate::unit::Glob> { eg "src/**" };
    /// Folders that are kept between builds.
    cache: Vec<Path> { eg "node_modules" };
    /// What changed files do while developing, in every component that is built so.
    watch: Vec<Watch> { eg "{ path = \"pyproject.toml\", action = \"rebuild\" }" };
    /// The most that the artifact may weigh.
    size: Option<Bytes> { eg "20MB" };
    /// A list of the parts that went into the artifact.
    sbom: Sbom = Sbom::Off;
    /// The artifact is signed, and the signature is checked before it runs.
    sign: bool = false;
    /// Remarks for the document.
    notes: Vec<String>;
}

table! {
    /// The artifact of a component.
    Artifact { short [image] }
    /// The image's name in its registry, without a tag: the digest is the release's.
    image: Option<String> { eg "ghcr.io/acme/api" };
    /// The registry that it is pushed to.
    registry: Option<Ref<ToRegistry>> { eg "ghcr" };
    /// The image that it is built on.
    base: Option<String> { eg "python:3.12-alpine" };
}

table! {
    /// A place where artifacts are kept.
    Registry { short [address] }
    /// Its address.
    address: String { required eg "ghcr.io" };
    /// What it is.
    about: Option<String>;
    /// Where it is hosted, for the document.
    at: Option<Ref<super::place::ToHost>>;
    /// The user, where the registry asks for one.
    user: Option<Ref<ToSecret>>;
    /// The secret that opens it; not needed where the build's own identity does.
    password: Option<Ref<ToSecret>>;
}
