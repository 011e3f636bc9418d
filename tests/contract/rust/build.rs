//! Makes the client of the document that is checked in.

use std::path::PathBuf;
use std::{env, fs};

use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle};

fn main() {
    let document = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../../openapi/admin.json");
    println!("cargo:rerun-if-changed={}", document.display());
    let document = serde_json::from_str(&fs::read_to_string(document).expect("the document")).expect("OpenAPI");
    let mut settings = GenerationSettings::default();
    settings.with_interface(InterfaceStyle::Builder).with_tag(TagStyle::Merged);
    let tokens = Generator::new(&settings).generate_tokens(&document).expect("a client of the document");
    let code = prettyplease::unparse(&syn::parse2(tokens).expect("Rust"));
    fs::write(PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("client.rs"), code).expect("a place for it");
}
