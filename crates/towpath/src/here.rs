//! Which product, environment and components a command is about.
//!
//! People say it in any order: a path, the name of an environment, names of components. A path is told by its slash or by
//! `.toml` behind it, and not by there being such a folder: the folder of a component is most often called like the
//! component. A word that nothing is called by may still be a folder with a manifest in it.

use crate::checked::{Checked, check_at, check_read};
use crate::door::elsewhere::{self, Elsewhere};
use crate::door::files::{self, Folder, MANIFEST, Place};
use crate::door::state::{self, State};
use crate::failure::{Failure, Kind};
use crate::identity;
use crate::launched;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use towpath_api::{Client, Remote};
use towpath_decide::launch::{Problem, pooler, usual_environment};
use towpath_manifest::{Reading, nearest, read};
use towpath_model::run::Product;
use towpath_model::unit::Name;

/// What a command is about.
#[derive(Debug)]
pub(crate) struct Here {
    /// The manifest.
    pub(crate) place: Place,
    /// The folder that it lies in, as a whole path.
    pub(crate) folder: PathBuf,
    /// The environment.
    pub(crate) environment: String,
    /// The components; all of them when empty.
    pub(crate) components: Vec<String>,
    /// What is kept of the environment.
    pub(crate) state: State,
    /// Everything in the manifest that can be named, where it can be read.
    pub(crate) names: Names,
    /// Where it runs, where that is a machine elsewhere, and whoever looks after it there.
    elsewhere: Option<(&'static Elsewhere, Client)>,
    /// What was read to know that, for the first who has to know more.
    reading: RefCell<Option<Box<Reading>>>,
}

/// What can be named in a manifest.
#[derive(Debug)]
pub(crate) struct Names {
    /// The product, where the manifest says it.
    product: Option<String>,
    environments: Vec<String>,
    /// The one that is meant where none is named, or why there is none.
    usual: Result<String, Failure>,
    /// Components, resources and what is outside, with the tables that they stand in; nothing where the manifest cannot
    /// be read.
    parts: Option<BTreeMap<String, String>>,
}

/// The table of builds that several may share.
const BUILD: &str = "build";

/// What the pooler of a database is called in place of a table: it stands in none of its own.
const POOL: &str = "pool";

/// What an environment for a laptop is called before all others.
const FIRST: &str = "dev";

/// For what it is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To start it: the environment is that of the manifest.
    Start,
    /// To do something with what runs: where only one environment has ever run here, it is that one.
    Running,
}

