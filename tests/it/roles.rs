//! The roles of the binary besides `serve`, run as administrators run them.

use std::collections::HashMap;
use std::process::Output;

use support::evidence::secret;
use support::process::{ServeProcess, run};
use support::{Answer, Client, Reply, Surroundings};

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn every_role_explains_itself() {
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["migrate", "--help"],
        &["openapi", "--help"],
        &["healthcheck", "--help"],
        &["hash-password", "--help"],
        &["key", "issue", "--help"],
        &["usage-verify", "--help"],
        &["usage-replay", "--help"],
    ] {
        let output = run(arguments, &HashMap::new(), "").await;
        assert!(output.status.success() && stdout(&output).contains("Usage:"), "{arguments:?}");
    }
}

/// The key is the only thing on standard output, works at once, and is nowhere in the database.
#[tokio::test]
async fn an_issued_key_works_and_is_stored_as_a_hash_only() {
    let around = Surroundings::start().await;
    let bedrock_key = secret(format!("bedrock-api-key-{}", uuid::Uuid::new_v4().simple()));
    let arguments = ["key", "issue", "--user", "Ada Lovelace", "--region", "us-east-1", "--bedrock-key-stdin"];
    let output = run(&arguments, around.environment(), &format!("{bedrock_key}\n")).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let key = secret(stdout(&output).strip_suffix('\n').unwrap());
    assert!(key.starts_with("ak_") && key.len() == 46, "only the key is on standard output");
    assert!(!stderr(&output).contains(&key) && !stderr(&output).contains(&bedrock_key));

    let process = ServeProcess::start(&around).await;
    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(Reply::bedrock_json(&Answer::text("ok")));
    assert_eq!(Client::at(format!("{}/ak/{key}", process.url())).ask().await.status, 200);
    let seen = around.bedrock.next_request().await;
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {bedrock_key}").as_str()));

    let everything: String = sqlx::query_scalar(
        "SELECT concat(string_agg(k::text, ''), string_agg(b::text, ''), string_agg(encode(b.encrypted_key, 'escape'), ''))
           FROM access_keys k JOIN bedrock_keys b ON b.access_key_id = k.id",
    )
    .fetch_one(&around.database.pool)
    .await
    .unwrap();
    assert!(everything.contains(&key[..12]) && !everything.contains(&key) && !everything.contains(&bedrock_key));
}

/// Models by family are stored with the key, shown, and used.
#[tokio::test]
async fn a_key_may_have_a_model_for_each_family() {
    let around = Surroundings::start().await;
    let (haiku, sonnet) = ("haiku=global.anthropic.claude-haiku-5-5", "sonnet=us.anthropic.claude-sonnet-5");
    let bedrock_key = secret(format!("bedrock-api-key-{}", uuid::Uuid::new_v4().simple()));
    let user = ["key", "issue", "--user", "Ada", "--bedrock-key-stdin"];
    let arguments =
        [&user[..], &["--model-for", haiku, "--model-for", sonnet, "--model-for=opus=anthropic.x"]].concat();
    let output = run(&arguments, around.environment(), &format!("{bedrock_key}\n")).await;
    let key = secret(stdout(&output).trim());
    assert!(stderr(&output).contains("Bedrock for haiku: global.anthropic.claude-haiku-5-5\n"), "{}", stderr(&output));
    let process = ServeProcess::start(&around).await;
    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(Reply::bedrock_json(&Answer::text("ok")));
    assert_eq!(Client::at(format!("{}/ak/{key}", process.url())).ask().await.status, 200);
    assert_eq!(around.bedrock.next_request().await.target, "/model/anthropic.x/invoke");
    let families: Vec<String> = sqlx::query_scalar("SELECT family FROM access_key_models ORDER BY family")
        .fetch_all(&around.database.pool)
        .await
        .unwrap();
    assert_eq!(families, ["haiku", "opus", "sonnet"]);
}

