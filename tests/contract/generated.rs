//! Clients that widely used generators make of the document: each is made now, built, and does what administrators do.

use std::path::Path;
use std::time::Duration;

use crate::flow;
use crate::tool::{beside, document, node, node_modules, node_tool, python_tool, succeed};

const GENERATION: Duration = Duration::from_mins(2);
/// With its dependencies, on a machine that has none of them.
const COMPILATION: Duration = Duration::from_mins(10);

#[tokio::test]
async fn typescript() {
    flow::operations_are_there();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut generator = node_tool("openapi-typescript");
    generator.arg(document("admin.json")).args(["--output", "schema.ts"]);
    succeed(generator, here, GENERATION).await;
    for file in ["flow.ts", "tsconfig.json"] {
        std::fs::copy(beside("typescript").join(file), here.join(file)).unwrap();
    }
    std::fs::write(here.join("package.json"), r#"{"type": "module"}"#).unwrap();
    std::os::unix::fs::symlink(node_modules(), here.join("node_modules")).unwrap();
    succeed(node_tool("tsc"), here, GENERATION).await;
    let mut client = node();
    client.arg(here.join("built/flow.js"));
    flow::goes_well(client).await;
}

#[tokio::test]
async fn python() {
    flow::operations_are_there();
    let folder = tempfile::tempdir().unwrap();
    let mut generator = python_tool("openapi-python-client");
    generator
        .args(["generate", "--meta", "none", "--fail-on-warning", "--output-path", "admin_client", "--path"])
        .arg(document("admin.json"))
        .arg("--config")
        .arg(beside("python/config.yaml"));
    succeed(generator, folder.path(), GENERATION).await;
    let mut client = python_tool("python");
    client.arg(beside("python/flow.py")).env("PYTHONPATH", folder.path()).env("PYTHONDONTWRITEBYTECODE", "1");
    flow::goes_well(client).await;
}

/// A package of its own, built into the folder of the workspace, so that its dependencies are compiled once.
#[tokio::test]
async fn rust() {
    flow::operations_are_there();
    let folder = beside("rust");
    let program = xtask::workspace::Workspace::locate().unwrap().target().join("contract-rust");
    let mut cargo = tokio::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "--quiet"]).env("CARGO_TARGET_DIR", &program).current_dir(&folder);
    for (name, _) in std::env::vars_os().filter(|(name, _)| describes_a_package(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    let printed = tempfile::tempdir().unwrap();
    succeed(cargo, printed.path(), COMPILATION).await;
    let client = tokio::process::Command::new(Path::new(&program).join("debug/contract-rust"));
    flow::goes_well(client).await;
}

/// `cargo test` describes these tests to us in variables, which build scripts watch.
fn describes_a_package(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO_CRATE_NAME"
}
