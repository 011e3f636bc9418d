//! Amazon's event stream, whatever happens to its frames: the right events or an error, and never anything else.

use bytes::Bytes;
use claude_code_proxy::domain::RoutingStrategy;
use futures_util::StreamExt as _;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use support::{Answer, Client, KeyWish, Reply, ServerEvent, TestApp, frames, sse, within};

/// What happens to the bytes of a stream on their way.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// Nothing.
    None,
    /// Bits of one byte are turned over.
    Turned(usize, u8),
    /// There is a byte too many.
    Inserted(usize, u8),
    /// There is a byte too few.
    Removed(usize),
    /// The stream ends here, cleanly or with its connection.
    Cut(usize, bool),
}

impl Damage {
    fn done_to(self, mut bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Self::None => {}
            Self::Turned(at, bits) => bytes[at] ^= bits,
            Self::Inserted(at, byte) => bytes.insert(at, byte),
            Self::Removed(at) => drop(bytes.remove(at)),
            Self::Cut(at, _) => bytes.truncate(at),
        }
        bytes
    }
}

fn damage(length: usize) -> impl Strategy<Value = Damage> {
    prop_oneof![
        1 => Just(Damage::None),
        4 => (0..length, 1_u8..).prop_map(|(at, bits)| Damage::Turned(at, bits)),
        2 => (0..length, any::<u8>()).prop_map(|(at, byte)| Damage::Inserted(at, byte)),
        2 => (0..length).prop_map(Damage::Removed),
        2 => (0..length, any::<bool>()).prop_map(|(at, clean)| Damage::Cut(at, clean)),
    ]
}

/// The bytes in pieces that end at these places.
fn cut(bytes: &Bytes, places: &[prop::sample::Index]) -> Vec<Bytes> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    let ends = places.iter().copied().chain([bytes.len()]);
    let starts = [0].into_iter().chain(places.iter().copied());
    starts.zip(ends).map(|(start, end)| bytes.slice(start..end)).collect()
}

/// What a client has seen when the connection was over.
struct Seen {
    status: u16,
    body: Vec<u8>,
    broke: bool,
}

async fn ask(client: &Client) -> Seen {
    within("an answer and its end", async {
        let response = client.message(true).send().await.unwrap();
        let (status, mut chunks) = (response.status().as_u16(), response.bytes_stream());
        let mut body = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let Ok(chunk) = chunk else { return Seen { status, body, broke: true } };
            body.extend(chunk);
        }
        Seen { status, body, broke: false }
    })
    .await
}

async fn start() -> (TestApp, Client) {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    (app, client)
}

/// B-45, B-46, B-47: the events before the damage are the right ones, and behind them comes an error or a break.
#[tokio::test]
async fn damaged_frames_never_become_events() {
    let (app, client) = start().await;
    let answer = Answer::text("Grüße, 世界 🦀").with_thinking("let me think", "c2lnbmF0dXJl");
    let (expected, whole) = (answer.to_events(), frames::bedrock_stream(&answer).concat());
    let places = prop::collection::vec(any::<prop::sample::Index>(), 0..6);
    let (cases, mut runner) = ((damage(whole.len()), places), TestRunner::deterministic());
    for _ in 0..400 {
        let (damage, places) = cases.new_tree(&mut runner).unwrap().current();
        let pieces = cut(&damage.done_to(whole.clone()).into(), &places);
        let breaks = matches!(damage, Damage::Cut(_, false));
        let reply = if breaks { Reply::truncated(pieces) } else { Reply::chunks(pieces) };
        app.bedrock().enqueue(reply.as_bedrock_stream());

        let seen = ask(&client).await;
        if seen.status != 200 {
            let error: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
            assert_eq!((&error["type"], seen.broke), (&"error".into(), false), "{damage:?}");
            continue;
        }
        let mut events = sse::decode(std::str::from_utf8(&seen.body).unwrap());
        let failed = events.pop_if(|event| event.name == "error");
        assert_eq!(events, expected[..events.len()], "{damage:?}, {places:?}");
        let ends = [events.len() == expected.len(), failed.is_some(), seen.broke];
        let right = match damage {
            Damage::None => [true, false, false],
            Damage::Cut(..) => [false, false, true],
            // Which of the two depends on whether the frame is still waited for when the stream ends.
            _ => [false, failed.is_some(), failed.is_none()],
        };
        assert_eq!(ends, right, "{damage:?}, {places:?}");
    }
    app.stop().await;
}

/// B-47: frames of other kinds, and events without a type, are nobody's; events of types that are not known yet pass.
#[tokio::test]
async fn what_is_no_event_is_ignored_and_what_is_unknown_passes() {
    let (app, client) = start().await;
    let answer = Answer::text("ok");
    let (mut sent, mut told) = (Vec::new(), Vec::new());
    for (frame, event) in frames::bedrock_stream(&answer).into_iter().zip(answer.to_events()) {
        let tomorrow = ServerEvent::new("event_of_tomorrow", r#"{"type":"event_of_tomorrow","x":1.0}"#);
        sent.extend([
            frames::of_kind("metadata", r#"{"bytes":"e30="}"#),
            frames::of_kind("chunk", "{}"),
            frames::chunk("{}"),
            frames::chunk(&tomorrow.data),
            frame,
        ]);
        told.extend([tomorrow, event]);
    }
    app.bedrock().enqueue(Reply::chunks(sent).as_bedrock_stream());
    assert_eq!(client.ask_streamed().await.body, sse::encode(&told));
    app.stop().await;
}

/// B-48, B-49, B-50: counts are the client's to see as Bedrock wrote them, but for its own metrics; those in other places
/// than Anthropic's count as well.
#[tokio::test]
async fn counts_pass_as_they_are_and_are_found_wherever_they_stand() {
    let start = r#"{"type": "message_start","message":{"id":"msg_1","usage":{"input_tokens":3.0,"output_tokens":0}}}"#;
    let delta = r#"{"type":"message_delta","usage":{"output_tokens":55e1,"cache_read_input_tokens":40}}"#;
    let stop =
        r#"{"type":"message_stop", "amazon-bedrock-invocationMetrics":{"cacheWriteInputTokenCount":304},"x":{}}"#;
    let (app, client) = self::start().await;
    app.bedrock().enqueue(Reply::chunks([start, delta, stop].map(frames::chunk)).as_bedrock_stream());
    let told = [
        ServerEvent::new("message_start", start),
        ServerEvent::new("message_delta", delta),
        ServerEvent::new("message_stop", r#"{"type":"message_stop","x":{}}"#),
    ];
    assert_eq!(client.ask_streamed().await.body, sse::encode(&told));
    let around = app.stop().await;
    let counted: (i32, i32, i32, i32) = sqlx::query_as(
        "SELECT input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens FROM token_usage",
    )
    .fetch_one(&around.database.pool)
    .await
    .unwrap();
    assert_eq!(counted, (3, 550, 40, 304));
}
