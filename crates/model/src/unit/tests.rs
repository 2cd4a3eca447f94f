//! What holds for every unit: its examples are read, and its canonical text is read back as itself.

use super::*;
use proptest::prelude::*;
use rust_decimal::Decimal;

fn reads_back<T: Unit>(value: &T) {
    let text = value.to_string();
    assert_eq!(T::parse(&text).as_ref(), Ok(value), "{} from `{text}`", T::WHAT);
}

fn examples_are_read<T: Unit>() {
    assert!(!T::EXAMPLES.is_empty(), "{}", T::WHAT);
    for text in T::EXAMPLES {
        match T::parse(text) {
            Ok(value) => reads_back(&value),
            Err(misread) => panic!("{}: `{text}` {}", T::WHAT, misread.because),
        }
    }
}

/// A refusal has a reason that can stand behind the unit's name, and what it proposes is read.
fn any_text_is_survived<T: Unit>(text: &str) {
    match T::parse(text) {
        Ok(value) => reads_back(&value),
        Err(misread) => {
            assert!(!misread.because.is_empty() && !misread.because.ends_with('.'));
            if let Some(meant) = &misread.meant {
                assert_ne!(meant, text, "{}: {}", T::WHAT, misread.because);
            }
            if let Some(meant) = T::read(text).err().and_then(|misread| misread.meant) {
                assert!(T::parse(&meant).is_ok(), "{}: `{text}`", T::WHAT);
            }
        }
    }
}

macro_rules! for_every_unit {
    ($check:ident $(, $argument:expr)?) => {
        for_every_unit!(@ $check ($($argument)?) Duration Bytes Share Change Money Price Rate Schedule Window
            Zone Cpu Quantity Comparison Trigger Ramp Severity Severities Cidr Ip Port Date Domain Url Email
            Name VarName SecretName Path Glob)
    };
    (@ $check:ident $arguments:tt $($unit:ident)*) => {
        $(for_every_unit!(! $check $unit $arguments);)*
    };
    (! $check:ident $unit:ident ($($argument:expr)?)) => { $check::<$unit>($($argument)?) };
}

#[test]
fn every_example_of_every_unit_is_read_and_reads_back() {
    for_every_unit!(examples_are_read);
}

/// Each text has one mistake, so that its proposal is right.
fn proposals_are_read<T: Unit>(texts: &[&str]) {
    for text in texts {
        let misread = T::parse(text).expect_err(text);
        let meant = misread
            .meant
            .unwrap_or_else(|| panic!("{}: `{text}` proposes nothing", T::WHAT));
        assert!(
            T::parse(&meant).is_ok(),
            "{}: `{text}` proposes `{meant}`",
            T::WHAT
        );
    }
}

#[test]
fn a_text_with_one_mistake_is_answered_with_a_text_that_is_read() {
    proposals_are_read::<Duration>(&[
        "30", "1h30", "+5s", "1,5h", "5 secnds", "30m1h", "0.5ms", "hour", "9999y",
    ]);
    proposals_are_read::<Bytes>(&["4096", "5MBi", "+5MB", "0.1B", "1,5GB"]);
    proposals_are_read::<Share>(&["10", "0.1", "150%", "+5%", "0.00001%", "1,5%"]);
    proposals_are_read::<Change>(&["30%", "-30", "-200%"]);
    proposals_are_read::<Money>(&["5", "$20/month", "$1,5"]);
    proposals_are_read::<Price>(&["25", "$25 a month"]);
    proposals_are_read::<Rate>(&["100", "0.5/s", "100 requests"]);
    proposals_are_read::<Schedule>(&[
        "5m",
        "02:00",
        "dialy",
        "daily 02:00 utc",
        "monthly 31",
        "every 5",
        "0 0 2 * * *",
    ]);
    proposals_are_read::<Window>(&[
        "02:00-04:00",
        "sun 02:00-02:00",
        "sun 02:00-04:00 utc",
        "munday 02:00-04:00",
    ]);
    proposals_are_read::<Comparison>(&["p95 =< 1s", "status is 200", "250ms", "5"]);
    proposals_are_read::<Trigger>(&["main", "v*", "push", "tag", "daily", "schedule 5m"]);
    proposals_are_read::<Ramp>(&["10", "10% 30m", "30m", "10% for 30"]);
    proposals_are_read::<Severity>(&["p1", "critical", "sev9"]);
    proposals_are_read::<Cidr>(&["10.0.0.1/8", "10.0.0.1/99"]);
    proposals_are_read::<Url>(&["example.com", "localhost:3000", "https://x.com/a b"]);
    proposals_are_read::<Path>(&["../seed.sql"]);
    proposals_are_read::<Name>(&["My App", "2web", "web-"]);
}

