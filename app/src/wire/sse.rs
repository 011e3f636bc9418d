//! Writes server-sent events in the form in which the Messages API sends them.

use bytes::{BufMut, Bytes, BytesMut};

/// One event: `event: <name>`, `data: <one line of JSON>`, an empty line.
pub fn event(name: &str, data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(name.len() + data.len() + 16);
    out.put_slice(b"event: ");
    out.put_slice(name.as_bytes());
    // A line break inside JSON is white space between tokens, and each line of data needs its own field.
    for line in data.split(|b| *b == b'\n' || *b == b'\r').filter(|line| !line.is_empty()) {
        out.put_slice(b"\ndata: ");
        out.put_slice(line);
    }
    out.put_slice(b"\n\n");
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_two_lines_and_an_empty_one() {
        assert_eq!(event("ping", br#"{"type":"ping"}"#), "event: ping\ndata: {\"type\":\"ping\"}\n\n");
    }

    #[test]
    fn line_breaks_between_tokens_do_not_end_the_event() {
        assert_eq!(event("x", b"{\r\n \"a\":1\n}"), "event: x\ndata: {\ndata:  \"a\":1\ndata: }\n\n");
    }
}
