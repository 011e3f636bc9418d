//! One known refusal, one repair, one further try; and nothing else is ever sent twice.

use serde_json::{Value, json};
use support::client::next_event;
use support::{Answer, Reply, Surroundings, TestApp, frames, get, within};
use tokio::sync::oneshot;

use super::{ask, has, invalid, message, on_bedrock, request};

const EXTRA: &str = "a_field_of_tomorrow: Extra inputs are not permitted";

fn with_extra() -> Value {
    json!({"a_field_of_tomorrow": {"x": 1}})
}

fn answered(stream: bool) -> Reply {
    let answer = Answer::text("repaired");
    if stream { Reply::bedrock_stream(&answer) } else { Reply::bedrock_json(&answer) }
}

/// A conversation with thinking that somebody else has signed.
fn with_thinking(stream: bool) -> Value {
    json!({"stream": stream, "messages": [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "ZGF0YQ=="},
            {"type": "text", "text": "two"},
        ]},
        {"role": "user", "content": "three"},
    ]})
}

/// B-35, B-36, B-39: thinking is sent as it is; where its signatures are refused, in whatever words, it is left out of
/// exactly one further try, and the client is told how much. The next request tries again with all of it.
#[tokio::test]
async fn thinking_that_is_refused_is_left_out_once_and_reported() {
    let (app, client) = on_bedrock().await;
    for words in [
        "messages.1.content.0: Invalid `signature` in `thinking` block",
        "messages.1.content.0.thinking.signature: Field required",
        "messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.",
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`.",
        "messages.1.content.0: The block is bound to a different conversation.",
    ] {
        for stream in [false, true] {
            let before = app.bedrock().requests().len();
            app.bedrock().enqueue(invalid(words));
            app.bedrock().enqueue(answered(stream));
            let got = ask(&client, with_thinking(stream)).await;
            assert_eq!((got.status, got.header("x-ccp-thinking")), (200, "dropped=2"), "{words}");
            let seen = &app.bedrock().requests()[before..];
            assert_eq!(seen.len(), 2, "{words}");
            assert!(has(&seen[0], "c2ln") && has(&seen[0], "ZGF0YQ=="), "nothing is left out before it is refused");
            assert!(!has(&seen[1], "c2ln") && !has(&seen[1], "ZGF0YQ==") && has(&seen[1], "two"));
        }
    }
    app.stop().await;
}

/// B-35: the refusal may come as the first frame of a stream.
#[tokio::test]
async fn a_stream_that_begins_with_a_refusal_is_repaired() {
    let (app, client) = on_bedrock().await;
    let refusal = frames::exception("validationException", "Invalid `signature` in `thinking` block");
    app.bedrock().enqueue(Reply::chunks([refusal]).as_bedrock_stream());
    app.bedrock().enqueue(answered(true));
    let got = ask(&client, with_thinking(true)).await;
    assert_eq!((got.status, got.header("x-ccp-thinking")), (200, "dropped=2"));
    assert_eq!(got.events().last().unwrap().name, "message_stop");
    app.stop().await;
}

/// B-35: never a loop. The error of the second try is the client's to hear, and nothing is learnt from it.
#[tokio::test]
async fn a_repair_that_does_not_help_is_the_last() {
    let (app, client) = on_bedrock().await;
    for stream in [false, true] {
        app.bedrock().enqueue(invalid(EXTRA));
        app.bedrock().enqueue(invalid("another_field: Extra inputs are not permitted"));
        let mut fields = with_extra();
        fields["stream"] = stream.into();
        let got = ask(&client, fields).await;
        assert_eq!((got.status, message(&got).as_str()), (400, "another_field: Extra inputs are not permitted"));
    }
    let seen = app.bedrock().requests();
    let with_it: Vec<bool> = seen.iter().map(|request| has(request, "a_field_of_tomorrow")).collect();
    assert_eq!(with_it, [true, false, true, false]);
    let around = app.stop().await;
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM token_usage").fetch_one(&around.database.pool).await.unwrap();
    assert_eq!(rows, 0, "refused requests cost nothing");
}

/// What is not understood, or would not change the request, is not sent twice.
#[tokio::test]
async fn without_a_change_there_is_no_second_try() {
    let (app, client) = on_bedrock().await;
    for words in [
        "not_in_the_request: Extra inputs are not permitted",
        "Invalid `signature` in `thinking` block",
        "messages: text content blocks must be non-empty",
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ] {
        app.bedrock().enqueue(invalid(words));
        let got = ask(&client, with_extra()).await;
        assert_eq!((got.status, message(&got).as_str()), (400, words));
    }
    assert_eq!(app.bedrock().requests().len(), 5);
    app.stop().await;
}

/// The plan's own 400 goes to the client, who repairs itself by the wording.
#[tokio::test]
async fn a_400_of_the_plan_is_not_repaired() {
    let app = TestApp::start().await;
    let client = support::Client::of(&app, &app.key().await);
    app.plan().enqueue(Reply::plan_error(400, "invalid_request_error", EXTRA));
    let got = ask(&client, with_extra()).await;
    assert_eq!((got.status, got.header("x-ccp-provider")), (400, "plan"));
    assert_eq!((app.plan().requests().len(), app.bedrock().requests().len()), (1, 0));
    app.stop().await;
}

/// A fallback is repaired like any other request, reported in the header, and counted once in the usage.
#[tokio::test]
async fn a_repaired_request_is_reported_and_counted_once() {
    let app = TestApp::start().await;
    let client = support::Client::of(&app, &app.key().await);
    app.plan().enqueue(Reply::overloaded());
    app.bedrock().enqueue(invalid(&format!("The model returned the following errors: {EXTRA}")));
    app.bedrock().enqueue(answered(false));
    // Large enough to be bridged apart from the threads of the others.
    let mut fields = with_extra();
    fields["system"] = "x".repeat(400 << 10).into();
    let got = ask(&client, fields).await;
    assert_eq!((got.status, got.header("x-ccp-bedrock-dropped")), (200, "a_field_of_tomorrow"));
    assert_eq!((got.header("x-ccp-fallback"), got.header("x-ccp-thinking")), ("overloaded", ""));
    let around = app.stop().await;
    let rows: Vec<(i32, String)> = sqlx::query_as("SELECT output_tokens, outcome FROM token_usage")
        .fetch_all(&around.database.pool)
        .await
        .unwrap();
    assert_eq!(rows, [(7, "completed".to_owned())]);
}

/// A stream whose client is kept awake by pings is repaired behind them.
#[tokio::test]
async fn a_repair_may_come_late() {
    let around = Surroundings::start().await.with("PING_INTERVAL", "20ms");
    let app = TestApp::start_in(around).await;
    let client = support::Client::of(&app, &app.key().await);
    let (refuse, refused) = oneshot::channel::<()>();
    app.plan().enqueue(Reply::overloaded());
    app.bedrock().enqueue(invalid(EXTRA).held_until(refused));
    app.bedrock().enqueue(answered(true));
    let mut fields = with_extra();
    fields["stream"] = true.into();
    let response = within("the head", request(&client, fields).send()).await.unwrap();
    let mut body = response.bytes_stream();
    assert!(next_event(&mut body).await.starts_with(b"event: ping"));
    refuse.send(()).unwrap();
    let mut event = Vec::new();
    while !event.starts_with(b"event: message_stop") {
        event = next_event(&mut body).await;
    }
    assert_eq!(app.bedrock().requests().len(), 2);
    app.stop().await;
}

/// B-02: one bad flag never fails a request. Flags that are not named cost everything but the core, for this model.
#[tokio::test]
async fn betas_that_are_refused_are_left_out_and_remembered() {
    let (app, client) = on_bedrock().await;
    let ask = async || {
        let betas = "interleaved-thinking-2025-05-14,thinking-token-count-2026-05-13";
        get(client.message(false).header("anthropic-beta", betas)).await
    };
    app.bedrock().enqueue(invalid("The model returned the following errors: invalid beta flag"));
    app.bedrock().otherwise(|_| answered(false));
    assert_eq!((ask().await.status, ask().await.status), (200, 200));
    let sent: Vec<Value> =
        app.bedrock().requests().iter().map(|request| request.json()["anthropic_beta"].clone()).collect();
    let core = json!(["interleaved-thinking-2025-05-14"]);
    assert_eq!(
        sent,
        [json!(["interleaved-thinking-2025-05-14", "thinking-token-count-2026-05-13"]), core.clone(), core]
    );
    app.stop().await;
}

/// B-02: a flag that is named costs that one only.
#[tokio::test]
async fn a_beta_that_is_named_goes_alone() {
    let (app, client) = on_bedrock().await;
    app.bedrock()
        .enqueue(invalid("Unexpected value(s) `thinking-token-count-2026-05-13` for the `anthropic-beta` header."));
    app.bedrock().enqueue(answered(false));
    let betas = "fine-grained-tool-streaming-2025-05-14,thinking-token-count-2026-05-13";
    assert_eq!(get(client.message(false).header("anthropic-beta", betas)).await.status, 200);
    let sent = app.bedrock().requests()[1].json()["anthropic_beta"].clone();
    assert_eq!(sent, json!(["fine-grained-tool-streaming-2025-05-14"]));
    app.stop().await;
}

/// B-12: a tool of a type that this model does not have is left out.
#[tokio::test]
async fn a_tool_of_an_unknown_type_is_left_out() {
    let (app, client) = on_bedrock().await;
    let tools = json!({"tools": [
        {"type": "memory_20250818", "name": "memory"},
        {"name": "mine", "input_schema": {"type": "object"}},
    ]});
    app.bedrock().enqueue(invalid("tool type 'memory_20250818' is not supported for this model"));
    app.bedrock().otherwise(|_| answered(false));
    assert_eq!(ask(&client, tools.clone()).await.status, 200);
    assert_eq!(ask(&client, tools).await.status, 200);
    let seen = app.bedrock().requests();
    let with_it: Vec<bool> = seen.iter().map(|request| has(request, "memory_20250818")).collect();
    assert_eq!(with_it, [true, false, false], "left out of the next request from the start");
    assert!(seen.iter().all(|request| has(request, "mine")));
    app.stop().await;
}

/// B-20: times to live are kept until a model refuses them.
#[tokio::test]
async fn times_to_live_that_are_refused_are_left_out() {
    let (app, client) = on_bedrock().await;
    let system = json!({"system": [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ]});
    app.bedrock().enqueue(invalid("system.0.cache_control.ephemeral.ttl: Extra inputs are not permitted"));
    app.bedrock().otherwise(|_| answered(false));
    assert_eq!(ask(&client, system).await.status, 200);
    let marker = |n: usize| app.bedrock().requests()[n].json()["system"][0]["cache_control"].clone();
    assert_eq!((marker(0), marker(1)), (json!({"type": "ephemeral", "ttl": "1h"}), json!({"type": "ephemeral"})));
    app.stop().await;
}
