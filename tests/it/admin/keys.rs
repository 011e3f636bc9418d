//! Access keys: issued, listed, changed, revoked.

use serde_json::{Value, json};
use support::evidence::secret;
use support::{Administrator, Answer, Client, Reply, Surroundings, TestApp, within};
use uuid::Uuid;

/// A user with an access key, made by the administrator.
#[derive(Debug)]
pub(super) struct Developer {
    pub(super) user_id: String,
    pub(super) key_id: String,
    /// `ak_...`
    pub(super) key: String,
}

impl Developer {
    /// One whose key is as it is when nothing is said of it.
    pub(super) async fn made_by(admin: &Administrator) -> Self {
        let name = format!("developer {}", Uuid::new_v4());
        let user = admin.call("create_user").json(json!({ "name": name })).ok().await;
        let user_id = user["id"].as_str().unwrap().to_owned();
        let issued = admin.call("create_access_key").on("user_id", &user_id).json(json!({})).ok().await;
        let key_id = issued["access_key"]["id"].as_str().unwrap().to_owned();
        Self { user_id, key_id, key: secret(issued["key"].as_str().unwrap()) }
    }

    /// The same with a Bedrock key, which comes along.
    pub(super) async fn with_bedrock_key(admin: &Administrator) -> (Self, String) {
        let developer = Self::made_by(admin).await;
        let bedrock_key = secret(format!("bedrock-api-key-{}", Uuid::new_v4().simple()));
        let body = json!({ "key": bedrock_key });
        admin.call("put_bedrock_key").on("access_key_id", &developer.key_id).json(body).ok().await;
        (developer, bedrock_key)
    }

    pub(super) fn client(&self, app: &TestApp) -> Client {
        Client::at(format!("{}/ak/{}", app.url(), self.key))
    }
}

/// An app that asks the database at every request, so that a change is effective at once.
pub(super) async fn forgetful_app() -> (TestApp, Administrator) {
    let app = TestApp::start_in(Surroundings::start().await.administered().with("KEY_CACHE_TTL", "1ms")).await;
    let admin = Administrator::at(app.url()).logged_in().await;
    (app, admin)
}

