//! The plan and Bedrock of a measurement: this program again, as a process of its own, so that what it takes of the
//! processor is nobody else's.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use super::answers::{Answers, WISH, Wish};
use super::pacer::{Format, Pacer};
use super::{clock, modelled, secured};

/// The argument that makes this program the upstream. One more is the folder for its certificate, if it shall have one.
pub(crate) const ROLE: &str = "upstream";
/// Where it tells how long each fallback took since it was asked before, in nanoseconds.
pub(crate) const FALLBACKS: &str = "/fallbacks";

const EVENTS_OF_SERVER: &str = "text/event-stream; charset=utf-8";
const FRAMES: &str = "application/vnd.amazon.eventstream";
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

/// Serves on a free port, which it prints, until it is ended; with TLS on the next one.
pub(crate) fn run() -> ExitCode {
    let served = || -> Result<()> {
        support::process::allow_descriptors(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(serve(std::env::args_os().nth(2).as_deref().map(Path::new)))
    };
    match served() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            xtask::progress::failure(&error);
            ExitCode::FAILURE
        }
    }
}

async fn serve(certificate: Option<&Path>) -> Result<()> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    println!("{}", listener.local_addr()?);
    let upstream = Arc::new(Upstream {
        answers: Answers::new(),
        pacer: Pacer::start(),
        refused: AtomicU64::new(0),
        fallbacks: Mutex::default(),
    });
    if let Some(folder) = certificate {
        let (acceptor, listener) = (secured::acceptor(folder)?, TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        println!("{}", listener.local_addr()?);
        let upstream = Arc::clone(&upstream);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, upstream) = (acceptor.clone(), Arc::clone(&upstream));
                let _ = socket.set_nodelay(true);
                tokio::spawn(async move {
                    if let Ok(socket) = acceptor.accept(socket).await {
                        converse(socket, upstream).await;
                    }
                });
            }
        });
    }
    loop {
        let (socket, _) = listener.accept().await?;
        if socket.set_nodelay(true).is_ok() {
            tokio::spawn(converse(socket, Arc::clone(&upstream)));
        }
    }
}

async fn converse(socket: impl AsyncRead + AsyncWrite + Unpin, upstream: Arc<Upstream>) {
    let service = service_fn(|request| upstream.answer(request));
    // Clients leave in the middle of streams; that is how those end.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
}

impl Upstream {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
        let (head, mut body) = request.into_parts();
        let arrived = clock::now();
        let wanted = modelled::wanted(&mut body).await?;
        let path = head.uri.path();
        let of_bedrock = path.starts_with("/model/");
        Ok(if let Some(events) = wanted {
            let (format, content_type) =
                if of_bedrock { (Format::Bedrock, FRAMES) } else { (Format::Plan, EVENTS_OF_SERVER) };
            let events = modelled::answer(&self.answers, &self.pacer, (format, events, clock::now())).await;
            answer(200, content_type, StreamBody::new(events).boxed_unsync())
        } else if path.ends_with("/count_tokens") || path.ends_with("/count-tokens") {
            let counted = if of_bedrock { r#"{"inputTokens":500}"# } else { r#"{"input_tokens":500}"# };
            answer(200, "application/json", whole(counted))
        } else if of_bedrock && path.ends_with("/invoke") {
            answer(200, "application/json", whole(self.answers.json.clone()))
        } else if of_bedrock {
            self.note_fallback(arrived);
            answer(200, FRAMES, streamed(self.answers.frames.clone()))
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
            Wish::Events => answer(200, EVENTS_OF_SERVER, streamed(self.answers.events.clone())),
            Wish::Paced => {
                let events = stream::unfold(self.pacer.stream(Format::Plan), async |mut events| {
                    events.recv().await.map(|event| (event, events))
                });
                let opening = stream::iter([self.answers.opening[Format::Plan as usize].clone()]);
                let frames = opening.chain(events).map(|event| Ok(Frame::data(event)));
                answer(200, EVENTS_OF_SERVER, StreamBody::new(frames).boxed_unsync())
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
