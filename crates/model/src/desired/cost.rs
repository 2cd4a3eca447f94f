//! Cost items.

use super::component::ToEnvironment;
use crate::unit::{Decimal, Duration, Money, Price};
use crate::word::Ref;
use crate::{choice, table};

choice! {
    /// In which time a price is asked once for each unit.
    Every
    /// Each month.
    Month = "month";
    /// Each year.
    Year = "year";
    /// Each day.
    Day = "day";
    /// Each hour.
    Hour = "hour";
    /// Once; spread over `over`.
    Once = "once";
}

table! {
    /// Something that costs, or would if its free quota did not cover it.
    CostItem { short [price] }
    /// What it is called in the table.
    title: Option<String> { eg "Fly.io" };
    /// What it pays for: a component, resource or host.
    of: Vec<Ref<ToPaid>> { eg "bot" };
    /// The price of one unit; `$25+` where it is a lower bound.
    price: Option<Price> { eg "$13" };
    /// What the price is for: a month, a year, a day, an hour, or once.
    every: Every = Every::Month;
    /// How many units: people, secrets, gigabytes. By default one, or as many as `seats` where a unit is a `user` or a `seat`.
    units: Option<Decimal> { eg "4" };
    /// What one unit is.
    unit: Option<String> { eg "user" };
    /// Over how long a one-time fee is spread; a year where nothing is written.
    over: Option<Duration> { eg "1y" };
    /// It costs nothing within its quota, or at all where it has none.
    free: bool = false;
    /// It costs nothing more, because it is paid for elsewhere.
    included: bool = false;
    /// How many units are free in each time that `every` names.
    quota: Option<Decimal> { eg "10000" };
    /// The price by how much is used: each tier up to its bound, at its price. What is above the last bound costs `price`.
    tiers: Vec<Tier> { eg "{ up_to = \"1000\", price = \"$0.10\" }" };
    /// What is assumed, where it is usage.
    assume: Option<String> { eg "300 requests a day" };
    /// Only in these environments.
    only: Vec<Ref<ToEnvironment>> { eg "prod" };
    /// The plan or rate, as the provider calls it.
    rate: Option<String> { eg "Burstable B1ms" };
    /// How it could cost less.
    save: Option<String> { eg "Use the free tier for staging" };
}

crate::target! {
    /// Whatever can cost.
    ToPaid = ["service" "worker" "bot" "site" "function" "job" "extension" "postgres" "redis" "bucket" "external" "host" "registry" "secret"];
}

table! {
    /// A tier of a price.
    Tier {}
    /// Up to this many units; the last tier has no bound.
    up_to: Option<Decimal> { eg "1000" };
    /// The price of one unit in it.
    price: Money { required eg "$0.10" };
}
