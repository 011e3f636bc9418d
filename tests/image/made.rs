//! What is in the image, and that a second build makes the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xtask::build::{Options, Target, build};
use xtask::oci::Layout;
use xtask::workspace::{Workspace, root};

/// The folder with the image of this run.
pub(crate) fn folder() -> PathBuf {
    let folder = std::env::var_os("IMAGE_LAYOUT").unwrap_or_else(|| {
        panic!("IMAGE_LAYOUT is not set: these tests need an image, built and named by `cargo xtask test --only image`")
    });
    PathBuf::from(folder)
}

/// The image of this run.
pub(crate) fn layout() -> Layout {
    Layout::open(&folder()).unwrap()
}

/// The settings of an image, out of its layout.
pub(crate) fn settings(layout: &Layout) -> Value {
    let blob = layout.blobs().unwrap().pop().unwrap();
    serde_json::from_slice(&fs::read(blob.path).unwrap()).unwrap()
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(
                files(&path)
                    .into_iter()
                    .map(|(below, content)| (Path::new(path.file_name().unwrap()).join(below), content)),
            );
        } else {
            found.insert(path.file_name().unwrap().into(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn a_second_build_makes_the_same_image_byte_for_byte() {
    let elsewhere = tempfile::tempdir().unwrap();
    let options = Options {
        target: Target::host().unwrap(),
        profile: "dev".to_owned(),
        rds_ca_bundle: Some(root().join("tests/image/authority.pem")),
        folder: elsewhere.path().join("again"),
    };
    let again = build(&Workspace::locate().unwrap(), &options).unwrap();
    assert_eq!(again.digest(), layout().digest());
    let [first, second] = [folder(), options.folder.clone()].map(|folder| files(&folder));
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    assert!(first == second, "a file of the layout differs");
    assert!(first.contains_key(Path::new("oci-layout")) && first.contains_key(Path::new("manifest.json")));
    let [first, second] = [folder(), options.folder].map(|folder| fs::read(folder.with_extension("cdx.json")).unwrap());
    assert!(first == second, "the lists of what is in the image differ");
}

#[test]
fn the_image_says_what_it_is() {
    let settings = settings(&layout());
    let labels = &settings["config"]["Labels"];
    assert_eq!(labels["org.opencontainers.image.title"], "Claude Code Proxy");
    assert_eq!(labels["org.opencontainers.image.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(labels["org.opencontainers.image.licenses"], "MIT OR Apache-2.0");
    assert_eq!(labels["org.opencontainers.image.created"], settings["created"]);
    assert_eq!(settings["config"]["User"], "10001:10001");
    assert_eq!(settings["config"]["Entrypoint"], serde_json::json!(["/claude-code-proxy"]));
    assert_eq!(settings["config"]["Cmd"], serde_json::json!(["serve"]));
    assert_eq!(settings["config"]["ExposedPorts"], serde_json::json!({ "8000/tcp": {} }));
}

#[test]
fn the_list_of_what_is_in_the_image_names_the_crates() {
    let list = fs::read(folder().with_extension("cdx.json")).unwrap();
    let list: Value = serde_json::from_slice(&list).unwrap();
    let components = list["components"].as_array().unwrap();
    let named = |name: &str| components.iter().any(|component| component["name"] == name);
    for name in ["rustls", "ring", "hyper", "sqlx", "tokio", "tikv-jemalloc-sys", "rust-std"] {
        assert!(named(name), "{name}");
    }
    for name in ["openssl-sys", "aws-lc-sys", "proptest", "xtask"] {
        assert!(!named(name), "{name}");
    }
}
