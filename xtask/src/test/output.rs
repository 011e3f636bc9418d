//! The folder of what the tests say: the logs that are searched for secrets, and the secrets to search for.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write, pipe, stdout};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::command::wait;

/// A group that takes longer than this hangs.
const GROUP_WITHIN: Duration = Duration::from_mins(20);
/// A process that a test has left behind may hold the output open; it is not waited for.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(5);

/// The folder, named to the tests by `CCP_TEST_OUTPUT`.
#[derive(Debug)]
pub(super) struct Output(PathBuf);

impl Output {
    /// Empties the folder, so that it holds one run.
    pub(super) fn begin(folder: PathBuf) -> Result<Self> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(folder.join("secrets")),
        }
        .with_context(|| format!("cannot empty {}", folder.display()))?;
        Ok(Self(folder))
    }

    /// Takes the folder as the last run has left it.
    pub(super) fn keep(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// What a group has printed in this run.
    pub(super) fn log(&self, group: &str) -> Result<String> {
        let log = self.log_file(group);
        let bytes = fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn log_file(&self, group: &str) -> PathBuf {
        self.0.join(format!("{group}.log"))
    }

    /// Runs a command of a group and shows its output while writing it to the group's log.
    pub(super) fn tee(&self, mut command: Command, group: &str) -> Result<()> {
        let log = self.log_file(group);
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(&log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        // One pipe for both outputs, so that their lines stay in order.
        let (mut reader, writer) = pipe().context("cannot make a pipe")?;
        command.stdout(writer.try_clone().context("cannot share a pipe")?).stderr(writer);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        // The command keeps the writing end, and while anyone does, there is no end to read.
        drop(command);
        let (done, finished) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                // A closed terminal must not break the run; the log below is what counts.
                let _ = stdout().write_all(&buffer[..read]).and_then(|()| stdout().flush());
                if let Err(error) = file.write_all(&buffer[..read]) {
                    let _ = done.send(Err(error));
                    return;
                }
            }
            let _ = done.send(Ok(()));
        });
        let status = wait(&mut child, GROUP_WITHIN, || false)?;
        if let Ok(written) = finished.recv_timeout(LAST_WORDS_WITHIN) {
            written.with_context(|| format!("cannot write {}", log.display()))?;
        }
        ensure!(status.success(), "ended with {status}");
        Ok(())
    }
}
