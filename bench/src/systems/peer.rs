//! What starts a product: ourselves, and honcho with the scripts of a team.

mod honcho;
mod towpath;

pub(crate) use honcho::Honcho;
pub(crate) use towpath::Towpath;

/// Something that starts a product.
pub(crate) trait Peer {
    /// Throws away all that it keeps.
    fn forget(&mut self) -> Result<(), String>;

    /// Starts it, and comes back when every component is well.
    fn start(&mut self) -> Result<(), String>;

    /// Stops all of it, and keeps what it keeps.
    fn stop(&mut self) -> Result<(), String>;
}
