//! How much memory streams take, in the real process: one client that hardly reads, and two thousand that wait.
//!
//! The figures are bounds for a build without optimisation, about twice what was measured on Linux.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use claude_code_proxy::domain::RoutingStrategy;
use futures_util::future::join_all;
use futures_util::{Stream, StreamExt as _, stream};
use support::process::{ServeProcess, allow_descriptors};
use support::{Answer, Client, KeyWish, Reply, ServerEvent, Surroundings, frames, get, http_client, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

const MIB: u64 = 1 << 20;

/// A provider, and how it says an answer.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Provider {
    Plan,
    Bedrock,
}

impl Provider {
    /// The events of an answer, as this provider sends them.
    fn events(self, answer: &Answer) -> Vec<Bytes> {
        match self {
            Self::Plan => answer.to_events().iter().map(ServerEvent::to_bytes).collect(),
            Self::Bedrock => frames::bedrock_stream(answer),
        }
    }

    /// Has it answer every request with a body that `make` makes.
    fn streams<S: Stream<Item = Bytes> + Send + 'static>(
        self,
        around: &Surroundings,
        make: impl Fn() -> S + Send + Sync + 'static,
    ) {
        match self {
            Self::Plan => around.plan.otherwise(move |_| Reply::streamed(make()).as_plan_stream()),
            Self::Bedrock => around.bedrock.otherwise(move |_| Reply::streamed(make()).as_bedrock_stream()),
        }
    }

    async fn base(self, around: &Surroundings, process: &ServeProcess) -> String {
        let routing = match self {
            Self::Plan => RoutingStrategy::PlanFirst,
            Self::Bedrock => RoutingStrategy::BedrockOnly,
        };
        format!("{}/ak/{}", process.url(), around.issue(KeyWish::routed(routing)).await.text)
    }
}

/// How far an upstream may be ahead of a client that hardly reads, of 512 MiB on offer. Nearly all of it is in the kernel,
/// which keeps as much as `tcp_rmem` and `tcp_wmem` allow for the two connections; measured: 10 to 22 MiB.
const AHEAD: u64 = 80 * MIB;
/// What such a stream may add to the proxy's own memory; measured: 2 to 3.5 MiB.
const ONE_STREAM: u64 = 8 * MIB;

/// The memory of a process that has all that it needs to serve: an operation is refused when everything has been read.
async fn at_rest(process: &ServeProcess) -> u64 {
    assert_eq!(get(http_client().get(format!("{}/admin/users", process.url()))).await.status, 401);
    process.resident()
}

async fn a_slow_reader_slows(provider: Provider) {
    const READS: u64 = 16;
    let around = Surroundings::start().await;
    let process = ServeProcess::start(&around).await;
    let base = provider.base(&around, &process).await;
    let events = provider.events(&Answer::deltas(["x".repeat(1 << 14)]));
    let drawn = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&drawn);
    // Half a gigabyte is on offer: the begin of an answer, and then the same piece of text again and again.
    provider.streams(&around, move || {
        let counter = Arc::clone(&counter);
        let (begin, text) = (events[..2].to_vec(), events[2].clone());
        stream::iter(begin).chain(stream::repeat(text)).take(1 << 15).inspect(move |piece| {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        })
    });
    let client = Client::at(base.clone());
    let before = at_rest(&process).await;
    let mut socket = TcpStream::connect(process.url().trim_start_matches("http://")).await.unwrap();
    let (path, body) = (base.trim_start_matches(process.url()).to_owned(), client.body(true));
    let head = format!(
        "POST {path}/v1/messages HTTP/1.1\r\nhost: proxy\r\nx-api-key: sk-ant-x\r\ncontent-length: {}",
        body.len()
    );
    socket.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
    let mut most = 0;
    for _ in 0..READS {
        within("a kilobyte", socket.read_exact(&mut [0; 1024])).await.unwrap();
        until_nothing_moves(&process, &drawn).await;
        most = process.resident().max(most);
    }
    let (ahead, grown) = (drawn.load(Ordering::Relaxed), most.saturating_sub(before));
    println!("{provider:?}: {} KiB drawn for {READS} KiB read, {} KiB more memory", ahead >> 10, grown >> 10);
    assert!(ahead <= AHEAD, "{ahead} bytes were drawn from the upstream");
    assert!(grown <= ONE_STREAM, "{grown} bytes of memory for one stream");
}

/// Waits until the upstream has not been asked for more while the process has answered some other requests.
async fn until_nothing_moves(process: &ServeProcess, drawn: &AtomicU64) {
    let (http, url) = (http_client(), format!("{}/health", process.url()));
    within("the stream to stand still", async {
        loop {
            let before = drawn.load(Ordering::Relaxed);
            for _ in 0..20 {
                get(http.get(&url)).await;
            }
            if drawn.load(Ordering::Relaxed) == before {
                return;
            }
        }
    })
    .await;
}

/// B-56
#[tokio::test]
async fn a_client_that_hardly_reads_slows_the_plan() {
    a_slow_reader_slows(Provider::Plan).await;
}

