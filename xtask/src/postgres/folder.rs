//! The folder of a cluster: where it lies, who holds it, and whether what is in it can be used.
//!
//! Layout: `data/` is PostgreSQL's own, `password`, `port` and `server.log` lie beside it, and `lock` is held while a verb
//! uses it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::account::Account;
use crate::fingerprint::fingerprint;
use crate::progress::loud;
use crate::random;

/// An open cluster folder. The lock goes with it, also when the process is killed.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    account: Option<Account>,
    _lock: File,
}

impl Folder {
    /// Makes the folder if needed, finds the account for it and locks it.
    pub(super) fn open(wanted: &Path) -> Result<Self> {
        let (path, account) = place(wanted)?;
        if path != std::path::absolute(wanted)? {
            loud(format_args!(
                "PostgreSQL does not run as root, and no other user may enter {}: the database lies in {} instead",
                wanted.display(),
                path.display()
            ));
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => check_owner(&path, account)?,
            made => {
                made.with_context(|| format!("cannot make {}", path.display()))?;
                account.map_or(Ok(()), |account| account.own(&path))?;
            }
        }
        let lock = try_lock(&path)?.with_context(|| {
            format!(
                "another process uses the database in {}; end that one first (another `cargo xtask dev` or `test`?), or \
                 set DATABASE_URL",
                path.display()
            )
        })?;
        Ok(Self { path, account, _lock: lock })
    }

    /// PostgreSQL's own folder.
    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// The server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }

    /// The file with the superuser's password.
    pub(super) fn password_file(&self) -> PathBuf {
        self.path.join("password")
    }

    /// The file with the server's port of the last time.
    pub(super) fn port_file(&self) -> PathBuf {
        self.path.join("port")
    }

    /// A name for a new cluster under construction, so that a half-made one is never taken for a whole one.
    pub(super) fn draft(&self) -> PathBuf {
        self.path.join("data.new")
    }

    /// The whole folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The account that the server runs under, when it is not our own.
    pub(super) fn account(&self) -> Option<Account> {
        self.account
    }

    /// The server log, opened for appending and given to the server's account.
    pub(super) fn open_log(&self) -> Result<File> {
        let path = self.log();
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(file)
    }

    /// Writes a fresh random password for a new cluster.
    pub(super) fn write_password(&self) -> Result<()> {
        let password = random::hex(&random::bytes::<16>()?);
        self.write_private(&self.password_file(), &password)
    }

    /// Has the server offer TLS with this certificate and its key.
    pub(super) fn write_tls(&self, certificate: &str, key: &str) -> Result<()> {
        // Where PostgreSQL looks for them by itself.
        self.write_private(&self.data().join("server.crt"), certificate)?;
        self.write_private(&self.data().join("server.key"), key)?;
        let settings = self.data().join("postgresql.auto.conf");
        OpenOptions::new()
            .append(true)
            .open(&settings)
            .and_then(|mut file| file.write_all(b"ssl = on\n"))
            .with_context(|| format!("cannot write {}", settings.display()))
    }

    /// Writes a file that the server alone reads.
    fn write_private(&self, path: &Path, text: &str) -> Result<()> {
        remove(path)?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))?;
        self.account.map_or(Ok(()), |account| account.own(path))
    }

    /// The superuser's password.
    pub(super) fn password(&self) -> Result<String> {
        let path = self.password_file();
        let password = fs::read_to_string(&path).with_context(|| {
            format!("cannot read {}; delete the folder {} to begin anew", path.display(), self.path.display())
        })?;
        Ok(password.trim().to_owned())
    }

    /// Whether a cluster is there. Says what to delete when there is something else, or one of another version.
    pub(super) fn holds_cluster(&self, major: u32) -> Result<bool> {
        let data = self.data();
        if !data.exists() {
            return Ok(false);
        }
        let remedy = format!("delete the folder {} (its databases are lost) and start again", self.path.display());
        let version = fs::read_to_string(data.join("PG_VERSION")).unwrap_or_default();
        let version = version.trim();
        ensure!(
            !version.is_empty() && data.join("global/pg_control").is_file(),
            "{} is not a PostgreSQL data folder, or is damaged; {remedy}",
            data.display()
        );
        ensure!(
            version == major.to_string(),
            "{} was made by PostgreSQL {version}, but this machine's is {major}; set PG_BINDIR to the programs of version \
             {version}, or {remedy}",
            data.display()
        );
        Ok(true)
    }

    /// Deletes the data and the log of an earlier run.
    pub(super) fn empty(&self) -> Result<()> {
        remove(&self.data())?;
        remove(&self.log())
    }
}

/// Whether another process holds the folder of a cluster at this moment.
pub fn in_use(wanted: &Path) -> bool {
    place(wanted).is_ok_and(|(path, _)| matches!(try_lock(&path), Ok(None)))
}

/// Whether the folder could be opened: nobody holds it, and we may.
pub(super) fn usable(wanted: &Path) -> bool {
    place(wanted).is_ok_and(|(path, _)| !path.exists() || matches!(try_lock(&path), Ok(Some(_))))
}

/// Where a folder really lies, and the account for it: not where it is wanted, if the account may not go there.
fn place(wanted: &Path) -> Result<(PathBuf, Option<Account>)> {
    let path = std::path::absolute(wanted).context("cannot find the current folder")?;
    let account = Account::for_folder(&path)?;
    if account.is_none_or(|account| account.can_reach(&path)) {
        return Ok((path, account));
    }
    let name = fingerprint(path.as_os_str().as_encoded_bytes());
    let elsewhere = PathBuf::from(format!("/var/tmp/claude-code-proxy-{name}"));
    let account = Account::for_folder(&elsewhere)?;
    Ok((elsewhere, account))
}

/// Deletes a file or a folder with all that is in it; that there is none is fine.
pub(super) fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot delete {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Also guards against a folder that somebody else has put under the known name in /var/tmp.
fn check_owner(path: &Path, account: Option<Account>) -> Result<()> {
    let metadata = fs::symlink_metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    let ours = account.map_or_else(|| rustix::process::geteuid().as_raw(), |account| account.user);
    // Made by root in an earlier run that was killed before it could hand the folder over.
    if let Some(account) = account.filter(|_| metadata.is_dir() && metadata.uid() == 0) {
        return account.own(path);
    }
    ensure!(
        metadata.is_dir() && metadata.uid() == ours,
        "{} is not a folder that belongs to user {ours}, but to user {}; delete it (`sudo rm -r {}`) and start again",
        path.display(),
        metadata.uid(),
        path.display()
    );
    Ok(())
}

/// The lock of a folder, or nothing when another process has it.
fn try_lock(folder: &Path) -> Result<Option<File>> {
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}
