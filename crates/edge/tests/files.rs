//! Files of a folder, as a browser asks for them.
#![allow(
    clippy::disallowed_methods,
    reason = "the test makes the files that are served"
)]

mod kit;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{Method, StatusCode};
use kit::{Reply, Running, edge, host, request, with};
use tokio::io::AsyncWriteExt;
use towpath_edge::Answer;

const DAY: Duration = Duration::from_secs(86_400);

async fn site(files: &[(&str, &str)], fallback: Option<&str>) -> (Running, PathBuf) {
    let running = edge().await;
    let folder = running.folder.path().join("site");
    fs::create_dir(&folder).expect("a folder");
    for (name, text) in files {
        write(&folder, name, text);
    }
    let mut web = with(
        "web",
        Answer::Files {
            folder: folder.clone(),
            fallback: fallback.map(str::to_owned),
            assets: DAY,
            pages: None,
            former: vec![running.folder.path().join("former")],
            releases: towpath_edge::Releases::default(),
            sides: Default::default(),
        },
    );
    web.compress = true;
    running.set(web).await;
    (running, folder)
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("it is below")).expect("a folder");
    fs::write(path, text).expect("a file");
}

async fn ask(running: &Running, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    running
        .ask(request(method, &host("web"), path, headers, ""))
        .await
}

async fn get(running: &Running, path: &str) -> Reply {
    ask(running, Method::GET, path, &[]).await
}

