//! `towpath start`, `stop`, `restart` and `scale`: one thing done to some components.

use super::Context;
use crate::attend::{Ended, attend};
use crate::cli::{Keep, Scale as ScaleArgs};
use crate::door::signals::Interrupts;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::talk::{failed, reach, wait};
use crate::view::paint;
use crate::view::progress::{End, Progress};
use crate::view::status::is_bad;
use serde_json::{Value, json};
use towpath_api::Scale;

/// What is done to a component.
pub(super) struct Act {
    component: String,
    verb: &'static str,
    body: Value,
}

impl Act {
    /// What needs no more words.
    pub(super) fn of(component: &str, verb: &'static str) -> Self {
        Act {
            component: component.to_owned(),
            verb,
            body: Value::Null,
        }
    }
}

/// `towpath start`, `stop`, `restart`.
pub(super) fn run(context: &Context, args: Keep, verb: &'static str) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Running)?;
    if here.components.is_empty() {
        let all = match verb {
            "stop" => "`towpath down` stops everything".to_owned(),
            "start" => "`towpath up` starts everything".to_owned(),
            _ => "`towpath down`, then `towpath up` is everything".to_owned(),
        };
        return Err(Failure::new(Kind::User, format!("nothing is named to {verb}"))
            .hint(format!("name components: `towpath {verb} COMPONENT`; {all}")));
    }
    let acts = here.components.iter().map(|component| Act::of(component, verb));
    act(context, &here, acts.collect())
}

/// `towpath scale`.
pub(super) fn scale(context: &Context, args: ScaleArgs) -> Result<(), Failure> {
    let (wanted, mut words): (Vec<&String>, Vec<String>) = {
        let (wanted, words): (Vec<&String>, Vec<&String>) =
            args.words.iter().partition(|word| word.contains('='));
        (wanted, words.into_iter().cloned().collect())
    };
    let wanted: Vec<(&str, u32)> = wanted
        .into_iter()
        .map(|word| instances(word))
        .collect::<Result<_, _>>()?;
    words.extend(wanted.iter().map(|(component, _)| (*component).to_owned()));
    let here = Here::find(&words, args.env.as_deref(), Purpose::Running)?;
    if let Some(bare) = here
        .components
        .iter()
        .find(|name| wanted.iter().all(|(named, _)| named != name))
    {
        return Err(
            Failure::new(Kind::User, format!("`{bare}` does not say how many"))
                .hint(format!("write it with a number: `towpath scale {bare}=2`")),
        );
    }
    if wanted.is_empty() {
        return Err(
            Failure::new(Kind::User, "nothing is named to scale").hint("such as `towpath scale web=2`")
        );
    }
    let acts = wanted.into_iter().map(|(component, instances)| Act {
        component: component.to_owned(),
        verb: "scale",
        body: json!(Scale { instances }),
    });
    act(context, &here, acts.collect())
}

/// `web=3`
fn instances(word: &str) -> Result<(&str, u32), Failure> {
    let (component, count) = word.split_once('=').unwrap_or((word, ""));
    match count.parse() {
        Ok(count) if !component.is_empty() => Ok((component, count)),
        _ => Err(
            Failure::new(Kind::User, format!("`{word}` does not say how many instances"))
                .hint("write a component and a number: `towpath scale web=2`"),
        ),
    }
}

fn act(context: &Context, here: &Here, acts: Vec<Act>) -> Result<(), Failure> {
    if carry_out(context, here, &acts)? {
        report(context, here, &acts)
    } else {
        goes_on(context)
    }
}

/// Somebody has gone before it was over.
pub(super) fn goes_on(context: &Context) -> Result<(), Failure> {
    context
        .terminal
        .tell("it goes on without you; `towpath status` tells how far it is\n");
    Ok(())
}

/// Does all of it at once, and waits until each has settled; whether nobody went before that.
pub(super) fn carry_out(context: &Context, here: &Here, acts: &[Act]) -> Result<bool, Failure> {
    wait(async {
        let told = |error| failed(&error, here);
        let mut interrupts = Interrupts::listen()?;
        let client = reach(here).await?;
        let mut answers = Vec::new();
        for act in acts {
            let path = format!("/components/{}/{}", act.component, act.verb);
            answers.push(
                client
                    .follow(http::Method::POST, &path, &act.body)
                    .await
                    .map_err(told)?,
            );
        }
        let mut progress = Progress::default();
        for answer in &mut answers {
            match attend(context.terminal, answer, &mut progress, &mut interrupts)
                .await
                .map_err(told)?
            {
                Ended::Done(End::Settled { .. } | End::Gone) => {}
                Ended::Interrupted => return Ok(false),
                Ended::Cut => return Err(told(towpath_api::ClientError::Cut)),
            }
        }
        Ok(true)
    })
}

/// How the components are now.
pub(super) fn report(context: &Context, here: &Here, acts: &[Act]) -> Result<(), Failure> {
    let status = crate::talk::status(here)?;
    let named = |name: &str| acts.iter().any(|act| act.component == name);
    let mut well = true;
    for component in status.components.iter().filter(|one| named(&one.name)) {
        let state = paint::state(component.state);
        let because = crate::view::tame::plain(&component.because);
        well &= !is_bad(component.state);
        context
            .terminal
            .result(&format!("{} is {state}: {because}\n", component.name))?;
    }
    if well { Ok(()) } else { Err(Failure::told()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_is_said_behind_the_name() {
        assert_eq!(instances("web=3"), Ok(("web", 3)));
        for wrong in ["web=", "web=many", "=3", "web=-1"] {
            let failure = instances(wrong).expect_err("it is wrong");
            assert_eq!(
                failure.message,
                format!("`{wrong}` does not say how many instances")
            );
        }
    }
}
