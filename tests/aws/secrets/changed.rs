//! Secrets that are changed while processes run: a new password of the administrator, a new key of the plan.

use http::Method;
use serde_json::json;
use support::evidence::secret;
use support::process::ServeProcess;
use support::{Administrator, Answer, Client, KeyWish, Reply, get};

use super::{administrator, change, create, create_required, own};
use crate::moto::Moto;

/// Logs in; the status, and the token if there is one.
pub(super) async fn log_in(process: &ServeProcess, password: &str) -> (u16, Option<String>) {
    let got = Administrator::at(process.url()).call("create_session").basic("ada", password).send().await;
    (got.status, got.json()["token"].as_str().map(secret))
}

async fn status(process: &ServeProcess, token: &str) -> u16 {
    let call = Administrator::at(process.url()).call("list_users");
    call.header("authorization", format!("Bearer {token}")).send().await.status
}

/// Nobody restarts anything: the administrator is set up after the start, and the password is changed later. What was
/// given out for the old one is over, also on an instance where nobody has logged in since.
#[tokio::test]
async fn an_administrator_is_set_up_and_changed_while_two_instances_run() {
    let moto = Moto::in_region("us-gov-west-1");
    let around = moto.account(moto.url()).await;
    create_required(&moto, &around).await;
    let (one, other) =
        (ServeProcess::start_with(&around, &own()).await, ServeProcess::start_with(&around, &own()).await);
    let [first, second] = ["the first password", "the second password"].map(secret);
    assert_eq!(log_in(&one, &first).await, (503, None));
    create(&moto, "admin-credentials", &administrator(&around, "ada", &first).await).await;
    let (granted, old) = log_in(&one, &first).await;
    assert_eq!(granted, 200);
    let old = old.unwrap();
    assert_eq!((status(&one, &old).await, status(&other, &old).await), (200, 200));
    change(&moto, "admin-credentials", &administrator(&around, "ada", &second).await).await;
    let (granted, new) = log_in(&one, &second).await;
    assert_eq!(granted, 200);
    let new = new.unwrap();
    assert_eq!((status(&one, &new).await, status(&one, &old).await), (200, 401));
    assert_eq!((status(&other, &new).await, status(&other, &old).await), (200, 401));
    assert_eq!(log_in(&one, &first).await, (401, None));
    let told = "the administrator's name or password has changed; the tokens from before are over";
    assert_eq!(one.lines(told, 2).await.len(), 2);
    // What cannot be used is told, and changes nothing.
    change(&moto, "admin-credentials", &json!({"username": "ada", "password_hash": "hunter2"}).to_string()).await;
    assert_eq!(log_in(&one, &first).await, (401, None));
    let told = one.lines("a secret was changed into something that cannot be used; what is known stays", 1).await;
    assert!(told[0]["error"].to_string().contains("hash-password") && !told[0].to_string().contains("hunter2"));
    assert_eq!(status(&one, &new).await, 200);
}

/// The plan refuses the key; the request after that has the new one.
#[tokio::test]
async fn a_new_key_of_the_plan_is_read_when_the_old_one_is_refused() {
    let moto = Moto::in_region("us-gov-east-1");
    let around = moto.account(moto.url()).await;
    create_required(&moto, &around).await;
    let [old, new] = ["sk-ant-the-old-one", "sk-ant-the-new-one"].map(secret);
    create(&moto, "plan-api-key", &old).await;
    let process = ServeProcess::start_with(&around, &own()).await;
    let key = around.issue(KeyWish::without_bedrock()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    let ask = async || get(client.without_login(Method::POST, "/v1/messages").body(client.body(false))).await.status;
    change(&moto, "plan-api-key", &new).await;
    around.plan.enqueue(Reply::plan_error(401, "authentication_error", "invalid x-api-key"));
    assert_eq!(ask().await, 401);
    process.lines("the plan's key has changed", 1).await;
    around.plan.enqueue(Reply::plan_json(&Answer::text("from the plan")));
    assert_eq!(ask().await, 200);
    let asked = around.plan.requests();
    let keys: Vec<_> = asked.iter().map(|request| request.header("x-api-key")).collect();
    assert_eq!(keys, [Some(&old[..]), Some(&new[..])]);
}

/// Where the environment has a setting, no secret takes its place, at the start or later.
#[tokio::test]
async fn a_setting_of_the_environment_is_not_followed() {
    let moto = Moto::in_region("il-central-1");
    let around = moto.account(moto.url()).await.administered();
    create_required(&moto, &around).await;
    let password = secret("a password that the environment does not know");
    create(&moto, "admin-credentials", &administrator(&around, "ada", &password).await).await;
    let process = ServeProcess::start_with(&around, &own()).await;
    assert_eq!(log_in(&process, &password).await, (401, None));
    assert_eq!(log_in(&process, support::administrator::password()).await.0, 200);
}
