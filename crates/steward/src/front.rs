//! The edge, as the steward keeps it: found or started, followed by another one when it is another program, and started again
//! when it has died.
//!
//! What an edge serves when a steward comes stays as it is until more is known. A target is set when it is known of each of
//! its instances that lives whether it is well, or when that has taken too long; what no component is any more is taken
//! away once everything is settled.

use crate::core::Core;
use crate::door::{clock, processes};
use crate::face;
use crate::start::{Config, EDGE_KEY, REQUESTS};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use towpath_api::Tone;
use towpath_decide::converge::Well;
use towpath_decide::tend::Part;
use towpath_edge::apart::{Held, Remote};
use towpath_edge::{EdgeError, Event, Patience, RequestLog, Traffic};
use towpath_engine::Engine;
use towpath_model::run::{Certified, Life, Product};
use towpath_model::unit::Name;

/// The folder of certificates that are asked for elsewhere, in the state folder.
pub(crate) const CERTIFICATES: &str = "certificates";

/// How long what an earlier steward has set is believed: whoever is well answers sooner.
const BELIEVED: Duration = Duration::from_secs(5);

/// An edge that dies sooner after it was started than this is not started again at once: something is wrong with it.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// The edge, as the steward keeps it.
#[derive(Debug)]
pub(crate) struct Front {
    program: PathBuf,
    state: PathBuf,
    events: UnboundedSender<Event>,
    /// One that was started and serves nothing yet.
    ready: Option<Remote>,
    /// The targets that an earlier steward has set, and that are not set anew yet.
    believed: BTreeSet<String>,
    /// Until when they are believed.
    pub(crate) until: Option<Instant>,
    since: Instant,
}

impl Front {
    /// Finds the edge that serves, or starts one.
    pub(crate) async fn open(config: &Config, events: UnboundedSender<Event>) -> Result<Front, EdgeError> {
        let mut front = Front {
            program: config.program.clone(),
            state: config.state.clone(),
            events,
            ready: None,
            believed: BTreeSet::new(),
            until: None,
            since: clock::now(),
        };
        front.ready = match front.find().await? {
            Some(found) => Some(found),
            None => Some(front.hatch().await?),
        };
        Ok(front)
    }

    /// The edge that serves.
    async fn find(&self) -> Result<Option<Remote>, EdgeError> {
        let found = Remote::connect(&self.state, self.events.clone()).await?;
        Ok(found.filter(|remote| remote.listening().is_some()))
    }

    async fn hatch(&self) -> Result<Remote, EdgeError> {
        let socket = processes::edge(&self.program, &self.state)
            .map_err(|error| EdgeError::Apart(format!("the edge cannot be started: {error}")))?;
        Remote::hatched(socket, self.events.clone()).await
    }

    /// The edge that an earlier steward has left, if it has: of the same program as we are.
    pub(crate) async fn adopt(&mut self) -> Option<Remote> {
        let found = self.ready.take_if(|remote| remote.listening().is_some())?;
        self.believed = found.targets().into_iter().collect();
        if found.is_ours() {
            return Some(found);
        }
        let follow = async {
            let config = found.config()?;
            let next = self.hatch().await.ok()?;
            next.succeed(config).await.ok()?;
            Some(next)
        };
        // Where nobody can follow it, the one that is there goes on.
        Some(follow.await.unwrap_or(found))
    }

    /// Has an edge listen, on sockets that an earlier one has listened on where there are any.
    async fn begin(&mut self, config: towpath_edge::Config, held: Held) -> Result<Remote, EdgeError> {
        let remote = match self.ready.take() {
            Some(ready) => ready,
            None => self.hatch().await?,
        };
        self.since = clock::now();
        match remote.begin(config, held).await {
            Ok(_) => Ok(remote),
            // A steward that was killed may have told one to begin that was not there yet when we looked for it.
            Err(error) => self.find().await?.ok_or(error),
        }
    }

    /// Whether anything stays as an earlier steward has set it, for now.
    pub(crate) fn believes_any(&self) -> bool {
        !self.believed.is_empty()
    }

    /// Whether a target stays as an earlier steward has set it, for now.
    pub(crate) fn believes(&mut self, name: &Name, part: &Part) -> bool {
        let is_known = part.standing.iter().all(|one| {
            let lives = matches!(one.seen.life, Life::Running { .. }) && one.busy.is_none();
            !lives || one.well != (Well::NotYet { late: None })
        });
        let is_late = self.until.is_none_or(|until| until <= clock::now());
        if is_known || is_late {
            self.believed.remove(name.as_str());
        }
        self.believed.contains(name.as_str())
    }
}

impl<E: Engine> Core<E> {
    /// Takes over the edge that an earlier steward has left.
    pub(crate) async fn adopt_edge(&mut self) {
        let Some(remote) = self.front.adopt().await else {
            return;
        };
        if let Some(listening) = remote.listening() {
            self.edge_ports = Some((listening.https, listening.http));
            self.edge = Some(Arc::new(remote));
        }
    }

