//! The plan's side: nothing of a request or of an answer is changed.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use support::{Answer, Client, KeyWish, Reply, Surroundings, TestApp, get};

/// Headers that the client library or the way through HTTP adds by itself.
const OF_THE_WAY: &[&str] = &["host", "content-length", "connection", "transfer-encoding"];

/// JSON as no serialiser would write it: odd spacing, escapes, big numbers, duplicate keys.
fn odd_json() -> impl Strategy<Value = String> {
    let space = "[ \t\r\n]{0,3}";
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        "\"([a-z é世🦀]|\\\\u00[0-9a-f]{2}|\\\\[\"\\\\/bfnrt]){0,12}\"",
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        let member = (space, "\"[a-c]{1,2}\"", space, space, inner.clone(), space)
            .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"));
        prop_oneof![
            proptest::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(","))),
            proptest::collection::vec((space, inner, space).prop_map(|(a, v, b)| format!("{a}{v}{b}")), 0..5)
                .prop_map(|elements| format!("[{}]", elements.join(","))),
        ]
    })
}

/// C10, C11, B-27, B-28, B-58: the body that leaves is the body that came, byte for byte.
#[tokio::test]
async fn the_body_reaches_the_plan_byte_for_byte() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let mut runner = TestRunner::deterministic();
    for _ in 0..200 {
        let body = odd_json().new_tree(&mut runner).unwrap().current();
        app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
        let sent = client.request(Method::POST, "/v1/messages").header("content-type", "application/json");
        assert_eq!(get(sent.body(body.clone())).await.status, 200);
        assert_eq!(app.plan().next_request().await.body, body, "the body was changed");
    }
    app.stop().await;
}

/// B-15
#[tokio::test]
async fn bodies_that_are_no_json_reach_the_plan_too() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let big = vec![b'x'; 3 << 20];
    for body in [&b""[..], b"{", b"\xff\xfe\x00", b"[1,2", &big] {
        app.plan().enqueue(Reply::plan_error(400, "invalid_request_error", "not JSON"));
        let got = get(client.request(Method::POST, "/v1/messages").body(body.to_vec())).await;
        assert_eq!((got.status, got.error_type()), (400, "invalid_request_error".to_owned()));
        assert_eq!(app.plan().next_request().await.body, body);
    }
    app.stop().await;
}

/// B-57, B-58, C3: headers differ by the documented list only, and the login goes to the plan as it is.
#[tokio::test]
async fn headers_reach_the_plan_unchanged() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    let kept = [
        ("accept", "application/json"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("anthropic-beta", "claude-code-20250219, made-up-2031-01-01"),
        ("anthropic-beta", "another-line-2031-01-01"),
        ("anthropic-dangerous-direct-browser-access", "true"),
        ("user-agent", "claude-cli/2.1.330 (external, cli)"),
        ("x-app", "cli"),
        ("x-claude-code-session-id", "5b69f887-dc05-48eb-85b8-549431ff1884"),
        ("x-made-up", "kept, whatever it is"),
        ("x-stainless-retry-count", "0"),
    ];
    let dropped = [
        ("connection", "x-of-this-connection"),
        ("x-of-this-connection", "1"),
        ("te", "trailers"),
        ("x-ccp-access-key", "ak_not_even_a_key"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-original-uri", "/ak/ak_x/v1/messages"),
        ("x-real-ip", "203.0.113.7"),
        ("via", "1.1 a-proxy"),
        ("x-forwarded-proto", "https"),
        ("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678"),
    ];
    let request =
        kept.iter().chain(&dropped).fold(client.message(false), |request, (name, value)| request.header(*name, *value));
    assert_eq!(get(request).await.status, 200);

    let seen = app.plan().next_request().await;
    let mut arrived: Vec<(String, String)> =
        seen.headers.iter().filter(|(name, _)| !OF_THE_WAY.contains(&name.as_str())).cloned().collect();
    let login = format!("Bearer {}", client.login);
    let mut expected: Vec<(String, String)> = kept
        .iter()
        .chain(&[
            ("authorization", login.as_str()),
            ("anthropic-version", "2023-06-01"),
            ("content-type", "application/json"),
        ])
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    arrived.sort();
    expected.sort();
    assert_eq!(arrived, expected);
    assert_eq!(seen.target, "/v1/messages?beta=true");
    app.stop().await;
}

#[tokio::test]
async fn a_stream_is_asked_for_without_compression() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    app.plan().enqueue(Reply::plan_stream(&Answer::text("ok")));
    get(client.message(true).header("accept-encoding", "gzip, br")).await;
    assert_eq!(app.plan().next_request().await.header_values("accept-encoding"), ["identity"]);
    app.stop().await;
}

