//! Gathering: which files a component of a release runs from, and the tree that they are.
//!
//! **What is taken.** What the component cannot run without, and no more than that where it can be known. Paths in a tree
//! are those from the product's folder on, so that everything keeps its place to everything else.
//!
//! - A *site* and an *extension* are their folder.
//! - A component whose command begins with a path to an *executable* is that program, and its `config` files. Where it has a
//!   `dir` of its own, everything in there comes with it that git would keep: templates, pages, a schema. A program that is
//!   built beside the product's folder, as in a workspace, has a place of its own in the tree (`launch::release`).
//! - *Any other* component is read by something: an interpreter, a shell, a package manager. What these read is up to them,
//!   so everything in its `dir` is taken, and in the product's folder where it has none. Files that git ignores come with
//!   it: `node_modules`, `dist` and `.venv` are what it runs from. Its `dir` is how it says that it needs less.
//! - A *resource* is its folder of migrations, and the files that it is filled from; what migrates or fills it by a command
//!   is taken as a component is.
//!
//! **What is left out everywhere.** The manifest and what it includes, `.git`, `.towpath`, and `.env` with all that is called like it: a release holds no value
//! of a secret. What is neither a file, a folder nor a link. Where everything is taken, also caches that are known by name,
//! and a `target` that Cargo has made: it is gigabytes, and what runs from it is named by its path.
//!
//! **Links** stay what they are where they lead to something in the tree; what one leads to in the product's folder comes into
//! the tree. One that is written as a whole path, or leads out of the folder, would mean something else elsewhere: of a file, the
//! file is taken in its place, and of anything else it is refused.
//!
//! **When it refuses.** A folder or a program that is not there; a `dir` outside of the product's folder; a name that is no
//! UTF-8; more than 200,000 files or 4 GiB for one component, with its biggest folders. All of it is told at once.
//!
//! **Why it is fast.** What was hashed is kept by path, size, time and number of the file; an unchanged folder is only
//! walked through. A file that was changed in the last two seconds is hashed in any case, and not kept: its next change
//! may have the same time.

mod choose;
mod seen;
#[cfg(test)]
mod tests;
mod walk;

use choose::Root;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use towpath_decide::launch::release::tree_digest;
use towpath_model::run::{Entry, Product, Tree};
use towpath_model::unit::Name;
use walk::{Item, Walked};

/// What a product runs from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gathered {
    /// The digest of each component's tree.
    pub artifacts: BTreeMap<Name, String>,
    /// The trees by their digests.
    pub trees: BTreeMap<String, Tree>,
    /// Where each file lies, by its digest.
    pub files: BTreeMap<String, PathBuf>,
    /// How many of them had to be read.
    pub hashed: usize,
}

/// Something that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

