//! A machine elsewhere that this process speaks to, and the token that it shows there.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the door to what a person keeps, and to their environment"
)]

use super::files::refused;
use crate::failure::{Failure, Kind};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use towpath_api::{PORT, Token};
use towpath_model::sealed::Sealed;

/// The variable that holds a token, and the one that names its file.
const TOKEN: &str = "TOWPATH_TOKEN";
const TOKEN_FILE: &str = "TOWPATH_TOKEN_FILE";

/// The key of a machine that has not given a token yet, and for whom an identity is made out that is shown to it.
const PIN: &str = "TOWPATH_PIN";
const AUDIENCE: &str = "TOWPATH_AUDIENCE";

/// The variable that holds the identity of a job, and the one that names its file.
const IDENTITY: &str = "TOWPATH_ID_TOKEN";
const IDENTITY_FILE: &str = "TOWPATH_ID_TOKEN_FILE";

/// Where GitHub gives a job its identity, and what it wants to see for it.
const GITHUB_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const GITHUB_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// No identity is longer.
const LONGEST_IDENTITY: u64 = 16 * 1024;

/// No token is longer.
const LONGEST: u64 = 4096;

/// A machine elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// Its name or address.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
}

/// Where this process was told to go, before anything else: nothing where it stays here.
static TOLD: OnceLock<Elsewhere> = OnceLock::new();

/// All that is asked of a steward goes there.
pub(crate) fn go(to: &str) -> Result<(), Failure> {
    let to = Elsewhere::parse(to)?;
    // Nobody says it twice: it is said where the process begins.
    let _ = TOLD.set(to);
    Ok(())
}

/// Where it goes; nothing where it stays here.
pub(crate) fn told() -> Option<&'static Elsewhere> {
    TOLD.get()
}

