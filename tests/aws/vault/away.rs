//! KMS is away, slow, throttled, or refuses.

use claude_code_proxy::domain::Secret;
use claude_code_proxy::vault::{Vault as _, VaultError};
use support::fault::{FaultProxy, Harm, Moment};
use support::link::{Link, Passage};
use support::process::ServeProcess;
use support::{Answer, Reply, Upstream, get, http_client, refused_address};
use uuid::Uuid;

use super::{ALIAS, client, issue, new_key, vault};
use crate::moto::Moto;

/// Keys that were used lately serve on; the others are refused in plain words until KMS is back.
#[tokio::test]
async fn an_outage_serves_keys_that_are_known_and_says_so_of_the_rest() {
    let moto = Moto::in_region("ap-southeast-2");
    new_key(&moto).await;
    let link = Link::start(moto.url().trim_start_matches("http://").parse().unwrap()).await;
    let url = format!("http://{}", link.address());
    let around = moto.account(&url).await.with("KMS_KEY_ID", ALIAS).with("LOCAL_VAULT_KEY_FILE", "");
    let process = ServeProcess::start(&around).await;
    let (known, _) = issue(&around).await;
    let (new, _) = issue(&around).await;
    around.bedrock.otherwise(|_| Reply::bedrock_json(&Answer::text("served")));
    assert_eq!(client(process.url(), &known).ask().await.status, 200);
    link.set(Passage::Cut);
    assert_eq!(client(process.url(), &known).ask().await.status, 200);
    let refused = client(process.url(), &new).ask().await;
    assert_eq!((refused.status, refused.error_type()), (503, "api_error".to_owned()));
    let told = refused.json()["error"]["message"].to_string();
    assert!(told.contains("does not answer. Try again"), "{told}");
    assert_eq!(refused.header("retry-after"), "5");
    let ready = get(http_client().get(format!("{}/ready", process.url()))).await;
    assert_eq!((ready.status, ready.json()["vault"].as_str()), (200, Some("failing")));
    link.set(Passage::Open);
    assert_eq!(client(process.url(), &new).ask().await.status, 200);
}

/// Whatever breaks on the way, a call ends within its time and is told as an outage.
#[tokio::test]
async fn every_fault_is_an_outage_and_ends() {
    let moto = Moto::in_region("ap-southeast-3");
    new_key(&moto).await;
    let faults = Harm::ALL.into_iter().flat_map(|harm| Moment::ALL.into_iter().map(move |moment| (harm, moment)));
    let calls = faults.map(|(harm, moment)| {
        let moto = &moto;
        async move {
            let fault = FaultProxy::start(moto.url(), harm, moment).await;
            let sealed = vault(moto, fault.url()).await.seal(Uuid::new_v4(), &Secret::new("a Bedrock key")).await;
            assert!(matches!(sealed, Err(VaultError::Away(_))), "{harm:?} at {moment:?}: {sealed:?}");
        }
    });
    support::within("sixteen calls to end", futures_util::future::join_all(calls)).await;
    let (_held, nowhere) = refused_address();
    let sealed = vault(&moto, &format!("http://{nowhere}")).await.seal(Uuid::new_v4(), &Secret::new("x")).await;
    assert!(matches!(&sealed, Err(VaultError::Away(code)) if code == "Unreachable"), "{sealed:?}");
}

/// Throttling is waited out, a bounded number of times; a refusal is not asked for again.
#[tokio::test]
async fn throttled_calls_are_made_again_and_refused_ones_are_not() {
    let moto = Moto::in_region("ap-southeast-4");
    for (code, calls) in [("ThrottlingException", 3), ("AccessDeniedException", 1)] {
        let upstream = Upstream::start().await;
        upstream.otherwise(move |_| {
            let body = serde_json::json!({"__type": code, "message": "not now"}).to_string();
            Reply::new(400).with_header("content-type", "application/x-amz-json-1.1").with_body(body.into_bytes())
        });
        let sealed = vault(&moto, &upstream.url()).await.seal(Uuid::new_v4(), &Secret::new("a Bedrock key")).await;
        match &sealed {
            Err(VaultError::Away(told)) if calls == 3 => assert_eq!(told, code),
            Err(VaultError::Refused(told)) if calls == 1 => assert_eq!(told, code),
            other => panic!("{code}: {other:?}"),
        }
        assert_eq!(upstream.requests().len(), calls, "{code}");
    }
}
