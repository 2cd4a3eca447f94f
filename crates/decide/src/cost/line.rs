//! One line of an estimate: how much, at what rate, how much a month.

use super::{Bound, Line};
use rust_decimal::{Decimal, RoundingStrategy};
use towpath_model::desired::cost::{CostItem, Every};
use towpath_model::desired::extension::Store;
use towpath_model::spec::Path;
use towpath_model::unit::{Currency, Duration, Money, Name};

/// Hours of a month: 365 days of 24 hours, a twelfth of them. Providers bill with the same number.
const HOURS: u64 = 730;
const MILLIS_OF_DAY: u64 = 86_400_000;
const DAYS_OF_YEAR: u64 = 365;
const MONTHS_OF_YEAR: u64 = 12;
/// Durations count a month as 30 days, so that `over = "6 months"` reaches us as 180 days and has to mean six months.
const DAYS_OF_WRITTEN_MONTH: u64 = 30;

/// What is known about a line's price.
pub(super) struct Priced {
    pub(super) units: String,
    pub(super) rate: String,
    pub(super) money: Money,
    pub(super) bound: Option<Bound>,
}

/// The line of a cost item.
pub(super) fn of_item(name: &Name, item: &CostItem, seats: u32) -> Line {
    let priced = price(item, seats);
    let title = item.title.clone().unwrap_or_else(|| name.to_string());
    let at = Path::of(["cost", name.as_str()]);
    let mut line = Line::new(name.to_string(), at, title, priced);
    line.of = item.of.iter().map(ToString::to_string).collect();
    line.plan.clone_from(&item.rate);
    line.assumed.clone_from(&item.assume);
    line.save.clone_from(&item.save);
    line
}

/// The line of a store's one-time fee.
pub(super) fn of_fee(extension: &Name, name: &Name, store: &Store, fee: Money) -> Line {
    let over = Over::of(None);
    let (money, bound) = coins(over.a_month_of(fee.amount()), fee.currency());
    let priced = Priced {
        units: "1 x listing".to_owned(),
        rate: format!("{fee} once over {}", over.text),
        money,
        bound,
    };
    let at = Path::of(["extension", extension.as_str(), "store", name.as_str(), "fee"]);
    let title = store.kind.title().to_owned();
    let mut line = Line::new(format!("{extension}.{name}"), at, title, priced);
    line.of = vec![extension.to_string()];
    line
}

/// Works out what an item costs a month.
fn price(item: &CostItem, seats: u32) -> Priced {
    let used = used(item, seats);
    let over = Over::of(item.over);
    let currency = currency(item);
    let (amount, mut bound) = if item.included {
        (Some(Decimal::ZERO), None)
    } else {
        asked(item, used, currency)
    };
    let month = amount.and_then(|amount| a_month(amount, item.every, &over));
    let (money, too_large) = coins(month, currency);
    bound = too_large.or(bound);
    Priced {
        units: units(item, used),
        rate: rate(item, &over, bound),
        money,
        bound,
    }
}

/// How many units are used; `None` where that is not written and cannot be known.
fn used(item: &CostItem, seats: u32) -> Option<Decimal> {
    let per_seat = || matches!(item.unit.as_deref(), Some("user" | "users" | "seat" | "seats"));
    match item.units {
        Some(units) => Some(units.value()),
        None if per_seat() => Some(Decimal::from(seats)),
        // A quota says that use is counted: one unit would be a guess, and always a free one.
        None if item.quota.is_some() => None,
        None => Some(Decimal::ONE),
    }
}

/// The currency that the line is in: that of the price, or of the first tier.
fn currency(item: &CostItem) -> Currency {
    let priced = item.price.map(|price| price.money.currency());
    let tier = item.tiers.first().map(|tier| tier.price.currency());
    // A free price has no currency of its own.
    let free = item.price.is_some_and(|price| price.money.is_zero());
    if free { tier.or(priced) } else { priced.or(tier) }.unwrap_or_default()
}

