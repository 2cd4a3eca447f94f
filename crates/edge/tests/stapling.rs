//! Visitors get the word of an authority with its certificate: asked of a real responder, `openssl ocsp`, and seen by a real
//! visitor, `openssl s_client -status`.
#![allow(
    clippy::disallowed_methods,
    reason = "certificates are files, and openssl is a program"
)]

mod kit;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use kit::{Running, edge, until};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, SerialNumber,
};
use towpath_model::run::{Certificate, Certified, Front};

const DOMAIN: &str = "shop.example.com";

/// The number of the certificate of the domain.
const NUMBER: &str = "4D2A";

/// An authority in a folder, with what a responder of it needs.
struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new() -> Authority {
        let folder = tempfile::tempdir().expect("a folder");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "An authority");
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        let authority = Authority {
            issuer: Issuer::new(params, KeyPair::from_pem(&key.serialize_pem()).expect("a key")),
            folder,
            certificate: certificate.clone(),
        };
        authority.write("ca.pem", &certificate);
        authority.write("signer.pem", &certificate);
        authority.write("signer.key", &key.serialize_pem());
        authority.knows("V\t351231235959Z\t");
        authority
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("it can be written");
        path
    }

    /// What it says of the certificate.
    fn knows(&self, state: &str) {
        self.write("index.txt", &format!("{state}\t{NUMBER}\tunknown\t/CN=shop\n"));
        self.write("index.txt.attr", "unique_subject = no\n");
    }

    /// A certificate for the domain, with these further words in it.
    fn issues(&self, words: Vec<CustomExtension>, is_whole: bool) -> Front {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![DOMAIN.to_owned()]).expect("a name");
        params.serial_number = Some(SerialNumber::from(vec![0x4D, 0x2A]));
        params.custom_extensions = words;
        let own = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        let chain = if is_whole { own + &self.certificate } else { own };
        let files = Certificate::Files {
            chain: self.write("site.pem", &chain).display().to_string(),
            key: self.write("site.key", &key.serialize_pem()).display().to_string(),
        };
        Front {
            domains: [(DOMAIN.to_owned(), files)].into(),
            ..Front::default()
        }
    }

    /// Lets somebody answer for it, who has a certificate for these purposes.
    fn lets_answer(&self, purposes: Vec<ExtendedKeyUsagePurpose>) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.extended_key_usages = purposes;
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        self.write("signer.pem", &certificate.pem());
        self.write("signer.key", &key.serialize_pem());
    }

    /// Answers a question, as its responder does.
    fn answers(folder: &Path, question: &[u8], number: u64) -> Option<Vec<u8>> {
        let (asked, said) = (
            folder.join(format!("{number}.req")),
            folder.join(format!("{number}.resp")),
        );
        fs::write(&asked, question).ok()?;
        let ended = Command::new("openssl")
            .current_dir(folder)
            .args([
                "ocsp",
                "-index",
                "index.txt",
                "-CA",
                "ca.pem",
                "-rsigner",
                "signer.pem",
            ])
            .args(["-rkey", "signer.key", "-nmin", "60", "-reqin"])
            .arg(&asked)
            .arg("-respout")
            .arg(&said)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        ended.ok().filter(|ended| ended.success())?;
        fs::read(said).ok()
    }
}

/// Hears questions, and has them answered by an authority.
struct Responder {
    at: SocketAddr,
    asked: Arc<AtomicU64>,
}

impl Responder {
    fn of(authority: &Authority) -> Responder {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let at = listener.local_addr().expect("it has one");
        let asked = Arc::new(AtomicU64::new(0));
        let (count, folder) = (Arc::clone(&asked), authority.folder.path().to_owned());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let number = count.fetch_add(1, Ordering::Relaxed);
                let Ok(stream) = stream else { return };
                // Whoever gets no answer says so.
                let _ = answer(stream, &folder, number);
            }
        });
        Responder { at, asked }
    }

    /// The words in a certificate that lead here.
    fn words(&self) -> CustomExtension {
        let address = format!("http://{}/ask", self.at);
        let mut told = vec![0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];
        told.extend([0x86, address.len() as u8]);
        told.extend(address.as_bytes());
        let one = [&[0x30, told.len() as u8], told.as_slice()].concat();
        let all = [&[0x30, one.len() as u8], one.as_slice()].concat();
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], all)
    }
}

fn answer(mut stream: TcpStream, folder: &Path, number: u64) -> Option<()> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let question = loop {
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = head {
            let text = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = text.split("content-length: ").nth(1)?;
            let length: usize = length.lines().next()?.trim().parse().ok()?;
            if bytes.len() >= end + 4 + length {
                break bytes[end + 4..].to_vec();
            }
        }
    };
    let said = Authority::answers(folder, &question, number)?;
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", said.len());
    stream.write_all(&[head.as_bytes(), &said].concat()).ok()
}

/// `1.3.6.1.5.5.7.1.24`: the certificate demands it.
fn demand() -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], vec![0x30, 3, 2, 1, 5])
}

async fn face(running: &Running, front: Front, folder: &Path) {
    running.edge.face(front, folder.to_owned()).await;
    running.edge.look_after_certificates();
}

async fn told(running: &Running) -> Certified {
    running.edge.certificates().await.remove(0)
}

/// What is told when it was asked.
async fn stapled(running: &Running) -> Certified {
    until("the word of the authority", async || {
        told(running)
            .await
            .stapled
            .is_some_and(|one| one != "is being asked for")
    })
    .await;
    told(running).await
}

