//! Server-sent events as text: written for the plan's streams, and read back from what a client received.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::Value;

/// One event of a stream: its name, and its data, which is JSON in everything Claude says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEvent {
    /// What stands after `event:`; empty where the stream names none.
    pub name: String,
    /// What stands after `data:`, lines joined by a line feed.
    pub data: String,
}

impl ServerEvent {
    /// An event of that name with that data.
    pub fn new(name: impl Into<String>, data: impl Into<String>) -> Self {
        Self { name: name.into(), data: data.into() }
    }

    /// The keep-alive which the plan sends between other events.
    pub fn ping() -> Self {
        Self::new("ping", r#"{"type":"ping"}"#)
    }

    /// The event with which a stream reports its own failure.
    pub fn error(kind: &str, message: &str) -> Self {
        Self::new("error", crate::claude::error_json(kind, message))
    }

    /// The data as JSON; panics where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("the data of {self:?} is no JSON: {error}"))
    }

    /// The bytes of this event alone, with the empty line that ends it.
    pub fn to_bytes(&self) -> Bytes {
        encode(std::slice::from_ref(self))
    }
}

/// The events as one piece of `text/event-stream`.
pub fn encode(events: &[ServerEvent]) -> Bytes {
    let mut text = String::new();
    for event in events {
        writeln!(text, "event: {}", event.name).expect("writing to a string");
        for line in event.data.split('\n') {
            writeln!(text, "data: {line}").expect("writing to a string");
        }
        text.push('\n');
    }
    text.into()
}

/// The complete events of a stream, in order. Comments are skipped; an event that was cut off before its empty line does
/// not count, as for a real client.
pub fn decode(text: &str) -> Vec<ServerEvent> {
    let mut events = Vec::new();
    let mut name = String::new();
    let mut data: Option<String> = None;
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else {
            break;
        };
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            if let Some(data) = data.take() {
                events.push(ServerEvent::new(std::mem::take(&mut name), data));
            }
            name.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut name),
            "data" => match &mut data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => data = Some(value.to_owned()),
            },
            _ => {}
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_survive_writing_and_reading() {
        let events =
            [ServerEvent::ping(), ServerEvent::new("note", "two\nlines"), ServerEvent::error("api_error", "no")];
        assert_eq!(decode(std::str::from_utf8(&encode(&events)).unwrap()), events);
    }

    #[test]
    fn comments_carriage_returns_and_missing_names_are_understood() {
        let events = decode(": hello\r\n\r\ndata:{}\r\nid: 7\r\n\r\n");
        assert_eq!(events, [ServerEvent::new("", "{}")]);
    }

    #[test]
    fn an_event_without_its_empty_line_does_not_count() {
        assert_eq!(decode("event: ping\ndata: {}\n"), []);
        assert_eq!(decode("event: ping\ndata: {}\n\nevent: ping\ndata: {"), [ServerEvent::new("ping", "{}")]);
    }
}
