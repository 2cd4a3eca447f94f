//! Whether the bot is connected: 0 when it is, and the reason otherwise.

use reflectpause::{beat, citizen};
use std::process::ExitCode;

fn main() -> ExitCode {
    citizen::run(async { Ok(beat::lives(&citizen::setting("HEARTBEAT")?)?) })
}
