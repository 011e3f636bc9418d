//! Clients of Bedrock's own format have the same budget, and hear of it in AWS's words.

use reqwest::Method;
use serde_json::json;
use support::http_client;

use super::*;

#[tokio::test]
async fn a_spent_budget_is_refused_in_the_shape_of_aws() {
    let app = TestApp::start().await;
    let key = app.issue(wish(RoutingStrategy::PlanFirst, 4)).await;
    let call = |operation: &str| {
        let url = format!("{}/ak/{}/model/global.anthropic.claude-opus-5-5/{operation}", app.url(), key.text);
        let body = json!({ "anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [] });
        http_client().request(Method::POST, url).body(body.to_string())
    };
    let mut warnings = Vec::new();
    for (dollars, stream) in [(3, false), (1, true)] {
        let (operation, reply) = if stream {
            ("invoke-with-response-stream", Reply::bedrock_stream(&worth(dollars)))
        } else {
            ("invoke", Reply::bedrock_json(&worth(dollars)))
        };
        app.bedrock().enqueue(reply);
        let got = get(call(operation)).await;
        assert_eq!(got.status, 200);
        warnings.push(got.header("x-ccp-budget").to_owned());
    }
    assert_eq!(warnings, ["", ""]);
    for operation in ["invoke", "invoke-with-response-stream"] {
        let refused = get(call(operation)).await;
        let (_, seconds) = end_of_month(&app.around().database, "UTC").await;
        assert_eq!((refused.status, refused.header("x-amzn-errortype")), (429, "ServiceQuotaExceededException"));
        assert_eq!(refused.header("x-should-retry"), "false");
        assert!((retry_after(&refused) - seconds).abs() < 60, "{refused:?}, {seconds} s");
        assert!(refused.json()["message"].as_str().unwrap().contains("$4.00 of $4.00"), "{refused:?}");
    }
    app.bedrock().enqueue(Reply::json(200, r#"{"inputTokens":9}"#));
    assert_eq!(get(call("count-tokens")).await.status, 200);
    assert_eq!(app.bedrock().requests().len(), 3);
    app.stop().await;
}

#[tokio::test]
async fn an_answer_warns_before_it_is_spent() {
    let app = TestApp::start().await;
    let key = app.issue(wish(RoutingStrategy::BedrockOnly, 10)).await;
    app.bedrock().enqueue(Reply::bedrock_json(&worth(9)));
    assert_eq!(Client::of(&app, &key).ask().await.status, 200);
    app.bedrock().enqueue(Reply::bedrock_stream(&worth(1)));
    let url = format!("{}/ak/{}/model/x.anthropic.y/invoke-with-response-stream", app.url(), key.text);
    let got = get(http_client().post(url).body("{}")).await;
    assert_eq!((got.status, got.header("x-ccp-budget")), (200, "90%"));
    app.stop().await;
}
