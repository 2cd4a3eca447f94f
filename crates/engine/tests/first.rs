//! First.
#![allow(clippy::disallowed_methods, reason = "tests")]
use towpath_engine::process::Process;
use towpath_engine::*;
use towpath_model::desired::component::Restart;
use towpath_model::run::*;
use towpath_model::unit::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first() {
    let state = tempfile::tempdir().unwrap();
    let engine = Process::open(state.path(), env!("CARGO_BIN_EXE_towpath-nursery").into(), "test").unwrap();
    println!("{:?}", engine.limits());
    let mut changes = engine.changes().unwrap();
    let id = InstanceId::new(&Name::parse("web").unwrap(), 1);
    let start = Start {
        id: id.clone(),
        digest: "d".into(),
        command: "sh -c 'echo hello; sleep 100'".into(),
        dir: "/tmp".into(),
        env: vec![],
        files: vec![],
        port: None,
        limits: Limits {
            memory: Some(Bytes::from_mib(64)),
            cpu: None,
            pids: 50,
        },
        restart: Restart::Always,
        stop: Stop {
            signal: "TERM".into(),
            within: Duration::from_secs(5),
            drain: Duration::ZERO,
        },
        timeout: None,
        lease: None,
    };
    let t = std::time::Instant::now();
    let seen = engine.start(start.clone()).await.unwrap();
    println!("{:?} {:?}", t.elapsed(), seen);
    let pid = seen.life.pid().unwrap();
    for i in 0..3 {
        let t = std::time::Instant::now();
        let Some(Life::Running { pid }) = engine.observe().await.unwrap().pop().map(|s| s.life) else {
            panic!()
        };
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(pid as i32).unwrap(),
            rustix::process::Signal::KILL,
        )
        .unwrap();
        loop {
            let c = changes.recv().await.unwrap();
            println!("{:?} {:?}", t.elapsed(), c.life);
            if matches!(c.life, Life::Running{pid: p} if p != pid) {
                break;
            }
            if i > 0 && matches!(c.life, Life::Running{pid: p} if p != pid) {
                break;
            }
        }
    }
    println!("{:?}", engine.usage(&[id.clone()]).await);
    let t = std::time::Instant::now();
    println!(
        "{:?} {:?}",
        t.elapsed(),
        engine.stop(&id, start.stop.clone()).await.unwrap()
    );
    engine.forget(&id).await.unwrap();
    println!("{:?}", engine.observe().await.unwrap());
    let mut lines = engine.logs(LogQuery::default()).await.unwrap();
    while let Some(l) = lines.recv().await {
        println!("{l:?}");
    }
    let _ = pid;
}
