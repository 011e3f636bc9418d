//! Looks at the first events of a stream as its bytes come, until it is clear whether the stream has content.

use serde::Deserialize;

use super::sse_reader::{SseReader, TooLarge};

/// What the first events say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Beginning {
    /// Nothing yet: only what comes before content (`message_start`, `ping`), or part of an event.
    Open,
    /// Content has begun, or something that this proxy does not know.
    Content,
    /// An `error` event came first; its `error.type`.
    Error(String),
}

/// Reads complete events off the front of `bytes`, which hold the stream from its beginning.
pub fn beginning(bytes: &[u8]) -> Beginning {
    let (mut reader, mut rest) = (SseReader::default(), bytes);
    loop {
        match reader.next_event(&mut rest) {
            Ok(Some(event)) if matches!(event.name, b"message_start" | b"ping") => {}
            Ok(Some(event)) if event.name == b"error" => {
                let read: Result<ErrorData, _> = serde_json::from_slice(event.data);
                return Beginning::Error(read.map(|data| data.error.r#type).unwrap_or_default());
            }
            Ok(None) => return Beginning::Open,
            Ok(Some(_)) | Err(TooLarge) => return Beginning::Content,
        }
    }
}

#[derive(Deserialize)]
struct ErrorData {
    error: ErrorPart,
}

#[derive(Deserialize)]
struct ErrorPart {
    r#type: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "event: message_start\ndata: {\"type\":\"message_start\"}\n\n";
    const PING: &str = "event: ping\r\ndata: {}\r\n\r\n";
    const BLOCK: &str = "event: content_block_start\ndata: {}\n\n";

    fn error(kind: &str) -> String {
        format!(
            "event: error\ndata: {{\"type\":\"error\",\ndata: \"error\":{{\"type\":\"{kind}\",\"message\":\"m\"}}}}\n\n"
        )
    }

    #[test]
    fn the_first_telling_event_decides() {
        for (stream, expected) in [
            (String::new(), Beginning::Open),
            (format!(": comment\n\n{START}{PING}"), Beginning::Open),
            (format!("{START}{BLOCK}{}", error("api_error")), Beginning::Content),
            (format!("{START}{PING}{}", error("overloaded_error")), Beginning::Error("overloaded_error".to_owned())),
            (error("rate_limit_error"), Beginning::Error("rate_limit_error".to_owned())),
            ("event: error\ndata: nonsense\n\n".to_owned(), Beginning::Error(String::new())),
            (format!("{START}event: message_delta\ndata: {{}}\n\n"), Beginning::Content),
            ("event: of_tomorrow\ndata: {}\n\n".to_owned(), Beginning::Content),
            ("data: {\"no\":\"name\"}\n\n".to_owned(), Beginning::Content),
            (START.replace('\n', "\r"), Beginning::Open),
        ] {
            assert_eq!(beginning(stream.as_bytes()), expected, "{stream}");
        }
    }

    /// B-46: at no split is an answer given that the whole would contradict.
    #[test]
    fn no_split_decides_otherwise_than_the_whole() {
        for whole in [format!("{START}{PING}{BLOCK}"), format!("{START}{PING}{}", error("api_error"))] {
            let decided = beginning(whole.as_bytes());
            for at in 0..whole.len() {
                let early = beginning(&whole.as_bytes()[..at]);
                assert!(early == Beginning::Open || early == decided, "split at byte {at}: {early:?}");
            }
        }
    }
}
