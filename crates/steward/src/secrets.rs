//! Secrets: values come in and are sealed, and go out only to what is started with them, or locked by a passphrase.

use crate::door::clock;
use crate::errors::told;
use crate::serve::{Answer, Desk, Refusal, json, problem, read};
use bytes::Bytes;
use http::{Method, StatusCode};
use towpath_api::{
    ExportSecrets, Exported, Secret, SecretUnset, Secrets, SecretsSet, SetSecrets, UnsetSecret, Versioned,
    Versions,
};
use towpath_decide::launch::{dotenv, made};
use towpath_engine::Engine;
use towpath_model::run::Variables;
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Unit, VarName};
use towpath_store::{StoreError, chance};

/// A value is at most so large. A variable takes an eighth of it; a file that is delivered is larger, and is still a key and
/// no content.
const LARGEST: usize = 1 << 20;

/// Who has set what was made up.
const US: &str = "towpath";

impl<E: Engine> Desk<E> {
    /// Answers what is asked of the secrets here.
    pub(crate) async fn secrets(
        &self,
        method: &Method,
        verb: Option<&str>,
        body: &Bytes,
    ) -> Result<Answer, Refusal> {
        match (method, verb) {
            (&Method::GET, None) => self.list().await,
            (&Method::POST, Some("versions")) => self.versions(read(body)?).await,
            (&Method::POST, Some("set" | "import")) => self.set(read_secret(body)?).await,
            (&Method::POST, Some("unset")) => self.unset(read(body)?).await,
            (&Method::POST, Some("export")) => self.export(read_secret(body)?).await,
            _ => Err(problem(
                StatusCode::NOT_FOUND,
                "unknown-endpoint",
                "nothing like that can be done with secrets",
                None,
            )),
        }
    }

    async fn list(&self) -> Result<Answer, Refusal> {
        let listed = self.vault.listed().await.map_err(|error| unopened(&error))?;
        let secrets = listed.into_iter().map(|secret| Secret {
            name: secret.name,
            version: secret.version,
            is_set: secret.is_set,
            at: secret.at,
            by: secret.by,
        });
        Ok(json(&Secrets {
            secrets: secrets.collect(),
        }))
    }

    /// The versions that hold. What can be made up and is not there is made up first.
    async fn versions(&self, asked: Versioned) -> Result<Answer, Refusal> {
        let refused = |error: StoreError| unopened(&error);
        let mut there = self.vault.versions().await.map_err(refused)?;
        let mut values = Variables::new();
        for (name, generator) in &asked.names {
            named(name)?;
            if let (Some(generator), false) = (generator, there.contains_key(name)) {
                values.insert(name.clone(), made(*generator, chance()));
            }
        }
        if !values.is_empty() {
            let set = self.vault.set(&values, US, clock::today()).await;
            there.extend(set.map_err(refused)?);
        }
        if !asked.names.is_empty() {
            there.retain(|name, _| asked.names.contains_key(name));
        }
        Ok(json(&Versions { versions: there }))
    }

    async fn set(&self, asked: SetSecrets) -> Result<Answer, Refusal> {
        let SetSecrets { values, by, new_key } = asked;
        let values = values.into_iter();
        let values: Variables = values.map(|(name, value)| (name, Sealed::new(value))).collect();
        for (name, value) in &values {
            named(name)?;
            held(name, value)?;
        }
        let now = clock::today();
        let set = match new_key {
            true => self.vault.begin_anew(&values, &by, now).await,
            false => self.vault.set(&values, &by, now).await,
        };
        let versions = set.map_err(|error| unopened(&error))?;
        Ok(json(&SecretsSet { versions }))
    }

    async fn unset(&self, asked: UnsetSecret) -> Result<Answer, Refusal> {
        let unset = self.vault.unset(&asked.name, &asked.by, clock::today()).await;
        let version = unset.map_err(|error| unopened(&error))?;
        Ok(json(&SecretUnset { version }))
    }

    /// All values, locked: they leave us only so.
    async fn export(&self, asked: ExportSecrets) -> Result<Answer, Refusal> {
        if asked.passphrase.is_empty() {
            let message = "an empty passphrase locks nothing";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(problem(status, "no-passphrase", message, None));
        }
        let taken = self.vault.take_out(&asked.by, clock::today()).await;
        let values = taken.map_err(|error| unopened(&error))?;
        let lines = values
            .iter()
            .map(|(name, value)| dotenv::line(name, value.open()));
        let text = Sealed::new(lines.collect::<String>());
        let passphrase = Sealed::new(asked.passphrase);
        let locking = tokio::task::spawn_blocking(move || towpath_store::lock(text.open(), &passphrase));
        let text = locking.await.map_err(|_| {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            problem(status, "not-locked", "the secrets could not be locked", None)
        })?;
        let count = values.len();
        Ok(json(&Exported { count, text }))
    }
}

/// What stands in a body that has secrets in it: why it cannot be read may quote it, and is not told.
fn read_secret<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| {
        let message = "the question cannot be understood";
        let hint = "the command is of another version than the steward: stop that, and say it again";
        problem(StatusCode::BAD_REQUEST, "not-understood", message, Some(hint))
    })
}

fn named(name: &str) -> Result<(), Refusal> {
    VarName::parse(name).map(drop).map_err(|misread| {
        // What stands in the place of a name may be a value.
        let shown: String = name.chars().take(4).collect();
        let message = format!("`{}...` {misread}", shown.escape_debug());
        problem(StatusCode::UNPROCESSABLE_ENTITY, "no-name", &message, None)
    })
}

fn held(name: &str, value: &Sealed<String>) -> Result<(), Refusal> {
    let refuse = |what: &str, hint: &str| {
        let message = format!("the value of {name} {what}");
        Err(problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no-value",
            &message,
            Some(hint),
        ))
    };
    if value.open().is_empty() {
        return refuse("is empty", "`towpath secrets unset` says that there is none");
    }
    if value.open().contains('\0') {
        let hint = "write it in letters, as base 64 for one, and let the program read it so";
        return refuse("has a NUL byte in it, which no variable can have", hint);
    }
    if value.open().len() > LARGEST {
        let hint = "keep it in a bucket, and the key to that here";
        return refuse("is larger than a mebibyte", hint);
    }
    Ok(())
}

/// Why a vault cannot be used, and what to do.
pub(crate) fn unopened(error: &StoreError) -> Refusal {
    let hint = match error {
        StoreError::KeyLost { .. } | StoreError::AnotherKey { .. } => {
            "put the key back, or be who has set them; where it is lost for good, \
             `towpath secrets import ENV FILE --new-key` begins anew with what stands in FILE"
        }
        StoreError::OpenKey { .. } => "`chmod 600` it, and think about who may have read it",
        StoreError::NoPassphrase => {
            "name its file in TOWPATH_PASSPHRASE_FILE for whoever starts the steward (in systemd: \
             LoadCredential=towpath-passphrase:FILE), and start that again"
        }
        StoreError::Locked { .. } | StoreError::EmptyPassphrase { .. } => {
            "write the right one into it, and start the steward again"
        }
        StoreError::Full { .. } => "make room on the disk, and say it again",
        StoreError::NoValues { .. } => "`towpath secrets list ENV` shows which there are",
        _ => "nothing was changed",
    };
    let status = match error {
        StoreError::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    problem(status, "sealed", &told(error), Some(hint))
}