#[tokio::test]
async fn files_have_their_kinds_and_say_how_long_they_may_be_kept() {
    let (running, _) = site(
        &[
            ("index.html", "home"),
            ("app.4f3a2b1c.js", "let a;"),
            ("picture.svg", "<svg/>"),
            ("unknown.thing", "?"),
            ("a b/ä.txt", "text"),
            (".well-known/security.txt", "safe"),
        ],
        None,
    )
    .await;
    for (path, kind, keeping) in [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
        (
            "/app.4f3a2b1c.js",
            "text/javascript; charset=utf-8",
            "public, max-age=86400, immutable",
        ),
        ("/picture.svg", "image/svg+xml", "no-cache"),
        ("/unknown.thing", "application/octet-stream", "no-cache"),
        ("/a%20b/%C3%A4.txt", "text/plain; charset=utf-8", "no-cache"),
        (
            "/.well-known/security.txt",
            "text/plain; charset=utf-8",
            "no-cache",
        ),
    ] {
        let reply = get(&running, path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert_eq!(
            (reply.header("content-type"), reply.header("cache-control")),
            (kind, keeping),
            "{path}"
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
    let refused = ask(&running, Method::POST, "/", &[]).await;
    assert_eq!(
        (refused.status, refused.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD")
    );
}

#[tokio::test]
async fn a_visitor_that_has_a_file_gets_none() {
    let (running, folder) = site(&[("a.txt", "first")], None).await;
    let first = get(&running, "/a.txt").await;
    let (tag, date) = (first.header("etag"), first.header("last-modified"));
    assert!(tag.starts_with('"'), "{tag}");
    for header in [("if-none-match", tag), ("if-modified-since", date)] {
        let again = ask(&running, Method::GET, "/a.txt", &[header]).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(again.header("etag"), tag);
    }
    write(&folder, "a.txt", "changed");
    let changed = ask(&running, Method::GET, "/a.txt", &[("if-none-match", tag)]).await;
    assert_eq!((changed.status, changed.text()), (StatusCode::OK, "changed"));
}

#[tokio::test]
async fn parts_and_heads_of_a_file_can_be_asked_for() {
    let large: Vec<u8> = (0..1_000_000_u32).map(|at| (at / 3) as u8).collect();
    let (running, folder) = site(&[("small.bin", "0123456789")], None).await;
    write(&folder, "large.bin", &large);
    for (path, size) in [("/small.bin", 10), ("/large.bin", 1_000_000)] {
        let head = ask(&running, Method::HEAD, path, &[]).await;
        let size: String = format!("{size}");
        assert_eq!(
            (head.header("content-length"), head.body.len()),
            (size.as_str(), 0)
        );
    }
    assert!(get(&running, "/large.bin").await.body == large);
    let part = ask(&running, Method::GET, "/small.bin", &[("range", "bytes=2-4")]).await;
    assert_eq!((part.status, part.text()), (StatusCode::PARTIAL_CONTENT, "234"));
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
    let part = ask(&running, Method::GET, "/large.bin", &[("range", "bytes=-500000")]).await;
    assert!(part.body == large[500_000..]);
    let outside = ask(&running, Method::GET, "/small.bin", &[("range", "bytes=10-")]).await;
    assert_eq!(
        (outside.status, outside.header("content-range")),
        (StatusCode::RANGE_NOT_SATISFIABLE, "bytes */10")
    );
    let several = ask(&running, Method::GET, "/small.bin", &[("range", "bytes=0-1,3-4")]).await;
    assert_eq!((several.status, several.text()), (StatusCode::OK, "0123456789"));
}

#[tokio::test]
async fn folders_have_an_index_and_what_is_missing_has_a_page() {
    let (running, _) = site(
        &[
            ("index.html", "home"),
            ("docs/index.html", "docs"),
            ("empty/a.txt", "a"),
            ("404.html", "lost"),
        ],
        None,
    )
    .await;
    assert_eq!(get(&running, "/docs/").await.text(), "docs");
    let moved = get(&running, "/docs?a=b").await;
    assert_eq!(
        (moved.status, moved.header("location")),
        (StatusCode::PERMANENT_REDIRECT, "/docs/?a=b")
    );
    for path in [
        "/empty/",
        "/empty",
        "/missing",
        "/missing.png",
        "/docs/index.html/",
    ] {
        let lost = get(&running, path).await;
        assert_eq!(
            (lost.status, lost.text()),
            (StatusCode::NOT_FOUND, "lost"),
            "{path}"
        );
    }
    // A way out by the name of a folder.
    assert_eq!(get(&running, "//docs").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_application_answers_for_its_pages_and_not_for_missing_files() {
    let (running, _) = site(&[("index.html", "app"), ("a.txt", "a")], Some("index.html")).await;
    for path in ["/", "/users/7", "/users/", "/users/7?tab=a"] {
        let page = get(&running, path).await;
        assert_eq!((page.status, page.text()), (StatusCode::OK, "app"), "{path}");
        assert_eq!(page.header("cache-control"), "no-cache");
    }
    assert_eq!(get(&running, "/a.txt").await.text(), "a");
    assert_eq!(get(&running, "/missing.js").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nothing_outside_of_the_folder_and_nothing_hidden_is_served() {
    let (running, folder) = site(
        &[
            ("index.html", "home"),
            (".env", "SECRET"),
            (".git/config", "SECRET"),
            ("real.txt", "real"),
        ],
        None,
    )
    .await;
    let outside = running.folder.path().join("secret.txt");
    fs::write(&outside, "SECRET").expect("a file");
    fs::create_dir(running.folder.path().join("site-beside")).expect("a folder");
    fs::write(running.folder.path().join("site-beside/a.txt"), "SECRET").expect("a file");
    symlink(&outside, folder.join("link.txt")).expect("a link");
    symlink(running.folder.path(), folder.join("up")).expect("a link");
    symlink("real.txt", folder.join("inner.txt")).expect("a link");
    symlink("loop.txt", folder.join("loop.txt")).expect("a link");
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "/a/../../secret.txt",
        "/../site-beside/a.txt",
        "/link.txt",
        "/up/secret.txt",
        "/loop.txt",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "//etc/passwd",
        "/%00",
        "/real.txt%00.html",
    ] {
        let reply = get(&running, path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!reply.text().contains("SECRET"), "{path}");
    }
    assert_eq!(
        get(&running, "/inner.txt").await.text(),
        "real",
        "a link within the folder leads on"
    );
}

#[tokio::test]
async fn texts_are_sent_in_the_coding_that_the_visitor_takes() {
    let text = "a line of text, and another one. ".repeat(200);
    let long = "a line of text, and another one. ".repeat(60_000);
    let (running, folder) = site(
        &[("a.txt", &text), ("long.txt", &long), ("short.txt", "short")],
        None,
    )
    .await;
    write(&folder, "a.png", &text);
    write(&folder, "done.js", &text);
    write(&folder, "done.js.br", "made before");
    let ask = async |method, path, accept| ask(&running, method, path, &[("accept-encoding", accept)]).await;
    for (path, plain) in [("/a.txt", &text), ("/long.txt", &long)] {
        let packed = ask(Method::GET, path, "gzip").await;
        assert_eq!(
            (packed.header("content-encoding"), packed.header("vary")),
            ("gzip", "accept-encoding")
        );
        assert!(packed.body.len() < plain.len() / 10);
        assert!(unpack(&packed.body).await == *plain, "{path}");
        let tag = packed.header("etag");
        assert_ne!(tag, ask(Method::GET, path, "").await.header("etag"));
        let headers = [("accept-encoding", "gzip"), ("if-none-match", tag)];
        let again = request(Method::GET, &host("web"), path, &headers, "");
        assert_eq!(running.ask(again).await.status, StatusCode::NOT_MODIFIED);
    }
    assert_eq!(
        ask(Method::GET, "/a.txt", "gzip, br, zstd")
            .await
            .header("content-encoding"),
        "br"
    );
    let head = ask(Method::HEAD, "/a.txt", "gzip").await;
    assert_eq!((head.header("content-encoding"), head.body.len()), ("gzip", 0));
    for path in ["/short.txt", "/a.png"] {
        assert_eq!(
            ask(Method::GET, path, "gzip, br")
                .await
                .header("content-encoding"),
            "",
            "{path}"
        );
    }
    let done = ask(Method::GET, "/done.js", "gzip, br").await;
    assert_eq!(
        (done.header("content-encoding"), done.text()),
        ("br", "made before")
    );
    let headers = [("accept-encoding", "gzip"), ("range", "bytes=0-5")];
    let part = running
        .ask(request(Method::GET, &host("web"), "/a.txt", &headers, ""))
        .await;
    assert_eq!((part.text(), part.header("content-encoding")), ("a line", ""));
}

async fn unpack(bytes: &[u8]) -> String {
    let mut decoder = async_compression::tokio::write::GzipDecoder::new(Vec::new());
    decoder.write_all(bytes).await.expect("it is whole");
    decoder.shutdown().await.expect("it is whole");
    String::from_utf8(decoder.into_inner()).expect("it is text")
}

#[tokio::test]
async fn what_a_page_from_before_the_newest_build_asks_for_is_there() {
    let (running, folder) = site(
        &[("index.html", "new"), ("app.9c8d7e6f.js", "new")],
        Some("index.html"),
    )
    .await;
    let former = running.folder.path().join("former");
    write(&former, "app.4f3a2b1c.js", "old");
    write(&former, "app.9c8d7e6f.js", "other");
    write(&former, "about.html", "old page");
    let old = get(&running, "/app.4f3a2b1c.js").await;
    assert_eq!((old.status, old.text()), (StatusCode::OK, "old"));
    assert_eq!(old.header("cache-control"), "public, max-age=86400, immutable");
    assert_eq!(
        get(&running, "/app.9c8d7e6f.js").await.text(),
        "new",
        "what is there comes first"
    );
    assert_eq!(
        get(&running, "/about.html").await.status,
        StatusCode::NOT_FOUND,
        "a page has no digest"
    );
    assert_eq!(
        get(&running, "/app.00112a3b.js").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        get(&running, "/..%2fformer/about.html").await.status,
        StatusCode::NOT_FOUND
    );
    // In the middle of a build nothing is there, and the page that is open goes on.
    fs::remove_dir_all(&folder).expect("it is there");
    assert_eq!(get(&running, "/app.4f3a2b1c.js").await.text(), "old");
}

#[tokio::test]
async fn the_same_content_has_the_same_tag_wherever_and_whenever_it_was_written() {
    let long = "a long text, again and again. ".repeat(1_000);
    let (running, folder) = site(&[("a.txt", &long), ("b.txt", &long), ("c.txt", "another")], None).await;
    let tag = async |path: &str| get(&running, path).await.header("etag").to_owned();
    let first = tag("/a.txt").await;
    assert_eq!(tag("/b.txt").await, first);
    assert_ne!(tag("/c.txt").await, first);
    write(&folder, "a.txt", &long);
    assert_eq!(
        tag("/a.txt").await,
        first,
        "a build that makes the same makes nobody load it again"
    );
    let coded = ask(&running, Method::GET, "/a.txt", &[("accept-encoding", "gzip")]).await;
    assert!(!coded.header("etag").starts_with("W/") && coded.header("etag") != first);
}
