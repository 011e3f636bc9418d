//! Settings from Secrets Manager: what each secret becomes, which may be missing, what follows when one is changed, and what
//! when Secrets Manager is away.

mod away;
mod changed;

use std::collections::HashMap;

use claude_code_proxy::domain::RoutingStrategy;
use http::Method;
use rustix::process::Signal;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use support::evidence::secret;
use support::process::{ServeProcess, run};
use support::{Answer, Client, KeyWish, Reply, Surroundings, get};

use crate::moto::Moto;

pub(crate) const PREFIX: &str = "claude-code-proxy";
/// Settings that come from secrets in these tests.
const NOT_SET: [(&str, &str); 3] = [("DATABASE_URL", ""), ("KEY_HASHER_SECRET", ""), ("SECRETS_PREFIX", PREFIX)];

/// Writes a secret for the first time.
pub(crate) async fn create(moto: &Moto, name: &str, value: &str) {
    let said = json!({"Name": format!("{PREFIX}/{name}"), "SecretString": value});
    moto.call("secretsmanager", "secretsmanager.CreateSecret", said).await;
}

/// Writes it anew.
pub(crate) async fn change(moto: &Moto, name: &str, value: &str) {
    let said = json!({"SecretId": format!("{PREFIX}/{name}"), "SecretString": value});
    moto.call("secretsmanager", "secretsmanager.PutSecretValue", said).await;
}

/// The secrets without which nothing starts.
async fn create_required(moto: &Moto, around: &Surroundings) {
    create(moto, "database", &own_login(around)).await;
    create(moto, "key-hasher-secret", &around.environment()["KEY_HASHER_SECRET"]).await;
}

/// The secret of this administrator.
pub(crate) async fn administrator(around: &Surroundings, name: &str, password: &str) -> String {
    let hash = run(&["hash-password"], around.environment(), password).await.stdout;
    json!({"username": name, "password_hash": String::from_utf8(hash).unwrap().trim()}).to_string()
}

/// The secret of the test's database, for this user.
fn login(around: &Surroundings, username: &str, password: &str) -> String {
    let options: PgConnectOptions = around.database.url().parse().unwrap();
    let (host, port, dbname) = (options.get_host(), options.get_port(), options.get_database());
    // What AWS adds does no harm. The test's server has no certificate.
    json!({"username": username, "password": password, "host": host, "port": port, "dbname": dbname, "sslmode": "disable",
        "engine": "postgres"})
    .to_string()
}

/// The same for the user that the tests have.
fn own_login(around: &Surroundings) -> String {
    let url = reqwest::Url::parse(around.database.url()).unwrap();
    login(around, url.username(), url.password().unwrap_or_default())
}

fn own() -> Vec<(&'static str, String)> {
    NOT_SET.map(|(name, value)| (name, value.to_owned())).to_vec()
}

