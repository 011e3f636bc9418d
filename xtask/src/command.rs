//! Runs commands, each with a time after which it is ended.

use std::io::Write;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// Enough for a build of everything on a slow machine.
const LONGEST: Duration = Duration::from_hours(1);

const POLL: Duration = Duration::from_millis(25);

/// Runs a command to its end and fails when it fails; `doing` completes "cannot ...".
pub fn run(command: &mut Command, doing: &str) -> Result<()> {
    run_until(command, doing, || false)
}

/// Like [`run`], but ends the command early when `give_up` says so.
pub fn run_until(command: &mut Command, doing: &str, give_up: impl Fn() -> bool) -> Result<()> {
    let mut child =
        command.spawn().with_context(|| format!("cannot {doing}: cannot start {}", command.get_program().display()))?;
    let status = wait(&mut child, LONGEST, give_up).with_context(|| format!("cannot {doing}"))?;
    ensure!(status.success(), "cannot {doing}: {} ended with {status}", command.get_program().display());
    Ok(())
}

/// Runs a command in the background to its end, whatever its status, and returns what it printed.
pub fn output(command: &mut Command, input: &str, limit: Duration) -> Result<Output> {
    let name = command.get_program().to_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", name.display()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A child that has ended says why itself; that it reads no more is not the news.
        let _ = stdin.write_all(input.as_bytes());
    }
    let pid = child.id();
    let (done, finished) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        let late = finished.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
        if late {
            signal(pid, Signal::KILL);
        }
        late
    });
    let output = child.wait_with_output().with_context(|| format!("cannot read what {} prints", name.display()));
    drop(done);
    ensure!(!watch.join().unwrap_or(false), "{} did not end within {} s", name.display(), limit.as_secs());
    output
}

/// Sends a signal. That the process is gone already is as good as its end.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Waits for a child, and ends it when the time is over or `give_up` says so.
pub fn wait(child: &mut Child, limit: Duration, give_up: impl Fn() -> bool) -> Result<ExitStatus> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().context("cannot ask for the state of a child process")? {
            return Ok(status);
        }
        if give_up() {
            end(child);
            bail!("interrupted");
        }
        if Instant::now() > deadline {
            end(child);
            bail!("it did not end within {} s", limit.as_secs());
        }
        sleep(POLL);
    }
}

fn end(child: &mut Child) {
    signal(child.id(), Signal::TERM);
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
        sleep(POLL);
    }
    // Both fail where the child has ended by now, which is what we want.
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Result<Child> {
        Ok(Command::new("sleep").arg("60").spawn()?)
    }

    #[test]
    fn a_child_that_takes_too_long_is_ended() -> Result<()> {
        let mut child = sleeper()?;
        assert!(wait(&mut child, Duration::from_millis(50), || false).is_err());
        assert!(child.try_wait()?.is_some());
        Ok(())
    }

    #[test]
    fn giving_up_ends_the_child() -> Result<()> {
        let mut child = sleeper()?;
        let error = wait(&mut child, LONGEST, || true).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("interrupted"));
        Ok(())
    }

    #[test]
    fn what_a_command_prints_is_returned_with_its_status() -> Result<()> {
        let printed = output(Command::new("sh").args(["-c", "cat; exit 3"]), "input", LONGEST)?;
        assert_eq!((printed.stdout.as_slice(), printed.status.code()), (b"input".as_slice(), Some(3)));
        assert!(output(Command::new("sleep").arg("60"), "", Duration::from_millis(50)).is_err());
        Ok(())
    }
}
