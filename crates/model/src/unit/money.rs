//! Amounts of money in one currency, and prices that may be a lower bound.

use super::scan::{Scan, bounded};
use super::{Misread, Unit};
use rust_decimal::{Decimal, RoundingStrategy};
use std::fmt;

/// The currencies that the bills of small teams come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Currency {
    #[default]
    Usd,
    Eur,
    Gbp,
    Jpy,
    Sgd,
    Aud,
    Cad,
    Chf,
    Inr,
}

impl Currency {
    pub const ALL: [Self; 9] = [
        Self::Usd,
        Self::Eur,
        Self::Gbp,
        Self::Jpy,
        Self::Sgd,
        Self::Aud,
        Self::Cad,
        Self::Chf,
        Self::Inr,
    ];

    /// The ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Jpy => "JPY",
            Self::Sgd => "SGD",
            Self::Aud => "AUD",
            Self::Cad => "CAD",
            Self::Chf => "CHF",
            Self::Inr => "INR",
        }
    }

    /// The symbol in front of an amount, where there is one that is not ambiguous.
    pub const fn symbol(self) -> Option<&'static str> {
        match self {
            Self::Usd => Some("$"),
            Self::Eur => Some("€"),
            Self::Gbp => Some("£"),
            Self::Jpy => Some("¥"),
            Self::Sgd => Some("S$"),
            Self::Aud => Some("A$"),
            Self::Cad => Some("C$"),
            Self::Chf => None,
            Self::Inr => Some("₹"),
        }
    }

    /// How many decimals the smallest coin has.
    pub const fn decimals(self) -> u32 {
        match self {
            Self::Jpy => 0,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money that is not negative: `$5`, `€10.50`, `10 CHF`.
///
/// Below ten to the 18th, with at most nine decimals: a request may cost a millionth of a cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

const MOST_DECIMALS: u32 = 9;
const LIMIT: Decimal = Decimal::from_parts(2_808_348_672, 232_830_643, 0, false, 0);

impl Money {
    /// The amount, if it is neither negative nor too large to keep; decimals after the ninth are rounded.
    pub fn new(amount: Decimal, currency: Currency) -> Option<Self> {
        let rounded = amount.round_dp_with_strategy(MOST_DECIMALS, RoundingStrategy::MidpointAwayFromZero);
        let fits = rounded >= Decimal::ZERO && rounded < LIMIT;
        fits.then(|| Self {
            amount: rounded.abs().normalize(),
            currency,
        })
    }

    pub const fn zero(currency: Currency) -> Self {
        Self {
            amount: Decimal::ZERO,
            currency,
        }
    }

    pub const fn amount(self) -> Decimal {
        self.amount
    }

    pub const fn currency(self) -> Currency {
        self.currency
    }

    pub const fn is_zero(self) -> bool {
        self.amount.is_zero()
    }

    /// The sum within one currency; nothing across two, or if it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.same(other)?;
        Self::new(self.amount.checked_add(other.amount)?, self.currency)
    }

    /// The difference within one currency; nothing across two, or below zero.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.same(other)?;
        Self::new(self.amount.checked_sub(other.amount)?, self.currency)
    }

    /// So many times as much, or nothing if it does not fit or the factor is negative.
    pub fn checked_mul(self, factor: Decimal) -> Option<Self> {
        Self::new(self.amount.checked_mul(factor)?, self.currency)
    }

    /// The sum of all, if all are of this currency.
    pub fn sum(currency: Currency, all: impl IntoIterator<Item = Self>) -> Option<Self> {
        all.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// Rounded to the smallest coin, half of it up.
    pub fn rounded(self) -> Self {
        let decimals = self.currency.decimals();
        let amount = self
            .amount
            .round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
            .normalize();
        // Rounding up just below the limit would leave it: such an amount keeps its decimals.
        Self::new(amount, self.currency).unwrap_or(self)
    }

    fn same(self, other: Self) -> Option<()> {
        (self.currency == other.currency).then_some(())
    }
}

impl PartialOrd for Money {
    /// Only amounts of one currency can be compared.
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.same(*other)?;
        Some(self.amount.cmp(&other.amount))
    }
}

