//! Records a pair: the client speaks to Bedrock by itself, then the same through the proxy.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::program::{Printed, named_by, run_in};
use support::{Answer, KeyWish, RecordedRequest, Reply, Surroundings, TestApp, Upstream};
use tokio::process::Command;

use crate::cases::{Case, Program};

/// The names of Bedrock's profiles begin with a region's part of the world.
const REGION: &str = "us-east-1";
/// The same for both runs: it is in what they send.
const SESSION: &str = "0b6c6f0e-5b7e-4c4f-8d0a-3f1f6f2d7a11";
/// The same as well. The client would draw one at random.
const DEVICE: &str = "5d2f8a3c7b1e9460d2c8f4a6b0e7d5931c4f8a2b6e0d9c7351f4a8b2c6d0e9f7";

/// What went over the wire in both runs, in order.
#[derive(Debug)]
pub(crate) struct Pair {
    /// What the client itself has sent to Bedrock.
    pub(crate) own: Vec<RecordedRequest>,
    /// What it has sent to the proxy.
    pub(crate) asked: Vec<RecordedRequest>,
    /// What the proxy has made of it.
    pub(crate) bridged: Vec<RecordedRequest>,
}

/// Runs the client twice in the same folder, one after the other: its path is in what they send.
pub(crate) async fn record(case: Case) -> Pair {
    let folder = tempfile::tempdir().unwrap();
    let own = by_itself(case, folder.path()).await;
    let last = own.last().map(|request| String::from_utf8_lossy(&request.body)).unwrap_or_default();
    assert!(last.contains(case.shows), "{}: the client's last request has no {} in it", case.name, case.shows);
    for part in ["home", "work"] {
        std::fs::remove_dir_all(folder.path().join(part)).unwrap();
    }
    let (asked, bridged) = through_the_proxy(case, folder.path()).await;
    Pair { own, asked, bridged }
}

async fn by_itself(case: Case, folder: &Path) -> Vec<RecordedRequest> {
    let bedrock = Upstream::start().await;
    bedrock.otherwise(bedrock_of(case, folder));
    let url = bedrock.url();
    let printed = start(case, folder, case.profile, |command| {
        command
            .env("CLAUDE_CODE_USE_BEDROCK", "1")
            .env("ANTHROPIC_BEDROCK_BASE_URL", &url)
            .env("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-simulated")
            .env("AWS_REGION", REGION);
    })
    .await;
    messages(bedrock.requests(), case, &printed)
}

async fn through_the_proxy(case: Case, folder: &Path) -> (Vec<RecordedRequest>, Vec<RecordedRequest>) {
    // Nothing stays on Bedrock and no circuit opens, so that the plan sees every request as the client has sent it.
    let around = Surroundings::start().await.with("STAY_LIMIT", "1ms");
    let app = TestApp::start_in(around).await;
    app.plan().otherwise(|_| Reply::plan_error(429, "rate_limit_error", "Extra usage is required for this request."));
    app.bedrock().otherwise(bedrock_of(case, folder));
    let key = app.issue(KeyWish { model: case.profile, region: REGION, ..KeyWish::default() }).await;
    let url = format!("{}/ak/{}", app.url(), key.text);
    let printed = start(case, folder, case.model, |command| {
        command.env("ANTHROPIC_BASE_URL", &url).env("ANTHROPIC_API_KEY", "sk-ant-simulated");
    })
    .await;
    let around = app.stop().await;
    let asked = around.plan.requests().into_iter().filter(|request| request.method == "POST").collect();
    (messages(asked, case, &printed), messages(around.bedrock.requests(), case, &printed))
}

async fn start(case: Case, folder: &Path, model: &str, provider: impl FnOnce(&mut Command)) -> Printed {
    let work = work(folder);
    let home = folder.join("home");
    for folder in [&work, &home] {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::write(home.join(".claude.json"), json!({ "userID": DEVICE }).to_string()).unwrap();
    std::fs::write(work.join("picture.png"), include_bytes!("picture.png")).unwrap();
    std::fs::write(work.join("document.pdf"), include_bytes!("document.pdf")).unwrap();
    let program = match case.program {
        Program::ClaudeCode => "CLAUDE_BIN",
        Program::OldClaudeCode => "NODE_BIN",
    };
    let printed = run_in(folder, case.name, program, |command| {
        if case.program == Program::OldClaudeCode {
            command.arg(named_by("OLD_CLAUDE_JS"));
        }
        command
            .args(["-p", case.talk.prompt(), "--session-id", SESSION, "--allowedTools", "Bash(echo:*)"])
            .args(case.suffix.map(|suffix| format!("--model={model}{suffix}")))
            .args(case.options)
            .envs(case.variables.iter().copied())
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1");
        provider(command);
    })
    .await;
    assert!(printed.status.success(), "the client has failed: {printed:#?}");
    printed
}

/// Bedrock as the client finds it: its list of profiles, its probes of models, and the talk of the case.
fn bedrock_of(case: Case, folder: &Path) -> impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static {
    let work = work(folder);
    move |request| {
        if request.method != "POST" {
            return Reply::json(200, json!({ "inferenceProfileSummaries": [] }).to_string());
        }
        let body = request.json();
        if is_probe(&body) {
            return Reply::bedrock_json(&Answer::text("."));
        }
        let answer = case.talk.answer(&body, &work).with_model(case.profile);
        if request.path().ends_with("/invoke-with-response-stream") {
            Reply::bedrock_stream(&answer)
        } else {
            Reply::bedrock_json(&answer)
        }
    }
}

/// Whether the client only asks if there is such a model.
fn is_probe(body: &Value) -> bool {
    body["max_tokens"] == 1
}

fn messages(requests: Vec<RecordedRequest>, case: Case, printed: &Printed) -> Vec<RecordedRequest> {
    let is_message = |request: &RecordedRequest| request.method == "POST" && !is_probe(&request.json());
    let requests: Vec<_> = requests.into_iter().filter(is_message).collect();
    let wanted = case.talk.requests();
    assert_eq!(requests.len(), wanted, "{}: requests of the client; it printed {printed:#?}", case.name);
    requests
}

fn work(folder: &Path) -> PathBuf {
    folder.join("work")
}
