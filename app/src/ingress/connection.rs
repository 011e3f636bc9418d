//! One connection, HTTP/1.1 or HTTP/2 without TLS: its requests, its time-outs, its end.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, HeaderValue};
use http::{Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response};
use tokio::net::TcpStream;

use super::last_words::LastWords;
use super::server::{Service, Tasks};
use super::watched::{Watch, WatchedSocket};

/// How long a client may take to use a connection again whose last answer had begun before the shutdown.
const LINGER: Duration = Duration::from_secs(1);

/// What a connection may keep of a head, of a body that comes in, and of an answer that its client does not read yet.
///
/// A connection keeps a buffer of the size in which a body came for as long as it lives: while a stream is relayed, hyper
/// reads into it only to learn that its client leaves. By itself hyper lets it grow to 400 KiB; at 32 KiB it was still the
/// largest part of a stream's 87 KiB. Half as much means twice the system calls for a long upload.
const BUFFER: usize = 16 << 10;

/// Both ends of a connection.
#[derive(Clone)]
pub(super) struct Peers {
    pub(super) local: LocalAddr,
    pub(super) remote: RemoteAddr,
}

/// hyper serves each request of an HTTP/2 connection in a task of its own.
impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}

/// Serves a connection to its end.
pub(super) async fn run<E>(stream: TcpStream, peers: Peers, service: Arc<Service<E>>)
where
    E: Endpoint<Output = Response> + 'static,
{
    let watch = Watch::start();
    let waits = service.waits;
    let answers = service_fn(|request| {
        let (service, peers, watch) = (Arc::clone(&service), peers.clone(), watch.clone());
        // hyper keeps the room of this future as long as the connection lives; what is boxed is gone with the answer's head,
        // 7 KiB of each stream.
        Box::pin(async move { Ok::<_, Infallible>(answer(request, peers, &service, &watch).await) })
    });
    let mut builder = auto::Builder::new(service.tasks.clone());
    // Without a word hyper would take 30 s, idle connections included; see `phase.rs`.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(BUFFER);
    // A peer that leaves a frame half sent, or is gone, does not answer these pings.
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(waits.head)
        .keep_alive_timeout(waits.head * 2)
        .max_send_buf_size(BUFFER);
    let socket = TokioIo::new(WatchedSocket::new(stream, watch.clone()));
    let mut serving = std::pin::pin!(builder.serve_connection(socket, answers));

    let mut closing = std::pin::pin!(async {
        service.stages.closing.cancelled().await;
        watch.until_no_request_is_lost(LINGER).await;
    });
    let mut overstays = std::pin::pin!(watch.overstays(waits));
    let mut said_goodbye = false;
    let ended = loop {
        tokio::select! {
            // First, so that a request whose bytes are here already is seen before an idle connection is closed.
            biased;
            ended = serving.as_mut() => break ended,
            () = closing.as_mut(), if !said_goodbye => {}
            () = overstays.as_mut() => {
                if said_goodbye || !watch.phase().is_idle() {
                    tracing::debug!("a connection was closed: no request came in time");
                    return;
                }
                overstays.set(watch.overstays(waits));
            }
        }
        said_goodbye = true;
        watch.goodbye();
        serving.as_mut().graceful_shutdown();
    };
    if let Err(error) = ended {
        // Clients leave and break off all the time; the request's own line says what became of it.
        tracing::debug!(error = %describe(error.as_ref()), "a connection ended early");
    }
}

async fn answer<E>(
    request: Request<Incoming>,
    Peers { local, remote }: Peers,
    service: &Service<E>,
    watch: &Watch,
) -> http::Response<
    LastWords<impl hyper::body::Body<Data = bytes::Bytes, Error = io::Error> + use<E>, impl Send + Unpin + use<E>>,
>
where
    E: Endpoint<Output = Response> + 'static,
{
    let version = request.version();
    let serving = watch.begin(version == Version::HTTP_2);
    let response = service.routes.get_response((request, local, remote, Scheme::HTTP).into()).await;
    let (mut head, body) = http::Response::from(response).into_parts();
    if service.stages.draining.is_cancelled() && version < Version::HTTP_2 {
        // The client's next request shall open a connection, which the load balancer takes to another process.
        head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    // What the routes have left in the extensions, such as the request's place, lives as long as the body.
    let kept = (serving, std::mem::take(&mut head.extensions));
    let body = LastWords::new(body, &head.headers, service.stages.ending.clone(), kept);
    http::Response::from_parts(head, body)
}

fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    error.downcast_ref::<io::Error>().map_or_else(|| error.to_string(), |error| error.kind().to_string())
}
