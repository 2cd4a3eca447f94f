//! `towpath release diff`: everything that is another way in one of two releases.

use super::Context;
use super::deploy::release;
use crate::cli::Diff as Args;
use crate::failure::Failure;
use crate::releasing::aim;
use crate::talk::{called, wait};
use crate::view::releases;

pub(super) fn diff(context: &Context, args: &Args) -> Result<(), Failure> {
    let here = aim(&args.toward.env, args.toward.manifest.as_deref())?;
    let (one, other) = wait(async {
        let client = called(&here).await?;
        let one = release(&client, &here, &args.one).await?;
        Ok((one, release(&client, &here, &args.other).await?))
    })?;
    let found = towpath_decide::rollout::diff(&one.content, &other.content);
    if args.json {
        let all = found.iter().map(|one| {
            serde_json::json!({
                "area": releases::area(one.area),
                "at": one.at,
                "before": one.before,
                "after": one.after,
            })
        });
        return context
            .terminal
            .result(&super::releases::json(&all.collect::<Vec<_>>())?);
    }
    context.terminal.result(&releases::differences(&found))
}
