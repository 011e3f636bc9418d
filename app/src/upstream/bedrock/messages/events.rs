//! The events of an answer of Bedrock's Messages API, each with its JSON as Bedrock sent it.

use bytes::{Buf as _, Bytes};
use futures_util::{Stream, StreamExt as _, stream};

use super::error_body;
use crate::upstream::bedrock::stream::{Event, EventError, Sign, damaged};
use crate::wire::json;
use crate::wire::sse_reader::{SseEvent, SseReader};

/// What a body brings. An error ends it.
pub(super) fn signs(
    body: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = Sign> + Send {
    let begun = (Box::pin(body), SseReader::default(), Bytes::new());
    stream::unfold(begun, |(mut body, mut reader, mut chunk)| async move {
        let mut rest = &chunk[..];
        let event = reader.next_event(&mut rest).map(|event| event.map(read));
        chunk.advance(chunk.len() - rest.len());
        let sign = match event {
            Ok(Some(sign)) => sign,
            Ok(None) => match body.next().await? {
                Ok(next) => {
                    chunk = next;
                    Ok(None)
                }
                Err(error) => Err(EventError::Broken(error.without_url().to_string())),
            },
            Err(_too_large) => Err(damaged()),
        };
        Some((sign, (body, reader, chunk)))
    })
}

/// An event goes by its name, or by its JSON's `type` where it has no name. Bedrock's pings show that it lives and no
/// more: the client gets the proxy's own, and what comes after a ping may still be the first event.
fn read(SseEvent { name, data }: SseEvent<'_>) -> Sign {
    if name == b"ping" {
        return Ok(None);
    }
    let data = Bytes::copy_from_slice(data);
    let Some(members) = json::members(&data, 0) else { return Err(damaged()) };
    let event = if name.is_empty() {
        Event::read(data)
    } else {
        Event::named(String::from_utf8_lossy(name).into(), data, &members)
    };
    match event {
        Some(event) if event.name == "ping" => Ok(None),
        Some(event) if event.name == "error" => {
            Err(EventError::Reported(error_body::of_event(&event.json).to_client()))
        }
        event => Ok(event),
    }
}

#[cfg(test)]
mod tests;
