//! What the proxy itself refuses, in AWS's shape, and what it says in its log.

use claude_code_proxy::domain::RoutingStrategy;
use reqwest::Method;
use serde_json::Value;
use support::process::ServeProcess;
use support::{Got, KeyWish, Reply, Surroundings, TestApp, get, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Developer, MODEL, app_and_developer, exception};

fn message(got: &Got) -> String {
    got.json()["message"].as_str().unwrap().to_owned()
}

/// Unknown, malformed and revoked keys get one and the same answer.
#[tokio::test]
async fn without_a_valid_key_there_is_one_answer() {
    let app = TestApp::start().await;
    let revoked = app.key().await;
    let revoke = "UPDATE access_keys SET status = 'revoked' WHERE id = $1";
    sqlx::query(revoke).bind(revoked.id).execute(&app.around().database.pool).await.unwrap();
    let keys = [revoked.text.as_str(), "ak_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", "ak_short", "x", "%00"];
    let mut answers = Vec::new();
    for key in keys {
        let developer = Developer::at(format!("{}/ak/{key}", app.url()));
        for request in [developer.stream(), developer.request(Method::GET, "/inference-profiles")] {
            let got = get(request).await;
            assert_eq!(exception(&got), (403, "AccessDeniedException", "false"));
            answers.push(got.body);
        }
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    // Somebody who has only a token of AWS learns where the key belongs.
    let got = get(Developer::at(app.url()).invoke()).await;
    assert_eq!(exception(&got), (403, "AccessDeniedException", "false"));
    assert!(message(&got).contains("ANTHROPIC_BEDROCK_BASE_URL"), "{got:?}");
    assert_eq!(app.bedrock().requests().len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn who_may_not_or_cannot_use_bedrock_is_told_what_to_do() {
    let app = TestApp::start().await;
    for (wish, expected) in [
        (KeyWish::routed(RoutingStrategy::PlanOnly), "CLAUDE_CODE_USE_BEDROCK"),
        (KeyWish::without_bedrock(), "register"),
    ] {
        let developer = Developer::of(&app, &app.issue(wish).await);
        for request in [developer.invoke(), developer.stream(), developer.call("count-tokens")] {
            let got = get(request).await;
            assert_eq!(exception(&got), (403, "AccessDeniedException", "false"));
            assert!(message(&got).contains(expected) && got.header("x-ccp-provider").is_empty(), "{got:?}");
        }
    }
    assert_eq!(app.bedrock().requests().len() + app.plan().requests().len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn a_bedrock_key_that_cannot_be_opened_is_told() {
    let (app, developer, key) = app_and_developer().await;
    let damage = "UPDATE bedrock_keys SET encrypted_key = '\\x0102' WHERE access_key_id = $1";
    sqlx::query(damage).bind(key.id).execute(&app.around().database.pool).await.unwrap();
    assert_eq!(exception(&get(developer.invoke()).await), (503, "ServiceUnavailableException", ""));
    app.stop().await;
}

/// Sends a request line as it is, which no URL would let pass, and returns the head and the body of the answer.
async fn raw(app: &TestApp, method: &str, target: &str) -> String {
    let mut socket = TcpStream::connect(app.url().trim_start_matches("http://")).await.unwrap();
    let request =
        format!("{method} {target} HTTP/1.1\r\nhost: proxy\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("an answer", socket.read_to_string(&mut answer)).await.unwrap();
    answer
}

/// B-32: what is no model never becomes part of a URL, however it is written.
#[tokio::test]
async fn models_that_are_none_are_refused() {
    let (app, _, key) = app_and_developer().await;
    let long = "x".repeat(257);
    for id in [
        "..",
        "%2e%2e",
        "a%2Fb",
        "arn:aws%2F..%2F..%2Fx",
        "%252e",
        "x%00",
        "%ff",
        "a%20b",
        "a@b",
        "a;b",
        "x%3Fy=1",
        "-x",
        &long,
    ] {
        for (method, path) in [("POST", format!("model/{id}/invoke")), ("GET", format!("inference-profiles/{id}"))] {
            let answer = raw(&app, method, &format!("/ak/{}/{path}", key.text)).await;
            assert!(
                answer.starts_with("HTTP/1.1 400 ") && answer.contains("x-amzn-errortype: ValidationException"),
                "{answer}"
            );
        }
    }
    let signed = format!("/ak/{}/model/{MODEL}/invoke?X-Amz-Signature=00", key.text);
    let unwritable = format!("/ak/{}/model/{MODEL}/invoke?x='", key.text);
    for target in [signed, unwritable] {
        let answer = raw(&app, "POST", &target).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("ValidationException"), "{answer}");
    }
    assert_eq!(app.bedrock().requests().len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn other_operations_are_unknown() {
    let (app, _, key) = app_and_developer().await;
    for (method, path) in [
        ("POST", "model/x/converse"),
        ("POST", "model/x/converse-stream"),
        ("POST", "model/arn:aws:bedrock:us-east-1:1:inference-profile/x/invoke"),
        ("POST", "model/x/invoke/"),
        ("POST", "model/../inference-profiles"),
        ("GET", "model/x/invoke"),
        ("DELETE", "model/x"),
        ("POST", "inference-profiles"),
        ("DELETE", "inference-profiles/x"),
    ] {
        for target in [format!("/ak/{}/{path}", key.text), format!("/{path}")] {
            let answer = raw(&app, method, &target).await;
            assert!(answer.starts_with("HTTP/1.1 404 "), "{method} {target}: {answer}");
            assert!(answer.contains("x-amzn-errortype: UnknownOperationException"), "{method} {target}: {answer}");
        }
    }
    assert_eq!(app.bedrock().requests().len() + app.plan().requests().len(), 0);
    app.stop().await;
}

/// Not read beyond the limit, which is Bedrock's, or the proxy's where that is smaller.
#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    for name in ["BEDROCK_MAX_BODY_SIZE", "MAX_BODY_SIZE"] {
        let app = TestApp::start_in(Surroundings::start().await.with(name, "1KiB")).await;
        let developer = Developer::of(&app, &app.key().await);
        let got = get(developer.invoke().body(vec![b'x'; 1025])).await;
        assert_eq!(exception(&got), (413, "ValidationException", "false"));
        app.bedrock().enqueue(Reply::bedrock_json(&super::billed()));
        assert_eq!(get(developer.invoke().body(vec![b'x'; 1024])).await.status, 200);
        app.stop().await;
    }
}

/// Calls of models are limited by the minute; counting and listing are not.
#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let app = TestApp::start_in(Surroundings::start().await.with("KEY_REQUESTS_PER_MINUTE", "2")).await;
    let developer = Developer::of(&app, &app.key().await);
    app.bedrock().otherwise(|_| Reply::bedrock_json(&super::billed()));
    for request in [developer.invoke(), developer.stream()] {
        assert_eq!(get(request).await.status, 200);
    }
    let got = get(developer.invoke()).await;
    assert_eq!(exception(&got), (429, "ThrottlingException", ""));
    assert!((1..=30).contains(&got.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(get(developer.call("count-tokens")).await.status, 200);
    assert_eq!(get(developer.request(Method::GET, "/inference-profiles")).await.status, 200);
    app.stop().await;
}

/// Beyond the cap of requests in flight the client is asked to come back.
#[tokio::test]
async fn requests_beyond_the_cap_are_refused() {
    let app = TestApp::start_in(Surroundings::start().await.with("MAX_IN_FLIGHT", "1")).await;
    let developer = Developer::of(&app, &app.key().await);
    let (reply, steps) = Reply::stepped();
    app.bedrock().enqueue(reply.as_bedrock_stream());
    let running = within("the head", developer.stream().send()).await.unwrap();
    let got = get(developer.invoke()).await;
    assert_eq!(exception(&got), (503, "ServiceUnavailableException", ""));
    assert_eq!(got.header("retry-after"), "1");
    drop(running);
    steps.closed().await;
    app.stop().await;
}

/// The lines with this message, once there are so many.
async fn lines(process: &ServeProcess, message: &str, number: usize) -> Vec<Value> {
    within("lines of the log", async {
        loop {
            let found: Vec<Value> = process.log().into_iter().filter(|line| line["message"] == message).collect();
            if found.len() >= number {
                return found;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

/// A key that Bedrock refuses is told to the client in Bedrock's words, and to whoever reads the log; each request has
/// its line, and no secret is in any.
#[tokio::test]
async fn the_log_has_a_line_for_each_request_and_an_error_for_a_refused_key() {
    let around = Surroundings::start().await;
    let process = ServeProcess::start(&around).await;
    let key = around.issue(KeyWish::default()).await;
    let developer = Developer::at(format!("{}/ak/{}", process.url(), key.text));
    let words = "Authentication failed for account 123456789012";
    for (request, reply) in [
        (developer.invoke(), Reply::bedrock_json(&super::billed())),
        (developer.stream(), Reply::bedrock_error(403, "AccessDeniedException", words)),
        (developer.call("count-tokens"), Reply::bedrock_error(403, "AccessDeniedException", words)),
        (developer.request(Method::GET, "/inference-profiles"), Reply::json(200, "{}")),
    ] {
        around.bedrock.enqueue(reply);
        get(request).await;
    }
    let requests = lines(&process, "request", 4).await;
    let told: Vec<_> = requests
        .iter()
        .map(|line| {
            let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            (text("operation"), text("model"), line["status"].as_u64().unwrap(), text("outcome"), text("provider"))
        })
        .collect();
    let line = |operation: &str, model: &str, status, outcome: &str| {
        (operation.to_owned(), model.to_owned(), status, outcome.to_owned(), "bedrock".to_owned())
    };
    let expected = [
        line("bedrock_invoke", MODEL, 200, "completed"),
        line("bedrock_stream", MODEL, 403, "failed"),
        line("bedrock_count_tokens", MODEL, 403, "failed"),
        line("bedrock_profiles", "", 200, "completed"),
    ];
    assert_eq!(told, expected);
    assert_eq!(requests[0]["output_tokens"], 550);
    for (message, level) in [
        ("Bedrock refuses the key, or the model to it; register another one, or check its rights", "ERROR"),
        ("Bedrock refuses this to the key", "WARN"),
    ] {
        let line = lines(&process, message, 1).await.remove(0);
        assert_eq!((&line["level"], &line["access_key_id"]), (&level.into(), &key.id.to_string().into()));
    }
    let everything = format!("{:?}", process.log());
    for hidden in [&key.text, &developer.token, &developer.body, key.bedrock_key.as_ref().unwrap()] {
        assert!(!everything.contains(hidden.as_str()));
    }
    assert!(!everything.contains("123456789012") && !everything.contains("what is "));
}