/// The budget is the user's, and stays when the next key says nothing of it.
#[tokio::test]
async fn a_key_may_bring_a_budget_for_its_user() {
    let around = Surroundings::start().await;
    for (budget, expected) in [(&["--monthly-budget-usd", "49.90"][..], "49.90"), (&[], "49.90")] {
        let output = run(&[&["key", "issue", "--user", "Ada"], budget].concat(), around.environment(), "").await;
        secret(stdout(&output).trim());
        assert_eq!(stderr(&output).contains("49.90 USD"), !budget.is_empty(), "{}", stderr(&output));
        let stored: String = sqlx::query_scalar("SELECT monthly_budget_usd::text FROM users WHERE name = 'Ada'")
            .fetch_one(&around.database.pool)
            .await
            .unwrap();
        assert_eq!(stored, expected);
    }
}

#[tokio::test]
async fn a_second_key_belongs_to_the_same_user() {
    let around = Surroundings::start().await;
    for _ in 0..2 {
        let output = run(&["key", "issue", "--user", " Grace "], around.environment(), "").await;
        secret(stdout(&output).trim());
        assert!(stderr(&output).contains("no key registered, so no fallback"), "{}", stderr(&output));
    }
    let counts: (i64, i64) = sqlx::query_as("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM access_keys)")
        .fetch_one(&around.database.pool)
        .await
        .unwrap();
    assert_eq!(counts, (1, 2));
    let deactivate = "UPDATE users SET status = 'inactive'";
    sqlx::query(deactivate).execute(&around.database.pool).await.unwrap();
    let output = run(&["key", "issue", "--user", "Grace"], around.environment(), "").await;
    assert!(
        !output.status.success() && stderr(&output).contains("\"Grace\" is deactivated; reactivate"),
        "{}",
        stderr(&output)
    );
}

