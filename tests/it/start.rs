//! A start is quick, whatever is away.

use std::time::{Duration, Instant};

use support::process::ServeProcess;
use support::{Surroundings, get, http_client, refused_address};

/// Time until `/health` answers.
const WITHIN: Duration = Duration::from_secs(2);

/// B-83: Nothing that is refused, or taken and never answered, keeps the load balancer waiting: neither the database nor AWS.
#[tokio::test]
async fn health_is_answered_at_once_while_the_database_and_aws_are_away() {
    let (_held, nowhere) = refused_address();
    // Connections are made, and nobody ever reads what they say.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let deaf = listener.local_addr().unwrap();
    for away in [nowhere, deaf] {
        let around = Surroundings::start().await.with("DATABASE_URL", format!("postgres://nobody@{away}/none"));
        let around = around
            .with("AWS_ENDPOINT_URL", format!("http://{away}"))
            .with("AWS_REGION", "eu-central-1")
            .with("KMS_KEY_ID", "alias/claude-code-proxy")
            .with("CLOUDWATCH_METRICS", "true")
            .with("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://{away}/credentials"));
        let start = Instant::now();
        let process = ServeProcess::start(&around).await;
        let got = get(http_client().get(format!("{}/health", process.url()))).await;
        assert_eq!(got.status, 200);
        assert!(start.elapsed() < WITHIN, "{away}: {:?}", start.elapsed());
    }
}

/// The soft limit is 1,024 nearly everywhere, which is too little for 500 requests.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_takes_as_many_open_files_as_it_may_have() {
    let around = Surroundings::start().await;
    let process = ServeProcess::start_with_descriptors(&around, 100).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
    let open_files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let [soft, hard, _] = open_files.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{open_files}") };
    assert_eq!(soft, hard);
    assert_ne!(soft, "100");
}
