//! The stewards of a machine: one process each, which this one starts and passes questions on to, and never stops.
//!
//! A steward that is there is followed by its events: they end with `gone` where everything was to stop, and with nothing where
//! it died. Then another one is started, at once at first and more slowly when it dies again and again. Instances run on under
//! their keepers meanwhile, and visitors are answered by the edge.

use crate::door::{clock, disk};
use crate::problem;
use http::{Method, StatusCode};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use towpath_api::{Client, ClientError, Event, Kept, Problem, connect};
use towpath_model::unit::{Name, Unit};

/// What a machine does not do itself: whoever runs it hands that in.
pub trait Outside: Send + Sync + 'static {
    /// Starts a steward of an environment of a product, whose folder this is, and waits until it listens. One that is there
    /// already is as good.
    fn hatch(&self, folder: &std::path::Path, environment: &str) -> Result<(), String>;
    /// The socket of such a steward.
    fn socket(&self, folder: &std::path::Path, environment: &str) -> PathBuf;
    /// The environments of the product in this folder that something is kept of.
    fn environments(&self, folder: &std::path::Path) -> Vec<String>;
    /// Tells whoever looks after the machine.
    fn tell(&self, text: &str);
}

/// The first wait after a steward has died, and the longest.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(30);

/// One that has lived for so long has not died of how it began.
const LIVED: Duration = Duration::from_secs(60);

/// So many are started at once when a machine begins: each reads its journal.
const AT_ONCE: usize = 4;

/// So many environments are on a machine at most: each has a process of its own.
const MOST: usize = 500;

/// An environment of a product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) product: Name,
    pub(crate) environment: Name,
}

/// What is known of a steward.
#[derive(Default)]
struct Known {
    /// Whoever starts it holds this.
    starts: Arc<tokio::sync::Mutex<()>>,
    /// Somebody follows it.
    is_followed: bool,
}

/// How following a steward ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Everything was to stop, and has.
    Gone,
    /// It died.
    Died,
    /// There was none.
    Nobody,
}

/// All of them.
pub(crate) struct Stewards {
    home: PathBuf,
    outside: Arc<dyn Outside>,
    known: Mutex<HashMap<Place, Known>>,
    turns: Semaphore,
}

impl Stewards {
    pub(crate) fn new(home: PathBuf, outside: Arc<dyn Outside>) -> Arc<Self> {
        Arc::new(Stewards {
            home,
            outside,
            known: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        })
    }

    /// What is kept on this machine.
    pub(crate) fn kept(&self) -> Vec<Kept> {
        let names = disk::folders(&self.home).into_iter();
        let products = names.filter(|name| Name::parse(name).is_ok()).map(|name| {
            let mut environments = self.outside.environments(&self.home.join(&name));
            environments.retain(|one| Name::parse(one).is_ok());
            Kept { name, environments }
        });
        products
            .filter(|product| !product.environments.is_empty())
            .collect()
    }

    /// Looks after everything that there is. The stewards come one after the other, and nobody waits for them.
    pub(crate) fn begin(self: &Arc<Self>) {
        for product in self.kept() {
            for environment in product.environments {
                if let (Ok(product), Ok(environment)) =
                    (Name::parse(&product.name), Name::parse(&environment))
                {
                    self.follow(Place { product, environment });
                }
            }
        }
    }

    /// A connection to the steward of an environment. Where there is none, one is started; where there is no such environment,
    /// only for those who `begin` one.
    pub(crate) async fn reach(
        self: &Arc<Self>,
        place: &Place,
        begin: bool,
    ) -> Result<UnixStream, Box<Problem>> {
        let socket = self.socket(place);
        match connect(&socket).await {
            Err(ClientError::Nobody) => {}
            found => return found.map_err(|error| away(place, &error.to_string())),
        }
        if !self.is_kept(place) {
            if !begin {
                return Err(unknown(place));
            }
            if self
                .kept()
                .iter()
                .map(|one| one.environments.len())
                .sum::<usize>()
                >= MOST
            {
                let message = format!("there are {MOST} environments on this machine, and no more are begun");
                return Err(problem(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "too-many",
                    &message,
                    None,
                ));
            }
        }
        self.start(place).await.map_err(|why| away(place, &why))?;
        self.follow(place.clone());
        connect(&socket)
            .await
            .map_err(|error| away(place, &error.to_string()))
    }

