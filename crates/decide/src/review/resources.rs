//! Rules about resources.

mod backups;
mod buckets;
mod migrations;
mod promises;
mod region;
mod safety;

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::Scene(promises::without_backup),
    Rule::Scene(promises::too_short),
    Rule::Scene(promises::standby),
    Rule::Scene(backups::copies),
    Rule::Scene(backups::kept),
    Rule::Scene(backups::drills),
    Rule::Scene(backups::target),
    Rule::Scene(backups::offsite),
    Rule::Scene(backups::bound),
    Rule::Scene(migrations::how),
    Rule::Scene(migrations::contract),
    Rule::Scene(buckets::aged_away),
    Rule::Scene(buckets::frozen),
    Rule::Scene(buckets::public),
    Rule::Scene(buckets::old_versions),
    Rule::Scene(safety::persistent),
    Rule::Scene(safety::plain),
    Rule::Scene(safety::unencrypted),
    Rule::Scene(safety::versions),
    Rule::Scene(safety::evicted),
    Rule::Scene(region::away),
];
