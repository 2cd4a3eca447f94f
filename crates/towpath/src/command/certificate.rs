//! `towpath certificate`: a certificate for a person, signed by the product's own authority; a list of them; taking one back.

use super::Context;
use crate::cli::Certificate as Args;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::view::tame;
use std::path::PathBuf;
use towpath_model::unit::{Duration, Email, Unit};
use towpath_steward::people::{self, Issued};

pub(super) fn run(context: &Context, args: &Args) -> Result<(), Failure> {
    let here = Here::find(&[], args.env.as_deref(), Purpose::Running)?;
    let state = here.state.folder();
    if let Some(serial) = &args.revoke {
        let Some(one) = people::revoke(state, serial).map_err(|why| failed(&why))? else {
            let failure = Failure::new(Kind::User, format!("no certificate has the number `{serial}`"));
            return Err(failure.hint("`towpath certificate --list` shows all of them"));
        };
        return context.terminal.result(&format!(
            "the certificate of {} holds no more\n",
            tame::plain(&one.person)
        ));
    }
    let Some(person) = args.person.as_deref().filter(|_| !args.list) else {
        let all = people::listed(state).map_err(|why| failed(&why))?;
        return context.terminal.result(&all.iter().map(line).collect::<String>());
    };
    let person = Email::parse(person).map_err(|misread| {
        let failure = Failure::new(Kind::User, format!("`{person}` {misread}"));
        failure.hint("such as `towpath certificate ana@example.com`")
    })?;
    let lasts = Duration::parse(&args.lasts).map_err(|misread| {
        Failure::new(Kind::User, format!("`{}` {misread}", args.lasts)).hint("such as `--lasts 90d`")
    })?;
    let file = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{person}.pem")));
    let issued = people::issue(state, person.as_str(), lasts.to_std(), &file).map_err(|why| failed(&why))?;
    context.terminal.result(&format!(
        "{} is in {}, with its key; it is to be read by {person} alone\n",
        issued.serial,
        file.display()
    ))
}

fn line(one: &Issued) -> String {
    let how = match one.revoked {
        Some(at) => format!("taken back at {at:.0}"),
        None => format!("until {:.0}", one.until),
    };
    format!("{}  {}  {how}\n", one.serial, tame::plain(&one.person))
}

fn failed(why: &str) -> Failure {
    Failure::new(Kind::Remote, why.to_owned())
}
