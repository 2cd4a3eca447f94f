//! `towpath secrets`: what must not be known is set, listed, taken out, and never printed.

use super::Context;
use crate::cli::{ExportSecrets, ImportSecrets, ListSecrets, Secrets as Args, SetSecret, Within};
use crate::door::{files, person};
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::talk::{call, failed, wait};
use crate::view::secrets::{Named, added, imported, listed};
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use towpath_api::{
    ExportSecrets as Export, Exported, SecretUnset, Secrets, SecretsSet, SetSecrets, UnsetSecret as Unset,
};
use towpath_decide::launch::dotenv::{self, Dotenv};
use towpath_manifest::nearest;
use towpath_model::Desired;
use towpath_model::desired::secret::Keeper;
use towpath_model::run::Variables;
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Unit, VarName};

/// The most bytes of a value: a key, a certificate, and no content.
const MOST: usize = 1 << 20;

/// The most bytes of a file with many of them.
const MOST_IMPORTED: usize = 8 << 20;

/// Standard input, in place of a file.
const INPUT: &str = "-";

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    match args {
        Args::Set(args) => set(context, args),
        Args::List(args) => list(context, &args),
        Args::Unset(args) => unset(context, &args.within, &args.name),
        Args::Import(args) => import(context, &args),
        Args::Export(args) => export(context, &args),
    }
}

/// Where it is.
fn find(within: &Within) -> Result<Here, Failure> {
    let path = within.path.as_ref().map(|path| {
        let text = path.to_string_lossy();
        // A word without a slash would be taken for a name.
        if text.contains('/') {
            text.into_owned()
        } else {
            format!("./{text}")
        }
    });
    let words: Vec<String> = path.into_iter().collect();
    Here::find(&words, Some(&within.env), Purpose::Start)
}

/// Asks the steward, and has one started where there is none.
fn ask<Q: Serialize, A: DeserializeOwned>(
    here: &Here,
    method: Method,
    path: &str,
    question: &Q,
) -> Result<A, Failure> {
    wait(async {
        call(here).await?.answered(here)?;
        let answer = here.client().ask(method, path, question).await;
        answer.map_err(|error| failed(&error, here))
    })
}

fn set(context: &Context, args: SetSecret) -> Result<(), Failure> {
    if !args.value.is_empty() || args.name.contains('=') {
        let message = "a value is not given as an argument: others on this machine see it in `ps`, and it stays in \
                       the history of the shell";
        let hint = "leave it out to be asked for it, or hand it in on standard input or with `--file`";
        return Err(Failure::new(Kind::User, message).hint(hint));
    }
    let name = checked_name(&args.name)?;
    let here = find(&args.within)?;
    let value = match &args.file {
        Some(file) => text_of(read(file, MOST)?, &file.display().to_string())?,
        None if context.terminal.is_typed() => {
            let typed = context.terminal.asks_for(&format!("value of {name}"))?;
            let none = || Failure::new(Kind::User, "no value was given, and nothing was changed");
            typed.ok_or_else(none)?
        }
        None => text_of(context.terminal.input(MOST)?, "standard input")?,
    };
    let value = without_last_newline(&value);
    if value.open().is_empty() {
        let failure = Failure::new(Kind::User, "the value is empty, and nothing was changed");
        let unset = format!(
            "`towpath secrets unset {} {name}` says that there is none",
            here.environment
        );
        return Err(failure.hint(unset));
    }
    warn(context, &here, [name.as_str()].into_iter());
    let values = Variables::from([(name.clone(), value)]);
    let told: SecretsSet = ask(&here, Method::POST, "/secrets/set", &said(&values, false))?;
    context.terminal.result(&added(
        &name,
        told.versions.get(&name).copied(),
        &here.environment,
    ))
}

fn list(context: &Context, args: &ListSecrets) -> Result<(), Failure> {
    let here = find(&args.within)?;
    let told: Secrets = if here.state.is_there() {
        ask(&here, Method::GET, "/secrets", &())?
    } else {
        Secrets::default()
    };
    if args.json {
        let text = serde_json::to_string_pretty(&told)
            .map_err(|error| Failure::new(Kind::Internal, error.to_string()))?;
        return context.terminal.result(&format!("{text}\n"));
    }
    let view = listed(&told.secrets, &named(&here), &here.environment, &here.title());
    context.terminal.result(&view)
}

