//! Circuits: seen, reset on every instance, and not remembered for longer than they are true.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use support::process::ServeProcess;
use support::{Administrator, Answer, Client, KeyWish, Reply, TestApp, within};

use super::{end, two_instances};

/// The one circuit that an instance tells of.
async fn only(admin: &Administrator) -> Value {
    let mut page = admin.call("list_circuits").ok().await;
    assert_eq!((&page["total"], page["items"].as_array().unwrap().len()), (&json!(1), 1), "{page}");
    page["items"][0].take()
}

async fn shared_limits(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM plan_limits").fetch_one(&app.around().database.pool).await.unwrap()
}

#[tokio::test]
async fn a_limit_is_seen_and_reset_on_every_instance() {
    let (first, second, admin, _, [here, mut there]) = two_instances().await;
    there.login.clone_from(&here.login);
    first.plan().enqueue(Reply::plan_limited(4_000_000_000));
    assert_eq!(here.ask().await.header("x-ccp-fallback"), "plan_limit");
    within("the other instance to know", async { while there.ask().await.header("x-ccp-provider") != "bedrock" {} })
        .await;
    for admin in [&admin, &admin.moved_to(second.url())] {
        let circuit = only(admin).await;
        let (id, login) = (circuit["id"].as_str().unwrap(), circuit["login"].as_str().unwrap());
        assert_eq!((id, login.len()), (format!("login-{login}-opus").as_str(), 8));
        assert_eq!(
            (&circuit["of"], &circuit["state"], &circuit["family"]),
            (&json!("login"), &json!("open"), &json!("opus"))
        );
        let time = |name: &str| circuit[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        assert!(time("limited_until") > Utc::now() + TimeDelta::days(6), "{circuit}");
        assert!((time("open_until") - time("limited_until")).abs() < TimeDelta::seconds(5), "{circuit}");
    }
    let id = only(&admin).await["id"].as_str().unwrap().to_owned();
    admin.call("reset_circuit").on("circuit_id", &id).ok().await;
    assert_eq!(here.ask().await.header("x-ccp-provider"), "plan");
    within("the other instance", async { while there.ask().await.header("x-ccp-provider") != "plan" {} }).await;
    assert_eq!((admin.call("list_circuits").ok().await["total"].clone(), shared_limits(&first).await), (json!(0), 0));
    let deed = admin.call("list_audit").query("action", "circuit.reset").ok().await["items"][0].take();
    assert_eq!((&deed["object_id"], deed["before"]["limited_until"].is_string()), (&json!(id), true));
    end(first, second).await;
}

/// What failures have opened is this instance's own; a reset of it asks the plan again at once.
#[tokio::test]
async fn a_circuit_that_failures_opened_is_reset() {
    let (app, admin) = Administrator::with_app().await;
    let client = Client::of(&app, &app.key().await);
    app.bedrock().otherwise(|_| Reply::bedrock_json(&Answer::text("from Bedrock")));
    for _ in 0..3 {
        app.plan().enqueue(Reply::overloaded());
        client.ask().await;
    }
    assert_eq!(client.ask().await.header("x-ccp-fallback"), "circuit_open");
    let circuit = only(&admin).await;
    assert_eq!((&circuit["state"], &circuit["limited_until"]), (&json!("open"), &Value::Null));
    admin.call("reset_circuit").on("circuit_id", circuit["id"].as_str().unwrap()).ok().await;
    app.plan().enqueue(Reply::plan_json(&Answer::text("from the plan")));
    assert_eq!(client.ask().await.header("x-ccp-provider"), "plan");
    // Those that are not open are none the worse for it.
    for id in ["plan", "bedrock-us-east-1", "login-00000000-haiku"] {
        admin.call("reset_circuit").on("circuit_id", id).ok().await;
    }
    for id in ["bedrock-x", "login-opus", "nothing", "%00"] {
        let error = admin.call("reset_circuit").on("circuit_id", id).refused(422).await;
        assert_eq!(error["fields"][0]["name"], "circuit_id", "{error}");
    }
    app.stop().await;
}

/// A limit that a success has disproved is over for all instances, and for those that start later.
#[tokio::test]
async fn a_limit_that_was_lifted_does_not_come_back_with_the_next_start() {
    let (first, second, admin, key, [here, mut there]) = two_instances().await;
    there.login.clone_from(&here.login);
    first.plan().enqueue(Reply::plan_limited(4_000_000_000));
    here.ask().await;
    within("the other instance to know", async { while there.ask().await.header("x-ccp-provider") != "bedrock" {} })
        .await;
    // With nothing left to spend at Bedrock the plan is asked all the same, and serves.
    let budget = async |budget: Value| {
        let change = json!({ "monthly_budget_usd": budget });
        admin.call("update_user").on("user_id", key.user_id).json(change).ok().await;
    };
    budget(json!("0")).await;
    assert_eq!(here.ask().await.header("x-ccp-provider"), "plan");
    within("the limit to be forgotten", async { while shared_limits(&first).await > 0 {} }).await;
    budget(Value::Null).await;
    within("the other instance", async { while there.ask().await.header("x-ccp-provider") != "plan" {} }).await;
    let third = ServeProcess::start(first.around()).await;
    let mut later = Client::at(format!("{}/ak/{}", third.url(), key.text));
    later.login.clone_from(&here.login);
    let of_third = admin.moved_to(third.url());
    assert_eq!(of_third.call("list_circuits").ok().await["total"], 0);
    assert_eq!(later.ask().await.header("x-ccp-provider"), "plan");
    third.signal(rustix::process::Signal::TERM);
    assert_eq!(third.exit_code().await, Some(0));
    end(first, second).await;
}

/// Many logins are listed in pages, each once.
#[tokio::test]
async fn circuits_are_listed_in_pages() {
    let (app, admin) = Administrator::with_app().await;
    app.bedrock().otherwise(|_| Reply::bedrock_json(&Answer::text("from Bedrock")));
    let key = app.issue(KeyWish::default()).await;
    for _ in 0..3 {
        app.plan().enqueue(Reply::plan_limited(4_000_000_000));
        Client::of(&app, &key).ask().await;
    }
    let first = admin.call("list_circuits").query("limit", 2).ok().await;
    let rest = admin.call("list_circuits").query("cursor", first["next"].as_str().unwrap()).ok().await;
    assert_eq!((&first["total"], &rest["next"]), (&json!(3), &Value::Null));
    let ids =
        |page: &Value| page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>();
    let all: std::collections::BTreeSet<String> =
        [ids(&first), ids(&rest)].concat().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    assert_eq!(all.len(), 3);
    app.stop().await;
}
