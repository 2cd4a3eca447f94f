//! What starts products: ourselves, and what else could be used for it.

mod bare;
mod compose;
mod honcho;
mod towpath;

pub(crate) use bare::Bare;
pub(crate) use compose::Compose;
pub(crate) use honcho::Honcho;
pub(crate) use towpath::Towpath;

use crate::place::Place;
use crate::{Miss, outside};

/// Something that starts a product.
pub(crate) trait Peer {
    /// How it is called, with what is typed.
    fn name(&self) -> String;

    /// Begins to start it: returns as soon as the command runs.
    fn start(&mut self) -> Result<(), String>;

    /// Where its services answer, once they do.
    fn ports(&self) -> &[u16];

    /// Whether it may be asked yet. A published port must not be asked before its container runs: the network of this
    /// machine would remember for a second that nobody is there, and docker would pay for our impatience.
    fn may_be_asked(&self) -> bool {
        true
    }

    /// Stops all of it, and answers when nobody listens any more.
    fn stop(&mut self) -> Result<(), String>;
}

/// All that can start so many services here, ourselves second. What is lacking is said.
pub(crate) fn all<'a>(place: &'a Place, services: usize) -> Result<Vec<Box<dyn Peer + 'a>>, Miss> {
    let mut peers = without_containers(place, services)?;
    match Compose::new(place, services) {
        Ok(compose) => peers.push(Box::new(compose)),
        Err(miss) => println!("docker-compose: {miss}"),
    }
    Ok(peers)
}

/// Those of them that start processes: an image with a program in it need not be made for them.
pub(crate) fn without_containers<'a>(
    place: &'a Place,
    services: usize,
) -> Result<Vec<Box<dyn Peer + 'a>>, Miss> {
    let mut peers: Vec<Box<dyn Peer>> = vec![Box::new(Bare::new(place, services)?)];
    if place.towpath.is_some() {
        peers.push(Box::new(Towpath::new(place, services)?));
    }
    match Honcho::new(place, services) {
        Ok(honcho) => peers.push(Box::new(honcho)),
        Err(miss) => println!("honcho: {miss}"),
    }
    Ok(peers)
}

/// Whether a command is there.
pub(crate) fn is_there(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(command).is_file())
}

/// So many free ports, for whoever does not choose them.
fn ports(count: usize) -> Result<Vec<u16>, Miss> {
    outside::free_ports(count).map_err(Miss::Failed)
}
