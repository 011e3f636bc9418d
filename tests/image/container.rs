//! A container of the image, run by `crun` as a careful operator would: read-only, without capabilities, as the image's user.
//!
//! It shares the network with the test, whose fakes and database listen on loopback.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::evidence::log_file;
use support::within;
use tempfile::TempDir;
use tokio::process::Child;
use xtask::oci::Layout;

use crate::made::{layout, settings};

/// What a container gets beside the image.
#[derive(Default)]
pub(crate) struct Wishes {
    /// Arguments in place of the image's own.
    pub(crate) arguments: Option<Vec<&'static str>>,
    /// Environment beside the image's own.
    pub(crate) environment: BTreeMap<String, String>,
    /// Files and folders of this machine, and where they are inside: files as copies to read, folders to write to.
    pub(crate) mounts: Vec<(PathBuf, String)>,
}

pub(crate) struct Container {
    id: String,
    child: Child,
    folder: TempDir,
    /// What it prints.
    pub(crate) log: PathBuf,
}

impl Container {
    /// Unpacks the image of this run and starts it.
    pub(crate) fn start(wishes: Wishes) -> Self {
        Self::of(&layout(), wishes)
    }

    /// The same with another image.
    pub(crate) fn of(layout: &Layout, wishes: Wishes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("rootfs");
        unpack(layout, &root);
        let config = config(folder.path(), &settings(layout), wishes);
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let id = format!("ccp-{}", uuid::Uuid::new_v4().simple());
        let (output, log) = log_file("container");
        let mut command = tokio::process::Command::from(crun(folder.path()));
        command.args(["run", "--bundle"]).arg(folder.path()).arg(&id);
        command.stdin(std::process::Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.spawn().unwrap();
        Self { id, child, folder, log }
    }

    /// Runs a program in the container beside the first one.
    pub(crate) fn execute(&self, arguments: &[&str]) -> Output {
        crun(self.folder.path()).args(["exec", &self.id]).args(arguments).output().unwrap()
    }

    /// Sends a signal to the first program.
    pub(crate) fn signal(&self, name: &str) {
        assert!(crun(self.folder.path()).args(["kill", &self.id, name]).status().unwrap().success());
    }

    /// What the kernel says about the first program, in this file of its folder in `/proc`.
    pub(crate) fn kernel_says(&self, file: &str) -> String {
        let state = crun(self.folder.path()).args(["state", &self.id]).output().unwrap();
        let state: Value = serde_json::from_slice(&state.stdout).unwrap();
        fs::read_to_string(Path::new("/proc").join(state["pid"].to_string()).join(file)).unwrap()
    }

    /// Waits until it has printed this.
    pub(crate) async fn prints(&mut self, text: &str) {
        within("a line of the container", async {
            while !fs::read_to_string(&self.log).unwrap().contains(text) {
                assert_eq!(
                    self.child.try_wait().unwrap(),
                    None,
                    "the container ended early; see {}",
                    self.log.display()
                );
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Waits for its end.
    pub(crate) async fn exit_code(mut self) -> Option<i32> {
        within("the container to end", self.child.wait()).await.unwrap().code()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // Says that there is none where it has ended, as it should.
        let _ = crun(self.folder.path()).args(["delete", "--force", &self.id]).output();
    }
}

/// State and control groups are not the machine's: a container leaves nothing behind, and no daemon is asked for anything.
///
/// crun refuses machines with both versions of control groups even where it shall use none, so it does not see the second.
fn crun(folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    let script = "umount /sys/fs/cgroup/unified 2>/dev/null; exec crun --cgroup-manager=disabled \"$@\"";
    command.args(["--mount", "sh", "-c", script, "crun", "--root"]).arg(folder.join("state"));
    command
}

fn unpack(layout: &Layout, root: &Path) {
    let mut layers = layout.blobs().unwrap();
    // The last one is the settings.
    layers.pop();
    for layer in layers {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(File::open(layer.path).unwrap()));
        archive.set_preserve_ownerships(true);
        archive.set_preserve_permissions(true);
        archive.unpack(root).unwrap();
    }
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The runtime's settings, out of the image's.
fn config(folder: &Path, image: &Value, wishes: Wishes) -> Value {
    let image = &image["config"];
    let strings = |value: &Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap() };
    let user: Vec<u32> = image["User"].as_str().unwrap().split(':').map(|number| number.parse().unwrap()).collect();
    let own = || wishes.arguments.map(|arguments| arguments.into_iter().map(str::to_owned).collect());
    let arguments = [strings(&image["Entrypoint"]), own().unwrap_or_else(|| strings(&image["Cmd"]))].concat();
    let mut environment = strings(&image["Env"]);
    environment.extend(wishes.environment.iter().map(|(name, value)| format!("{name}={value}")));
    let none: [&str; 0] = [];
    let mut mounts = vec![
        json!({ "destination": "/proc", "type": "proc", "source": "proc" }),
        json!({ "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"] }),
    ];
    for (number, (mut source, destination)) in wishes.mounts.into_iter().enumerate() {
        let mut kind = "rw";
        if source.is_file() {
            // A copy, so that the user of the image may read what the test alone may read.
            let copy = folder.join(number.to_string());
            fs::copy(&source, &copy).unwrap();
            (source, kind) = (copy, "ro");
        }
        chown(&source, Some(user[0]), Some(user[1])).unwrap();
        mounts.push(json!({ "destination": destination, "type": "bind", "source": source, "options": ["bind", kind] }));
    }
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": user[0], "gid": user[1] },
            "args": arguments,
            "env": environment,
            "cwd": image["WorkingDir"],
            "capabilities": {
                "bounding": none, "effective": none, "permitted": none, "inheritable": none, "ambient": none,
            },
            "noNewPrivileges": true,
        },
        "root": { "path": "rootfs", "readonly": true },
        "mounts": mounts,
        "linux": { "namespaces": [{ "type": "pid" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }] },
    })
}
