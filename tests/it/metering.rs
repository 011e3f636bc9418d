//! What Bedrock served is in the database: rows, sums, and nothing twice.

mod estimates;
mod last_used;
mod plan;

use claude_code_proxy::domain::RoutingStrategy;
use futures_util::StreamExt as _;
use http::Method;
use sqlx::FromRow;
use support::{
    Answer, BedrockApi, Client, IssuedKey, KeyWish, Reply, Surroundings, TestApp, TestDatabase, Usage, frames, get,
    within,
};
use uuid::Uuid;

const USAGE: Usage = Usage { input: 3, output: 550, cache_read: 40, cache_creation_5m: 304, cache_creation_1h: 12_000 };

#[derive(FromRow, Debug, PartialEq)]
struct Row {
    request_id: String,
    user_id: Uuid,
    access_key_id: Uuid,
    model: String,
    upstream_model: String,
    upstream_message_id: Option<String>,
    input_tokens: i32,
    output_tokens: i32,
    cache_read_input_tokens: i32,
    cache_creation_input_tokens: i32,
    cache_creation_5m_tokens: i32,
    cache_creation_1h_tokens: i32,
    total_tokens: i32,
    provider: String,
    is_fallback: bool,
    outcome: String,
    session_id: Option<String>,
    agent_id: Option<String>,
    latency_ms: i32,
    time_to_first_token_ms: Option<i32>,
    estimated: bool,
}

async fn rows(database: &TestDatabase) -> Vec<Row> {
    sqlx::query_as("SELECT * FROM token_usage ORDER BY timestamp").fetch_all(&database.pool).await.unwrap()
}

async fn number(database: &TestDatabase, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&database.pool).await.unwrap()
}

async fn app_and_client() -> (TestApp, Client, IssuedKey) {
    let app = TestApp::start().await;
    let key = app.key().await;
    let client = Client::of(&app, &key);
    (app, client, key)
}

fn billed() -> Answer {
    Answer::text("an answer").with_id("msg_of_bedrock").with_usage(USAGE)
}

/// C4, B-49, B-69, B-80: exact tokens, streamed and whole, with the ids that tie the row to the request.
#[tokio::test]
async fn every_answer_of_bedrock_is_a_row_with_its_exact_tokens() {
    for api in BedrockApi::BOTH {
        rows_have_every_value(api).await;
    }
}

async fn rows_have_every_value(api: BedrockApi) {
    let app = TestApp::start_in(api.surroundings().await).await;
    let key = app.key().await;
    let client = Client::of(&app, &key);
    let mut request_ids = Vec::new();
    for stream in [true, false] {
        app.plan().enqueue(Reply::overloaded());
        app.bedrock().enqueue(api.answer(&billed(), stream));
        let request = client
            .message(stream)
            .header("x-claude-code-session-id", "session-1")
            .header("x-claude-code-agent-id", "agent-1");
        request_ids.push(get(request).await.header("x-ccp-request-id").to_owned());
    }
    let around = app.stop().await;
    let rows = rows(&around.database).await;
    assert_eq!(rows.len(), 2);
    for (row, request_id) in rows.into_iter().zip(request_ids) {
        assert!(row.latency_ms >= row.time_to_first_token_ms.unwrap());
        let expected = Row {
            request_id,
            user_id: key.user_id,
            access_key_id: key.id,
            model: "claude-opus-5-5".to_owned(),
            upstream_model: "global.anthropic.claude-opus-5-5".to_owned(),
            upstream_message_id: Some("msg_of_bedrock".to_owned()),
            input_tokens: 3,
            output_tokens: 550,
            cache_read_input_tokens: 40,
            cache_creation_input_tokens: 12_304,
            cache_creation_5m_tokens: 304,
            cache_creation_1h_tokens: 12_000,
            total_tokens: 12_897,
            provider: "bedrock".to_owned(),
            is_fallback: true,
            outcome: "completed".to_owned(),
            session_id: Some("session-1".to_owned()),
            agent_id: Some("agent-1".to_owned()),
            latency_ms: row.latency_ms,
            time_to_first_token_ms: row.time_to_first_token_ms,
            estimated: false,
        };
        assert_eq!(row, expected);
    }
}

