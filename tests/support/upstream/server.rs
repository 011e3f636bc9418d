//! The sockets of a scripted upstream: accepts connections and speaks HTTP/1.1 on each.

use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::RecordedRequest;
use super::script::Script;
use crate::reply::WireBody;

/// Serves until it is aborted; its connections are aborted with it.
pub(super) async fn serve(listener: TcpListener, script: Arc<Script>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (socket, _) = accepted.expect("a connection can be accepted on loopback");
                connections.spawn(converse(socket, Arc::clone(&script)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(socket: TcpStream, script: Arc<Script>) {
    let _open = script.connection_opened();
    socket.set_nodelay(true).expect("an option of every TCP socket");
    let service = service_fn(|request| Box::pin(answer(request, Arc::clone(&script))));
    // The server notices a peer who leaves, even while it has nothing to say: it reads on, and drops the reply at the end
    // of what it reads. That, and the breaks which the script asks for, are the errors here, and no one's concern.
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let socket = connection.into_parts().io.into_inner();
    if ended.is_err_and(|error| asks_for_reset(&error)) {
        // What was sent is in the peer's hands by then.
        socket.set_zero_linger().expect("an option of every TCP socket");
    }
}

/// Whether the script breaks the connection, and with a reset.
fn asks_for_reset(error: &hyper::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
}

async fn answer(request: Request<Incoming>, script: Arc<Script>) -> io::Result<Response<WireBody>> {
    let request = record(request).await.map_err(io::Error::other)?;
    script.reply_to(&request).begin().await
}

async fn record(request: Request<Incoming>) -> hyper::Result<RecordedRequest> {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), readable(value))).collect();
    Ok(RecordedRequest {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers,
        body: body.collect().await?.to_bytes(),
    })
}

fn readable(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
