//! Looks at the first events of a stream as its bytes come, until it is clear whether the stream has content.

use serde::Deserialize;

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
    let mut event = Event::default();
    let mut rest = bytes;
    while let Some((line, behind)) = next_line(rest) {
        rest = behind;
        if line.is_empty() {
            match std::mem::take(&mut event).verdict() {
                Beginning::Open => {}
                decided => return decided,
            }
        } else {
            event.read(line);
        }
    }
    Beginning::Open
}

/// A line and what follows it. Lines end with LF, CR or CR LF; a CR at the very end may yet become CR LF.
fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr2(b'\n', b'\r', bytes)?;
    let behind = match &bytes[end..] {
        [b'\r'] | [] => return None,
        [b'\r', b'\n', behind @ ..] | [_, behind @ ..] => behind,
    };
    Some((&bytes[..end], behind))
}

#[derive(Default)]
struct Event<'b> {
    name: Option<&'b [u8]>,
    data: Vec<u8>,
}

#[derive(Deserialize)]
struct ErrorData {
    error: ErrorPart,
}

#[derive(Deserialize)]
struct ErrorPart {
    r#type: String,
}

impl<'b> Event<'b> {
    fn read(&mut self, line: &'b [u8]) {
        let (field, value) = match memchr::memchr(b':', line) {
            Some(at) => (&line[..at], line[at + 1..].strip_prefix(b" ").unwrap_or(&line[at + 1..])),
            None => (line, &b""[..]),
        };
        match field {
            b"event" => self.name = Some(value),
            b"data" => {
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            _ => {}
        }
    }

    fn verdict(self) -> Beginning {
        // An empty line behind a comment is no event.
        if matches!(self.name, Some(b"message_start" | b"ping")) || (self.name.is_none() && self.data.is_empty()) {
            return Beginning::Open;
        }
        match self.name {
            Some(b"error") => {
                let read: Result<ErrorData, _> = serde_json::from_slice(&self.data);
                Beginning::Error(read.map(|data| data.error.r#type).unwrap_or_default())
            }
            _ => Beginning::Content,
        }
    }
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
