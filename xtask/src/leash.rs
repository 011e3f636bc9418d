//! A child process that ends when we end, in whatever way we end, SIGKILL included.
//!
//! The child is started by a small shell script that leaves a watcher behind and then becomes the child (`exec`), so the
//! process id that we hold is the child's own. The watcher reads a pipe whose other end only we have: when the pipe closes,
//! because we let go of it or because we died, the watcher sends the child its end signal.

use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::command::signal;

// The watcher is started by a subshell that ends at once, so that it is nobody's child: a server such as PostgreSQL
// watches its children and would take the end of an unknown one for a crash. `$$` stays the id of the outer shell.
const SCRIPT: &str = r#"exec 3<&0
( ( while read -r _ <&3; do :; done; kill -"$1" $$ 2>/dev/null ) </dev/null >/dev/null 2>&1 & )
shift
exec "$@" </dev/null 3<&-"#;

const POLL: Duration = Duration::from_millis(25);

/// How a child is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSignal {
    /// SIGTERM: finish what is under way and end.
    Terminate,
    /// SIGINT: what PostgreSQL calls a fast shutdown.
    Interrupt,
}

impl EndSignal {
    fn name(self) -> &'static str {
        match self {
            Self::Terminate => "TERM",
            Self::Interrupt => "INT",
        }
    }
}

/// A running child on the leash. Dropping it asks the child to end but does not wait; [`Leashed::stop`] waits.
#[derive(Debug)]
pub struct Leashed {
    child: Child,
    leash: Option<ChildStdin>,
}

impl Leashed {
    /// Starts `command` on the leash, with its environment, folder, account and output kept.
    ///
    /// The child gets a process group of its own: Ctrl-C in the terminal reaches only us, and we decide the order of ends.
    pub fn start(command: &Command, output: Output, end: EndSignal, account: Option<(u32, u32)>) -> Result<Self> {
        let mut leashed = Command::new("/bin/sh");
        leashed.args(["-c", SCRIPT, "leash", end.name()]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => leashed.env(name, value),
                None => leashed.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            leashed.current_dir(folder);
        }
        if let Some((user, group)) = account {
            leashed.uid(user).gid(group);
        }
        let (stdout, stderr) = output.into_stdio()?;
        let mut child = leashed
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let leash = child.stdin.take();
        Ok(Self { child, leash })
    }

    /// The process id of the child itself.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child's standard output, once, when it was started with [`Output::Captured`].
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// How the child ended, or nothing while it runs.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("cannot ask for the state of a child process")
    }

    /// Asks the child to end and waits up to `patience`, or until `hurry` says so; then kills it.
    pub fn stop(mut self, patience: Duration, hurry: impl Fn() -> bool) -> Result<ExitStatus> {
        self.leash = None;
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline && !hurry() {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            sleep(POLL);
        }
        // SIGQUIT first: PostgreSQL takes its children along, which SIGKILL does not give it the time for.
        signal(self.child.id(), Signal::QUIT);
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            sleep(POLL);
        }
        self.child.kill().context("cannot kill a child process that does not end")?;
        self.child.wait().context("cannot wait for a child process")
    }
}

/// Where the output of a child goes.
#[derive(Debug)]
pub enum Output {
    /// Both to our own standard output and standard error.
    Inherited,
    /// Standard output to [`Leashed::take_stdout`], standard error to ours.
    Captured,
    /// Both to the end of a file.
    File(std::fs::File),
}

impl Output {
    fn into_stdio(self) -> Result<(Stdio, Stdio)> {
        Ok(match self {
            Self::Inherited => (Stdio::inherit(), Stdio::inherit()),
            Self::Captured => (Stdio::piped(), Stdio::inherit()),
            Self::File(file) => (file.try_clone().context("cannot share a log file")?.into(), file.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn start(program: &str, arguments: &[&str], end: EndSignal) -> Result<Leashed> {
        let mut command = Command::new(program);
        command.args(arguments);
        Leashed::start(&command, Output::Captured, end, None)
    }

    #[test]
    fn letting_go_of_the_leash_ends_the_child_with_its_signal() -> Result<()> {
        // Whoever has started us in the background may have had SIGINT ignored, which children inherit.
        let program = "$SIG{INT} = 'DEFAULT'; $| = 1; print \"ready\\n\"; sleep 60";
        for (end, signal) in [(EndSignal::Terminate, 15), (EndSignal::Interrupt, 2)] {
            let mut child = start("perl", &["-e", program], end)?;
            let mut ready = [0; 6];
            child.take_stdout().context("captured")?.read_exact(&mut ready)?;
            assert_eq!(child.stop(PATIENCE, || false)?.signal(), Some(signal));
        }
        Ok(())
    }

    #[test]
    fn a_child_that_ignores_its_signal_is_killed_when_one_is_in_a_hurry() -> Result<()> {
        let deaf = start("sh", &["-c", "trap '' TERM; while :; do sleep 0.1; done"], EndSignal::Terminate)?;
        let started = Instant::now();
        assert!(!deaf.stop(PATIENCE, || true)?.success());
        assert!(started.elapsed() < PATIENCE);
        Ok(())
    }

    #[test]
    fn the_process_id_and_the_exit_status_are_those_of_the_child() -> Result<()> {
        let mut child = start("sh", &["-c", "echo $$; exit 7"], EndSignal::Terminate)?;
        let mut printed = String::new();
        child.take_stdout().context("captured")?.read_to_string(&mut printed)?;
        assert_eq!(printed.trim(), child.id().to_string());
        assert_eq!(child.stop(PATIENCE, || false)?.code(), Some(7));
        Ok(())
    }
}