    pub(crate) async fn open_edge(&mut self, product: &Product) -> Result<(), EdgeError> {
        self.wardrobe.product = product.product.to_string();
        self.wardrobe.environment = product.environment.to_string();
        if self.edge.is_some() {
            self.move_edge(product).await;
            return Ok(());
        }
        let (https, http) = self.edge_ports.unwrap_or((self.config.https, self.config.http));
        let config = towpath_edge::Config {
            product: product.product.to_string(),
            authority: self.config.authority.clone(),
            listen: self.listen(product),
            https,
            http,
            patience: Patience::default(),
            log: Some(RequestLog::at(self.config.state.join(REQUESTS))),
            key: Some(self.config.state.join(EDGE_KEY)),
        };
        self.begin_edge(config, Held::default()).await
    }

    async fn begin_edge(&mut self, config: towpath_edge::Config, held: Held) -> Result<(), EdgeError> {
        let edge = self.front.begin(config, held).await?;
        if edge.listening().is_some() {
            self.edge = Some(Arc::new(edge));
            self.know_ports();
        }
        Ok(())
    }

    /// Remembers where the edge listens: what people know it by stays.
    pub(crate) fn know_ports(&mut self) {
        let listening = self.edge.as_ref().and_then(|edge| edge.listening());
        let ports = listening.map(|listening| (listening.https, listening.http));
        if let Some((https, http)) = ports.filter(|ports| self.edge_ports != Some(*ports)) {
            self.ledger.edge(https, http);
            self.edge_ports = Some((https, http));
        }
    }

    /// The edge has died. Another one serves on the same sockets, as soon as it can.
    pub(crate) async fn edge_ended(&mut self) {
        if self.vanished || self.tended.is_gone() {
            return;
        }
        let lived = clock::now().duration_since(self.front.since);
        let Some(died) = self.edge.clone() else {
            // One that was ready for us; the next one is started when it is needed.
            self.front.ready = None;
            return;
        };
        if !died.has_ended() {
            // It was the one before, which had nothing open any more when this one followed it.
            return;
        }
        if lived < SHORT_LIFE {
            let events = self.front.events.clone();
            tokio::spawn(async move {
                tokio::time::sleep(SHORT_LIFE).await;
                // That nobody hears it means that we are ending.
                let _ = events.send(Event::Ended);
            });
            return;
        }
        self.front.since = clock::now();
        let Some(config) = died.config() else {
            return;
        };
        let (https, http) = self.edge_ports.unwrap_or((config.https, config.http));
        let config = towpath_edge::Config {
            https,
            http,
            ..config
        };
        match self.begin_edge(config, died.sockets()).await {
            Ok(()) => {
                if let Some(product) = self.product.clone() {
                    self.face_edge(&product).await;
                }
                self.front.believed.clear();
                let names: Vec<Name> = self.tended.parts().keys().cloned().collect();
                self.turn_faces(names).await;
                let text = "the edge has died, and another one serves in its place";
                self.note(Tone::Warning, text.to_owned());
            }
            Err(error) => {
                self.edge = None;
                if let Some(product) = self.product.clone() {
                    self.cannot_listen(&error, &product);
                }
            }
        }
    }

    /// What was believed long enough is set as it is known, and what is no component any more is taken away.
    pub(crate) async fn stop_believing(&mut self, is_settled: bool) {
        if self.front.believed.is_empty() {
            // Nothing waits for that time any more. Once it has passed, the core would wake for it again and again.
            self.front.until = None;
        }
        let is_late = self.front.until.is_some_and(|until| until <= clock::now());
        if self.front.believed.is_empty() || !self.restored || !(is_late || is_settled) {
            return;
        }
        self.front.until = None;
        let believed = std::mem::take(&mut self.front.believed);
        let (known, gone): (Vec<String>, Vec<String>) =
            believed.into_iter().partition(|name| self.named(name).is_some());
        if let Some(edge) = &self.edge
            && !gone.is_empty()
        {
            // Nothing is opened by it, so nothing can fail but the edge itself, which is told.
            let _ = edge
                .set(gone.into_iter().map(|name| (name, None)).collect())
                .await;
        }
        let names = known.iter().filter_map(|name| self.named(name)).collect();
        self.turn_faces(names).await;
    }

    /// What was restored is believed for so long.
    pub(crate) fn begin_believing(&mut self) {
        if !self.front.believed.is_empty() {
            self.front.until = Some(clock::now() + BELIEVED);
        }
    }

    /// Tells the edge what holds in front of a product, and with what sign-ins are checked, and its own page.
    pub(crate) async fn face_edge(&self, product: &Product) {
        let Some(edge) = &self.edge else {
            return;
        };
        edge.know(&face::keys(product, &self.wardrobe.values)).await;
        edge.show(product.error_page.as_deref()).await;
        // One of another program, which nobody could follow, may not know these words.
        if edge.is_ours() {
            let folder = self.config.state.join(CERTIFICATES);
            edge.face(product.front.clone(), folder).await;
        }
    }

    /// How the certificate of each domain is.
    pub(crate) async fn certificates(&self) -> Vec<Certified> {
        let has_any = self
            .product
            .as_ref()
            .is_some_and(|product| !product.front.domains.is_empty());
        match &self.edge {
            Some(edge) if has_any && edge.is_ours() => edge.certificates().await,
            _ => Vec::new(),
        }
    }

    /// What has come through for components.
    pub(crate) async fn traffic(&self, names: Vec<String>) -> HashMap<String, Traffic> {
        match &self.edge {
            Some(edge) if !names.is_empty() => edge.traffic(names).await,
            _ => HashMap::new(),
        }
    }
}
