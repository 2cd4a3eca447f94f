//! A product that is ready to be started: the manifest checked, `.env` read, values made up and kept.

mod shown;

use crate::checked::{Checked, check_at};
use crate::door::files::{self, Place};
use crate::door::{kept, person};
use crate::error_page::MOST as MOST_SHOWN;
use crate::failure::{Failure, Kind};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use towpath_decide::launch::dotenv::{self, Dotenv};
use towpath_decide::launch::{
    EnvFile, Launched, Surroundings, made, narrow, short_digest, text_digest, usual_environment,
};
use towpath_manifest::{Reading, place};
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::run::{self, Source, Variables};
use towpath_model::spec::Path as Way;
use towpath_model::unit::Name;

/// The most bytes of a `.env` file that are read: it holds settings and keys, and no files.
const MOST: usize = 1024 * 1024;

/// The file with the values that were made up for an environment.
const GENERATED: &str = "generated.env";

/// A product in an environment, ready to be started, with all of its values. Whatever stands in the way is told, all of it
/// at once, and then nothing is made up, kept or started. With names it is about these components and what they need.
pub fn launch(
    path: Option<&Path>,
    environment: Option<&str>,
    names: &[String],
    color: bool,
    tell: &mut dyn FnMut(&str),
) -> Result<Launched, Failure> {
    let at = files::find_manifest(path)?;
    let checked = check_at(&at);
    launch_checked(&at, &checked, environment, names, color, tell)
}

/// The same for a manifest that has been checked already.
pub(crate) fn launch_checked(
    at: &Place,
    checked: &Checked,
    environment: Option<&str>,
    names: &[String],
    color: bool,
    tell: &mut dyn FnMut(&str),
) -> Result<Launched, Failure> {
    let (mut launched, mut read, (folder, name)) = look(at, checked, environment, names, color, tell)?;
    if !launched.generate.is_empty() {
        keep(&folder, name, &mut launched, &mut read)?;
    }
    contents(&mut launched.product, &mut read)?;
    let (desired, _) = wanted(checked, Some(launched.product.environment.as_str()))?;
    launched.product.error_page = error_page(desired, &folder, &mut read)?;
    launched.product.sources = sources(checked, read);
    Ok(launched)
}

/// A product for an environment that is run by releases. Values lie in its vault, of which the versions are told, and no `.env`
/// is read; paths begin in the folder that is named. Whatever stands in the way is told, all of it at once.
pub(crate) fn launch_release(
    at: &Place,
    checked: &Checked,
    (environment, folder): (&str, &Path),
    vault: &BTreeMap<String, u64>,
    color: bool,
    tell: &mut dyn FnMut(&str),
) -> Result<Launched, Failure> {
    let (desired, name) = wanted(checked, Some(environment))?;
    checked.refuse_errors("released", &[&code::VARIABLE_UNPROVIDED], color, tell)?;
    let known = vault
        .iter()
        .map(|(name, version)| format!("{name}=version {version}\n"));
    let vault = EnvFile {
        name: format!("the vault of {environment}"),
        tracked: false,
        read: dotenv::parse(&known.collect::<String>()),
    };
    let lines = Lines::of(&checked.reading);
    let mut launched = towpath_decide::launch::launch(
        desired,
        name,
        Surroundings {
            folder: &folder.to_string_lossy(),
            sources: Vec::new(),
            // Where somebody stands who names the manifest must not be in a release.
            place: &|path| {
                let found = lines.place(&checked.reading, name, path);
                let file = found
                    .file
                    .strip_prefix(&at.beside(""))
                    .unwrap_or(&found.file)
                    .to_owned();
                run::Place { file, ..found }
            },
            files: &[vault],
            kept: &Variables::new(),
            person: &person::environment(),
            vault: true,
        },
    );
    shown::tell(&launched, color, tell);
    if !launched.problems.is_empty() {
        return Err(shown::unreleased(&launched, &checked.name));
    }
    let mut read = Read::default();
    launched.product.error_page = error_page(desired, &files::whole(&at.folder), &mut read)?;
    Ok(launched)
}

/// Reads the page that browsers are shown for what cannot be answered: when it changes, it is read again.
fn error_page(desired: &Desired, folder: &Path, read: &mut Read) -> Result<Option<String>, Failure> {
    let Some(path) = &desired.edge.error_page else {
        return Ok(None);
    };
    let path = folder.join(path.as_str());
    let refuse = |what: &str, hint: &str| {
        let message = format!("{}, the `error_page` of the edge, {what}", path.display());
        Err(Failure::new(Kind::Config, message).hint(hint))
    };
    let Some(text) = read.file(&path)? else {
        return refuse("is not there", "write it, or take `error_page` out of [edge]");
    };
    if text.len() > MOST_SHOWN {
        let hint = "it is shown when much else fails: leave pictures out, or make them small";
        return refuse(&format!("has more than {} KiB", MOST_SHOWN / 1024), hint);
    }
    Ok(Some(text))
}

