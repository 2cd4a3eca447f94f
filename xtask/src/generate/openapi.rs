//! The OpenAPI document: every endpoint, and the shape of everything that is said.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use towpath_api::{
    AboutGate, Answered, Answers, Apply, Ask, Asks, CourseTold, Deploy, DownArgs, ENVIRONMENT, EXCHANGE,
    Endpoint, Event, Exchange, Explained, History, LogArgs, LogLine, Machine, Maintain, Maintained, Mint,
    Minted, Missing, OF_A_MACHINE, OF_AN_ENVIRONMENT, Opaque, PORT, Problem, Releases, Same, Scale, SignOut,
    SignedOut, Status, Steer, Story, Surroundings, Tokens, Trust, TrustTold, Trusts, Verb, Versioned,
    Versions,
};

/// Types that the table of endpoints names, by their names.
struct Shapes {
    generator: SchemaGenerator,
    known: BTreeMap<&'static str, Schema>,
}

impl Shapes {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let mut shapes = Shapes {
            generator: settings.into_generator(),
            known: BTreeMap::new(),
        };
        shapes.add::<Apply>("Apply");
        shapes.add::<CourseTold>("CourseTold");
        shapes.add::<Deploy>("Deploy");
        shapes.add::<DownArgs>("DownArgs");
        shapes.add::<Event>("Event");
        shapes.add::<Exchange>("Exchange");
        shapes.add::<Explained>("Explained");
        shapes.add::<AboutGate>("AboutGate");
        shapes.add::<Answered>("Answered");
        shapes.add::<Ask>("Ask");
        shapes.add::<History>("History");
        shapes.add::<Story>("Story");
        shapes.add::<LogArgs>("LogArgs");
        shapes.add::<LogLine>("LogLine");
        shapes.add::<Machine>("Machine");
        shapes.add::<Maintain>("Maintain");
        shapes.add::<Maintained>("Maintained");
        shapes.add::<Mint>("Mint");
        shapes.add::<Minted>("Minted");
        shapes.add::<Missing>("Missing");
        shapes.add::<Problem>("Problem");
        shapes.add::<Opaque>("Release");
        shapes.add::<Releases>("Releases");
        shapes.add::<Same>("Same");
        shapes.add::<Scale>("Scale");
        shapes.add::<SignOut>("SignOut");
        shapes.add::<SignedOut>("SignedOut");
        shapes.add::<Status>("Status");
        shapes.add::<Steer>("Steer");
        shapes.add::<Surroundings>("Surroundings");
        shapes.add::<Tokens>("Tokens");
        shapes.add::<Trust>("Trust");
        shapes.add::<TrustTold>("TrustTold");
        shapes.add::<Trusts>("Trusts");
        shapes.add::<Versioned>("Versioned");
        shapes.add::<Versions>("Versions");
        shapes
    }

    fn add<T: JsonSchema>(&mut self, name: &'static str) {
        let shape = self.generator.subschema_for::<T>();
        self.known.insert(name, shape);
    }

    fn of(&self, name: &str) -> Value {
        // A name that is missing here leaves a reference to nothing, and the test finds it.
        let missing = || json!({ "$ref": format!("#/components/schemas/{name}") });
        self.known
            .get(name)
            .map_or_else(missing, |shape| shape.clone().to_value())
    }
}

/// The whole document.
pub(super) fn document(version: &str) -> Value {
    let mut shapes = Shapes::new();
    let mut paths: Map<String, Value> = Map::new();
    let machine = OF_A_MACHINE
        .iter()
        .map(|one| (one.path.to_owned(), one, "machine"));
    let environment = OF_AN_ENVIRONMENT
        .iter()
        .map(|one| (format!("{ENVIRONMENT}{}", one.path), one, "environment"));
    for (path, endpoint, tag) in machine.chain(environment) {
        let operation = operation(&shapes, endpoint, tag, &path);
        let parameters = parameters(&path);
        let item = paths.entry(path).or_insert_with(|| match parameters.is_empty() {
            true => json!({}),
            false => json!({ "parameters": parameters }),
        });
        item[endpoint.method.to_lowercase()] = operation;
    }
    let schemas = shapes.generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Towpath",
            "version": version,
            "description": "What `towpath serve` answers, and the stewards behind it. On the machine itself it is its \
                socket, which only its owner may open, and no token is asked for. From elsewhere it is TLS 1.3 and \
                HTTP/1.1, and a token in each request, whose last part is the SHA-256 of the machine's public key.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{
            "url": format!("https://{{host}}:{PORT}"),
            "variables": { "host": { "default": "localhost" } },
        }],
        "security": [{ "token": [] }],
        "tags": [
            { "name": "machine", "description": "The machine as a whole." },
            { "name": "environment", "description": "An environment of a product on it." },
        ],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "`towpath token create` makes one on the machine: `towpath1.ID.SECRET.PIN`",
            }},
            "responses": { "Problem": {
                "description": "It was refused, or it failed: why, and what to do next (RFC 9457).",
                "content": { "application/problem+json": { "schema": shapes.of("Problem") } },
            }},
            "schemas": schemas,
        },
    })
}

