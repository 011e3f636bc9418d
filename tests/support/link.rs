//! A TCP relay in front of a server, such as PostgreSQL, which a test slows down, silences or cuts.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What becomes of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passage {
    /// They pass as they come.
    Open,
    /// Each piece waits so long.
    Slow(Duration),
    /// Those to the server pass; the answers wait until something else is said.
    NoAnswers,
    /// They wait, in both directions.
    Silent,
    /// Connections are reset, those that are there and new ones.
    Cut,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Direction {
    There,
    Back,
}

impl Passage {
    fn lets_through(self, direction: Direction) -> bool {
        match self {
            Self::Open | Self::Slow(_) => true,
            Self::NoAnswers => direction == Direction::There,
            Self::Silent | Self::Cut => false,
        }
    }
}

/// The relay. Dropping it ends every connection.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    server: watch::Sender<SocketAddr>,
    passage: watch::Sender<Passage>,
    // Held for its drop, which aborts the relay.
    _relay: JoinSet<()>,
}

impl Link {
    /// Starts in front of a server.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port on loopback");
        let address = listener.local_addr().expect("its address");
        let (server, to) = watch::channel(server);
        let (passage, state) = watch::channel(Passage::Open);
        let mut relay = JoinSet::new();
        relay.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let (client, _) = accepted.expect("a connection can be accepted on loopback");
                        let server = *to.borrow();
                        connections.spawn(carry(client, server, state.clone()));
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Self { address, server, passage, _relay: relay }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections go there.
    pub fn leads_to(&self, server: SocketAddr) {
        self.server.send_replace(server);
    }

    /// From now on this becomes of the bytes.
    pub fn set(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }
}

/// One connection. Whatever goes wrong on one side ends the other, too.
async fn carry(mut client: TcpStream, server: SocketAddr, passage: watch::Receiver<Passage>) {
    let mut cut = passage.clone();
    let carried = async {
        let Ok(mut server) = TcpStream::connect(server).await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        tokio::select! {
            () = pass(&mut from_client, &mut to_server, passage.clone(), Direction::There) => {}
            () = pass(&mut from_server, &mut to_client, passage, Direction::Back) => {}
        }
    };
    tokio::select! {
        biased;
        _ = cut.wait_for(|passage| *passage == Passage::Cut) => {}
        () = carried => return,
    }
    // An error says that it is gone already.
    let _ = client.set_zero_linger();
}

/// Passes on what comes, until either end is closed.
async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut passage: watch::Receiver<Passage>,
    direction: Direction,
) {
    let mut piece = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let Ok(now) = passage.wait_for(|passage| passage.lets_through(direction)).await.map(|now| *now) else { return };
        if let Passage::Slow(delay) = now {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
