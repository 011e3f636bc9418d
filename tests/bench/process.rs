//! What the kernel says of a running process.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The unit of `/proc/PID/stat`, which Linux keeps at a hundredth of a second.
const MILLISECONDS_OF_A_TICK: u64 = 10;

/// Processor time that it has taken so far, in user mode and in the kernel.
pub(crate) fn processor_time(id: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).context("a process has ended")?;
    // The name is the second field and may hold anything; user and system time are the 12th and 13th behind it.
    let (_, fields) = stat.rsplit_once(')').context("no name in brackets")?;
    let ticks: Result<Vec<u64>, _> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect();
    Ok(Duration::from_millis(ticks?.iter().sum::<u64>() * MILLISECONDS_OF_A_TICK))
}

/// Memory that it has in use, in bytes (`VmRSS`).
pub(crate) fn resident(id: u32) -> Result<u64> {
    Ok(status(id, "VmRSS:")? * 1024)
}

/// Its threads.
pub(crate) fn threads(id: u32) -> Result<u64> {
    status(id, "Threads:")
}

fn status(id: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).context("a process has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("nothing of that name in its status")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The files and sockets that it has open: those that are connected with this port, and the others.
pub(crate) fn descriptors(id: u32, port: u16) -> Result<(usize, usize)> {
    let table = fs::read_to_string(format!("/proc/{id}/net/tcp")).context("a process has ended")?;
    let theirs: HashSet<String> = table.lines().filter_map(|line| socket_to(line, port)).collect();
    let open = fs::read_dir(format!("/proc/{id}/fd")).context("a process has ended")?;
    // One that is closed meanwhile is none.
    let links = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let (to_port, others): (Vec<_>, Vec<_>) =
        links.partition(|link| link.to_str().is_some_and(|link| theirs.contains(link)));
    Ok((to_port.len(), others.len()))
}

/// What it has open, by name and number; sockets and pipes are all of one name.
pub(crate) fn open_by_name(id: u32) -> Result<BTreeMap<String, usize>> {
    let open = fs::read_dir(format!("/proc/{id}/fd")).context("a process has ended")?;
    let mut names = BTreeMap::new();
    for link in open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()) {
        let link = link.display().to_string();
        let name =
            link.split_once(":[").filter(|(kind, _)| *kind != "anon_inode").map_or(link.as_str(), |(kind, _)| kind);
        *names.entry(name.to_owned()).or_default() += 1;
    }
    Ok(names)
}

/// The socket of a line of `/proc/net/tcp`, if it is connected with this port, as it is named in `/proc/PID/fd`.
fn socket_to(line: &str, port: u16) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, remote) = fields.get(2)?.split_once(':')?;
    (u16::from_str_radix(remote, 16).ok()? == port).then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn sockets_are_told_apart_by_whom_they_are_connected_with() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let own = std::process::id();
        let (none, _) = descriptors(own, port)?;
        let connections = [TcpStream::connect(listener.local_addr()?)?, TcpStream::connect(listener.local_addr()?)?];
        let (two, others) = descriptors(own, port)?;
        assert_eq!((none, two), (0, connections.len()));
        assert!(open_by_name(own)?["socket"] >= connections.len());
        assert!(others > 0 && threads(own)? > 0 && resident(own)? > 0);
        Ok(())
    }
}
