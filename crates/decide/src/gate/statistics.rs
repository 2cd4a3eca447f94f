//! The little mathematics that gates rest on: bets that are won by evidence, and exact intervals of a share.
//!
//! A **bet** is the one idea behind everything that is looked at more than once. Somebody who doubts a claim ("at most 1 % fail")
//! starts with one coin and stakes on each request at odds that are fair, or worse than fair, as long as the claim is true.
//! Then what he owns does not grow on average, and by Ville's inequality the chance that it *ever* reaches `1 / alpha` is at
//! most `alpha`, whenever and however often anybody looks. So who owns a thousand coins has refuted the claim at 99.9 %, and
//! no share of the error has to be put by for the looks to come.
//!
//! All bets here are of one form: a failure multiplies what is owned by `odds`, and everything is divided by the mean of that
//! under the claim. A bettor does not know how bad a release is, so the coin is split over several odds. What he owns is a
//! mean over them, and a mean of fair bets is fair. All of it is kept as logarithms: 5,000 failures would not fit otherwise.
//!
//! The intervals are those of Clopper and Pearson, by the incomplete beta function. Both are sixty lines; `statrs` is
//! fifty times as much, for which nothing else here has a use.

/// A part of the coin, and how many times as likely as claimed it holds a failure to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bet {
    pub part: f64,
    pub odds: f64,
}

/// What is owned over all bets, as a logarithm, from what each has won.
pub fn owned(bets: &[Bet], won: impl IntoIterator<Item = f64>) -> f64 {
    let each: Vec<f64> = bets
        .iter()
        .zip(won)
        .map(|(bet, won)| bet.part.ln() + won)
        .collect();
    let most = each.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return most;
    }
    most + each.iter().map(|each| (each - most).exp()).sum::<f64>().ln()
}

/// What a bet wins, as a logarithm, of so many failures in so many requests, against the claim that a request fails by a chance
/// of `share` at the most (or, where the odds are below one, at the least).
///
/// The mean of `odds` to the power of the failures is `(1 + share (odds - 1))` for each request where the chance is `share`, and
/// less on the other side of it; also where the chance changes from request to request.
pub fn won_against_share(odds: f64, share: f64, failures: u64, requests: u64) -> f64 {
    if requests == 0 {
        return 0.0;
    }
    power(odds, failures) - requests as f64 * (share * (odds - 1.0)).ln_1p()
}

/// What a bet wins, as a logarithm, against the claim that a request to the new release fails no more likely than one to the old,
/// from a stretch of time in which `of` requests failed out of `all`, and `failures` of these were among the `requests` to the new.
///
/// Where both are alike, which of all requests went to the new release has nothing to do with which ones failed. So the failures
/// of the new release are drawn from a hypergeometric distribution (that of Fisher's exact test), whatever the chance of a
/// failure was in that time. Hoeffding (1963) has shown that drawing without replacement has no larger mean of any convex
/// function than drawing with replacement, and there are two ways to see it: `of` failures that each hit the new release by
/// `requests / all`, and `requests` that each fail by `of / all`. Divided by the smaller of these means the bet is fair or worse;
/// what that gives away is little where failures are few, or the new release has a small part of the requests.
pub fn won_against_other(odds: f64, failures: u64, requests: u64, of: u64, all: u64) -> f64 {
    if all == 0 {
        return 0.0;
    }
    let mean = |times: u64, chance: u64| times as f64 * ((chance as f64 / all as f64) * (odds - 1.0)).ln_1p();
    power(odds, failures) - mean(of, requests).min(mean(requests, of))
}

/// The logarithm of `odds` to the power of a count; nothing to the power of nothing is one.
fn power(odds: f64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { count as f64 * odds.ln() }
}

/// The interval of a share, of which `hits` in `all` have been seen, that misses it by a chance of at most `alpha / 2` on each
/// side (Clopper and Pearson, 1934).
pub fn exact_interval(hits: u64, all: u64, alpha: f64) -> (f64, f64) {
    let hits = hits.min(all);
    let (seen, rest) = (hits as f64, (all - hits) as f64);
    let low = if hits == 0 {
        0.0
    } else {
        beta_quantile(alpha / 2.0, seen, rest + 1.0)
    };
    let high = if hits == all {
        1.0
    } else {
        beta_quantile(1.0 - alpha / 2.0, seen + 1.0, rest)
    };
    (low, high)
}

/// The value that a beta distribution does not exceed by a chance of `chance`.
pub fn beta_quantile(chance: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // Each step halves what is left; a share is a number of 53 bits, and small ones have more behind the point.
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if beta_share(middle, a, b) < chance {
            low = middle
        } else {
            high = middle
        }
    }
    0.5 * (low + high)
}

/// The regularised incomplete beta function: the chance that a beta distribution is at most `x`.
pub fn beta_share(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges quickly on this side of the mean, and the function mirrors itself there.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_share_below(1.0 - x, b, a);
    }
    beta_share_below(x, a, b)
}

/// Beyond this the steps of the fraction would be too many, and a normal distribution is as good.
const MANY: f64 = 1e9;

fn beta_share_below(x: f64, a: f64, b: f64) -> f64 {
    if a + b > MANY {
        let mean = a / (a + b);
        let deviation = (mean * (1.0 - mean) / (a + b)).sqrt();
        return normal_share((x - mean) / deviation);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    (front * fraction(x, a, b)).clamp(0.0, 1.0)
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let kept = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
    let mut product = d;
    // It takes a few times the square root of the larger parameter.
    for step in 1..200_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / kept(1.0 + even * d);
        c = kept(1.0 + even / c);
        product *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / kept(1.0 + odd * d);
        c = kept(1.0 + odd / c);
        product *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    product
}

/// The logarithm of the gamma function above zero: Stirling's series, reached by the recurrence where the argument is small.
pub fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < 12.0 {
        product *= x;
        x += 1.0;
    }
    let square = x * x;
    let series = 1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - (1.0 / 1188.0) / square) / square) / square)
            / square;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series / x - f64::ln(product)
}

/// The chance that a normal distribution is at most `z` (Abramowitz and Stegun 7.1.26): right to seven places.
fn normal_share(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * z.abs() / std::f64::consts::SQRT_2);
    let series = t
        * (0.254_829_592
            + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let tail = 0.5 * series * (-0.5 * z * z).exp();
    if z < 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_by_heart_is_found() {
        let (low, high) = exact_interval(0, 300, 0.1);
        assert_eq!(low, 0.0);
        assert!((high - 0.009_936).abs() < 1e-6, "the rule of three: {high}");
        assert!((ln_gamma(11.0) - 3_628_800_f64.ln()).abs() < 1e-12);
        assert!((beta_share(0.5, 7.0, 7.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn counts_beyond_every_sense_have_an_interval_around_what_was_seen() {
        for (hits, all) in [
            (1 << 40, 1 << 41),
            (u64::MAX / 4, u64::MAX),
            (0, u64::MAX),
            (u64::MAX, u64::MAX),
        ] {
            let (low, high) = exact_interval(hits, all, 0.05);
            let seen = hits as f64 / all as f64;
            assert!(
                low <= seen && seen <= high && high - low < 1e-5,
                "{hits} of {all}: {low} to {high}"
            );
        }
    }

    #[test]
    fn what_bets_own_together_is_their_mean() {
        let bets = [Bet { part: 0.5, odds: 2.0 }, Bet { part: 0.5, odds: 4.0 }];
        let owned = owned(&bets, [3_f64.ln(), 5_f64.ln()]);
        assert!((owned - 4_f64.ln()).abs() < 1e-12);
    }
}
