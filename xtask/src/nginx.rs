//! Finds nginx, beside which the proxy is measured.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::apt;

/// The program: `NGINX_BIN`, else in the PATH or where Debian has it, else installed where we may.
pub(crate) fn find() -> Result<PathBuf> {
    if let Some(named) = env::var_os("NGINX_BIN") {
        return Ok(named.into());
    }
    if let Some(found) = locate() {
        return Ok(found);
    }
    if !apt::available() {
        bail!("nginx was not found; install it (`sudo apt-get install nginx-light`), or name the program in NGINX_BIN");
    }
    apt::install(&["nginx-light"])?;
    locate().context("nginx is still not found after `apt-get install nginx-light`; set NGINX_BIN")
}

fn locate() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("nginx")).find(|program| Path::is_file(program))
}
