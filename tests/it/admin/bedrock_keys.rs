//! Bedrock keys: registered, recognised, checked, removed; never shown.

use base64::Engine as _;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use support::administrator::Call;
use support::evidence::secret;
use support::{Administrator, Answer, Reply, TestApp, get};
use uuid::Uuid;

use super::keys::{Developer, forgetful_app};

/// A short-term key as AWS's generators make it.
fn short_term(from: DateTime<Utc>, seconds: u32) -> String {
    let url = format!(
        "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=ASIAEXAMPLE%2F{}%2Fap-northeast-2%2Fbedrock%2Faws4_request&X-Amz-Date={}&X-Amz-Expires={seconds}\
         &X-Amz-Security-Token={}&X-Amz-Signature=0&X-Amz-SignedHeaders=host&Version=1",
        from.format("%Y%m%d"),
        from.format("%Y%m%dT%H%M%SZ"),
        Uuid::new_v4().simple()
    );
    secret(format!("bedrock-api-key-{}", base64::engine::general_purpose::STANDARD.encode(url)))
}

fn long_term() -> String {
    secret(format!("ABSK{}", base64::engine::general_purpose::STANDARD.encode(Uuid::new_v4().to_string())))
}

fn put(admin: &Administrator, developer: &Developer, key: &str) -> Call {
    admin.call("put_bedrock_key").on("access_key_id", &developer.key_id).json(json!({ "key": key }))
}

async fn bedrock_is_asked_with(app: &TestApp, developer: &Developer, key: &str) {
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok")));
    let client = developer.client(app);
    let got = get(client.without_login(Method::POST, "/v1/messages").body(client.body(false))).await;
    assert_eq!(got.status, 200, "{got:?}");
    let asked = app.bedrock().next_request().await;
    assert_eq!(asked.header("authorization"), Some(format!("Bearer {key}").as_str()));
}

/// A key works as soon as it is registered, and so does one that takes its place.
#[tokio::test]
async fn a_key_is_registered_replaced_and_removed() {
    let (app, admin) = forgetful_app().await;
    let developer = Developer::made_by(&admin).await;
    let of_key = |operation| admin.call(operation).on("access_key_id", &developer.key_id);
    assert_eq!(of_key("get_bedrock_key").refused(404).await["code"], "no_bedrock_key");
    let now = Utc::now().trunc_subsecs(0);
    let (first, second) = (short_term(now, 43_200), long_term());
    let registered = put(&admin, &developer, &format!("  {first}\n")).ok().await;
    let end: DateTime<Utc> = registered["expires_at"].as_str().unwrap().parse().unwrap();
    assert_eq!((&registered["kind"], end), (&json!("short_term"), now + TimeDelta::hours(12)));
    assert_eq!(of_key("get_bedrock_key").ok().await, registered);
    bedrock_is_asked_with(&app, &developer, &first).await;
    let replaced = put(&admin, &developer, &second).ok().await;
    assert_eq!((&replaced["kind"], &replaced["expires_at"]), (&json!("long_term"), &Value::Null));
    assert_eq!(replaced["created_at"], registered["created_at"]);
    assert!(replaced["rotated_at"].is_string());
    bedrock_is_asked_with(&app, &developer, &second).await;
    assert_eq!(put(&admin, &developer, "of another form").refused(422).await["fields"][0]["name"], "key");
    assert_eq!(put(&admin, &developer, &secret("some-other-form-of-key")).ok().await["kind"], "unknown");
    of_key("delete_bedrock_key").ok().await;
    assert_eq!(of_key("delete_bedrock_key").refused(404).await["code"], "no_bedrock_key");
    let client = developer.client(&app);
    let got = get(client.without_login(Method::POST, "/v1/messages").body(client.body(false))).await;
    assert_eq!(got.status, 403, "{got:?}");
    let nothing = || Uuid::new_v4();
    admin.call("put_bedrock_key").on("access_key_id", nothing()).json(json!({ "key": "ABSKx" })).refused(404).await;
    admin.call("get_bedrock_key").on("access_key_id", nothing()).refused(404).await;
    admin.call("delete_bedrock_key").on("access_key_id", nothing()).refused(404).await;
    app.stop().await;
}

