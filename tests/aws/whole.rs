//! The whole in the surroundings that the stack gives it: the environment of its task, settings from Secrets Manager, Bedrock keys
//! under KMS, metrics in CloudWatch, and a database whose certificate is checked.

use std::collections::HashMap;

use claude_code_proxy::config::VARIABLES;
use rustix::process::Signal;
use serde_json::{Value, json};
use support::evidence::secret;
use support::process::{ServeProcess, run};
use support::{Administrator, Answer, Authority, Client, Reply, Surroundings, TestDatabase, Usage, get, http_client};

use crate::certificate::{login, server};
use crate::moto::Moto;
use crate::secrets::{administrator, create};
use crate::vault::new_key;

const USAGE: Usage = Usage { input: 11, output: 7, cache_read: 3, cache_creation_5m: 0, cache_creation_1h: 0 };

/// What the stack sets for its task, with values of this test for what only a deployment or a container knows.
fn environment(own: &HashMap<&str, String>) -> Vec<(String, String)> {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../stack/golden/template.yaml");
    let template: Value = serde_yaml::from_str(&std::fs::read_to_string(template).unwrap()).unwrap();
    let task = |resource: &&Value| resource["Type"] == "AWS::ECS::TaskDefinition";
    let task = template["Resources"].as_object().unwrap().values().find(task).unwrap();
    let set = task["Properties"]["ContainerDefinitions"][0]["Environment"].as_array().unwrap();
    assert!(set.len() >= 8, "{set:?}");
    let value = |name: &str, value: &Value| {
        let told = || value.as_str().unwrap_or_else(|| panic!("{name} is {value}; say what it is here")).to_owned();
        own.get(name).cloned().unwrap_or_else(told)
    };
    let pair = |variable: &Value| {
        let name = variable["Name"].as_str().unwrap();
        let known = name.starts_with("AWS_") || VARIABLES.iter().any(|variable| variable.name == name);
        assert!(known, "the stack sets {name}, which the app does not know");
        (name.to_owned(), value(name, &variable["Value"]))
    };
    set.iter().map(pair).collect()
}

/// An administrator sets a developer up; the plan is limited; Bedrock serves; and everybody who has to know of it does.
#[tokio::test]
async fn a_limited_plan_falls_back_in_the_surroundings_of_the_stack() {
    let moto = Moto::in_region("ap-south-2");
    let authority = Authority::new("of the database");
    let cluster = server(&authority).await;
    let around = Surroundings::with_database(TestDatabase::create_on(cluster.url()).await).await;
    let around = moto.around(around, moto.url());
    let journal = tempfile::tempdir().unwrap();
    let own = HashMap::from([
        ("ADMIN_ALLOWED_CIDRS", "127.0.0.0/8".to_owned()),
        ("DATABASE_CA_FILE", authority.file().display().to_string()),
        ("KMS_KEY_ID", new_key(&moto).await),
        ("LISTEN_ADDR", "127.0.0.1:0".to_owned()),
        ("USAGE_JOURNAL_DIR", journal.path().display().to_string()),
    ]);
    create(&moto, "database", &login(&around.database, "localhost")).await;
    create(&moto, "key-hasher-secret", &around.environment()["KEY_HASHER_SECRET"]).await;
    let password = secret("the administrator's password");
    create(&moto, "admin-credentials", &administrator(&around, "ada", &password).await).await;
    // What the stack does not set, and no container has.
    let unset = ["DATABASE_URL", "KEY_HASHER_SECRET", "LOCAL_VAULT_KEY_FILE"];
    let around = unset.into_iter().fold(around, |around, name| around.with(name, ""));
    let around = around.with("DATABASE_CA_FILE", own["DATABASE_CA_FILE"].clone());
    let around = environment(&own).into_iter().fold(around, |around, (name, value)| around.with(&name, value));

    let migrated = run(&["migrate"], around.environment(), "").await;
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let process = ServeProcess::start(&around).await;
    let ready = async || get(http_client().get(format!("{}/ready", process.url()))).await.json();
    let at_first = ready().await;
    assert_eq!((&at_first["database"], &at_first["vault"]), (&json!("ready"), &json!("untried")));

    let nobody = Administrator::at(process.url());
    let session = nobody.call("create_session").basic("ada", &password).ok().await;
    let token = format!("Bearer {}", secret(session["token"].as_str().unwrap()));
    let call = |operation| nobody.call(operation).header("authorization", &token);
    let user = call("create_user").json(json!({"name": "grace"})).ok().await;
    let issued = call("create_access_key").on("user_id", user["id"].as_str().unwrap()).json(json!({})).ok().await;
    let key = secret(issued["key"].as_str().unwrap());
    let bedrock_key = secret(format!("bedrock-api-key-{}", uuid::Uuid::new_v4().simple()));
    let key_id = issued["access_key"]["id"].as_str().unwrap();
    call("put_bedrock_key").on("access_key_id", key_id).json(json!({"key": bedrock_key})).ok().await;

    let client = Client::at(format!("{}/ak/{key}", process.url()));
    let reset = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 3600;
    around.plan.enqueue(Reply::plan_limited(reset));
    around.bedrock.enqueue(Reply::bedrock_stream(&Answer::text("served").with_usage(USAGE)));
    let got = client.ask_streamed().await;
    assert_eq!(
        (got.status, got.header("x-ccp-provider"), got.header("x-ccp-fallback")),
        (200, "bedrock", "plan_limit")
    );
    let asked = around.bedrock.next_request().await;
    assert_eq!(asked.header("authorization"), Some(format!("Bearer {bedrock_key}").as_str()));
    let parts = ready().await;
    assert_eq!(
        (&parts["vault"], &parts["secrets"], &parts["metrics"]),
        (&json!("ready"), &json!("ready"), &json!("untried"))
    );

    process.signal(Signal::TERM);
    assert_eq!(process.exit_code().await, Some(0));
    let row = "SELECT user_id::text, input_tokens, output_tokens, cache_read_input_tokens FROM token_usage";
    let row: (String, i32, i32, Option<i32>) = sqlx::query_as(row).fetch_one(&around.database.pool).await.unwrap();
    assert_eq!(row, (user["id"].as_str().unwrap().to_owned(), 11, 7, Some(3)));
    let sealed: Vec<u8> =
        sqlx::query_scalar("SELECT encrypted_key FROM bedrock_keys").fetch_one(&around.database.pool).await.unwrap();
    assert_eq!(sealed[0], 2, "sealed by KMS");
    let calls = moto.calls().await;
    let data = calls.iter().flat_map(|call| call["MetricData"].as_array().unwrap());
    let fallbacks = data.filter(|datum| {
        datum["MetricName"] == "FallbackCount" && datum["Dimensions"].as_array().is_none_or(Vec::is_empty)
    });
    assert_eq!(fallbacks.map(|datum| datum["Values"][0].clone()).collect::<Vec<_>>(), [json!(1.0)]);
}
