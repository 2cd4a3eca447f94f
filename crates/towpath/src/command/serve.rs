//! `towpath serve`: the daemon of a machine. It starts stewards and passes questions on to them; what runs is theirs.

use super::Context;
use super::install;
use crate::cli::Serve as Args;
use crate::door::processes::hatch;
use crate::door::server::{home, say_ready};
use crate::door::signals::Interrupts;
use crate::door::state::{State, environments};
use crate::door::terminal::Terminal;
use crate::failure::{Failure, Kind};
use crate::talk::wait;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use towpath_api::{Client, PORT};
use towpath_serve::{Config, Files, Open, Outside, ServeError, serve};

/// Threads of the runtime. It passes bytes on, and a few people and pipelines ask.
const THREADS: usize = 2;

pub(super) fn run(context: &Context, args: &Args) -> Result<(), Failure> {
    let home = home(args.home.as_deref())?;
    let listen = args.listen.as_deref().map(address).transpose()?;
    let files = args.certificate.clone().zip(args.key.clone());
    let files = files.map(|(certificate, key)| Files { certificate, key });
    if args.install {
        return install::run(context, &home, listen, files.as_ref(), args.print);
    }
    let config = Config {
        home,
        listen,
        files,
        version: env!("CARGO_PKG_VERSION"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Kind::Remote, format!("nothing can be served: {error}")))?;
    let terminal = context.terminal;
    let served = runtime.block_on(async {
        let mut interrupts = Interrupts::listen()?;
        let shown = config.home.clone();
        let ready = move |open: &Open| {
            terminal.tell(&opened(&shown, open));
            say_ready();
        };
        let outside = Arc::new(Hatchery { terminal });
        let served = serve(config, outside, ready, interrupts.next()).await;
        served.map_err(|error| failed(&error))
    });
    // Whoever waits for an answer asks again; what runs needs nobody here.
    runtime.shutdown_background();
    served
}

/// An address with the port that is meant where none is named.
fn address(text: &str) -> Result<SocketAddr, Failure> {
    let alone = || text.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let at = text
        .parse()
        .ok()
        .or_else(|| Some(SocketAddr::new(alone()?, PORT)));
    at.ok_or_else(|| {
        Failure::new(Kind::User, format!("`{text}` is no address to listen on")).hint(
            "such as 0.0.0.0:8440, or [::]:8440 for both versions, or 127.0.0.1:8440 for this machine alone",
        )
    })
}

fn opened(home: &Path, open: &Open) -> String {
    let mut text = format!("{} is served at {}\n", home.display(), open.socket.display());
    if let Some(at) = open.listen {
        text.push_str(&format!("and at {at}, with the key {}\n", open.pin));
        text.push_str("  `towpath token create` makes a token for whoever comes from there\n");
    }
    text
}

fn failed(error: &ServeError) -> Failure {
    let failure = Failure::new(Kind::Remote, towpath_serve::told(error));
    match error {
        ServeError::Held { .. } => {
            failure.hint("one serves all products of a folder: --home DIR names another one")
        }
        ServeError::Listen { .. } => failure.hint("look who has that port: `ss -ltnp`; or name another one"),
        _ => failure,
    }
}

/// Starts stewards as `up` does, and lets them go.
struct Hatchery {
    terminal: Terminal,
}

impl Outside for Hatchery {
    fn hatch(&self, folder: &Path, environment: &str) -> Result<(), String> {
        let state = State::of(folder, environment);
        let told = |failure: Failure| match failure.hint {
            Some(hint) => format!("{} ({hint})", failure.message),
            None => failure.message,
        };
        let alone = state.start_alone().map_err(told)?;
        let client = Client::new(state.socket());
        // Somebody may have started one from a shell meanwhile.
        let there = wait(async { Ok(client.is_there().await.unwrap_or(false)) }).map_err(told)?;
        if there {
            return Ok(());
        }
        let mut steward = hatch(folder, environment, &state).map_err(told)?;
        steward.listens().map_err(|said| match said.is_empty() {
            true => format!("it ended before it listened; {} says why", state.log().display()),
            false => said.replace('\n', " "),
        })?;
        steward.let_go();
        drop(alone);
        Ok(())
    }

    fn socket(&self, folder: &Path, environment: &str) -> PathBuf {
        State::of(folder, environment).socket()
    }

    fn environments(&self, folder: &Path) -> Vec<String> {
        let mut kept = environments(folder);
        kept.retain(|environment| State::of(folder, environment).has_journal());
        kept
    }

    fn tell(&self, text: &str) {
        self.terminal.tell(&format!("{text}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_usual_port_where_it_names_none() {
        let told = |text: &str| address(text).map(|at| at.to_string()).unwrap_or_default();
        assert_eq!(told("0.0.0.0"), "0.0.0.0:8440");
        assert_eq!(told("127.0.0.1:9000"), "127.0.0.1:9000");
        assert_eq!(told("::"), "[::]:8440");
        assert_eq!(told("[::]"), "[::]:8440");
        assert_eq!(told("localhost"), "");
    }
}
