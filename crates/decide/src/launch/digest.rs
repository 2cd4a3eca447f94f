//! Whether a component has to be started anew: a digest of everything that an instance is started with.
//!
//! What is left out can change under a running instance, because others look at it: the edge at names and routes, the
//! steward at numbers, times and health, the watcher at files. A field that is added to a component does not compile here
//! until it has been put on one side.

use towpath_model::run::{Component, Credential, Limits, Listens, Part, Stop, Value, Variable, Variables};

/// Fields of a digest, each apart from the next one.
struct Fields(blake3::Hasher);

impl Fields {
    /// A text with its length before it, so that two fields are never taken for two others.
    fn text(&mut self, text: &str) {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.0.update(&length.to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn maybe(&mut self, field: Option<impl ToString>) {
        match field {
            Some(field) => {
                self.0.update(&[1]);
                self.text(&field.to_string());
            }
            None => drop(self.0.update(&[0])),
        }
    }

    fn variable(&mut self, name: &str, variable: &Variable, values: &Variables) {
        let Variable { value, deliver } = variable;
        self.text(name);
        self.text(deliver.word());
        self.value(value, values);
    }

    fn value(&mut self, value: &Value, values: &Variables) {
        match value {
            Value::Joined(parts) => {
                self.text("joined");
                self.text(&parts.len().to_string());
                parts.iter().for_each(|part| self.value(part, values));
            }
            Value::Text(text) => {
                self.text("text");
                self.text(text);
            }
            Value::Sealed(name) => {
                self.text("sealed");
                self.maybe(values.get(name).map(|value| value.open()));
            }
            Value::Port => self.text("port"),
            Value::Address { of, part } => {
                self.text("address");
                self.text(of.as_str());
                self.text(match part {
                    Part::Url => "url",
                    Part::Host => "host",
                    Part::Port => "port",
                });
            }
            Value::Public(of) => {
                self.text("public");
                self.text(of.as_str());
            }
            Value::Credential { of, which } => {
                self.text("credential");
                self.text(of.as_str());
                self.text(match which {
                    Credential::Certificate => "certificate",
                    Credential::Authority => "authority",
                });
            }
        }
    }
}

/// The digest of a text.
pub fn text_digest(text: &[u8]) -> String {
    short(&blake3::hash(text))
}

/// The digest of what has been read piece by piece, as [`text_digest`] would give it. 128 bits: nobody chooses texts so that
/// two of them meet.
pub fn short(hash: &blake3::Hash) -> String {
    hash.to_hex()[..32].to_owned()
}

/// The digest of what instances of a component are started with: equal digests need no new start. The artifact is what its
/// build has made; the values are those that its variables name, so that a secret that has changed arrives.
pub fn digest(component: &Component, artifact: Option<&str>, values: &Variables) -> String {
    let Component {
        name,
        kind,
        command,
        dir,
        env,
        single,
        listens,
        limits: Limits { memory, cpu, pids },
        restart,
        stop: Stop {
            signal,
            within,
            drain: _,
        },
        timeout,
        resource,
        // Where it is written, and how it is built: what comes of that is the artifact.
        at: _,
        build: _,
        // Others look at these while it runs.
        needs: _,
        instances: _,
        shifts: _,
        most: _,
        health: _,
        site: _,
        pack: _,
        idle: _,
        cron: _,
        retry: _,
        watch: _,
    } = component;
    let mut fields = Fields(blake3::Hasher::new());
    fields.text(name.as_str());
    fields.text(kind.word());
    fields.maybe(command.as_ref());
    fields.text(dir);
    fields.text(&env.len().to_string());
    for (name, variable) in env {
        fields.variable(name, variable, values);
    }
    fields.text(&single.to_string());
    fields.maybe(listens.as_ref().map(port));
    fields.maybe(*memory);
    fields.maybe(*cpu);
    fields.text(&pids.to_string());
    fields.text(restart.word());
    fields.text(signal);
    fields.text(&within.to_string());
    fields.maybe(*timeout);
    fields.maybe(
        resource
            .as_ref()
            .map(|resource| format!("{:?}", resource.server())),
    );
    fields.maybe(artifact);
    short(&fields.0.finalize())
}

/// The port that instances listen on; the rest of how it is reached is the edge's.
fn port(listens: &Listens) -> String {
    match listens.port {
        Some(port) => port.to_string(),
        None => "any".to_owned(),
    }
}
