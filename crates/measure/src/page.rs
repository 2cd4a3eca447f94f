//! The page of metrics of a component, in the text format of Prometheus or OpenMetrics, and one series on it.
//!
//! Lines that are not about the series are not judged. What a series is follows from its `# TYPE`, or else from its name, as
//! everybody writes them: `_total` counts, `_bucket` belongs to a histogram. Labels are added up: those who want one of them
//! ask a Prometheus.

use crate::sources::{Page, Sources, nobody, place, url};
use crate::web;
use std::collections::BTreeMap;
use towpath_model::desired::metric::Metric;
use towpath_model::run::{Reading, Spread};
use towpath_model::word::Ref;

/// What a series shows on one page.
#[derive(Debug, Clone, PartialEq)]
enum Shown {
    Level(f64),
    Count(f64),
    Spread(Spread),
    Named(BTreeMap<String, f64>),
}

/// Reads the pages of all instances, one after the other: what one of them does not tell is not known of all.
pub(crate) async fn read(metric: &Metric, series: &str, sources: &Sources) -> Result<Reading, String> {
    let of = metric.of.as_ref().map(Ref::as_str);
    let of = match (of, sources.components.len()) {
        (Some(of), _) => of,
        (None, 1) => sources.components.keys().next().map_or("", String::as_str),
        (None, _) => return Err("nobody says whose page it stands on; write of = \"COMPONENT\"".to_owned()),
    };
    let component = sources.components.get(of);
    let pages = component
        .map(|component| component.pages.as_slice())
        .unwrap_or_default();
    if pages.is_empty() {
        return Err(nobody(of));
    }
    let mut shown = Vec::new();
    for page in pages {
        shown.push((page.by.as_str(), look(page, series, sources).await?));
    }
    together(series, shown)
}

async fn look(page: &Page, series: &str, sources: &Sources) -> Result<Shown, String> {
    let at = url(&page.address)?;
    let accept = "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5";
    let answer = web::get(&at, None, accept, sources).await?;
    if !answer.status.is_success() {
        return Err(web::refused(&at, answer.status, false));
    }
    find(&answer.text, series).map_err(|why| format!("{}: {why}", place(&at)))
}

/// What several instances show: levels are added up, and what counts is kept for each.
fn together(series: &str, shown: Vec<(&str, Shown)>) -> Result<Reading, String> {
    let mixed =
        || format!("the instances do not agree what `{series}` is; is one of them of another release?");
    let mut all: Option<Reading> = None;
    for (by, shown) in shown {
        let by = by.to_owned();
        all = Some(match (all, shown) {
            (None, Shown::Level(value)) => Reading::Level(value),
            (None, Shown::Count(value)) => Reading::Count([(by, value)].into()),
            (None, Shown::Spread(spread)) => Reading::Spread([(by, spread)].into()),
            (None, Shown::Named(named)) => Reading::Named(named),
            (Some(Reading::Level(sum)), Shown::Level(value)) => Reading::Level(sum + value),
            (Some(Reading::Count(mut counts)), Shown::Count(value)) => {
                counts.insert(by, value);
                Reading::Count(counts)
            }
            (Some(Reading::Spread(mut spreads)), Shown::Spread(spread)) => {
                spreads.insert(by, spread);
                Reading::Spread(spreads)
            }
            (Some(Reading::Named(_)), Shown::Named(_)) => {
                return Err(format!(
                    "`{series}` is a summary of several instances, and quantiles cannot be added up; make it a histogram"
                ));
            }
            _ => return Err(mixed()),
        });
    }
    all.ok_or_else(mixed)
}

/// Labels with their values, in order.
type Labels<'a> = Vec<(&'a str, &'a str)>;

/// A line of a page: a name, its labels, a value.
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, String)>,
    value: f64,
}