impl Here {
    /// Finds what these words are about.
    pub(crate) fn find(words: &[String], env: Option<&str>, purpose: Purpose) -> Result<Self, Failure> {
        let (paths, words): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| is_path(word));
        if let [one, other, ..] = paths.as_slice() {
            let message = format!("`{one}` and `{other}` are two places, and a command is about one");
            return Err(Failure::new(Kind::User, message).hint("call it once for each"));
        }
        let mut words: Vec<&str> = words.into_iter().map(String::as_str).collect();
        let mut found = files::find_manifest(paths.first().map(Path::new));
        // `towpath up hello` beside a folder of that name.
        if paths.is_empty() {
            let known = found.as_ref().ok().map(Names::of);
            let named = |word: &&str| {
                !known.as_ref().is_some_and(|known| known.has(word))
                    && files::exists(&Path::new(word).join(MANIFEST))
            };
            if let Some(at) = words.iter().position(named) {
                found = files::find_manifest(Some(Path::new(words.remove(at))));
            }
        }
        let place = found?;
        let reading = read(&place.name, &Folder::of(&place));
        let names = Names::in_reading(&reading);
        let folder = files::whole_folder(&place.folder)?;
        let to = elsewhere::told();
        // What has run here says nothing of what runs elsewhere.
        let kept = match to {
            Some(_) => Vec::new(),
            None => state::environments(&folder),
        };
        let sorted = sort(&words, env, &names, &kept, purpose)?;
        let state = State::of(&folder, &sorted.0);
        let there = to.map(|to| names.there(to, &sorted.0)).transpose()?;
        Ok(Here {
            place,
            folder,
            environment: sorted.0,
            components: sorted.1,
            state,
            names,
            elsewhere: to.zip(there),
            reading: RefCell::new(Some(Box::new(reading))),
        })
    }

    /// What these words are most probably about, without reading the manifest: for asking whether there is anything to do.
    /// A guess is right where the steward of that environment says that no file has changed since it was asked last.
    pub(crate) fn guess(words: &[String], env: Option<&str>) -> Option<Self> {
        let path = match words {
            [] => None,
            [path] if is_path(path) => Some(Path::new(path)),
            _ => return None,
        };
        let place = files::find_manifest(path).ok()?;
        let folder = files::whole_folder(&place.folder).ok()?;
        // Where nobody says which one, no other one can come before this.
        let environment = env.unwrap_or(FIRST).to_owned();
        let state = State::of(&folder, &environment);
        let names = Names {
            product: None,
            environments: vec![environment.clone()],
            usual: Ok(environment.clone()),
            parts: None,
        };
        state.is_there().then_some(Here {
            place,
            folder,
            environment,
            components: Vec::new(),
            state,
            names,
            elsewhere: None,
            reading: RefCell::default(),
        })
    }

    /// Checks the manifest. What was just read is not read again; the second time it may say something else.
    pub(crate) fn check(&self) -> Checked {
        match self.reading.take() {
            Some(reading) => check_read(&self.place, *reading),
            None => check_at(&self.place),
        }
    }

    /// What the manifest says of this environment; nothing where it cannot be read, or is no part of it any more.
    pub(crate) fn known(&self) -> Option<Product> {
        launched::known(&self.place, &self.check(), &self.environment)
    }

    /// Whoever looks after it.
    pub(crate) fn client(&self) -> Client {
        match &self.elsewhere {
            Some((_, client)) => client.clone(),
            None => Client::new(self.state.socket()),
        }
    }

    /// Where it runs, where that is a machine elsewhere: what is kept here says nothing of it then.
    pub(crate) fn elsewhere(&self) -> Option<String> {
        self.elsewhere.as_ref().map(|(to, _)| to.shown())
    }

    /// `shop in dev`
    pub(crate) fn title(&self) -> String {
        let title = format!("{} in {}", self.product(), self.environment);
        match self.elsewhere() {
            Some(host) => format!("{title} on {host}"),
            None => title,
        }
    }

    /// The product; the manifest where it cannot be read.
    pub(crate) fn product(&self) -> String {
        self.names.product.as_ref().unwrap_or(&self.place.name).clone()
    }

    /// The manifest's own name in its folder.
    pub(crate) fn file(&self) -> &str {
        self.place.name.rsplit('/').next().unwrap_or(MANIFEST)
    }

    /// How a command names this product and environment again, behind its own name: nothing where nothing has to be said.
    pub(crate) fn again(&self, command: &str) -> String {
        format!("towpath {command}{}", self.said())
    }

    fn said(&self) -> String {
        let to = self
            .elsewhere()
            .map(|host| format!(" --to {host}"))
            .unwrap_or_default();
        match &self.names.usual {
            Ok(usual) if *usual == self.environment => to,
            _ => format!(" --env {}{to}", self.environment),
        }
    }
}

impl Names {
    fn of(place: &Place) -> Self {
        let reading = read(&place.name, &Folder::of(place));
        Names::in_reading(&reading)
    }

    fn in_reading(reading: &Reading) -> Self {
        let mut parts = BTreeMap::new();
        let layers = reading.environments.values().map(|layer| &layer.desired);
        for desired in reading.desired.iter().chain(layers) {
            let mut add = |table: &str, name: &Name| {
                parts.entry(name.to_string()).or_insert_with(|| table.to_owned());
            };
            desired
                .components()
                .for_each(|(kind, name, _)| add(kind.word(), name));
            desired
                .resources()
                .for_each(|(kind, name, _)| add(kind.word(), name));
            let pooled = desired.postgres.iter();
            let pooled = pooled.filter(|(_, one)| one.pool.is_some() && one.bind.is_none());
            pooled
                .filter_map(|(name, _)| pooler(name))
                .for_each(|name| add(POOL, &name));
            desired
                .external
                .iter()
                .for_each(|(name, _)| add("external", name));
            desired.build.iter().for_each(|(name, _)| add(BUILD, name));
        }
        Names {
            product: reading
                .desired
                .as_ref()
                .map(|desired| desired.product.to_string()),
            environments: reading.environments.keys().map(ToString::to_string).collect(),
            usual: match &reading.desired {
                Some(desired) => usual_environment(desired)
                    .map(|name| name.to_string())
                    .map_err(unsaid),
                // What cannot be read may still have run.
                None => Ok(FIRST.to_owned()),
            },
            parts: reading.desired.is_some().then_some(parts),
        }
    }

