//! Secrets Manager is away, slow or throttled, at the start and later.

use claude_code_proxy::aws::{SecretError, Secrets};
use claude_code_proxy::config::{SecretName, SecretsConfig};
use serde_json::{Value, json};
use support::evidence::secret;
use support::fault::{FaultProxy, Harm, Moment};
use support::link::{Link, Passage};
use support::process::{ServeProcess, run};
use support::{Answer, Client, KeyWish, PATIENCE, Reply, Upstream, get, http_client};

use super::changed::log_in;
use super::{PREFIX, administrator, change, create, create_required, own, own_login};
use crate::moto::Moto;

async fn ready(process: &ServeProcess) -> (u16, Value) {
    let got = get(http_client().get(format!("{}/ready", process.url()))).await;
    (got.status, got.json()["secrets"].clone())
}

/// What was read stays, and requests know nothing of it; when it is back, what was changed meanwhile is read.
#[tokio::test]
async fn an_outage_changes_nothing_and_ends() {
    let moto = Moto::in_region("me-south-1");
    let link = Link::start(moto.url().trim_start_matches("http://").parse().unwrap()).await;
    let around = moto.account(&format!("http://{}", link.address())).await;
    create_required(&moto, &around).await;
    let [old, new] = ["the old password", "the new password"].map(secret);
    create(&moto, "admin-credentials", &administrator(&around, "ada", &old).await).await;
    let process = ServeProcess::start_with(&around, &own()).await;
    assert_eq!(ready(&process).await, (200, json!("ready")));
    change(&moto, "admin-credentials", &administrator(&around, "ada", &new).await).await;
    link.set(Passage::Cut);
    assert_eq!(log_in(&process, &new).await.0, 401);
    assert_eq!(log_in(&process, &old).await.0, 200);
    let told = process.lines("a secret cannot be looked up; what is known stays", 1).await;
    assert!(told[0]["error"].to_string().contains("AWS Secrets Manager does not serve at the moment"), "{told:?}");
    assert_eq!(ready(&process).await, (200, json!("failing")));
    let key = around.issue(KeyWish::default()).await;
    around.plan.enqueue(Reply::plan_json(&Answer::text("served")));
    assert_eq!(Client::at(format!("{}/ak/{}", process.url(), key.text)).ask().await.status, 200);
    link.set(Passage::Open);
    assert_eq!(log_in(&process, &new).await.0, 200);
    assert_eq!(ready(&process).await, (200, json!("ready")));
    assert_eq!(process.lines("a secret cannot be looked up; what is known stays", 1).await.len(), 1);
}

/// Throttling at the start is waited out, a bounded number of times; then it is told.
#[tokio::test]
async fn throttling_delays_a_start_or_ends_it_with_the_reason() {
    let moto = Moto::in_region("me-central-1");
    let upstream = Upstream::start().await;
    let around = moto.account(&upstream.url()).await;
    let said = |status: u16, body: &Value| {
        let reply = Reply::new(status).with_header("content-type", "application/x-amz-json-1.1");
        reply.with_body(body.to_string().into_bytes())
    };
    let throttled = move || said(400, &json!({"__type": "ThrottlingException", "message": "not now"}));
    upstream.otherwise(move |_| throttled());
    let mut environment = around.environment().clone();
    environment.extend(own().into_iter().map(|(name, value)| (name.to_owned(), value)));
    let output = run(&["migrate"], &environment, "").await;
    let told = String::from_utf8(output.stderr).unwrap();
    let expected = "does not serve at the moment (ThrottlingException), so that the secret claude-code-proxy/database";
    assert!(output.status.code() == Some(1) && told.contains(expected), "{told}");
    assert_eq!(upstream.requests().len(), 3);
    let (database, hasher) = (own_login(&around), around.environment()["KEY_HASHER_SECRET"].clone());
    for _ in 0..2 {
        upstream.enqueue(throttled());
    }
    upstream.otherwise(move |asked| match asked.json()["SecretId"].as_str().unwrap() {
        "claude-code-proxy/database" => said(200, &json!({"SecretString": database})),
        "claude-code-proxy/key-hasher-secret" => said(200, &json!({"SecretString": hasher})),
        _ => said(400, &json!({"__type": "ResourceNotFoundException"})),
    });
    ServeProcess::start_with(&around, &own()).await;
}

/// Whatever breaks on the way, a read ends within its time and is told as an outage.
#[tokio::test]
async fn every_fault_is_an_outage_and_ends() {
    let moto = Moto::in_region("mx-central-1");
    create(&moto, "key-hasher-secret", "0123456789abcdef0123456789abcdef").await;
    let config = SecretsConfig { prefix: PREFIX.to_owned(), database_ca_file: None };
    let faults = Harm::ALL.into_iter().flat_map(|harm| Moment::ALL.into_iter().map(move |moment| (harm, moment)));
    let reads = faults.map(|(harm, moment)| {
        let (moto, config) = (&moto, config.clone());
        async move {
            let fault = FaultProxy::start(moto.url(), harm, moment).await;
            let secrets = Secrets::new(&moto.config(fault.url()).await, config);
            let read = secrets.settings(&[SecretName::KeyHasherSecret]).await;
            assert!(matches!(read, Err(SecretError::Away { .. })), "{harm:?} at {moment:?}: {read:?}");
        }
    });
    let all = futures_util::future::join_all(reads);
    tokio::time::timeout(3 * PATIENCE, all).await.expect("sixteen reads to end");
}
