//! A connection of a visitor or a component, from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Sleep, timeout};

use crate::body::Body;
use crate::certificates::PROTOCOL;
use crate::crowd::{Outlet, Stream};
use crate::ending::{Part, Phase};
use crate::first::First;
use crate::gather::Gather;
use crate::patient::{Heads, Read, Waited};
use crate::search::Search;
use crate::state::State;
use crate::visit::{self, Entry, Visit, answer};
use crate::{Answer, Event, client, inner, pipe, proxied, shares, shown};

/// A handshake is a few packets.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);

/// The largest head of a request: cookies of one host may have some ten thousand bytes.
const LARGEST_HEAD: usize = 64 * 1024;

/// Requests of one HTTP/2 connection at once.
const STREAMS: u32 = 200;

/// What is written of an answer before its visitor reads it: what a frame has, twice. A connection has as many of these as streams.
const STREAM_BUFFER: usize = 32 * 1024;

/// A connection that has nothing to say is closed within this time, or cut off.
const GOODBYE: Duration = Duration::from_secs(1);

/// Whether a silent HTTP/2 visitor is still there is asked so often.
const PING: Duration = Duration::from_secs(30);

/// The first byte of a TLS connection: a handshake record.
pub(crate) const TLS: u8 = 0x16;

/// Serves a connection until it ends.
pub(crate) async fn connection(
    state: Arc<State>,
    stream: TcpStream,
    from: SocketAddr,
    entry: Entry,
    part: Part,
) {
    if let Entry::Inside(port) = entry
        && inner::is_at(&state, port)
    {
        return Box::pin(inner::connection(state, stream, (from, port), part)).await;
    }
    if let Entry::Inside(port) = entry
        && is_raw(&state, port)
    {
        return Box::pin(relay(&state, port, stream, part)).await;
    }
    let facing = match entry {
        Entry::Inside(_) => None,
        Entry::Https | Entry::Http => Some(state.trust.certificates.facing()),
    };
    let forwards = facing.filter(|facing| facing.believes(from.ip()));
    let begins = async {
        match &forwards {
            Some(facing) if facing.front.proxy_protocol => {
                let (stream, from) = proxied::read(stream, from).await?;
                Some((stream.more(tells).await?, from))
            }
            _ => Some((First::of(stream, tells).await?, from)),
        }
    };
    let Ok(Some((stream, from))) = timeout(state.patience.head, begins).await else {
        return;
    };
    let forwards = forwards.filter(|facing| facing.believes(from.ip()));
    let visit = |secure| Visit::new(entry, from, secure).by_way_of(forwards);
    if matches!(entry, Entry::Https) && stream.bytes().first() == Some(&TLS) {
        return Box::pin(encrypted(state, visit(true), stream, part)).await;
    }
    let version = if stream.bytes().starts_with(b"PRI") {
        Version::HTTP_2
    } else {
        Version::HTTP_11
    };
    requests(state, visit(false), stream, version, part).await;
}

/// Serves a connection that begins with a handshake. It stands by itself, so that a plain one does not carry the room for it.
async fn encrypted(state: Arc<State>, visit: Visit, stream: First<TcpStream>, part: Part) {
    let tls = match state.trust.acceptor().await {
        Ok(tls) => tls,
        Err(error) => return state.tell(Event::Untrusted(error.to_string())),
    };
    let within = HANDSHAKE.min(state.patience.head);
    let Ok(Ok((stream, shown))) = timeout(within, shown::accept(&state, &tls, stream)).await else {
        return;
    };
    let version = match stream.get_ref().1.alpn_protocol() {
        // An authority has seen what it wanted to see.
        Some(PROTOCOL) => return,
        Some(b"h2") => Version::HTTP_2,
        _ => Version::HTTP_11,
    };
    drop(tls);
    Box::pin(requests(state, visit.showing(shown), stream, version, part)).await;
}