    fn folder(&self, place: &Place) -> PathBuf {
        self.home.join(place.product.as_str())
    }

    fn socket(&self, place: &Place) -> PathBuf {
        self.outside
            .socket(&self.folder(place), place.environment.as_str())
    }

    fn is_kept(&self, place: &Place) -> bool {
        self.socket(place).parent().is_some_and(disk::is_there)
    }

    /// Starts a steward, once: whoever else wants it waits for the same one.
    async fn start(self: &Arc<Self>, place: &Place) -> Result<(), String> {
        let lock = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&known.entry(place.clone()).or_default().starts)
        };
        let _alone = lock.lock().await;
        if connect(&self.socket(place)).await.is_ok() {
            return Ok(());
        }
        let _turn = self.turns.acquire().await;
        let (outside, folder, environment) = (
            Arc::clone(&self.outside),
            self.folder(place),
            place.environment.to_string(),
        );
        let hatched = tokio::task::spawn_blocking(move || {
            disk::make_private_folder(&folder)
                .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
            outside.hatch(&folder, &environment)
        });
        hatched.await.map_err(|error| error.to_string())?
    }

    /// Follows a steward, where nobody does.
    fn follow(self: &Arc<Self>, place: Place) {
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let known = known.entry(place.clone()).or_default();
            if std::mem::replace(&mut known.is_followed, true) {
                return;
            }
        }
        let stewards = Arc::clone(self);
        tokio::spawn(async move {
            stewards.look_after(&place).await;
            let mut known = stewards.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.remove(&place);
        });
    }

    /// Has a steward there until everything is to stop, or nothing is kept any more.
    async fn look_after(self: &Arc<Self>, place: &Place) {
        let client = Client::new(self.socket(place));
        let (mut wait, mut is_told) = (Duration::ZERO, false);
        while self.is_kept(place) {
            let began = clock::now();
            match heard(&client).await {
                End::Gone => return,
                End::Died => {
                    if clock::now().saturating_sub(began) >= LIVED {
                        (wait, is_told) = (Duration::ZERO, false);
                    }
                    if !std::mem::replace(&mut is_told, true) {
                        let (product, environment) = (&place.product, &place.environment);
                        let text = format!(
                            "the steward of {product} in {environment} has died; another one is started"
                        );
                        self.outside.tell(&text);
                    }
                }
                End::Nobody => {}
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).clamp(FIRST, LONGEST);
            if let Err(why) = self.start(place).await
                && !std::mem::replace(&mut is_told, true)
            {
                let (product, environment) = (&place.product, &place.environment);
                let text = format!(
                    "no steward of {product} in {environment} can be started, and it is tried again: {why}"
                );
                self.outside.tell(&text);
            }
        }
    }
}

/// Listens to a steward until it ends.
async fn heard(client: &Client) -> End {
    let Ok(mut events) = client.follow(Method::GET, "/events", &()).await else {
        return End::Nobody;
    };
    loop {
        match events.next::<Event>().await {
            Ok(Some(Event::Gone)) => return End::Gone,
            // One of another version says things that we do not know, and lives.
            Ok(Some(_)) | Err(ClientError::Garbled(_)) => {}
            Ok(None) | Err(_) => return End::Died,
        }
    }
}

/// Nothing is kept of it.
fn unknown(place: &Place) -> Box<Problem> {
    let message = format!(
        "there is nothing of `{}` in `{}` on this machine",
        place.product, place.environment
    );
    let hint = "the first deploy brings it here: `towpath deploy`";
    problem(StatusCode::NOT_FOUND, "unknown-environment", &message, Some(hint))
}

/// Its steward cannot be asked.
pub(crate) fn away(place: &Place, why: &str) -> Box<Problem> {
    let message = format!(
        "the steward of {} in {} cannot be asked: {why}",
        place.product, place.environment
    );
    let hint = "what runs goes on without it; on the machine, the end of its steward.log says more";
    problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "no-steward",
        &message,
        Some(hint),
    )
}
