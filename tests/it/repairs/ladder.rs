//! One known refusal, one repair, one further try; and nothing else is ever sent twice.

use serde_json::{Value, json};
use support::client::next_event;
use support::{Answer, Client, Reply, Surroundings, TestApp, frames, get, within};
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
        app.bedrock().enqueue(invalid("something else is wrong with it"));
        let mut fields = with_extra();
        fields["stream"] = stream.into();
        let got = ask(&client, fields).await;
        assert_eq!((got.status, message(&got).as_str()), (400, "something else is wrong with it"));
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

/// B-02: one bad flag never fails a request. A flag that is not named costs everything but the core, and this request
/// only: it may be another account that has no right to it.
#[tokio::test]
async fn betas_that_are_refused_without_a_name_are_left_out_once() {
    let (app, client) = on_bedrock().await;
    let ask = async || {
        let betas = "interleaved-thinking-2025-05-14,thinking-token-count-2026-05-13,dangerous-tool-use-2026-09-03";
        get(client.message(false).header("anthropic-beta", betas)).await
    };
    app.bedrock().enqueue(invalid("The model returned the following errors: invalid beta flag"));
    app.bedrock().otherwise(|_| answered(false));
    assert_eq!((ask().await.status, ask().await.status), (200, 200));
    let sent: Vec<Value> =
        app.bedrock().requests().iter().map(|request| request.json()["anthropic_beta"].clone()).collect();
    // What safeguards need is of the core: they must not go without it.
    let core = json!(["interleaved-thinking-2025-05-14", "dangerous-tool-use-2026-09-03"]);
    let all =
        json!(["interleaved-thinking-2025-05-14", "thinking-token-count-2026-05-13", "dangerous-tool-use-2026-09-03"]);
    assert_eq!(sent, [all.clone(), core, all]);
    app.stop().await;
}

/// B-02: a flag that is named costs that one only, and is remembered.
#[tokio::test]
async fn a_beta_that_is_named_goes_alone() {
    let (app, client) = on_bedrock().await;
    app.bedrock()
        .enqueue(invalid("Unexpected value(s) `thinking-token-count-2026-05-13` for the `anthropic-beta` header."));
    app.bedrock().otherwise(|_| answered(false));
    let betas = "fine-grained-tool-streaming-2025-05-14,thinking-token-count-2026-05-13";
    for _ in 0..2 {
        assert_eq!(get(client.message(false).header("anthropic-beta", betas)).await.status, 200);
    }
    let sent: Vec<Value> =
        app.bedrock().requests()[1..].iter().map(|request| request.json()["anthropic_beta"].clone()).collect();
    let rest = json!(["fine-grained-tool-streaming-2025-05-14"]);
    assert_eq!(sent, [rest.clone(), rest]);
    app.stop().await;
}

/// B-12: a tool of a type that this model does not have is left out, of this request: another may bring the beta for it.
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
    assert_eq!(with_it, [true, false, true]);
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

/// Two things are refused one after the other: each request is repaired of one, and the next knows of it.
#[tokio::test]
async fn what_is_refused_one_by_one_is_learnt_one_by_one() {
    let (app, client) = on_bedrock().await;
    app.bedrock().otherwise(|request| match (has(request, "wanted_0"), has(request, "wanted_1")) {
        (true, _) => invalid("wanted_0: Extra inputs are not permitted"),
        (false, true) => invalid("wanted_1: Extra inputs are not permitted"),
        (false, false) => answered(false),
    });
    let fields = json!({"wanted_0": 1, "wanted_1": 2});
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(ask(&client, fields.clone()).await.status);
    }
    assert_eq!(told, [400, 200, 200]);
    assert_eq!(app.bedrock().requests().len(), 5, "two, two and one");
    app.stop().await;
}

/// A model that the region does not have is the administrator's to mend: the client hears of the plan's limit.
#[tokio::test]
async fn a_wrong_model_is_no_fault_of_the_request() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    for words in [
        "The provided model identifier is invalid.",
        "Invocation of model ID x with on-demand throughput isn\u{2019}t supported.",
    ] {
        app.plan().enqueue(Reply::throttled(None));
        app.bedrock().enqueue(invalid(words));
        let got = client.ask().await;
        assert_eq!((got.status, got.header("x-ccp-provider")), (429, "plan"), "{words}");
    }
    app.stop().await;
}

/// A damaged frame in place of the first event is no refusal: the model has run, and may have counted.
#[tokio::test]
async fn a_damaged_beginning_is_counted() {
    let (app, client) = on_bedrock().await;
    let mut damaged = support::frames::bedrock_stream(&Answer::text("ok")).concat();
    damaged[40] ^= 1;
    app.bedrock().enqueue(Reply::chunks([bytes::Bytes::from(damaged)]).as_bedrock_stream());
    assert_eq!(client.ask_streamed().await.status, 500);
    let around = app.stop().await;
    let outcomes: Vec<String> =
        sqlx::query_scalar("SELECT outcome FROM token_usage").fetch_all(&around.database.pool).await.unwrap();
    assert_eq!(outcomes, ["failed"]);
}