/// What a visitor is shown who asks for the word of the authority.
async fn seen(running: &Running, authority: &Authority) -> String {
    let port = running.edge.listening().https;
    let root = authority.folder.path().join("ca.pem");
    let visit = move || {
        let visited = Command::new("openssl")
            .args(["s_client", "-status", "-servername", DOMAIN, "-connect"])
            .arg(format!("127.0.0.1:{port}"))
            .arg("-CAfile")
            .arg(root)
            .stdin(Stdio::null())
            .output()
            .expect("openssl runs");
        String::from_utf8_lossy(&visited.stdout).into_owned()
    };
    tokio::task::spawn_blocking(visit).await.expect("it ends")
}

fn has_openssl() -> bool {
    let version = Command::new("openssl")
        .arg("version")
        .stdout(Stdio::null())
        .status();
    version.is_ok_and(|version| version.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_get_the_word_of_the_authority_and_it_outlives_the_edge() {
    if !has_openssl() {
        println!("left out: openssl is not here");
        return;
    }
    let (authority, first) = (Authority::new(), edge().await);
    let responder = Responder::of(&authority);
    let folder = tempfile::tempdir().expect("a folder");
    let front = authority.issues(vec![responder.words(), demand()], true);
    face(&first, front.clone(), folder.path()).await;
    let one = stapled(&first).await;
    assert!(one.stapled.is_some_and(|word| word.starts_with("holds until ")));
    assert_eq!(one.wrong, None);
    let shown = seen(&first, &authority).await;
    assert!(shown.contains("OCSP Response Status: successful"), "{shown}");
    assert!(
        shown.contains("Cert Status: good") && shown.contains("Verify return code: 0 (ok)"),
        "{shown}"
    );
    assert_eq!(responder.asked.load(Ordering::Relaxed), 1);

    // The next edge has it at once, though nobody could be asked.
    let second = edge().await;
    second.edge.face(front.clone(), folder.path().to_owned()).await;
    assert!(seen(&second, &authority).await.contains("Cert Status: good"));
    assert_eq!(responder.asked.load(Ordering::Relaxed), 1);

    // What was tampered with is not believed.
    let kept = folder.path().join(format!("word of {DOMAIN}.json"));
    let text = fs::read_to_string(&kept).expect("it is kept");
    let at = text.find("\"answer\":\"").expect("it is in there") + 200;
    let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    fs::write(&kept, format!("{}{other}{}", &text[..at], &text[at + 1..])).expect("it can be written");
    let third = edge().await;
    third.edge.face(front, folder.path().to_owned()).await;
    let shown = seen(&third, &authority).await;
    assert!(shown.contains("OCSP response: no response sent"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_not_asked_to_answer_is_not_believed_and_whoever_was_is() {
    if !has_openssl() {
        println!("left out: openssl is not here");
        return;
    }
    for (purposes, is_believed) in [
        (vec![ExtendedKeyUsagePurpose::OcspSigning], true),
        (vec![ExtendedKeyUsagePurpose::ServerAuth], false),
        (Vec::new(), false),
    ] {
        let (authority, running) = (Authority::new(), edge().await);
        authority.lets_answer(purposes);
        let responder = Responder::of(&authority);
        let folder = tempfile::tempdir().expect("a folder");
        face(
            &running,
            authority.issues(vec![responder.words()], true),
            folder.path(),
        )
        .await;
        let one = stapled(&running).await;
        let word = one.stapled.unwrap_or_default();
        assert_eq!(word.starts_with("holds until "), is_believed, "{word}");
        assert_eq!(
            word.contains("its authority has not signed"),
            !is_believed,
            "{word}"
        );
        assert_eq!(one.wrong, None, "nothing demands it");
        let shown = seen(&running, &authority).await;
        assert_eq!(
            shown.contains("OCSP response: no response sent"),
            !is_believed,
            "{shown}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_taken_back_or_demands_what_is_not_there_is_told() {
    if !has_openssl() {
        println!("left out: openssl is not here");
        return;
    }
    let authority = Authority::new();
    let responder = Responder::of(&authority);
    let of = async |words: Vec<CustomExtension>, is_whole: bool| {
        let (running, folder) = (edge().await, tempfile::tempdir().expect("a folder"));
        face(&running, authority.issues(words, is_whole), folder.path()).await;
        let one = if told(&running).await.stapled.is_some() {
            stapled(&running).await
        } else {
            told(&running).await
        };
        assert!(
            seen(&running, &authority)
                .await
                .contains("OCSP response: no response sent")
        );
        (one.stapled.unwrap_or_default(), one.wrong.unwrap_or_default())
    };
    authority.knows("R\t351231235959Z\t260101000000Z");
    let (word, wrong) = of(vec![responder.words()], true).await;
    assert!(word.contains("has taken it back"), "{word}");
    assert!(wrong.contains("browsers that ask refuse it"), "{wrong}");
    let (word, wrong) = of(vec![responder.words(), demand()], false).await;
    assert!(word.contains("does not stand below it"), "{word}");
    assert!(wrong.contains("demands to be shown with the word"), "{wrong}");
    let (word, wrong) = of(vec![demand()], true).await;
    assert!(
        word.is_empty() && wrong.contains("does not say whom to ask"),
        "{wrong}"
    );
    let asked = responder.asked.load(Ordering::Relaxed);
    let (word, wrong) = of(Vec::new(), true).await;
    assert!(word.is_empty() && wrong.is_empty(), "{word} {wrong}");
    assert_eq!(
        responder.asked.load(Ordering::Relaxed),
        asked,
        "nobody is asked for nothing"
    );
}
