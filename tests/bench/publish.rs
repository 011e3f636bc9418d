//! Where results are written.

use std::path::Path;

use anyhow::{Context as _, Result};
use xtask::bench::Arguments;
use xtask::progress::step;

/// Writes files into the folder of results, and into the checkout when that is asked for.
pub(crate) fn publish(files: &[(&str, &str)], folder: &Path, arguments: &Arguments) -> Result<()> {
    let published = xtask::workspace::root().join("tests/bench/results");
    let folders = [Some(folder), arguments.publish.then_some(published.as_path())];
    for folder in folders.into_iter().flatten() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for (name, text) in files {
            let file = folder.join(name);
            std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
            step(format_args!("written to {}", file.display()));
        }
    }
    Ok(())
}
