//! Sees to what components show each other: a file for each, there before anybody starts who reads it, and replaced before
//! what is in it ends.

use crate::core::{Core, Message};
use crate::door::clock;
use crate::errors;
use crate::front::CERTIFICATES;
use jiff::Timestamp;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use towpath_api::Tone;
use towpath_edge::{EdgeError, keep_credentials};
use towpath_engine::Engine;
use towpath_model::run::Product;

/// The clock is looked at so often: it may jump, and nobody tells us.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// What cannot be written is tried again so soon, and what lasts for seconds is not looked at without a pause.
const SHORTEST: Duration = Duration::from_secs(1);

/// What is to be seen to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    folder: PathBuf,
    product: String,
    components: Vec<String>,
    lasts: Duration,
}

impl Asked {
    /// Sees to it now. When something is due again.
    async fn see_to(&self) -> Result<Timestamp, String> {
        let asked = self.clone();
        let see = move || keep_credentials(&asked.folder, &asked.product, &asked.components, asked.lasts);
        let seen: Result<Result<Timestamp, EdgeError>, _> = tokio::task::spawn_blocking(see).await;
        match seen {
            Ok(seen) => seen.map_err(|error| errors::told(&error)),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn go_on(self, mut due: Timestamp, inbox: UnboundedSender<Message>) {
        let mut told = String::new();
        loop {
            let wait = due.duration_since(clock::today());
            let wait = Duration::try_from(wait).unwrap_or_default();
            tokio::time::sleep(wait.clamp(SHORTEST, LONGEST)).await;
            match self.see_to().await {
                Ok(next) => {
                    due = next;
                    told.clear();
                }
                Err(why) => {
                    due = clock::today().checked_add(SHORTEST * 10).unwrap_or(due);
                    if told != why {
                        // That nobody hears it means that we are ending.
                        let _ = inbox.send(Message::Note(Tone::Error, why.clone()));
                        told = why;
                    }
                }
            }
        }
    }
}

/// Who sees to it, while somebody has to.
#[derive(Debug, Default)]
pub(crate) struct Credentials(Option<(Asked, JoinHandle<()>)>);

impl Credentials {
    fn stop(&mut self) {
        if let Some((_, keeping)) = self.0.take() {
            keeping.abort();
        }
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<E: Engine> Core<E> {
    /// Sees to what the components of a product show each other, from now on. What they read is there when this is done.
    pub(crate) async fn see_to_credentials(&mut self, product: &Product) {
        let components = || product.components.iter();
        self.wardrobe.certificates = self.config.state.join(CERTIFICATES);
        self.wardrobe.mutual = components()
            .filter(|(_, one)| {
                one.listens
                    .as_ref()
                    .is_some_and(|listens| listens.mutual.is_some())
            })
            .map(|(name, _)| name.clone())
            .collect();
        let Some(wanted) = product.credentials else {
            return self.credentials.stop();
        };
        let shown = components().filter(|(_, one)| one.command.is_some() && one.resource.is_none());
        let asked = Asked {
            folder: self.wardrobe.certificates.clone(),
            product: product.product.to_string(),
            components: shown.map(|(name, _)| name.to_string()).collect(),
            lasts: wanted.lasts.to_std(),
        };
        if matches!(&self.credentials.0, Some((known, keeping)) if *known == asked && !keeping.is_finished())
        {
            return;
        }
        self.credentials.stop();
        let due = match asked.see_to().await {
            Ok(due) => due,
            Err(why) => {
                self.note(Tone::Error, why);
                clock::today()
            }
        };
        let keeping = tokio::spawn(asked.clone().go_on(due, self.inbox.clone()));
        self.credentials.0 = Some((asked, keeping));
    }
}