/// What is asked each time, and why it is only a lower bound; no amount where it is too large.
fn asked(item: &CostItem, used: Option<Decimal>, currency: Currency) -> (Option<Decimal>, Option<Bound>) {
    let Some(used) = used else {
        // Without a number, `free` says that the quota covers it.
        let bound = (!item.free).then_some(Bound::NoUse);
        return (Some(Decimal::ZERO), bound);
    };
    let free = match item.quota {
        Some(quota) => quota.value().min(used),
        None if item.free => used,
        None => Decimal::ZERO,
    };
    if free == used && (item.free || item.quota.is_some()) {
        return (Some(Decimal::ZERO), None);
    }
    if item.price.is_none() && item.tiers.is_empty() {
        let bound = if item.quota.is_some() {
            Bound::BeyondQuota
        } else {
            Bound::NoPrice
        };
        return (Some(Decimal::ZERO), Some(bound));
    }
    graduated(item, free, used, currency)
}

/// What the units from `free` to `used` cost: each tier up to its bound, and the price for what is above.
fn graduated(
    item: &CostItem,
    free: Decimal,
    used: Decimal,
    currency: Currency,
) -> (Option<Decimal>, Option<Bound>) {
    let mut bound = None;
    let mut sum = Some(Decimal::ZERO);
    let mut from = free;
    for tier in &item.tiers {
        let to = tier.up_to.map_or(used, |bound| bound.value().min(used));
        if to <= from {
            continue;
        }
        if tier.price.currency() == currency || tier.price.is_zero() {
            sum = more(sum, to - from, tier.price.amount());
        } else {
            bound = Some(Bound::Currencies);
        }
        from = to;
    }
    if from < used {
        match item.price {
            Some(price) if price.money.currency() == currency || price.money.is_zero() => {
                sum = more(sum, used - from, price.money.amount());
                if price.at_least {
                    bound = bound.or(Some(Bound::Price));
                }
            }
            Some(_) => bound = Some(Bound::Currencies),
            None => bound = bound.or(Some(Bound::BeyondTiers)),
        }
    }
    (sum, bound)
}

fn more(sum: Option<Decimal>, units: Decimal, price: Decimal) -> Option<Decimal> {
    sum?.checked_add(units.checked_mul(price)?)
}

/// What is asked in such times, for a month. It multiplies before it divides, so that nothing is lost on the way.
fn a_month(amount: Decimal, every: Every, over: &Over) -> Option<Decimal> {
    let months = Decimal::from(MONTHS_OF_YEAR);
    match every {
        Every::Month => Some(amount),
        Every::Year => amount.checked_div(months),
        Every::Day => amount
            .checked_mul(Decimal::from(DAYS_OF_YEAR))?
            .checked_div(months),
        Every::Hour => amount.checked_mul(Decimal::from(HOURS)),
        Every::Once => over.a_month_of(amount),
    }
}

/// An amount in the smallest coin, half of it up; the largest one that can be kept where it is larger.
fn coins(amount: Option<Decimal>, currency: Currency) -> (Money, Option<Bound>) {
    let rounded = amount.map(|amount| {
        amount.round_dp_with_strategy(currency.decimals(), RoundingStrategy::MidpointAwayFromZero)
    });
    match rounded.and_then(|amount| Money::new(amount, currency)) {
        Some(money) => (money, None),
        None => {
            let most = Money::new(Decimal::from(999_999_999_999_999_999_u64), currency);
            (most.unwrap_or(Money::zero(currency)), Some(Bound::TooLarge))
        }
    }
}

/// The time over which a one-time fee is spread.
struct Over {
    /// So many months are ..
    months: Decimal,
    /// .. so many times this.
    times: Decimal,
    text: String,
}

impl Over {
    fn of(over: Option<Duration>) -> Self {
        let year = Duration::from_millis(DAYS_OF_YEAR * MILLIS_OF_DAY);
        let millis = over.unwrap_or(year).millis();
        let whole = |days: u64| millis.is_multiple_of(days * MILLIS_OF_DAY);
        let months = if whole(DAYS_OF_YEAR) {
            Some(millis / (DAYS_OF_YEAR * MILLIS_OF_DAY) * MONTHS_OF_YEAR)
        } else if whole(DAYS_OF_WRITTEN_MONTH) {
            Some(millis / (DAYS_OF_WRITTEN_MONTH * MILLIS_OF_DAY))
        } else {
            None
        };
        let month_millis = HOURS * 3_600_000;
        match months {
            Some(months) if months > 1 => Over {
                months: Decimal::from(months),
                times: Decimal::ONE,
                text: format!("{months} months"),
            },
            None if millis > month_millis => Over {
                months: Decimal::from(millis),
                times: Decimal::from(month_millis),
                text: Duration::from_millis(millis).to_string(),
            },
            _ => Over {
                months: Decimal::ONE,
                times: Decimal::ONE,
                text: "a month".to_owned(),
            },
        }
    }

