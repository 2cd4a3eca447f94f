//! PromQL, asked of a Prometheus by its HTTP API: one number at one moment.

use crate::sources::{Sources, place, url};
use crate::{number, web};
use jiff::Timestamp;
use serde_json::Value;
use towpath_model::desired::metric::Metric;
use towpath_model::run::Reading;
use towpath_model::word::Ref;
use url::Url;

pub(crate) async fn read(
    metric: &Metric,
    query: &str,
    sources: &Sources,
    span: Option<(Timestamp, Timestamp)>,
) -> Result<Reading, String> {
    let from = metric.from.as_ref().map(Ref::as_str);
    let from = from.or(sources.prometheus.as_deref());
    let from = from.ok_or(
        "nobody says where the Prometheus is; write from = \"HOST\", and declare [host.HOST] with its `url`",
    )?;
    let host = sources.hosts.get(from).ok_or_else(|| {
        format!("host `{from}` has no address; write url = \"https://...\" at [host.{from}]")
    })?;
    let mut asked = url(&format!("{}/api/v1/query", host.url.trim_end_matches('/')))?;
    asked.query_pairs_mut().append_pair("query", query);
    if let Some((_, at)) = span {
        asked.query_pairs_mut().append_pair("time", &at.to_string());
    }
    let own = metric.secret.as_ref().map(Ref::as_str);
    let secret = own.or(host.secret.as_deref());
    let secret = secret.map(|name| sources.secret(name)).transpose()?;
    let answer = web::get(&asked, secret, "application/json", sources).await?;
    let told = |why: String| format!("{}: {why}", place(&asked));
    match serde_json::from_str::<Value>(&answer.text) {
        // What is wrong with a query is said in an answer that is no success.
        Ok(said) if said.get("status").is_some() => sample(&said).map(Reading::Level).map_err(told),
        _ if !answer.status.is_success() => Err(web::refused(&asked, answer.status, secret.is_some())),
        _ => Err(told(strange(&asked))),
    }
}

fn strange(asked: &Url) -> String {
    let base = asked.path().trim_end_matches("/api/v1/query");
    format!("what answers is no Prometheus; is `{base}/` the address under which its API is?")
}

/// The one number of an answer.
fn sample(said: &Value) -> Result<f64, String> {
    let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("status") != "success" {
        let kind = Some(text("errorType")).filter(|kind| !kind.is_empty());
        return Err(format!(
            "it refuses the query: {} ({})",
            text("error"),
            kind.unwrap_or("no reason")
        ));
    }
    let part = said.get("data");
    let result = part.and_then(|part| part.get("result"));
    let kind = part
        .and_then(|part| part.get("resultType"))
        .and_then(Value::as_str);
    let pair = match (kind, result) {
        (Some("scalar"), Some(pair)) => pair,
        (Some("vector"), Some(Value::Array(samples))) => match samples.as_slice() {
            [one] if one.get("histogram").is_some() => {
                return Err(
                    "the query answers with a histogram; write histogram_quantile(0.95, ...) around it"
                        .to_owned(),
                );
            }
            [one] => one.get("value").unwrap_or(&Value::Null),
            [] => {
                return Err("the query answers with nothing: no series is like it; where that means zero, write `or vector(0)` behind it".to_owned());
            }
            several => {
                return Err(format!(
                    "the query answers with {} series, {}; add them up in it: sum(...)",
                    several.len(),
                    labels(&several[0])
                ));
            }
        },
        (Some("matrix"), _) => {
            return Err(
                "the query answers with a range; write what is made of it: max_over_time(...), rate(...)"
                    .to_owned(),
            );
        }
        (Some("string"), _) => return Err("the query answers with a text, and not with a number".to_owned()),
        _ => {
            return Err(
                "its answer is not one of Prometheus: it has no result of a kind that is known".to_owned(),
            );
        }
    };
    let value = pair.get(1).and_then(Value::as_str);
    let value = value.ok_or("its answer is not one of Prometheus: a sample has no value")?;
    number(value).ok_or_else(|| {
        format!("the query answers with {value}, which is no number that can be compared; is something divided by nothing in it?")
    })
}

/// `the first with {job="api"}`.
fn labels(one: &Value) -> String {
    let labels = one.get("metric").and_then(Value::as_object);
    let labels = labels.into_iter().flatten().take(4);
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value}")).collect();
    format!("the first with {{{}}}", labels.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<f64, String> {
        sample(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn one_sample_or_a_scalar_is_a_number() {
        let vector = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"prometheus"},"value":[1435781451.781,"1"]}]}}"#;
        assert_eq!(told(vector), Ok(1.0));
        let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1435781460.781,"2.5e-1"]},"warnings":["old"]}"#;
        assert_eq!(told(scalar), Ok(0.25));
    }

    #[test]
    fn every_other_answer_says_what_to_write() {
        let result = |kind: &str, result: &str| {
            told(&format!(
                r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#
            ))
            .unwrap_err()
        };
        let two = r#"[{"metric":{"job":"a"},"value":[1,"1"]},{"metric":{"job":"b"},"value":[1,"2"]}]"#;
        assert_eq!(
            result("vector", two),
            "the query answers with 2 series, the first with {job=\"a\"}; add them up in it: sum(...)"
        );
        assert!(result("vector", "[]").contains("or vector(0)"));
        assert!(result("matrix", "[]").contains("a range"));
        assert!(result("string", "[1,\"a\"]").contains("a text"));
        assert!(result("vector", r#"[{"metric":{},"value":[1,"NaN"]}]"#).contains("divided by nothing"));
        assert!(result("scalar", r#"[1,"+Inf"]"#).contains("+Inf"));
        assert!(result("vector", r#"[{"metric":{},"histogram":[1,{}]}]"#).contains("histogram_quantile"));
        for strange in ["7", "[]", "null", "[1]", "{}"] {
            assert!(
                result("scalar", strange).contains("not one of Prometheus"),
                "{strange}"
            );
            assert!(
                result("other", strange).contains("not one of Prometheus"),
                "{strange}"
            );
        }
        let refused = r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:5: parse error"}"#;
        assert_eq!(
            told(refused).unwrap_err(),
            "it refuses the query: invalid parameter \"query\": 1:5: parse error (bad_data)"
        );
    }
}
