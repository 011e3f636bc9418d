//! Where tables and pictures go: to the terminal, into a folder, and into the checkout where that is asked for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use xtask::bench::Arguments;
use xtask::progress::step;

use crate::report::Report;

/// The places.
#[derive(Debug)]
pub(crate) struct Output {
    folder: PathBuf,
    published: Option<PathBuf>,
}

impl Output {
    /// Makes the folders.
    pub(crate) fn open(arguments: &Arguments) -> Result<Self> {
        let root = xtask::workspace::root();
        let folder = arguments.to.clone().unwrap_or_else(|| root.join(".local/bench"));
        let published = arguments.publish.then(|| root.join("tests/bench/results"));
        for folder in published.iter().chain([&folder]) {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(Self { folder, published })
    }

    /// The folder on this machine.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A table that is for whoever runs it.
    pub(crate) fn table(&self, name: &str, report: &Report, machine: &str) -> Result<()> {
        let text = report.to_markdown(machine);
        println!("\n{text}");
        write(&self.folder.join(name).with_extension("md"), &text)
    }

    /// A table that the README may show, with its picture.
    pub(crate) fn shown(&self, name: &str, report: &Report, machine: &str, picture: &str) -> Result<()> {
        self.table(name, report, machine)?;
        write(&self.folder.join(name).with_extension("svg"), picture)?;
        for file in self.published.iter().map(|folder| folder.join(name)) {
            write(&file.with_extension("md"), &report.to_markdown(machine))?;
            write(&file.with_extension("svg"), picture)?;
        }
        Ok(())
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    step(format_args!("written to {}", file.display()));
    Ok(())
}
