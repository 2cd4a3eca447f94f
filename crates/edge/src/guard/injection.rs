//! Paths and queries that look like an injection.
//!
//! A few patterns, each of which is an attack and hardly ever anything else: a word alone (`select`, `script`, `etc`) is
//! never one. What they look at has been decoded as an instance may decode it, twice, in small letters, with comments and
//! runs of blanks as one blank. Who wants to get round patterns can; this keeps away those who try everything everywhere, and
//! a component has to be sound all the same. Bodies are not looked at: that would hold them up, and break what is streamed.

/// Texts that are attacks wherever they stand.
const TEXTS: &[(&str, &str)] = &[
    ("/etc/passwd", FILES),
    ("/etc/shadow", FILES),
    ("/proc/self/", FILES),
    ("c:\\windows\\", FILES),
    ("\0", FILES),
    ("php://", FILES),
    ("phar://", FILES),
    ("expect://", FILES),
    ("information_schema.", QUERY),
    ("xp_cmdshell", QUERY),
    ("pg_sleep(", QUERY),
    ("waitfor delay '", QUERY),
    ("select sleep(", QUERY),
    ("(select(sleep(", QUERY),
    ("and sleep(", QUERY),
    ("or sleep(", QUERY),
    ("benchmark(1", QUERY),
    ("extractvalue(1", QUERY),
    ("updatexml(1", QUERY),
    ("into outfile '", QUERY),
    ("load_file('", QUERY),
    ("<script>", SCRIPT),
    ("<script ", SCRIPT),
    ("<script/", SCRIPT),
    ("<iframe ", SCRIPT),
    ("srcdoc=", SCRIPT),
    ("javascript:alert(", SCRIPT),
    ("javascript:eval(", SCRIPT),
    ("javascript:document.", SCRIPT),
    ("javascript:fetch(", SCRIPT),
    ("data:text/html;base64,", SCRIPT),
    ("document.cookie)", SCRIPT),
    ("${jndi:", TEMPLATE),
    ("${lower:", TEMPLATE),
    ("${::-", TEMPLATE),
    ("${env:", TEMPLATE),
    ("{{constructor", TEMPLATE),
    ("{{config", TEMPLATE),
    ("''.__class__", TEMPLATE),
    ("\n set-cookie:", HEADER),
    ("\nset-cookie:", HEADER),
    ("\nlocation: http", HEADER),
    ("\nlocation:http", HEADER),
    ("\nhttp/1.1 ", HEADER),
    ("() { :", SHELL),
    ("$(id)", SHELL),
    ("`id`", SHELL),
    ("$(whoami)", SHELL),
    ("`whoami`", SHELL),
    ("$(curl ", SHELL),
    ("$(wget ", SHELL),
    ("/bin/sh -", SHELL),
    ("/bin/bash -", SHELL),
    ("bash -i >", SHELL),
];

/// What is put behind a separator to run as a command.
const COMMANDS: &[&str] = &[
    "cat /",
    "cat ../",
    "cat ${",
    "cat$ifs",
    "ls /",
    "ls -l",
    "id",
    "whoami",
    "uname -",
    "wget http",
    "curl http",
    "nc -",
    "ping -c",
    "ping -n",
    "rm -rf",
    "sleep 5",
    "sleep 10",
    "bash -c",
    "sh -c",
    "powershell ",
    "nslookup ",
];

const FILES: &str = "a way to files of the machine";
const QUERY: &str = "a piece of SQL";
const SCRIPT: &str = "a script";
const TEMPLATE: &str = "a template";
const HEADER: &str = "a header";
const SHELL: &str = "a command";

/// What a path with a query looks like, where that is an injection.
pub(crate) fn found(path: &str, query: Option<&str>) -> Option<&'static str> {
    let query = query.unwrap_or("");
    if !is_worth_a_look(path) && !is_worth_a_look(query) {
        return None;
    }
    let path = decode(path.as_bytes(), false);
    let mut values = query.split('&').flat_map(|pair| pair.splitn(2, '='));
    of(&path).or_else(|| values.find_map(|value| of(&decode(value.as_bytes(), true))))
}

