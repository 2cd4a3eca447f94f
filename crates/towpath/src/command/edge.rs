//! `towpath edge`: answers visitors of one environment, whoever looks after it. A steward starts it.

use super::Context;
use crate::cli::EdgeOf;
use crate::door::processes::leave_session;
use crate::failure::{Failure, Kind};
use towpath_steward::{EdgeEnd, serve_edge};

/// Threads of the runtime. Nearly all of the time it waits, and a product's traffic on a laptop is no load.
const THREADS: usize = 2;

pub(super) fn run(context: &Context, args: &EdgeOf) -> Result<(), Failure> {
    leave_session();
    let failed = |why: String| Failure::new(Kind::Remote, format!("the edge cannot run: {why}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let served = runtime.block_on(serve_edge(&args.state));
    // What is still under way is of no more use to anybody.
    runtime.shutdown_background();
    let end = served.map_err(|error| failed(towpath_steward::told(&error)))?;
    let process = std::process::id();
    let why = match end {
        EdgeEnd::Asked => return Ok(()),
        EdgeEnd::Gone => "its folder has gone",
        EdgeEnd::Lonely => "nobody looked after it, and nothing was left to serve",
        EdgeEnd::Left => "another one has taken over, and its last connection has ended",
    };
    context
        .terminal
        .tell(&format!("the edge (process {process}) has ended: {why}\n"));
    Ok(())
}
