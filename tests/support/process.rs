//! The real binary as a process of its own, for what only a process has: arguments, signals, exit codes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::evidence::log_file;
use crate::{Surroundings, http_client, within};

/// Where the binary is: `CCP_BIN`, else beside this test.
fn binary() -> PathBuf {
    let beside = || {
        let test = std::env::current_exe().expect("the path of this test");
        test.parent().and_then(std::path::Path::parent).expect("a target folder").join("claude-code-proxy")
    };
    let path = std::env::var_os("CCP_BIN").map_or_else(beside, PathBuf::from);
    assert!(path.is_file(), "{} is missing; build it with: cargo build -p claude-code-proxy", path.display());
    path
}

#[expect(clippy::implicit_hasher, reason = "one map serves all tests")]
/// Runs a role to its end with this environment and nothing else of ours, and with this standard input.
pub async fn run(arguments: &[&str], environment: &HashMap<String, String>, input: &str) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).env_clear().envs(environment).kill_on_drop(true);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A role that does not read its input closes the pipe early, which is its right.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    within("a role to end", child.wait_with_output()).await.expect("its output")
}

/// `serve` as a process, its log kept with the evidence.
#[derive(Debug)]
pub struct ServeProcess {
    child: Child,
    url: String,
}

impl ServeProcess {
    /// Starts `serve` on a port that was free a moment ago, and waits until it is healthy.
    pub async fn start(around: &Surroundings) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
        let mut command = Command::new(binary());
        command.arg("serve").env_clear().envs(around.environment()).env("LISTEN_ADDR", free.to_string());
        let log = log_file("serve");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("the log")).stderr(log).kill_on_drop(true);
        let this = Self { child: command.spawn().expect("the binary starts"), url: format!("http://{free}") };
        within("the proxy to listen", async {
            // Refused connections are answered at once, so asking again costs nothing but a turn of the scheduler.
            while http_client().get(format!("{}/health", this.url)).send().await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        this
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("a running process");
        kill_process(pid, signal).expect("the signal is delivered");
    }

    /// Waits for the end and returns the exit code.
    pub async fn exit_code(mut self) -> Option<i32> {
        within("the process to end", self.child.wait()).await.expect("an exit status").code()
    }
}
