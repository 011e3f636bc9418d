//! The verbs of `cargo xtask` that look after a deployment, as a person or a pipeline calls them.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use support::{OfflineAws, within};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The program behind the verbs: `OPERATE_BIN`, else beside this test.
fn program() -> PathBuf {
    let beside = || {
        let test = std::env::current_exe().unwrap();
        test.parent().and_then(Path::parent).unwrap().join("xtask-operate")
    };
    let path = std::env::var_os("OPERATE_BIN").map_or_else(beside, PathBuf::from);
    assert!(path.is_file(), "{} is missing; build it with: cargo build -p xtask-operate", path.display());
    path
}

/// What a verb has printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Standard output, if it ended in this way.
    pub(crate) fn with(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self.stdout
    }

    /// What was told on standard error, if it ended in this way.
    pub(crate) fn telling(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self.stderr
    }

    /// Standard output as JSON, if it ended in this way.
    pub(crate) fn json(self, code: i32) -> Value {
        let stdout = self.with(code);
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error} in {stdout}"))
    }
}

/// A verb that is not started yet, in an account.
pub(crate) fn command(aws: &OfflineAws, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).env_clear().envs(aws.environment()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a verb to its end.
pub(crate) async fn xtask(aws: &OfflineAws, arguments: &[&str]) -> Ended {
    Ended::of(&within("a verb to end", command(aws, arguments).output()).await.unwrap())
}

/// The same with this standard input.
pub(crate) async fn xtask_with(aws: &OfflineAws, arguments: &[&str], input: &str) -> Ended {
    let mut child = command(aws, arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    Ended::of(&within("a verb to end", child.wait_with_output()).await.unwrap())
}