impl Elsewhere {
    /// A machine as people write it.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::new(Kind::User, format!("`{text}` is no name of a machine"))
                .hint("write a name or an address, with a port where it is not 8440: server.example.com:8441")
        };
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(wrong)?;
                (
                    host,
                    (!after.is_empty()).then(|| after.strip_prefix(':').unwrap_or("")),
                )
            }
            // An address of version 6 without brackets.
            None if text.matches(':').count() > 1 => (text, None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?,
            None => PORT,
        };
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
        if host.is_empty() || host.starts_with(['.', '-']) || !host.bytes().all(fine) {
            return Err(wrong());
        }
        Ok(Elsewhere {
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    /// As a person writes it.
    pub(crate) fn shown(&self) -> String {
        match (self.port, self.host.contains(':')) {
            (PORT, _) => self.host.clone(),
            (port, true) => format!("[{}]:{port}", self.host),
            (port, false) => format!("{}:{port}", self.host),
        }
    }

    /// What is shown there, where somebody has handed it to this process.
    pub(crate) fn handed(&self) -> Result<Option<Token>, Failure> {
        if let Some(text) = set(TOKEN) {
            return parsed(&text.to_string_lossy(), TOKEN).map(Some);
        }
        let Some(file) = set(TOKEN_FILE).map(PathBuf::from) else {
            return Ok(None);
        };
        let text = read(&file).map_err(|error| refused(&file.display().to_string(), "read", &error))?;
        parsed(&text, &file.display().to_string()).map(Some)
    }

    /// What is kept for it.
    pub(crate) fn kept(&self) -> Result<Option<Token>, Failure> {
        let file = self.file();
        let text = match read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused(&file.display().to_string(), "read", &error)),
        };
        let file = file.display().to_string();
        if fs::metadata(&file).is_ok_and(|about| about.mode() & 0o077 != 0) {
            let message = format!("others may read {file}, and with it what this token allows");
            return Err(Failure::new(Kind::User, message).hint(format!(
                "`chmod 600 {file}`; and where others are on this machine, have a new one made"
            )));
        }
        parsed(&text, &file).map(Some)
    }

    /// Keeps a token for it, in the place of the one before; where it lies.
    pub(crate) fn keep(&self, token: &Token) -> Result<PathBuf, Failure> {
        let file = self.file();
        let told = |error: &io::Error| refused(&file.display().to_string(), "written", error);
        let folder = file.parent().unwrap_or(Path::new("/"));
        let mut made = DirBuilder::new();
        made.recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| told(&error))?;
        let beside = folder.join(format!(".{}.{}", self.shown(), std::process::id()));
        let mut options = OpenOptions::new();
        let written = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut file| writeln!(file, "{}", token.text().open()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&beside, &file));
        written.map_err(|error| {
            // What is left of a failed write helps nobody; that it cannot be removed changes nothing.
            let _ = fs::remove_file(&beside);
            told(&error)
        })?;
        Ok(file)
    }

    fn file(&self) -> PathBuf {
        let home = set("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from);
        let kept = set("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        kept.unwrap_or_else(|| home.join(".config"))
            .join("towpath/tokens")
            .join(self.shown())
    }

    /// There is none.
    pub(crate) fn without(&self) -> Failure {
        let host = self.shown();
        Failure::new(Kind::User, format!("there is no token for {host}")).hint(format!(
            "`towpath token use {host}` keeps one; `towpath token create` makes it on that machine"
        ))
    }
}

/// What the surroundings say under a name.
fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// What a pipeline says of who this job is.
#[derive(Debug, Default)]
pub(crate) struct Pipeline {
    /// An identity that was issued already, and where it stands.
    pub(crate) identity: Option<(Sealed<String>, String)>,
    /// Where GitHub issues one, and what it wants to see for it.
    pub(crate) issues: Option<(String, Sealed<String>)>,
    /// It is a job of GitHub, whether it may have an identity or not.
    pub(crate) is_github: bool,
    /// The key of the machine.
    pub(crate) pin: Option<String>,
    /// For whom the identity is to be made out, where that is not the machine's own name for itself.
    pub(crate) audience: Option<String>,
}

/// Reads what the pipeline says.
pub(crate) fn pipeline() -> Result<Pipeline, Failure> {
    let text = |name: &str| set(name).map(|value| value.to_string_lossy().trim().to_owned());
    let secret = |name: &str| text(name).map(Sealed::new);
    let identity = match (secret(IDENTITY), set(IDENTITY_FILE).map(PathBuf::from)) {
        (Some(identity), _) => Some((identity, IDENTITY.to_owned())),
        (None, Some(file)) => {
            let told = file.display().to_string();
            let read = limited(&file, LONGEST_IDENTITY).map_err(|error| refused(&told, "read", &error))?;
            Some((Sealed::new(read.trim().to_owned()), told))
        }
        (None, None) => None,
    };
    Ok(Pipeline {
        identity,
        issues: text(GITHUB_URL).zip(secret(GITHUB_TOKEN)),
        is_github: text("GITHUB_ACTIONS").as_deref() == Some("true"),
        pin: text(PIN),
        audience: text(AUDIENCE),
    })
}

/// Reads a token that somebody hands us on standard input.
pub(crate) fn handed() -> Result<Token, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().take(LONGEST).read_line(&mut text);
    read.map_err(|error| refused("standard input", "read", &error))?;
    parsed(&text, "standard input")
}

fn read(file: &Path) -> io::Result<String> {
    limited(file, LONGEST)
}

fn limited(file: &Path, longest: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(file)?.take(longest).read_to_string(&mut text)?;
    Ok(text)
}

fn parsed(text: &str, place: &str) -> Result<Token, Failure> {
    Token::parse(text).map_err(|why| {
        Failure::new(Kind::User, format!("{place} holds no token: {why}"))
            .hint("a token is one line that begins with `towpath1.`; `towpath token create` prints it on the machine")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_named_in_many_ways() {
        let told = |text: &str| match Elsewhere::parse(text) {
            Ok(to) => format!("{} {} {}", to.host, to.port, to.shown()),
            Err(_) => "no".to_owned(),
        };
        assert_eq!(
            told("Server.example.com"),
            "server.example.com 8440 server.example.com"
        );
        assert_eq!(told("server:8441"), "server 8441 server:8441");
        assert_eq!(told("server:8440"), "server 8440 server");
        assert_eq!(told("::1"), "::1 8440 ::1");
        assert_eq!(told("[::1]:9000"), "::1 9000 [::1]:9000");
        assert_eq!(told("[::1]"), "::1 8440 ::1");
        for wrong in [
            "", "..", "../a", "a/b", "a:", "a:0", "a:99999", "[::1", "[::1]9", "-a", "a b",
        ] {
            assert_eq!(told(wrong), "no", "{wrong}");
        }
    }
}
