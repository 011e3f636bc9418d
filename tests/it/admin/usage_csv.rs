//! Comma-separated values: right to the last cell, and as long as anybody wants them.

use futures_util::StreamExt as _;
use serde_json::json;
use sqlx::Connection as _;
use support::administrator::Call;
use support::process::ServeProcess;
use support::{Administrator, Surroundings, TestApp, within};

use super::usage_pages::store;

fn as_csv(call: Call) -> Call {
    call.header("accept", "text/csv")
}

/// PostgreSQL reads what it is given as CSV, and finds what it has itself.
#[tokio::test]
async fn the_database_reads_back_what_it_said() {
    let (app, admin) = Administrator::with_app().await;
    let database = &app.around().database;
    store(database, 2500, "1 minute").await;
    let odd = "UPDATE token_usage SET session_id = E'a \"quoted\",\\r\\n two-lined, \\'text\\'' WHERE request_id < '00001000'";
    sqlx::query(odd).execute(&database.pool).await.unwrap();
    let csv = as_csv(admin.call("list_usage_requests")).send().await;
    let mut connection = database.pool.acquire().await.unwrap();
    sqlx::raw_sql(
        "CREATE TEMP TABLE read_back (request_id TEXT, timestamp TIMESTAMPTZ, user_id UUID, user_name TEXT, access_key_id UUID,
             provider TEXT, is_fallback BOOLEAN, model TEXT, upstream_model TEXT, upstream_message_id TEXT, outcome TEXT,
             input_tokens INT, output_tokens INT, cache_read_tokens INT, cache_write_tokens INT, cache_write_1h_tokens INT,
             total_tokens INT, cost_usd NUMERIC, priced BOOLEAN, estimated BOOLEAN, latency_ms INT, time_to_first_token_ms INT,
             session_id TEXT, agent_id TEXT, web_search_requests INT)",
    )
    .execute(&mut *connection)
    .await
    .unwrap();
    let mut copy = connection.copy_in_raw("COPY read_back FROM STDIN WITH (FORMAT csv, HEADER match)").await.unwrap();
    copy.send(&csv.body[..]).await.unwrap();
    assert_eq!(copy.finish().await.unwrap(), 2500);
    let differences: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM token_usage u FULL JOIN read_back r USING (request_id)
          WHERE (u.timestamp, u.user_id, u.access_key_id, u.provider, u.model, u.upstream_model, u.outcome, u.input_tokens,
                 u.output_tokens, u.total_tokens, u.cost_usd, u.latency_ms, u.session_id)
             IS DISTINCT FROM
                (r.timestamp, r.user_id, r.access_key_id, r.provider, r.model, r.upstream_model, r.outcome, r.input_tokens,
                 r.output_tokens, r.total_tokens, r.cost_usd, r.latency_ms, r.session_id)",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    assert_eq!(differences, 0);
    drop(connection);
    app.stop().await;
}

/// A series as CSV is the one in JSON, line by line, also when it is too long for JSON.
#[tokio::test]
async fn a_series_as_csv_is_the_one_in_json() {
    let (app, admin) = Administrator::with_app().await;
    let database = &app.around().database;
    store(database, 3000, "1 minute").await;
    assert!(database.open().rebuild_usage("UTC", std::time::Duration::from_hours(24), |_| {}).await.unwrap());
    let call =
        || admin.call("get_usage").query("period", "last_7_days").query("bucket", "hour").query("group_by", "user");
    let report = call().ok().await;
    let mut expected = Vec::new();
    for group in report["groups"].as_array().unwrap() {
        for one in group["series"].as_array().unwrap() {
            let cells = [
                "requests",
                "input_tokens",
                "output_tokens",
                "cache_read_tokens",
                "cache_write_tokens",
                "total_tokens",
            ];
            let counts: Vec<String> = cells.iter().map(|name| one["totals"][name].to_string()).collect();
            let (start, cost) = (one["start"].as_str().unwrap(), one["totals"]["cost_usd"].as_str().unwrap());
            expected.push(format!("{start},{},,{},{cost}", group["id"].as_str().unwrap(), counts.join(",")));
        }
    }
    let csv = as_csv(call()).send().await;
    let text = String::from_utf8(csv.body.to_vec()).unwrap();
    let mut lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    let header = "start,user_id,user_name,requests,input_tokens,output_tokens,cache_read_tokens,cache_write_tokens,total_tokens,cost_usd";
    assert_eq!(lines.remove(0), header);
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    // 1,500 hours of 5 keys are read in pieces; 14 keys would be too many for JSON.
    sqlx::query("UPDATE usage_aggregates SET access_key_id = gen_random_uuid() WHERE access_key_id IS NOT NULL AND bucket_type = 'hour'")
        .execute(&database.pool)
        .await
        .unwrap();
    let call = || {
        admin.call("get_usage").query("period", "last_7_days").query("bucket", "hour").query("group_by", "access_key")
    };
    let error = call().refused(422).await;
    assert!(error["message"].as_str().unwrap().contains("ask for CSV"), "{error}");
    let text = as_csv(call()).send().await.body;
    let text = std::str::from_utf8(&text).unwrap();
    let sum: i64 = text.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().parse::<i64>().unwrap()).sum();
    assert_eq!(sum, report["totals"]["requests"].as_i64().unwrap());
    app.stop().await;
}

