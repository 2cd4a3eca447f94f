//! Estimates of the sample products and of odd ones, and what holds for all of them.

use super::*;
use insta::assert_snapshot;
use proptest::prelude::*;
use std::collections::BTreeMap;
use towpath_model::unit::Unit;

fn product(text: &str) -> Desired {
    let text = format!("product = \"p\"\n{text}");
    let sources = BTreeMap::from([("towpath.toml".to_owned(), text.clone().into_bytes())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    let told: Vec<&str> = reading
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert!(!reading.has_errors(), "{told:?}");
    reading.desired.expect("it is readable")
}

fn table(text: &str) -> String {
    shown_table(&estimate(&product(text), None))
}

fn shown_table(estimate: &Estimate) -> String {
    let mut table = String::new();
    for line in &estimate.lines {
        let month = shown_price(line.month);
        table += &format!("{} | {} | {} | {month}", line.title, line.units, line.rate);
        if let Some(bound) = line.bound {
            table += &format!(" ({bound})");
        }
        table.push('\n');
    }
    table + "total " + &estimate.total()
}

#[test]
fn a_fee_is_spread_over_a_year_and_what_is_free_says_its_quota() {
    let text = r#"
        [cost.fly]
        title = "Fly.io"
        unit = "app shared-cpu-1x"
        free = true
        [cost.supabase]
        unit = "project"
        free = true
        [cost.perspective]
        free = true
        quota = "10 000"
        unit = "request"
        every = "day"
        [cost.chrome]
        price = "$5"
        every = "once"
        over = "1y"
        unit = "listing"
    "#;
    assert_snapshot!(table(text), @r"
        Fly.io | 1 x app shared-cpu-1x | free tier | $0
        supabase | 1 x project | free tier | $0
        perspective | 10 000 requests/day | free tier | $0
        chrome | 1 x listing | $5 once over 12 months | $0.42
        total $0.42
        ");
}

#[test]
fn secrets_are_paid_for_one_by_one() {
    let text = r#"
        [cost]
        app = "$13"
        db = "$16"
        registry = "$5"
        vault = { price = "$0.03", unit = "secret", units = 4 }
    "#;
    assert_snapshot!(table(text), @r"
        app | 1 | $13 | $13.00
        db | 1 | $16 | $16.00
        registry | 1 | $5 | $5.00
        vault | 4 x secret | $0.03/secret | $0.12
        total $34.12
        ");
}

#[test]
fn a_lower_bound_makes_the_total_one() {
    let text = r#"
        [cost]
        vercel = { price = "$20", unit = "user" }
        supabase = "$25+"
        sentry = { price = "$26+", assume = "events" }
        posthog = { free = true }
        github = { included = true }
    "#;
    assert_snapshot!(table(text), @r"
        vercel | 1 x user | $20/user | $20.00
        supabase | 1 | $25+ | at least $25.00 (the price is a lower bound)
        sentry | 1 | $26+ | at least $26.00 (the price is a lower bound)
        posthog | 1 | free tier | $0
        github | 1 | included | $0
        total at least $71.00
        ");
    assert_snapshot!(table(&format!("seats = 3\n{text}")), @r"
        vercel | 3 x user | $20/user | $60.00
        supabase | 1 | $25+ | at least $25.00 (the price is a lower bound)
        sentry | 1 | $26+ | at least $26.00 (the price is a lower bound)
        posthog | 1 | free tier | $0
        github | 1 | included | $0
        total at least $111.00
        ");
}

#[test]
fn every_time_is_brought_to_a_month() {
    let text = r#"
        [cost]
        domain = { price = "$12", every = "year" }
        machine = { price = "$0.01", every = "hour", unit = "instance", units = 2 }
        calls = { price = "$0.001", every = "day", unit = "call", units = 300 }
        setup = { price = "$10", every = "once", over = "6 months" }
        odd = { price = "$10", every = "once", over = "100d" }
        short = { price = "$10", every = "once", over = "2d" }
    "#;
    assert_snapshot!(table(text), @r"
        domain | 1 | $12/year | $1.00
        machine | 2 x instance | $0.01/instance/hour | $14.60
        calls | 300 calls/day | $0.001/call | $9.13
        setup | 1 | $10 once over 6 months | $1.67
        odd | 1 | $10 once over 100d | $3.04
        short | 1 | $10 once over a month | $10.00
        total $39.44
        ");
}

#[test]
fn tiers_are_graduated_and_count_what_is_free() {
    let text = r#"
        [cost.requests]
        quota = "1000"
        units = "12500"
        unit = "request"
        price = "$0.01"
        tiers = [{ up_to = "2000", price = "$0.10" }, { up_to = "10000", price = "$0.05" }]
        [cost.rest]
        quota = "1000"
        units = "1500"
        price = "$0.10"
    "#;
    assert_snapshot!(table(text), @r"
        requests | 12 500 requests | 1000 free, then $0.10/request up to 2000, then $0.05/request up to 10 000, then $0.01/request | $525.00
        rest | 1500 | 1000 free, then $0.10 | $50.00
        total $575.00
        ");
}

#[test]
fn what_is_not_known_is_a_lower_bound_and_says_why() {
    let text = r#"
        [cost]
        nothing = { units = 3, unit = "thing" }
        past = { free = true, quota = "100", units = "101", unit = "request", every = "day" }
        above = { units = "20", tiers = [{ up_to = "10", price = "$1" }] }
        unused = { quota = "100", price = "$1", unit = "request" }
        mixed = { units = "20", tiers = [{ up_to = "10", price = "$1" }], price = "€1" }
        vast = { units = "999999999999", price = "$999999999999" }
    "#;
    assert_snapshot!(table(text), @r"
        nothing | 3 x thing | unknown | at least $0 (nothing says what it costs)
        past | 101 requests/day | free up to 100 requests/day | at least $0 (more is used than is free, and the rest has no price)
        above | 20 | $1 up to 10 | at least $10.00 (more is used than the last tier covers, and the rest has no price)
        unused | 100 requests | 100 free, then $1/request | at least $0 (how much is used is not written)
        mixed | 20 | $1 up to 10, then €1 | at least €10.00 (its prices are in several currencies, of which one is counted)
        vast | 999 999 999 999 | $999999999999 | at least $999999999999999999.00 (it is more than can be kept)
        total at least $999999999999999999.00 and at least €10.00
        ");
}

#[test]
fn currencies_are_never_added() {
    let text = r#"
        [cost]
        hetzner = "€4.51"
        fly = "$5"
        yen = "¥100.5"
        free = "free"
    "#;
    assert_snapshot!(table(text), @r"
        hetzner | 1 | €4.51 | €4.51
        fly | 1 | $5 | $5.00
        yen | 1 | ¥100.50 | ¥101
        free | 1 | free | $0
        total €4.51 and $5.00 and ¥101
        ");
}

#[test]
fn the_fee_of_a_store_counts() {
    let text = r#"
        [extension.guard]
        store.chrome = { kind = "chrome-web-store", fee = "$5" }
    "#;
    assert_snapshot!(table(text), @r"
        Chrome Web Store | 1 x listing | $5 once over 12 months | $0.42
        total $0.42
        ");
}

#[test]
fn an_item_of_some_environments_counts_there() {
    let product = product(
        r#"
        [cost.prod]
        price = "$50"
        only = "prod"
        [cost.all]
        price = "$1"
        [environment.dev]
        [environment.prod]
    "#,
    );
    let total = |name: Option<&str>| {
        let name = name.map(|name| Name::parse(name).expect("a name"));
        estimate(&product, name.as_ref()).total()
    };
    assert_eq!(total(None), "$51.00");
    assert_eq!(total(Some("dev")), "$1.00");
    assert_eq!(total(Some("prod")), "$51.00");
    assert_eq!(Estimate::default().total(), "$0");
}

#[test]
fn budgets_are_kept_broken_or_open() {
    let product = product(
        r#"
        budget = "$30"
        [bot.bot]
        run = "bot"
        budget = "$10"
        [service.api]
        run = "api"
        budget = "$25"
        [postgres.db]
        budget = "€20"
        [redis.cache]
        budget = "$5"
        [cost]
        fly = { price = "$12.50", of = ["bot"] }
        rds = { price = "$20+", of = ["db", "api"] }
    "#,
    );
    let told: Vec<String> = against_budgets(&product, None)
        .iter()
        .map(|budget| format!("{}: {budget}", budget.at))
        .collect();
    assert_snapshot!(told.join("\n"), @r"
        budget: the product costs at least $32.50 a month, of $30.00, which is at least $2.50 too much
        service.api.budget: service `api` costs at least $20.00 a month, of $25.00, and the estimate is a lower bound
        bot.bot.budget: bot `bot` costs $12.50 a month, of $10.00, which is $2.50 too much
        postgres.db.budget: postgres `db` costs at least $20.00 a month, of €20.00, and something costs in another currency
        redis.cache.budget: redis `cache` costs $0 a month, of $5.00
        ");
}

proptest! {
    /// Whoever adds up the lines as they are shown gets the total as it is shown.
    #[test]
    fn the_table_adds_up(items in prop::collection::vec((0_u64..10_000_000, 0_u32..1000, 0_usize..5), 1..12)) {
        let every = ["month", "year", "day", "hour", "once"];
        let text: String = items.iter().enumerate().map(|(index, (price, units, time))| {
            let price = format!("${}.{:05}", price / 100_000, price % 100_000);
            format!("[cost.i{index}]\nprice = \"{price}\"\nunits = {units}\nevery = \"{}\"\n", every[*time])
        }).collect();
        let estimate = estimate(&product(&text), None);
        let cents = |money: Money| (money.amount() * rust_decimal::Decimal::ONE_HUNDRED).normalize();
        prop_assert!(estimate.lines.iter().all(|line| cents(line.month.money).scale() == 0));
        let sum: rust_decimal::Decimal = estimate.lines.iter().map(|line| cents(line.month.money)).sum();
        prop_assert_eq!(sum, cents(estimate.totals[0].money));
    }

    /// More of anything never costs less.
    #[test]
    fn more_units_never_cost_less(units in 0_u32..30_000, further in 0_u32..1000, quota in 0_u32..5000) {
        let total = |units: u32| {
            let text = format!(
                "[cost.x]\nunits = {units}\nquota = {quota}\nprice = \"$0.01\"\n\
                 tiers = [{{ up_to = 2000, price = \"$0.10\" }}, {{ up_to = 10000, price = \"$0.05\" }}]\n"
            );
            estimate(&product(&text), None).totals[0].money.amount()
        };
        prop_assert!(total(units) <= total(units + further));
    }
}
