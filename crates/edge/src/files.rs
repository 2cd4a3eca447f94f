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
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use http::request::Parts;
use http::{Method, Response, StatusCode, Uri};

use crate::body::Body;
use crate::pages::Page;
use crate::table::Aim;
use crate::{Answer, Target};

use find::Found;
pub(crate) use packed::Packed;
pub use path::has_digest;
use shelf::Eyes;

/// What is asked for, and how it is to be answered.
struct Asked<'r> {
    path: path::Path,
    /// The path as it was written, with its query.
    written: &'r str,
    headers: &'r HeaderMap,
    is_head: bool,
    compress: bool,
    site: Site<'r>,
}

/// The files that a target answers with.
struct Site<'r> {
    folder: &'r Path,
    fallback: Option<&'r str>,
    assets: Duration,
    pages: Option<Duration>,
    former: &'r [PathBuf],
}

/// Answers with a file.
pub(crate) async fn answer(
    packed: &Packed,
    aim: &Arc<Aim>,
    folder: &Path,
    request: &Parts,
) -> Response<Body> {
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
    let request = (&request.method, &request.uri, headers);
    let Some(asked) = asked(&aim.target, folder, request) else {
        return not_found(headers);
    };
    if let Some(response) = try_at_once(&asked, packed) {
        return response.unwrap_or_else(|| not_found(headers));
    }
    match behind(packed.clone(), (Arc::clone(aim), folder), request).await {
        Some(response) => response,
        None => not_found(headers),
    }
}

/// Answers from what is kept, where that is everything that the answer needs.
fn try_at_once(asked: &Asked<'_>, packed: &Packed) -> Option<Option<Response<Body>>> {
    let eyes = Eyes::quick(packed.shelf(), asked.site.folder);
    let response = look_up(asked, packed, &eyes);
    eyes.has_seen().then_some(response)
}

/// Answers from the disk, away from the threads that serve connections.
async fn behind(
    packed: Packed,
    (aim, folder): (Arc<Aim>, &Path),
    (method, uri, headers): Request<'_>,
) -> Option<Response<Body>> {
    let folder = folder.to_owned();
    let (method, uri, headers) = (method.clone(), uri.clone(), headers.clone());
    let seat = packed.seat().await;
    let job = tokio::task::spawn_blocking(move || {
        let _seat = seat;
        let asked = asked(&aim.target, &folder, (&method, &uri, &headers))?;
        let eyes = Eyes::patient(packed.shelf(), asked.site.folder);
        look_up(&asked, &packed, &eyes)
    });
    job.await.ok()?
}

fn look_up(asked: &Asked<'_>, packed: &Packed, eyes: &Eyes<'_>) -> Option<Response<Body>> {
    match find::find(asked, eyes) {
        Found::File { file, status } => ready::ready(asked, (packed, eyes), file, status).ok(),
        Found::Folder => redirect(asked.written),
        Found::Nothing => None,
    }
}

/// What of a request says which file is asked for.
type Request<'r> = (&'r Method, &'r Uri, &'r HeaderMap);

fn asked<'r>(target: &'r Target, folder: &'r Path, (method, uri, headers): Request<'r>) -> Option<Asked<'r>> {
    let Answer::Files {
        fallback,
        assets,
        pages,
        former,
        ..
    } = &target.answer
    else {
        return None;
    };
    let written = uri.path_and_query()?;
    Some(Asked {
        path: path::parse(written.path())?,
        written: written.as_str(),
        headers,
        is_head: method == Method::HEAD,
        compress: target.compress,
        site: Site {
            folder,
            fallback: fallback.as_deref(),
            assets: *assets,
            pages: *pages,
            former,
        },
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
