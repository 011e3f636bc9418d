//! A real registry, Debian's `docker-registry`, on a free port and with its images in a folder that goes with it.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::PATIENCE;
use support::evidence::log_file;
use tempfile::TempDir;

/// Who may push where a registry asks: this user, with this password.
pub(crate) const USER: &str = "ada";
pub(crate) const PASSWORD: &str = "a password for tests";
/// The password, hashed as the registry wants it.
const HASH: &str = "$2b$04$s8MLYBlMD7jivW4sI9DgNuU/OkMxtzFu1zeVz1EHcpDKhKxRV3/J2";

pub(crate) struct DockerRegistry {
    child: Child,
    log: std::path::PathBuf,
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
    _folder: TempDir,
}

impl DockerRegistry {
    /// Anybody may push.
    pub(crate) fn open() -> Self {
        Self::start("")
    }

    /// Only [`USER`] may push.
    pub(crate) fn guarded() -> Self {
        Self::start("auth: {htpasswd: {realm: tests, path: FOLDER/users}}")
    }

    fn start(auth: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Given back before the registry takes it. Nobody else asks for a port by its number here.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let config = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: FOLDER/images}}}}\nhttp: {{addr: \"{host}\"}}\n{auth}\n"
        );
        let file = folder.path().join("config.yml");
        fs::write(&file, config.replace("FOLDER", &folder.path().display().to_string())).unwrap();
        fs::write(folder.path().join("users"), format!("{USER}:{HASH}\n")).unwrap();
        let (output, log) = log_file("docker-registry");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&file).stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let mut child = command.spawn().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect_timeout(&host.parse().unwrap(), Duration::from_secs(1)).is_err() {
            assert!(Instant::now() < deadline, "the registry does not listen; see {}", log.display());
            assert!(child.try_wait().unwrap().is_none(), "the registry ended; see {}", log.display());
            std::thread::yield_now();
        }
        Self { child, log, host, _folder: folder }
    }

    /// How many requests with one of these methods it has answered, as its own log says.
    pub(crate) fn requests(&self, methods: &[&str]) -> usize {
        let log = fs::read_to_string(&self.log).unwrap();
        log.lines().filter(|line| methods.iter().any(|method| line.contains(&format!("\"{method} /v2/")))).count()
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