impl Refused {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Refused {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// Finds and hashes what the components of a product run from. `config` names their files of settings, from the product's
/// folder on; what was hashed is kept in the state folder.
pub async fn gather(
    product: Arc<Product>,
    config: BTreeMap<Name, Vec<String>>,
    state: PathBuf,
) -> Result<Gathered, Vec<Refused>> {
    let looked = tokio::task::spawn_blocking({
        let product = Arc::clone(&product);
        move || walked(&product, &config)
    });
    let walked = looked.await.map_err(|_| vec![gone()])??;
    let mut all: BTreeMap<&Path, &Item> = BTreeMap::new();
    for items in walked.values().flat_map(|one| one.items.values()) {
        if let Item::File { path, .. } = items {
            all.insert(path, items);
        }
    }
    let (digests, hashed) = seen::digests(all, Some(&state)).await?;
    let mut gathered = Gathered {
        hashed,
        ..Gathered::default()
    };
    for (name, walked) in &walked {
        let tree = tree(walked, &digests);
        for item in walked.items.values() {
            if let Item::File { path, .. } = item
                && let Some(digest) = digests.get(path)
            {
                gathered
                    .files
                    .entry(digest.clone())
                    .or_insert_with(|| path.clone());
            }
        }
        let digest = tree_digest(&tree);
        gathered.artifacts.insert(name.clone(), digest.clone());
        gathered.trees.entry(digest).or_insert(tree);
    }
    Ok(gathered)
}

/// The same for trees that are laid out in a state folder, by their digests: for another environment that is to have them.
/// One whose files are not what its name says is refused.
pub async fn again(state: PathBuf, trees: BTreeSet<String>) -> Result<Gathered, Vec<Refused>> {
    let top = state.join(crate::artifacts::ARTIFACTS).join("trees");
    let (mut gathered, mut refused) = (Gathered::default(), Vec::new());
    for name in trees {
        let place = top.join(&name);
        let root = Root {
            path: place.clone(),
            at: String::new(),
            part: choose::Part::Whole,
        };
        let looked = tokio::task::spawn_blocking(move || walk::walk(&[root], &place, "a release"));
        let walked = looked.await.map_err(|_| vec![gone()])??;
        let files = walked.items.values().filter_map(|item| match item {
            Item::File { path, .. } => Some((path.as_path(), item)),
            Item::Link(_) => None,
        });
        let (digests, hashed) = seen::digests(files.collect(), None).await?;
        let tree = tree(&walked, &digests);
        if tree_digest(&tree) != name {
            let message = format!("the files of {name} in {} are not what they were", top.display());
            refused.push(Refused::new(message, "deploy there once more, and promote that"));
            continue;
        }
        gathered.hashed += hashed;
        gathered.trees.insert(name, tree);
        let files = digests.into_iter().map(|(path, digest)| (digest, path));
        gathered.files.extend(files);
    }
    match refused.is_empty() {
        true => Ok(gathered),
        false => Err(refused),
    }
}

fn gone() -> Refused {
    Refused::new("files could not be gathered", "call it again: it was interrupted")
}

fn walked(
    product: &Product,
    config: &BTreeMap<Name, Vec<String>>,
) -> Result<BTreeMap<Name, Arc<Walked>>, Vec<Refused>> {
    let folder = Path::new(&product.folder);
    let mut known: HashMap<Vec<Root>, Result<Arc<Walked>, Vec<Refused>>> = HashMap::new();
    let (mut all, mut refused) = (BTreeMap::new(), BTreeSet::new());
    for (name, component) in &product.components {
        let own = config.get(name).map_or(&[][..], Vec::as_slice);
        let roots = match choose::roots(component, own, &product.folder) {
            Ok(roots) => roots,
            Err(problems) => {
                refused.extend(problems);
                continue;
            }
        };
        // Several components are often read from one folder.
        let walked = known.entry(roots).or_insert_with_key(|roots| {
            let walked = walk::walk(roots, folder, name.as_str());
            walked.map(|walked| Arc::new(without_manifest(walked, product)))
        });
        match walked {
            Ok(walked) => drop(all.insert(name.clone(), Arc::clone(walked))),
            Err(problems) => refused.extend(problems.iter().cloned()),
        }
    }
    match refused.is_empty() {
        true => Ok(all),
        false => Err(refused.into_iter().collect()),
    }
}

/// What the product was read from says how components run, and no component runs from it: a word about one of them would
/// start all of them anew.
fn without_manifest(mut walked: Walked, product: &Product) -> Walked {
    let is_manifest = |path: &Path| {
        let mut sources = product.sources.iter().map(|source| Path::new(&source.path));
        path.extension().is_some_and(|end| end == "toml") && sources.any(|source| source == path)
    };
    walked.items.retain(|_, item| match item {
        Item::File { path, .. } => !is_manifest(path),
        Item::Link(_) => true,
    });
    walked
}

fn tree(walked: &Walked, digests: &BTreeMap<PathBuf, String>) -> Tree {
    let entry = |(at, item): (&String, &Item)| {
        let entry = match item {
            Item::Link(to) => Entry::Link(to.clone()),
            Item::File { path, stat } => Entry::File {
                digest: digests.get(path)?.clone(),
                bytes: stat.size,
                runs: stat.runs,
            },
        };
        Some((at.clone(), entry))
    };
    Tree {
        entries: walked.items.iter().filter_map(entry).collect(),
    }
}
