//! A real HTTP server on loopback which records what it is asked and answers after a script.

mod recorded;
mod script;
mod server;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::patience::within;
use crate::reply::Reply;
use script::Script;

pub use recorded::RecordedRequest;

/// A scripted upstream. Each request takes the next reply that was enqueued, and if there is none, what `otherwise` says.
/// Dropping it ends the server and every connection.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    script: Arc<Script>,
    // Held for its drop, which aborts the server.
    _server: JoinSet<()>,
}

impl Upstream {
    /// Starts on a free port.
    pub async fn start() -> Self {
        Self::start_on(0).await.expect("a free port on loopback")
    }

    /// Starts on that port; 0 takes a free one.
    pub async fn start_on(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let script = Arc::new(Script::default());
        let mut server = JoinSet::new();
        server.spawn(server::serve(listener, Arc::clone(&script)));
        Ok(Self { address, script, _server: server })
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a reply to the end of the script.
    pub fn enqueue(&self, reply: Reply) {
        self.script.enqueue(reply);
    }

    /// Answers every request for which no reply is enqueued. Without it that is a 500 which says so.
    pub fn otherwise(&self, answer: impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static) {
        self.script.otherwise(Arc::new(answer));
    }

    /// Keeps no more requests: for so many of them that memory would be short.
    pub fn forget_requests(&self) {
        self.script.forget_requests();
    }

    /// How many enqueued replies nobody has taken yet.
    pub fn replies_left(&self) -> usize {
        self.script.replies_left()
    }

    /// Every request so far, in the order in which they were complete.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.script.requests()
    }

    /// The first request that this method has not given out yet; waits for it.
    pub async fn next_request(&self) -> RecordedRequest {
        within("a request to the upstream", self.script.next_request()).await
    }

    /// How many connections are open, idle ones in a client's pool included.
    pub fn open_connections(&self) -> usize {
        self.script.open_connections()
    }

    /// Waits until exactly that many connections are open.
    pub async fn until_open_connections(&self, count: usize) {
        within(&format!("{count} open connections"), self.script.until_open_connections(count)).await;
    }
}