/// Waits until the key is refused, and no other answer but `served` has come before.
pub(super) async fn until_refused(client: &Client, served: u16) {
    within("the refusal", async {
        loop {
            match client.ask().await.status {
                403 => return,
                status => assert_eq!(status, served),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_access_key_is_issued_shown_and_changed() {
    let (app, admin) = forgetful_app().await;
    let developer = Developer::made_by(&admin).await;
    let shown = admin.call("get_access_key").on("access_key_id", &developer.key_id).ok().await;
    let expected = json!({
        "id": developer.key_id, "user_id": developer.user_id, "prefix": &developer.key[..12], "status": "active",
        "region": "ap-northeast-2", "model": "global.anthropic.claude-opus-5-5", "family_models": {},
        "has_bedrock_key": false, "created_at": shown["created_at"],
    });
    assert_eq!(shown, expected);
    let change = json!({
        "label": "laptop", "region": "us-east-1", "model": "us.anthropic.claude-opus-5-5",
        "family_models": { "haiku": "us.anthropic.claude-haiku-5-5", "sonnet": "us.anthropic.claude-sonnet-5-5" },
    });
    let changed =
        admin.call("update_access_key").on("access_key_id", &developer.key_id).json(change.clone()).ok().await;
    for (name, value) in change.as_object().unwrap() {
        assert_eq!(&changed[name], value);
    }
    let change = json!({ "label": null, "family_models": { "sonnet": null } });
    let changed = admin.call("update_access_key").on("access_key_id", &developer.key_id).json(change).ok().await;
    assert_eq!(changed["family_models"], json!({ "haiku": "us.anthropic.claude-haiku-5-5" }));
    assert_eq!((&changed["label"], &changed["region"]), (&Value::Null, &json!("us-east-1")));
    // A request is served by what was set last.
    let bedrock_key = secret("ABSKbm90YWtleQ==");
    let put = admin.call("put_bedrock_key").on("access_key_id", &developer.key_id).json(json!({ "key": bedrock_key }));
    put.ok().await;
    let change = json!({ "family_models": { "opus": "us.anthropic.claude-opus-4-8" } });
    admin.call("update_access_key").on("access_key_id", &developer.key_id).json(change).ok().await;
    app.plan().enqueue(Reply::new(529));
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok")));
    assert_eq!(developer.client(&app).ask().await.status, 200);
    let asked = app.bedrock().next_request().await;
    assert_eq!(asked.path(), "/model/us.anthropic.claude-opus-4-8/invoke");
    assert_eq!(asked.header("authorization"), Some(format!("Bearer {bedrock_key}").as_str()));
    app.stop().await;
}

#[tokio::test]
async fn a_revoked_key_is_over_for_ever() {
    let (app, admin) = forgetful_app().await;
    let (developer, _) = Developer::with_bedrock_key(&admin).await;
    app.plan().otherwise(|_| Reply::plan_json(&Answer::text("ok")));
    assert_eq!(developer.client(&app).ask().await.status, 200);
    for _ in 0..2 {
        admin.call("revoke_access_key").on("access_key_id", &developer.key_id).ok().await;
    }
    until_refused(&developer.client(&app), 200).await;
    let shown = admin.call("get_access_key").on("access_key_id", &developer.key_id).ok().await;
    assert_eq!((&shown["status"], &shown["has_bedrock_key"]), (&json!("revoked"), &json!(false)));
    assert!(shown["revoked_at"].is_string());
    let of_key = |operation| admin.call(operation).on("access_key_id", &developer.key_id);
    for call in [
        of_key("update_access_key").json(json!({ "label": "x" })),
        of_key("rotate_access_key").json(json!({})),
        of_key("put_bedrock_key").json(json!({ "key": "ABSKx" })),
    ] {
        assert_eq!(call.refused(409).await["code"], "access_key_revoked");
    }
    let deeds: Vec<(String, String)> =
        sqlx::query_as("SELECT action, actor FROM audit_log WHERE object_id = $1 ORDER BY id")
            .bind(&developer.key_id)
            .fetch_all(&app.around().database.pool)
            .await
            .unwrap();
    let actions: Vec<&str> = deeds.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, ["access_key.create", "bedrock_key.put", "bedrock_key.delete", "access_key.revoke"]);
    assert!(deeds.iter().all(|(_, actor)| actor == "ada"));
    app.stop().await;
}

#[tokio::test]
async fn the_keys_of_a_user_come_in_pages() {
    let (app, admin) = Administrator::with_app().await;
    let developer = Developer::made_by(&admin).await;
    for number in 1..4 {
        let wish = json!({ "label": format!("key {number}") });
        admin.call("create_access_key").on("user_id", &developer.user_id).json(wish).ok().await;
    }
    let labels = |page: &Value| -> Vec<String> {
        let keys = page["items"].as_array().unwrap();
        keys.iter().map(|key| key["label"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let keys = || admin.call("list_access_keys").on("user_id", &developer.user_id);
    let first = keys().query("limit", 2).ok().await;
    assert_eq!((labels(&first), &first["total"]), (vec!["key 3".to_owned(), "key 2".to_owned()], &json!(4)));
    let last = keys().query("limit", 2).query("cursor", first["next"].as_str().unwrap()).ok().await;
    assert_eq!((labels(&last), &last["next"]), (vec!["key 1".to_owned(), String::new()], &Value::Null));
    admin.call("revoke_access_key").on("access_key_id", &developer.key_id).ok().await;
    let revoked = keys().query("status", "revoked").ok().await;
    assert_eq!((&revoked["total"], &revoked["items"][0]["id"]), (&json!(1), &json!(developer.key_id)));
    assert_eq!(keys().query("status", "rotating").ok().await["total"], 0);
    keys().query("status", "lost").refused(400).await;
    admin.call("list_access_keys").on("user_id", Uuid::new_v4()).refused(404).await;
    app.stop().await;
}

/// What Bedrock could never be asked with is refused by name, and changes nothing.
#[tokio::test]
async fn what_bedrock_cannot_be_asked_with_is_refused() {
    let (app, admin) = Administrator::with_app().await;
    let developer = Developer::made_by(&admin).await;
    let arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc";
    for (body, status, field) in [
        (json!({ "region": "Frankfurt" }), 422, "region"),
        (json!({ "region": "us-east-1.example.com" }), 422, "region"),
        (json!({ "model": "claude-opus-5-5" }), 422, "model"),
        (json!({ "model": "../x" }), 422, "model"),
        (json!({ "model": arn }), 422, "model"),
        (json!({ "family_models": { "haiku": arn } }), 422, "family_models.haiku"),
        (json!({ "family_models": { "haiku": "claude-haiku-4-5" } }), 422, "family_models.haiku"),
        (json!({ "label": "" }), 422, "label"),
        (json!({ "label": "x".repeat(256) }), 422, "label"),
        (json!({ "family_models": { "gemini": "x.y" } }), 400, ""),
        (json!({ "status": "active" }), 400, ""),
    ] {
        for call in [
            admin.call("create_access_key").on("user_id", &developer.user_id),
            admin.call("update_access_key").on("access_key_id", &developer.key_id),
        ] {
            let error = call.json(body.clone()).refused(status).await;
            assert_eq!(error["fields"][0]["name"].as_str().unwrap_or_default(), field, "{body}: {error}");
        }
    }
    let nul = json!({ "label": "a\0b" });
    let error = admin.call("create_access_key").on("user_id", &developer.user_id).json(nul).refused(422).await;
    assert_eq!(error["code"], "invalid_value");
    // The region goes with the models that are there already.
    let key = || admin.call("update_access_key").on("access_key_id", &developer.key_id);
    key().json(json!({ "region": "eu-west-1", "model": arn })).ok().await;
    let error = key().json(json!({ "region": "us-east-1" })).refused(422).await;
    assert!(error["message"].as_str().unwrap().contains("give the region eu-west-1"), "{error}");
    let shown = admin.call("get_access_key").on("access_key_id", &developer.key_id).ok().await;
    assert_eq!(shown["region"], "eu-west-1");
    let nobody = Uuid::new_v4();
    admin.call("create_access_key").on("user_id", nobody).json(json!({})).refused(404).await;
    for operation in ["get_access_key", "revoke_access_key"] {
        admin.call(operation).on("access_key_id", nobody).refused(404).await;
    }
    for operation in ["update_access_key", "rotate_access_key"] {
        admin.call(operation).on("access_key_id", nobody).json(json!({})).refused(404).await;
    }
    let keys = admin.call("list_access_keys").on("user_id", &developer.user_id).ok().await;
    assert_eq!(keys["total"], 1);
    app.stop().await;
}
