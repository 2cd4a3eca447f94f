//! Releases from the words of a script.

use super::Shore;
use crate::product::{Product, value_of};
use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_model::desired::resource::Phase;
use towpath_model::desired::rollout::{Strategy, WhenInconclusive};
use towpath_model::run::{
    ALL, Component, Content, Frame, Front, Migration, Origin, Portion, Questions, Release, ReleaseId, Schema,
    Step, Way,
};
use towpath_model::unit::{Duration, Name, known};

/// What the next releases are made with.
#[derive(Debug, Default)]
pub(crate) struct Making {
    ways: BTreeMap<Option<Name>, Arc<Way>>,
    schema: BTreeMap<Name, Schema>,
    questions: Arc<Questions>,
    /// What each component was made of, and what came of it.
    made: BTreeMap<String, (Arc<Component>, String)>,
}

fn plain() -> Way {
    Way {
        of: None,
        strategy: Strategy::Rolling,
        steps: Vec::new(),
        tenants: None,
        gates: Vec::new(),
        after: Vec::new(),
        bake: Duration::from_secs(30),
        warm: Duration::from_secs(60),
        judge_every: Duration::from_secs(10),
        min_sample: 300,
        inconclusive: WhenInconclusive::Hold,
        extend: Duration::from_secs(20),
        surge: 2_500,
        missing: 0,
        progress: Duration::from_minutes(2),
        auto_rollback: true,
        window: None,
        zone: known("UTC"),
    }
}

/// What is the same in all of them.
fn frame() -> Frame {
    Frame {
        product: known("shop"),
        environment: known("prod"),
        error_page: None,
        front: Front::default(),
        credentials: None,
        closed: Vec::new(),
        zone: known("UTC"),
        keep: 5,
        rehearse: None,
    }
}

/// `a b=c` as its words.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split_whitespace()
        .map(|word| word.split_once('=').unwrap_or((word, "")))
}

fn listed(value: &str) -> Vec<String> {
    value.split(',').map(str::to_owned).collect()
}

impl Shore {
    /// How the next releases go: `canary steps=10:30s,50:person,100 gates=login bake=1m`, of one component where it is named.
    pub(crate) fn way(&mut self, of: Option<Name>, text: &str) -> Result<(), String> {
        let mut way = plain();
        way.of.clone_from(&of);
        for (key, value) in words(text) {
            match key {
                "steps" => way.steps = value.split(',').map(step).collect::<Result<_, _>>()?,
                "tenants" => way.tenants = Some(listed(value)),
                "gates" => way.gates = listed(value),
                "after" => way.after = listed(value),
                "bake" => way.bake = value_of(value)?,
                "warm" => way.warm = value_of(value)?,
                "extend" => way.extend = value_of(value)?,
                "progress" => way.progress = value_of(value)?,
                "surge" => way.surge = percent(value)?,
                "missing" => way.missing = percent(value)?,
                "window" => way.window = Some(value_of(&value.replace('_', " "))?),
                "by-hand" => way.auto_rollback = false,
                "inconclusive" => {
                    let found = WhenInconclusive::ALL.iter().find(|one| one.word() == value);
                    way.inconclusive = *found.ok_or_else(|| format!("`{value}` follows from nothing"))?;
                }
                _ => {
                    let found = Strategy::ALL.iter().find(|one| one.word() == key);
                    way.strategy = *found.ok_or_else(|| format!("`{key}` is no way"))?;
                }
            }
        }
        self.making.ways.insert(of, Arc::new(way));
        Ok(())
    }

    /// What is asked of the next releases before they begin.
    pub(crate) fn enter(&mut self, gates: &str) -> Result<(), String> {
        let gates: Result<Vec<Name>, String> = gates.split_whitespace().map(value_of).collect();
        self.making.questions = Arc::new(Questions {
            enter: gates?,
            ..Questions::default()
        });
        Ok(())
    }

