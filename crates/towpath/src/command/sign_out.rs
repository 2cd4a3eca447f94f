//! `towpath sign-out --all`: whoever has signed in at the edge has to do so once more.

use super::Context;
use crate::cli::SignOut as Args;
use crate::failure::Failure;
use crate::here::{Here, Purpose};
use crate::talk::{failed, reach, wait};
use crate::view::tame;
use towpath_api::{SignOut, SignedOut};

pub(super) fn run(context: &Context, args: &Args) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Running)?;
    let asked = SignOut {
        components: here.components.clone(),
    };
    let told: SignedOut = wait(async {
        let client = reach(&here).await?;
        client
            .ask(http::Method::POST, "/sign-out", &asked)
            .await
            .map_err(|error| failed(&error, &here))
    })?;
    let names = tame::plain(&told.components.join(", ")).to_string();
    context
        .terminal
        .result(&format!("everybody is signed out of {names}\n"))
}
