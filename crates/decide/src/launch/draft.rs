//! What is being made, and what it is made of: everything that can be used by name, looked up once.

use super::variables::Missing;
use super::{Problem, Surroundings};
use crate::here::{answers, delivered, stand_ins};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use towpath_model::Desired;
use towpath_model::desired::component::{Component, ComponentKind, External};
use towpath_model::desired::environment::Environment;
use towpath_model::desired::resource::{Resource, ResourceKind};
use towpath_model::desired::secret::Generator;
use towpath_model::run::{self, Variables};
use towpath_model::sealed::Sealed;
use towpath_model::spec::Path;
use towpath_model::unit::{Glob, Name, Unit};

/// Something that can be used by name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target<'a> {
    /// A component, or what stands in for something outside: it has an address where it listens, and people reach it
    /// where it is public.
    Runs {
        name: &'a Name,
        answers: bool,
        listens: bool,
        public: bool,
    },
    /// Something outside.
    Outside(&'a External),
    /// Something that keeps what it is given.
    Resource(ResourceKind, &'a Name, &'a Resource),
}

/// What is being made.
pub(super) struct Draft<'a> {
    pub(super) product: &'a Desired,
    pub(super) environment: &'a Name,
    /// The environment's own words; nothing for one that is not in the manifest.
    pub(super) own: Option<&'a Environment>,
    pub(super) around: &'a Surroundings<'a>,
    /// Everything that can be used, by name.
    targets: HashMap<&'a str, Target<'a>>,
    /// What the `.env` files say, the most exact one counting.
    written: HashMap<&'a str, &'a Sealed<String>>,
    /// What is used under a name that the `.env` files give a value: somebody else has it.
    elsewhere: HashSet<&'a str>,
    /// The flags that components see, as they see them.
    pub(super) flags: Vec<(String, bool)>,
    pub(super) components: BTreeMap<Name, run::Component>,
    pub(super) builds: BTreeMap<Name, run::Build>,
    pub(super) values: Variables,
    pub(super) generate: BTreeMap<String, Generator>,
    /// The values that nobody may see, by name; what else `.env` says is a plain setting.
    pub(super) secrets: BTreeSet<String>,
    pub(super) missing: BTreeMap<String, Missing>,
    /// The Dockerfiles that are not used, by where they are written, with those whose builds they are.
    pub(super) images: BTreeMap<Path, (String, BTreeSet<String>)>,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<Problem>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(product: &'a Desired, environment: &'a Name, around: &'a Surroundings<'a>) -> Self {
        let mut written = HashMap::new();
        for entry in around.files.iter().rev().flat_map(|file| &file.read.entries) {
            written.insert(entry.name.as_str(), &entry.value);
        }
        let flags = product.flag.iter().filter_map(|(name, flag)| {
            let on = product.is_on(name.as_str(), environment.as_str());
            Some((flag.as_env.as_ref()?.as_str().to_owned(), on))
        });
        let uses = product.components().flat_map(|(_, _, component)| &component.uses);
        let given = uses.filter(|using| written.contains_key(delivered(using).as_str()));
        let elsewhere = given.map(|using| using.name.as_str()).collect();
        Draft {
            product,
            environment,
            own: product.environment.get(environment.as_str()),
            around,
            targets: targets(product, environment),
            written,
            elsewhere,
            flags: flags.collect(),
            components: BTreeMap::new(),
            builds: BTreeMap::new(),
            values: Variables::new(),
            generate: BTreeMap::new(),
            secrets: product.secret.keys().map(ToString::to_string).collect(),
            missing: BTreeMap::new(),
            images: BTreeMap::new(),
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// What there is under a name here.
    pub(super) fn target(&self, name: &str) -> Option<Target<'a>> {
        self.targets.get(name).copied()
    }

    /// Whether somebody else has a resource: it is bound, or `.env` says where it is. Then nothing is made.
    pub(super) fn is_elsewhere(&self, name: &Name, resource: &Resource) -> bool {
        resource.bind.is_some() || self.elsewhere.contains(name.as_str())
    }

    /// What the `.env` files say about a name.
    pub(super) fn written(&self, name: &str) -> Option<&'a Sealed<String>> {
        self.written.get(name).copied()
    }

    pub(super) fn place(&self, path: &Path) -> run::Place {
        (self.around.place)(path)
    }

    /// Something stands in the way, at its place in the manifest.
    pub(super) fn refuse(&mut self, path: &Path, problem: Problem) {
        let problem = problem.at(self.place(path));
        self.problems.push(problem);
    }

    /// A path of the manifest as a whole one.
    pub(super) fn whole(&self, path: &str) -> String {
        whole(self.around.folder, path)
    }

    /// A pattern of the manifest as a whole one. What the folder's own name has of a pattern stands for itself.
    pub(super) fn whole_glob(&mut self, glob: &Glob, at: &Path) -> Option<Glob> {
        let folder: String = match glob.as_str().starts_with('/') {
            true => String::new(),
            false => self.around.folder.chars().map(plain_letter).collect(),
        };
        let text = whole(&folder, glob.as_str());
        match Glob::parse(&text) {
            Ok(whole) => Some(whole),
            Err(_) => {
                let message = format!("`{glob}` cannot be watched in {}", self.around.folder);
                let hint =
                    "move the product to a folder with a shorter name: a pattern has 512 letters at the most";
                self.refuse(at, Problem::new(message, hint));
                None
            }
        }
    }
}