#[tokio::test]
async fn secrets_are_settings_and_are_asked_for_at_the_start() {
    let moto = Moto::in_region("sa-east-1");
    let around = moto.account(moto.url()).await;
    create_required(&moto, &around).await;
    create(&moto, "plan-api-key", &format!("{}\n", secret("sk-ant-of-everybody"))).await;
    let password = secret("a password of tests");
    create(&moto, "admin-credentials", &administrator(&around, "ada", &password).await).await;
    let process = ServeProcess::start_with(&around, &own()).await;
    // The access key is found in the database, by its hash under the secret.
    let key = around.issue(KeyWish::default()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    around.plan.enqueue(Reply::plan_json(&Answer::text("from the plan")));
    let without_login = client.without_login(Method::POST, "/v1/messages").body(client.body(false));
    assert_eq!(get(without_login).await.status, 200);
    assert_eq!(around.plan.next_request().await.header("x-api-key"), Some("sk-ant-of-everybody"));
    let admin = support::http_client().post(format!("{}/admin/auth/login", process.url()));
    assert_eq!(get(admin.basic_auth("ada", Some(&password))).await.status, 200);
}

/// The secret of the hashes is rotated: what was issued under the one before works on.
#[tokio::test]
async fn keys_outlive_the_secret_that_they_were_issued_under() {
    let moto = Moto::in_region("ap-east-1");
    let around = moto.account(moto.url()).await;
    create_required(&moto, &around).await;
    let old = around.issue(KeyWish::default()).await;
    let fresh = secret(format!("hasher-{}", uuid::Uuid::new_v4().simple()));
    change(&moto, "key-hasher-secret", &fresh).await;
    let process = ServeProcess::start_with(&around, &own()).await;
    around.plan.otherwise(|_| Reply::plan_json(&Answer::text("from the plan")));
    let around = around.with("KEY_HASHER_SECRET", fresh);
    let new = around.issue(KeyWish::default()).await;
    for key in [&old, &new] {
        assert_eq!(Client::at(format!("{}/ak/{}", process.url(), key.text)).ask().await.status, 200);
    }
    // Once more: the version before the last is nobody's.
    change(&moto, "key-hasher-secret", &secret(format!("hasher-{}", uuid::Uuid::new_v4().simple()))).await;
    let process = ServeProcess::start_with(&around, &own()).await;
    let [gone, kept] = [&old, &new].map(|key| Client::at(format!("{}/ak/{}", process.url(), key.text)));
    assert_eq!((gone.ask().await.status, kept.ask().await.status), (403, 200));
}

/// Two secrets may be missing; each of the others is named by who misses it, with nothing of any value.
#[tokio::test]
async fn what_is_missing_or_wrong_is_told_by_its_name() {
    let moto = Moto::in_region("us-west-1");
    let around = moto.account(moto.url()).await;
    let mut environment: HashMap<String, String> = around.environment().clone();
    environment.extend(NOT_SET.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let told = async |expected: &str| {
        let output = run(&["serve"], &environment, "").await;
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && told.contains(expected), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    };
    create(&moto, "database", r#"{"username": "ada", "password": "hunter2"}"#).await;
    told("claude-code-proxy/key-hasher-secret is missing").await;
    create(&moto, "key-hasher-secret", &around.environment()["KEY_HASHER_SECRET"]).await;
    told("claude-code-proxy/database must be {").await;
    change(&moto, "database", &own_login(&around)).await;
    ServeProcess::start_with(&around, &own()).await;
}

/// The login changes under load; whoever has the old one is locked out. No request fails, and no restart is needed.
#[tokio::test]
async fn a_rotated_login_is_picked_up_while_requests_run() {
    let moto = Moto::in_region("us-east-2");
    let around = moto.account(moto.url()).await;
    let name = |which: &str| format!("proxy_{which}_{}", uuid::Uuid::new_v4().simple());
    let (old, new, password) = (name("old"), name("new"), secret(r#"p@ss:w/o?r#d%20 &"ü"#));
    for role in [&old, &new] {
        execute(&around, format!("CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{password}'")).await;
    }
    create(&moto, "database", &login(&around, &old, &password)).await;
    create(&moto, "key-hasher-secret", &around.environment()["KEY_HASHER_SECRET"]).await;
    let process = ServeProcess::start_with(&around, &own()).await;
    around.bedrock.otherwise(|_| Reply::bedrock_json(&Answer::text("served")));
    let wish = KeyWish::routed(RoutingStrategy::BedrockOnly);
    let key = around.issue(wish.clone()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    assert_eq!(client.ask().await.status, 200);
    change(&moto, "database", &login(&around, &new, &password)).await;
    execute(&around, format!("ALTER ROLE {old} NOLOGIN")).await;
    let load = async {
        loop {
            assert_eq!(client.ask().await.status, 200);
        }
    };
    tokio::select! {
        () = load => {}
        _ = process.lines("the database's login has changed; new connections use the new one", 1) => {}
    }
    execute(&around, format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{old}'")).await;
    let stranger = around.issue(wish).await;
    assert_eq!(Client::at(format!("{}/ak/{}", process.url(), stranger.text)).ask().await.status, 200);
    process.signal(Signal::TERM);
    assert_eq!(process.exit_code().await, Some(0));
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM token_usage").fetch_one(&around.database.pool).await.unwrap();
    assert_eq!(usize::try_from(rows).unwrap(), around.bedrock.requests().len());
    execute(&around, format!("DROP ROLE {old}, {new}")).await;
}

async fn execute(around: &Surroundings, statement: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&around.database.pool).await.unwrap();
}
