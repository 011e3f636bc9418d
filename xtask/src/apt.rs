//! Installs system packages on Debian and Ubuntu, where we are root and may.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::command::run;
use crate::progress::loud;

/// Whether this machine has apt-get and we may use it.
pub fn available() -> bool {
    rustix::process::geteuid().is_root()
        && Path::new("/etc/debian_version").exists()
        && Path::new("/usr/bin/apt-get").exists()
}

/// Installs packages, and says so, because it changes the machine beyond the checkout.
pub fn install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    loud(format_args!("installing on this machine: apt-get install {names}"));
    run(apt_get().arg("update"), "refresh the package lists")?;
    run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages), &format!("install {names}"))
}

fn apt_get() -> Command {
    let mut command = Command::new("/usr/bin/apt-get");
    // The lock wait is for machines whose nightly upgrade runs at this moment.
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["--quiet", "-o", "DPkg::Lock::Timeout=120"]);
    command
}
