//! What an administrator changes is in effect at once where it is changed, and soon on every other instance.

use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::json;
use support::link::{Link, Passage};
use support::process::ServeProcess;
use support::{Administrator, Answer, Client, Reply, TestApp, get, within};

use super::{end, surroundings, two_instances};

/// Every instance refuses a key soon after it was revoked, by whomever.
///
/// B-86: a stream that runs by then ends as it would have ended.
#[tokio::test]
async fn a_revoked_key_is_refused_everywhere_and_its_running_stream_ends_normally() {
    let (first, second, _, key, clients) = two_instances().await;
    let (reply, steps) = Reply::stepped();
    first.plan().enqueue(reply.as_plan_stream());
    let events = Answer::text("a long answer").to_events();
    let (begin, rest) = events.split_at(3);
    for event in begin {
        steps.send(event.to_bytes());
    }
    let mut body = within("the head", clients[0].message(true).send()).await.unwrap().bytes_stream();
    let mut seen = support::client::next_event(&mut body).await;
    sqlx::query(
        "WITH revoked AS (UPDATE access_keys SET status = 'revoked', revoked_at = now() WHERE id = $1 RETURNING id)
         SELECT pg_notify('claude_code_proxy_changes', 'access_key ' || id) FROM revoked",
    )
    .bind(key.id)
    .execute(&first.around().database.pool)
    .await
    .unwrap();
    for client in &clients {
        // A path that no reply of the script is meant for.
        let status = async || get(client.request(Method::GET, "/v1/models")).await.status;
        within("the key to be refused", async { while status().await != 403 {} }).await;
        assert_eq!(client.ask().await.status, 403);
    }
    for event in rest {
        steps.send(event.to_bytes());
    }
    steps.finish();
    while let Some(chunk) = within("the rest", body.next()).await {
        seen.extend(chunk.unwrap());
    }
    let whole: Vec<u8> = events.iter().flat_map(|event| event.to_bytes().to_vec()).collect();
    assert_eq!(seen, whole);
    end(first, second).await;
}

#[tokio::test]
async fn a_change_of_a_user_is_in_effect_at_once_here_and_soon_elsewhere() {
    let (first, second, admin, key, [here, there]) = two_instances().await;
    for (routing, provider) in [("bedrock_only", "bedrock"), ("plan_first", "plan")] {
        admin.call("update_user").on("user_id", key.user_id).json(json!({ "routing": routing })).ok().await;
        assert_eq!(here.ask().await.header("x-ccp-provider"), provider);
        within("the other instance", async { while there.ask().await.header("x-ccp-provider") != provider {} }).await;
    }
    // So is the budget, which stands with the user.
    let change = json!({ "monthly_budget_usd": "0", "routing": "bedrock_only" });
    admin.call("update_user").on("user_id", key.user_id).json(change).ok().await;
    for client in [here, there] {
        within("the budget", async { while client.ask().await.error_type() != "billing_error" {} }).await;
    }
    end(first, second).await;
}

/// That a key does not work is believed only until something changes: a user who is active again can work at once.
#[tokio::test]
async fn a_key_that_was_refused_works_as_soon_as_its_user_is_active_again() {
    let (first, second, _, key, clients) = two_instances().await;
    for (status, expected) in [("inactive", 403), ("active", 200)] {
        sqlx::query(
            "WITH changed AS (UPDATE users SET status = $2 WHERE id = $1 RETURNING id)
             SELECT pg_notify('claude_code_proxy_changes', 'user ' || id) FROM changed",
        )
        .bind(key.user_id)
        .bind(status)
        .execute(&first.around().database.pool)
        .await
        .unwrap();
        for client in &clients {
            within("the user's status", async { while client.ask().await.status != expected {} }).await;
        }
    }
    end(first, second).await;
}

/// An instance that is cut off from the database serves on as it was, and afterwards follows what it has not heard of.
#[tokio::test]
async fn changes_that_were_missed_are_followed_afterwards() {
    let first = TestApp::start_in(surroundings().await).await;
    let url = first.around().database.url();
    let server = url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).map(|(server, _)| server).unwrap();
    let link = Link::start(server.parse().unwrap()).await;
    let by_link = url.replace(server, &link.address().to_string());
    let second = ServeProcess::start_with(first.around(), &[("DATABASE_URL", by_link)]).await;
    let key = first.key().await;
    let [here, there] = [first.url(), second.url().to_owned()].map(|url| Client::at(format!("{url}/ak/{}", key.text)));
    assert_eq!(there.ask().await.header("x-ccp-provider"), "plan");
    link.set(Passage::Cut);
    second.lines("changes of other instances cannot be heard; they are noticed a little later", 1).await;
    let admin = Administrator::at(first.url()).logged_in().await;
    admin.call("update_user").on("user_id", key.user_id).json(json!({ "routing": "bedrock_only" })).ok().await;
    assert_eq!(here.ask().await.header("x-ccp-provider"), "bedrock");
    assert_eq!(there.ask().await.header("x-ccp-provider"), "plan", "it works on");
    link.set(Passage::Open);
    second.lines("changes of other instances are heard again", 1).await;
    within("the change", async { while there.ask().await.header("x-ccp-provider") != "bedrock" {} }).await;
    end(first, second).await;
}
