//! Rules about the edge, networks and hosts.

mod access;
mod calls;
mod domains;
mod encryption;
mod hosts;
mod limits;
mod page;
mod policy;

use super::Rule;

pub(super) use page::error_page;

pub(super) const RULES: &[Rule] = &[
    Rule::Scene(encryption::public),
    Rule::Scene(encryption::in_front),
    Rule::Scene(encryption::insistence),
    Rule::Scene(encryption::certificates),
    Rule::Scene(encryption::protocols),
    Rule::Scene(policy::pages),
    Rule::Scene(policy::extensions),
    Rule::Scene(domains::twice),
    Rule::Scene(domains::misplaced),
    Rule::Scene(access::networks),
    Rule::Scene(access::sign_ins),
    Rule::Scene(limits::order),
    Rule::Scene(limits::bodies),
    Rule::Scene(limits::caches),
    Rule::Scene(limits::routes),
    Rule::Whole(calls::certificates),
    Rule::Scene(calls::keys),
    Rule::Scene(calls::protocols),
    Rule::Scene(access::laptops),
    Rule::Scene(hosts::standbys),
    Rule::Scene(hosts::kinds),
];
