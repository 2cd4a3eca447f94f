//! Rules about names that are only broken where the product is put together: what is used is there, and not in a circle.

use super::{Rule, Scene, Whole, component_at};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use towpath_model::code;
use towpath_model::desired::component::{Component, ComponentKind};
use towpath_model::finding::{Finding, Shown};
use towpath_model::spec::Path;
use towpath_model::unit::Name;
use towpath_model::{Desired, finding::Where};

pub(super) const RULES: &[Rule] = &[Rule::Whole(absent_here), Rule::Scene(uses_loop)];

/// Everything that a component can use, by name.
fn names(product: &Desired) -> HashSet<&str> {
    let components = product.components().map(|(_, name, _)| name.as_str());
    let resources = product.resources().map(|(_, name, _)| name.as_str());
    let outside = product.external.keys().map(Name::as_str);
    components.chain(resources).chain(outside).collect()
}

fn use_at(kind: ComponentKind, name: &Name, position: usize) -> Path {
    component_at(kind, name).key("uses").nth(position).key("name")
}

/// A component that is present where something that it needs is not.
fn absent_here(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let mut declared = names(whole.root);
    for (_, product) in whole.environments {
        declared.extend(names(product));
    }
    let mut index: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (environment, product) in whole.environments {
        let here = names(product);
        for (kind, name, component) in product.components() {
            for (position, used) in component.uses.iter().enumerate() {
                let needed = used.name.as_str();
                // What is declared nowhere is told where references are looked at.
                if used.optional || here.contains(needed) || !declared.contains(needed) {
                    continue;
                }
                let key = (name.as_str(), needed);
                let known = index.get(&key).and_then(|place| found.get_mut(*place));
                if let Some(known) = known {
                    known.environments.push((*environment).clone());
                    continue;
                }
                index.insert(key, found.len());
                let mut finding = missing(whole.root, (kind, name), position, needed);
                finding.environments.push((*environment).clone());
                found.push(finding);
            }
        }
    }
    for place in index.into_values() {
        if let Some(finding) = found.get_mut(place)
            && finding.environments.len() == whole.environments.len()
        {
            finding.environments.clear();
            finding.message.push_str(" in any environment");
        }
    }
}

fn missing(root: &Desired, user: (ComponentKind, &Name), position: usize, needed: &str) -> Finding {
    let (kind, name) = user;
    let finding = Finding::value(
        &code::ABSENT_HERE,
        use_at(kind, name, position),
        format!("`{name}` needs `{}`, which is not present", Shown(needed)),
    )
    .label("not there");
    match root.component(needed) {
        Some((other, there, component)) => {
            let path = component_at(other, there);
            let (field, why) = match &component.when {
                Some(flag) => ("when", format!("there only where the flag `{flag}` is on")),
                None => ("only", format!("`{there}` is only there")),
            };
            let hint = format!(
                "let both be present in the same environments; what `{name}` can do without is written \
                 {{ name = \"{there}\", optional = true }}"
            );
            finding.also(Where::Value(path.key(field)), why).hint(hint)
        }
        None => finding.hint(format!(
            "it is declared in another environment only: move it to the root of the manifest, \
             or write {{ name = \"{}\", optional = true }}",
            Shown(needed)
        )),
    }
}

/// Components, and which of them each needs.
struct Needs<'a> {
    components: Vec<(ComponentKind, &'a Name, &'a Component)>,
    /// For each component the others that it cannot do without, with the position in its `uses`.
    needs: Vec<Vec<(usize, usize)>>,
}

impl<'a> Needs<'a> {
    fn of(product: &'a Desired) -> Self {
        let components: Vec<_> = product.components().collect();
        let numbers: HashMap<&str, usize> = components
            .iter()
            .enumerate()
            .map(|(number, (_, name, _))| (name.as_str(), number))
            .collect();
        let needs = components
            .iter()
            .enumerate()
            .map(|(own, (_, _, component))| {
                let uses = component
                    .uses
                    .iter()
                    .enumerate()
                    .filter(|(_, used)| !used.optional);
                let others =
                    uses.filter_map(|(position, used)| Some((*numbers.get(used.name.as_str())?, position)));
                // What uses itself is told where references are looked at.
                others.filter(|(other, _)| *other != own).collect()
            })
            .collect();
        Needs { components, needs }
    }

