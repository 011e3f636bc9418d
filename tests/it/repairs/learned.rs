//! What was refused once is left out from then on, by every instance, until it has been believed for long enough.

use claude_code_proxy::domain::{Family, RoutingStrategy};
use serde_json::{Value, json};
use support::process::ServeProcess;
use support::{Answer, Client, KeyWish, RecordedRequest, Reply, Surroundings, TestApp, within};

use super::{ask, has, invalid, on_bedrock};

fn answer() -> Reply {
    Reply::bedrock_json(&Answer::text("ok"))
}

/// A Bedrock that fails where it sees `field`, in words that nobody learns from.
fn fails_with(field: &'static str) -> impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static {
    move |request| {
        if has(request, field) { Reply::bedrock_error(500, "InternalServerException", "no") } else { answer() }
    }
}

#[tokio::test]
async fn what_was_refused_is_left_out_of_the_next_request_and_of_no_other_model() {
    let (app, client) = on_bedrock().await;
    app.bedrock().enqueue(invalid("wanted_0: Extra inputs are not permitted"));
    app.bedrock().otherwise(|_| answer());
    for _ in 0..2 {
        let got = ask(&client, json!({"wanted_0": 1, "kept_0": 2})).await;
        assert_eq!((got.status, got.header("x-ccp-bedrock-dropped")), (200, "wanted_0"));
    }
    assert_eq!(app.bedrock().requests().len(), 3);
    let wish =
        KeyWish { routing: RoutingStrategy::BedrockOnly, ..KeyWish::for_model("us.anthropic.claude-opus-4-6-v1") };
    let other = Client::of(&app, &app.issue(wish).await);
    assert_eq!(ask(&other, json!({"wanted_0": 1})).await.header("x-ccp-bedrock-dropped"), "");
    let seen = app.bedrock().requests();
    assert!(seen[1..3].iter().all(|request| has(request, "kept_0") && !has(request, "wanted_0")));
    app.stop().await;
}

#[tokio::test]
async fn after_its_time_the_model_is_asked_again() {
    let app = TestApp::start_in(Surroundings::start().await.with("LEARNED_TTL", "1ms")).await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    app.bedrock().enqueue(invalid("wanted_0: Extra inputs are not permitted"));
    app.bedrock().otherwise(|_| answer());
    ask(&client, json!({"wanted_0": 1})).await;
    within("the refusal to be forgotten", async {
        while ask(&client, json!({"wanted_0": 1})).await.header("x-ccp-bedrock-dropped") == "wanted_0" {}
    })
    .await;
    app.stop().await;
}

