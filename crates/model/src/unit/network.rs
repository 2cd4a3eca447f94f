//! Addresses and networks of them, and ports.

use super::scan::bounded;
use super::{Misread, Unit};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;

/// A network of addresses: `10.0.0.0/8`, `2001:db8::/32`; one address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// The network that the address is in, with at most as many bits as the address has.
    pub fn around(address: IpAddr, prefix: u8) -> Self {
        let prefix = prefix.min(bits(address));
        Self {
            network: masked(address, prefix),
            prefix,
        }
    }

    /// The first address.
    pub const fn network(self) -> IpAddr {
        self.network
    }

    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether the address is inside; an IPv4 address in IPv6 clothes counts as what it is.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = match self.network {
            IpAddr::V4(_) => address.to_canonical(),
            IpAddr::V6(_) => address,
        };
        bits(address) == bits(self.network) && masked(address, self.prefix) == self.network
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}

impl Unit for Cidr {
    const WHAT: &'static str = "a network";
    const EXAMPLES: &'static [&'static str] = &[
        "10.0.0.0/8",
        "192.168.1.1/32",
        "2001:db8::/32",
        "0.0.0.0/0",
        "127.0.0.1",
        "::1",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.trim(), Some(prefix.trim())),
            None => (text, None),
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| Misread::new(format!("has `{address}` in it, which is no address")))?;
        let most = bits(address);
        let prefix = match prefix {
            None => most,
            Some(digits) => {
                let read = digits.parse::<u8>().ok().filter(|n| *n <= most);
                let plain = digits.bytes().all(|b| b.is_ascii_digit());
                read.filter(|_| plain).ok_or_else(|| {
                    Misread::new(format!("has `{digits}` bits, where 0 to {most} are possible"))
                        .meant(Self::around(address, most))
                })?
            }
        };
        let read = Self::around(address, prefix);
        if read.network != address {
            return Err(Misread::new("has bits of one address behind its network").meant(read));
        }
        Ok(read)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// One address: `127.0.0.1`, `::1`, or `0.0.0.0` and `::` for all that a machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ip {
    address: IpAddr,
}

impl Ip {
    pub const fn new(address: IpAddr) -> Self {
        Self { address }
    }

    pub const fn address(self) -> IpAddr {
        self.address
    }
}

impl Unit for Ip {
    const WHAT: &'static str = "an address";
    const EXAMPLES: &'static [&'static str] = &["0.0.0.0", "::", "127.0.0.1", "203.0.113.7", "2001:db8::7"];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::new(address));
        }
        let misread = Misread::new("is not an address such as 203.0.113.7 or 2001:db8::7");
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        let one_of_one = || {
            Cidr::parse(text)
                .ok()
                .filter(|net| net.prefix == bits(net.network))
        };
        Err(
            match (bare.parse::<IpAddr>(), text.parse::<SocketAddr>(), one_of_one()) {
                (Ok(address), ..) => misread.meant(address),
                (_, Ok(with_port), _) => misread.meant(with_port.ip()),
                (.., Some(network)) => misread.meant(network.network),
                _ if text == "*" => misread.meant(Ipv4Addr::UNSPECIFIED),
                _ if text == "localhost" => misread.meant(Ipv4Addr::LOCALHOST),
                _ => misread,
            },
        )
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// A port, from 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    number: NonZeroU16,
}

impl Port {
    pub const fn new(number: NonZeroU16) -> Self {
        Self { number }
    }

    pub const fn number(self) -> u16 {
        self.number.get()
    }
}

impl Unit for Port {
    const WHAT: &'static str = "a port";
    const EXAMPLES: &'static [&'static str] = &["8080", "1", "65535"];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let digits = text.strip_prefix(':').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let misread = Misread::new("is not a number from 1 to 65535");
            let tail = text
                .rsplit(':')
                .next()
                .and_then(|port| port.parse::<NonZeroU16>().ok());
            return Err(match tail {
                Some(port) => misread.meant(port),
                None => misread,
            });
        }
        match digits.parse::<NonZeroU16>() {
            Ok(port) if digits.len() == text.len() => Ok(Self::new(port)),
            Ok(port) => Err(Misread::new("has a colon in front").meant(port)),
            Err(_) => Err(Misread::new("is not from 1 to 65535")),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_no_bits_of_one_address() {
        assert_eq!(
            Cidr::parse("10.0.0.5/8").expect_err("bits").meant.as_deref(),
            Some("10.0.0.0/8")
        );
        assert_eq!(
            Cidr::parse("2001:db8::1/32").expect_err("bits").meant.as_deref(),
            Some("2001:db8::/32")
        );
        for text in [
            "10.0.0.0/33",
            "10.0.0/8",
            "x",
            "10.0.0.0/",
            "::/129",
            "10.0.0.0/+8",
        ] {
            assert!(Cidr::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_network_contains_its_addresses_and_no_others() {
        let inside = |network: &str, address: &str| {
            Cidr::parse(network)
                .expect(network)
                .contains(address.parse().expect(address))
        };
        assert!(inside("10.0.0.0/8", "10.200.0.1") && !inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("0.0.0.0/0", "1.2.3.4") && !inside("0.0.0.0/0", "::1"));
        assert!(inside("10.0.0.0/8", "::ffff:10.0.0.1") && inside("::/0", "::1"));
    }

    #[test]
    fn an_address_is_one_and_has_no_port() {
        for text in ["0.0.0.0", "::", "127.0.0.2", "2001:db8::7"] {
            assert_eq!(Ip::parse(text).map(|ip| ip.to_string()).as_deref(), Ok(text));
        }
        for (text, meant) in [
            ("[::]", Some("::")),
            ("127.0.0.1:80", Some("127.0.0.1")),
            ("[::1]:443", Some("::1")),
            ("203.0.113.7/32", Some("203.0.113.7")),
            ("*", Some("0.0.0.0")),
            ("localhost", Some("127.0.0.1")),
            ("10.0.0.0/8", None),
            ("eth0", None),
        ] {
            assert_eq!(Ip::parse(text).expect_err(text).meant.as_deref(), meant, "{text}");
        }
    }

    #[test]
    fn a_port_is_a_number_from_1_to_65535() {
        assert_eq!(Port::parse("8080").map(Port::number), Ok(8080));
        for (text, meant) in [
            (":8080", Some("8080")),
            ("localhost:3000", Some("3000")),
            ("0", None),
            ("65536", None),
            ("-1", None),
        ] {
            assert_eq!(
                Port::parse(text).expect_err(text).meant.as_deref(),
                meant,
                "{text}"
            );
        }
    }
}
