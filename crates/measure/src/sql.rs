//! Queries: `:from` and `:to` in them become bound parameters, and what they answer has to be one number.

use crate::number;
use crate::sources::{Kind, Sources};
use jiff::Timestamp;
use towpath_model::desired::metric::Metric;
use towpath_model::run::Reading;
use towpath_resource::{Figure, ResourceError, figure};

/// Who waits for a lock in this database, whatever it is on.
pub(crate) const LOCKS: &str = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
                                WHERE NOT l.granted AND a.datname = current_database()";

/// Who is connected to this database, without us.
pub(crate) const CONNECTIONS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                                      AND pid <> pg_backend_pid() AND backend_type = 'client backend'";

/// One end of the time that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    From,
    To,
}

/// A query with its parameters numbered, and what each of them is.
///
/// What stands in a text, a name, a comment or a body between dollars is left as it is, and `::from` is a cast.
fn numbered(query: &str) -> (String, Vec<End>) {
    let (mut out, mut ends) = (String::new(), Vec::new());
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            ':' if rest.starts_with("::") => 2,
            ':' => match parameter(rest) {
                Some((end, length)) => {
                    let place = ends.iter().position(|known| *known == end).unwrap_or(ends.len());
                    if place == ends.len() {
                        ends.push(end);
                    }
                    // It is a text until the server reads it as a time, whatever the query makes of it.
                    out += &format!("CAST(CAST(${} AS text) AS timestamptz)", place + 1);
                    rest = &rest[length..];
                    continue;
                }
                None => 1,
            },
            _ => opaque(rest).unwrap_or(first.len_utf8()),
        };
        out.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    (out, ends)
}

/// A parameter at the start of a text, and how long its name is.
fn parameter(text: &str) -> Option<(End, usize)> {
    let names = [(":from", End::From), (":to", End::To)];
    names.into_iter().find_map(|(name, end)| {
        let rest = text.strip_prefix(name)?;
        let goes_on = rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        (!goes_on).then_some((end, name.len()))
    })
}

/// How long something at the start of a text is in which nothing is a parameter.
fn opaque(text: &str) -> Option<usize> {
    let until = |from: usize, end: &str| {
        let found = text[from..].find(end);
        found.map_or(text.len(), |found| from + found + end.len())
    };
    let first = text.as_bytes().first()?;
    match first {
        b'\'' => Some(until(1, "'")),
        b'"' => Some(until(1, "\"")),
        b'-' if text.starts_with("--") => Some(until(2, "\n")),
        b'/' if text.starts_with("/*") => Some(comment(text)),
        b'$' => {
            let name = text[1..].split('$').next()?;
            let is_name = name
                .chars()
                .all(|letter| letter.is_alphanumeric() || letter == '_');
            let tag = text
                .get(..name.len() + 2)
                .filter(|tag| is_name && tag.ends_with('$'))?;
            Some(until(tag.len(), tag))
        }
        // The rest of an escaped text, in which a quotation mark may stand behind a backslash.
        b'e' | b'E' if text[1..].starts_with('\'') => Some(escaped(text)),
        // A word as a whole, so that the last letter of one is not taken for the start of an escaped text.
        letter if letter.is_ascii_alphanumeric() || *letter == b'_' => {
            let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '$');
            Some(end.unwrap_or(text.len()))
        }
        _ => None,
    }
}

/// Comments stand in one another in Postgres.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