/// Reads what resources are migrated by and filled with: when it changes, they are not as they are wanted.
fn contents(product: &mut run::Product, read: &mut Read) -> Result<(), Failure> {
    for component in product.components.values_mut() {
        let Some(resource) = component.resource.clone() else {
            continue;
        };
        let folder = resource
            .migrate
            .as_ref()
            .and_then(|migrate| migrate.folder.as_deref());
        let mut paths: Vec<String> = Vec::new();
        if let Some(folder) = folder {
            let names = read.folder(Path::new(folder));
            paths.extend(names.iter().map(|name| format!("{folder}/{name}")));
        }
        paths.extend(resource.seed.as_ref().and_then(|seed| seed.file.clone()));
        paths.extend(resource.load.clone());
        let mut whole = String::new();
        for path in paths.iter().filter(|path| !files::is_folder(Path::new(path))) {
            let digest = read.digest(Path::new(path))?;
            whole.push_str(&format!("{path} {}\n", digest.unwrap_or_default()));
        }
        if !whole.is_empty() {
            let contents = text_digest(whole.as_bytes());
            let resource = Arc::new(run::Resource {
                contents,
                ..(*resource).clone()
            });
            Arc::make_mut(component).resource = Some(resource);
        }
    }
    Ok(())
}

/// What would be started, for whoever only looks: nothing is made up and nothing is written.
pub(crate) fn look_at(
    at: &Place,
    checked: &Checked,
    environment: &str,
    color: bool,
    tell: &mut dyn FnMut(&str),
) -> Result<run::Product, Failure> {
    let (launched, ..) = look(at, checked, Some(environment), &[], color, tell)?;
    Ok(launched.product)
}

/// What a manifest says of an environment, as far as that can be known without any of its values; nothing where it cannot be
/// read, or has no such environment.
pub(crate) fn known(at: &Place, checked: &Checked, environment: &str) -> Option<run::Product> {
    let (desired, name) = wanted(checked, Some(environment)).ok()?;
    let lines = Lines::of(&checked.reading);
    let folder = files::whole(&at.folder);
    let (kept, person) = (Variables::new(), person::environment());
    let around = Surroundings {
        folder: &folder.to_string_lossy(),
        sources: Vec::new(),
        place: &|path| lines.place(&checked.reading, name, path),
        files: &[],
        kept: &kept,
        person: &person,
        vault: false,
    };
    Some(towpath_decide::launch::launch(desired, name, around).product)
}

/// What is read for a launch: what is launched, what was read for it, and which environment of which folder it is.
type Looked<'a> = (Launched, Read, (PathBuf, &'a Name));

fn look<'a>(
    at: &Place,
    checked: &'a Checked,
    environment: Option<&str>,
    names: &[String],
    color: bool,
    tell: &mut dyn FnMut(&str),
) -> Result<Looked<'a>, Failure> {
    let (desired, name) = wanted(checked, environment)?;
    // Whether a variable has a value is known when `.env` has been read.
    checked.refuse_errors("started", &[&code::VARIABLE_UNPROVIDED], color, tell)?;
    let folder = files::whole(&at.folder);
    let mut read = Read::default();
    let env_files = env_files(at, checked, name, &mut read)?;
    let generated = folder.join(kept::STATE).join(name.as_str()).join(GENERATED);
    let earlier = read
        .file(&generated)?
        .map(|text| dotenv::parse(&text))
        .unwrap_or_default();
    let lines = Lines::of(&checked.reading);
    let mut launched = towpath_decide::launch::launch(
        desired,
        name,
        Surroundings {
            folder: &folder.to_string_lossy(),
            sources: Vec::new(),
            place: &|path| lines.place(&checked.reading, name, path),
            files: &env_files,
            kept: &values(&earlier),
            person: &person::environment(),
            vault: false,
        },
    );
    launched
        .problems
        .extend(shown::faults(&earlier, &generated.display().to_string()));
    narrow(&mut launched, names).map_err(shown::failure)?;
    shown::tell(&launched, color, tell);
    if !launched.problems.is_empty() {
        return Err(shown::refusal(&launched, &checked.name));
    }
    Ok((launched, read, (folder, name)))
}

/// The product in the environment that is meant.
fn wanted<'a>(checked: &'a Checked, environment: Option<&str>) -> Result<(&'a Desired, &'a Name), Failure> {
    let (root, _) = checked.product(None)?;
    let usual = match environment {
        Some(_) => None,
        None => Some(usual_environment(root).map_err(shown::failure)?),
    };
    let wanted = environment
        .or(usual.as_ref().map(Name::as_str))
        .unwrap_or_default();
    let (desired, name) = checked.product(Some(wanted))?;
    let name = name.ok_or_else(|| checked.unknown_environment(wanted))?;
    Ok((desired, name))
}

/// What was read besides the manifest: digests by whole paths, nothing for what is not there.
#[derive(Default)]
struct Read {
    digests: BTreeMap<String, Option<String>>,
}

