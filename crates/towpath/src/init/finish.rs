//! The last look at what was found: names valid and different, references resolved, circles opened.

use super::found::{Found, Need, Part, Value};
use super::text::{command, is_tame, path, slug};
use super::view::View;
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::ResourceKind;

/// Makes one whole of what was found, and answers with the name of the product.
pub(super) fn finish(view: &View, found: &mut Found) -> String {
    let product = found
        .product
        .as_deref()
        .and_then(slug)
        .or_else(|| slug(&view.name));
    found.parts.iter_mut().for_each(sound);
    empty(found);
    adopt(found);
    part_ports(found);
    let names = name(found);
    resolve(found, &names);
    migrate(found);
    let used: BTreeSet<String> = found
        .parts
        .iter()
        .flat_map(|part| part.env.values())
        .filter_map(|value| match value {
            Value::Secret(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    found.secrets.retain(|name, _| used.contains(name));
    product.unwrap_or_else(|| "app".to_owned())
}

/// Keeps of a component what can be read back: names of files and packages may hold anything.
fn sound(part: &mut Part) {
    part.run = part.run.take().and_then(|run| command(&run));
    part.build = part.build.take().and_then(|build| command(&build));
    part.dockerfile = part.dockerfile.take().and_then(|file| path(&file));
    part.files = part.files.take().and_then(|files| path(&files));
    part.stage = part.stage.take().filter(|stage| is_tame(stage));
    part.image = part.image.take().filter(|image| is_tame(image));
    let folder = |name: &str| {
        if name.is_empty() {
            Some(String::new())
        } else {
            path(name)
        }
    };
    match (folder(&part.dir), folder(&part.folder)) {
        (Some(dir), Some(folder)) => (part.dir, part.folder) = (dir, folder),
        // Commands in a folder that cannot be named cannot be run.
        _ => (part.run, part.build, part.dockerfile, part.files) = (None, None, None, None),
    }
}

/// Takes out components of which nobody has said what runs.
fn empty(found: &mut Found) {
    let says = |part: &Part| match part.kind.runs() {
        true => part.run.is_some() || part.is_contained(),
        false => part.files.is_some(),
    };
    let (kept, empty): (Vec<Part>, Vec<Part>) = std::mem::take(&mut found.parts).into_iter().partition(says);
    found.parts = kept;
    for part in empty {
        found.leave(format!(
            "`{}` of {}: nothing that can be taken over says what runs",
            part.name,
            part.from.join(" and ")
        ));
    }
}

/// Leaves a port to the first that listens on it, where all run side by side on one machine.
fn part_ports(found: &mut Found) {
    if found.parts.iter().any(Part::is_contained) {
        return;
    }
    let mut taken = BTreeSet::new();
    for part in &mut found.parts {
        if let Some(port) = part.port.filter(|port| !taken.insert(*port)) {
            part.port = None;
            part.remarks.push(format!(
                "It listened on {port}, as another does: it has to listen on PORT"
            ));
        }
    }
}

/// Gives each resource that nobody is said to use to the first component that may.
fn adopt(found: &mut Found) {
    let stores = std::mem::take(&mut found.stores);
    for store in stores {
        let alias = store.aliases.first().cloned().unwrap_or_default();
        let used = found
            .parts
            .iter()
            .any(|part| part.needs.iter().any(|need| store.aliases.contains(&need.name)));
        if !used {
            let stays = |part: &Part| part.kind.runs() && part.kind != ComponentKind::Job;
            let first = found.parts.iter().position(stays);
            let first = first.or_else(|| found.parts.iter().position(|part| part.kind.runs()));
            let Some(part) = first.and_then(|index| found.parts.get_mut(index)) else {
                found.leave(format!(
                    "`{}` of {}: nothing was found that uses it",
                    store.name,
                    store.from.join(" and ")
                ));
                continue;
            };
            part.remarks
                .push(format!("Nothing says who uses `{}`: this is a guess", store.name));
            part.need(&alias, None);
        }
        found.stores.push(store);
    }
}

/// Gives everything a valid name of its own; the answer leads from the names of the sources to these.
fn name(found: &mut Found) -> BTreeMap<String, String> {
    let mut taken = BTreeSet::new();
    let mut names = BTreeMap::new();
    for store in &mut found.stores {
        store.name = free(&store.name, store.kind.word(), &mut taken);
        for alias in &store.aliases {
            names.insert(alias.clone(), store.name.clone());
        }
    }
    for part in &mut found.parts {
        let own = part.name.clone();
        part.name = free(&own, part.kind.word(), &mut taken);
        for alias in &part.aliases {
            names.entry(alias.clone()).or_insert_with(|| part.name.clone());
        }
    }
    names
}

fn free(wanted: &str, kind: &str, taken: &mut BTreeSet<String>) -> String {
    let wanted = slug(wanted).unwrap_or_else(|| kind.to_owned());
    // Room for what is put behind it: a name has at most 63 letters.
    let short: String = wanted.chars().take(48).collect();
    let numbered = (2_u32..).map(|number| format!("{short}-{number}"));
    let mut ways = [wanted.clone(), format!("{short}-{kind}")]
        .into_iter()
        .chain(numbered);
    let name = ways.find(|name| !taken.contains(name)).unwrap_or(wanted);
    taken.insert(name.clone());
    name
}

/// Turns the names of the sources into those of the manifest. What leads nowhere, or in a circle, goes.
fn resolve(found: &mut Found, names: &BTreeMap<String, String>) {
    let mut ways: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut left = Vec::new();
    for part in &mut found.parts {
        let mut needs: Vec<Need> = Vec::new();
        for need in std::mem::take(&mut part.needs) {
            let Some(name) = names.get(&need.name).filter(|name| **name != part.name) else {
                continue;
            };
            if leads(&ways, name, &part.name) {
                left.push(format!(
                    "`{}` needs `{name}`, which needs it in turn: give one of them the address as a variable",
                    part.name
                ));
                continue;
            }
            ways.entry(part.name.clone()).or_default().insert(name.clone());
            match needs.iter_mut().find(|known| known.name == *name) {
                Some(known) => known.env = known.env.take().or(need.env),
                None => needs.push(Need {
                    name: name.clone(),
                    env: need.env,
                }),
            }
        }
        for (variable, value) in &mut part.env {
            let Value::From(name, _) = value else { continue };
            match names
                .get(name)
                .filter(|name| needs.iter().any(|need| need.name == **name))
            {
                Some(known) => known.clone_into(name),
                None => {
                    left.push(format!(
                        "`{variable}` of `{}`: what it is an address of was not found",
                        part.name
                    ));
                    *value = Value::Open(None);
                }
            }
        }
        part.needs = needs;
    }
    for one in left {
        found.leave(one);
    }
}

/// Whether there is a way from one thing to another.
fn leads(ways: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            open.extend(ways.get(name).into_iter().flatten().map(String::as_str));
        }
    }
    false
}

/// Hands a command that moves the schema to the database.
fn migrate(found: &mut Found) {
    let Some((run, from)) = found.migrate.take().filter(|(run, _)| command(run).is_some()) else {
        return;
    };
    let mut databases = found
        .stores
        .iter_mut()
        .filter(|store| store.kind == ResourceKind::Postgres);
    match (databases.next(), databases.next()) {
        (Some(database), None) => {
            database.migrate = Some(run);
            if !database.from.contains(&from) {
                database.from.push(from);
            }
        }
        _ if found.parts.iter().any(|part| part.kind != ComponentKind::Site) => {
            found.leave(format!(
                "`{run}` of {from}: with a [postgres.NAME] it is `migrate.command`, otherwise `hooks.before`"
            ));
        }
        _ => {}
    }
}