impl Sample<'_> {
    fn label(&self, name: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All labels but one: whose part of a histogram or summary this is.
    fn others(&self, but: &str) -> Labels<'_> {
        let others = self.labels.iter().filter(|(name, _)| *name != but);
        let mut others: Vec<_> = others.map(|(name, value)| (*name, value.as_str())).collect();
        others.sort_unstable();
        others
    }
}

/// A value as Prometheus writes it: infinities and what is no number have names.
fn value(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" | "Nan" => Some(f64::NAN),
        text => crate::number(text),
    }
}

/// Reads a line; nothing where it is not one.
fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(|letter: char| letter == '{' || letter.is_whitespace())?;
    let (name, mut rest) = line.split_at(end);
    rest = rest.trim_start();
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        let mut left = inside.trim_start();
        loop {
            if let Some(behind) = left.strip_prefix('}') {
                rest = behind;
                break;
            }
            let (name, behind) = left.split_once('=')?;
            let (text, behind) = quoted(behind.trim_start())?;
            labels.push((name.trim(), text));
            let behind = behind.trim_start();
            left = behind.strip_prefix(',').unwrap_or(behind).trim_start();
        }
    }
    // A time and an example may follow.
    let value = value(rest.split_whitespace().next()?)?;
    Some(Sample { name, labels, value })
}

/// A text between quotation marks, and what stands behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut read = String::new();
    let mut letters = inside.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((read, &inside[at + 1..])),
            '\\' => match letters.next()?.1 {
                'n' => read.push('\n'),
                letter => read.push(letter),
            },
            letter => read.push(letter),
        }
    }
    None
}

/// What is known of the types on a page.
fn kinds(text: &str) -> BTreeMap<&str, &str> {
    let types = text.lines().filter_map(|line| {
        let mut words = line.trim().strip_prefix('#')?.split_whitespace();
        let is_type = words.next()? == "TYPE";
        Some((words.next()?, words.next()?)).filter(|_| is_type)
    });
    types.collect()
}

/// Finds a series on a page.
fn find(text: &str, series: &str) -> Result<Shown, String> {
    let kinds = kinds(text);
    // `lag_bucket` is a part of the histogram `lag`.
    let whole = series
        .strip_suffix("_bucket")
        .filter(|whole| kinds.get(whole) == Some(&"histogram"));
    let series = whole.unwrap_or(series);
    let parts = ["", "_bucket", "_sum", "_count", "_total"];
    let is_ours = |name: &str| name.strip_prefix(series).is_some_and(|end| parts.contains(&end));
    let mut samples = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let name = line
            .split(|letter: char| letter == '{' || letter.is_whitespace())
            .next();
        if line.starts_with('#') || !name.is_some_and(is_ours) {
            continue;
        }
        samples
            .push(sample(line).ok_or_else(|| format!("line {number} of its page is not one of Prometheus"))?);
    }
    // OpenMetrics tells the type of a counter without its `_total`.
    let family = series.strip_suffix("_total").unwrap_or(series);
    let kind = kinds
        .get(series)
        .or_else(|| kinds.get(family))
        .copied()
        .unwrap_or("untyped");
    let named = |end: &str| {
        let name = format!("{series}{end}");
        samples
            .iter()
            .filter(|sample| sample.name == name)
            .collect::<Vec<_>>()
    };
    let (plain, buckets) = (named(""), named("_bucket"));
    match kind {
        "histogram" => spread(series, &buckets, &named("_count"), &named("_sum")).map(Shown::Spread),
        "summary" => summary(series, &plain),
        "counter" => {
            let counted = if plain.is_empty() { named("_total") } else { plain };
            // Without labels there is always a sample; with them there is none before the first event.
            sum(series, &counted).map(Shown::Count)
        }
        _ if plain.is_empty() && !buckets.is_empty() => {
            spread(series, &buckets, &named("_count"), &named("_sum")).map(Shown::Spread)
        }
        _ if plain.is_empty() => Err(missing(text, series)),
        _ => {
            let sum = sum(series, &plain)?;
            let counts = ["_total", "_count"].iter().any(|end| series.ends_with(end)) && kind != "gauge";
            Ok(if counts {
                Shown::Count(sum)
            } else {
                Shown::Level(sum)
            })
        }
    }
}

