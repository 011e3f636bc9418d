//! What an administrator does with a new developer, through the client that progenitor makes of the document.

#[allow(unused_imports)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

use std::env;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use base64::Engine as _;
use generated::{Client, types};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let login = format!("{}:{}", setting("ADMIN_NAME")?, setting("ADMIN_PASSWORD")?);
    let basic = base64::engine::general_purpose::STANDARD.encode(login);
    let session = client(&format!("Basic {basic}"))?.create_session().send().await.map_err(refused)?;
    let admin = client(&format!("Bearer {}", session.token))?;

    let budget: types::CreateUserMonthlyBudgetUsd = "12.50".parse()?;
    let user = admin.create_user().body_map(|user| user.name(own("DEVELOPER")).monthly_budget_usd(budget));
    let user = user.send().await.map_err(refused)?;
    let (label, region): (types::CreateAccessKeyLabel, types::CreateAccessKeyRegion) =
        ("laptop".parse()?, "us-east-1".parse()?);
    let issued = admin
        .create_access_key()
        .user_id(user.id)
        .body_map(|key| key.label(label).region(region))
        .send()
        .await
        .map_err(refused)?;
    let first = issued.access_key.id;
    let registered = admin.put_bedrock_key().access_key_id(first).body_map(|body| body.key(own("BEDROCK_KEY")));
    registered.send().await.map_err(refused)?;
    let served = ask(&issued.key).await?;

    let (mut usage, deadline) = (serde_json::Value::Null, Instant::now() + Duration::from_secs(20));
    while !usage.to_string().contains(&setting("TOKENS")?) && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let answer = admin.get_usage().user_id(user.id).send().await.map_err(refused)?;
        usage = serde_json::to_value(answer.into_inner())?;
    }

    let rotated = admin.rotate_access_key().access_key_id(first).body_map(|body| body.grace_seconds(300));
    let rotated = rotated.send().await.map_err(refused)?;
    let (served_in_grace, served_afterwards) = (ask(&issued.key).await?, ask(&rotated.key).await?);
    for id in [first, rotated.access_key.id] {
        admin.revoke_access_key().access_key_id(id).send().await.map_err(refused)?;
    }
    let unknown = match admin.get_user().user_id(uuid::Uuid::from_u128(7)).send().await {
        Err(progenitor_client::Error::ErrorResponse(answer)) => Some(answer.into_inner().error.code),
        _ => None,
    };

    let answers = [served, served_in_grace, served_afterwards, ask(&rotated.key).await?];
    let line = serde_json::json!({
        "user_id": user.id,
        "budget": user.monthly_budget_usd,
        "routing": user.routing,
        "answers": answers,
        "usage": usage,
        "unknown": unknown,
    });
    println!("{line}");
    Ok(())
}

/// A client that proves in this way who it is.
fn client(authorization: &str) -> Result<Client> {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization.parse()?)]);
    let http = reqwest::Client::builder().default_headers(headers).build()?;
    Ok(Client::new_with_client(&setting("BASE_URL")?, http))
}

/// The status of an answer to a message.
async fn ask(key: &str) -> Result<u16> {
    let request = reqwest::Client::new()
        .post(format!("{}/ak/{key}/v1/messages", setting("BASE_URL")?))
        .header(CONTENT_TYPE, "application/json")
        .header("anthropic-version", "2023-06-01")
        .body(setting("MESSAGE")?);
    Ok(request.send().await?.status().as_u16())
}

fn refused(error: progenitor_client::Error<types::ErrorBody>) -> anyhow::Error {
    anyhow!("{error:?}")
}

fn setting(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("{name} is not set"))
}

/// A setting that [`setting`] would give; empty is refused by the server.
fn own(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
