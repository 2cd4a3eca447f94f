//! What the sources say: components, resources, and what nobody could take over.

use super::text::{slug, words_of};
use std::collections::BTreeMap;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::ResourceKind;

/// Where the value of a variable comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// It stands there.
    Plain(String),
    /// From the secret of that name.
    Secret(String),
    /// From something that is used: the name that the source has for it, and the part of its address.
    From(String, &'static str),
    /// Nobody has said; perhaps a value as it might be.
    Open(Option<String>),
}

/// Something that a component needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    /// The name that the source has for it.
    pub(super) name: String,
    /// The variable that its address arrives under.
    pub(super) env: Option<String>,
}

/// A component.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) kind: ComponentKind,
    /// Whether a source says that it is of this kind; otherwise a later source may know better.
    pub(super) sure: bool,
    pub(super) name: String,
    /// The names by which others call it.
    pub(super) aliases: Vec<String>,
    /// The folder with its sources.
    pub(super) folder: String,
    /// Whether somebody wrote down that it runs; otherwise it is concluded from sources.
    pub(super) explicit: bool,
    /// The files that speak of it.
    pub(super) from: Vec<String>,
    pub(super) run: Option<String>,
    pub(super) build: Option<String>,
    /// The folder that its commands run in.
    pub(super) dir: String,
    pub(super) dockerfile: Option<String>,
    pub(super) stage: Option<String>,
    pub(super) image: Option<String>,
    pub(super) files: Option<String>,
    pub(super) fallback: bool,
    pub(super) port: Option<u16>,
    pub(super) public: bool,
    pub(super) websocket: bool,
    pub(super) health: Option<String>,
    pub(super) needs: Vec<Need>,
    pub(super) env: BTreeMap<String, Value>,
    pub(super) cron: Option<String>,
    pub(super) memory: Option<String>,
    pub(super) replicas: Option<u32>,
    pub(super) browsers: Vec<&'static str>,
    /// What to know or to do, a comment each.
    pub(super) remarks: Vec<String>,
}

impl Part {
    pub(super) fn new(kind: ComponentKind, name: &str, folder: &str, from: &str) -> Self {
        Part {
            kind,
            sure: true,
            name: name.to_owned(),
            aliases: Vec::new(),
            folder: folder.to_owned(),
            explicit: false,
            from: vec![from.to_owned()],
            run: None,
            build: None,
            dir: folder.to_owned(),
            dockerfile: None,
            stage: None,
            image: None,
            files: None,
            fallback: false,
            port: None,
            public: false,
            websocket: false,
            health: None,
            needs: Vec::new(),
            env: BTreeMap::new(),
            cron: None,
            memory: None,
            replicas: None,
            browsers: Vec::new(),
            remarks: Vec::new(),
        }
    }

    pub(super) fn need(&mut self, name: &str, env: Option<&str>) {
        let known = self.needs.iter_mut().find(|need| need.name == name);
        match known {
            Some(need) if need.env.is_none() => need.env = env.map(str::to_owned),
            Some(need) if env.is_none() || need.env.as_deref() == env => {}
            // A second variable with the same address.
            Some(_) => {
                if let Some(env) = env {
                    self.env
                        .insert(env.to_owned(), Value::From(name.to_owned(), "url"));
                }
            }
            None => self.needs.push(Need {
                name: name.to_owned(),
                env: env.map(str::to_owned),
            }),
        }
    }

    /// Whether it runs in a container.
    pub(super) fn is_contained(&self) -> bool {
        self.kind.runs() && (self.dockerfile.is_some() || self.image.is_some())
    }

    /// Takes what another source says of the same thing and this one left open.
    fn take(&mut self, other: Part) {
        if !self.sure && (other.sure || other.kind != ComponentKind::Service) {
            self.kind = other.kind;
            self.sure = other.sure;
        }
        let contained = self.dockerfile.is_some() || self.image.is_some();
        if !contained {
            self.build = self.build.take().or(other.build);
            self.dockerfile = other.dockerfile;
            self.stage = other.stage;
            self.image = other.image;
            if self.run.is_none() {
                self.run = other.run;
                self.dir = other.dir;
            }
            self.files = self.files.take().or(other.files);
            self.fallback |= other.fallback;
        } else if other.explicit {
            self.run = self.run.take().or(other.run);
        }
        self.port = self.port.or(other.port);
        self.public |= other.public;
        self.websocket |= other.websocket;
        self.health = self.health.take().or(other.health);
        self.cron = self.cron.take().or(other.cron);
        self.memory = self.memory.take().or(other.memory);
        self.replicas = self.replicas.or(other.replicas);
        for need in other.needs {
            self.need(&need.name, need.env.as_deref());
        }
        for (name, value) in other.env {
            self.env.entry(name).or_insert(value);
        }
        append(&mut self.aliases, other.aliases);
        append(&mut self.from, other.from);
        append(&mut self.remarks, other.remarks);
    }
}

