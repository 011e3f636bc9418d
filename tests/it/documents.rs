//! What the README and the sample of the settings say is what the code does.

mod observability;
mod rows;

use std::path::Path;

use claude_code_proxy::config::{Config, Environment, VARIABLES};

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_readme_lists_every_setting_with_its_default_and_meaning() {
    let readme = read("README.md");
    for variable in VARIABLES {
        let row = format!("| `{}` | {} | {} |", variable.name, variable.default_text(), variable.meaning);
        assert!(readme.contains(&row), "README.md lacks this row:\n{row}");
    }
}

/// The sample is a file that works once the secret and the files that it names are there.
#[test]
fn the_sample_of_the_settings_is_complete_and_valid() {
    let sample = read(".env.example");
    for variable in VARIABLES {
        let named =
            sample.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{}=", variable.name)));
        assert!(named, ".env.example lacks {}", variable.name);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let value = |name: &str| {
        let line = sample.lines().find_map(|line| line.trim_start_matches("# ").strip_prefix(&format!("{name}=")))?;
        Some(match name {
            "KEY_HASHER_SECRET" => "0123456789abcdef0123456789abcdef".to_owned(),
            "LOCAL_VAULT_KEY_FILE" | "BEDROCK_CAPABILITIES_FILE" | "DATABASE_CA_FILE" => {
                file.path().display().to_string()
            }
            // As a shell reads it.
            _ => line.trim_matches('\'').to_owned(),
        })
    };
    Config::read(Environment::new(value)).expect("every line of the sample, uncommented, is a valid setting");
}

/// One TLS stack: rustls, with ring for its cryptography.
#[test]
fn there_is_one_tls_stack() {
    let lock = read("Cargo.lock");
    for other in ["openssl-sys", "native-tls", "aws-lc-sys", "aws-lc-rs"] {
        assert!(!lock.contains(&format!("name = \"{other}\"")), "{other} is a second TLS stack");
    }
    assert!(lock.contains("name = \"rustls\"") && lock.contains("name = \"ring\""));
}

#[test]
fn the_api_documents_are_those_of_this_code() {
    for (name, text) in claude_code_proxy::openapi::documents() {
        assert!(
            read(&format!("openapi/{name}")) == text,
            "openapi/{name} is stale; renew it with: cargo xtask prepare"
        );
    }
}
