//! Runs a client's program to its end: a clean environment, a time limit, and its words kept as evidence.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::process::Command;

use crate::evidence::log_file;

/// A client that has not ended by then hangs. Claude Code would wait for minutes where it retries.
const LONGEST_RUN: Duration = Duration::from_mins(1);

/// What a program has printed, and how it ended.
#[derive(Debug)]
pub struct Printed {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Printed {
    /// Standard output as JSON, one value a line.
    pub fn json_lines(&self) -> Vec<Value> {
        let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {self:#?}"));
        self.stdout.lines().map(read).collect()
    }
}

/// The program, or the file for one, that a variable names.
pub fn named_by(variable: &str) -> OsString {
    let program = std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} is not set: these tests need real clients, installed and named by `cargo xtask test --only clients`")
    });
    assert!(
        Path::new(&program).is_file(),
        "{variable} names {}, which is no file; install it with `cargo xtask test --only clients`",
        program.display()
    );
    program
}

/// Runs a command in an empty folder with an empty home; of our environment it sees nothing. It is killed by its
/// process id when its time is over.
pub async fn run(name: &str, program: &str, configure: impl FnOnce(&mut Command)) -> Printed {
    let folder = tempfile::tempdir().expect("a folder for a client");
    run_in(folder.path(), name, program, configure).await
}

/// The same in the folder `work` of this one, which may hold files for it, and with `home` for its home.
pub async fn run_in(folder: &Path, name: &str, program: &str, configure: impl FnOnce(&mut Command)) -> Printed {
    let [home, work] = ["home", "work"].map(|part| folder.join(part));
    for folder in [&home, &work] {
        std::fs::create_dir_all(folder).expect("a folder for a client");
    }
    let mut command = Command::new(named_by(program));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &home).env("NO_PROXY", "127.0.0.1");
    configure(&mut command);
    command.current_dir(&work);
    finish(command, folder, name, LONGEST_RUN).await
}

/// Runs a command to its end, with what it prints in files of `folder`. Its own folder is this one, unless it has one.
pub async fn finish(mut command: Command, folder: &Path, name: &str, limit: Duration) -> Printed {
    let [stdout, stderr] = ["stdout", "stderr"].map(|part| folder.join(part));
    if command.as_std().get_current_dir().is_none() {
        command.current_dir(folder);
    }
    command.kill_on_drop(true).stdin(Stdio::null());
    // Files instead of pipes: what was printed survives a killed client, and what a client leaves running holds up nobody.
    let file = |path| std::fs::File::create(path).expect("a file for what a client prints");
    command.stdout(file(&stdout)).stderr(file(&stderr));
    let started = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
    let ended = tokio::time::timeout(limit, child.wait()).await;
    let printed = |path| std::fs::read(path).expect("what a client has printed");
    let [stdout, stderr] = [stdout, stderr].map(|path| String::from_utf8_lossy(&printed(path)).into_owned());
    let (mut evidence, _) = log_file(name);
    evidence.write_all(format!("{stdout}\n{stderr}\n").as_bytes()).expect("a place for evidence");
    let Ok(status) = ended else { panic!("{name} did not end within {limit:?}; it printed:\n{stdout}\n{stderr}") };
    Printed { status: status.expect("a child that has ended"), stdout, stderr, took: started.elapsed() }
}
