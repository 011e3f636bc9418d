//! One scripted reply of an upstream, described before it is asked for: what to say, in which pieces, and how to end.

mod bedrock;
mod plan;
mod steps;

use std::fmt;
use std::io;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt as _};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;

pub use steps::Steps;

/// The body as the server sends it. An error in it breaks the connection.
pub(crate) type WireBody = UnsyncBoxBody<Bytes, io::Error>;

/// What a scripted upstream does with one request. Starts from one of the constructors; `with_...` refines it.
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: ReplyBody,
    gate: Option<BoxFuture<'static, ()>>,
    break_with: io::ErrorKind,
}

enum ReplyBody {
    /// Sent at once, with its length.
    Whole(Bytes),
    /// Sent piece by piece, chunked. An error breaks the connection after what was sent before.
    Pieces(BoxStream<'static, io::Result<Bytes>>),
    /// There is no answer: the connection breaks instead.
    HangUp,
}

impl Reply {
    /// An answer with that status and no body.
    pub fn new(status: u16) -> Self {
        Self::with_parts(status, ReplyBody::Whole(Bytes::new()))
    }

    /// An answer with a whole JSON body.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status).with_header("content-type", "application/json").with_body(body)
    }

    /// 200 with a body in these pieces, each written to the wire by itself, and a clean end.
    pub fn chunks<T: Into<Bytes>>(chunks: impl IntoIterator<Item = T>) -> Self {
        Self::streamed(stream::iter(collect(chunks)))
    }

    /// 200 with these pieces, after which the connection breaks: the body never ends as HTTP wants it.
    pub fn truncated<T: Into<Bytes>>(chunks: impl IntoIterator<Item = T>) -> Self {
        let pieces = stream::iter(collect(chunks)).map(Ok).chain(stream::iter([Err(broken())]));
        Self::pieces(pieces)
    }

    /// 200 with a body that is made while it is sent. It is drawn from only as fast as the peer reads.
    pub fn streamed(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self::pieces(pieces.map(Ok))
    }

    /// 200 with a body which the test sends step by step. The head of the answer goes out at once.
    pub fn stepped() -> (Self, Steps) {
        let (steps, pieces) = steps::steps();
        (Self::pieces(pieces), steps)
    }

    /// Takes the request and stays silent for as long as the peer waits.
    pub fn never_answers() -> Self {
        Self::new(200).held_until(std::future::pending::<()>())
    }

    /// Closes the connection without an answer.
    pub fn drops_connection() -> Self {
        Self::with_parts(200, ReplyBody::HangUp)
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status: StatusCode::from_u16(status).expect("a status between 100 and 999"), ..self }
    }

    /// The same with this header, in place of one of the same name.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        let value = HeaderValue::from_str(value.as_ref()).expect("a header value of visible characters");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// The same with this whole body.
    #[must_use]
    pub fn with_body(self, body: impl Into<Bytes>) -> Self {
        Self { body: ReplyBody::Whole(body.into()), ..self }
    }

    /// The same, but nothing is sent before `gate` is over, for example the receiver of a one-shot channel.
    #[must_use]
    pub fn held_until<F>(self, gate: F) -> Self
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let gate = async move { drop(gate.await) };
        Self { gate: Some(Box::pin(gate)), ..self }
    }

    /// The same, but where its connection breaks, it is reset (RST) and not closed.
    #[must_use]
    pub fn with_reset(self) -> Self {
        Self { break_with: io::ErrorKind::ConnectionReset, ..self }
    }

    /// The status that will be answered.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Waits for the gate and begins the answer. An error stands for a connection that is to be broken.
    pub(crate) async fn begin(self) -> io::Result<Response<WireBody>> {
        if let Some(gate) = self.gate {
            gate.await;
        }
        let kind = self.break_with;
        let broken = move |error| io::Error::new(kind, error);
        let body = match self.body {
            ReplyBody::Whole(bytes) => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
            ReplyBody::Pieces(pieces) => {
                let frames = pieces.map(move |piece| piece.map(Frame::data).map_err(broken));
                StreamBody::new(frames).boxed_unsync()
            }
            ReplyBody::HangUp => return Err(broken(self::broken())),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        Ok(response)
    }

    fn pieces(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        // The server writes to the wire when the body has nothing for it. This pause before every piece, and before the
        // break above all, lets out what came earlier: else it would still be in a buffer when the connection goes.
        let paced = pieces.then(|piece| async {
            tokio::task::yield_now().await;
            piece
        });
        Self::with_parts(200, ReplyBody::Pieces(paced.boxed()))
    }

    fn with_parts(status: u16, body: ReplyBody) -> Self {
        let break_with = io::ErrorKind::ConnectionAborted;
        let reply = Self { status: StatusCode::OK, headers: HeaderMap::new(), body, gate: None, break_with };
        reply.with_status(status)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

fn collect<T: Into<Bytes>>(chunks: impl IntoIterator<Item = T>) -> Vec<Bytes> {
    chunks.into_iter().map(Into::into).collect()
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the script breaks the connection here")
}
