//! A client that costs little: one connection, requests that are written once, answers that are looked at as they come.

use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::answers::{WISH, Wish};
use super::stage::Target;

/// What a scenario asks, over and over.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// Which answer.
    pub(crate) wish: Wish,
    /// What of the path follows the key.
    pub(crate) path: &'static str,
    /// The body of the request.
    pub(crate) body: Bytes,
}

/// Where messages are asked for.
pub(crate) const MESSAGES: &str = "/v1/messages?beta=true";

impl Ask {
    /// A request with a prompt of about this many bytes.
    pub(crate) fn new(wish: Wish, bytes: usize) -> Self {
        const LINE: &str = "fn main() { println!(\"what a developer might send\"); }\n";
        let text = serde_json::Value::from(LINE.repeat(bytes / (LINE.len() + 3) + 1));
        // In the order in which Claude Code writes it.
        let body = format!(
            r#"{{"model":"claude-opus-5-5","messages":[{{"role":"user","content":{text}}}],"max_tokens":4096,"stream":{}}}"#,
            wish != Wish::Json
        );
        Self { wish, path: MESSAGES, body: body.into() }
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    target: Target,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Opens one.
    pub(crate) async fn open(target: &Target) -> Result<Self> {
        let socket = TcpStream::connect(target.address).await?;
        socket.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        // What goes wrong there, the request is told, too.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, target: target.clone(), driver })
    }

    /// Asks in another's name from now on, at the same address.
    pub(crate) fn turn_to(&mut self, target: &Target) {
        self.target.prefix.clone_from(&target.prefix);
    }

    /// Asks, has `see` look at each piece of the answer, and waits for its end. Says when the first of them came.
    pub(crate) async fn ask(&mut self, ask: &Ask, mut see: impl FnMut(&Bytes)) -> Result<Instant> {
        let request = Request::post(format!("{}{}", self.target.prefix, ask.path))
            .header("host", self.target.address.to_string())
            .header("authorization", "Bearer sk-ant-oat01-bench")
            .header("anthropic-version", "2023-06-01")
            .header("content-type", "application/json")
            .header(WISH, ask.wish.name())
            .body(Full::new(ask.body.clone()))?;
        self.sender.ready().await?;
        let mut answer = self.sender.send_request(request).await?;
        ensure!(answer.status().is_success(), "{} answers {}", self.target.address, answer.status());
        let mut first = None;
        while let Some(frame) = answer.frame().await {
            if let Ok(piece) = frame?.into_data() {
                first.get_or_insert_with(Instant::now);
                see(&piece);
            }
        }
        Ok(first.unwrap_or_else(Instant::now))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Asks the upstream of a measurement for something that it has noted.
pub(crate) async fn noted(target: &Target, path: &str) -> Result<Bytes> {
    let mut connection = Connection::open(target).await?;
    let request = Request::get(path).header("host", target.address.to_string()).body(Full::default())?;
    let answer = connection.sender.send_request(request).await?;
    Ok(answer.into_body().collect().await?.to_bytes())
}