#[tokio::test]
async fn a_client_that_hardly_reads_slows_bedrock() {
    a_slow_reader_slows(Provider::Bedrock).await;
}

/// Memory of the process for each of many streams; measured: 105 KiB, after requests of 64 KiB.
const EACH_STREAM: u64 = 200 << 10;
const STREAMS: usize = 2000;

/// What may be left of 220 MiB when the streams have ended: idle connections, what tables have grown to, pages that are
/// not empty; measured: less than 40 MiB.
const LEFT_BEHIND: u64 = 64 * MIB;

/// B-55: two thousand streams at once, half of them the plan's, an event at a time, twice: the second time takes no more
/// memory than the first, and each time the process returns to what it had before.
#[tokio::test]
async fn two_thousand_streams_take_little_memory() {
    allow_descriptors(3 * STREAMS as u64);
    let around = Surroundings::start()
        .await
        .with("MAX_IN_FLIGHT", (2 * STREAMS).to_string())
        // The allocator gives back after one second what it else keeps for ten.
        .with("_RJEM_MALLOC_CONF", "dirty_decay_ms:1000,muzzy_decay_ms:0");
    let process = ServeProcess::start(&around).await;
    let (step, steps) = watch::channel(Step::Event(0));
    let mut bases = Vec::new();
    for provider in [Provider::Plan, Provider::Bedrock] {
        let (events, steps) = (provider.events(&Answer::deltas(["one", "two"])), steps.clone());
        provider.streams(&around, move || stepped(&events, steps.clone()));
        bases.push(provider.base(&around, &process).await);
    }
    let idle = at_rest(&process).await;
    let mut peaks = Vec::new();
    for _ in 0..2 {
        step.send_replace(Step::Event(0));
        let mut bodies = Vec::new();
        for base in &bases {
            begin(&Client::at(base.clone()), STREAMS / 2, &mut bodies).await;
        }
        for number in 1..=3 {
            step.send_replace(Step::Event(number));
            let next = bodies.iter_mut().map(|body| async { within("an event", body.next()).await.unwrap().unwrap() });
            join_all(next).await;
        }
        peaks.push(process.resident() - idle);
        step.send_replace(Step::End);
        let rest = bodies.into_iter().map(|body| async {
            assert!(within("the end", body.collect::<Vec<_>>()).await.iter().all(Result::is_ok));
        });
        join_all(rest).await;
        until_memory_is_given_back(&process, idle + LEFT_BEHIND).await;
    }
    let each = peaks[0] / STREAMS as u64;
    println!("{} KiB idle, {} KiB for each of {STREAMS} streams; {peaks:?}", idle >> 10, each >> 10);
    assert!(each <= EACH_STREAM, "{each} bytes for each stream");
    assert!(peaks[1] <= peaks[0] + peaks[0] / 5, "the second time took more than the first: {peaks:?}");
}

/// Waits until the process is small again, asking it something meanwhile.
async fn until_memory_is_given_back(process: &ServeProcess, bound: u64) {
    let (http, url) = (http_client(), format!("{}/health", process.url()));
    within("memory to be given back", async {
        while process.resident() > bound {
            get(http.get(&url)).await;
        }
    })
    .await;
    println!("{} KiB when the streams have ended", process.resident() >> 10);
}

/// What all streams shall do.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
enum Step {
    /// Have sent so many pieces of text.
    Event(usize),
    /// End.
    End,
}

/// The begin of an answer, its text in steps, and its end.
fn stepped(events: &[Bytes], steps: watch::Receiver<Step>) -> impl Stream<Item = Bytes> + Send + use<> {
    let (begin, text, end) = (events[..2].concat().into(), events[2].clone(), events[3..].concat().into());
    let rest = stream::unfold((0, Some(steps), text, end), |(sent, steps, text, end)| async move {
        let mut steps = steps?;
        let step = *steps.wait_for(|step| *step > Step::Event(sent)).await.ok()?;
        let (piece, steps): (Bytes, _) =
            if step == Step::End { (Bytes::clone(&end), None) } else { (text.clone(), Some(steps)) };
        Some((piece, (sent + 1, steps, text, end)))
    });
    stream::iter([begin]).chain(rest)
}

type Body = std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>>>>;

/// Begins all streams, some at a time.
async fn begin(client: &Client, count: usize, bodies: &mut Vec<Body>) {
    let mut request: serde_json::Value = serde_json::from_str(&client.body(true)).unwrap();
    request["system"] = "s".repeat(64 << 10).into();
    let request = Bytes::from(request.to_string());
    for _ in 0..count / 50 {
        let begun = (0..50).map(|_| async {
            let response = within("the head", client.message(true).body(request.clone()).send()).await.unwrap();
            assert_eq!(response.status(), 200);
            let mut body: Body = Box::pin(response.bytes_stream());
            within("an event", body.next()).await.unwrap().unwrap();
            body
        });
        bodies.extend(join_all(begun).await);
    }
}
