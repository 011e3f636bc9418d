//! What the image says about its source: version, revision, time, licence, and where it is from.

use std::env;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat};
use reqwest::Url;

use crate::command::output;
use crate::workspace::Workspace;

/// The facts. Without git some are missing.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// The version in Cargo.toml.
    pub(super) version: String,
    /// The commit, with `-dirty` where files differ from it.
    pub(super) revision: Option<String>,
    /// `SOURCE_DATE_EPOCH`, else the time of the commit, in RFC 3339.
    pub(super) created: String,
    /// The licence in Cargo.toml.
    pub(super) licence: String,
    /// Where the source can be had.
    pub(super) source: Option<String>,
}

/// Looks at the checkout.
pub(super) fn of(workspace: &Workspace) -> Result<Facts> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(workspace.root()).args(arguments);
        let said = output(&mut git, "", Duration::from_mins(1)).ok().filter(|said| said.status.success())?;
        Some(String::from_utf8_lossy(&said.stdout).trim().to_owned())
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|files| !files.is_empty());
    let revision = git(&["rev-parse", "HEAD"]).map(|commit| if changed { commit + "-dirty" } else { commit });
    let epoch = match env::var("SOURCE_DATE_EPOCH") {
        Ok(epoch) => Some(epoch),
        Err(_) => git(&["show", "--no-patch", "--format=%ct", "HEAD"]),
    };
    Ok(Facts {
        // All crates of the workspace have the same.
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision,
        created: created(epoch.as_deref().unwrap_or("0"))?,
        licence: env!("CARGO_PKG_LICENSE").to_owned(),
        source: git(&["remote", "get-url", "origin"]).as_deref().and_then(public),
    })
}

fn created(epoch: &str) -> Result<String> {
    let seconds = epoch.trim().parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let time =
        seconds.with_context(|| format!("{epoch:?} is no number of seconds since 1970; look at SOURCE_DATE_EPOCH"))?;
    Ok(time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// The address of a remote, if it is one on the web, without credentials that it may hold.
fn public(remote: &str) -> Option<String> {
    let mut url = Url::parse(remote).ok().filter(|url| url.scheme() == "https")?;
    url.set_password(None).ok()?;
    url.set_username("").ok()?;
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc() {
        assert_eq!(created("1767225600\n").ok().as_deref(), Some("2026-01-01T00:00:00Z"));
        assert!(created("tomorrow").is_err_and(|error| error.to_string().contains("SOURCE_DATE_EPOCH")));
    }

    #[test]
    fn no_credentials_and_no_paths_of_this_machine_get_into_the_image() {
        assert_eq!(
            public("https://ada:secret@git.example/proxy.git").as_deref(),
            Some("https://git.example/proxy.git")
        );
        assert_eq!(public("/home/ada/proxy"), None);
        assert_eq!(public("git@git.example:proxy.git"), None);
    }
}
