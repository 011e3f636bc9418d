//! A small load balancer in front of several processes: round robin over those that are healthy, one connection to a
//! backend for each of a client's. It asks for their health when it is told to, so that a test decides when it notices.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::{http_client, within};

/// A load balancer. Dropping it ends every connection.
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    backends: Arc<Backends>,
    // Held for its drop, which aborts the server.
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct Backends(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Address and whether it was healthy when it was last asked.
    all: Vec<(String, bool)>,
    turn: usize,
}

impl Balancer {
    /// Starts in front of these, `http://127.0.0.1:PORT` each, and asks for their health.
    pub async fn start<'a>(urls: impl IntoIterator<Item = &'a str>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port on loopback");
        let address = listener.local_addr().expect("its address");
        let all = urls.into_iter().map(|url| (host(url), false)).collect();
        let backends = Arc::new(Backends(Mutex::new(State { all, turn: 0 })));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&backends)));
        let this = Self { address, backends, _server: server };
        this.poll().await;
        this
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks every backend for its health; new connections go to those that answer 200.
    pub async fn poll(&self) {
        let count = self.backends.state().all.len();
        for index in 0..count {
            let url = format!("http://{}/health", self.backends.state().all[index].0);
            let answer = within("the health of a backend", http_client().get(url).send()).await;
            self.backends.state().all[index].1 = answer.is_ok_and(|answer| answer.status() == 200);
        }
    }

    /// Puts another process into the place of one that has ended, and asks for its health.
    pub async fn replace(&self, index: usize, url: &str) {
        self.backends.state().all[index] = (host(url), false);
        self.poll().await;
    }

    /// Which backends get new connections.
    pub fn healthy(&self) -> Vec<bool> {
        self.backends.state().all.iter().map(|(_, healthy)| *healthy).collect()
    }
}

fn host(url: &str) -> String {
    url.strip_prefix("http://").expect("a URL of a process").to_owned()
}

impl Backends {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no one panics with this lock")
    }

    /// The next healthy one.
    fn next(&self) -> Option<String> {
        let mut state = self.state();
        let count = state.all.len();
        let index = (1..=count).map(|step| (state.turn + step) % count).find(|index| state.all[*index].1)?;
        state.turn = index;
        Some(state.all[index].0.clone())
    }
}

async fn serve(listener: TcpListener, backends: Arc<Backends>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.expect("a connection can be accepted on loopback");
                connections.spawn(carry(client, backends.next()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries bytes both ways. Whatever goes wrong ends the client's connection, which the test sees.
async fn carry(mut client: TcpStream, backend: Option<String>) {
    let Some(backend) = backend else { return };
    let Ok(mut server) = TcpStream::connect(backend).await else { return };
    client.set_nodelay(true).expect("an option of every TCP socket");
    server.set_nodelay(true).expect("an option of every TCP socket");
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}
