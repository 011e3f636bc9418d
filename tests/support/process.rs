//! The real binary as a process of its own, for what only a process has: arguments, signals, exit codes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::evidence::log_file;
use crate::{PATIENCE, Surroundings, within};

/// The unit of `/proc/PID/stat`, which Linux keeps at a hundredth of a second.
const MILLISECONDS_OF_A_TICK: u64 = 10;

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

/// Lets this process, and those that it starts from now on, open as many files and sockets as it may.
///
/// # Panics
/// When that is less than `needed`.
pub fn allow_descriptors(needed: u64) {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("a limit up to the maximum");
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    assert!(allowed >= needed, "{needed} descriptors are needed; only {allowed} are allowed (ulimit -Hn)");
}

/// Runs a role to its end with this environment and nothing else of ours, and with this standard input.
#[expect(clippy::implicit_hasher, reason = "one map serves all tests")]
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
    log: PathBuf,
}

impl ServeProcess {
    /// Starts `serve` on a free port, and waits until its log says where it listens.
    pub async fn start(around: &Surroundings) -> Self {
        Self::start_with(around, &[]).await
    }

    /// The same with settings that are this process's own.
    pub async fn start_with(around: &Surroundings, own: &[(&str, String)]) -> Self {
        let mut command = Command::new(binary());
        command.arg("serve");
        Self::start_as(command, around, own).await
    }

    /// Starts it as a member of cgroups, from its first instruction on: `doors` are their files for ids of processes.
    pub async fn start_in(around: &Surroundings, doors: &[PathBuf]) -> Self {
        // The shell that goes through the doors becomes the proxy.
        let mut command = Command::new("/bin/sh");
        let enter = r#"program=$1; shift; for door; do echo $$ > "$door" || exit; done; exec "$program" serve"#;
        command.args(["-c", enter, "sh"]).arg(binary()).args(doors);
        Self::start_as(command, around, &[]).await
    }

    /// Starts it with a soft limit of so many open files, as it is set by whoever starts it.
    pub async fn start_with_descriptors(around: &Surroundings, soft: u64) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "ulimit -S -n \"$1\" && exec \"$2\" serve", "sh", &soft.to_string()]).arg(binary());
        Self::start_as(command, around, &[]).await
    }

    async fn start_as(mut command: Command, around: &Surroundings, own: &[(&str, String)]) -> Self {
        let (log, path) = log_file("serve");
        command.env_clear().envs(around.environment()).env("LISTEN_ADDR", "127.0.0.1:0");
        command.envs(own.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("the log")).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().expect("the binary starts");
        let url = within("the proxy to listen", async {
            loop {
                if let Some(address) = listening(&std::fs::read_to_string(&path).expect("the log")) {
                    break format!("http://{address}");
                }
                assert_eq!(child.try_wait().expect("a child"), None, "the proxy ended early; see {}", path.display());
                tokio::task::yield_now().await;
            }
        })
        .await;
        Self { child, url, log: path }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id().expect("a running process")
    }

    /// Memory that the process has in use, in bytes (`VmRSS`).
    pub fn resident(&self) -> u64 {
        let id = self.child.id().expect("a running process");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("the status of a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of kB");
        kilobytes * 1024
    }

    /// Processor time that the process has taken so far.
    pub fn processor_time(&self) -> Duration {
        let id = self.child.id().expect("a running process");
        let status = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("the state of a process");
        // The name is the second field and may hold anything; user and system time are the 12th and 13th behind it.
        let (_, fields) = status.rsplit_once(')').expect("a name in brackets");
        let ticks = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number"));
        Duration::from_millis(ticks.sum::<u64>() * MILLISECONDS_OF_A_TICK)
    }

    /// The file of its log.
    pub fn log_path(&self) -> &std::path::Path {
        &self.log
    }

    /// The lines of its log so far.
    pub fn log(&self) -> Vec<serde_json::Value> {
        let log = std::fs::read_to_string(&self.log).expect("the log");
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
    }

    /// The lines with this message, once there are so many: some are written only when an answer has gone out.
    pub async fn lines(&self, message: &str, number: usize) -> Vec<serde_json::Value> {
        within("lines of the log", async {
            loop {
                let found: Vec<_> = self.log().into_iter().filter(|line| line["message"] == message).collect();
                if found.len() >= number {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
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

    /// The same, for an end that takes longer than anything else.
    pub async fn slow_exit_code(mut self) -> Option<i32> {
        let ended = tokio::time::timeout(3 * PATIENCE, self.child.wait()).await.expect("the process ends in the end");
        ended.expect("an exit status").code()
    }
}

/// The address in the line that says where the proxy listens.
fn listening(log: &str) -> Option<String> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let line = lines.into_iter().find(|line| line["message"] == "listening")?;
    line["address"].as_str().map(str::to_owned)
}