#[test]
fn a_text_that_is_far_too_long_is_refused() {
    fn refused<T: Unit>(text: &str) {
        assert!(T::parse(text).is_err(), "{}", T::WHAT);
    }
    for text in ["9".repeat(1 << 20), "a".repeat(1 << 20), " ".repeat(1 << 20)] {
        for_every_unit!(refused, &text);
    }
}

/// Texts made of the pieces that units are made of: they get much further than random ones.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "1",
        "30",
        "0",
        "99999999999999999999",
        "2.5",
        ".",
        ",",
        "-",
        "+",
        " ",
        "/",
        "%",
        "$",
        "€",
        "s",
        "m",
        "h",
        "d",
        "MiB",
        "per",
        "ip",
        "<",
        ">=",
        "=",
        "!",
        "\"",
        "\\",
        "contains",
        "*",
        "[",
        "]",
        "**",
        "..",
        ":",
        "@",
        "daily",
        "mon",
        "every",
        "cron",
        "02:00",
        "24:00",
        "UTC",
        "Asia/Singapore",
        "asia",
        "sev",
        "sev1",
        "for",
        "pause",
        "until approved",
        "tag",
        "push",
        "example.com",
        "https://",
        "é",
        "\u{2013}",
        "\u{0}",
        "X",
        "_",
        "e9",
        "NaN",
        "free",
        "or more",
        "instances",
        "0.0.0.0",
        "::1",
        "2026-12-01",
        "am",
        "L",
        "W",
        "#",
        "?",
        "5",
    ]);
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_unit_panic(text in prop_oneof![".{0,40}", pieces()]) {
        for_every_unit!(any_text_is_survived, &text);
    }

    #[test]
    fn numbers_in_units_read_back(n in any::<u64>(), shift in 0_u32..64, small in any::<u32>(), signed in any::<i64>()) {
        let n = n >> shift;
        reads_back(&Duration::from_millis(n));
        reads_back(&Bytes::new(n));
        reads_back(&Bytes::from_mib(n >> 24));
        reads_back(&Share::from_ppm(small % 1_000_001));
        reads_back(&Change::from_ppm(signed));
        reads_back(&Change::from_ppm(signed % 2_000_000));
        reads_back(&Cpu::from_millis(small >> (shift / 2)));
        reads_back(&Rate::new(n, Duration::from_millis(u64::from(small)), None));
        reads_back(&Rate::new(n, Duration::from_secs(1), Some(RateKey::Visitor)));
    }

    #[test]
    fn money_and_numbers_read_back(digits in any::<i128>(), scale in 0_u32..29, at_least in any::<bool>(), n in 0_usize..9) {
        let amount = Decimal::try_from_i128_with_scale(digits >> 36, scale).unwrap_or_default();
        if let Some(money) = Money::new(amount, Currency::ALL[n]) {
            reads_back(&money);
            reads_back(&money.rounded());
            reads_back(&Price { money, at_least });
        }
        reads_back(&Quantity::Count(Decimal::new(digits as i64, scale).normalize()));
    }

    #[test]
    fn texts_in_comparisons_read_back(subject in "[a-z][a-z0-9_. ]{0,10}[a-z]", text in "[ -~é]{1,20}") {
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        for op in [Op::Eq, Op::Ne, Op::Contains, Op::Matches] {
            let value = Quantity::Text(text.clone());
            reads_back(&value);
            reads_back(&Comparison { subject: subject.clone(), op, value });
        }
    }

    #[test]
    fn networks_and_dates_read_back(v4 in any::<u32>(), v6 in any::<u128>(), prefix in 0_u8..=128, days in 0_i32..3_000_000) {
        use std::net::{Ipv4Addr, Ipv6Addr};
        reads_back(&Cidr::around(Ipv4Addr::from_bits(v4).into(), prefix));
        reads_back(&Cidr::around(Ipv6Addr::from_bits(v6).into(), prefix));
        let day = jiff::civil::date(1, 1, 1).checked_add(jiff::Span::new().days(days));
        if let Some(date) = day.ok().and_then(Date::new) {
            reads_back(&date);
        }
    }

    #[test]
    fn a_next_run_is_later_and_within_the_interval(n in 0_usize..20, second in 0_i64..4_000_000_000) {
        let text = Schedule::EXAMPLES[n % Schedule::EXAMPLES.len()];
        let schedule = Schedule::parse(text).expect(text);
        let after = jiff::Timestamp::from_second(second).expect("a second");
        let next = schedule.next(after, "UTC").expect("a next run");
        prop_assert!(next > after);
        prop_assert!(next.duration_since(after) <= schedule.interval().to_jiff());
    }
}