fn operation(shapes: &Shapes, endpoint: &Endpoint, tag: &str, path: &str) -> Value {
    let mut operation = json!({
        "tags": [tag],
        "operationId": name(endpoint.method, path),
        "summary": endpoint.text,
        "description": format!("A token has to allow `{}`.", endpoint.verb),
        "x-towpath-verb": endpoint.verb.word(),
        "responses": {
            "200": answer(shapes, endpoint.answers),
            "default": { "$ref": "#/components/responses/Problem" },
        },
    });
    if let Some(asks) = asked(shapes, endpoint.asks) {
        operation["requestBody"] = asks;
    }
    if endpoint.path == "/status" {
        operation["parameters"] = json!([{
            "name": "usage",
            "in": "query",
            "description": "`no`: it is not looked at what instances use.",
            "schema": { "type": "string", "enum": ["no"] },
        }]);
    }
    // Every token may ask what is there.
    if endpoint.path == "/v1" {
        let words: Vec<&str> = Verb::ALL.into_iter().map(Verb::word).collect();
        operation["description"] = json!(format!("A token of any kind is enough: {}.", words.join(", ")));
    }
    // Whoever asks has no token yet.
    if endpoint.path == EXCHANGE {
        operation["description"] = json!("No token is needed: what is shown is the identity.");
        operation["security"] = json!([]);
        operation.as_object_mut().map(|one| one.remove("x-towpath-verb"));
    }
    operation
}

fn asked(shapes: &Shapes, asks: Asks) -> Option<Value> {
    let content = match asks {
        Asks::Nothing => return None,
        Asks::Object(name) => json!({ "application/json": { "schema": shapes.of(name) } }),
        Asks::File => json!({ "application/octet-stream": {} }),
    };
    Some(json!({ "required": true, "content": content }))
}

fn answer(shapes: &Shapes, answers: Answers) -> Value {
    let (text, schema) = match answers {
        Answers::Done => ("It is done.", json!({ "type": "null" })),
        Answers::Object(name) => ("An object.", shapes.of(name)),
        Answers::Lines(name) => ("Objects, one a line, as they come.", shapes.of(name)),
        Answers::Text => ("Text.", json!({ "type": "string" })),
    };
    json!({ "description": text, "content": { answers.media(): { "schema": schema } } })
}

/// The parts of a path in braces.
fn parameters(path: &str) -> Vec<Value> {
    let parts = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    parts
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect()
}

/// `post-components-name-scale`
fn name(method: &str, path: &str) -> String {
    let path = path.strip_prefix(ENVIRONMENT).unwrap_or(path);
    let parts = path.split('/').filter(|part| !part.is_empty());
    let parts = parts.map(|part| part.trim_matches(['{', '}']).to_owned());
    let mut words = vec![method.to_lowercase()];
    words.extend(parts);
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Everything in a document, with where it stands.
    fn walk<'a>(value: &'a Value, at: String, seen: &mut Vec<(String, &'a Value)>) {
        match value {
            Value::Object(fields) => fields
                .iter()
                .for_each(|(key, value)| walk(value, format!("{at}/{key}"), seen)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(nth, value)| walk(value, format!("{at}/{nth}"), seen)),
            _ => {}
        }
        seen.push((at, value));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document("1.2.3");
        let mut seen = Vec::new();
        walk(&document, String::new(), &mut seen);
        let mut count = 0;
        for (at, value) in seen.iter().filter(|(at, _)| at.ends_with("/$ref")) {
            let to = value
                .as_str()
                .and_then(|to| to.strip_prefix('#'))
                .expect("it is here");
            assert!(document.pointer(to).is_some(), "{at} leads to {to}");
            count += 1;
        }
        assert!(count > 30, "there are many: {count}");
    }

    #[test]
    fn every_operation_is_whole_and_has_a_name_of_its_own() {
        let document = document("1.2.3");
        assert_eq!(document["openapi"], "3.1.0");
        let mut names = BTreeSet::new();
        let paths = document["paths"].as_object().expect("there are paths");
        for (path, item) in paths {
            let item = item.as_object().expect("it is an object");
            let declared: Vec<&str> = item
                .get("parameters")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|one| one["name"].as_str())
                .collect();
            let wanted: Vec<&str> = path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            assert_eq!(declared, wanted, "{path}");
            for (method, operation) in item.iter().filter(|(key, _)| *key != "parameters") {
                assert!(
                    ["get", "post", "put", "delete"].contains(&method.as_str()),
                    "{method} {path}"
                );
                let name = operation["operationId"].as_str().expect("it has a name");
                assert!(names.insert(name.to_owned()), "{name} is there twice");
                let answered = operation["responses"]["200"]["content"]
                    .as_object()
                    .expect("it answers");
                assert_eq!(answered.len(), 1, "{method} {path}");
                assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()));
                assert!(operation["responses"]["default"]["$ref"].is_string());
                if path == EXCHANGE {
                    assert_eq!(operation["security"], json!([]), "nobody has a token before");
                    continue;
                }
                let verb = operation["x-towpath-verb"].as_str().expect("it has a verb");
                assert!(Verb::of(verb).is_some(), "{verb}");
            }
        }
        assert_eq!(names.len(), OF_A_MACHINE.len() + OF_AN_ENVIRONMENT.len());
    }

    #[test]
    fn every_shape_says_what_it_is() {
        let document = document("1.2.3");
        let schemas = document["components"]["schemas"]
            .as_object()
            .expect("there are shapes");
        assert!(schemas.len() > 30, "{}", schemas.len());
        for (name, shape) in schemas {
            assert!(shape["description"].is_string(), "{name} says nothing");
            let kinds = ["type", "oneOf", "anyOf", "enum", "allOf", "$ref"];
            assert!(
                kinds.iter().any(|kind| shape.get(kind).is_some()),
                "{name}: {shape}"
            );
        }
    }

    #[test]
    fn the_shapes_are_those_that_are_said() {
        let document = document("1.2.3");
        let event = &document["components"]["schemas"]["Event"]["oneOf"];
        let tags: Vec<&str> = event
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["properties"]["event"]["const"].as_str())
            .collect();
        assert_eq!(tags, ["state", "build", "note", "course", "settled", "gone"]);
        let said = serde_json::to_value(Event::Settled {
            well: true,
            idle: false,
        })
        .expect("it is said");
        assert_eq!(said["event"], "settled");
    }
}
