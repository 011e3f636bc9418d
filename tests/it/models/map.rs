//! The map of models: read in the background, and kept while the database is away.

use std::time::Duration;

use claude_code_proxy::models::Models;
use serde_json::Value;
use support::process::ServeProcess;
use support::{Client, KeyWish, Surroundings, TestApp, TestDatabase, within};

use super::asked_of_bedrock;

async fn change(database: &TestDatabase, statement: &'static str) {
    assert_eq!(sqlx::query(statement).execute(&database.pool).await.unwrap().rows_affected(), 1, "{statement}");
}

const MOVED: &str = "UPDATE model_map SET bedrock_model = 'eu.anthropic.claude-x' WHERE model = 'claude-opus-5-5'";

/// The first request after a start already knows the map; a row that cannot be used costs no other, and is told once.
#[tokio::test]
async fn a_row_that_cannot_be_used_is_left_out() {
    let around = Surroundings::start().await;
    change(&around.database, "UPDATE model_map SET bedrock_model = 'anthropic..x' WHERE model = 'claude-opus-5'").await;
    change(&around.database, MOVED).await;
    let process = ServeProcess::start(&around).await;
    let key = around.issue(KeyWish::default()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    for (model, expected) in
        [("claude-opus-5-5", "eu.anthropic.claude-x"), ("claude-opus-5", "global.anthropic.claude-opus-5-5")]
    {
        assert_eq!(asked_of_bedrock(&around.plan, &around.bedrock, &client, model).await, expected);
    }
    let told: Vec<Value> = process.log().into_iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0]["what"].as_str().unwrap().starts_with("claude-opus-5: \"anthropic..x\""), "{told:?}");
}

#[tokio::test]
async fn the_map_stays_while_the_database_is_away() {
    let around = Surroundings::start().await;
    change(&around.database, MOVED).await;
    let app = TestApp::start_in(around).await;
    let client = Client::of(&app, &app.issue(KeyWish::default()).await);
    let asked = async || asked_of_bedrock(app.plan(), app.bedrock(), &client, "claude-opus-5-5").await;
    assert_eq!(asked().await, "eu.anthropic.claude-x");
    app.around().database.take_away().await;
    assert_eq!(asked().await, "eu.anthropic.claude-x");
    app.around().database.bring_back().await;
    app.stop().await;
}

/// A change is seen at the next look, and an absence of the database is none.
#[tokio::test]
async fn changes_are_learnt_in_the_background() {
    let database = TestDatabase::create().await;
    let (models, task) = Models::start(database.open(), Duration::from_millis(20));
    let bedrock_model = |name: &str| models.current().find(name).map(|model| model.bedrock_model.clone());
    within("the first look", models.first_look()).await;
    assert_eq!(bedrock_model("claude-opus-5-5").as_deref(), Some("anthropic.claude-opus-5-5"));
    assert_eq!(bedrock_model("claude-opus-6"), None);
    let newer = "INSERT INTO model_map (model, display_name, bedrock_model) VALUES ('claude-opus-6', 'Opus 6', 'x.y')";
    change(&database, newer).await;
    let until = async |name: &str, expected: Option<&str>| {
        within("a change to be learnt", async {
            while bedrock_model(name).as_deref() != expected {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    until("claude-opus-6", Some("x.y")).await;
    assert_eq!(models.current().models()[0].name, "claude-opus-6", "what was added later comes first");
    database.take_away().await;
    database.bring_back().await;
    assert_eq!(bedrock_model("claude-opus-6").as_deref(), Some("x.y"));
    change(&database, "DELETE FROM model_map WHERE model = 'claude-opus-6'").await;
    until("claude-opus-6", None).await;
    within("the task to end", task.stop()).await;
}

/// A database that is away from the start holds up no start and leaves no map.
#[tokio::test]
async fn without_the_database_the_first_look_ends_too() {
    let database = TestDatabase::create().await;
    database.take_away().await;
    let (models, task) = Models::start(database.open(), Duration::from_millis(20));
    within("the first look", models.first_look()).await;
    assert_eq!(models.current().models(), []);
    database.bring_back().await;
    within("the map", async {
        while models.current().models().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    within("the task to end", task.stop()).await;
}
