//! Compares a committed folder with a freshly generated one, file by file.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};

/// One file that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    name: String,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Missing,
    Changed,
    Superfluous,
}

impl Difference {
    /// Makes the committed file as it should be.
    pub(super) fn settle(&self, committed: &Path, fresh: &Path) -> Result<()> {
        let target = committed.join(&self.name);
        let settled = match self.kind {
            Kind::Superfluous => fs::remove_file(&target),
            Kind::Missing | Kind::Changed => {
                fs::create_dir_all(committed).and_then(|()| fs::copy(fresh.join(&self.name), &target)).map(drop)
            }
        };
        settled.with_context(|| format!("cannot write {}", target.display()))
    }
}

impl Display for Difference {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let what = match self.kind {
            Kind::Missing => "not committed yet",
            Kind::Changed => "changed",
            Kind::Superfluous => "no longer needed",
        };
        write!(out, "{} ({what})", self.name)
    }
}

/// All differences between two flat folders, by name. A committed folder that does not exist is an empty one.
pub(super) fn folders(committed: &Path, fresh: &Path) -> Result<Vec<Difference>> {
    Ok(differences(&read(committed)?, &read(fresh)?))
}

fn differences(committed: &BTreeMap<String, String>, fresh: &BTreeMap<String, String>) -> Vec<Difference> {
    let wanted = fresh.iter().filter_map(|(name, text)| {
        let kind = match committed.get(name) {
            None => Kind::Missing,
            Some(present) if present != text => Kind::Changed,
            Some(_) => return None,
        };
        Some(Difference { name: name.clone(), kind })
    });
    let superfluous = committed
        .keys()
        .filter(|name| !fresh.contains_key(*name))
        .map(|name| Difference { name: name.clone(), kind: Kind::Superfluous });
    wanted.chain(superfluous).collect()
}

/// Every file of a folder as text. Line ends are made equal, since a checkout may have changed them.
fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    let mut files = BTreeMap::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        let Some(name) = path.file_name().filter(|_| path.is_file()) else { continue };
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        files.insert(name.to_string_lossy().into_owned(), text.replace("\r\n", "\n"));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn each_kind_of_difference_is_named() {
        let committed = files(&[("same", "1"), ("changed", "1"), ("old", "1")]);
        let fresh = files(&[("same", "1"), ("changed", "2"), ("new", "1")]);
        let lines: Vec<_> = differences(&committed, &fresh).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["changed (changed)", "new (not committed yet)", "old (no longer needed)"]);
    }

    #[test]
    fn equal_folders_have_no_differences() {
        let same = files(&[("a", "1")]);
        assert!(differences(&same, &same).is_empty());
    }
}
