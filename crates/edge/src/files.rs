//! Answers with files of a folder.
//!
//! What is looked up on disk is looked up away from the threads that serve connections, in one go: where the file is, whether
//! the visitor has it already, in which coding it goes out. Small files are read in that same go, and kept: for those that are
//! asked for again the system is only asked whether they are still the same, and that it knows at once.

pub(crate) mod condition;
mod find;
mod flow;
mod packed;
pub(crate) mod path;
mod ready;
mod shelf;

use std::path::PathBuf;
use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use crate::body::Body;
use crate::pages::Page;
use crate::{Answer, Target};

use find::Found;
pub(crate) use packed::Packed;
pub use path::has_digest;
use shelf::Eyes;

/// What is asked for, and how it is to be answered.
struct Asked {
    path: path::Path,
    /// The path as it was written, with its query.
    written: String,
    headers: HeaderMap,
    is_head: bool,
    compress: bool,
    folder: PathBuf,
    fallback: Option<String>,
    assets: Duration,
    pages: Option<Duration>,
    former: Vec<PathBuf>,
}

/// Answers with a file.
pub(crate) async fn answer(packed: &Packed, target: &Target, request: &Parts) -> Response<Body> {
    let headers = &request.headers;
    if !matches!(request.method, Method::GET | Method::HEAD) {
        let words = "Files can be read with GET and HEAD.";
        let mut response =
            Page::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", words).answer(headers);
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let Some(asked) = asked(target, request) else {
        return not_found(headers);
    };
    if let Some(response) = try_at_once(&asked, packed) {
        return response.unwrap_or_else(|| not_found(headers));
    }
    let packed = packed.clone();
    let seat = packed.seat().await;
    let job = tokio::task::spawn_blocking(move || {
        let _seat = seat;
        let eyes = Eyes::patient(packed.shelf(), &asked.folder);
        look_up(&asked, &packed, &eyes)
    });
    match job.await {
        Ok(Some(response)) => response,
        _ => not_found(headers),
    }
}

/// Answers from what is kept, where that is everything that the answer needs.
fn try_at_once(asked: &Asked, packed: &Packed) -> Option<Option<Response<Body>>> {
    let eyes = Eyes::quick(packed.shelf(), &asked.folder);
    let response = look_up(asked, packed, &eyes);
    eyes.has_seen().then_some(response)
}

fn look_up(asked: &Asked, packed: &Packed, eyes: &Eyes<'_>) -> Option<Response<Body>> {
    match find::find(asked, eyes) {
        Found::File { file, status } => ready::ready(asked, (packed, eyes), file, status).ok(),
        Found::Folder => redirect(&asked.written),
        Found::Nothing => None,
    }
}

fn asked(target: &Target, request: &Parts) -> Option<Asked> {
    let Answer::Files {
        folder,
        fallback,
        assets,
        pages,
        former,
    } = &target.answer
    else {
        return None;
    };
    let written = request.uri.path_and_query()?;
    Some(Asked {
        path: path::parse(written.path())?,
        written: written.as_str().to_owned(),
        headers: request.headers.clone(),
        is_head: request.method == Method::HEAD,
        compress: target.compress,
        folder: folder.clone(),
        fallback: fallback.clone(),
        assets: *assets,
        pages: *pages,
        former: former.clone(),
    })
}

/// A folder is asked for as if it were a file: links in its page would lead beside it.
fn redirect(written: &str) -> Option<Response<Body>> {
    let location = match written.split_once('?') {
        Some((path, query)) => format!("{path}/?{query}"),
        None => format!("{written}/"),
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::try_from(location).ok()?);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    // A folder may become a file tomorrow.
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Some(response)
}

fn not_found(asked: &HeaderMap) -> Response<Body> {
    Page::new(StatusCode::NOT_FOUND, "Not found", "There is no such file.").answer(asked)
}
