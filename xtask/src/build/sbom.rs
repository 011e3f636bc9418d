//! The list of what the binary is made of, in CycloneDX: every crate that is linked, with version and licence.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Target;
use super::facts::Facts;
use crate::command::output;
use crate::workspace::{Program, Workspace};

const WITHIN: Duration = Duration::from_mins(2);

/// A crate by name and version, and its licence.
type Crates = BTreeMap<(String, String), String>;

/// Asks cargo, for this target and without what only builds or tests.
pub(super) fn write(workspace: &Workspace, target: Target, facts: &Facts) -> Result<Vec<u8>> {
    let mut cargo = workspace.cargo();
    cargo.args([
        "tree",
        "--locked",
        "--package",
        Program::Proxy.name(),
        "--target",
        target.triple(),
        "--edges",
        "normal",
    ]);
    cargo.args(["--prefix", "none", "--format", "{p}|{l}"]);
    let listed = output(&mut cargo, "", WITHIN)?;
    ensure!(listed.status.success(), "cannot list the crates: {}", String::from_utf8_lossy(&listed.stderr).trim());
    let mut rustc = Command::new("rustc");
    let said = output(rustc.current_dir(workspace.root()).arg("--version"), "", WITHIN)?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let compiler = said.split_whitespace().nth(1).context("rustc does not say its version")?;
    let document = document(&crates(&String::from_utf8_lossy(&listed.stdout)), compiler, facts);
    serde_json::to_vec(&document).context("cannot write JSON")
}

/// Reads lines such as `serde v1.0.229|MIT OR Apache-2.0` and `serde_derive v1.0.229 (proc-macro)|MIT OR Apache-2.0`.
fn crates(listed: &str) -> Crates {
    let read = |line: &str| {
        let (package, licence) = line.split_once('|')?;
        // A macro runs in the compiler and is not linked.
        if package.contains("(proc-macro)") {
            return None;
        }
        let mut words = package.split_whitespace();
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        // A star says that what it depends on was listed before.
        let licence = licence.trim_end_matches("(*)").trim();
        Some(((name.to_owned(), version.to_owned()), licence.to_owned()))
    };
    listed.lines().filter_map(read).filter(|((name, _), _)| name != Program::Proxy.name()).collect()
}

fn document(crates: &Crates, compiler: &str, facts: &Facts) -> Value {
    let mut components: Vec<_> = crates
        .iter()
        .map(|((name, version), licence)| {
            let address = format!("pkg:cargo/{name}@{version}");
            let mut component =
                json!({ "type": "library", "name": name, "version": version, "purl": address, "bom-ref": address });
            if !licence.is_empty() {
                // Before SPDX had a word for it, people wrote `MIT/Apache-2.0`.
                component["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
            }
            component
        })
        .collect();
    components.push(json!({ "type": "library", "name": "rust-std", "version": compiler, "bom-ref": "rust-std" }));
    let name = Program::Proxy.name();
    let program = json!({ "type": "application", "name": name, "version": facts.version, "bom-ref": name });
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        // Without a time, which would make another layer of the same binary with each commit.
        "metadata": { "component": program },
        "components": components,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_listed_once_and_in_order() {
        let listed = "claude-code-proxy v0.1.0 (/home/ada/app)|MIT\nzeroize v1.9.2|Apache-2.0 OR MIT\nfnv v1.0.7|Apache-2.0/MIT\n\
                      serde_derive v1.0.229 (proc-macro)|MIT\n\nfnv v1.0.7|Apache-2.0/MIT (*)\n";
        let facts = Facts {
            version: "0.1.0".to_owned(),
            revision: None,
            created: "2026-01-01T00:00:00Z".to_owned(),
            licence: "MIT".to_owned(),
            source: None,
        };
        let document = document(&crates(listed), "1.95.0", &facts);
        let components: Vec<_> = document["components"].as_array().into_iter().flatten().collect();
        let names: Vec<_> = components.iter().map(|component| component["name"].as_str().unwrap_or_default()).collect();
        assert_eq!(names, ["fnv", "zeroize", "rust-std"]);
        assert_eq!(components[0]["purl"], "pkg:cargo/fnv@1.0.7");
        assert_eq!(components[0]["licenses"][0]["expression"], "Apache-2.0 OR MIT");
        assert!(!document.to_string().contains("/home/ada"));
    }
}