fn sum(series: &str, samples: &[&Sample<'_>]) -> Result<f64, String> {
    let sum: f64 = samples.iter().map(|sample| sample.value).sum();
    if sum.is_finite() {
        Ok(sum)
    } else {
        Err(format!(
            "`{series}` is {sum} on its page, which is no number that can be compared"
        ))
    }
}

/// The names on a page that are most like it.
fn missing(text: &str, series: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let mut names: Vec<&str> = lines
        .filter_map(|line| {
            line.split(|letter: char| letter == '{' || letter.is_whitespace())
                .next()
        })
        .filter(|name| !name.is_empty())
        .collect();
    names.dedup();
    let alike = |name: &&str| {
        name.chars()
            .zip(series.chars())
            .take_while(|(a, b)| a == b)
            .count()
    };
    names.sort_by_key(|name| std::cmp::Reverse(alike(name)));
    names.truncate(4);
    match names.as_slice() {
        [] => format!("its page is empty, and has no `{series}`"),
        names => format!("its page has no `{series}`; it has {}", names.join(", ")),
    }
}

/// A histogram, over all labels.
fn spread(
    series: &str,
    buckets: &[&Sample<'_>],
    counts: &[&Sample<'_>],
    sums: &[&Sample<'_>],
) -> Result<Spread, String> {
    let mut by: BTreeMap<Labels<'_>, Vec<(f64, f64)>> = BTreeMap::new();
    let mut all = 0.0;
    for bucket in buckets {
        let bound = bucket.label("le").and_then(value);
        let bound = bound.ok_or_else(|| format!("a class of `{series}` has no bound (`le`) on its page"))?;
        if !bucket.value.is_finite() {
            return Err(format!("a class of `{series}` has no number on its page"));
        }
        if bound.is_finite() {
            by.entry(bucket.others("le"))
                .or_default()
                .push((bound, bucket.value));
        } else {
            all += bucket.value;
        }
    }
    let mut classes: Option<Vec<(f64, f64)>> = None;
    for (_, mut own) in by {
        own.sort_by(|one, other| one.0.total_cmp(&other.0));
        classes = Some(match classes {
            None => own,
            // Only what all of them tell can be added up.
            Some(mut classes) => {
                classes.retain_mut(|(bound, count)| {
                    let same = own.iter().find(|(other, _)| other.total_cmp(bound).is_eq());
                    same.map(|(_, more)| *count += more).is_some()
                });
                classes
            }
        });
    }
    let count = if counts.is_empty() {
        all
    } else {
        sum(series, counts)?
    };
    let sum = if sums.is_empty() {
        None
    } else {
        Some(sum(series, sums)?)
    };
    Ok(Spread {
        classes: classes.unwrap_or_default(),
        count,
        sum,
    })
}

/// A summary: what its makers have made of the events themselves.
fn summary(series: &str, samples: &[&Sample<'_>]) -> Result<Shown, String> {
    let mut named = BTreeMap::new();
    for sample in samples {
        let part: f64 = sample
            .label("quantile")
            .and_then(value)
            .filter(|part| part.is_finite())
            .ok_or_else(|| {
                format!("a line of `{series}` has no quantile on its page, and it calls itself a summary")
            })?;
        // Nothing has come lately.
        if !sample.value.is_finite() {
            continue;
        }
        // 0.999 times a hundred is a little more than it should be.
        let percent = (part * 1e6).round() / 1e4;
        if named.insert(format!("p{percent}"), sample.value).is_some() {
            return Err(format!(
                "`{series}` is a summary with several labels, and quantiles cannot be added up; make it a histogram"
            ));
        }
    }
    Ok(Shown::Named(named))
}

#[cfg(test)]
mod tests;