    /// The groups of components that need each other, by Tarjan's algorithm without recursion: each component and
    /// each need is looked at once.
    fn groups(&self) -> Vec<Vec<usize>> {
        const UNSEEN: usize = usize::MAX;
        let count = self.needs.len();
        let (mut order, mut low) = (vec![UNSEEN; count], vec![0; count]);
        let (mut open, mut is_open) = (Vec::new(), vec![false; count]);
        let mut groups = Vec::new();
        let mut next = 0;
        for start in 0..count {
            if order[start] != UNSEEN {
                continue;
            }
            let mut way = vec![(start, 0)];
            while let Some((here, tried)) = way.pop() {
                if tried == 0 {
                    (order[here], low[here]) = (next, next);
                    next += 1;
                    open.push(here);
                    is_open[here] = true;
                }
                if let Some((other, _)) = self.needs[here].get(tried) {
                    way.push((here, tried + 1));
                    if order[*other] == UNSEEN {
                        way.push((*other, 0));
                    } else if is_open[*other] {
                        low[here] = low[here].min(order[*other]);
                    }
                    continue;
                }
                if let Some((above, _)) = way.last() {
                    low[*above] = low[*above].min(low[here]);
                }
                if low[here] == order[here] {
                    let mut group = Vec::new();
                    while let Some(member) = open.pop() {
                        is_open[member] = false;
                        group.push(member);
                        if member == here {
                            break;
                        }
                    }
                    groups.push(group);
                }
            }
        }
        groups
    }

    /// The shortest way from the first of a group back to itself, with the position of each need on it.
    fn way_round(&self, group: &[usize]) -> Vec<(usize, usize)> {
        let Some(start) = group.iter().copied().min() else {
            return Vec::new();
        };
        let members: BTreeSet<usize> = group.iter().copied().collect();
        let mut from: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        let mut waiting = VecDeque::from([start]);
        while let Some(here) = waiting.pop_front() {
            for (other, position) in &self.needs[here] {
                if members.contains(other) && !from.contains_key(other) {
                    from.insert(*other, (here, *position));
                    waiting.push_back(*other);
                }
            }
            if from.contains_key(&start) {
                break;
            }
        }
        let mut way = Vec::new();
        let mut here = start;
        while let Some((before, position)) = from.get(&here) {
            way.push((*before, *position));
            here = *before;
            if here == start {
                break;
            }
        }
        way.reverse();
        way
    }
}

/// Components that need each other: none of them could start first. Each group is told once, with its shortest way.
fn uses_loop(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    const SHOWN: usize = 8;
    let needs = Needs::of(scene.product);
    for group in needs.groups().iter().filter(|group| group.len() > 1) {
        let way = needs.way_round(group);
        let (Some(first), Some(last)) = (way.first(), way.last()) else {
            continue;
        };
        let name = |number: usize| needs.components[number].1.as_str();
        let mut message = format!("`{}`", name(first.0));
        for (number, _) in way.iter().skip(1).take(SHOWN) {
            message.push_str(&format!(" needs `{}`, which", name(*number)));
        }
        if way.len() > SHOWN + 1 {
            message.push_str(&format!(" leads over {} more to one that", way.len() - SHOWN - 1));
        }
        message.push_str(&format!(
            " needs `{}`: none of them can start first",
            name(first.0)
        ));
        let place = |(number, position): &(usize, usize)| {
            let (kind, name, _) = needs.components[*number];
            use_at(kind, name, *position)
        };
        let mut finding = Finding::value(&code::USES_LOOP, place(last), message)
            .label("leads back")
            .hint(format!(
                "say which one starts without the other: uses = [{{ name = \"{}\", optional = true }}]",
                name(first.0)
            ));
        if way.len() > 1 {
            finding = finding.also(
                Where::Value(place(first)),
                format!("`{}` needs it", name(first.0)),
            );
        }
        found.push(finding);
    }
}