/// What is refused in the company of something else is no word about the model.
#[tokio::test]
async fn what_depends_on_the_request_is_not_remembered() {
    let app = TestApp::start().await;
    let wish = KeyWish::for_family(Family::Opus, "us.anthropic.claude-opus-4-6-v1");
    let client = Client::of(&app, &app.issue(KeyWish { routing: RoutingStrategy::BedrockOnly, ..wish }).await);
    app.bedrock()
        .enqueue(invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one."));
    app.bedrock().otherwise(|_| answer());
    assert_eq!(ask(&client, json!({"temperature": 0.5, "top_p": 0.9})).await.status, 200);
    ask(&client, json!({"top_p": 0.9})).await;
    let seen: Vec<bool> = app.bedrock().requests().iter().map(|request| has(request, "top_p")).collect();
    assert_eq!(seen, [true, false, true]);
    app.stop().await;
}

/// Two instances on one database: the second leaves out what the first was refused, without a refusal of its own.
#[tokio::test]
async fn a_refusal_is_known_to_the_other_instance() {
    let (first, client) = on_bedrock().await;
    let second = ServeProcess::start(first.around()).await;
    let key = first.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await;
    let of_second = Client::at(format!("{}/ak/{}", second.url(), key.text));
    first.bedrock().enqueue(invalid("wanted_0: Extra inputs are not permitted"));
    first.bedrock().otherwise(fails_with("wanted_0"));
    assert_eq!(ask(&client, json!({"wanted_0": 1})).await.status, 200);
    within("the second instance to know", async {
        while ask(&of_second, json!({"wanted_0": 1})).await.status != 200 {}
    })
    .await;
    let stored: Vec<(String, String, String, String, bool)> = sqlx::query_as(
        "SELECT region, model, kind, name, expires_at BETWEEN now() + interval '23 hours' AND now() + interval '1 day'
           FROM learned_capabilities",
    )
    .fetch_all(&first.around().database.pool)
    .await
    .unwrap();
    let row = ("ap-northeast-2", "global.anthropic.claude-opus-5-5", "field", "wanted_0");
    assert_eq!(stored, [(row.0.to_owned(), row.1.to_owned(), row.2.to_owned(), row.3.to_owned(), true)]);
    second.signal(rustix::process::Signal::TERM);
    assert_eq!(second.exit_code().await, Some(0));
    first.stop().await;
}

/// Rows of a newer version and rows whose time is over are passed over.
#[tokio::test]
async fn rows_that_mean_nothing_are_passed_over() {
    let (app, client) = on_bedrock().await;
    sqlx::query(
        "INSERT INTO learned_capabilities (dialect, region, model, kind, name, expires_at)
         SELECT 'invoke', 'ap-northeast-2', 'global.anthropic.claude-opus-5-5', kind, name, now() + life
           FROM (VALUES ('of_tomorrow', 'kept_0', interval '1 hour'), ('field', 'kept_0', interval '-1 second'),
                        ('field', 'wanted_0', interval '1 hour')) AS row (kind, name, life)",
    )
    .execute(&app.around().database.pool)
    .await
    .unwrap();
    app.bedrock().otherwise(fails_with("wanted_0"));
    let fields = json!({"wanted_0": 1, "kept_0": 2});
    within("the row to be known", async { while ask(&client, fields.clone()).await.status != 200 {} }).await;
    assert!(app.bedrock().requests().iter().all(|request| has(request, "kept_0")));
    app.stop().await;
}

/// Without the database a refusal holds here all the same.
#[tokio::test]
async fn without_the_database_a_refusal_holds_here() {
    let (app, client) = on_bedrock().await;
    app.bedrock().enqueue(answer());
    ask(&client, json!({})).await;
    app.around().database.take_away().await;
    app.bedrock().enqueue(invalid("wanted_0: Extra inputs are not permitted"));
    app.bedrock().otherwise(fails_with("wanted_0"));
    for _ in 0..2 {
        assert_eq!(ask(&client, json!({"wanted_0": 1})).await.status, 200);
    }
    assert_eq!(app.bedrock().requests().len(), 4);
    app.around().database.bring_back().await;
    app.stop().await;
}

/// What one request was refused for, and another may be right with, is taken from nobody else.
#[tokio::test]
async fn what_others_may_need_is_not_remembered() {
    let edit = |edit: Value| json!({"context_management": {"edits": [edit]}});
    let tool = |tool: Value| json!({"tools": [{"name": "a", "input_schema": {"type": "object"}}, tool]});
    let computer =
        json!({"type": "computer_20251124", "name": "computer", "display_width_px": 1, "display_height_px": 1});
    let custom = json!({"name": "b", "input_schema": {}, "input_examples": [{}], "eager_input_streaming": true});
    let bash = json!({"type": "bash_20250124", "name": "bash", "eager_input_streaming": true});
    let clear = "clear_tool_uses_20250919";
    for (mine, words, others, betas, wanted) in [
        (
            tool(computer.clone()),
            "tools.1: Input tag 'computer_20251124' found using 'type' does not match any of the expected tags: 'custom'",
            tool(computer),
            "computer-use-2025-11-24",
            "computer_20251124",
        ),
        (
            tool(custom.clone()),
            "tools.1.custom.input_examples: Extra inputs are not permitted",
            tool(custom.clone()),
            "tool-examples-2025-10-29",
            "input_examples",
        ),
        (
            tool(bash),
            "tools.1.bash_20250124.eager_input_streaming: Extra inputs are not permitted",
            tool(custom),
            "fine-grained-tool-streaming-2025-05-14",
            "eager_input_streaming",
        ),
        (
            edit(json!({"type": clear, "oops": 1})),
            "context_management.edits.0.clear_tool_uses_20250919.oops: Extra inputs are not permitted",
            edit(json!({"type": clear})),
            "context-management-2025-06-27",
            clear,
        ),
    ] {
        let (app, client) = on_bedrock().await;
        app.bedrock().enqueue(invalid(words));
        app.bedrock().otherwise(|_| answer());
        let asked = async |client: &Client, fields: Value| {
            support::get(super::request(client, fields).header("anthropic-beta", betas)).await.status
        };
        assert_eq!(asked(&client, mine).await, 200);
        let innocent = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
        assert_eq!(asked(&innocent, others).await, 200);
        let seen = app.bedrock().requests();
        assert_eq!((seen.len(), has(&seen[1], wanted), has(&seen[2], wanted)), (3, false, true), "{words}");
        app.stop().await;
    }
}
