//! The committed template is the one that the code makes, and the same on every machine.

use std::fs;
use std::path::Path;

use stack::core::Lock;
use stack::proxy_stack::proxy_stack;

use crate::support::{assembly, template};

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn golden(name: &str) -> String {
    let path = crate_folder().join("golden").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    text.replace("\r\n", "\n")
}

#[test]
fn the_committed_template_is_fresh() {
    assert!(golden("template.yaml") == assembly().yaml, "run `cargo xtask synth`, review the difference and commit it");
}

#[test]
fn nothing_that_holds_state_is_replaced() {
    let lock = Lock::parse(&golden("logical-ids.lock")).expect("the lock file is one");
    lock.check(template()).unwrap_or_else(|told| panic!("{told}"));
    assert_eq!(lock, Lock::of(template()), "run `cargo xtask synth`, review the difference and commit it");
}

#[test]
fn two_syntheses_are_the_same_byte_for_byte() {
    let again = proxy_stack().synth().expect("nothing is wrong");
    assert!(again.yaml == assembly().yaml && again.json == assembly().json);
}

#[test]
fn the_yaml_for_people_says_what_the_json_for_aws_says() {
    let yaml: serde_json::Value = serde_yaml::from_str(&assembly().yaml).expect("it is YAML");
    let json: serde_json::Value = serde_json::from_str(&assembly().json).expect("it is JSON");
    assert_eq!(yaml, json);
}
