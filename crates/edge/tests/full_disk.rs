//! No room is left on the disk, or its folder has gone: what an edge writes is lost and counted, and nobody waits for it.
#![allow(clippy::disallowed_methods, reason = "a device that is always full")]

mod kit;

use std::time::Duration;

use http::StatusCode;
use kit::{Instance, edge_with_log, target, until};
use towpath_edge::RequestLog;

#[tokio::test]
async fn a_full_disk_costs_lines_and_no_request() {
    let running = edge_with_log(|folder| {
        let path = folder.join("requests.log");
        std::os::unix::fs::symlink("/dev/full", &path).expect("it can be made");
        RequestLog::at(path)
    })
    .await;
    let one = Instance::start("one");
    running
        .set(target("web", &[("one", one.at)], Duration::from_secs(5)))
        .await;
    for _ in 0..20 {
        assert_eq!(running.get("web", "/").await.status, StatusCode::OK);
    }
    until("the loss", async || running.edge.seen().lines.lost == 20).await;
    let lines = running.edge.seen().lines;
    assert_eq!(lines.written, 0);
    assert!(
        lines
            .because
            .is_some_and(|because| because.contains("No space left")),
        "it says why"
    );
    // There is room again.
    let path = running.folder.path().join("requests.log");
    std::fs::remove_file(&path).expect("it is there");
    running.get("web", "/").await;
    until("the line", async || running.edge.seen().lines.written == 1).await;
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert!(
        text.lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{text}"
    );
    assert_eq!(text.lines().count(), 2, "what was lost, and what was not: {text}");
}
