//! An edge listens on the addresses and ports that are named, on no other ones, and moves while it serves.
#![allow(clippy::disallowed_methods, reason = "sockets are real")]

mod kit;

use std::net::{IpAddr, TcpListener, TcpStream};

use towpath_edge::{EdgeError, Unheard, may_listen};
use towpath_model::run::Listen;

fn at(addresses: &[&str], https: Option<u16>) -> Listen {
    let read = |one: &&str| one.parse::<IpAddr>().expect("an address");
    Listen {
        addresses: addresses.iter().map(read).collect(),
        https,
        http: None,
    }
}

#[test]
fn what_cannot_be_listened_on_is_told_by_its_address_and_reason() {
    let somebody = TcpListener::bind("127.0.0.2:0").expect("there is a port");
    let held = somebody.local_addr().expect("it has one");
    let refused = |listen: &Listen| match may_listen(listen) {
        Err(EdgeError::Unheard { at, why }) => Some((at.to_string(), why)),
        _ => None,
    };
    let port = Some(held.port());
    assert_eq!(
        refused(&at(&["127.0.0.2"], port)),
        Some((held.to_string(), Unheard::Taken))
    );
    assert_eq!(
        refused(&at(&["127.0.0.3"], port)),
        None,
        "that is another address"
    );
    assert_eq!(refused(&at(&["127.0.0.2"], None)), None, "any port will do");
    // This network is for texts such as this one, and no machine has an address of it.
    let foreign = refused(&at(&["203.0.113.7"], port)).map(|(_, why)| why);
    assert_eq!(foreign, Some(Unheard::NotHere));
    drop(somebody);
    assert_eq!(refused(&at(&["127.0.0.2"], port)), None);
    assert!(TcpStream::connect(held).is_err(), "to look is not to listen");
}
