//! Which model of Bedrock serves a request, seen at the request line that Bedrock receives.

use claude_code_proxy::domain::Family;
use support::{Answer, Client, KeyWish, Reply, TestApp};

const ARN: &str = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";

async fn asked_of_bedrock(app: &TestApp, wish: KeyWish, model: &str) -> String {
    let client = Client::of(app, &app.issue(wish).await);
    super::asked_of_bedrock(app.plan(), app.bedrock(), &client, model).await
}

fn in_region(region: &'static str, model: &'static str) -> KeyWish {
    KeyWish { region, model, ..KeyWish::default() }
}

/// B-29: the suffix by which Claude Code asks for a long context is no part of a model's name.
#[tokio::test]
async fn the_suffix_for_a_long_context_does_not_reach_bedrock() {
    let app = TestApp::start().await;
    for model in ["claude-sonnet-4-6[1m]", "claude-sonnet-4-6[1M]", "global.anthropic.claude-sonnet-4-6[1m]"] {
        let seen = asked_of_bedrock(&app, KeyWish::default(), model).await;
        assert_eq!(seen, "global.anthropic.claude-sonnet-4-6");
    }
    app.stop().await;
}

/// B-30: names are mapped whole, or without their date, and never by their beginning.
#[tokio::test]
async fn a_model_is_served_by_its_own_and_by_no_neighbour() {
    let app = TestApp::start().await;
    for (model, expected) in [
        ("claude-sonnet-4", "global.anthropic.claude-sonnet-4-20250514-v1%3A0"),
        ("claude-opus-4-8", "global.anthropic.claude-opus-4-8"),
        ("claude-fable-5-1", "global.anthropic.claude-fable-5-1"),
        ("claude-haiku-4-5-20251001", "global.anthropic.claude-haiku-4-5-20251001-v1%3A0"),
        ("claude-sonnet-4-5-latest", "global.anthropic.claude-sonnet-4-5-20250929-v1%3A0"),
        // What nobody has mapped is served by the key's default.
        ("claude-opus-4", "global.anthropic.claude-opus-5-5"),
        ("claude-opus-4-9", "global.anthropic.claude-opus-5-5"),
        ("a-model-of-tomorrow", "global.anthropic.claude-opus-5-5"),
    ] {
        assert_eq!(asked_of_bedrock(&app, KeyWish::default(), model).await, expected, "{model}");
    }
    app.stop().await;
}

/// B-31: a bare id becomes the profile of the key's geography or region; a whole profile is left alone.
#[tokio::test]
async fn ids_become_the_profiles_that_the_region_has() {
    let app = TestApp::start().await;
    let bare = "anthropic.claude-opus-5-5";
    for (wish, expected) in [
        (in_region("us-gov-west-1", bare), "us-gov.anthropic.claude-haiku-5-5"),
        (in_region("us-east-1", bare), "us.anthropic.claude-haiku-5-5"),
        (in_region("eu-west-1", bare), "eu.anthropic.claude-haiku-5-5"),
        (in_region("ap-northeast-1", bare), "jp.anthropic.claude-haiku-5-5"),
        (in_region("ap-southeast-2", bare), "au.anthropic.claude-haiku-5-5"),
        (in_region("ap-northeast-2", bare), "global.anthropic.claude-haiku-5-5"),
        (in_region("us-east-1", "global.anthropic.claude-opus-5-5"), "global.anthropic.claude-haiku-5-5"),
        (in_region("eu-west-1", "eu.anthropic.claude-opus-5-5"), "eu.anthropic.claude-haiku-5-5"),
    ] {
        assert_eq!(asked_of_bedrock(&app, wish, "claude-haiku-5-5").await, expected);
    }
    for model in ["us.anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6-v1"] {
        let seen = asked_of_bedrock(&app, in_region("us-east-1", bare), model).await;
        assert_eq!(seen, "us.anthropic.claude-opus-4-6-v1");
    }
    assert_eq!(asked_of_bedrock(&app, in_region("us-east-1", bare), "unknown").await, bare, "an administrator's word");
    app.stop().await;
}

/// B-32: an ARN is percent-encoded once, whoever names it, and only one of the key's region is asked for.
#[tokio::test]
async fn arns_are_encoded_once() {
    let app = TestApp::start().await;
    let encoded = "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123";
    let default = "us.anthropic.claude-opus-5-5";
    let by_default = in_region("us-east-1", ARN);
    assert_eq!(asked_of_bedrock(&app, by_default, "claude-haiku-5-5").await, encoded);
    let by_family = KeyWish { family_models: vec![(Family::Opus, ARN)], ..in_region("us-east-1", default) };
    assert_eq!(asked_of_bedrock(&app, by_family, "claude-opus-5-5").await, encoded);
    assert_eq!(asked_of_bedrock(&app, in_region("us-east-1", default), ARN).await, encoded);
    assert_eq!(asked_of_bedrock(&app, in_region("us-west-2", default), ARN).await, default);
    app.stop().await;
}

/// Claude Code's small background model does not run on the big one, and the row of its usage says what ran.
#[tokio::test]
async fn a_family_has_the_model_that_the_key_says() {
    let app = TestApp::start().await;
    let wish = || KeyWish::for_family(Family::Haiku, "eu.anthropic.claude-haiku-4-5-20251001-v1:0");
    let seen = asked_of_bedrock(&app, wish(), "claude-haiku-5-5[1m]").await;
    assert_eq!(seen, "eu.anthropic.claude-haiku-4-5-20251001-v1%3A0");
    let seen = asked_of_bedrock(&app, wish(), "claude-sonnet-5-5").await;
    assert_eq!(seen, "global.anthropic.claude-sonnet-5-5");
    let around = app.stop().await;
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT model, upstream_model FROM token_usage ORDER BY timestamp")
            .fetch_all(&around.database.pool)
            .await
            .unwrap();
    let expected = [
        ("claude-haiku-5-5[1m]", "eu.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("claude-sonnet-5-5", "global.anthropic.claude-sonnet-5-5"),
    ];
    assert_eq!(rows, expected.map(|(asked, ran)| (asked.to_owned(), ran.to_owned())));
}

/// What can be no part of a URL is never one, whoever wrote it: a client, or an administrator past the command line.
#[tokio::test]
async fn no_name_leads_out_of_the_path() {
    let app = TestApp::start().await;
    for model in ["us.anthropic.x/../../admin", "us.anthropic.x?a=b", "arn:aws:bedrock:ap-northeast-2:1:x/..", "../x"] {
        let seen = asked_of_bedrock(&app, KeyWish::default(), model).await;
        assert_eq!(seen, "global.anthropic.claude-opus-5-5", "{model}");
    }
    let key = app.issue(KeyWish::for_family(Family::Opus, "anthropic.claude-x")).await;
    sqlx::query("UPDATE access_key_models SET bedrock_model = '../x' WHERE access_key_id = $1")
        .bind(key.id)
        .execute(&app.around().database.pool)
        .await
        .unwrap();
    app.plan().enqueue(Reply::throttled(None));
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok")));
    assert_eq!(Client::of(&app, &key).ask().await.status, 200);
    assert_eq!(app.bedrock().next_request().await.target, "/model/global.anthropic.claude-opus-5-5/invoke");
    app.stop().await;
}