/// Whether the first bytes tell TLS, HTTP/2 and HTTP/1.1 apart. A visitor may send its first word letter by letter.
pub(crate) fn tells(first: &[u8]) -> bool {
    !first.is_empty() && (first.len() >= 3 || !b"PRI".starts_with(first))
}

/// Serves the requests of a connection.
pub(crate) async fn requests<S>(state: Arc<State>, visit: Visit, stream: S, version: Version, part: Part)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let patience = state.patience;
    let outlet = Arc::clone(&visit.outlet);
    let stream = Read::new(
        stream,
        patience.reading,
        Arc::clone(&outlet),
        visit.is_encrypted(),
    );
    let over = visit.until().map(|until| Box::pin(tokio::time::sleep(until)));
    let mut ends = Ends { part, over };
    let visit = Arc::new(visit);
    let heads = Heads::new(patience.head);
    let waited_for = Arc::clone(&heads);
    let service = service_fn(move |request: Request<Incoming>| {
        let (state, visit) = (Arc::clone(&state), Arc::clone(&visit));
        let turn = (version == Version::HTTP_11).then(|| waited_for.came(!request.body().is_end_stream()));
        async move {
            let ending = Arc::clone(&state.ending);
            let stream = (version == Version::HTTP_2).then(Stream::open);
            if matches!(stream, Some(None)) {
                return Ok(visit::crowded(&request));
            }
            let mut answered = pin!(answer(state, visit, request)).await;
            if let (Some(Some(stream)), Ok(answered)) = (stream, &mut answered) {
                answered.body_mut().is_on(stream);
            }
            if let (Some(turn), Ok(answered)) = (turn, &mut answered) {
                answered.body_mut().has_turn(turn);
                if ending.is_leaving() {
                    say_goodbye(answered);
                }
            }
            answered
        }
    });
    if version == Version::HTTP_2 {
        return Box::pin(side_by_side(stream, service, ends)).await;
    }
    let mut stream = First::again(Bytes::new(), stream);
    while let Some(done) = Box::pin(in_turn(stream, service.clone(), (&heads, &outlet), &mut ends)).await {
        match rest(done, &heads, &mut ends).await {
            Some(more) => stream = more,
            None => return,
        }
    }
}

/// What ends a connection though its visitor would go on.
struct Ends {
    part: Part,
    /// What its visitor has shown holds no more.
    over: Option<Pin<Box<Sleep>>>,
}

/// Serves requests that come one beside the other.
async fn side_by_side<S, V>(stream: S, service: V, mut ends: Ends)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    V: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>,
{
    // Each request becomes a task, and what becomes one is moved several times on its way there.
    let service = service_fn(|request| Box::pin(service.call(request)));
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .max_concurrent_streams(STREAMS)
        .max_send_buf_size(STREAM_BUFFER)
        .max_header_list_size(LARGEST_HEAD as u32)
        .serve_connection(TokioIo::new(Gather::new(stream)), service);
    let mut connection = pin!(connection);
    // An error of a connection is the visitor's: it went away, or sent what is no HTTP and has been told so.
    tokio::select! {
        _ = connection.as_mut() => return,
        // It is told which requests are still answered here, and brings the next ones elsewhere.
        () = ends.part.reached(Phase::Leaving) => connection.as_mut().graceful_shutdown(),
        () = passes(&mut ends.over), if ends.over.is_some() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = ends.part.reached(Phase::Over) => {}
    }
}