/// The plan's answers, refusals of Bedrock and other paths are not Bedrock usage.
#[tokio::test]
async fn what_bedrock_did_not_serve_is_no_row() {
    let (app, client, _) = app_and_client().await;
    app.plan().enqueue(Reply::plan_stream(&billed()));
    client.ask_streamed().await;
    app.plan().enqueue(Reply::overloaded());
    app.bedrock().enqueue(Reply::bedrock_error(429, "ThrottlingException", "no").with_header("retry-after", "30"));
    client.ask().await;
    app.plan().enqueue(Reply::json(200, "{}"));
    get(client.request(Method::POST, "/v1/messages/count_tokens").body("{}")).await;
    let around = app.stop().await;
    assert_eq!(rows(&around.database).await, []);
}

/// Sums are those of the rows, per key and per user, in all five kinds of buckets.
#[tokio::test]
async fn sums_are_those_of_the_rows() {
    let (app, client, key) = app_and_client().await;
    let other = Client::of(&app, &app.key().await);
    app.plan().otherwise(|_| Reply::overloaded());
    app.bedrock().otherwise(|_| Reply::bedrock_json(&billed()));
    for client in [&client, &client, &other] {
        assert_eq!(client.ask().await.status, 200);
    }
    let around = app.stop().await;
    let sums: Vec<(String, i64, i64, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT bucket_type, sum(total_requests), sum(total_input_tokens)::bigint, sum(total_output_tokens)::bigint,
                sum(total_cache_read_tokens)::bigint, sum(total_cache_write_tokens)::bigint, sum(total_tokens)::bigint
           FROM usage_aggregates WHERE user_id = $1 AND access_key_id IS NOT DISTINCT FROM $2
          GROUP BY bucket_type ORDER BY bucket_type",
    )
    .bind(key.user_id)
    .bind(None::<Uuid>)
    .fetch_all(&around.database.pool)
    .await
    .unwrap();
    let expected =
        ["day", "hour", "minute", "month", "week"].map(|bucket| (bucket.to_owned(), 2, 6, 1100, 80, 24_608, 25_794));
    assert_eq!(sums, expected);
    let per_key = number(
        &around.database,
        "SELECT sum(total_tokens)::bigint FROM usage_aggregates WHERE access_key_id IS NOT NULL",
    )
    .await;
    let per_user =
        number(&around.database, "SELECT sum(total_tokens)::bigint FROM usage_aggregates WHERE access_key_id IS NULL")
            .await;
    assert_eq!((per_key, per_user), (5 * 3 * 12_897, 5 * 3 * 12_897));
    let mondays = number(
        &around.database,
        "SELECT count(*) FROM usage_aggregates WHERE bucket_type = 'week' AND extract(isodow FROM bucket_start AT TIME ZONE 'UTC') <> 1",
    );
    assert_eq!(mondays.await, 0, "weeks begin on Monday");
}

/// B-53: whoever leaves in mid-stream leaves a row with what was known by then.
#[tokio::test]
async fn a_client_that_leaves_is_a_row() {
    let (app, client, _) = app_and_client().await;
    let (reply, steps) = Reply::stepped();
    app.plan().enqueue(Reply::overloaded());
    app.bedrock().enqueue(reply.as_bedrock_stream());
    let mut body = within("the head", async {
        let sent = client.message(true).send();
        for frame in &frames::bedrock_stream(&billed())[..3] {
            steps.send(frame.clone());
        }
        sent.await
    })
    .await
    .unwrap()
    .bytes_stream();
    within("an event", body.next()).await.unwrap().unwrap();
    drop(body);
    within("Bedrock to be let go", steps.closed()).await;
    let around = app.stop().await;
    let rows = rows(&around.database).await;
    assert_eq!((rows.len(), rows[0].outcome.as_str()), (1, "cancelled"));
    assert_eq!((rows[0].input_tokens, rows[0].cache_read_input_tokens), (3, 40));
}

/// B-81: the outcome is that of the end of the stream, not of its head.
#[tokio::test]
async fn broken_and_failed_streams_are_rows_that_say_so() {
    let (app, client, _) = app_and_client().await;
    let start = frames::bedrock_stream(&billed())[..3].to_vec();
    app.plan().otherwise(|_| Reply::overloaded());
    app.bedrock().enqueue(Reply::truncated(start.clone()).as_bedrock_stream());
    assert!(support::try_get(client.message(true)).await.is_err());
    let failed = [start, vec![frames::exception("throttlingException", "slow down")]].concat();
    app.bedrock().enqueue(Reply::chunks(failed).as_bedrock_stream());
    client.ask_streamed().await;
    let around = app.stop().await;
    let outcomes: Vec<String> = rows(&around.database).await.into_iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, ["truncated", "failed"]);
}