fn unset(context: &Context, within: &Within, name: &str) -> Result<(), Failure> {
    let name = checked_name(name)?;
    let here = find(within)?;
    let question = Unset {
        name: name.clone(),
        by: person::name(),
    };
    let told: SecretUnset = ask(&here, Method::POST, "/secrets/unset", &question)?;
    let env = &here.environment;
    match told.version {
        Some(version) => context.terminal.result(&format!(
            "{name} has no value in {env} any more (version {version} says so)\n"
        )),
        None => Err(Failure::new(Kind::User, format!("{name} has no value in {env}"))
            .hint(format!("`towpath secrets list {env}` shows those that have one"))),
    }
}

fn import(context: &Context, args: &ImportSecrets) -> Result<(), Failure> {
    let here = find(&args.within)?;
    let is_input = args.file == Path::new(INPUT);
    if is_input && context.terminal.is_typed() {
        let message = "there is nothing on standard input but the keyboard";
        return Err(
            Failure::new(Kind::User, message).hint("name a file, or hand one in: `import ENV < FILE`")
        );
    }
    let from = if is_input {
        "standard input".to_owned()
    } else {
        args.file.display().to_string()
    };
    let bytes = match is_input {
        true => context.terminal.input(MOST_IMPORTED)?,
        false => read(&args.file, MOST_IMPORTED)?,
    };
    let mut text = text_of(bytes, &from)?;
    if towpath_steward::is_locked(text.open()) {
        let passphrase = passphrase(
            context,
            args.passphrase_file.as_deref(),
            &format!("passphrase of {from}"),
        )?;
        text = towpath_steward::unlock(text.open(), &passphrase)
            .map_err(|locked| Failure::new(Kind::User, format!("{from} cannot be opened: {locked}")))?;
    }
    let read = dotenv::parse(text.open());
    refuse_faults(&read, &from)?;
    let mut values = Variables::new();
    for entry in read.entries {
        if entry.value.open().is_empty() {
            tell(
                context,
                &format!(
                    "line {} of {from}: {} is empty, and left out",
                    entry.line, entry.name
                ),
            );
        } else {
            values.insert(checked_name(&entry.name)?, entry.value);
        }
    }
    for doubt in read.doubts {
        tell(context, &format!("line {} of {from}: {}", doubt.line, doubt.what));
    }
    if values.is_empty() {
        return Err(Failure::new(
            Kind::User,
            format!("there is no value in {from}, and nothing was changed"),
        ));
    }
    warn(context, &here, values.keys().map(String::as_str));
    let told: SecretsSet = ask(
        &here,
        Method::POST,
        "/secrets/import",
        &said(&values, args.new_key),
    )?;
    context
        .terminal
        .result(&imported(&told.versions, values.len(), &here.environment))
}

fn export(context: &Context, args: &ExportSecrets) -> Result<(), Failure> {
    let here = find(&args.within)?;
    let first = passphrase(
        context,
        args.passphrase_file.as_deref(),
        "passphrase that locks them",
    )?;
    if args.passphrase_file.is_none() {
        let again = passphrase(context, None, "the same once more")?;
        if again != first {
            return Err(Failure::new(
                Kind::User,
                "these are two passphrases, and nothing was exported",
            ));
        }
    }
    let question = Export {
        passphrase: first.open().clone(),
        by: person::name(),
    };
    let told: Exported = ask(&here, Method::POST, "/secrets/export", &question)?;
    if told.count == 0 {
        let message = format!("no secret has a value in {}", here.environment);
        return Err(Failure::new(Kind::User, message));
    }
    context.terminal.result(&told.text)
}

/// A passphrase from its file, or from the person.
fn passphrase(context: &Context, file: Option<&Path>, what: &str) -> Result<Sealed<String>, Failure> {
    let found = match file {
        Some(file) => text_of(read(file, MOST)?, &file.display().to_string())?,
        None => context.terminal.asks_for(what)?.ok_or_else(|| {
            let failure = Failure::new(Kind::User, "there is no passphrase, and nothing was done");
            failure.hint("`--passphrase-file FILE` names a file that it stands in")
        })?,
    };
    let found = without_last_newline(&found);
    if found.open().is_empty() {
        return Err(Failure::new(
            Kind::User,
            "the passphrase is empty, and nothing was done",
        ));
    }
    Ok(found)
}

fn said(values: &Variables, new_key: bool) -> SetSecrets {
    let values = values.iter();
    SetSecrets {
        values: values
            .map(|(name, value)| (name.clone(), value.open().clone()))
            .collect(),
        by: person::name(),
        new_key,
    }
}

