//! Small texts: names, commands, and what looks secret.

use towpath_model::unit::{Command, Name, Path, Unit, VarName};

/// A valid name made of any text, if there is a letter in it.
pub(super) fn slug(text: &str) -> Option<String> {
    let text = text.rsplit('/').next().unwrap_or(text);
    match Name::parse(text) {
        Ok(name) => Some(name.to_string()),
        Err(misread) => misread.meant.filter(|meant| Name::parse(meant).is_ok()),
    }
}

/// The command on one line, if it is one.
pub(super) fn command(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Command::parse(&text)
        .ok()
        .filter(|_| is_tame(&text))
        .map(|command| command.to_string())
}

/// The path below the manifest, if it stays there.
pub(super) fn path(text: &str) -> Option<String> {
    Path::parse(text)
        .ok()
        .filter(|path| !path.is_absolute() && is_tame(text))
        .map(|path| path.to_string())
}

/// Whether a text is the name of an environment variable.
pub(super) fn is_variable(text: &str) -> bool {
    VarName::parse(text).is_ok()
}

/// Several words as one command, each quoted where a shell would take it apart.
pub(super) fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let quote = |word: &str| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@%+".contains(letter);
        if !word.is_empty() && word.chars().all(plain) {
            word.to_owned()
        } else {
            format!("'{}'", word.replace('\'', r#"'"'"'"#))
        }
    };
    words.map(quote).collect::<Vec<_>>().join(" ")
}

/// The words of a command, folders left out: `target/release/api --port 1` has `api` in it.
pub(super) fn words_of(command: &str) -> impl Iterator<Item = &str> {
    command
        .split(|letter: char| letter.is_whitespace() || "/:=.\"'".contains(letter))
        .filter(|word| !word.is_empty())
}

/// What the text of a comment may hold: one line, nothing that a terminal obeys.
pub(super) fn line(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut line: String = text
        .chars()
        .map(|letter| {
            if letter.is_control() || is_invisible(letter) {
                ' '
            } else {
                letter
            }
        })
        .take(LONGEST + 1)
        .collect();
    if line.chars().count() > LONGEST {
        line = line.chars().take(LONGEST - 1).collect::<String>() + "…";
    }
    line.trim().to_owned()
}

/// Whether a text shows what it says.
pub(super) fn is_tame(text: &str) -> bool {
    !text
        .chars()
        .any(|letter| letter.is_control() || is_invisible(letter))
}

/// Letters that turn the direction of a text or take no room: they make a comment show something else than it says.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Parts of a variable's name that say that nobody may know its value.
const SECRET_WORDS: &[&str] = &[
    "APIKEY",
    "AUTH",
    "COOKIE",
    "CREDENTIAL",
    "CREDENTIALS",
    "DSN",
    "HMAC",
    "JWT",
    "KEY",
    "KEYS",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PAT",
    "PEM",
    "PEPPER",
    "PRIVATE",
    "PWD",
    "SALT",
    "SECRET",
    "SECRETS",
    "SID",
    "SIGNATURE",
    "TOKEN",
    "TOKENS",
    "WEBHOOK",
];

/// Beginnings of values that vendors give to keys.
const SECRET_STARTS: &[&str] = &[
    "-----BEGIN",
    "AIza",
    "AKIA",
    "SG.",
    "eyJ",
    "ghp_",
    "github_pat_",
    "glpat-",
    "pk_",
    "rk_",
    "sk-",
    "sk_",
    "whsec_",
    "xox",
];

/// Beginnings of the names of variables that a build writes into what visitors get.
const PUBLIC_STARTS: &[&str] = &["NEXT_PUBLIC_", "NUXT_PUBLIC_", "PUBLIC_", "REACT_APP_", "VITE_"];

/// Whether a build writes the variable into what visitors get.
pub(super) fn is_public(name: &str) -> bool {
    PUBLIC_STARTS.iter().any(|start| name.starts_with(start))
}

/// Whether a variable, by its name or by its value, is something that nobody may know.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    let named = name.split('_').any(|word| SECRET_WORDS.contains(&word));
    !is_public(name) && (named || looks_secret(value))
}

/// Whether a value looks like a key, a password in an address, or random letters.
pub(super) fn looks_secret(value: &str) -> bool {
    let value = value.trim();
    let in_address = value
        .split_once("://")
        .is_some_and(|(_, rest)| rest.split('/').next().unwrap_or_default().contains('@'));
    let random = value.len() >= 20
        && value
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "+/=_-".contains(letter))
        && value.chars().any(|letter| letter.is_ascii_digit())
        && value.chars().any(|letter| letter.is_ascii_alphabetic());
    in_address || random || SECRET_STARTS.iter().any(|start| value.starts_with(start))
}

/// Whether a value only stands in for one: `changeme`, `https://example.com`, `<your name>`.
pub(super) fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let words = [
        "change",
        "your",
        "example",
        "xxx",
        "todo",
        "replace",
        "localhost",
        "127.0.0.1",
        "<",
        "...",
    ];
    value.is_empty() || words.iter().any(|word| lower.contains(word))
}

/// The path that a health check asks for: `curl -f http://localhost:8000/healthz` asks for `/healthz`.
pub(super) fn asked_path(command: &str) -> Option<String> {
    let (_, rest) = command.split_once("://")?;
    let end = rest.find(|letter: char| letter.is_whitespace() || "\"'|;?#)".contains(letter));
    let address = &rest[..end.unwrap_or(rest.len())];
    let from = address.find('/');
    let path = from.map_or("/", |from| &address[from..]);
    is_route(path).then(|| path.to_owned())
}

/// Whether a text can be the path of a request.
pub(super) fn is_route(path: &str) -> bool {
    let fine = |letter: char| letter.is_ascii_alphanumeric() || "/-_.~".contains(letter);
    path.starts_with('/') && path.len() <= 100 && path.chars().all(fine)
}

/// The path for health checks that a source names, if it names one that is usual.
pub(super) fn health_in(text: &str) -> Option<String> {
    ["/healthz", "/readyz", "/health", "/api/health", "/ready", "/up"]
        .into_iter()
        .find(|path| text.contains(&format!("\"{path}\"")) || text.contains(&format!("'{path}'")))
        .map(str::to_owned)
}