/// B-66, B-69, C7: status, headers and body of the plan's answer, with ours added.
#[tokio::test]
async fn answers_come_back_unchanged() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let compressed = [0x1f, 0x8b, 0x08, 0x00, 0xde, 0xad, 0xbe, 0xef].as_slice();
    for status in [200, 201, 400, 401, 403, 404, 405, 408, 409, 413, 422, 451] {
        app.plan().enqueue(
            Reply::json(status, compressed)
                .with_header("content-encoding", "gzip")
                .with_header("request-id", "req_of_the_plan")
                .with_header("anthropic-ratelimit-unified-status", "allowed_warning")
                .with_header("x-should-retry", "false")
                .with_header("x-made-up", "kept"),
        );
        let got = client.ask().await;
        assert_eq!((got.status, &got.body[..]), (status, compressed));
        for (name, value) in [
            ("content-encoding", "gzip"),
            ("content-length", "8"),
            ("content-type", "application/json"),
            ("request-id", "req_of_the_plan"),
            ("anthropic-ratelimit-unified-status", "allowed_warning"),
            ("x-should-retry", "false"),
            ("x-made-up", "kept"),
            ("x-ccp-provider", "plan"),
            ("x-ccp-fallback", ""),
        ] {
            assert_eq!(got.header(name), value, "{name} at {status}");
        }
        assert!(uuid::Uuid::parse_str(got.header("x-ccp-request-id")).is_ok());
    }
    assert_eq!(app.bedrock().requests().len(), 0, "Bedrock is not asked for what the plan has answered");
    app.stop().await;
}

/// C1, C2: paths, queries and methods pass as they are, and nothing but messages ever goes to Bedrock.
#[tokio::test]
async fn other_paths_pass_to_the_plan_as_they_are() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let calls = [
        (Method::GET, "/v1/models?limit=1000"),
        (Method::GET, "/v1/models/claude-opus-5-5"),
        (Method::POST, "/v1/messages/count_tokens?beta=true"),
        (Method::HEAD, "/v1/models?limit=1"),
        (Method::GET, "/v1/messages"),
        (Method::DELETE, "/v1/models"),
        (Method::POST, "/v1/messages/batches"),
        (Method::DELETE, "/v1/files/file_011%2Fa?x=%20y&&z"),
        (Method::PUT, "/v1/something/new?q=%C3%A9"),
    ];
    for (method, path) in calls {
        app.plan().enqueue(Reply::plan_limited(2_000_000_000));
        let got = get(client.request(method.clone(), path)).await;
        assert_eq!((got.status, got.header("x-ccp-provider")), (429, "plan"), "{method} {path}");
        let seen = app.plan().next_request().await;
        assert_eq!((seen.method.as_str(), seen.target.as_str()), (method.as_str(), path));
    }
    assert_eq!(app.bedrock().requests().len(), 0);
    app.stop().await;
}

/// What is conditional on the client's own copy is answered as such; only redirects are refused.
#[tokio::test]
async fn an_unchanged_answer_passes() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    app.plan().enqueue(Reply::new(304).with_header("etag", "\"1\""));
    let got = get(client.request(Method::GET, "/v1/models/x").header("if-none-match", "\"1\"")).await;
    assert_eq!((got.status, got.header("etag"), got.header("x-ccp-provider")), (304, "\"1\"", "plan"));
    app.stop().await;
}

/// B-70: what Claude Code sends at its start is answered here.
#[tokio::test]
async fn greetings_are_answered_without_asking_anybody() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    for (method, path) in
        [(Method::HEAD, ""), (Method::HEAD, "/"), (Method::HEAD, "/api/hello"), (Method::GET, "/api/hello")]
    {
        assert_eq!(get(client.without_login(method.clone(), path)).await.status, 200, "{method} {path}");
    }
    assert_eq!(
        get(client.without_login(Method::GET, "")).await.status,
        405,
        "a person shall not take it for a working key"
    );
    assert_eq!(app.plan().requests().len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn a_path_cannot_lead_out_of_the_api() {
    let app = TestApp::start().await;
    let key = app.key().await;
    for path in ["/v1/../admin", "/v1/%2e%2E/admin", "/v1/./x", "/v1/a/..%2f"] {
        // The client library would resolve the dots itself.
        let status =
            raw_status(&app, &format!("GET /ak/{}{path} HTTP/1.1\r\nhost: x\r\nx-api-key: sk-ant-x\r\n\r\n", key.text))
                .await;
        assert!(path.ends_with("%2f") || status == 400, "{path}: {status}");
    }
    assert!(app.plan().requests().iter().all(|request| request.target.starts_with("/v1/a/")));
    app.stop().await;
}

async fn raw_status(app: &TestApp, request: &str) -> u16 {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = app.url().replace("http://", "");
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    support::within("an answer", connection.read_exact(&mut head)).await.unwrap();
    std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
}

/// The default plan key serves requests that bring no login, and only those.
#[tokio::test]
async fn the_default_key_is_for_requests_without_a_login() {
    let default = support::evidence::secret("sk-ant-api03-the-default-key-of-the-plan");
    let app = TestApp::start_in(Surroundings::start().await.with("PLAN_API_KEY", &default)).await;
    let client = Client::of(&app, &app.issue(KeyWish::without_bedrock()).await);
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    get(client.without_login(Method::POST, "/v1/messages").body(client.body(false))).await;
    let seen = app.plan().next_request().await;
    assert_eq!((seen.header("x-api-key"), seen.header("authorization")), (Some(default.as_str()), None));
    client.ask().await;
    let seen = app.plan().next_request().await;
    assert_eq!(seen.header("x-api-key"), None, "a login of the client's own is enough");
    app.stop().await;
}
