//! A TCP proxy in front of an upstream that lets an answer through up to a point and then does harm.

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Harm {
    /// It is reset (RST).
    Reset,
    /// It is closed as if all had been said (FIN).
    Close,
    /// Nothing more comes, and it stays open.
    Stall,
    /// Bytes come that are no HTTP, and then the end.
    Garbage,
}

/// When it happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// Before anything was read.
    Connect,
    /// In the middle of the answer's first line.
    Head,
    /// In the middle of the answer's body.
    Body,
    /// Before the last three bytes of the answer.
    End,
}

impl Harm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Reset, Self::Close, Self::Stall, Self::Garbage];
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Connect, Self::Head, Self::Body, Self::End];
}

/// The proxy; it ends with this value.
#[derive(Debug)]
pub struct FaultProxy {
    url: String,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// Starts it in front of `upstream`, an `http://` URL without a path.
    pub async fn start(upstream: &str, harm: Harm, moment: Moment) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(pass(client, upstream.clone(), harm, moment));
            }
        });
        Self { url, task }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection, which carries one request. Errors of the peers end it, as they end any connection.
async fn pass(mut client: TcpStream, upstream: String, harm: Harm, moment: Moment) {
    if moment != Moment::Connect {
        let Some(answer) = answer_of(&mut client, &upstream).await else { return };
        let until = match moment {
            Moment::Connect | Moment::Head => 10,
            Moment::Body => usize::midpoint(head_end(&answer), answer.len()),
            Moment::End => answer.len() - 3,
        };
        if client.write_all(&answer[..until]).await.is_err() {
            return;
        }
    }
    match harm {
        Harm::Reset => drop(client.set_zero_linger()),
        Harm::Close => drop(client.shutdown().await),
        Harm::Garbage => drop(client.write_all(b"\x00\xffthis is no HTTP\r\n\r\n").await),
        Harm::Stall => {}
    }
    if harm == Harm::Stall {
        // Until the other side gives up.
        while client.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
    }
}

/// Passes the request on and reads the whole answer.
async fn answer_of(client: &mut TcpStream, upstream: &str) -> Option<BytesMut> {
    let mut server = TcpStream::connect(upstream).await.ok()?;
    let (mut answer, mut request) = (BytesMut::new(), vec![0; 16 << 10]);
    while !is_whole(&answer) {
        tokio::select! {
            read = client.read(&mut request) => {
                let read = read.ok().filter(|read| *read > 0)?;
                server.write_all(&request[..read]).await.ok()?;
            }
            read = server.read_buf(&mut answer) => {
                read.ok().filter(|read| *read > 0)?;
            }
        }
    }
    Some(answer)
}

fn head_end(answer: &[u8]) -> usize {
    answer.windows(4).position(|part| part == b"\r\n\r\n").map_or(0, |at| at + 4)
}

fn is_whole(answer: &[u8]) -> bool {
    let end = head_end(answer);
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    end > 0 && length.map_or_else(|| answer.ends_with(b"0\r\n\r\n"), |length: usize| answer.len() >= end + length)
}