/// A letter of a path in a pattern. A closing bracket alone cannot be written there.
fn plain_letter(letter: char) -> String {
    match letter {
        '*' | '?' | '[' => format!("[{letter}]"),
        ']' => "?".to_owned(),
        letter => letter.to_string(),
    }
}

/// A path below a folder, without dots in it.
pub(super) fn whole(folder: &str, path: &str) -> String {
    let path = match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("{folder}/{path}"),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Everything that can be used by name in an environment.
fn targets<'a>(product: &'a Desired, environment: &Name) -> HashMap<&'a str, Target<'a>> {
    let mut targets = HashMap::new();
    for (kind, name, resource) in product.resources() {
        targets.insert(name.as_str(), Target::Resource(kind, name, resource));
    }
    for (name, external) in &product.external {
        targets.insert(name.as_str(), Target::Outside(external));
    }
    for (name, _, _) in stand_ins(product, environment) {
        let target = Target::Runs {
            name,
            answers: true,
            listens: true,
            public: false,
        };
        targets.insert(name.as_str(), target);
    }
    for (kind, name, component) in product.components() {
        let target = Target::Runs {
            name,
            answers: answers(kind),
            listens: listens(kind, component),
            public: component.public,
        };
        targets.insert(name.as_str(), target);
    }
    targets
}

/// Whether others can reach it: what takes requests always, what takes none where it says how it is asked.
pub(super) fn listens(kind: ComponentKind, component: &Component) -> bool {
    match kind {
        ComponentKind::Service | ComponentKind::Function | ComponentKind::Site => true,
        ComponentKind::Worker | ComponentKind::Bot => {
            let asked = component
                .health
                .as_ref()
                .is_some_and(|health| health.path.is_some());
            component.port.is_some() || asked
        }
        ComponentKind::Job | ComponentKind::Extension => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_path_has_no_dots() {
        for (path, expected) in [
            ("src", "/srv/p/src"),
            (".", "/srv/p"),
            ("./a/../b/", "/srv/p/b"),
            ("../other/**", "/srv/other/**"),
            ("/srv/x", "/srv/x"),
            ("", "/srv/p"),
        ] {
            assert_eq!(whole("/srv/p", path), expected);
        }
        assert_eq!(whole("/", "a"), "/a");
    }

    #[test]
    fn a_folder_with_signs_of_a_pattern_stands_for_itself() {
        let folder: String = "/a[1]*?".chars().map(plain_letter).collect();
        let glob = Glob::parse(&whole(&folder, "src/**")).expect("it is a pattern");
        assert!(glob.is_match("/a[1]*?/src/x/y"));
        assert!(!glob.is_match("/a1*?/src/x"));
    }
}