impl Read {
    /// The names in a folder, kept in mind as what it is read by: its path with a slash behind it.
    fn folder(&mut self, path: &Path) -> Vec<String> {
        let names = files::names(path).into_iter();
        let mut names: Vec<String> = names.map(|name| name.trim_end_matches('/').to_owned()).collect();
        names.sort_unstable();
        let digest = files::is_folder(path).then(|| text_digest(names.join("\n").as_bytes()));
        self.digests.insert(format!("{}/", path.display()), digest);
        names
    }

    /// The digest of a file, whatever stands in it and however much; also that there is none.
    fn digest(&mut self, path: &Path) -> Result<Option<String>, Failure> {
        let digest = files::digest(path)?.map(|hash| short_digest(&hash));
        self.digests
            .insert(path.to_string_lossy().into_owned(), digest.clone());
        Ok(digest)
    }

    /// The text of a file, with its digest kept in mind; also that there is none.
    fn file(&mut self, path: &Path) -> Result<Option<String>, Failure> {
        let bytes = files::bytes(path, MOST)?;
        let digest = bytes.as_deref().map(text_digest);
        self.digests.insert(path.to_string_lossy().into_owned(), digest);
        let text = bytes.map(String::from_utf8).transpose();
        text.map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..at).unwrap_or_default();
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            let message = format!("line {line} of {} is no UTF-8", path.display());
            Failure::new(Kind::Config, message).hint("save it as UTF-8")
        })
    }
}

/// The `.env` files beside the manifest, the most exact one first.
fn env_files(
    at: &Place,
    checked: &Checked,
    environment: &Name,
    read: &mut Read,
) -> Result<Vec<EnvFile>, Failure> {
    let folder = files::whole(&at.folder);
    let mut found = Vec::new();
    for name in [format!(".env.{environment}"), ".env".to_owned()] {
        if let Some(text) = read.file(&folder.join(&name))? {
            let name = at.beside(&name);
            found.push(EnvFile {
                tracked: checked.tracked.contains(&name),
                read: dotenv::parse(&text),
                name,
            });
        }
    }
    Ok(found)
}

fn values(read: &Dotenv) -> Variables {
    let entries = read.entries.iter();
    entries
        .map(|entry| (entry.name.clone(), entry.value.clone()))
        .collect()
}

/// Makes up what is asked for, and keeps it. What somebody else has made up in the meantime holds.
fn keep(folder: &Path, environment: &Name, launched: &mut Launched, read: &mut Read) -> Result<(), Failure> {
    let held = kept::hold(folder, environment.as_str())?;
    let path = folder
        .join(kept::STATE)
        .join(environment.as_str())
        .join(GENERATED);
    let mut text = match read.file(&path)? {
        Some(text) if text.is_empty() || text.ends_with('\n') => text,
        Some(text) => text + "\n",
        None => format!(
            "# Made up for `{environment}` and kept. A value in .env takes its place; a line that is taken out is made anew.\n"
        ),
    };
    let known = values(&dotenv::parse(&text));
    let before = text.len();
    for (name, generator) in std::mem::take(&mut launched.generate) {
        let value = match known.get(&name) {
            Some(value) => value.clone(),
            None => {
                let value = made(generator, person::chance()?);
                text.push_str(&dotenv::line(&name, value.open()));
                value
            }
        };
        launched.values.insert(name, value);
    }
    if text.len() > before {
        held.write(GENERATED, &text)?;
        let digest = Some(text_digest(text.as_bytes()));
        read.digests.insert(path.to_string_lossy().into_owned(), digest);
    }
    Ok(())
}

/// Every file that the product was made of.
fn sources(checked: &Checked, read: Read) -> Vec<Source> {
    let mut all = read.digests;
    for source in &checked.reading.sources {
        let path = files::whole(Path::new(&source.name))
            .to_string_lossy()
            .into_owned();
        all.entry(path)
            .or_insert_with(|| Some(text_digest(source.text.as_bytes())));
    }
    all.into_iter()
        .map(|(path, digest)| Source { path, digest })
        .collect()
}

/// Where the lines of each source begin, so that a place is found without reading the text again.
struct Lines(Vec<Vec<u32>>);

impl Lines {
    fn of(reading: &Reading) -> Self {
        let starts = |text: &str| {
            let ends = text.bytes().zip(1_u32..).filter(|(byte, _)| *byte == b'\n');
            ends.map(|(_, next)| next).collect()
        };
        Lines(
            reading
                .sources
                .iter()
                .map(|source| starts(&source.text))
                .collect(),
        )
    }

    fn place(&self, reading: &Reading, environment: &Name, path: &Way) -> run::Place {
        let span = place(reading, environment, path);
        let number = usize::from(span.source);
        let before = self
            .0
            .get(number)
            .map_or(0, |starts| starts.partition_point(|start| *start <= span.start));
        run::Place {
            file: reading
                .sources
                .get(number)
                .map(|source| source.name.clone())
                .unwrap_or_default(),
            line: u32::try_from(before + 1).unwrap_or(u32::MAX),
        }
    }
}
