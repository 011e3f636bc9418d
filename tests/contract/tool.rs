//! The pinned tools that read the documents, installed by `cargo xtask test --only contract`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use support::program::{Printed, finish};
use tokio::process::Command;

/// A file of the documents.
pub(crate) fn document(name: &str) -> PathBuf {
    xtask::workspace::root().join("openapi").join(name)
}

/// A file beside these tests.
pub(crate) fn beside(name: &str) -> PathBuf {
    xtask::workspace::root().join("tests/contract").join(name)
}

/// A program among the tools for Node.js.
pub(crate) fn node_tool(name: &str) -> Command {
    tool(&node_modules().join(".bin").join(name))
}

/// Node.js itself.
pub(crate) fn node() -> Command {
    Command::new("node")
}

/// What the tools for Node.js are installed in.
pub(crate) fn node_modules() -> PathBuf {
    tools().join("node/node_modules")
}

/// A program among the tools for Python.
pub(crate) fn python_tool(name: &str) -> Command {
    tool(&tools().join("python/bin").join(name))
}

/// Runs a command in this folder to its end.
pub(crate) async fn run(command: Command, folder: &Path, limit: Duration) -> Printed {
    let name = Path::new(command.as_std().get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    finish(command, folder, &format!("contract-{name}"), limit).await
}

/// The same; it has to succeed.
pub(crate) async fn succeed(command: Command, folder: &Path, limit: Duration) -> Printed {
    let printed = run(command, folder, limit).await;
    assert!(printed.status.success(), "{}\n{}\n{}", printed.stdout, printed.stderr, printed.status);
    printed
}

fn tool(program: &Path) -> Command {
    assert!(program.is_file(), "{} is no file; install it with `cargo xtask test --only contract`", program.display());
    let mut command = Command::new(program);
    // Nothing goes through a proxy of the machine, and nothing tells its maker that it runs.
    command.env("NO_PROXY", "127.0.0.1").env("NO_COLOR", "1").env("DO_NOT_TRACK", "1");
    command
}

fn tools() -> PathBuf {
    let Some(folder) = std::env::var_os("CONTRACT_TOOLS") else {
        panic!(
            "CONTRACT_TOOLS is not set: these tests need tools, installed and named by `cargo xtask test --only contract`"
        )
    };
    folder.into()
}