/// Whatever is an attack has one of these in it: ordinary addresses are let by without being copied.
fn is_worth_a_look(text: &str) -> bool {
    text.bytes().any(|byte| {
        matches!(
            byte,
            b'%' | b'\'' | b'"' | b'<' | b'(' | b';' | b'$' | b'{' | b'`' | b'|' | b'\\' | b':' | b'+' | b','
        )
    }) || text.contains("..")
        || text.contains("/etc/")
        || text.contains("/proc/")
}

/// What a text that has been decoded once looks like, or what comes of decoding it once more.
fn of(text: &str) -> Option<&'static str> {
    look(text).or_else(|| {
        let again = text.contains('%').then(|| decode(text.as_bytes(), false))?;
        look(&again)
    })
}

fn look(text: &str) -> Option<&'static str> {
    if climbs(text) {
        return Some(FILES);
    }
    let plain = flat(text);
    let known = TEXTS.iter().find(|(part, _)| plain.contains(part));
    known
        .map(|(_, what)| *what)
        .or_else(|| sql(&plain).then_some(QUERY))
        .or_else(|| handler(&plain).then_some(SCRIPT))
        .or_else(|| counts(&plain).then_some(TEMPLATE))
        .or_else(|| command(&plain).then_some(SHELL))
}

/// Percent signs are undone, and in a query plus signs.
pub(crate) fn decode(text: &[u8], is_query: bool) -> String {
    let hex = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'%' => match (hex(at + 1), hex(at + 2)) {
                (Some(high), Some(low)) => {
                    bytes.push((high * 16 + low) as u8);
                    at += 2;
                }
                _ => bytes.push(b'%'),
            },
            b'+' if is_query => bytes.push(b' '),
            byte => bytes.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// In small letters; blanks and comments of SQL are one blank. Ends of lines stay, for the sake of headers.
fn flat(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("/*")
            && let Some((_, after)) = comment.split_once("*/")
        {
            rest = after;
            blank(&mut plain);
            continue;
        }
        rest = &rest[letter.len_utf8()..];
        match letter {
            '\n' => plain.push('\n'),
            letter if letter.is_whitespace() => blank(&mut plain),
            letter => plain.extend(letter.to_lowercase()),
        }
    }
    plain
}

fn blank(plain: &mut String) {
    if !plain.ends_with([' ', '\n']) {
        plain.push(' ');
    }
}

/// A way up, out of a folder: two of them, or one that begins or goes on somewhere.
fn climbs(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['/', '\\']).collect();
    let ups = parts.iter().filter(|part| **part == "..").count();
    ups > 1 || ups == 1 && parts.len() > 1
}

fn sql(plain: &str) -> bool {
    unites(plain) || is_always_true(plain) || stacks(plain) || ends_early(plain)
}

/// `' union select a, b`: behind what ends a value, and before what begins a list.
fn unites(plain: &str) -> bool {
    plain.match_indices("union ").any(|(at, word)| {
        let before = plain[..at].trim_end();
        let ends = before.ends_with(|letter: char| letter.is_ascii_digit() || "'\")".contains(letter));
        let after = &plain[at + word.len()..];
        let after = after.strip_prefix("all ").unwrap_or(after);
        let Some(list) = after.strip_prefix("select").map(str::trim_start) else {
            return false;
        };
        let begins = list.starts_with(|letter: char| letter.is_ascii_digit() || "'\"@*(".contains(letter))
            || list.starts_with("null")
            || list.starts_with("concat(");
        ends && (begins || list.contains(',') || list.contains(" from ")) || before.is_empty() && begins
    })
}

/// `' or 1=1`, `" and "a"="a`: behind a quote, and the same on both sides.
fn is_always_true(plain: &str) -> bool {
    let words = ["or ", "or(", "and ", "|| ", "&& ", "||"];
    plain.match_indices(['\'', '"']).any(|(at, _)| {
        let rest = plain[at + 1..].trim_start_matches([' ', ')']);
        let Some(rest) = words.iter().find_map(|word| rest.strip_prefix(word)) else {
            return false;
        };
        let rest = rest.trim_start_matches([' ', '(']);
        let Some((left, right)) = rest.split_once('=') else {
            return rest.starts_with("true--") || rest.starts_with("true #");
        };
        let strip = |side: &str| {
            let side = side.trim_matches([' ', '\'', '"', '(', ')']);
            let end = side
                .find([' ', '\'', '"', ')', '-', '#', ';'])
                .unwrap_or(side.len());
            side[..end].to_owned()
        };
        let left = strip(left);
        !left.is_empty() && left == strip(right)
    })
}

