//! The plan and Bedrock of a measurement: this program again, as a process of its own, so that what it takes of the
//! processor is nobody else's.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::answers::{Answers, WISH, Wish};
use super::clock;
use super::pacer::Pacer;

/// The argument that makes this program the upstream.
pub(crate) const ROLE: &str = "upstream";
/// Where it tells how long each fallback took since it was asked before, in nanoseconds.
pub(crate) const FALLBACKS: &str = "/fallbacks";

const REFUSAL: &str =
    r#"{"type":"error","error":{"type":"rate_limit_error","message":"Extra usage is required for this request."}}"#;

type Body = UnsyncBoxBody<Bytes, Infallible>;

struct Upstream {
    answers: Answers,
    pacer: Pacer,
    /// When the last refusal was made; there is one client at a time that wants any.
    refused: AtomicU64,
    fallbacks: Mutex<Vec<u64>>,
}

/// Serves on a free port, which it prints, until it is ended.
pub(crate) fn run() -> ExitCode {
    let served = || -> Result<()> {
        support::process::allow_descriptors(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(serve())
    };
    match served() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            xtask::progress::failure(&error);
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<()> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    println!("{}", listener.local_addr()?);
    let upstream = Arc::new(Upstream {
        answers: Answers::new(),
        pacer: Pacer::start(),
        refused: AtomicU64::new(0),
        fallbacks: Mutex::default(),
    });
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(converse(socket, Arc::clone(&upstream)));
    }
}

async fn converse(socket: TcpStream, upstream: Arc<Upstream>) {
    if socket.set_nodelay(true).is_ok() {
        let service = service_fn(|request| upstream.answer(request));
        // Clients leave in the middle of streams; that is how those end.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
    }
}

impl Upstream {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
        let (head, mut body) = request.into_parts();
        let arrived = clock::now();
        while let Some(frame) = body.frame().await {
            frame?;
        }
        let path = head.uri.path();
        Ok(if path.starts_with("/model/") {
            self.note_fallback(arrived);
            answer(200, "application/vnd.amazon.eventstream", streamed(self.answers.frames.clone()))
        } else if path == FALLBACKS {
            answer(200, "application/json", whole(self.told_fallbacks()))
        } else if path.starts_with("/inference-profiles") {
            answer(200, "application/json", whole(r#"{"inferenceProfileSummaries":[]}"#))
        } else {
            self.of_plan(head.headers.get(WISH).and_then(|wish| Wish::of(wish.as_bytes())).unwrap_or(Wish::Json))
        })
    }

    fn of_plan(&self, wish: Wish) -> Response<Body> {
        match wish {
            Wish::Json => answer(200, "application/json", whole(self.answers.json.clone())),
            Wish::Events => answer(200, "text/event-stream; charset=utf-8", streamed(self.answers.events.clone())),
            Wish::Paced => {
                let events = stream::unfold(self.pacer.stream(), async |mut events| {
                    events.recv().await.map(|event| (event, events))
                });
                let opening = stream::iter([self.answers.opening.clone()]);
                let frames = opening.chain(events).map(|event| Ok(Frame::data(event)));
                answer(200, "text/event-stream; charset=utf-8", StreamBody::new(frames).boxed_unsync())
            }
            Wish::Refusal => {
                self.refused.store(clock::now(), Ordering::Relaxed);
                answer(429, "application/json", whole(REFUSAL))
            }
        }
    }

    fn note_fallback(&self, arrived: u64) {
        let took = arrived.saturating_sub(self.refused.load(Ordering::Relaxed));
        self.fallbacks.lock().unwrap_or_else(PoisonError::into_inner).push(took);
    }

    fn told_fallbacks(&self) -> String {
        let took = std::mem::take(&mut *self.fallbacks.lock().unwrap_or_else(PoisonError::into_inner));
        format!("{took:?}")
    }
}

fn answer(status: u16, content_type: &'static str, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    answer
}

fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

/// Each piece is a chunk of its own, as events are that a model has just made.
fn streamed(pieces: Vec<Bytes>) -> Body {
    StreamBody::new(stream::iter(pieces.into_iter().map(|piece| Ok(Frame::data(piece))))).boxed_unsync()
}
