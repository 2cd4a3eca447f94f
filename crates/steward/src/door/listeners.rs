//! Who listens on a port of this machine, as the system tells it.

use super::files;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The state of a socket that listens.
const LISTENS: &str = "0A";

/// Programs that listen for what runs in a container: it was started from here, and its port is held elsewhere.
const PROXIES: &[&str] = &["docker-proxy", "rootlessport", "rootlesskit"];

/// A process: who started it, and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    parent: u32,
    name: String,
}

/// The process that listens on a port, where it can be seen.
pub(crate) fn holder(port: u16) -> Option<(u32, String)> {
    holder_at(here(port))
}

/// The process that listens where somebody else wants to: at this address, or at all that cover it or are covered by it.
pub(crate) fn holder_at(at: SocketAddr) -> Option<(u32, String)> {
    let sockets = sockets(at);
    let mut all = processes().into_iter();
    let found = all.find(|(pid, _)| has(*pid, &sockets) == Some(true));
    found.map(|(pid, process)| match part_of(pid) {
        Some(part) => (pid, format!("{}, {part}", process.name)),
        None => (pid, process.name),
    })
}

/// What a process is of, where some Towpath has started it: another product, or the same one in another folder.
fn part_of(pid: u32) -> Option<String> {
    let env = files::read(Path::new(&format!("/proc/{pid}/environ"))).ok()?;
    let folder = files::link(Path::new(&format!("/proc/{pid}/cwd")))?;
    said_of(&String::from_utf8_lossy(&env), &folder)
}

fn said_of(env: &str, folder: &Path) -> Option<String> {
    let value = |name: &str| {
        let mut all = env.split('\0').filter_map(|line| line.split_once('='));
        all.find_map(|(known, value)| (known == name).then_some(value))
    };
    let (component, product) = (value("TOWPATH_COMPONENT")?, value("TOWPATH_PRODUCT")?);
    Some(format!(
        "which is {component} of {product} in {}",
        folder.display()
    ))
}

/// Whether whoever answers on a port is a stranger to an instance, whose first process this is: the words for it. Everything
/// that an instance has started is below its keeper, wherever it went. Whoever cannot be seen is believed.
pub(crate) fn stranger(port: u16, pid: u32) -> Option<String> {
    let sockets = sockets(here(port));
    if sockets.is_empty() || has(pid, &sockets) == Some(true) {
        return None;
    }
    let all = processes();
    let keeper = all
        .get(&pid)
        .map(|process| process.parent)
        .filter(|keeper| *keeper > 1)?;
    let is_ours = |pid: u32| is_below(&all, pid, keeper);
    let (ours, others): (Vec<u32>, Vec<u32>) = all.keys().copied().partition(|pid| is_ours(*pid));
    if ours.iter().any(|pid| has(*pid, &sockets) != Some(false)) {
        return None;
    }
    let is_proxy = |pid: &u32| {
        all.get(pid)
            .is_some_and(|process| PROXIES.contains(&process.name.as_str()))
    };
    match others.iter().find(|pid| has(**pid, &sockets) == Some(true)) {
        Some(proxy) if is_proxy(proxy) => None,
        Some(other) => {
            let name = all
                .get(other)
                .map(|process| process.name.as_str())
                .unwrap_or_default();
            Some(format!(
                "process {other} ({name}) answers on its port {port}, and nothing of its own does"
            ))
        }
        // It belongs to another user. So do those who listen for containers.
        None if others.iter().any(is_proxy) => None,
        None => Some(format!(
            "another program answers on its port {port}, and nothing of its own does"
        )),
    }
}

/// Whether a process is below another one, however deep.
fn is_below(all: &BTreeMap<u32, Process>, pid: u32, top: u32) -> bool {
    let mut at = pid;
    // Who is whose parent may change while we read; nothing is deeper than there are processes.
    for _ in 0..all.len() {
        match all.get(&at) {
            Some(process) if process.parent == top => return true,
            Some(process) if process.parent > 1 => at = process.parent,
            _ => return false,
        }
    }
    false
}

/// A port as it is reached from this machine.
fn here(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The sockets that listen there, by the numbers that the system gives them.
fn sockets(at: SocketAddr) -> BTreeSet<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let texts = tables
        .iter()
        .filter_map(|table| files::read(Path::new(table)).ok());
    texts
        .flat_map(|text| listening(&String::from_utf8_lossy(&text), at))
        .collect()
}

/// The sockets in a table that listen at an address, or at all that cover it or are covered by it.
fn listening(table: &str, at: SocketAddr) -> Vec<String> {
    let is_it = |one: &SocketAddr| {
        let meet = one.ip() == at.ip() || one.ip().is_unspecified() || at.ip().is_unspecified();
        one.port() == at.port() && meet
    };
    let all = table.lines().skip(1).filter_map(listens_at);
    all.filter(|(one, _)| is_it(one))
        .map(|(_, socket)| socket)
        .collect()
}

