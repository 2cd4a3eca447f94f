//! Requests at a fixed rate, each counted from the moment at which it should have been sent.
//!
//! A generator that waits for an answer before it sends the next request asks least where it is slow (coordinated omission).
//! Here a request that finds no free connection waits, and that wait is its own.

use crate::visitor::whole;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What is sent, how often and for how long.
pub(crate) struct Rate<'a> {
    pub(crate) port: u16,
    pub(crate) request: &'a [u8],
    pub(crate) each_second: u32,
    pub(crate) connections: usize,
    pub(crate) lasts: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Timed {
    /// Microseconds, of those that were answered well; sorted.
    pub(crate) well: Vec<f64>,
    /// The same of those that were refused.
    pub(crate) refused: Vec<f64>,
    pub(crate) lost: u64,
    /// Those for which no connection had become free when the time was over.
    pub(crate) unsent: usize,
}

struct Line {
    stream: TcpStream,
    read: Vec<u8>,
    has: usize,
    /// When the request on it should have been sent.
    due: Option<Instant>,
}

/// Sends requests until the time is over, and waits for the last answers.
pub(crate) fn run(rate: &Rate<'_>) -> Result<Timed, String> {
    let failed = |why: std::io::Error| format!("a connection at a fixed rate: {why}");
    // Without it Linux lets a sleeper sleep 50 us longer.
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    let lines: std::io::Result<Vec<Line>> = (0..rate.connections).map(|_| Line::open(rate.port)).collect();
    let mut lines = lines.map_err(failed)?;
    let mut timed = Timed::default();
    let between = Duration::from_secs(1) / rate.each_second;
    let began = Instant::now();
    let (mut next, mut waiting) = (began, VecDeque::new());
    loop {
        let now = Instant::now();
        while next <= now && next < began + rate.lasts {
            waiting.push_back(next);
            next += between;
        }
        for line in lines.iter_mut().filter(|line| line.due.is_none()) {
            let Some(due) = waiting.pop_front() else { break };
            line.send(rate, due, &mut timed);
        }
        let is_busy = lines.iter().any(|line| line.due.is_some());
        let is_over = next >= began + rate.lasts;
        if now >= began + rate.lasts {
            timed.unsent += std::mem::take(&mut waiting).len();
            if !is_busy {
                break;
            }
        }
        if now > began + rate.lasts + crate::place::BOUND {
            return Err("answers at a fixed rate did not come".to_owned());
        }
        let until = if is_over {
            now + Duration::from_millis(100)
        } else {
            next
        };
        wait(&mut lines, until, rate, &mut timed)?;
    }
    timed.well.sort_by(f64::total_cmp);
    timed.refused.sort_by(f64::total_cmp);
    Ok(timed)
}

/// Waits for answers, or until it is time.
fn wait(lines: &mut [Line], until: Instant, rate: &Rate<'_>, timed: &mut Timed) -> Result<(), String> {
    let left = until.saturating_duration_since(Instant::now());
    let left = Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or_default(),
        tv_nsec: i64::from(left.subsec_nanos()),
    };
    let ready: Vec<bool> = {
        let mut asked: Vec<PollFd<'_>> = lines
            .iter()
            .map(|line| PollFd::new(&line.stream, PollFlags::IN))
            .collect();
        poll(&mut asked, Some(&left)).map_err(|why| why.to_string())?;
        asked.iter().map(|one| !one.revents().is_empty()).collect()
    };
    for (line, _) in lines.iter_mut().zip(ready).filter(|(_, is_ready)| *is_ready) {
        line.take(rate, timed);
    }
    Ok(())
}

impl Line {
    fn open(port: u16) -> std::io::Result<Line> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Line {
            stream,
            read: vec![0; 16 * 1024],
            has: 0,
            due: None,
        })
    }

    fn send(&mut self, rate: &Rate<'_>, due: Instant, timed: &mut Timed) {
        self.due = Some(due);
        // A request that does not fit into the buffer of a connection that is idle has nobody at its other end.
        let sent = self.stream.write(rate.request);
        if sent.ok() != Some(rate.request.len()) {
            self.lose(rate, timed);
        }
    }

    fn take(&mut self, rate: &Rate<'_>, timed: &mut Timed) {
        match self.stream.read(&mut self.read[self.has..]) {
            Ok(0) => return self.lose(rate, timed),
            Ok(count) => self.has += count,
            Err(why) if why.kind() == ErrorKind::WouldBlock => return,
            Err(_) => return self.lose(rate, timed),
        }
        let Some(status) = whole(&self.read[..self.has]) else {
            return;
        };
        self.has = 0;
        if let Some(due) = self.due.take() {
            let took = due.elapsed().as_secs_f64() * 1e6;
            let of = if status < 400 {
                &mut timed.well
            } else {
                &mut timed.refused
            };
            of.push(took);
        }
    }

    fn lose(&mut self, rate: &Rate<'_>, timed: &mut Timed) {
        timed.lost += u64::from(self.due.take().is_some());
        self.has = 0;
        if let Ok(line) = Line::open(rate.port) {
            *self = line;
        }
    }
}
