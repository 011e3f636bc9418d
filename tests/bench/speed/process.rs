//! What the kernel says of a running process.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// The unit of `/proc/PID/stat`, which Linux keeps at a hundredth of a second.
const MILLISECONDS_OF_A_TICK: u64 = 10;

/// Processor time that it has taken so far, in user mode and in the kernel.
pub(crate) fn processor_time(id: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).context("a process has ended")?;
    // The name is the second field and may hold anything; user and system time are the 12th and 13th behind it.
    let (_, fields) = stat.rsplit_once(')').context("no name in brackets")?;
    let ticks: Result<Vec<u64>, _> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect();
    Ok(Duration::from_millis(ticks?.iter().sum::<u64>() * MILLISECONDS_OF_A_TICK))
}

/// Memory that it has in use, in bytes (`VmRSS`).
pub(crate) fn resident(id: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).context("a process has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
