//! The PROXY protocol: how somebody in front of us says who has connected to it, in the first bytes of a connection.
//!
//! It is read from those only who are said to speak it, and they have to: what begins otherwise could have been written by
//! anybody whose bytes they pass on. What is malformed or too long closes the connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::AsyncRead;

use crate::first::First;

/// The longest line of version 1, with its end.
const LINE: usize = 107;

/// How version 2 begins.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The longest header of version 2. It may carry further values, which nobody here reads.
pub(crate) const LARGEST: usize = 4 * 1024;

/// What the first bytes of a connection say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// They are not all there.
    More,
    /// It is no header.
    Wrong,
    /// The header has so many bytes, and names somebody; nobody where the one in front speaks for itself.
    Whole(usize, Option<SocketAddr>),
}

/// Reads the header of a connection, and says who has connected; nothing where it is none. `from` is who is in front.
pub(crate) async fn read<S: AsyncRead + Unpin>(
    stream: S,
    from: SocketAddr,
) -> Option<(First<S>, SocketAddr)> {
    let mut first = First::of(stream, |bytes| !matches!(said(bytes), Said::More)).await?;
    match said(first.bytes()) {
        Said::Whole(length, named) => {
            first.skip(length);
            Some((first, named.unwrap_or(from)))
        }
        Said::More | Said::Wrong => None,
    }
}

pub(crate) fn said(bytes: &[u8]) -> Said {
    let begins = |with: &[u8]| bytes.starts_with(with) || with.starts_with(bytes);
    if bytes.is_empty() {
        Said::More
    } else if begins(b"PROXY ") {
        line(bytes)
    } else if begins(SIGNATURE) {
        binary(bytes)
    } else {
        Said::Wrong
    }
}

/// Version 1: `PROXY TCP4 203.0.113.7 192.0.2.1 51000 443`.
fn line(bytes: &[u8]) -> Said {
    let end = bytes.iter().take(LINE).position(|byte| *byte == b'\n');
    let Some(end) = end else {
        return if bytes.len() < LINE {
            Said::More
        } else {
            Said::Wrong
        };
    };
    let line = bytes.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let Some(line) = line.and_then(|line| std::str::from_utf8(line).ok()) else {
        return Said::Wrong;
    };
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => Said::Whole(end + 1, None),
        ["PROXY", family, source, target, source_port, target_port] => {
            let address = |text: &str| match *family {
                "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
                "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
                _ => None,
            };
            let ports = port(source_port).zip(port(target_port));
            match (address(source).zip(address(target)), ports) {
                (Some((source, _)), Some((port, _))) => {
                    Said::Whole(end + 1, Some(SocketAddr::new(source.to_canonical(), port)))
                }
                _ => Said::Wrong,
            }
        }
        _ => Said::Wrong,
    }
}

/// A port as the protocol writes it: digits alone, and no zero in front of others.
fn port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