    /// The migrations that the next releases know: `schema db 1 2:backfill 3:contract contract=sun_02:00-04:00`.
    pub(crate) fn schema(&mut self, resource: Name, text: &str) -> Result<(), String> {
        let mut schema = Schema::default();
        for (key, value) in words(text) {
            match key {
                "contract" => schema.contract = Some(value_of(&value.replace('_', " "))?),
                "window" => schema.window = Some(value_of(&value.replace('_', " "))?),
                _ => {
                    let (name, phase) = key.split_once(':').unwrap_or((key, "expand"));
                    let found = Phase::ALL.iter().find(|one| one.word() == phase);
                    schema.migrations.push(Migration {
                        name: name.to_owned(),
                        phase: *found.ok_or_else(|| format!("`{phase}` is no phase"))?,
                        digest: name.to_owned(),
                    });
                }
            }
        }
        self.ran.entry(resource.clone()).or_default();
        self.making.schema.insert(resource, schema);
        Ok(())
    }

    /// A release of these components, each in its words; `@b` behind one is another build of it.
    pub(crate) fn release(&mut self, id: &str, text: &str) -> Result<(), String> {
        let mut components = BTreeMap::new();
        for words in text.split(';').map(str::trim).filter(|words| !words.is_empty()) {
            let (component, digest) = self.made(id, words)?;
            let name = component.name.clone();
            let ways = &self.making.ways;
            let way = ways.get(&Some(name.clone())).or_else(|| ways.get(&None));
            let portion = Portion {
                component,
                artifact: Some(digest.clone()),
                digest,
                way: way.cloned().unwrap_or_else(|| Arc::new(plain())),
            };
            components.insert(name, portion);
        }
        let release = Release {
            id: ReleaseId::new(id),
            content: Content {
                manifest: id.to_owned(),
                frame: Arc::new(frame()),
                components,
                secrets: BTreeMap::new(),
                flags: BTreeMap::new(),
                schema: self.making.schema.clone(),
                questions: Arc::clone(&self.making.questions),
            },
            origin: Origin::default(),
        };
        self.known.insert(release.id.clone(), Arc::new(release));
        Ok(())
    }

    fn made(&mut self, id: &str, words: &str) -> Result<(Arc<Component>, String), String> {
        if let Some(made) = self.making.made.get(words) {
            return Ok(made.clone());
        }
        let plain: Vec<&str> = words
            .split_whitespace()
            .filter(|word| !word.starts_with('@'))
            .collect();
        let mut product = Product::default();
        let name = product.put(&plain.join(" "))?;
        let (component, _) = product.components.remove(&name).ok_or("it is there")?;
        let mut component = Component::clone(&component);
        component.health.interval = Duration::from_secs(15);
        component.env = crate::secrets::variables(id);
        let made = (Arc::new(component), format!("{name}@{id}"));
        self.making.made.insert(words.to_owned(), made.clone());
        Ok(made)
    }
}

fn percent(text: &str) -> Result<u16, String> {
    let share: towpath_model::unit::Share = value_of(text)?;
    Ok(u16::try_from(share.ppm() / 100).unwrap_or(ALL))
}

/// `10:30s`, `50:person`, `100`, `3tenants:30s`
fn step(text: &str) -> Result<Step, String> {
    let (share, hold) = text.split_once(':').unwrap_or((text, ""));
    let unknown = || format!("`{text}` is no step");
    let mut step = Step::all();
    match share.strip_suffix("tenants") {
        Some(count) => {
            step.parts = 0;
            step.tenants = Some(count.parse().map_err(|_| unknown())?);
        }
        None => {
            let percent: u16 = share.parse().map_err(|_| unknown())?;
            step.parts = percent.saturating_mul(100).min(ALL);
        }
    }
    match hold {
        "" => {}
        "person" => step.person = true,
        time => step.hold = Some(value_of(time)?),
    }
    Ok(step)
}