/// Where a line of a table listens, if it does. Addresses are words of four bytes, each as this machine keeps it.
fn listens_at(line: &str) -> Option<(SocketAddr, String)> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (address, port) = fields.get(1)?.split_once(':')?;
    if fields.get(3) != Some(&LISTENS) {
        return None;
    }
    let word = |at: usize| u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok();
    let ip: IpAddr = match address.len() {
        8 => word(0)?.to_ne_bytes().into(),
        _ => {
            let mut bytes = [0; 16];
            for at in 0..4 {
                bytes[at * 4..at * 4 + 4].copy_from_slice(&word(at)?.to_ne_bytes());
            }
            bytes.into()
        }
    };
    let at = SocketAddr::new(ip.to_canonical(), u16::from_str_radix(port, 16).ok()?);
    Some((at, format!("socket:[{}]", fields.get(9)?)))
}

/// Whether a process has one of these sockets; nothing where we may not look.
fn has(pid: u32, sockets: &BTreeSet<String>) -> Option<bool> {
    let folder = PathBuf::from(format!("/proc/{pid}/fd"));
    let open = match files::list(&folder) {
        Ok(open) => open,
        // It has ended meanwhile, and has nothing any more.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(false),
        Err(_) => return None,
    };
    let is_one = |name: &Path| {
        let link = files::link(&folder.join(name));
        link.is_some_and(|link| sockets.contains(link.to_string_lossy().as_ref()))
    };
    Some(open.iter().any(|(name, _)| is_one(Path::new(name))))
}

/// Every process of this machine.
fn processes() -> BTreeMap<u32, Process> {
    let all = files::list(Path::new("/proc")).unwrap_or_default();
    let pids = all.iter().filter_map(|(name, _)| name.to_str()?.parse().ok());
    pids.filter_map(|pid: u32| {
        let stat = files::read(Path::new(&format!("/proc/{pid}/stat"))).ok()?;
        Some((pid, process(&String::from_utf8_lossy(&stat))?))
    })
    .collect()
}

/// What the system says of a process: `7 (web) S 1 ..`. A name may have anything in it, brackets too.
fn process(stat: &str) -> Option<Process> {
    let (before, after) = stat.rsplit_once(')')?;
    Some(Process {
        name: before.split_once('(')?.1.to_owned(),
        parent: after.split_ascii_whitespace().nth(1)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_listen_where_we_connect_to_are_read_from_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1\n\
            1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 222 1\n\
            2: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 333 1\n\
            3: 0200007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 444 1\n\
            4: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 555 1\n";
        assert_eq!(listening(table, here(8080)), ["socket:[111]", "socket:[222]"]);
    }

    #[test]
    fn where_a_line_listens_is_read_as_an_address() {
        let line = |local: &str, state: &str| {
            format!("   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0 0 111 1")
        };
        for (local, wanted) in [
            ("0200007F:01BB", "127.0.0.2:443"),
            ("00000000:0050", "0.0.0.0:80"),
            ("00000000000000000000000001000000:1F90", "[::1]:8080"),
            ("0000000000000000FFFF00000100007F:1F90", "127.0.0.1:8080"),
            ("00000000000000000000000000000000:01BB", "[::]:443"),
        ] {
            let found = listens_at(&line(local, "0A")).map(|(at, socket)| (at.to_string(), socket));
            assert_eq!(found, Some((wanted.to_owned(), "socket:[111]".to_owned())));
            assert_eq!(listens_at(&line(local, "01")), None);
        }
    }

    #[test]
    fn whoever_was_started_by_a_keeper_is_below_it_however_deep() {
        let process = |parent| Process {
            parent,
            name: "it".to_owned(),
        };
        let all = BTreeMap::from([
            (7, process(1)),
            (8, process(7)),
            (9, process(8)),
            (10, process(1)),
        ]);
        assert!(is_below(&all, 8, 7) && is_below(&all, 9, 7));
        assert!(!is_below(&all, 10, 7) && !is_below(&all, 7, 7));
        assert_eq!(
            super::process("9 (a (strange) name) S 7 1 1").expect("it is one"),
            Process {
                parent: 7,
                name: "a (strange) name".to_owned()
            }
        );
    }

    #[test]
    fn a_part_of_another_product_is_told_with_its_folder() {
        let env = "PATH=/bin\0TOWPATH_PRODUCT=shop\0TOWPATH_COMPONENT=api\0";
        let folder = Path::new("/srv/shop");
        assert_eq!(
            said_of(env, folder).as_deref(),
            Some("which is api of shop in /srv/shop")
        );
        assert_eq!(said_of("PATH=/bin\0TOWPATH_PRODUCT=shop\0", folder), None);
    }

    #[test]
    fn who_holds_a_port_is_found_and_is_no_stranger_to_itself() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let port = listener.local_addr().expect("it has one").port();
        let ourselves = std::process::id();
        assert_eq!(holder(port).map(|(pid, _)| pid), Some(ourselves));
        assert_eq!(stranger(port, ourselves), None);
    }
}