/// Version 2: a signature, what is meant, of which family, how long, and the addresses.
fn binary(bytes: &[u8]) -> Said {
    let Some(&[version, family, high, low]) = bytes.get(SIGNATURE.len()..).and_then(<[u8]>::first_chunk)
    else {
        return Said::More;
    };
    let begins = SIGNATURE.len() + 4;
    let whole = begins + usize::from(u16::from_be_bytes([high, low]));
    if version >> 4 != 2 || version & 0x0F > 1 || whole > LARGEST {
        return Said::Wrong;
    }
    let Some(body) = bytes.get(begins..whole) else {
        return Said::More;
    };
    if version & 0x0F == 0 {
        return Said::Whole(whole, None);
    }
    let named = match family {
        0x11 => body.first_chunk::<12>().map(|body| {
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *body;
            (IpAddr::V4(Ipv4Addr::new(a, b, c, d)), [high, low])
        }),
        0x21 => body.first_chunk::<36>().map(|body| {
            let (address, rest) = body.split_first_chunk::<16>().expect("it has 36 bytes");
            (IpAddr::V6(Ipv6Addr::from(*address)), [rest[16], rest[17]])
        }),
        // It is none of the web: whoever is in front speaks for itself.
        _ => return Said::Whole(whole, None),
    };
    match named {
        Some((address, port)) => Said::Whole(
            whole,
            Some(SocketAddr::new(address.to_canonical(), u16::from_be_bytes(port))),
        ),
        None => Said::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).expect("it is short").to_be_bytes();
        [SIGNATURE, &[0x20 | command, family][..], &length, body].concat()
    }

    fn named(said: Said) -> String {
        match said {
            Said::Whole(_, Some(address)) => address.to_string(),
            Said::Whole(_, None) => "itself".to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_first_version_names_who_has_connected() {
        for (text, expected) in [
            (
                "PROXY TCP4 203.0.113.7 192.0.2.1 51000 443\r\n",
                "203.0.113.7:51000",
            ),
            (
                "PROXY TCP6 2001:db8::7 2001:db8::1 51000 443\r\n",
                "[2001:db8::7]:51000",
            ),
            ("PROXY UNKNOWN\r\n", "itself"),
            (
                "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
                "itself",
            ),
        ] {
            let whole = said(text.as_bytes());
            assert!(
                matches!(whole, Said::Whole(length, _) if length == text.len()),
                "{text}"
            );
            assert_eq!(named(whole), expected, "{text}");
            let followed = said(format!("{text}GET / HTTP/1.1\r\n").as_bytes());
            assert_eq!(named(followed), expected, "{text}");
            for cut in 1..text.len() {
                assert_eq!(said(&text.as_bytes()[..cut]), Said::More, "{text} {cut}");
            }
        }
    }

    #[test]
    fn the_second_version_does_so_too() {
        let four = [203, 0, 113, 7, 192, 0, 2, 1, 0xC7, 0x38, 1, 187];
        let mut six = [0; 36];
        six[..4].copy_from_slice(&[0x20, 0x01, 0x0D, 0xB8]);
        six[32..34].copy_from_slice(&[0xC7, 0x38]);
        let further = [&four[..], &[0x04, 0, 1, 9]].concat();
        for (bytes, expected) in [
            (second(1, 0x11, &four), "203.0.113.7:51000"),
            (second(1, 0x11, &further), "203.0.113.7:51000"),
            (second(1, 0x21, &six), "[2001:db8::]:51000"),
            (second(0, 0x11, &four), "itself"),
            (second(0, 0, &[]), "itself"),
            (second(1, 0x31, &[0; 216]), "itself"),
        ] {
            let whole = said(&bytes);
            assert!(
                matches!(whole, Said::Whole(length, _) if length == bytes.len()),
                "{expected}"
            );
            assert_eq!(named(whole), expected);
            for cut in 1..bytes.len() {
                assert_eq!(said(&bytes[..cut]), Said::More, "{expected} {cut}");
            }
        }
    }

    #[test]
    fn what_is_malformed_is_no_header() {
        let long = format!("PROXY UNKNOWN {}", "x".repeat(200));
        let wrong: Vec<Vec<u8>> = [
            "GET / HTTP/1.1\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 51000\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 051000 443\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 +5100 443\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 70000 443\r\n",
            "PROXY TCP4 2001:db8::7 192.0.2.1 51000 443\r\n",
            "PROXY TCP4  203.0.113.7 192.0.2.1 51000 443\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 51000 443\n",
            "proxy TCP4 203.0.113.7 192.0.2.1 51000 443\r\n",
            "\u{16}\u{3}\u{1}",
            &long,
        ]
        .into_iter()
        .map(|text| text.as_bytes().to_vec())
        .chain([
            second(1, 0x11, &[0; 11]),
            second(1, 0x21, &[0; 35]),
            second(2, 0x11, &[0; 12]),
            second(1, 0x11, &[0; LARGEST]),
            [SIGNATURE, &[0x11, 0x11, 0, 0][..]].concat(),
        ])
        .collect();
        for bytes in wrong {
            assert_eq!(said(&bytes), Said::Wrong, "{}", bytes.escape_ascii());
        }
    }
}
