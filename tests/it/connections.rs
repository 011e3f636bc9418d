//! Connections of clients: what they may wait for and for how long, and both versions of HTTP.

mod http2;

use std::time::{Duration, Instant};

use support::{Answer, KeyWish, Reply, Surroundings, TestApp, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Short enough to be waited for, and much longer than a request takes.
const HEAD: Duration = Duration::from_millis(200);
const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: proxy\r\n\r\n";
const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty SETTINGS frame, with which every client begins.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// The first bytes of a HEADERS frame that says it has 64 of them.
const HALF_HEADERS: &[u8] = &[0, 0, 64, 1, 5, 0, 0, 0, 1, 0x82];

async fn app() -> TestApp {
    TestApp::start_in(Surroundings::start().await.with("HEADER_TIMEOUT", format!("{}ms", HEAD.as_millis()))).await
}

/// A connection whose bytes the test writes itself.
struct Raw {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    async fn open(app: &TestApp) -> Self {
        let socket = TcpStream::connect(app.url().trim_start_matches("http://")).await.unwrap();
        Self { socket, read: Vec::new() }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads one answer with a `content-length`.
    async fn answer(&mut self) -> String {
        within("an answer", async {
            loop {
                let text = String::from_utf8_lossy(&self.read);
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                    let length: usize = length.parse().unwrap();
                    if body.len() >= length {
                        let rest = self.read.split_off(head.len() + 4 + length);
                        return String::from_utf8(std::mem::replace(&mut self.read, rest)).unwrap();
                    }
                }
                assert!(self.socket.read_buf(&mut self.read).await.unwrap() > 0, "closed after {:?}", self.read);
            }
        })
        .await
    }

    /// Waits until the proxy has closed the connection.
    async fn closed(&mut self) {
        within("the connection to be closed", async {
            // A reset is an end as well.
            while self.socket.read(&mut [0; 1024]).await.is_ok_and(|count| count > 0) {}
        })
        .await;
    }
}

/// Lets more than the time of a head pass, by the proxy's own clock.
async fn longer_than_a_head(app: &TestApp) {
    for _ in 0..2 {
        Raw::open(app).await.closed().await;
    }
}

/// B-86: a head that does not come to its end costs a connection for a short time only, wherever it stops.
#[tokio::test]
async fn a_head_that_stalls_is_given_up() {
    let app = app().await;
    let stalls: [&[&[u8]]; 6] = [
        &[],
        &[b"G"],
        &[b"GET /health HTTP/1.1\r\nhost: proxy\r\n"],
        &[&PREFACE.as_bytes()[..12]],
        &[PREFACE.as_bytes()],
        &[PREFACE.as_bytes(), SETTINGS, HALF_HEADERS],
    ];
    let all = stalls.map(async |pieces| {
        let start = Instant::now();
        let mut raw = Raw::open(&app).await;
        for piece in pieces {
            raw.send(piece).await;
        }
        raw.closed().await;
        assert!(start.elapsed() >= HEAD, "{pieces:?}");
    });
    futures_util::future::join_all(all).await;
    app.stop().await;
}

/// Slow-loris: bytes that trickle do not make the time longer, on a new connection or on one that has served.
#[tokio::test]
async fn a_head_that_trickles_is_given_up() {
    let app = app().await;
    for served in [false, true] {
        let mut raw = Raw::open(&app).await;
        if served {
            raw.send(HEALTH).await;
            assert!(raw.answer().await.starts_with("HTTP/1.1 200"));
        }
        let mut pace = Raw::open(&app).await;
        let start = Instant::now();
        within("the connection to be closed", async {
            // One byte for each answer that another connection gets.
            while raw.socket.write_all(b"x").await.is_ok() {
                pace.send(HEALTH).await;
                pace.answer().await;
            }
        })
        .await;
        assert!(start.elapsed() >= HEAD);
    }
    app.stop().await;
}

/// A load balancer keeps its connections for minutes, and answers 502 when we close one under a request of its own.
#[tokio::test]
async fn an_idle_connection_outlives_the_time_of_a_head() {
    let app = app().await;
    let mut raw = Raw::open(&app).await;
    for _ in 0..3 {
        raw.send(HEALTH).await;
        assert!(raw.answer().await.starts_with("HTTP/1.1 200"));
        longer_than_a_head(&app).await;
    }
    // Two requests at once, and a third in pieces.
    raw.send([HEALTH, HEALTH, "GET /health HT"].concat()).await;
    raw.answer().await;
    raw.answer().await;
    raw.send("TP/1.1\r\nhost: proxy\r\n\r\n").await;
    raw.answer().await;
    app.stop().await;
}

#[tokio::test]
async fn an_idle_connection_ends_after_its_own_time() {
    let app = TestApp::start_in(Surroundings::start().await.with("KEEP_ALIVE_TIMEOUT", "300ms")).await;
    let mut raw = Raw::open(&app).await;
    raw.send(HEALTH).await;
    raw.answer().await;
    let start = Instant::now();
    raw.closed().await;
    assert!(start.elapsed() >= Duration::from_millis(250));
    app.stop().await;
}

/// The time of a head is for heads: a body may come slowly, and an answer may be waited for.
#[tokio::test]
async fn bodies_and_answers_have_their_own_time() {
    let app = app().await;
    let key = app.issue(KeyWish::default()).await;
    let (open, gate) = tokio::sync::oneshot::channel::<()>();
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")).held_until(gate));
    let mut raw = Raw::open(&app).await;
    raw.send(format!(
        "POST /ak/{}/v1/messages HTTP/1.1\r\nhost: proxy\r\nx-api-key: sk-ant-x\r\ncontent-length: 4\r\n\r\n",
        key.text
    ))
    .await;
    longer_than_a_head(&app).await;
    raw.send("{  }").await;
    app.plan().next_request().await;
    longer_than_a_head(&app).await;
    open.send(()).unwrap();
    assert!(raw.answer().await.starts_with("HTTP/1.1 200"));
    app.stop().await;
}

/// A head that is on its way when the proxy is told to end is waited for, and its request served.
#[tokio::test]
async fn a_head_that_has_begun_is_served_at_shutdown() {
    let mut app = TestApp::start().await;
    let (mut new, mut served) = (Raw::open(&app).await, Raw::open(&app).await);
    served.send(HEALTH).await;
    served.answer().await;
    let (half, rest) = HEALTH.split_at(10);
    for raw in [&mut new, &mut served] {
        raw.send(half).await;
    }
    // An answer on a third connection says that the bytes before it have been read.
    let mut other = Raw::open(&app).await;
    other.send(HEALTH).await;
    other.answer().await;
    let ended = app.begin_shutdown();
    other.closed().await;
    for raw in [&mut new, &mut served] {
        raw.send(rest).await;
        let answer = raw.answer().await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("connection: close"), "{answer}");
        raw.closed().await;
    }
    within("the app to end", ended).await.unwrap();
}
