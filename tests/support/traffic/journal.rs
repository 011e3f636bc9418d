//! What a proxy has left in its usage journal.

use std::path::{Path, PathBuf};

/// Files with records in the folders below.
pub fn files_of_records(journal: &Path) -> Vec<PathBuf> {
    let list =
        |folder: &Path| -> Vec<_> { std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect() };
    let files = list(journal).into_iter().flat_map(|folder| list(&folder));
    files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl" || extension == "kept")).collect()
}
