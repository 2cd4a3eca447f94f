//! `towpath steward`: looks after one environment until everything in it has stopped. `up` starts it.

use crate::cli::Stewardship;
use crate::door::processes::{leave_session, ourselves, say_ready, say_why};
use crate::door::state::{State, authority, keys};
use crate::failure::{Failure, Kind};
use std::path::Path;
use std::time::Duration;
use towpath_steward::{Config, StewardError, now, serve_processes};

/// Where the edge listens when nobody else does. Next to the ports that people know for it, and open to everybody.
pub(super) const HTTPS: u16 = 8443;
const HTTP: u16 = 8080;

/// Threads of the runtime. Nearly all of the time it waits, and a product's traffic on a laptop is no load.
const THREADS: usize = 2;

/// How long a steward stays that has nothing to look after, when nobody asks for anything: a person who sets one secret after
/// the other does not wait for a new one each time.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is under way when everything has stopped may take so long to let go.
const MOST_AFTER: Duration = Duration::from_millis(200);

pub(super) fn run(args: &Stewardship) -> Result<(), Failure> {
    leave_session();
    let done = look_after(args);
    if let Err(failure) = &done {
        say_why(&failure.message);
    }
    done
}

fn look_after(args: &Stewardship) -> Result<(), Failure> {
    let mut config = config(&args.folder, &args.env)?;
    if let Some(patience) = args.patience {
        config.patience = Duration::from_millis(patience);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Kind::Remote, format!("the steward cannot run: {error}")))?;
    let done = runtime.block_on(serve_processes(config, say_ready));
    // What is still under way is of no more use to anybody, but what it has made has to be taken away.
    runtime.shutdown_timeout(MOST_AFTER);
    done.map_err(|error| failed(&error))
}

/// What a steward of an environment has to know.
pub(crate) fn config(folder: &Path, environment: &str) -> Result<Config, Failure> {
    let state = State::of(folder, environment);
    Ok(Config {
        state: state.folder().to_path_buf(),
        folder: folder.to_path_buf(),
        authority: authority(),
        program: ourselves()?,
        environment: environment.to_owned(),
        https: HTTPS,
        http: HTTP,
        since: now(),
        keys: keys(),
        patience: PATIENCE,
    })
}

fn failed(error: &StewardError) -> Failure {
    Failure::new(Kind::Remote, towpath_steward::told(error))
}
