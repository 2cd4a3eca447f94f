//! Serving: connections, the two paths of our own, who may do what, and the end.

use crate::backend::Backend;
use crate::bucket::Bucket;
use crate::content::new_name;
use crate::door::Clock;
use crate::expire::{BETWEEN, expire};
use crate::{BucketError, FACTS, HEALTH, Settings};
use async_trait::async_trait;
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::host::{S3Host, VirtualHost};
use s3s::route::S3Route;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::validation::{AwsNameValidation, NameValidation};
use s3s::{Body, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// So many connections at once: far more than the components of a product open, and few enough for a small machine.
const CONNECTIONS: usize = 1024;

/// How long a request's head may take, so that nobody holds a connection by saying nothing.
const HEAD: Duration = Duration::from_secs(30);

/// The most that a request's head may have: metadata, a token, and a signed address of a long key.
const HEAD_BYTES: usize = 64 * 1024;

/// How long requests that are under way may take to the end, when it has come.
const GRACE: Duration = Duration::from_secs(8);

/// How long is waited when no connection can be taken: none of ours may be left for a moment.
const AFTER_REFUSAL: Duration = Duration::from_millis(50);

pub(crate) async fn serve(
    listener: TcpListener,
    settings: Settings,
    clock: Clock,
    until: impl Future<Output = ()>,
) -> Result<(), BucketError> {
    let named = settings.folder.display().to_string();
    let address = listener
        .local_addr()
        .map_err(|source| BucketError::of_files("listening", &named, source))?;
    if !address.ip().is_loopback() {
        let address = address.to_string();
        return Err(BucketError::Outside { address });
    }
    let bucket = Arc::new(Bucket::open(&settings, clock).await?);
    let service = service(&bucket, &settings);
    let (end, ended) = watch::channel(false);
    let ageing = tokio::spawn(age(Arc::clone(&bucket), ended.clone()));
    let connections = accept(listener, service, ended, until).await;
    let _ = end.send(true);
    finish(connections).await;
    let _ = ageing.await;
    close(bucket)
        .await
        .map_err(|why| BucketError::of("closing", &named, why.into()))
}

fn service(bucket: &Arc<Bucket>, settings: &Settings) -> S3Service {
    let mut builder = S3ServiceBuilder::new(Backend(Arc::clone(bucket)));
    builder.set_auth(Key {
        key: settings.key.clone(),
        secret: SecretKey::from(settings.secret.open().as_str()),
    });
    builder.set_access(Readable {
        public: settings.public,
    });
    builder.set_host(Named(settings.name.clone()));
    builder.set_route(Ours(Arc::clone(bucket)));
    builder.set_validation(Named(settings.name.clone()));
    builder.build()
}

/// Takes connections until the end has come.
async fn accept(
    listener: TcpListener,
    service: S3Service,
    ended: watch::Receiver<bool>,
    until: impl Future<Output = ()>,
) -> JoinSet<()> {
    let mut connections = JoinSet::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut until = pin!(until);
    loop {
        let place = tokio::select! {
            () = &mut until => return connections,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let stream = tokio::select! {
            () = &mut until => return connections,
            accepted = listener.accept() => accepted,
        };
        match stream {
            Ok((stream, _)) => {
                let (service, ended) = (service.clone(), ended.clone());
                connections.spawn(async move {
                    connection(stream, service, ended).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(AFTER_REFUSAL).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, service: S3Service, mut ended: watch::Receiver<bool>) {
    // Small answers do not wait for one another.
    let _ = stream.set_nodelay(true);
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(
            TokioIo::new(stream),
            hyper::service::service_fn(move |request| answer(service.clone(), request)),
        );
    let mut serving = pin!(serving);
    tokio::select! {
        // A client that breaks a connection off knows that it does.
        _ = serving.as_mut() => return,
        _ = ended.wait_for(|ended| *ended) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = serving.await;
}

async fn answer(service: S3Service, request: Request<Incoming>) -> io::Result<Response<Body>> {
    if request.uri().path() == HEALTH {
        return Ok(Response::new(Body::from("well\n".to_owned())));
    }
    // By itself, so that a client that goes away does not leave something half done.
    let request = request.map(Body::from);
    let answer = tokio::spawn(async move { service.call(request).await }).await;
    let mut response = match answer {
        Ok(Ok(response)) => response,
        Ok(Err(refusal)) => return Err(io::Error::other(s3s::StdError::from(refusal))),
        Err(broken) => return Err(io::Error::other(broken)),
    };
    if let Ok(name) = HeaderValue::try_from(new_name()) {
        response.headers_mut().insert("x-amz-request-id", name);
    }
    if matches!(
        response.status(),
        StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT
    ) {
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(http::header::CONTENT_TYPE);
    }
    Ok(response)
}

async fn finish(mut connections: JoinSet<()>) {
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        connections.shutdown().await;
    }
}

/// Lets go what has grown old, now and then, and at once when the clock was moved.
async fn age(bucket: Arc<Bucket>, mut ended: watch::Receiver<bool>) {
    loop {
        // What is refused now, because a disk is full, is tried again.
        let _ = expire(&bucket).await;
        tokio::select! {
            _ = ended.wait_for(|ended| *ended) => return,
            () = tokio::time::sleep(BETWEEN) => {}
            () = bucket.clock.moved() => {}
        }
    }
}

async fn close(bucket: Arc<Bucket>) -> Result<(), sqlx::Error> {
    match Arc::try_unwrap(bucket) {
        Ok(bucket) => bucket.rows.into_inner().close().await,
        // A request that was given up still has it. What it was told is kept is kept.
        Err(_) => Ok(()),
    }
}

/// The one key.
struct Key {
    key: String,
    secret: SecretKey,
}

#[async_trait]
impl S3Auth for Key {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.key {
            return Ok(self.secret.clone());
        }
        let words = "this access key is not known here";
        Err(S3Error::with_message(S3ErrorCode::InvalidAccessKeyId, words))
    }
}

/// Who has signed may do everything. Everybody else may read objects, where the bucket is public, and nothing more.
struct Readable {
    public: bool,
}

#[async_trait]
impl S3Access for Readable {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let reads = matches!(context.s3_op().name(), "GetObject" | "HeadObject");
        if context.credentials().is_some() || (self.public && reads) {
            return Ok(());
        }
        Err(S3Error::with_message(
            S3ErrorCode::AccessDenied,
            "a signature is needed",
        ))
    }
}

/// The name of the bucket, where it may stand: in the path, or before `localhost` in the name of the host.
struct Named(String);

impl S3Host for Named {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.split(':').next().unwrap_or(host);
        Ok(
            match name.strip_suffix(".localhost").filter(|bucket| *bucket == self.0) {
                Some(bucket) => VirtualHost::new("localhost").with_bucket(bucket),
                None => VirtualHost::new(name),
            },
        )
    }
}

impl NameValidation for Named {
    /// A product may call its bucket as it likes; `-` is where our own paths are.
    fn validate_bucket_name(&self, name: &str) -> bool {
        name == self.0 || name == "-" || AwsNameValidation::new().validate_bucket_name(name)
    }
}

/// What is asked with the key, and is not S3.
struct Ours(Arc<Bucket>);

#[async_trait]
impl S3Route for Ours {
    fn is_match(&self, method: &Method, uri: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        method == Method::GET && uri.path() == FACTS
    }

    async fn call(&self, _: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let facts = self.0.look().await?;
        let text = serde_json::to_string(&facts).map_err(S3Error::internal_error)?;
        let mut headers = HeaderMap::new();
        headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        Ok(S3Response::with_headers(Body::from(text), headers))
    }
}
