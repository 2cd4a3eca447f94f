//! Approvals: people who say yes, and for how long that holds.

use super::person::{either, person};
use jiff::Timestamp;
use std::collections::BTreeMap;
use towpath_model::desired::gate::Approval;
use towpath_model::run::{Approved, Found, Verdict};
use towpath_model::unit::{Email, Name};

/// What people have said so far to this gate. `roles` says who has which role: a role that is not known there has nobody.
/// Whoever says yes twice is one; where the gate names neither people nor a role, anybody who may say yes counts.
pub fn approval(
    gate: &str,
    asked: &Approval,
    roles: &BTreeMap<Name, Vec<Email>>,
    approved: &[Approved],
    now: Timestamp,
) -> Found {
    let role = asked.role.as_ref().map(|role| role.as_str());
    let holders = role.and_then(|role| roles.get(role)).into_iter().flatten();
    let mut people = asked.people.clone();
    for holder in holders {
        if !people
            .iter()
            .any(|one| one.as_str().eq_ignore_ascii_case(holder.as_str()))
        {
            people.push(holder.clone());
        }
    }
    let anybody = people.is_empty() && role.is_none();
    let count = asked.count.max(1);
    // The newest yes of each: an old one says nothing beside it.
    let mut newest: BTreeMap<String, &Approved> = BTreeMap::new();
    for one in approved.iter().filter(|one| one.gate == gate && one.at <= now) {
        let who = match person(&one.by, &people) {
            Some(one) => one.as_str().to_ascii_lowercase(),
            None if anybody => one.by.trim().to_ascii_lowercase(),
            None => continue,
        };
        let held = newest.entry(who).or_insert(one);
        if one.at > held.at {
            *held = one;
        }
    }
    let holds = |one: &Approved| now.duration_since(one.at) < asked.lasts.to_jiff();
    let (yes, over): (Vec<_>, Vec<_>) = newest.into_iter().partition(|(_, one)| holds(one));
    let enough = yes.len() >= usize::try_from(count).unwrap_or(usize::MAX);
    let said: Vec<String> = yes
        .iter()
        .map(|(who, one)| format!("{who} at {:.0}", one.at))
        .collect();
    let measured = match said.is_empty() {
        true => format!("0 of {count} have said yes"),
        false => format!("{} of {count} have said yes: {}", yes.len(), said.join(", ")),
    };
    let verdict = match enough {
        true => Verdict::Pass,
        false => {
            let left: Vec<&Email> = people
                .iter()
                .filter(|one| !yes.iter().any(|(who, _)| one.as_str().eq_ignore_ascii_case(who)))
                .collect();
            let missing = u64::from(count) - yes.len() as u64;
            let mut why = awaited(missing, &left, (anybody, role));
            for (who, one) in over {
                let ended = one.at.saturating_add(asked.lasts.to_jiff());
                let ended = ended.map_or_else(|_| String::new(), |ended| format!(" since {ended:.0}"));
                why.push_str(&format!("; the yes of {who} has not counted{ended}"));
            }
            Verdict::Awaits(why)
        }
    };
    Found {
        verdict,
        measured: Some(measured),
        bound: Some(format!("{count} who say yes, each for {}", asked.lasts)),
        evidence: Vec::new(),
    }
}

fn awaited(missing: u64, left: &[&Email], (anybody, role): (bool, Option<&str>)) -> String {
    let of = role
        .map(|role| format!(", with the role `{role}`"))
        .unwrap_or_default();
    if anybody {
        return format!("it awaits the yes of {missing} more");
    }
    if left.is_empty() && role.is_some() {
        return format!(
            "it awaits the yes of {missing} more{of}, and nobody else has it; give it to somebody in the manifest"
        );
    }
    if (left.len() as u64) < missing {
        let names = either(left);
        return format!(
            "it awaits the yes of {missing} more, and only {names} can say it; lower `count` or name more people"
        );
    }
    match missing {
        1 => format!("it awaits the yes of {}", either(left)),
        _ => format!("it awaits the yes of {missing} of {}", either(left)),
    }
}
