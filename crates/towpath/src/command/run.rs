//! `towpath run`: a command as a component would run it.

use super::Context;
use crate::cli::Run as Args;
use crate::door::processes::become_command;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::talk::{failed, reach, wait};
use towpath_api::Surroundings;

pub(super) fn run(_: &Context, args: Args) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Running)?;
    let [component] = here.components.as_slice() else {
        let hint = "such as `towpath run web -- env`";
        return Err(Failure::new(
            Kind::User,
            "a command is run as one component would run it: name it",
        )
        .hint(hint));
    };
    let path = format!("/components/{component}/surroundings");
    let around: Surroundings = wait(async {
        let asked = reach(&here).await?.ask(http::Method::GET, &path, &()).await;
        asked.map_err(|error| failed(&error, &here))
    })?;
    Err(become_command(&around, &args.command))
}
