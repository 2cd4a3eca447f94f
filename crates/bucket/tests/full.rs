//! A disk that is really full: a small file system in memory.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(
    clippy::disallowed_methods,
    reason = "this test mounts a file system and fills it"
)]

mod kit;

use kit::{Client, pattern, settings};
use std::path::Path;
use std::process::{Command, Stdio};
use tokio::net::TcpListener;
use towpath_bucket::{BucketError, look, serve};

/// A file system of its own on a folder, taken down when dropped.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn new(folder: &'a Path, size: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "towpath-test"])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Mount(folder))
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // Lazily: the thread of a closed database may hold its file for another moment.
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn fill(file: &Path) {
    let mut size = 1024 * 1024;
    let mut text = Vec::new();
    while size > 0 {
        text.resize(text.len() + size, b'x');
        if std::fs::write(file, &text).is_err() {
            text.truncate(text.len() - size);
            size /= 2;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_in_words_loses_nothing_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mount) = Mount::new(folder.path(), "12m") else {
        println!("left out: only root may mount a file system to fill");
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let inner = folder.path().join("bucket");
    let serving = tokio::spawn(serve(listener, settings(&inner), async {
        let _ = ended.await;
    }));
    kit::until_well(address.port()).await;
    let client = Client::new(address.port());
    let mut kept = 0_u64;
    let said = loop {
        let body = pattern(kept, 900_000);
        match client
            .send("PUT", &format!("/{}/key/{kept}", kit::NAME), "", body)
            .await
            .unwrap()
        {
            (200, _) => kept += 1,
            (507, said) => break String::from_utf8(said.to_vec()).unwrap(),
            (other, _) => panic!("it said {other}"),
        }
        assert!(kept < 100, "it is never full");
    };
    assert!(
        said.contains("the disk is full") && said.contains("InsufficientStorage"),
        "{said}"
    );

    // Not a byte is free: small ones are refused, too, sooner or later, and what is there can be read and listed.
    fill(&folder.path().join("ballast"));
    let mut small = 0_u64;
    while client
        .put(&format!("small/{small}"), vec![b'x'; 10_000])
        .await
        .unwrap()
        == 200
    {
        small += 1;
        assert!(small < 2000, "it is never full");
    }
    let count = usize::try_from(kept + small).unwrap();
    assert_eq!(client.keys().await.len(), count);
    for key in 0..kept {
        assert!(
            client.get(&format!("key/{key}")).await.unwrap() == pattern(key, 900_000),
            "{key}"
        );
    }
    let facts = look(address, &kit::access()).await.unwrap();
    assert_eq!(facts.objects, kept + small);

    // Nobody opens another one here, and hears why.
    let another = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusal = serve(another, settings(&folder.path().join("another")), async {})
        .await
        .unwrap_err();
    assert!(matches!(refusal, BucketError::Full { .. }), "{refusal:?}");

    std::fs::remove_file(folder.path().join("ballast")).unwrap();
    assert_eq!(client.delete("key/0").await, Some(204));
    assert_eq!(client.put("key/0", pattern(0, 900_000)).await, Some(200));
    end.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert_eq!(std::fs::read_dir(inner.join("making")).unwrap().count(), 0);
    assert_eq!(kit::files(&inner.join("content")).0, count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_has_one_server_and_only_on_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, settings(folder.path()), async {
        let _ = ended.await;
    }));
    kit::until_well(port).await;
    let another = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusal = serve(another, settings(folder.path()), async {})
        .await
        .unwrap_err();
    assert!(matches!(refusal, BucketError::Held { .. }), "{refusal:?}");
    end.send(()).unwrap();
    serving.await.unwrap().unwrap();
    let outside = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refusal = serve(outside, settings(folder.path()), async {})
        .await
        .unwrap_err();
    assert!(matches!(refusal, BucketError::Outside { .. }), "{refusal:?}");
    let again = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(again, settings(folder.path()), async {}).await.unwrap();
}

#[tokio::test]
async fn what_is_to_be_encrypted_needs_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings(folder.path());
    settings.encrypted = true;
    let refusal = serve(listener, settings, async {}).await.unwrap_err();
    assert!(matches!(refusal, BucketError::NoKey { .. }), "{refusal:?}");
}