/// However wrong a body is, what is in it is not told again.
#[tokio::test]
async fn a_malformed_key_is_refused_without_a_word_of_it() {
    let (app, admin) = Administrator::with_app().await;
    let developer = Developer::made_by(&admin).await;
    let told = secret(format!("ABSK-{}", Uuid::new_v4().simple()));
    let with_field = |name: &str| json!({ "key": "ABSKx", name: 1 }).to_string();
    for (body, content_type, status) in [
        (json!({ "key": format!("{told} {told}") }).to_string(), "application/json", 422),
        (json!({ "key": format!("{told}\0") }).to_string(), "application/json", 422),
        (json!({ "key": format!("{told}\u{e9}") }).to_string(), "application/json", 422),
        (json!({ "key": format!("ak_{told}") }).to_string(), "application/json", 422),
        (json!({ "key": "" }).to_string(), "application/json", 422),
        (json!({ "key": " \n" }).to_string(), "application/json", 422),
        (json!({ "key": told.repeat(600) }).to_string(), "application/json", 400),
        (json!({ "key": [told] }).to_string(), "application/json", 400),
        (json!({ "key": { "value": told } }).to_string(), "application/json", 400),
        (json!([told]).to_string(), "application/json", 400),
        (json!(told).to_string(), "application/json", 400),
        (with_field(&told), "application/json", 400),
        (format!("{{\"key\":\"{told}"), "application/json", 400),
        (told.clone(), "application/json", 400),
        (told.clone(), "text/plain", 415),
    ] {
        let call = admin.call("put_bedrock_key").on("access_key_id", &developer.key_id);
        let got = get(call.request().header("content-type", content_type).body(body)).await;
        assert_eq!(got.status, status, "{got:?}");
        assert!(!String::from_utf8_lossy(&got.body).contains(&told), "{got:?}");
    }
    let over = short_term(Utc::now() - TimeDelta::hours(13), 43_200);
    let error = put(&admin, &developer, &over).refused(422).await;
    assert!(error["message"].as_str().unwrap().contains("expired"), "{error}");
    admin.call("get_bedrock_key").on("access_key_id", &developer.key_id).refused(404).await;
    app.stop().await;
}

/// Bedrock's word on a key, whatever it is, keeps nobody from registering it.
#[tokio::test]
async fn bedrock_is_asked_whether_it_takes_a_key() {
    let (app, admin) = Administrator::with_app().await;
    let developer = Developer::made_by(&admin).await;
    let not_permitted =
        "User: arn:aws:iam::123456789012:user/x is not authorized to perform: bedrock:ListInferenceProfiles";
    for (reply, expected, answered) in [
        (Reply::json(200, r#"{"inferenceProfileSummaries":[]}"#), json!({ "verified": true }), true),
        (
            Reply::bedrock_error(
                403,
                "AccessDeniedException",
                "Authentication failed: Please make sure your API Key is valid.",
            ),
            json!({ "verified": false, "reason": "refused" }),
            true,
        ),
        (
            Reply::bedrock_error(403, "AccessDeniedException", not_permitted),
            json!({ "verified": false, "reason": "not_permitted" }),
            true,
        ),
        (
            Reply::bedrock_error(429, "ThrottlingException", "slow down"),
            json!({ "verified": false, "reason": "no_word" }),
            false,
        ),
        (Reply::drops_connection(), json!({ "verified": false, "reason": "unreachable" }), false),
    ] {
        app.bedrock().enqueue(reply);
        let key = long_term();
        let registered = put(&admin, &developer, &key).query("verify", true).ok().await;
        assert_eq!(registered["verification"], expected);
        assert_eq!(registered["last_checked_at"].is_string(), answered, "{registered}");
        let asked = app.bedrock().next_request().await;
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("GET", "/inference-profiles?maxResults=1"));
        assert_eq!(asked.header("authorization"), Some(format!("Bearer {key}").as_str()));
        let shown = admin.call("get_bedrock_key").on("access_key_id", &developer.key_id).ok().await;
        assert_eq!((&shown["last_checked_at"], &shown["verification"]), (&registered["last_checked_at"], &Value::Null));
    }
    // The next key was not checked, whatever was known of the one before.
    assert_eq!(put(&admin, &developer, &long_term()).ok().await["last_checked_at"], Value::Null);
    app.stop().await;
}
