//! What is known to go wrong between Claude Code and Bedrock is numbered; each number has a test that carries it.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

const ROWS: [RangeInclusive<u8>; 4] = [1..=37, 47..=53, 71..=81, 85..=86];

#[test]
fn every_row_is_named_by_a_test() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = BTreeSet::new();
    for (_, source) in read(here) {
        named.extend(rows(&source));
    }
    let app = here.with_file_name("app").join("src");
    for (file, source) in read(&app) {
        named.extend(rows(tests_in(file.strip_prefix(&app).unwrap(), &source)));
    }
    let missing: Vec<String> =
        ROWS.into_iter().flatten().filter(|row| !named.contains(row)).map(|row| format!("B-{row:02}")).collect();
    assert!(missing.is_empty(), "no test names {}", missing.join(", "));
}

/// All sources in a folder, and what is in them.
fn read(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(read(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            found.push((path, source));
        }
    }
    found
}

/// The part of a file of the app that is tests: all of it, or what follows the code that it tests.
fn tests_in<'s>(file: &Path, source: &'s str) -> &'s str {
    if file.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs") {
        return source;
    }
    source.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests)
}

/// The numbers of rows in a text.
fn rows(text: &str) -> Vec<u8> {
    text.split("B-").skip(1).filter_map(|after| after.get(..2)?.parse().ok()).collect()
}
