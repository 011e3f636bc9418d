//! The account that PostgreSQL runs under: it refuses to run as root, so root lends it another one.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// A user and its group, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// The user's number.
    pub(super) user: u32,
    /// The number of the user's own group.
    pub(super) group: u32,
}

impl Account {
    /// The account to switch to, or nothing when we are an ordinary user and need not.
    ///
    /// A folder that already belongs to somebody decides, so that a cluster made by a developer also starts under sudo.
    pub(super) fn for_folder(folder: &Path) -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        if let Some(owner) = fs::metadata(folder).ok().filter(|metadata| metadata.uid() != 0) {
            return Ok(Some(Self { user: owner.uid(), group: owner.gid() }));
        }
        let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        ["postgres", "nobody"].iter().find_map(|name| lookup(&passwd, name)).map(Some).context(
            "PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody` in /etc/passwd; \
             run this as an ordinary user or set DATABASE_URL",
        )
    }

    /// Both numbers, as the standard library's process functions take them.
    pub(super) fn pair(self) -> (u32, u32) {
        (self.user, self.group)
    }

    /// Gives a file or folder to the account.
    pub(super) fn own(self, path: &Path) -> Result<()> {
        chown(path, Some(self.user), Some(self.group))
            .with_context(|| format!("cannot give {} to user {}", path.display(), self.user))
    }

    /// Whether the account may pass through every folder above `path`; access lists beyond the mode bits are not seen.
    pub(super) fn can_reach(self, path: &Path) -> bool {
        path.ancestors().skip(1).filter_map(|folder| fs::metadata(folder).ok()).all(|folder| {
            let bit = match () {
                () if folder.uid() == self.user => 0o100,
                () if folder.gid() == self.group => 0o010,
                () => 0o001,
            };
            folder.permissions().mode() & bit != 0
        })
    }
}

/// Runs a command under the account, if there is one.
pub(super) fn run_as(command: &mut Command, account: Option<Account>) -> &mut Command {
    use std::os::unix::process::CommandExt;
    if let Some(account) = account {
        command.uid(account.user).gid(account.group);
    }
    // The account may not be allowed into the folder that we were started in.
    command.current_dir("/")
}

fn lookup(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let user = fields.nth(1)?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        Some(Account { user, group })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/:/bin/sh\n\
        nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n\
        broken:x\n\
        postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n";

    #[test]
    fn finds_an_account_by_its_whole_name() {
        assert_eq!(lookup(PASSWD, "postgres"), Some(Account { user: 101, group: 104 }));
        assert_eq!(lookup(PASSWD, "nobody"), Some(Account { user: 65534, group: 65534 }));
        assert_eq!(lookup(PASSWD, "post"), None);
        assert_eq!(lookup(PASSWD, "broken"), None);
    }

    #[test]
    fn a_folder_closed_to_others_cannot_be_passed() {
        let folder = std::env::temp_dir().join(format!("ccp-account-{}", std::process::id()));
        let inner = folder.join("inner");
        fs::create_dir_all(&inner).unwrap_or_else(|error| panic!("{error}"));
        let stranger = Account { user: 4_000_000, group: 4_000_000 };
        let reach_with =
            |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).is_ok() && stranger.can_reach(&inner);
        assert!(reach_with(0o755));
        assert!(!reach_with(0o700));
        let _ = fs::remove_dir_all(&folder);
    }
}