/// Bedrock may have counted what it never finished saying: an answer that breaks off is a row, one that was refused is none.
#[tokio::test]
async fn a_whole_answer_that_breaks_off_is_a_row() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    app.bedrock()
        .enqueue(Reply::truncated([billed().to_json().into_bytes()]).with_header("content-type", "application/json"));
    assert_eq!(client.ask().await.status, 502);
    app.bedrock().enqueue(Reply::json(200, "{\"type\":\"no message\"}"));
    assert_eq!(client.ask().await.status, 502);
    app.bedrock().enqueue(Reply::bedrock_error(500, "InternalServerException", "no"));
    assert_eq!(client.ask().await.status, 500);
    let around = app.stop().await;
    let outcomes: Vec<String> = rows(&around.database).await.into_iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, ["failed", "failed"]);
}

/// B-79: requests do not wait for the database, and what they used is stored when it returns.
#[tokio::test]
async fn usage_waits_for_the_database_and_requests_do_not() {
    let (app, client, _) = app_and_client().await;
    app.plan().otherwise(|_| Reply::overloaded());
    app.bedrock().otherwise(|_| Reply::bedrock_json(&billed()));
    client.ask().await;
    app.around().database.take_away().await;
    for _ in 0..20 {
        assert_eq!(client.ask().await.status, 200);
    }
    app.around().database.bring_back().await;
    let around = app.stop().await;
    assert_eq!(rows(&around.database).await.len(), 21);
    let requests =
        "SELECT sum(total_requests) FROM usage_aggregates WHERE bucket_type = 'month' AND access_key_id IS NULL";
    assert_eq!(number(&around.database, requests).await, 21);
}

/// The same record twice, in one batch or in two, counts once.
#[tokio::test]
async fn a_record_that_comes_twice_counts_once() {
    let around = Surroundings::start().await;
    let database = around.database.open();
    let record = |request_id| claude_code_proxy::domain::UsageRecord {
        request_id,
        timestamp: "2026-03-01T00:30:00Z".parse().unwrap(),
        user_id: Uuid::nil(),
        access_key_id: Uuid::nil(),
        model: "m".to_owned(),
        upstream_model: "u".to_owned(),
        upstream_message_id: None,
        tokens: claude_code_proxy::domain::TokenUsage { input: 1, output: u32::MAX, ..Default::default() },
        estimated: false,
        cost: None,
        provider: claude_code_proxy::domain::Provider::Bedrock,
        is_fallback: false,
        route: claude_code_proxy::domain::Route::default(),
        latency_ms: 1,
        time_to_first_token_ms: None,
        outcome: claude_code_proxy::domain::Outcome::Completed,
        session_id: None,
        agent_id: None,
    };
    let (first, second) = (record(Uuid::new_v4()), record(Uuid::new_v4()));
    assert_eq!(database.store_usage(&[first.clone(), second.clone(), first.clone()]).await.unwrap(), 2);
    assert_eq!(database.store_usage(&[second, first]).await.unwrap(), 0);
    assert_eq!(database.store_usage(&[]).await.unwrap(), 0);
    assert_eq!(number(&around.database, "SELECT count(*) FROM usage_aggregates").await, 10);
    assert_eq!(number(&around.database, "SELECT max(total_requests)::bigint FROM usage_aggregates").await, 2);
    assert_eq!(
        number(&around.database, "SELECT max(total_output_tokens) FROM usage_aggregates").await,
        2 * i64::from(i32::MAX)
    );
}

/// Many tasks at once write to the same sums without a deadlock.
#[tokio::test]
async fn writers_side_by_side_lose_nothing() {
    let app = TestApp::start().await;
    app.plan().otherwise(|_| Reply::overloaded());
    app.bedrock().otherwise(|_| Reply::bedrock_json(&billed()));
    let key = app.key().await;
    let asked = (0..100).map(|_| {
        let client = Client::of(&app, &key);
        async move { client.ask().await.status }
    });
    let statuses: Vec<u16> = within("100 answers", futures_util::future::join_all(asked)).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    let around = app.stop().await;
    assert_eq!(rows(&around.database).await.len(), 100);
}
