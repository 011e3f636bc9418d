//! The two interfaces of Bedrock, so that a test of what both have in common is written once.

use bytes::Bytes;

use crate::{Answer, Reply, ServerEvent, Surroundings, frames};

/// An interface of Bedrock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BedrockApi {
    /// `InvokeModel` and `InvokeModelWithResponseStream`.
    Invoke,
    /// `/anthropic/v1/messages`.
    Messages,
}

impl BedrockApi {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Invoke, Self::Messages];

    /// Surroundings of an app that speaks it.
    pub async fn surroundings(self) -> Surroundings {
        let setting = match self {
            Self::Invoke => "invoke",
            Self::Messages => "messages",
        };
        Surroundings::start().await.with("BEDROCK_API", setting)
    }

    /// An answer, as a stream or whole.
    pub fn answer(self, answer: &Answer, stream: bool) -> Reply {
        match (self, stream) {
            (Self::Invoke, false) => Reply::bedrock_json(answer),
            (Self::Invoke, true) => Reply::bedrock_stream(answer),
            (Self::Messages, false) => Reply::bedrock_messages_json(answer),
            (Self::Messages, true) => Reply::bedrock_messages_stream(answer),
        }
    }

    /// The bytes of each event of an answer.
    pub fn events(self, answer: &Answer) -> Vec<Bytes> {
        match self {
            Self::Invoke => frames::bedrock_stream(answer),
            Self::Messages => answer.to_events().iter().map(ServerEvent::to_bytes).collect(),
        }
    }

    /// The bytes of one event.
    pub fn event(self, event: &ServerEvent) -> Bytes {
        match self {
            Self::Invoke => frames::chunk(&event.data),
            Self::Messages => event.to_bytes(),
        }
    }

    /// The reply with the headers of a stream; for stepped, cut and hand-made bodies.
    pub fn stream(self, reply: Reply) -> Reply {
        match self {
            Self::Invoke => reply.as_bedrock_stream(),
            Self::Messages => reply.as_bedrock_messages_stream(),
        }
    }
}