/// Wrong input changes nothing and says what, where and how to mend it.
#[tokio::test]
async fn wrong_input_is_refused_with_its_remedy() {
    let around = Surroundings::start().await;
    for (arguments, input, expected) in [
        (&["key", "issue", "--user", ""][..], "", "1 to 255 characters"),
        (&["key", "issue", "--user", "x", "--region", "nowhere"], "", "us-east-1"),
        (&["key", "issue", "--user", "x", "--model", "../x"], "", "global.anthropic.claude-opus-5-5"),
        (
            &["key", "issue", "--user", "x", "--model", "claude-opus-5-5"],
            "",
            "global.anthropic.claude-opus-5-5, or an ARN",
        ),
        (
            &["key", "issue", "--user", "x", "--region", "us-east-1", "--model", "arn:aws:bedrock:eu-west-1:1:x/y"],
            "",
            "give the region eu-west-1",
        ),
        (&["key", "issue", "--user", "x", "--monthly-budget-usd", "-1"], "", "such as 50 or 49.90"),
        (&["key", "issue", "--user", "x", "--monthly-budget-usd", "NaN"], "", "such as 50 or 49.90"),
        (&["key", "issue", "--user", "x", "--monthly-budget-usd", "1e12"], "", "such as 50 or 49.90"),
        (&["key", "issue", "--user", "x", "--model-for", "haiku"], "", "FAMILY=MODEL"),
        (&["key", "issue", "--user", "x", "--model-for", "poem=anthropic.x"], "", "fable, opus, sonnet, haiku, other"),
        (&["key", "issue", "--user", "x", "--model-for", "haiku=../x"], "", "global.anthropic.claude-opus-5-5"),
        (
            &["key", "issue", "--user", "x", "--model-for", "haiku=x.a", "--model-for", "haiku=x.b"],
            "",
            "given twice, as x.a and as x.b",
        ),
        (&["key", "issue", "--user", "x", "--bedrock-key-stdin"], "\n", "no Bedrock key came"),
        (&["key", "issue", "--user", "x", "--bedrock-key-stdin"], "a key\n", "has a space"),
        (&["hash-password"], "short\n", "at least 12"),
        (&["hash-password"], "", "no password came"),
        (&["openapi", "--dir", "no/such/folder"], "", "no/such/folder"),
        (&["healthcheck", "--url", "http://127.0.0.1:9/health"], "", "does the proxy run?"),
    ] {
        let output = run(arguments, around.environment(), input).await;
        assert!(!output.status.success() && stdout(&output).is_empty(), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
    let keys: i64 =
        sqlx::query_scalar("SELECT count(*) FROM access_keys").fetch_one(&around.database.pool).await.unwrap();
    assert_eq!(keys, 0);
}

#[tokio::test]
async fn all_problems_of_the_environment_are_told_at_once() {
    let environment = [("LISTEN_ADDR", "nowhere"), ("IDLE_TIMEOUT", "0s")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let output = run(&["serve"], &environment, "").await;
    assert_eq!(output.status.code(), Some(1));
    for name in ["LISTEN_ADDR", "IDLE_TIMEOUT", "DATABASE_URL", "KEY_HASHER_SECRET", "LOCAL_VAULT_KEY_FILE"] {
        assert!(stderr(&output).contains(name), "{}", stderr(&output));
    }
}

#[tokio::test]
async fn a_taken_port_is_told_with_its_remedy() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let around = Surroundings::start().await.with("LISTEN_ADDR", &address);
    let output = run(&["serve"], around.environment(), "").await;
    let told = stderr(&output);
    assert!(told.contains(&address) && told.contains("LISTEN_ADDR") && told.contains("in use"), "{told}");
}

#[tokio::test]
async fn migrating_twice_does_no_harm_and_a_newer_database_is_refused() {
    let around = Surroundings::start().await;
    let output = run(&["migrate"], around.environment(), "").await;
    assert!(output.status.success() && stderr(&output).contains("up to date"), "{}", stderr(&output));
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'of tomorrow', true, '', 0)")
        .execute(&around.database.pool)
        .await
        .unwrap();
    let output = run(&["migrate"], around.environment(), "").await;
    assert_eq!(output.status.code(), Some(3), "what deploys tells it from a failure");
    assert!(stderr(&output).contains("9999"), "{}", stderr(&output));
}

/// A database that is away is told with its address and what to look at, without the password.
#[tokio::test]
async fn a_database_that_cannot_be_reached_is_told_in_plain_words() {
    let (_kept, free) = support::refused_address();
    let password = secret("a-password-of-the-database");
    let around = Surroundings::start().await.with("DATABASE_URL", format!("postgres://ada:{password}@{free}/proxy"));
    for arguments in [&["migrate"][..], &["key", "issue", "--user", "x"]] {
        let output = run(arguments, around.environment(), "").await;
        let told = stderr(&output);
        assert!(!output.status.success() && !told.contains(&password), "{told}");
        for part in [free.to_string().as_str(), "proxy", "ada", "refused", "DATABASE_URL"] {
            assert!(told.contains(part), "{part} is not in {told}");
        }
    }
}

/// A database without the schema: the log and `/ready` say what to do, and `migrate` does it.
#[tokio::test]
async fn a_database_that_was_never_migrated_is_told() {
    let around = Surroundings::start().await;
    for statement in ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"] {
        sqlx::query(statement).execute(&around.database.pool).await.unwrap();
    }
    let process = ServeProcess::start(&around).await;
    let ready = || support::get(support::http_client().get(format!("{}/ready", process.url())));
    let got = ready().await;
    assert_eq!((got.status, got.json()["database"].as_str()), (503, Some("not_migrated")));
    let output = run(&["migrate"], around.environment(), "").await;
    assert!(stderr(&output).contains("migrations applied: "), "{}", stderr(&output));
    assert_eq!(ready().await.status, 200);
}

#[tokio::test]
async fn the_health_check_asks_the_proxy_that_is_configured() {
    let around = Surroundings::start().await;
    let process = ServeProcess::start(&around).await;
    let address = process.url().replace("http://", "");
    // The address to listen on may be the unspecified one; the check asks this machine then.
    let everywhere = address.replace("127.0.0.1", "0.0.0.0");
    for listen in [address, everywhere] {
        let output = run(&["healthcheck"], &[("LISTEN_ADDR".to_owned(), listen)].into(), "").await;
        assert!(output.status.success(), "{}", stderr(&output));
    }
}