/// Serves requests that come one after the other, until the connection ends, or none has come for a while: then it is given back.
async fn in_turn<S, V>(
    stream: First<S>,
    service: V,
    (heads, outlet): (&Heads, &Outlet),
    ends: &mut Ends,
) -> Option<First<S>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    V: HttpService<Incoming, ResBody = Body, Error = Infallible>,
{
    let mut connection = http1::Builder::new()
        .max_header_size(LARGEST_HEAD)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::select! {
        _ = &mut connection => return None,
        () = ends.part.reached(Phase::Ending) => Pin::new(&mut connection).graceful_shutdown(),
        waited = heads.watch(outlet) => {
            let parts = connection.into_parts().filter(|_| waited == Waited::AWhile)?;
            let mut stream = parts.io.into_inner();
            if !parts.read_buf.is_empty() {
                // A head has begun to come.
                stream.give_back(&parts.read_buf);
            }
            return Some(stream);
        }
        () = passes(&mut ends.over), if ends.over.is_some() => Pin::new(&mut connection).graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = ends.part.reached(Phase::Over) => {}
    }
    None
}

/// Waits with nothing but the socket, until something comes from it.
async fn rest<S>(mut stream: First<S>, heads: &Heads, ends: &mut Ends) -> Option<First<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if !stream.bytes().is_empty() {
        return Some(stream);
    }
    let mut first = [0; 16];
    tokio::select! {
        read = stream.read(&mut first) => if let Ok(count @ 1..) = read {
            stream.give_back(&first[..count]);
            return Some(stream);
        },
        () = ends.part.reached(Phase::Ending) => {}
        () = heads.late() => {}
        () = passes(&mut ends.over), if ends.over.is_some() => {}
    }
    let _ = timeout(GOODBYE, stream.shutdown()).await;
    None
}

/// Waits until what its visitor has shown holds no more.
async fn passes(over: &mut Option<Pin<Box<Sleep>>>) {
    match over {
        Some(over) => over.as_mut().await,
        None => std::future::pending().await,
    }
}

/// Says with an answer that it is the last one of its connection. A connection that is idle is never closed for it: its
/// visitor may be sending the next request at that moment, and could not know whether it has been heard.
fn say_goodbye(answer: &mut Response<Body>) {
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(CONNECTION, close);
    }
}

pub(crate) fn is_raw(state: &State, port: u16) -> bool {
    state.table().inside(port).is_some_and(|aim| aim.target.raw)
}

/// Passes the bytes of a connection on to an instance, and waits for one where there is none.
pub(crate) async fn relay<S>(state: &State, port: u16, stream: S, mut part: Part)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let aim = state.table().inside(port).map(Arc::clone);
    let Some(aim) = aim.filter(|aim| matches!(aim.target.answer, Answer::Instances { .. })) else {
        return;
    };
    let _open = aim.place.open();
    let wish = shares::of_connection(&aim);
    let mut search = Search::new(state, aim, None, &wish);
    search.is_apart = true;
    let reach = async {
        loop {
            let (instance, busy) = search.next().await.ok()?;
            match instance.connect().await {
                Ok(connection) => return Some((busy, connection)),
                Err(error) => match client::lack(&error) {
                    Some(_) => {
                        state.is_exhausted(&error);
                        return None;
                    }
                    None => search.refused(&instance),
                },
            }
        }
    };
    let reached = tokio::select! {
        reached = reach => reached,
        () = part.reached(Phase::Ending) => None,
    };
    if let Some((_busy, connection)) = reached {
        pipe::raw(stream, connection, part).await;
    }
}

#[cfg(test)]
#[allow(
    unreachable_code,
    clippy::diverging_sub_expression,
    reason = "what would be served is never made, only measured"
)]
mod tests {
    use super::*;

    /// How many bytes what a function does later has.
    fn of<F: Future>(_: impl FnOnce() -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn ten_thousand_connections_that_are_idle_are_small() {
        let plain = of(|| {
            connection(
                unreachable!(),
                unreachable!(),
                unreachable!(),
                unreachable!(),
                unreachable!(),
            )
        });
        assert!(
            plain <= 4 * 1024,
            "a connection has {plain} bytes before anything is read"
        );
        let request = of(|| answer(unreachable!(), unreachable!(), unreachable!()));
        assert!(
            request <= 6 * 1024,
            "each connection keeps {request} bytes for a request"
        );
    }
}
