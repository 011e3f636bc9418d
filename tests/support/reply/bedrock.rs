//! Replies as Amazon Bedrock gives them.

use super::Reply;
use crate::claude::{Answer, error_json};
use crate::frames;
use crate::sse::ServerEvent;

/// The `x-amzn-requestid` of every reply.
const REQUEST_ID: &str = "7d4e3c2b-1a09-4f8e-9d7c-6b5a43210fed";

impl Reply {
    /// A whole answer of Bedrock (`/invoke`).
    pub fn bedrock_json(answer: &Answer) -> Self {
        Self::json(200, answer.to_json())
            .with_header("x-amzn-requestid", REQUEST_ID)
            .with_header("x-amzn-bedrock-input-token-count", answer.usage.input.to_string())
            .with_header("x-amzn-bedrock-output-token-count", answer.usage.output.to_string())
            .with_header("x-amzn-bedrock-invocation-latency", "1834")
    }

    /// An answer of Bedrock as a stream (`/invoke-with-response-stream`), each frame in a piece of its own.
    pub fn bedrock_stream(answer: &Answer) -> Self {
        Self::chunks(frames::bedrock_stream(answer)).as_bedrock_stream()
    }

    /// The same with the headers of a stream of Bedrock; for stepped, cut and hand-made bodies.
    #[must_use]
    pub fn as_bedrock_stream(self) -> Self {
        self.with_header("content-type", "application/vnd.amazon.eventstream")
            .with_header("x-amzn-bedrock-content-type", "application/json")
            .with_header("x-amzn-requestid", REQUEST_ID)
    }

    /// A whole answer of Bedrock's Messages API.
    pub fn bedrock_messages_json(answer: &Answer) -> Self {
        Self::json(200, answer.to_json()).with_header("x-amzn-requestid", REQUEST_ID)
    }

    /// An answer of Bedrock's Messages API as a stream, each event in a piece of its own.
    pub fn bedrock_messages_stream(answer: &Answer) -> Self {
        Self::chunks(answer.to_events().iter().map(ServerEvent::to_bytes)).as_bedrock_messages_stream()
    }

    /// The same with the headers of a stream of that API; for stepped, cut and hand-made bodies.
    #[must_use]
    pub fn as_bedrock_messages_stream(self) -> Self {
        self.with_header("content-type", "text/event-stream; charset=utf-8").with_header("x-amzn-requestid", REQUEST_ID)
    }

    /// An error of Bedrock's Messages API in Anthropic's shape; AWS's own come there too.
    pub fn bedrock_messages_error(status: u16, kind: &str, message: &str) -> Self {
        Self::json(status, error_json(kind, message)).with_header("x-amzn-requestid", REQUEST_ID)
    }

    /// An error of Bedrock; `kind` is for example `ThrottlingException`. The header carries, as in real life, a name space
    /// after it.
    pub fn bedrock_error(status: u16, kind: &str, message: &str) -> Self {
        Self::json(status, serde_json::json!({ "message": message }).to_string())
            .with_header("x-amzn-requestid", REQUEST_ID)
            .with_header("x-amzn-errortype", format!("{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"))
    }
}
