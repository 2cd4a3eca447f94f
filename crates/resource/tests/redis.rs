//! Redis as it really is: killed, cut short, passing, refused, filled.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(clippy::disallowed_methods, reason = "these tests start real servers")]

mod kit;

use kit::{BOUNDS, Kind, PASSWORD, Stand, is_here};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use towpath_model::Sealed;
use towpath_resource::migrate::Command;
use towpath_resource::seed::{Seed, Seeded, seed};
use towpath_resource::{ResourceError, check, look};

struct Client(BufReader<TcpStream>);

impl Client {
    fn new(stand: &Stand) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", stand.port)).unwrap();
        let mut client = Client(BufReader::new(stream));
        assert_eq!(client.say(&format!("AUTH \"{PASSWORD}\"")), "+OK");
        client
    }

    /// Says a line, and hears one; of a text, the text.
    fn say(&mut self, line: &str) -> String {
        self.0
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
            .unwrap();
        let mut hear = || {
            let mut answer = String::new();
            self.0.read_line(&mut answer).unwrap();
            answer.trim_end().to_owned()
        };
        let first = hear();
        if first.starts_with('$') && first != "$-1" {
            hear()
        } else {
            first
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_and_a_cut() {
    if !is_here(Kind::Redis) {
        return;
    }
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("the cache");
    let stand = Stand::ready(Kind::Redis, &folder);
    let mut client = Client::new(&stand);
    for number in 0..300 {
        assert_eq!(client.say(&format!("SET key:{number} {number}")), "+OK");
    }
    stand.kill();

    let stand = Stand::ready(Kind::Redis, &folder);
    assert_eq!(Client::new(&stand).say("DBSIZE"), ":300");
    stand.kill();

    // Half a command at the end, as a power cut leaves it.
    let log = folder.join("kept/appendonlydir");
    let logs = std::fs::read_dir(log).unwrap().map(|entry| entry.unwrap().path());
    let log = logs
        .filter(|path| path.to_str().unwrap().contains(".incr."))
        .max()
        .unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(log).unwrap();
    file.set_len(file.metadata().unwrap().len() - 3).unwrap();
    let stand = Stand::ready(Kind::Redis, &folder);
    assert_eq!(Client::new(&stand).say("DBSIZE"), ":299");
    stand.stop();
}

#[test]
fn what_is_not_to_survive_does_not_and_harms_nothing_that_is() {
    if !is_here(Kind::Redis) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let stand = Stand::ready(Kind::Redis, folder.path());
    assert_eq!(Client::new(&stand).say("SET a kept"), "+OK");
    stand.stop();
    for _ in 0..2 {
        let mut stand = Stand::begin(Kind::Redis, folder.path(), &[("PASSING", "yes")]);
        stand.wait();
        let mut client = Client::new(&stand);
        assert_eq!(client.say("GET a"), "$-1");
        assert_eq!(client.say("SET a passing"), "+OK");
        stand.stop();
    }
    let stand = Stand::ready(Kind::Redis, folder.path());
    assert_eq!(Client::new(&stand).say("GET a"), "kept");
    stand.stop();
}

#[tokio::test]
async fn it_wants_its_password_and_shows_it_to_nobody() {
    if !is_here(Kind::Redis) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut stand = Stand::begin(Kind::Redis, folder.path(), &[("MEMORY", "67108864")]);
    stand.wait();
    let seen = format!("/proc/{}", stand.child.id());
    for file in ["cmdline", "environ"] {
        let text = std::fs::read(format!("{seen}/{file}")).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains(PASSWORD), "{file}");
    }
    let facts = look(&stand.address(), BOUNDS.connect).await.unwrap();
    assert!(
        facts.version.contains('.') && facts.bytes > 0 && facts.connections == 0,
        "{facts:?}"
    );
    let wrong = Sealed::new(stand.address().open().replace("word", "sword"));
    let refused = check(&wrong, None, BOUNDS.connect).await.unwrap_err();
    assert!(matches!(&refused, ResourceError::Refused { .. }), "{refused:?}");
    let other = check(&stand.address(), Some("1"), BOUNDS.connect)
        .await
        .unwrap_err();
    assert!(matches!(&other, ResourceError::Version { .. }), "{other:?}");

    let mut command = kit::command(Kind::Redis, kit::program(), folder.path(), kit::free_port());
    let told = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(told.contains("is in use"), "{told}");
    stand.stop();

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let command = kit::command(Kind::Redis, kit::program(), folder.path(), port);
    let told = Stand::of(Kind::Redis, command, folder.path(), port).refusal();
    assert!(
        told.contains(&format!("port {port} of 127.0.0.1 is taken")),
        "{told}"
    );
    let told = Stand::begin(Kind::Redis, folder.path(), &[("VERSION", "1")]).refusal();
    assert!(told.contains("Redis 1 is wanted, and only "), "{told}");
}

#[tokio::test]
async fn a_store_is_filled_once() {
    if !is_here(Kind::Redis) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let stand = Stand::ready(Kind::Redis, folder.path());
    let address = stand.address();
    let mut lines = Vec::new();
    let mut tell = |line: &str| lines.push(line.to_owned());
    let file = |text: &str| Seed::File {
        name: "seed.redis".to_owned(),
        text: text.to_owned(),
    };
    let wrong = seed(&address, &file("SET a 1\nSETT b 2"), BOUNDS, &mut tell)
        .await
        .unwrap_err();
    assert!(
        wrong.to_string().starts_with("seed.redis:2: ERR unknown command"),
        "{wrong}"
    );
    assert_eq!(Client::new(&stand).say("DBSIZE"), ":0");
    let wrong = seed(&address, &file("SET a 1\nLPUSH a 2"), BOUNDS, &mut tell)
        .await
        .unwrap_err();
    assert!(
        wrong.to_string().starts_with("seed.redis:2: WRONGTYPE"),
        "{wrong}"
    );
    assert_eq!(Client::new(&stand).say("DBSIZE"), ":1");
    let good = file("SET a \"one two\"\nRPUSH list 1 2 3");
    assert_eq!(
        seed(&address, &good, BOUNDS, &mut tell).await.unwrap(),
        Seeded::Now
    );
    assert_eq!(
        seed(&address, &good, BOUNDS, &mut tell).await.unwrap(),
        Seeded::Before
    );
    let mut client = Client::new(&stand);
    assert_eq!(
        (client.say("GET a").as_str(), client.say("LLEN list").as_str()),
        ("one two", ":3")
    );

    assert_eq!(client.say("FLUSHALL"), "+OK");
    let command = |line: &str| {
        Seed::Command(Command {
            line: line.to_owned(),
            folder: folder.path().to_owned(),
            environment: vec![("GREETING".to_owned(), Sealed::new("hello".to_owned()))],
        })
    };
    let failed = seed(&address, &command("exit 4"), BOUNDS, &mut tell)
        .await
        .unwrap_err();
    assert_eq!(failed.to_string(), "`exit 4` ended with exit code 4");
    let good = command("echo $GREETING; echo again >&2");
    assert_eq!(
        seed(&address, &good, BOUNDS, &mut tell).await.unwrap(),
        Seeded::Now
    );
    assert_eq!(
        seed(&address, &good, BOUNDS, &mut tell).await.unwrap(),
        Seeded::Before
    );
    lines.sort();
    assert_eq!(lines, ["again", "hello"]);
    stand.stop();
}