fn read(file: &Path, most: usize) -> Result<Sealed<Vec<u8>>, Failure> {
    let bytes = files::bytes(file, most)?;
    let missing = || Failure::new(Kind::User, format!("there is no file {}", file.display()));
    bytes.map(Sealed::new).ok_or_else(missing)
}

/// Bytes as a value: what cannot be one is told without being shown.
fn text_of(bytes: Sealed<Vec<u8>>, from: &str) -> Result<Sealed<String>, Failure> {
    let refused = |what: &str| {
        let hint = "write it in letters, as base 64 for one, and let the program read it so";
        Err(Failure::new(Kind::User, format!("what stands in {from} {what}")).hint(hint))
    };
    if bytes.open().len() > MOST_IMPORTED {
        return refused("is too long for secrets");
    }
    match String::from_utf8(bytes.open().clone()) {
        Ok(text) if text.contains('\0') => refused("has a NUL byte in it, which no variable can have"),
        Ok(text) => Ok(Sealed::new(text)),
        Err(_) => refused("is no UTF-8"),
    }
}

fn without_last_newline(text: &Sealed<String>) -> Sealed<String> {
    let text = text.open();
    let cut = text.strip_suffix('\n').unwrap_or(text);
    Sealed::new(cut.strip_suffix('\r').unwrap_or(cut).to_owned())
}

/// A name that a secret can have.
fn checked_name(name: &str) -> Result<String, Failure> {
    VarName::parse(name)
        .map(|name| name.to_string())
        .map_err(|misread| {
            let failure = Failure::new(Kind::User, format!("this name of a secret {misread}"));
            match misread.meant {
                Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
                None => failure,
            }
        })
}

fn refuse_faults(read: &Dotenv, from: &str) -> Result<(), Failure> {
    let Some(first) = read.faults.first() else {
        return Ok(());
    };
    let more = match read.faults.len() {
        1 => String::new(),
        many => format!(" (and {} more lines)", many - 1),
    };
    let message = format!(
        "line {} of {from} {}{more}; nothing was changed",
        first.line, first.what
    );
    Err(Failure::new(Kind::User, message).hint(first.hint))
}

/// What the manifest names in this environment; nothing where it cannot be read.
fn named(here: &Here) -> Vec<Named> {
    let checked = here.check();
    let Ok((desired, Some(environment))) = checked.product(Some(&here.environment)) else {
        return Vec::new();
    };
    let here_too =
        |only: &[_]| only.is_empty() || only.iter().any(|one: &String| *one == environment.as_str());
    let secrets = desired.secret.iter().filter(|(_, secret)| {
        let only: Vec<String> = secret.only.iter().map(ToString::to_string).collect();
        here_too(&only) && !secret.future
    });
    secrets
        .map(|(name, secret)| Named {
            name: name.to_string(),
            about: secret.about.clone(),
            is_made_up: secret.generate.is_some(),
        })
        .collect()
}

/// Everything in a product that a value can be given to.
fn asked_for(desired: &Desired) -> Vec<String> {
    let secrets = desired.secret.keys().map(ToString::to_string);
    let components = desired.components();
    let variables = components.flat_map(|(_, _, component)| component.env.keys().map(ToString::to_string));
    secrets.chain(variables).collect()
}

/// Says what may be a mistake: a name that nothing asks for, and an environment whose values come from elsewhere.
fn warn<'a>(context: &Context, here: &Here, names: impl Iterator<Item = &'a str>) {
    let checked = here.check();
    let Ok((desired, Some(environment))) = checked.product(Some(&here.environment)) else {
        return;
    };
    let own = desired.environment.get(environment);
    if own
        .and_then(|own| own.secrets.as_ref())
        .unwrap_or(&desired.secrets)
        .keeper
        == Keeper::Dotenv
    {
        let note = format!(
            "{environment} takes its values from .env files (`secrets = \"dotenv\"`): `towpath up` reads nothing of this"
        );
        tell(context, &note);
    }
    let known = asked_for(desired);
    for name in names.filter(|name| !known.iter().any(|known| known == name)) {
        let meant = nearest(name, known.iter().map(String::as_str));
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        tell(
            context,
            &format!("nothing in {} asks for {name}{meant}", here.file()),
        );
    }
}

fn tell(context: &Context, text: &str) {
    context.terminal.tell(&format!(
        "\u{1b}[1;33mwarning\u{1b}[0m: {}\n",
        crate::view::tame::plain(text)
    ));
}