/// Rows of the long list.
const ROWS: u32 = 200_000;
/// Memory that it may take; measured: 3 to 5 MiB, for a body of 45 MB.
const GROWTH: u64 = 8 << 20;

#[tokio::test]
async fn a_long_list_takes_little_memory() {
    let around = Surroundings::start().await.administered();
    store(&around.database, ROWS, "1 second").await;
    let process = ServeProcess::start(&around).await;
    let admin = Administrator::at(process.url()).logged_in().await;
    admin.call("list_usage_requests").ok().await;
    let before = process.resident();
    let response = within("the head", as_csv(admin.call("list_usage_requests")).request().send()).await.unwrap();
    let (mut body, mut lines, mut bytes, mut most) = (response.bytes_stream(), 0, 0, before);
    while let Some(piece) = within("a piece", body.next()).await {
        let piece = piece.unwrap();
        if bytes >> 20 != (bytes + piece.len()) >> 20 {
            most = most.max(process.resident());
        }
        bytes += piece.len();
        lines += piece.into_iter().filter(|byte| *byte == b'\n').count();
    }
    let grown = most - before;
    println!("{} KiB more memory for {lines} lines, {} KiB", grown >> 10, bytes >> 10);
    assert_eq!(lines, ROWS as usize + 1);
    assert!(grown < GROWTH && bytes as u64 > 3 * GROWTH, "{grown} bytes of memory for {bytes}");
}

/// Enough for a body that no buffer holds.
async fn app_with_a_long_list() -> (TestApp, Administrator) {
    let (app, admin) = Administrator::with_app().await;
    store(&app.around().database, 80_000, "1 second").await;
    (app, admin)
}

/// Nobody takes a part of a list for the whole.
#[tokio::test]
async fn a_list_breaks_when_the_database_does() {
    let (app, admin) = app_with_a_long_list().await;
    let response = within("the head", as_csv(admin.call("list_usage_requests")).request().send()).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut body = response.bytes_stream();
    within("the beginning", body.next()).await.unwrap().unwrap();
    app.around().database.take_away().await;
    let broken = within("the end", async {
        loop {
            match body.next().await {
                Some(Ok(_)) => {}
                Some(Err(_)) => return true,
                None => return false,
            }
        }
    })
    .await;
    assert!(broken, "the body ended as if it were whole");
    app.around().database.bring_back().await;
    app.stop().await;
}

/// Clients that do not read hold no turn and no connection; those that leave leave nothing behind.
#[tokio::test]
async fn clients_that_hardly_read_are_in_nobodys_way() {
    let (app, admin) = app_with_a_long_list().await;
    let mut standing = Vec::new();
    for _ in 0..6 {
        let response = within("the head", as_csv(admin.call("list_usage_requests")).request().send()).await.unwrap();
        standing.push(response);
    }
    assert_eq!(admin.call("get_usage").ok().await["totals"]["requests"], json!(0));
    drop(standing);
    let look = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
                   AND backend_type = 'client backend'";
    within("the database to be left alone", async {
        let mut connection = sqlx::PgConnection::connect(app.around().database.url()).await.unwrap();
        while sqlx::query_scalar::<_, i64>(look).fetch_one(&mut connection).await.unwrap() > 0 {}
    })
    .await;
    app.stop().await;
}
