//! The files of a synthesis: those that are committed, and those that a deployment takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use stack::core::{Assembly, Image, Lock, Manifest};
use stack::proxy_stack::NAME;

use crate::command::output;

/// Where the files are.
pub(super) struct Files {
    root: PathBuf,
}

impl Files {
    /// The template as it is reviewed.
    pub(super) const TEMPLATE: &'static str = "stack/golden/template.yaml";
    /// Which logical id is of which type.
    pub(super) const LOCK: &'static str = "stack/golden/logical-ids.lock";
    /// What a deployment takes.
    const DEPLOYMENT: &'static str = "target/stack";

    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The committed lock; an empty one before the first synthesis.
    pub(super) fn lock(&self) -> Result<Lock> {
        let text = self.read(Self::LOCK)?.unwrap_or_default();
        Lock::parse(&text).map_err(|error| anyhow!("{}: {error}", Self::LOCK))
    }

    /// The files whose committed content is another one, with what is wrong about each.
    pub(super) fn stale(&self, golden: &[(&'static str, String)]) -> Result<Vec<String>> {
        let mut stale = Vec::new();
        for (name, fresh) in golden {
            match self.read(name)? {
                None => stale.push(format!("{name} is missing and so")),
                Some(committed) if committed != *fresh => {
                    let line = committed.lines().zip(fresh.lines()).take_while(|(old, new)| old == new).count() + 1;
                    stale.push(format!("{name} (from line {line}) is"));
                }
                Some(_) => {}
            }
        }
        Ok(stale)
    }

    pub(super) fn write(&self, files: &[(&str, String)]) -> Result<()> {
        files.iter().try_for_each(|(name, text)| {
            let path = self.root.join(name);
            let folder = path.parent().unwrap_or(&self.root);
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&path, text))
                .with_context(|| format!("cannot write {}", path.display()))
        })
    }

    /// The template as CloudFormation gets it, and the manifest.
    pub(super) fn write_for_deployment(&self, assembly: &Assembly) -> Result<()> {
        let image = Image { repository: NAME, parameter: "ImageDigest" };
        let manifest = Manifest::new(assembly, image, self.revision());
        let manifest = serde_json::to_string_pretty(&manifest).context("the manifest is no JSON")? + "\n";
        let at = |name: &str| format!("{}/{name}", Self::DEPLOYMENT);
        let (template, yaml) = (assembly.json.clone(), assembly.yaml.clone());
        self.write(&[(&at("template.json"), template), (&at("template.yaml"), yaml), (&at("manifest.json"), manifest)])
    }

    /// The revision of the checkout; none where it is not one of git.
    fn revision(&self) -> Option<String> {
        let mut git = Command::new("git");
        git.current_dir(&self.root).args(["rev-parse", "HEAD"]);
        let said = output(&mut git, "", Duration::from_secs(5)).ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&said.stdout).trim().to_owned())
    }

    /// A file with equal line ends, since a checkout may have changed them.
    fn read(&self, name: &str) -> Result<Option<String>> {
        let path = self.root.join(name);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Some(text.replace("\r\n", "\n")))
    }
}