/// Takes a currency's symbol or code.
fn currency(scan: &mut Scan<'_>) -> Option<Currency> {
    const LONG: &[(&str, Currency)] = &[
        ("US$", Currency::Usd),
        ("S$", Currency::Sgd),
        ("A$", Currency::Aud),
        ("AU$", Currency::Aud),
        ("C$", Currency::Cad),
        ("CA$", Currency::Cad),
        ("$", Currency::Usd),
        ("€", Currency::Eur),
        ("£", Currency::Gbp),
        ("¥", Currency::Jpy),
        ("₹", Currency::Inr),
    ];
    const WORDS: &[(&str, Currency)] = &[
        ("dollars", Currency::Usd),
        ("dollar", Currency::Usd),
        ("euros", Currency::Eur),
        ("euro", Currency::Eur),
        ("pounds", Currency::Gbp),
        ("pound", Currency::Gbp),
        ("yen", Currency::Jpy),
    ];
    let symbol = LONG.iter().find(|(sign, _)| {
        let start = scan.rest.get(..sign.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(sign))
    });
    if let Some((sign, currency)) = symbol {
        scan.rest = scan.rest[sign.len()..].trim_start();
        return Some(*currency);
    }
    let codes = Currency::ALL.iter().map(|c| (c.code(), *c));
    codes
        .chain(WORDS.iter().copied())
        .find(|(word, _)| scan.take_word(&[word]))
        .map(|(_, currency)| currency)
}

/// Reads an amount with its currency, and leaves what stands behind it.
fn money(scan: &mut Scan<'_>) -> Result<Money, Misread> {
    let negative = ["-", "\u{2212}"].iter().any(|sign| scan.rest.starts_with(sign));
    if negative {
        return Err(Misread::new("is negative"));
    }
    let before = currency(scan);
    let written = scan.rest;
    let number = match scan.number() {
        Err(mut misread) => {
            let sign = before.and_then(Currency::symbol).unwrap_or_default();
            misread.meant = misread.meant.map(|text| format!("{sign}{text}"));
            return Err(misread);
        }
        Ok(number) => number,
    };
    let behind = currency(scan);
    let currency = match (before, behind) {
        (Some(a), Some(b)) if a != b && (a, b) != (Currency::Usd, b) => {
            return Err(Misread::new(format!("names two currencies, {a} and {b}")));
        }
        // `$10 SGD` says which dollar is meant.
        (_, Some(currency)) | (Some(currency), None) => currency,
        (None, None) if number.is_zero() && scan.is_done() => Currency::default(),
        (None, None) => {
            let misread = Misread::new("has no currency");
            return Err(if scan.is_done() {
                misread.meant(format!("${written}"))
            } else {
                misread
            });
        }
    };
    let digits = i128::try_from(number.digits).ok();
    digits
        .and_then(|digits| Decimal::try_from_i128_with_scale(digits, number.scale).ok())
        .and_then(|amount| Money::new(amount, currency))
        .ok_or_else(|| Misread::new("is larger than can be kept"))
}

impl Unit for Money {
    const WHAT: &'static str = "an amount of money";
    const EXAMPLES: &'static [&'static str] = &[
        "$5",
        "$0.42",
        "€10",
        "£12.50",
        "10 USD",
        "USD 10",
        "10 CHF",
        "S$25",
        "$1,200",
        "5 dollars",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let mut scan = Scan::new(text);
        let read = money(&mut scan)?;
        if scan.is_done() {
            return Ok(read);
        }
        Err(Misread::new(format!("has `{}` behind it", scan.rest)).meant(read))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut amount = self.amount;
        if amount.scale() == 1 {
            amount.rescale(2);
        }
        match self.currency.symbol() {
            Some(symbol) => write!(f, "{symbol}{amount}"),
            None => write!(f, "{amount} {}", self.currency),
        }
    }
}