    /// Whoever looks after an environment of it on a machine elsewhere.
    fn there(&self, to: &Elsewhere, environment: &str) -> Result<Client, Failure> {
        let Some(product) = &self.product else {
            let message = "the manifest cannot be read, so it is not known which product is meant";
            return Err(
                Failure::new(Kind::Config, message).hint("`towpath check` tells what is wrong with it")
            );
        };
        let token = identity::token(to, product, environment)?;
        let remote = Remote::new(&to.host, to.port, token, product, environment);
        Ok(Client::elsewhere(remote))
    }

    fn has(&self, word: &str) -> bool {
        let is = |name: &String| name == word;
        self.environments.iter().any(is) || self.is_part(word)
    }

    /// Whether it is a component, a resource or something outside.
    pub(crate) fn is_part(&self, word: &str) -> bool {
        self.parts.as_ref().is_some_and(|parts| parts.contains_key(word))
    }

    /// Whether it is something that may run.
    pub(crate) fn is_component(&self, word: &str) -> bool {
        let table = self.parts.as_ref().and_then(|parts| parts.get(word));
        table.is_some_and(|table| table != BUILD)
    }

    /// Whether it is a build that several may share.
    pub(crate) fn is_build(&self, word: &str) -> bool {
        self.table(word) == Some(BUILD)
    }

    /// The names of all that stand in a table of the manifest.
    pub(crate) fn of_table<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a str> {
        let parts = self.parts.iter().flatten();
        parts
            .filter(move |(_, own)| *own == table)
            .map(|(name, _)| name.as_str())
    }

    /// The table of the manifest that it stands in: `service`.
    pub(crate) fn table(&self, name: &str) -> Option<&str> {
        self.parts.as_ref()?.get(name).map(String::as_str)
    }
}

/// Whether a word says by itself that it is a path.
pub(crate) fn is_path(word: &String) -> bool {
    let toml = Path::new(word)
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("toml"));
    word.contains('/') || word == "." || word == ".." || toml
}

/// Which words are an environment and which are components.
fn sort(
    words: &[&str],
    env: Option<&str>,
    names: &Names,
    kept: &[String],
    purpose: Purpose,
) -> Result<(String, Vec<String>), Failure> {
    // An environment that has run and is gone from the manifest can still be looked at, and stopped.
    let is_environment = |word: &&str| {
        let is = |name: &String| name == word;
        names.environments.iter().any(is) || (kept.iter().any(is) && !names.is_part(word))
    };
    // What is said with `--env` leaves the words to the components.
    let (environments, components): (Vec<&str>, Vec<&str>) = match env {
        Some(_) => (Vec::new(), words.to_vec()),
        None => words.iter().copied().partition(is_environment),
    };
    if let [one, other, ..] = environments.as_slice() {
        let message = format!("`{one}` and `{other}` are both environments, and a command is about one");
        return Err(Failure::new(Kind::User, message)
            .hint("call it once for each; a component of that name needs --env ENV"));
    }
    let environment = match env.or(environments.first().copied()) {
        Some(named) => {
            if !is_environment(&named) && names.parts.is_some() {
                return Err(unknown_environment(named, names));
            }
            named.to_owned()
        }
        None => chosen(names, kept, purpose)?,
    };
    for component in &components {
        if names.parts.is_some() && !names.is_part(component) {
            return Err(unknown(component, names));
        }
    }
    Ok((environment, components.into_iter().map(str::to_owned).collect()))
}

