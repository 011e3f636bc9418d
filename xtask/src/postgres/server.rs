//! Runs the server program: chooses a port, waits until it answers, and explains why it does not.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, test_kill_process};

use super::account::{Account, run_as};
use super::binaries::Binaries;
use super::folder::{Folder, remove};
use super::port;
use crate::leash::{EndSignal, Leashed, Output};
use crate::progress::step;

const READY_WITHIN: Duration = Duration::from_secs(30);
const EARLIER_SERVER_ENDS_WITHIN: Duration = Duration::from_secs(20);
const PORT_ATTEMPTS: usize = 5;

/// Settings that trade the safety of the data for speed; right for data that is thrown away.
const VOLATILE: [&str; 4] = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300"];

/// A server that answers.
#[derive(Debug)]
pub(super) struct Server {
    /// The process.
    pub(super) process: Leashed,
    /// Its TCP port on 127.0.0.1.
    pub(super) port: u16,
}

impl Server {
    /// Starts the server on a free port: on that of the last time, if the data is that of the last time, too.
    pub(super) fn start(binaries: &Binaries, folder: &Folder, durable: bool) -> Result<Self> {
        // The port is free when it is asked for, but somebody else may take it before the server does.
        for attempt in 0..PORT_ATTEMPTS {
            let last_time = (durable && attempt == 0).then(|| port::of_last_time(&folder.port_file())).flatten();
            let port = last_time.map_or_else(port::any, Ok)?;
            let written = fs::metadata(folder.log()).map_or(0, |log| log.len());
            let process = Leashed::start(
                &command(binaries, folder, durable, port),
                Output::File(folder.open_log()?),
                EndSignal::Interrupt,
                folder.account().map(Account::pair),
            )?;
            let mut server = Self { process, port };
            match server.wait_until_ready(binaries)? {
                Readiness::Ready => {
                    if durable {
                        port::remember(&folder.port_file(), port);
                    }
                    return Ok(server);
                }
                Readiness::Ended if log_since(&folder.log(), written).contains("could not bind") => {}
                Readiness::Ended => bail!("PostgreSQL ended while it started; {}", advice(folder, written)),
                Readiness::TimedOut => {
                    let advice = advice(folder, written);
                    server.process.stop(Duration::from_secs(5), || false)?;
                    bail!("PostgreSQL did not answer within {} s; {advice}", READY_WITHIN.as_secs());
                }
            }
        }
        bail!("PostgreSQL found {PORT_ATTEMPTS} ports taken that were free a moment before; try again")
    }

    fn wait_until_ready(&mut self, binaries: &Binaries) -> Result<Readiness> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if self.process.ended()?.is_some() {
                return Ok(Readiness::Ended);
            }
            let ready = Command::new(binaries.program("pg_isready"))
                .args(["--quiet", "--timeout=2", "--host=127.0.0.1", "--username=ccp", "--dbname=postgres"])
                .arg(format!("--port={}", self.port))
                .stdin(Stdio::null())
                .status()
                .context("cannot run pg_isready")?;
            if ready.success() {
                return Ok(Readiness::Ready);
            }
            sleep(Duration::from_millis(50));
        }
        Ok(Readiness::TimedOut)
    }
}

enum Readiness {
    Ready,
    Ended,
    TimedOut,
}

/// Waits for a server whose owner was killed a moment ago, and clears away what a dead one left behind.
pub(super) fn wait_for_earlier(data: &Path) -> Result<()> {
    let pid_file = data.join("postmaster.pid");
    let Some(pid) = fs::read_to_string(&pid_file).ok().and_then(|text| text.lines().next()?.trim().parse().ok()) else {
        return Ok(());
    };
    let deadline = Instant::now() + EARLIER_SERVER_ENDS_WITHIN;
    let mut said = false;
    while serves(pid, data) {
        if !std::mem::replace(&mut said, true) {
            step(format_args!("waiting for the earlier PostgreSQL (process {pid}) to end"));
        }
        if Instant::now() > deadline {
            bail!(
                "a PostgreSQL (process {pid}) already runs on {}; end it (`kill -INT {pid}`) and start again",
                data.display()
            );
        }
        sleep(Duration::from_millis(100));
    }
    // PostgreSQL believes a stale file when some other process has got the number since, which is usual in containers.
    remove(&pid_file)
}

/// Whether the process is alive and works in the data folder. Where that cannot be seen, being alive is taken for yes.
fn serves(pid: i32, data: &Path) -> bool {
    let alive = Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH));
    let folder = fs::read_link(format!("/proc/{pid}/cwd"));
    alive && folder.map_or(true, |folder| fs::canonicalize(data).is_ok_and(|data| data == folder))
}

fn command(binaries: &Binaries, folder: &Folder, durable: bool, port: u16) -> Command {
    let mut command = Command::new(binaries.program("postgres"));
    run_as(&mut command, None).arg("-D").arg(folder.data()).arg("-p").arg(port.to_string());
    let always = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "timezone=UTC", "log_timezone=UTC"];
    for setting in always.into_iter().chain(if durable { [].as_slice() } else { &VOLATILE }.iter().copied()) {
        command.args(["-c", setting]);
    }
    command
}

fn log_since(log: &Path, offset: u64) -> String {
    let text = fs::read(log).unwrap_or_default();
    let start = usize::try_from(offset).unwrap_or(0).min(text.len());
    String::from_utf8_lossy(&text[start..]).into_owned()
}

fn advice(folder: &Folder, offset: u64) -> String {
    let log = log_since(&folder.log(), offset);
    format!(
        "the end of its log {}:\n{}\nIf the data is damaged, delete the folder {} (its databases are lost) and start again",
        folder.log().display(),
        last_lines(&log, 12),
        folder.path().display()
    )
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_end_of_a_log() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "  | b\n  | c");
        assert_eq!(last_lines("a\n", 2), "  | a");
        assert_eq!(last_lines("", 2), "");
    }

    #[test]
    fn a_process_elsewhere_does_not_serve_a_data_folder() {
        let ourselves = i32::try_from(std::process::id()).unwrap_or(1);
        assert!(!serves(ourselves, Path::new("/nonexistent")) || !cfg!(target_os = "linux"));
        assert!(!serves(i32::MAX, Path::new("/")));
    }
}
