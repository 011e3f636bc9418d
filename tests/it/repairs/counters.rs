//! What is counted of repairs, dropped fields, refused keys and lost thinking.

use http::Method;
use serde_json::json;
use support::{Answer, Client, Counters, Reply, Surroundings, TestApp, get};

use super::{ask, invalid, on_bedrock};

fn answer() -> Reply {
    Reply::bedrock_json(&Answer::text("ok"))
}

/// B-25, B-39: by names of a closed list, whatever clients make up.
#[tokio::test]
async fn repairs_and_dropped_fields_are_counted() {
    let counters = Counters::default();
    let _seen = metrics::set_default_local_recorder(&counters);
    let (app, client) = on_bedrock().await;
    app.bedrock().enqueue(invalid("made_up: Extra inputs are not permitted"));
    app.bedrock().otherwise(|_| answer());
    ask(&client, json!({"made_up": 1, "service_tier": "auto"})).await;
    ask(&client, json!({"made_up": 1})).await;
    assert_eq!(counters.get("bedrock_repair{kind=field}"), 1);
    assert_eq!(counters.get("field_dropped{field=other}"), 2);
    assert_eq!(counters.get("field_dropped{field=service_tier}"), 1);
    assert_eq!(counters.get("thinking_continuity_lost{cause=refused}"), 0);

    app.bedrock().enqueue(invalid("Invalid `signature` in `thinking` block"));
    let thinking =
        json!([{"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": "eA=="}]}]);
    ask(&client, json!({"messages": thinking})).await;
    assert_eq!(counters.get("bedrock_repair{kind=thinking_blocks}"), 1);
    assert_eq!(counters.get("thinking_continuity_lost{cause=refused}"), 1);

    app.bedrock().enqueue(Reply::bedrock_error(403, "AccessDeniedException", "no"));
    client.ask().await;
    assert_eq!(counters.get("bedrock_key_refused"), 1);
    app.stop().await;
}

/// B-38: a provider that takes over in the middle of a turn cannot use the thinking that the other one signed; between
/// turns, or while a conversation stays where it is, nothing is lost.
#[tokio::test]
async fn thinking_that_changes_hands_in_mid_turn_is_counted() {
    let counters = Counters::default();
    let _seen = metrics::set_default_local_recorder(&counters);
    let app = TestApp::start_in(Surroundings::start().await.with("STAY_LIMIT", "1h")).await;
    let client = Client::of(&app, &app.key().await);
    let begun = json!([{"role": "user", "content": "begin"}]);
    let thinking = json!([
        {"role": "user", "content": "begin"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "eA=="},
            {"type": "tool_use", "id": "t", "name": "n", "input": {}},
        ]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]},
    ]);
    let lost = || counters.get("thinking_continuity_lost{cause=provider_changed}");
    let say = async |session: &str, messages: &serde_json::Value| {
        let body = json!({"model": "claude-opus-5-5", "max_tokens": 9, "messages": messages}).to_string();
        let request = client.request(Method::POST, "/v1/messages").header("x-claude-code-session-id", session);
        let got = get(request.body(body)).await;
        assert_eq!(got.status, 200);
        got.header("x-ccp-fallback").to_owned()
    };
    app.bedrock().otherwise(|_| answer());
    // Away between turns, and there for the rest of the turn.
    app.plan().enqueue(Reply::overloaded());
    assert_eq!((say("one", &begun).await.as_str(), say("one", &thinking).await.as_str()), ("overloaded", "staying"));
    assert_eq!(lost(), 0);
    // Away in the middle of a turn.
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    app.plan().enqueue(Reply::overloaded());
    assert_eq!((say("two", &begun).await.as_str(), say("two", &thinking).await.as_str()), ("", "overloaded"));
    assert_eq!(lost(), 1);
    // Back between turns.
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    assert_eq!(say("one", &begun).await, "");
    assert_eq!(lost(), 1);
    // Back in the middle of a turn, because Bedrock has stopped serving.
    app.bedrock().enqueue(Reply::bedrock_error(500, "InternalServerException", "no"));
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    assert_eq!(say("two", &thinking).await, "");
    assert_eq!(lost(), 2);
    app.stop().await;
}