fn escaped(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(2) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'\'' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether a metric is a query about a time, so that it says nothing of a moment and has to be asked with one.
pub fn is_about_a_time(metric: &Metric) -> bool {
    let query = metric.sql.as_deref().unwrap_or_default();
    !numbered(query).1.is_empty()
}

pub(crate) async fn read(
    metric: &Metric,
    query: &str,
    sources: &Sources,
    span: Option<(Timestamp, Timestamp)>,
) -> Result<Reading, String> {
    let (query, ends) = numbered(query);
    let values = match (ends.is_empty(), span) {
        (true, _) => Vec::new(),
        (false, Some((from, to))) => {
            let values = ends.iter().map(|end| match end {
                End::From => from.to_string(),
                End::To => to.to_string(),
            });
            values.collect()
        }
        (false, None) => {
            return Err("the query asks about a time (:from, :to), and was asked about none".to_owned());
        }
    };
    let value = ask(metric, sources, &query, &values).await?;
    Ok(match span.filter(|_| !ends.is_empty()) {
        Some((from, to)) => Reading::Span { from, to, value },
        None => Reading::Level(value),
    })
}

/// A question of our own.
pub(crate) async fn of_database(metric: &Metric, sources: &Sources, query: &str) -> Result<Reading, String> {
    ask(metric, sources, query, &[]).await.map(Reading::Level)
}

async fn ask(metric: &Metric, sources: &Sources, query: &str, values: &[String]) -> Result<f64, String> {
    let store = sources.store(Kind::Postgres, metric)?;
    let asked = figure(&store.address, query, values, sources.bound.to_std()).await;
    let text = match asked.map_err(|error| told(&error))? {
        Figure::Value {
            text: Some(text),
            kind,
        } => (text, kind),
        Figure::Value { text: None, .. } => {
            return Err("the query answers with NULL; write what that means: coalesce(..., 0)".to_owned());
        }
        Figure::Nothing => {
            return Err("the query answers with no row; it has to answer with one number".to_owned());
        }
        Figure::Rows => {
            return Err("the query answers with several rows; count or add them up in it".to_owned());
        }
        Figure::Columns(columns) => {
            return Err(format!(
                "the query answers with {columns} columns; it has to answer with one number"
            ));
        }
    };
    let (text, kind) = text;
    number(&text).ok_or_else(|| match kind.as_str() {
        "interval" => {
            "the query answers with an interval; write extract(epoch from ...), and unit = \"s\"".to_owned()
        }
        kind => {
            let text: String = text.chars().take(40).collect();
            format!("the query answers with `{text}` ({kind}), which is no number; cast it in the query")
        }
    })
}

/// What a store says, and what to do about it.
pub(crate) fn told(error: &ResourceError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "CAST(CAST($1 AS text) AS timestamptz)";
    const TWO: &str = "CAST(CAST($2 AS text) AS timestamptz)";

    #[test]
    fn the_ends_of_a_time_become_parameters_and_never_text() {
        let (query, ends) = numbered("select count(*) from i where at >= :from and at < :to and b > :from");
        assert_eq!(
            query,
            format!("select count(*) from i where at >= {ONE} and at < {TWO} and b > {ONE}")
        );
        assert_eq!(ends, [End::From, End::To]);
        assert_eq!(numbered("select :to").1, [End::To]);
    }

    #[test]
    fn what_only_looks_like_a_parameter_is_left_alone() {
        for query in [
            "select ':from', \":to\" -- :from\n, a::from /* :to /* :from */ :to */",
            "select $$ :from $$, $x$ :to $$ $x$, :fromage, :to_day, :tö",
            "select E'it\\'s :from', 'it''s :to'",
            "select 'open :from",
            "select /* open :from",
            "select $a$ open :from",
            "select 1::int, $1, a$b, : from",
        ] {
            let (same, ends) = numbered(query);
            assert_eq!((same.as_str(), ends.as_slice()), (query, [].as_slice()));
        }
        // A word that ends with an e is no escaped text.
        assert_eq!(numbered("select type'\\', :from, '").1, [End::From]);
    }

    #[test]
    fn a_query_says_whether_it_is_about_a_time() {
        let asks = |text: &str| is_about_a_time(&crate::tests::metric(text));
        assert!(asks(r#"{"sql": "select 1 where now() > :from"}"#));
        assert!(!asks(r#"{"sql": "select ':from'"}"#));
        assert!(!asks("{}"));
    }
}
