//! The simulated plan and the simulated Bedrock, one process on two ports.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::leash::{EndSignal, Leashed, Output};
use crate::progress::step;

const SPEAKS_WITHIN: Duration = Duration::from_secs(10);
const STOPS_WITHIN: Duration = Duration::from_secs(10);

/// The running process and what it said about itself.
pub(super) struct Simulated {
    process: Leashed,
    /// For `PLAN_BASE_URL`.
    pub(super) plan_url: String,
    /// For `BEDROCK_ENDPOINT_URL`.
    pub(super) bedrock_url: String,
}

impl Simulated {
    /// Starts it and learns its addresses from its first two lines.
    pub(super) fn start(program: &Path, plan_limit_after: u32) -> Result<Self> {
        step("starting the simulated plan and the simulated Bedrock");
        let mut command = Command::new(program);
        command.args(["--plan-limit-after", &plan_limit_after.to_string()]);
        let mut process = Leashed::start(&command, Output::Captured, EndSignal::Terminate, None)?;
        let output = process.take_stdout().context("the simulated upstreams have no output")?;
        let lines = first_two_lines(output);
        let (Some(plan_url), Some(bedrock_url)) = (address(&lines, "plan"), address(&lines, "bedrock")) else {
            bail!(
                "the simulated upstreams did not print `plan URL` and `bedrock URL` within {} s, but {lines:?}; see their \
                 output above",
                SPEAKS_WITHIN.as_secs()
            );
        };
        Ok(Self { process, plan_url, bedrock_url })
    }

    /// How it ended, or nothing while it runs.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.process.ended()
    }

    /// Ends it; it has nothing to lose, so its exit status says nothing.
    pub(super) fn stop(self) -> Result<()> {
        self.process.stop(STOPS_WITHIN, || false).map(drop)
    }
}

/// The thread goes on reading to the end, so that the process never blocks on a full pipe.
fn first_two_lines(output: ChildStdout) -> Vec<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    (0..2).map_while(|_| receiver.recv_timeout(SPEAKS_WITHIN).ok()).collect()
}

fn address(lines: &[String], name: &str) -> Option<String> {
    lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(|url| url.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_found_by_its_name() {
        let lines = ["bedrock http://127.0.0.1:2".to_owned(), "plan http://127.0.0.1:1".to_owned()];
        assert_eq!(address(&lines, "plan").as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(address(&lines, "bedrock").as_deref(), Some("http://127.0.0.1:2"));
        assert_eq!(address(&[], "plan"), None);
    }
}
