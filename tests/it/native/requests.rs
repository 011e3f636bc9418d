//! What Bedrock receives: the client's request, with our credential in place of the client's.

use reqwest::Method;
use support::{Reply, Surroundings, TestApp, Upstream, get};

use super::{Developer, MODEL, app_and_developer};

/// Headers that the way through HTTP adds by itself.
const OF_THE_WAY: &[&str] = &["host", "content-length"];

/// B-32: path, query and body are those that came, percent-encoding included.
#[tokio::test]
async fn path_query_and_body_are_passed_on_as_they_came() {
    let (app, developer, _) = app_and_developer().await;
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile%2Fabc123";
    let encoded = "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-x";
    let (post, fetch) = (Method::POST, Method::GET);
    for (method, target, body) in [
        (&post, "/model/anthropic.claude-haiku-4-5-20251001-v1:0/invoke".to_owned(), developer.body.as_bytes()),
        (&post, "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke".to_owned(), b"[1, 2"),
        (&post, format!("/model/{arn}/invoke-with-response-stream?x=%20&&y"), b"\xff\xfe\x00"),
        (&post, format!("/model/{encoded}/count-tokens"), b""),
        (&fetch, "/inference-profiles?type=SYSTEM_DEFINED&nextToken=a%2Fb%3D".to_owned(), b""),
        (&fetch, format!("/inference-profiles/{encoded}"), b""),
    ] {
        app.bedrock().enqueue(Reply::json(200, "{}"));
        let got = get(developer.request(method.clone(), &target).body(body.to_vec())).await;
        assert_eq!((got.status, got.header("x-ccp-provider")), (200, "bedrock"), "{target}");
        let seen = app.bedrock().next_request().await;
        assert_eq!((seen.method.as_str(), seen.target.as_str(), &seen.body[..]), (method.as_str(), &target[..], body));
    }
    assert_eq!(app.plan().requests().len(), 0);
    app.stop().await;
}

/// Headers differ by the documented list only.
#[tokio::test]
async fn headers_are_passed_on_as_they_came() {
    let (app, developer, key) = app_and_developer().await;
    let kept = [
        ("accept", "application/vnd.amazon.eventstream"),
        ("amz-sdk-invocation-id", "03ae8b26-a1cc-49cb-9c75-3fee07d74f29"),
        ("anthropic-beta", "claude-code-20250219"),
        ("anthropic-beta", "made-up-2031-01-01"),
        ("anthropic-version", "2023-06-01"),
        ("user-agent", "claude-cli/2.1.330 (external, sdk-cli)"),
        ("x-amz-user-agent", "aws-sdk-js/3.936.0"),
        ("x-amzn-bedrock-service-tier", "flex"),
        ("x-claude-code-session-id", "session-1"),
        ("x-made-up", "kept, whatever it is"),
    ];
    let dropped = [
        ("connection", "x-of-this-connection"),
        ("x-of-this-connection", "1"),
        ("te", "trailers"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678"),
        // Only what is not compressed can be counted.
        ("accept-encoding", "gzip, deflate, br, zstd"),
    ];
    app.bedrock().enqueue(Reply::bedrock_stream(&super::billed()));
    let request =
        kept.iter().chain(&dropped).fold(developer.stream(), |request, (name, value)| request.header(*name, *value));
    assert_eq!(get(request).await.status, 200);
    let seen = app.bedrock().next_request().await;
    let mut arrived = seen.headers.clone();
    arrived.retain(|(name, _)| !OF_THE_WAY.contains(&name.as_str()));
    let ours = format!("Bearer {}", key.bedrock_key.unwrap());
    let added = [("authorization", &ours[..]), ("accept-encoding", "identity"), ("content-type", "application/json")];
    let mut expected: Vec<(String, String)> =
        kept.iter().chain(&added).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    arrived.sort();
    expected.sort();
    assert_eq!(arrived, expected);
    app.stop().await;
}

/// B-59: whatever the client proves itself with stays here, and Bedrock sees the key of the access key, once.
#[tokio::test]
async fn credentials_of_the_client_are_never_passed_on() {
    let (app, developer, key) = app_and_developer().await;
    let signed = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261123/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00ff";
    let hidden = [
        ("authorization", signed),
        ("x-api-key", "sk-ant-api03-hidden"),
        ("x-amz-security-token", "token-hidden"),
        ("x-amz-date", "20261123T000000Z"),
        ("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb924"),
        ("cookie", "session=hidden"),
        ("proxy-authorization", "Basic hidden"),
    ];
    let odd = format!("https://proxy/ak/{}", key.text);
    for operation in ["invoke", "invoke-with-response-stream", "count-tokens"] {
        app.bedrock().enqueue(Reply::json(200, "{}"));
        let request = developer.call(operation).header("x-odd", &odd);
        let request = hidden.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        assert_eq!(get(request).await.status, 200);
        let seen = app.bedrock().next_request().await;
        let ours = format!("Bearer {}", key.bedrock_key.as_ref().unwrap());
        assert_eq!(seen.header_values("authorization"), [ours]);
        let everything = format!("{seen:?}");
        for (name, value) in hidden {
            assert!(!everything.contains(value), "{name}: {value}");
        }
        assert!(!everything.contains(&developer.token) && !everything.contains(&key.text));
    }
    app.stop().await;
}

/// B-88: the key may stand in a header, as a bearer token above all, which is what `AWS_BEARER_TOKEN_BEDROCK` becomes.
#[tokio::test]
async fn the_key_may_stand_in_a_header() {
    let (app, _, key) = app_and_developer().await;
    let path = format!("{}/model/{MODEL}/invoke?x=1", app.url());
    for (name, value) in [
        ("authorization", format!("Bearer {}", key.text)),
        ("x-ccp-access-key", key.text.clone()),
        ("x-api-key", key.text.clone()),
    ] {
        app.bedrock().enqueue(Reply::bedrock_json(&super::billed()));
        let got = get(support::http_client().post(&path).header(name, value).body("{}")).await;
        assert_eq!(got.status, 200, "{name}");
        let seen = app.bedrock().next_request().await;
        assert_eq!(seen.target, format!("/model/{MODEL}/invoke?x=1"));
        assert!(!format!("{seen:?}").contains(&key.text), "{name}");
    }
    let got = get(support::http_client().get(format!("{}/inference-profiles", app.url())).bearer_auth(&key.text));
    app.bedrock().enqueue(Reply::json(200, "{}"));
    assert_eq!(got.await.status, 200);
    app.stop().await;
}

/// The control plane has an address of its own; models are called at the runtime's.
#[tokio::test]
async fn profiles_are_asked_for_at_the_control_plane() {
    let control = Upstream::start().await;
    let around = Surroundings::start().await.with("BEDROCK_CONTROL_ENDPOINT_URL", format!("{}/", control.url()));
    let app = TestApp::start_in(around).await;
    let developer = Developer::of(&app, &app.key().await);
    control.enqueue(Reply::json(200, r#"{"inferenceProfileSummaries":[]}"#));
    let got = get(developer.request(Method::GET, "/inference-profiles?type=SYSTEM_DEFINED")).await;
    assert_eq!((got.status, &got.body[..]), (200, &br#"{"inferenceProfileSummaries":[]}"#[..]));
    assert_eq!(control.next_request().await.target, "/inference-profiles?type=SYSTEM_DEFINED");
    app.bedrock().enqueue(Reply::bedrock_json(&super::billed()));
    assert_eq!(get(developer.invoke()).await.status, 200);
    assert_eq!((control.requests().len(), app.bedrock().requests().len()), (1, 1));
    app.stop().await;
}