fn append(list: &mut Vec<String>, more: Vec<String>) {
    for one in more {
        if !list.contains(&one) {
            list.push(one);
        }
    }
}

/// A resource.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pub(super) kind: ResourceKind,
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) from: Vec<String>,
    pub(super) version: Option<String>,
    pub(super) extensions: Vec<&'static str>,
    pub(super) migrate: Option<String>,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) product: Option<String>,
    pub(super) region: Option<String>,
    pub(super) parts: Vec<Part>,
    pub(super) stores: Vec<Store>,
    /// Secrets, and the file that speaks of each.
    pub(super) secrets: BTreeMap<String, String>,
    /// A command that moves the schema.
    pub(super) migrate: Option<(String, String)>,
    /// There is an example of a `.env` file.
    pub(super) dotenv: bool,
    /// What could not be taken over.
    pub(super) left: Vec<String>,
    /// Files that could not be understood.
    pub(super) broken: Vec<String>,
}

impl Found {
    pub(super) fn leave(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.left.contains(&what) {
            self.left.push(what);
        }
    }

    /// Adds a component, or what is new about one that is there already.
    pub(super) fn add(&mut self, part: Part) {
        match self.same(&part) {
            Some(index) => self.parts[index].take(part),
            None if !part.explicit && self.runs_already(&part) => {
                let from = part.from.first().cloned().unwrap_or_default();
                self.leave(format!(
                    "the {} `{}` of {from}: nothing says that it is started",
                    part.kind, part.name
                ));
            }
            None => self.parts.push(part),
        }
    }

    /// Whether somebody wrote down what runs from that folder, so that nothing is concluded.
    fn runs_already(&self, part: &Part) -> bool {
        let runs = |known: &Part| known.kind.runs() && known.kind != ComponentKind::Job;
        self.parts
            .iter()
            .any(|known| known.explicit && known.folder == part.folder && runs(known) && runs(part))
    }

    fn same(&self, part: &Part) -> Option<usize> {
        let silent = |known: &Part| known.run.is_none() && known.files.is_none() && !known.is_contained();
        let alike = |known: &Part| !known.sure || !part.sure || known.kind == part.kind || silent(known);
        let name = slug(&part.name);
        let named = |known: &Part| slug(&known.name) == name && known.from.first() != part.from.first();
        let here: Vec<usize> = (0..self.parts.len())
            .filter(|index| {
                let known = &self.parts[*index];
                known.folder == part.folder && alike(known) && known.from.first() != part.from.first()
            })
            .collect();
        if let Some(index) = self.parts.iter().position(|known| named(known) && alike(known)) {
            return Some(index);
        }
        if part.explicit {
            let serving = |index: &&usize| self.parts[**index].kind == ComponentKind::Service;
            let mut serving = here.iter().filter(serving);
            return match (part.kind, serving.next(), serving.next()) {
                (ComponentKind::Service, Some(index), None) => Some(*index),
                _ => None,
            };
        }
        let mentioned = here.iter().find(|index| {
            let run = self.parts[**index].run.as_deref().unwrap_or_default();
            words_of(run).any(|word| word == part.name)
        });
        match (mentioned, here.as_slice()) {
            (Some(index), _) => Some(*index),
            (None, [index]) if self.parts[*index].explicit => Some(*index),
            _ => None,
        }
    }

    /// The resource of a kind, declared where it is not there yet.
    pub(super) fn store(&mut self, kind: ResourceKind, from: &str) -> String {
        if let Some(store) = self.stores.iter_mut().find(|store| store.kind == kind) {
            append(&mut store.from, vec![from.to_owned()]);
            return store.aliases.first().cloned().unwrap_or_default();
        }
        let name = match kind {
            ResourceKind::Postgres => "db",
            ResourceKind::Redis => "cache",
            ResourceKind::Bucket => "files",
        };
        self.stores.push(Store {
            kind,
            name: name.to_owned(),
            aliases: vec![format!("\u{0}{name}")],
            from: vec![from.to_owned()],
            version: None,
            extensions: Vec::new(),
            migrate: None,
        });
        format!("\u{0}{name}")
    }
}
