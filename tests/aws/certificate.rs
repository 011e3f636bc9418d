//! The database's certificate is checked: who signed it, and for which host.

use std::path::Path;

use serde_json::{Value, json};
use support::process::{ServeProcess, run};
use support::{Authority, Surroundings, TestDatabase, get, http_client};
use xtask::postgres::Cluster;

use crate::moto::Moto;
use crate::secrets::{PREFIX, change, create};

/// A server whose certificate is for `localhost` and signed by this authority.
pub(crate) async fn server(authority: &Authority) -> Cluster {
    let certified = authority.certify("localhost");
    let start = move || Cluster::with_tls(&certified.certificate, &certified.key).unwrap();
    tokio::task::spawn_blocking(start).await.unwrap()
}

/// The secret of this database, at this host, as AWS writes it.
pub(crate) fn login(database: &TestDatabase, host: &str) -> String {
    let url = reqwest::Url::parse(database.url()).unwrap();
    let (username, password, dbname) = (url.username(), url.password().unwrap(), url.path().trim_start_matches('/'));
    json!({"username": username, "password": password, "host": host, "port": url.port().unwrap(), "dbname": dbname})
        .to_string()
}

async fn serves(around: &Surroundings) -> (ServeProcess, Value) {
    let process = ServeProcess::start(around).await;
    let ready = get(http_client().get(format!("{}/ready", process.url()))).await;
    (process, ready.json()["database"].clone())
}

/// Only the right authority and the right host will do; what is wrong is told with its remedy, at the command line and in the log.
#[tokio::test]
async fn the_authority_and_the_host_have_to_be_right() {
    let moto = Moto::in_region("af-south-1");
    let (authority, stranger) = (Authority::new("of the database"), Authority::new("of somebody else"));
    let cluster = server(&authority).await;
    let around = Surroundings::with_database(TestDatabase::create_on(cluster.url()).await).await;
    let around = moto.around(around, moto.url()).with("DATABASE_URL", "").with("SECRETS_PREFIX", PREFIX);
    create(&moto, "database", &login(&around.database, "localhost")).await;
    let trusting = |around: Surroundings, file: &Path| around.with("DATABASE_CA_FILE", file.display().to_string());
    let hasher_secret = around.environment()["KEY_HASHER_SECRET"].clone();
    create(&moto, "key-hasher-secret", &hasher_secret).await;
    let around = trusting(around, authority.file());
    let (process, database) = serves(&around).await;
    assert_eq!(database, "ready");
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE application_name = 'claude-code-proxy'";
    let encrypted: Option<bool> = sqlx::query_scalar(encrypted).fetch_one(&around.database.pool).await.unwrap();
    assert_eq!(encrypted, Some(true));
    drop(process);
    let around = trusting(around, stranger.file());
    is_refused(&around, "UnknownIssuer").await;
    // Without a file it is the system's authorities, who do not know this one either.
    let around = around.with("DATABASE_CA_FILE", "");
    is_refused(&around, "UnknownIssuer").await;
    change(&moto, "database", &login(&around.database, "127.0.0.1")).await;
    is_refused(&trusting(around, authority.file()), "127.0.0.1").await;
}

async fn is_refused(around: &Surroundings, why: &str) {
    let output = run(&["migrate"], around.environment(), "").await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    let (process, database) = serves(around).await;
    assert_eq!(database, "away");
    let lines = process.lines("the database does not answer; access keys cannot be checked until it does", 1).await;
    for word in [why, "certificate", "DATABASE_CA_FILE"] {
        assert!(told.contains(word) && lines[0].to_string().contains(word), "{word} is not in {told} or {lines:?}");
    }
}
