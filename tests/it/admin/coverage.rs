//! No operation is left untried.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Each operation of the document is called by a test, by its id.
#[test]
fn every_operation_is_called_by_a_test() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(here.with_file_name("openapi").join("admin.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let ids: BTreeSet<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert!(ids.len() > 5, "{ids:?}");
    let mut tests = String::new();
    for file in fs::read_dir(here.join("it/admin")).unwrap() {
        tests.push_str(&fs::read_to_string(file.unwrap().path()).unwrap());
    }
    tests.push_str(&fs::read_to_string(here.join("support/administrator.rs")).unwrap());
    let untried: Vec<_> = ids.into_iter().filter(|id| !tests.contains(&format!("call(\"{id}\")"))).collect();
    assert!(untried.is_empty(), "no test calls {untried:?}");
}