    fn a_month_of(&self, amount: Decimal) -> Option<Decimal> {
        amount.checked_mul(self.times)?.checked_div(self.months)
    }
}

/// How much is used, for people.
fn units(item: &CostItem, used: Option<Decimal>) -> String {
    let count = used.or(item.quota.map(|quota| quota.value()));
    counted(item, count.unwrap_or(Decimal::ONE))
}

/// So many units, in such a time where the time matters.
fn counted(item: &CostItem, count: Decimal) -> String {
    let number = grouped(count);
    match (item.unit.as_deref(), item.every) {
        (None, Every::Day) => format!("{number}/day"),
        (None, _) => number,
        (Some(unit), Every::Day) => format!("{number} {}/day", plural(unit, count)),
        (Some(unit), _) if item.quota.is_some() => {
            let time = time_of(item.every).unwrap_or_default();
            format!("{number} {}{time}", plural(unit, count))
        }
        (Some(unit), _) => format!("{number} x {unit}"),
    }
}

/// What one unit costs, for people.
fn rate(item: &CostItem, over: &Over, bound: Option<Bound>) -> String {
    if item.included {
        return "included".to_owned();
    }
    let quota = item.quota.map(|quota| quota.value());
    let priced = priced(item, over);
    match (quota, priced) {
        _ if item.free && quota.is_none() => "free tier".to_owned(),
        (Some(_), None) if item.units.is_none() => "free tier".to_owned(),
        (Some(quota), None) => format!("free up to {}", counted(item, quota)),
        (Some(quota), Some(priced)) => format!("{} free, then {priced}", grouped(quota)),
        (None, Some(priced)) => priced,
        (None, None) if bound.is_some() => "unknown".to_owned(),
        (None, None) => "free".to_owned(),
    }
}

/// The prices of one unit, where there are any.
fn priced(item: &CostItem, over: &Over) -> Option<String> {
    // A fee that is asked once is asked for the thing itself, which the units name.
    let per = item.unit.as_deref().filter(|_| item.every != Every::Once);
    let per = per.map(|unit| format!("/{unit}")).unwrap_or_default();
    let time = match item.every {
        Every::Once => format!(" once over {}", over.text),
        // A day's requests are each paid for; an hour's machine is paid for by the hour.
        Every::Day if item.unit.is_some() => String::new(),
        every => time_of(every).unwrap_or_default().to_owned(),
    };
    let mut parts: Vec<String> = item
        .tiers
        .iter()
        .map(|tier| match tier.up_to {
            Some(most) => format!("{}{per}{time} up to {}", tier.price, grouped(most.value())),
            None => format!("{}{per}{time}", tier.price),
        })
        .collect();
    match item.price {
        Some(price) if price.money.is_zero() && !price.at_least && item.tiers.is_empty() => {
            parts.push("free".to_owned());
        }
        Some(price) => parts.push(format!("{price}{per}{time}")),
        None => {}
    }
    (!parts.is_empty()).then(|| parts.join(", then "))
}

/// The time in which a price is asked, where it is not the month of the table.
fn time_of(every: Every) -> Option<&'static str> {
    match every {
        Every::Year => Some("/year"),
        Every::Day => Some("/day"),
        Every::Hour => Some("/hour"),
        Every::Month | Every::Once => None,
    }
}

/// A unit's word for a number of it. Only what is sure is changed: a word of letters gets an `s`.
fn plural(unit: &str, count: Decimal) -> String {
    let plain = unit
        .chars()
        .all(|letter| letter.is_ascii_lowercase() || letter == ' ');
    if count == Decimal::ONE || !plain || unit.ends_with('s') {
        unit.to_owned()
    } else {
        format!("{unit}s")
    }
}

/// A number with its thousands apart, from five digits on, as `10 000`.
fn grouped(number: Decimal) -> String {
    let text = number.normalize().to_string();
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    if whole.len() < 5 {
        return text;
    }
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped + rest
}