/// `'; drop table`: a command behind the end of another one.
fn stacks(plain: &str) -> bool {
    let commands = [
        "drop table ",
        "drop database ",
        "truncate table ",
        "insert into ",
        "delete from ",
        "alter table ",
        "exec ",
        "execute ",
        "shutdown",
        "create user ",
        "grant all ",
    ];
    plain.match_indices(';').any(|(at, _)| {
        let before = plain[..at].trim_end();
        let ends = before.ends_with(|letter: char| letter.is_ascii_digit() || "'\")".contains(letter));
        let rest = plain[at + 1..].trim_start();
        ends && commands.iter().any(|command| rest.starts_with(command))
    })
}

/// `admin'--`: a value that ends, with the rest of the line as a comment.
fn ends_early(plain: &str) -> bool {
    let plain = plain.trim_end();
    ["'--", "' --", "'-- -", "' -- -", "')--", "')-- -", "'#", "'/*"]
        .iter()
        .any(|end| plain.ends_with(end))
}

/// `<img onerror=`: a handler in a tag.
fn handler(plain: &str) -> bool {
    plain.match_indices('<').any(|(at, _)| {
        let tag = &plain[at + 1..];
        let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
        let is_tag = tag.starts_with(|letter: char| letter.is_ascii_lowercase());
        let is_on = |(at, _): (usize, &str)| {
            let before = tag[..at].ends_with([' ', '/', '\'', '"', '\n']);
            let name = tag[at..].split('=').next().unwrap_or("").trim_end();
            let is_name = name.len() > 3 && name.bytes().all(|byte| byte.is_ascii_lowercase());
            before && is_name && tag[at + name.len()..].trim_start().starts_with('=')
        };
        is_tag
            && (tag.match_indices("on").any(is_on)
                || tag.contains("=javascript:")
                || tag.contains("=\"javascript:"))
    })
}

/// `{{7*7}}`: whoever sees 49 has found something.
fn counts(plain: &str) -> bool {
    ["{{", "${", "<%=", "#{"].iter().any(|open| {
        plain.match_indices(open).any(|(at, open)| {
            let rest = plain[at + open.len()..].trim_start();
            let digits = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
            let times = digits.trim_start().strip_prefix('*').map(str::trim_start);
            digits.len() < rest.len()
                && times.is_some_and(|times| {
                    times.starts_with(|letter: char| letter.is_ascii_digit() || letter == '\'')
                })
        })
    })
}

/// `; cat /etc/hosts`: a command behind a separator.
fn command(plain: &str) -> bool {
    plain.match_indices([';', '|', '&', '\n']).any(|(at, _)| {
        let rest = plain[at + 1..].trim_start_matches([' ', '|', '&']);
        COMMANDS.iter().any(|command| match *command {
            "id" | "whoami" => rest.trim_end() == *command,
            command => rest.starts_with(command),
        })
    })
}

/// Whether a path has one of these parts in it. `/.git` is a part of `/.git/config` and not of `/.github`.
pub(crate) fn has_part(path: &str, parts: &[String]) -> bool {
    if parts.is_empty() {
        return false;
    }
    // Most paths are plain, and are looked through as they stand.
    let is_plain = |byte: u8| !byte.is_ascii_uppercase() && byte != b'%' && byte != b'\\';
    if path.bytes().all(is_plain) && !path.contains("//") {
        return has_plain_part(path, parts);
    }
    let once = decode(path.as_bytes(), false);
    let mut plain = decode(once.as_bytes(), false)
        .to_ascii_lowercase()
        .replace('\\', "/");
    while plain.contains("//") {
        plain = plain.replace("//", "/");
    }
    has_plain_part(&plain, parts)
}

fn has_plain_part(plain: &str, parts: &[String]) -> bool {
    parts.iter().filter(|part| part.len() <= plain.len()).any(|part| {
        plain.match_indices(part.as_str()).any(|(at, part)| {
            let after = plain[at + part.len()..].chars().next();
            part.ends_with('/') || after.is_none_or(|letter| !letter.is_alphanumeric())
        })
    })
}

#[cfg(test)]
mod tests;
