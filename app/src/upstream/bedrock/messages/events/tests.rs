//! What each event of a body comes to.

use super::*;
use crate::domain::ErrorType;

/// What a body in these pieces brings, without the mere signs of life.
async fn read_all(pieces: &[&'static str]) -> Vec<Result<(String, Bytes), EventError>> {
    let body = stream::iter(pieces.to_vec()).map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
    let signs: Vec<Sign> = signs(body).collect().await;
    let telling = signs.into_iter().filter_map(Result::transpose);
    telling.map(|sign| sign.map(|event| (event.name, event.json))).collect()
}

#[tokio::test]
async fn events_go_by_their_name_or_else_by_their_type() {
    let read = read_all(&[
        "event: message_start\ndata: {\"type\": \"message_start\", \"x\": 1.0}\n",
        "\ndata: {\"type\":\"content_block_stop\"}\n\nevent: of_tomorrow\ndata: {}\n\n: alive\n\ndata: {}\n\n",
    ]);
    let event = |name: &str, json: &'static str| Ok((name.to_owned(), Bytes::from_static(json.as_bytes())));
    let expected = [
        event("message_start", "{\"type\": \"message_start\", \"x\": 1.0}"),
        event("content_block_stop", "{\"type\":\"content_block_stop\"}"),
        event("of_tomorrow", "{}"),
    ];
    assert_eq!(read.await, expected);
}

#[tokio::test]
async fn pings_of_bedrock_are_signs_of_life() {
    let pings =
        ["event: ping\ndata: {\"type\": \"ping\"}\n\n", "data: {\"type\":\"ping\"}\n\n", "event: ping\ndata:\n\n"];
    assert_eq!(read_all(&pings).await, []);
}

#[tokio::test]
async fn an_error_event_is_the_error_that_it_names() {
    for text in [
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy in 123456789012\"}}\n\n",
        "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy in 123456789012\"}}\n\n",
    ] {
        let [Err(EventError::Reported(failure))] = &read_all(&[text]).await[..] else { panic!("an error") };
        assert_eq!((failure.status, failure.error_type), (529, ErrorType::Overloaded));
        assert_eq!(failure.message, "busy in [account]");
    }
}

#[tokio::test]
async fn data_that_is_no_object_is_damage_and_not_passed_on() {
    for text in ["data: [DONE]\n\n", "event: content_block_delta\ndata: {\"type\":\n\n", "data: \u{fffd}\n\n"] {
        assert_eq!(read_all(&[text]).await, [Err(damaged())], "{text}");
    }
}

#[tokio::test]
async fn an_event_without_end_is_damage_too() {
    let endless = stream::repeat_with(|| Ok(Bytes::from(vec![b'x'; 1 << 20])));
    let mut signs = Box::pin(signs(endless).filter_map(|sign| std::future::ready(sign.transpose())));
    assert_eq!(signs.next().await, Some(Err(damaged())));
}
