//! The whole way: the image is deployed to an AWS on this machine, and a container of what the stack's task names, as it comes
//! out of the registry, answers the real Claude Code.

use std::fs;
use std::path::Path;
use std::time::Duration;

use support::evidence::secret;
use support::program::{self, finish, named_by};
use support::{Answer, KeyWish, OfflineAws, Reply, Surroundings, get, http_client};
use tokio::process::Command;
use xtask::oci::{Digest, Layout, MANIFEST};
use xtask::workspace::root;

use crate::flow::serve_of;
use crate::made::{folder, layout};

const DEPLOYED_WITHIN: Duration = Duration::from_mins(2);

/// Runs `cargo xtask deploy` with the image of this run and the sample of the parameters; returns what it reports.
async fn deploy(aws: &OfflineAws) -> serde_json::Value {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(named_by("OPERATE_BIN"));
    command
        .args(["deploy", "--yes", "--json", "--parameters", "deployment.sample.yaml", "--image-layout"])
        .arg(folder());
    let cargo = ["CARGO", "CARGO_HOME", "RUSTUP_HOME"];
    let cargo = cargo.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", home.path()).envs(cargo).envs(aws.environment());
    let printed = finish(command, home.path(), "deploy", DEPLOYED_WITHIN).await;
    assert!(printed.status.success(), "{}", printed.stderr);
    serde_json::from_str(&printed.stdout).unwrap()
}

/// The container as the service's task has it, by the word of ECS.
async fn container_of_the_service(aws: &OfflineAws) -> serde_json::Value {
    let scope = format!("Credential=x/20260101/{}/ecs/aws4_request, SignedHeaders=host, Signature=x", aws.region());
    let asked = http_client()
        .post(aws.url())
        .header("authorization", format!("AWS4-HMAC-SHA256 {scope}"))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition")
        .body(r#"{"taskDefinition": "claude-code-proxy"}"#);
    get(asked).await.json()["taskDefinition"]["containerDefinitions"][0].take()
}

/// Fetches an image by its digest, as whoever runs a task does.
async fn pull(registry: &str, digest: &str, at: &Path) -> Layout {
    let blobs = at.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let fetch = async |path: String, kind: &str| {
        let got =
            get(http_client().get(format!("{registry}/v2/claude-code-proxy/{path}")).header("accept", kind)).await;
        assert_eq!(got.status, 200, "{path}");
        got.body
    };
    let manifest = fetch(format!("manifests/{digest}"), MANIFEST).await;
    let described: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let named = described["layers"].as_array().unwrap().iter().chain([&described["config"]]);
    for blob in named.map(|blob| Digest::parse(blob["digest"].as_str().unwrap()).unwrap()) {
        let content = fetch(format!("blobs/{blob}"), "*/*").await;
        assert_eq!(Digest::of(&content), blob);
        fs::write(blobs.join(blob.hex()), content).unwrap();
    }
    fs::write(blobs.join(Digest::parse(digest).unwrap().hex()), manifest).unwrap();
    let index = serde_json::json!({ "manifests": [{ "digest": digest }] });
    fs::write(at.join("index.json"), index.to_string()).unwrap();
    Layout::open(at).unwrap()
}

#[tokio::test]
async fn a_container_of_the_deployed_image_answers_claude_code() {
    assert!(root().join("deployment.sample.yaml").is_file());
    let aws = OfflineAws::with_registry();
    assert_eq!(deploy(&aws).await["outcome"], "deployed");
    assert_eq!(deploy(&aws).await["outcome"], "nothing-to-do");
    let container = container_of_the_service(&aws).await;
    let (_, digest) = container["image"].as_str().unwrap().split_once('@').unwrap();
    assert_eq!(digest, layout().digest().to_string());
    assert_eq!((&container["user"], &container["readonlyRootFilesystem"]), (&"10001:10001".into(), &true.into()));

    let pulled = tempfile::tempdir().unwrap();
    let image = pull(aws.registry(), digest, pulled.path()).await;
    let serving = serve_of(&image, Surroundings::start().await, KeyWish::default(), Vec::new()).await;
    let ask = async || {
        let printed = program::run("claude", "CLAUDE_BIN", |command| {
            command
                .args(["-p", "say something", "--bare"])
                .env("ANTHROPIC_BASE_URL", format!("{}/ak/{}", serving.url, serving.key.text))
                .env("ANTHROPIC_API_KEY", secret("sk-ant-api03-of-a-developer"))
                .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
                .env("DISABLE_AUTOUPDATER", "1");
        })
        .await;
        assert!(printed.status.success(), "{printed:?}");
        printed.stdout.trim().to_owned()
    };
    serving.around.plan.enqueue(Reply::plan_stream(&Answer::text("from the plan")));
    assert_eq!(ask().await, "from the plan");
    serving.around.plan.enqueue(Reply::plan_limited(4_000_000_000));
    serving.around.bedrock.enqueue(Reply::bedrock_stream(&Answer::text("from Bedrock")));
    assert_eq!(ask().await, "from Bedrock");
    serving.container.signal("TERM");
    assert_eq!(serving.container.exit_code().await, Some(0));
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM token_usage").fetch_one(&serving.around.database.pool).await.unwrap();
    assert_eq!(rows, 1);
}