/// The environment where none is named.
fn chosen(names: &Names, kept: &[String], purpose: Purpose) -> Result<String, Failure> {
    let runs = |name: &String| kept.contains(name);
    match (kept, purpose) {
        ([only], Purpose::Running) if !names.usual.as_ref().is_ok_and(runs) => Ok(only.clone()),
        _ => names.usual.clone(),
    }
}

/// There is no environment that is meant where none is named.
fn unsaid(problem: Problem) -> Failure {
    let failure = Failure::new(Kind::User, problem.message);
    match problem.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn unknown_environment(named: &str, names: &Names) -> Failure {
    let known = names.environments.iter().map(String::as_str);
    let hint = match nearest(named, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.environments.is_empty() => {
            "this product has none: declare one with [environment.NAME]".to_owned()
        }
        None => format!("there are: {}", names.environments.join(", ")),
    };
    Failure::new(Kind::User, format!("there is no environment named `{named}`")).hint(hint)
}

/// Nothing is called by this word.
fn unknown(word: &str, names: &Names) -> Failure {
    let parts = names.parts.iter().flat_map(BTreeMap::keys);
    let hint = match nearest(word, parts.chain(&names.environments).map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`towpath status` names those that there are; a folder is written with a slash: ./FOLDER"
            .to_owned(),
    };
    Failure::new(
        Kind::User,
        format!("there is no component or environment named `{word}`"),
    )
    .hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(environments: &[&str], parts: &[&str]) -> Names {
        let owned = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        Names {
            product: Some("shop".to_owned()),
            environments: owned(environments),
            usual: Ok(environments[0].to_owned()),
            parts: Some(
                owned(parts)
                    .into_iter()
                    .map(|name| (name, "service".to_owned()))
                    .collect(),
            ),
        }
    }

    fn told(words: &[&str], env: Option<&str>, kept: &[&str], purpose: Purpose) -> String {
        let kept: Vec<String> = kept.iter().map(|name| (*name).to_owned()).collect();
        let names = names(&["dev", "staging", "prod"], &["web", "api", "staging"]);
        match sort(words, env, &names, &kept, purpose) {
            Ok((environment, components)) => format!("{environment}: {}", components.join(" ")),
            Err(failure) => format!("{}; {}", failure.message, failure.hint.unwrap_or_default()),
        }
    }

    #[test]
    fn words_are_said_in_any_order() {
        let start = |words: &[&str]| told(words, None, &[], Purpose::Start);
        assert_eq!(start(&[]), "dev: ");
        assert_eq!(start(&["prod"]), "prod: ");
        assert_eq!(start(&["prod", "web"]), "prod: web");
        assert_eq!(start(&["web", "prod", "api"]), "prod: web api");
        assert_eq!(
            start(&["wbe"]),
            "there is no component or environment named `wbe`; did you mean `web`?"
        );
        assert_eq!(
            start(&["prod", "dev"]),
            "`prod` and `dev` are both environments, and a command is about one; call it once for each; a component of \
             that name needs --env ENV"
        );
        // What is called like an environment is meant as a component only where the environment is said.
        assert_eq!(
            told(&["staging"], Some("dev"), &[], Purpose::Start),
            "dev: staging"
        );
        assert_eq!(
            told(&[], Some("prdo"), &[], Purpose::Start),
            "there is no environment named `prdo`; did you mean `prod`?"
        );
    }

    #[test]
    fn the_only_environment_that_runs_is_meant() {
        let running = |kept: &[&str]| told(&[], None, kept, Purpose::Running);
        assert_eq!(running(&[]), "dev: ");
        assert_eq!(running(&["prod"]), "prod: ");
        assert_eq!(running(&["dev", "prod"]), "dev: ");
        assert_eq!(told(&[], None, &["prod"], Purpose::Start), "dev: ");
        // It was taken out of the manifest while it ran.
        assert_eq!(told(&["old"], None, &["old"], Purpose::Running), "old: ");
    }

    #[test]
    fn a_path_says_so_itself() {
        for path in [".", "..", "./api", "examples/hello", "other.toml", "/srv"] {
            assert!(is_path(&path.to_owned()), "{path}");
        }
        for word in ["api", "web", "toml"] {
            assert!(!is_path(&word.to_owned()), "{word}");
        }
    }
}
