//! Access keys: where they may stand, and what happens without a valid one.

use reqwest::Method;
use support::{Answer, Client, KeyWish, Reply, Surroundings, TestApp, get};

/// B-88
#[tokio::test]
async fn the_key_may_stand_in_a_header_and_never_leaves_the_proxy() {
    let app = TestApp::start().await;
    let key = app.key().await;
    let client = Client::at(app.url());
    for (name, value, login) in [
        ("x-ccp-access-key", key.text.clone(), "sk-ant-api03-x"),
        ("x-api-key", key.text.clone(), "Bearer sk-ant-oat01-x"),
        ("authorization", format!("Bearer {}", key.text), "sk-ant-api03-x"),
    ] {
        app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
        let login_header = if name == "x-api-key" { "authorization" } else { "x-api-key" };
        let request = client
            .without_login(Method::POST, "/v1/messages?beta=true")
            .header(name, value)
            .header(login_header, login);
        assert_eq!(get(request.body(client.body(false))).await.status, 200, "{name}");
        let seen = app.plan().next_request().await;
        assert_eq!((seen.target.as_str(), seen.header(login_header)), ("/v1/messages?beta=true", Some(login)));
        assert!(!format!("{:?}", seen.headers).contains(&key.text), "{name}");
    }
    app.stop().await;
}

#[tokio::test]
async fn our_key_as_a_credential_is_not_forwarded_when_the_path_has_it_too() {
    let app = TestApp::start().await;
    let key = app.key().await;
    let client = Client::of(&app, &key);
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok")));
    // Developers without a plan put the key where an API key is asked for. There is no login then, so Bedrock serves.
    let request = client.without_login(Method::POST, "/v1/messages").header("x-api-key", &key.text);
    let got = get(request.body(client.body(false))).await;
    assert_eq!((got.status, got.header("x-ccp-provider"), got.header("x-ccp-fallback")), (200, "bedrock", ""));
    assert_eq!(app.plan().requests().len(), 0);
    app.stop().await;
}

/// Unknown, malformed, revoked and expired keys and those of inactive users get one and the same answer, which
/// Claude Code shows at once.
#[tokio::test]
async fn without_a_valid_key_there_is_one_answer() {
    let app = TestApp::start().await;
    let pool = &app.around().database.pool;
    let mut keys = Vec::new();
    for change in [
        "UPDATE access_keys SET status = 'revoked' WHERE id = $1",
        "UPDATE access_keys SET revoked_at = now() WHERE id = $1",
        "UPDATE access_keys SET status = 'rotating', rotation_expires_at = now() WHERE id = $1",
        "UPDATE users SET status = 'inactive' WHERE id = (SELECT user_id FROM access_keys WHERE id = $1)",
        "UPDATE users SET deleted_at = now() WHERE id = (SELECT user_id FROM access_keys WHERE id = $1)",
    ] {
        let key = app.key().await;
        assert_eq!(sqlx::query(change).bind(key.id).execute(pool).await.unwrap().rows_affected(), 1);
        keys.push(key.text);
    }
    keys.extend([
        "ak_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG".to_owned(),
        "ak_short".to_owned(),
        "x".to_owned(),
        "%00".to_owned(),
    ]);
    let mut answers = Vec::new();
    for key in keys {
        let client = Client::at(format!("{}/ak/{key}", app.url()));
        let got = client.ask().await;
        assert!(
            !got.body.windows(key.len()).any(|part| part == key.as_bytes() && key.len() > 3),
            "the answer repeats the key"
        );
        answers.push((got.status, got.error_type(), got.header("x-should-retry").to_owned(), got.body));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
    assert!(String::from_utf8_lossy(&answers[0].3).contains("administrator"));
    assert_eq!(answers[0].0, 403);
    assert_eq!(app.plan().requests().len() + app.bedrock().requests().len(), 0);
    app.stop().await;
}

/// Whoever sends no key at all is told where to put it.
#[tokio::test]
async fn without_any_key_the_answer_says_where_it_belongs() {
    let app = TestApp::start().await;
    let got = Client::at(app.url()).ask().await;
    let told = (got.status, got.error_type(), got.header("x-should-retry"));
    assert_eq!(told, (403, "permission_error".to_owned(), "false"));
    let message = got.json()["error"]["message"].to_string();
    assert!(message.contains("ANTHROPIC_BASE_URL") && message.contains("x-ccp-access-key"), "{message}");
    app.stop().await;
}

/// B-86: a key that is revoked is refused as soon as its time in the cache is over, however it is used meanwhile.
#[tokio::test]
async fn a_revoked_key_is_refused_soon() {
    let app = TestApp::start_in(Surroundings::start().await.with("KEY_CACHE_TTL", "100ms")).await;
    let key = app.key().await;
    let client = Client::of(&app, &key);
    app.plan().otherwise(|_| Reply::plan_json(&Answer::text("ok")));
    assert_eq!(client.ask().await.status, 200);
    let revoke = "UPDATE access_keys SET status = 'revoked', revoked_at = now() WHERE id = $1";
    sqlx::query(revoke).bind(key.id).execute(&app.around().database.pool).await.unwrap();
    support::within("the refusal", async { while client.ask().await.status != 403 {} }).await;
    assert_eq!(client.ask().await.status, 403);
    app.stop().await;
}

#[tokio::test]
async fn a_key_in_its_grace_period_works() {
    let app = TestApp::start().await;
    let key = app.key().await;
    let change =
        "UPDATE access_keys SET status = 'rotating', rotation_expires_at = now() + interval '1 hour' WHERE id = $1";
    sqlx::query(change).bind(key.id).execute(&app.around().database.pool).await.unwrap();
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    assert_eq!(Client::of(&app, &key).ask().await.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn without_login_and_without_bedrock_the_answer_says_what_to_do() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::without_bedrock()).await);
    let got = get(client.without_login(Method::POST, "/v1/messages").body(client.body(false))).await;
    assert_eq!((got.status, got.error_type().as_str()), (403, "permission_error"));
    assert!(got.json()["error"]["message"].as_str().unwrap().contains("Bedrock key"));
    let got = get(client.without_login(Method::GET, "/v1/models")).await;
    assert_eq!((got.status, got.error_type().as_str()), (501, "not_supported"));
    app.stop().await;
}

/// B-82, B-79: a database that is away fails no request of a key that is known.
#[tokio::test]
async fn known_keys_work_on_while_the_database_is_away() {
    let around = Surroundings::start().await.with("KEY_CACHE_TTL", "1ms");
    let app = TestApp::start_in(around).await;
    let (known, unknown) = (app.key().await, app.key().await);
    app.plan().otherwise(|_| Reply::plan_json(&Answer::text("ok")));
    assert_eq!(Client::of(&app, &known).ask().await.status, 200);
    app.around().database.take_away().await;
    assert_eq!(Client::of(&app, &known).ask().await.status, 200);
    let got = Client::of(&app, &unknown).ask().await;
    assert_eq!((got.status, got.error_type().as_str()), (503, "api_error"));
    let ready = get(Client::at(app.url()).without_login(Method::GET, "/ready")).await;
    assert_eq!((ready.status, ready.json()["database"].as_str()), (200, Some("away")));
    app.around().database.bring_back().await;
    assert_eq!(Client::of(&app, &unknown).ask().await.status, 200);
    app.stop().await;
}
