//! Measures how fast a bucket takes and gives objects, beside the plain files that they could be.
//!
//! A file is written as carefully as an object is: to another name, brought to the disk, renamed, and its folder brought to
//! the disk. Both are measured in turn, round after round, so that a slow moment falls on both; the median counts.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement writes files, reads the clock, and prints what it found"
)]

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use towpath_bucket::{Access, Settings, authorization, serve};
use towpath_model::sealed::Sealed;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What is moved in a round: how many objects, how large, and how many at once.
const SUBJECTS: &[(&str, usize, usize, usize)] = &[
    ("1,000 of 1 KiB", 1000, 1024, 1),
    ("1,000 of 1 KiB, 8 at once", 1000, 1024, 8),
    ("20 of 1 MiB", 20, 1 << 20, 1),
    ("2 of 64 MiB", 2, 64 << 20, 1),
];

const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    println!("| what | | files | bucket | encrypted | bucket / files | encrypted / files |");
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
    // In the folder of the build, which is on a disk; what is temporary may be in memory.
    let folder = std::env::current_exe()?.with_file_name("bench-bucket-objects");
    let measured = measure(&folder).await;
    fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(folder: &Path) -> Result<(), Failed> {
    let files = folder.join("files");
    fs::create_dir_all(&files)?;
    let plain = start(&folder.join("plain"), false).await?;
    let sealed = start(&folder.join("sealed"), true).await?;
    for (name, count, size, at_once) in SUBJECTS {
        let body = Bytes::from(vec![b'x'; *size]);
        let mut times: [Vec<Duration>; 6] = Default::default();
        for _ in 0..ROUNDS {
            let (put, get) = move_files(&files, *count, &body, *at_once)?;
            times[0].push(put);
            times[3].push(get);
            for (at, address) in [(1, plain), (2, sealed)] {
                times[at].push(all(address, "PUT", *count, &body, *at_once).await?);
                times[at + 3].push(all(address, "GET", *count, &body, *at_once).await?);
            }
        }
        for (word, times) in ["put", "get"].into_iter().zip(times.chunks_mut(3)) {
            let [files, plain, sealed] = [0, 1, 2].map(|at| median(&mut times[at]));
            println!(
                "| {name} | {word} | {:.1} ms | {:.1} ms | {:.1} ms | {:.2} | {:.2} |",
                files * 1e3,
                plain * 1e3,
                sealed * 1e3,
                plain / files,
                sealed / files
            );
        }
    }
    Ok(())
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

fn access() -> Access {
    Access {
        key: "bench".to_owned(),
        secret: Sealed::new("bench".to_owned()),
        region: "us-east-1".to_owned(),
    }
}

async fn start(folder: &Path, encrypted: bool) -> Result<SocketAddr, Failed> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let settings = Settings {
        folder: folder.to_owned(),
        name: "bench".to_owned(),
        key: access().key,
        secret: access().secret,
        region: access().region,
        versioning: false,
        public: false,
        lifecycle: Vec::new(),
        encrypted,
        encryption_key: encrypted.then(|| Sealed::new([7; 32])),
        most: None,
    };
    tokio::spawn(serve(listener, settings, std::future::pending()));
    Ok(address)
}

/// Writes files and reads them, and says how long each took.
fn move_files(
    folder: &Path,
    count: usize,
    body: &Bytes,
    at_once: usize,
) -> Result<(Duration, Duration), Failed> {
    let begin = Instant::now();
    in_parts(count, at_once, |number| write_file(folder, number, body))?;
    let put = begin.elapsed();
    let begin = Instant::now();
    in_parts(count, at_once, |number| {
        let read = fs::read(folder.join(format!("{number}")))?;
        assert_eq!(read.len(), body.len());
        Ok(())
    })?;
    Ok((put, begin.elapsed()))
}

fn in_parts(
    count: usize,
    at_once: usize,
    each: impl Fn(usize) -> std::io::Result<()> + Sync,
) -> std::io::Result<()> {
    std::thread::scope(|scope| {
        let each = &each;
        let parts: Vec<_> = (0..at_once)
            .map(|part| scope.spawn(move || (part..count).step_by(at_once).try_for_each(each)))
            .collect();
        let joined = parts.into_iter().map(|part| part.join());
        joined.flatten().collect()
    })
}

fn write_file(folder: &Path, number: usize, body: &Bytes) -> std::io::Result<()> {
    let other = folder.join(format!("{number}.part"));
    let mut file = File::create(&other)?;
    file.write_all(body)?;
    file.sync_all()?;
    fs::rename(other, folder.join(format!("{number}")))?;
    File::open(folder)?.sync_all()
}

async fn all(
    address: SocketAddr,
    method: &'static str,
    count: usize,
    body: &Bytes,
    at_once: usize,
) -> Result<Duration, Failed> {
    let begin = Instant::now();
    let parts: Vec<_> = (0..at_once)
        .map(|part| {
            tokio::spawn(some(
                address,
                method,
                (part..count).step_by(at_once),
                body.clone(),
            ))
        })
        .collect();
    for part in parts {
        part.await??;
    }
    Ok(begin.elapsed())
}

/// Moves some objects over one connection.
async fn some(
    address: SocketAddr,
    method: &'static str,
    numbers: impl Iterator<Item = usize>,
    body: Bytes,
) -> Result<(), Failed> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    for number in numbers {
        move_object(&mut sender, address, method, number, &body).await?;
    }
    Ok(())
}

async fn move_object(
    sender: &mut SendRequest<Full<Bytes>>,
    address: SocketAddr,
    method: &'static str,
    number: usize,
    body: &Bytes,
) -> Result<(), Failed> {
    let (path, host) = (format!("/bench/{number}"), address.to_string());
    let mut request = Request::builder().method(method).uri(&path).header("host", &host);
    for (name, value) in authorization(&access(), method, &path, "", &host) {
        request = request.header(name, value);
    }
    let sent = if method == "PUT" {
        body.clone()
    } else {
        Bytes::new()
    };
    sender.ready().await?;
    let response = sender.send_request(request.body(Full::from(sent))?).await?;
    assert!(response.status().is_success(), "{}", response.status());
    let mut incoming = response.into_body();
    let mut length = 0;
    while let Some(frame) = incoming.frame().await {
        length += frame?.into_data().map_or(0, |bytes| bytes.len());
    }
    assert!(method == "PUT" || length == body.len());
    Ok(())
}