/// What something costs, exactly or at least: `$25`, `$25+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Price {
    pub money: Money,
    pub at_least: bool,
}

impl Price {
    pub const fn exactly(money: Money) -> Self {
        Self {
            money,
            at_least: false,
        }
    }

    /// The sum within one currency, which is a lower bound if one of them is.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            money: self.money.checked_add(other.money)?,
            at_least: self.at_least || other.at_least,
        })
    }
}

impl Unit for Price {
    const WHAT: &'static str = "a price";
    const EXAMPLES: &'static [&'static str] = &["$25", "$25+", "from $25", "€10", "at least $5", "free"];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let mut scan = Scan::new(text);
        if scan.take_word(&["free"]) && scan.is_done() {
            return Ok(Self::default());
        }
        let mut at_least = scan.take_word(&["from"]);
        at_least |= scan.take_word(&["at"]) && scan.take_word(&["least"]);
        let money = money(&mut scan)?;
        at_least |= scan.take("+") || scan.take_word(&["or"]) && scan.take_word(&["more"]);
        let read = Self { money, at_least };
        if scan.is_done() {
            return Ok(read);
        }
        // Without what it is asked for the price would be another one, so that nothing is offered.
        let each = ["/", "per ", "a ", "each "];
        let month = ["month", "mo", "mo."];
        let unit = each
            .iter()
            .find_map(|each| scan.rest.trim_start().strip_prefix(each));
        Err(match unit.map(str::trim) {
            Some(unit) if !month.contains(&unit) => Misread::new(format!(
                "has `{}` behind it; what one unit is stands in `unit`, and in which time in `every`",
                scan.rest.trim()
            )),
            _ => Misread::new(format!("has `{}` behind it", scan.rest)).meant(read),
        })
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plus = if self.at_least { "+" } else { "" };
        write!(f, "{}{plus}", self.money)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).expect(text)
    }

    #[test]
    fn money_is_read_with_symbol_or_code() {
        for (text, canonical) in [
            ("$5", "$5"),
            ("$5.00", "$5"),
            ("$0.5", "$0.50"),
            ("usd 10", "$10"),
            ("10EUR", "€10"),
            ("$ 1,234.5", "$1234.50"),
            ("chf 3", "3 CHF"),
            ("$0.0001", "$0.0001"),
            ("us$7", "$7"),
            ("$10 SGD", "S$10"),
        ] {
            assert_eq!(money(text).to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn money_never_mixes_currencies() {
        assert_eq!(money("$5").checked_add(money("€5")), None);
        assert_eq!(money("$5").partial_cmp(&money("€5")), None);
        assert_eq!(
            Money::sum(Currency::Usd, [money("$0.10"), money("$0.20")]),
            Some(money("$0.30"))
        );
        assert_eq!(money("$1").checked_sub(money("$2")), None);
    }

    #[test]
    fn half_a_cent_is_rounded_up() {
        assert_eq!(money("$0.005").rounded(), money("$0.01"));
        assert_eq!(money("$2.674").rounded(), money("$2.67"));
        assert_eq!(money("¥1.5").rounded(), money("¥2"));
        assert_eq!(money("$3").checked_mul(Decimal::MAX), None);
    }

    #[test]
    fn money_without_a_currency_is_offered_in_dollars() {
        assert_eq!(Money::parse("5").expect_err("bare").meant.as_deref(), Some("$5"));
        assert_eq!(
            Money::parse("$20/month").expect_err("per").meant.as_deref(),
            Some("$20")
        );
        for text in [
            "-$5",
            "$-5",
            "$1e9",
            "$NaN",
            "$",
            "$99999999999999999999",
            "€5 GBP",
        ] {
            assert!(Money::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_limit_is_ten_to_the_eighteenth() {
        assert_eq!(LIMIT, Decimal::from(1_000_000_000_000_000_000_u64));
    }
}
