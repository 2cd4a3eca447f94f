//! The host that a request is for, read from its target or its Host header.

use http::Version;
use http::header::HOST;
use http::request::Parts;

/// The host of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// As the visitor wrote it, with the port: what instances are told.
    pub(crate) written: String,
    /// In small letters, without port, brackets and last dot: what is looked up.
    pub(crate) name: String,
}

/// Why a request has no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoHost {
    /// It has none.
    Missing,
    /// It has more than one.
    Several,
    /// It is no host.
    Malformed,
}

impl NoHost {
    pub(crate) fn words(self) -> &'static str {
        match self {
            NoHost::Missing => "the request has no Host header",
            NoHost::Several => "the request has more than one Host header",
            NoHost::Malformed => "the Host header of the request is no host",
        }
    }
}

/// The host of a request, as it is written. What stands in the request's target counts more than the header (RFC 9112, 3.2.2).
pub(crate) fn written(parts: &Parts) -> Result<&str, NoHost> {
    let mut headers = parts.headers.get_all(HOST).iter();
    let header = headers.next();
    if headers.next().is_some() {
        return Err(NoHost::Several);
    }
    let header = header.map(|header| header.to_str().map_err(|_| NoHost::Malformed));
    let header = header.transpose()?;
    match (parts.uri.authority(), header) {
        (Some(authority), Some(header)) => {
            // In HTTP/2 they are one and the same, written twice (RFC 9113, 8.3.1). In HTTP/1.1 the header has to be a host
            // though it does not count.
            let is_same = authority.as_str().eq_ignore_ascii_case(header);
            if parse(header).is_err() || (parts.version == Version::HTTP_2 && !is_same) {
                return Err(NoHost::Malformed);
            }
            Ok(authority.as_str())
        }
        (Some(_), None) if parts.version == Version::HTTP_11 => Err(NoHost::Missing),
        (Some(authority), None) => Ok(authority.as_str()),
        (None, Some(header)) => Ok(header),
        (None, None) => Err(NoHost::Missing),
    }
}

/// The host as it is written.
pub(crate) fn parse(written: &str) -> Result<Host, NoHost> {
    let (name, port) = match written.strip_prefix('[') {
        Some(rest) => {
            let (name, after) = rest.split_once(']').ok_or(NoHost::Malformed)?;
            (name, after.strip_prefix(':').or((after.is_empty()).then_some("")))
        }
        None => match written.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (written, Some("")),
        },
    };
    let port = port.ok_or(NoHost::Malformed)?;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':');
    let is_sound = !name.is_empty()
        && name.len() <= 255
        && name.chars().all(is_name)
        && port.chars().all(|letter| letter.is_ascii_digit())
        && (port.is_empty() || port.parse::<u16>().is_ok());
    if !is_sound {
        return Err(NoHost::Malformed);
    }
    Ok(Host {
        written: written.to_owned(),
        name: name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_looked_up_by_its_name_alone() {
        for (written, name) in [
            ("web.hello.localhost:8443", "web.hello.localhost"),
            ("WEB.Hello.localhost", "web.hello.localhost"),
            ("web.hello.localhost.", "web.hello.localhost"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:80", "::1"),
            ("[::1]", "::1"),
            ("localhost:", "localhost"),
        ] {
            assert_eq!(
                parse(written).map(|host| host.name),
                Ok(name.to_owned()),
                "{written}"
            );
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for written in [
            "", ":80", "a b", "a/b", "[::1", "[::1]x", "a:80:80", "a:x", "a:123456", "ä", "a@b",
        ] {
            assert_eq!(parse(written), Err(NoHost::Malformed), "{written}");
        }
    }
}
