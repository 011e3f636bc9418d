//! What is done with the pieces of a streamed answer of 200 events.

use std::hint::black_box;
use std::time::Duration;

use aws_sdk_bedrockruntime::config::{BehaviorVersion, Region, Token};
use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::{Client, Config};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use claude_code_proxy::meter::{AnswerReader, UsageMerge};
use claude_code_proxy::upstream::bedrock::RawEvents;
use claude_code_proxy::upstream::bedrock::frames::{FrameReader, Seen};
use claude_code_proxy::upstream::bedrock::stream::of_sdk;
use claude_code_proxy::wire::last_event::LastEvent;
use claude_code_proxy::wire::sse_head;
use futures_util::StreamExt as _;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use tokio::runtime::{Builder, Runtime};

use super::{Case, Prepared, Run, Work, events};

/// Longer than any run.
const IDLE: Duration = Duration::from_hours(1);

pub(super) const CASES: &[Case] = &[
    Case { name: "plan-stream-beginning", prepare: plan_beginning },
    Case { name: "plan-stream-last-event", prepare: || in_pieces(events::of_plan(), last_event) },
    Case { name: "plan-stream-usage", prepare: || in_pieces(events::of_plan(), usage_of_plan) },
    Case { name: "bedrock-stream-to-sse", prepare: bedrock_to_sse },
    Case { name: "bedrock-stream-usage", prepare: || in_pieces(events::of_bedrock(), usage_of_frames) },
];

/// What is held back of the plan's answer until it is clear that it is one.
fn plan_beginning() -> Prepared {
    Prepared::of_bytes(events::of_plan()[..4].concat(), sse_head::beginning)
}

/// Whether the answer is whole.
fn last_event(pieces: &[Bytes]) -> bool {
    let mut last = LastEvent::default();
    for piece in pieces {
        last.see(piece);
    }
    last.is_over()
}

/// What the answer counts, for the plan, whose bytes nobody else looks at.
fn usage_of_plan(pieces: &[Bytes]) -> UsageMerge {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"))]);
    let (mut reader, mut usage) = (AnswerReader::of(&headers), UsageMerge::default());
    for piece in pieces {
        reader.see(piece, &mut usage);
    }
    usage
}

/// The same of frames that pass to a client which reads them itself.
fn usage_of_frames(pieces: &[Bytes]) -> UsageMerge {
    let (mut reader, mut usage) = (FrameReader::default(), UsageMerge::default());
    for piece in pieces {
        reader.push(piece);
        while let Some(Seen::Event { counts, characters, .. }) = reader.take() {
            usage.wrote(characters);
            if let Some(json) = counts {
                usage.observe(&json);
            }
        }
    }
    usage
}

/// From the frames that the SDK reads to what is written to the client.
fn bedrock_to_sse() -> Prepared {
    let frames = Bytes::from(events::of_bedrock().concat());
    let runtime: &'static Runtime =
        Box::leak(Box::new(Builder::new_current_thread().enable_time().build().expect("a runtime")));
    let work = Work::Bytes(frames.len());
    let begin = move || {
        let mut answer = {
            let _entered = runtime.enter();
            of_sdk(runtime.block_on(raw_events(frames.clone())), IDLE)
        };
        Box::new(move || {
            runtime.block_on(async {
                let mut read = 0;
                while let Some(Ok(event)) = answer.next().await {
                    drop(black_box(event.to_sse()));
                    read += 1;
                }
                assert_eq!(read, events::EVENTS, "a stream that breaks off costs little");
            });
        }) as Run
    };
    Prepared { work, begin: Box::new(begin) }
}

/// The SDK's reader of an answer with this body.
async fn raw_events(body: Bytes) -> RawEvents {
    let connector = SharedHttpConnector::new(Answers(body));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .region(Region::from_static("us-east-1"))
        .bearer_token(Token::new("key", None))
        .build();
    let call = Client::from_conf(config).invoke_model_with_response_stream().model_id("model").body(Blob::new("{}"));
    call.send().await.expect("an answer").body
}

/// Answers everything with one body.
#[derive(Clone, Debug)]
struct Answers(Bytes);

impl HttpConnector for Answers {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let answer = http::Response::builder()
            .header(CONTENT_TYPE, "application/vnd.amazon.eventstream")
            .body(SdkBody::from(self.0.clone()))
            .expect("an answer");
        HttpConnectorFuture::ready(Ok(HttpResponse::try_from(answer).expect("an answer")))
    }
}

fn in_pieces<T: 'static>(pieces: Vec<Bytes>, run: fn(&[Bytes]) -> T) -> Prepared {
    let pieces: &'static [Bytes] = pieces.leak();
    let begin = move || Box::new(move || drop(black_box(run(black_box(pieces))))) as Run;
    Prepared { work: Work::Bytes(pieces.iter().map(Bytes::len).sum()), begin: Box::new(begin) }
}
