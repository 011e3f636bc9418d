//! Clients that do not behave: one that hardly reads, one that leaves while it sends, one with a key that nobody has issued.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use claude_code_proxy::domain::AccessKey;
use http::Method;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::ask::judged;
use super::{Case, Ending, Head, Life};
use crate::{sse, try_get};

/// What the kernel keeps for a client that hardly reads, so that the proxy has to wait for it.
const SMALL_BUFFER: u32 = 4096;
/// How long such a client waits between two pieces.
const LOOKS_AWAY: Duration = Duration::from_millis(30);

/// A key that looks like one and is none.
pub(super) async fn wrong_key(case: &Case, life: &Life) -> Ending {
    let key = AccessKey::generate().unwrap();
    let request = life.stranger.request(Method::POST, &format!("/ak/{}/v1/messages", key.expose()));
    // Who is refused before all is sent must not send the next request over the same connection.
    let request = request.header("content-type", "application/json").header("connection", "close");
    match try_get(request.body(case.body())).await {
        // The other is for the time when the database cannot be asked.
        Ok(got) if matches!(got.status, 403 | 503) => Ending::Free,
        Ok(got) => Ending::Wrong(format!("{} to a wrong key", got.status)),
        // The answer may come before the whole of a large body has been sent.
        Err(_) if case.size > 0 => Ending::Free,
        Err(error) => Ending::Broke(error.without_url().to_string()),
    }
}

/// The head, half of the body, and then nothing more.
pub(super) async fn half_a_request(case: &Case, life: &Life) -> Ending {
    let (base, body) = (life.clients[case.key].base(), case.body());
    let path = base.trim_start_matches(&life.url);
    let head = format!(
        "POST {path}/v1/messages HTTP/1.1\r\nhost: proxy\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        life.logins[0],
        body.len()
    );
    let sent = async {
        let mut socket = TcpStream::connect(address(&life.url)).await?;
        socket.write_all(head.as_bytes()).await?;
        socket.write_all(&body.as_bytes()[..body.len() / 2]).await
    };
    match sent.await {
        Ok(()) => Ending::Free,
        Err(error) => Ending::Broke(error.to_string()),
    }
}

/// Reads the answer to its end, slowly.
pub(super) async fn read_slowly(case: &Case, request: reqwest::Request, head: &mut Option<Head>) -> Ending {
    match read(request, head).await {
        Ok(got) => {
            let mut events = sse::decode(&String::from_utf8_lossy(&got));
            events.retain(|event| event.name != "ping");
            judged(case, &events)
        }
        Err(error) => Ending::Broke(error),
    }
}

async fn read(request: reqwest::Request, head: &mut Option<Head>) -> Result<Vec<u8>, String> {
    let told = |error: &dyn std::error::Error| error.to_string();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(SMALL_BUFFER).unwrap();
    let stream = socket.connect(address(request.url().as_str())).await.map_err(|error| told(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| told(&error))?;
    // Ends with this client.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let mut sent = http::Request::post(path(request.url().as_str())).header("host", "proxy");
    sent.headers_mut().unwrap().extend(request.headers().clone());
    let body = request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice).unwrap_or_default();
    let mut response = sender.send_request(sent.body(Full::new(body)).unwrap()).await.map_err(|error| told(&error))?;
    *head = Some(Head::of(response.headers()));
    let status = response.status();
    let mut got = Vec::new();
    while let Some(frame) = response.frame().await {
        got.extend(frame.map_err(|error| told(&error))?.into_data().unwrap_or_default());
        tokio::time::sleep(LOOKS_AWAY).await;
    }
    if status == 200 { Ok(got) } else { Err(format!("{status}: {}", String::from_utf8_lossy(&got))) }
}

/// What stands behind host and port.
fn path(url: &str) -> &str {
    let after = url.trim_start_matches("http://");
    &after[after.find('/').unwrap()..]
}

/// Host and port of a URL.
fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap()
}
