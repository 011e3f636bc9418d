//! The documents are valid, and follow what those who write tools for OpenAPI recommend.

use std::time::Duration;

use crate::tool::{beside, document, node_tool, python_tool, succeed};

const LIMIT: Duration = Duration::from_mins(2);
const DOCUMENTS: [&str; 4] = ["proxy.yaml", "proxy.json", "admin.yaml", "admin.json"];

/// Everything that Spectral has to say fails, hints included.
#[tokio::test]
async fn spectral_has_nothing_to_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut spectral = node_tool("spectral");
    spectral.args(["lint", "--fail-severity", "hint", "--ruleset"]).arg(beside("spectral.yaml"));
    let printed = succeed(with_documents(spectral), folder.path(), LIMIT).await;
    assert!(printed.stdout.contains("No results"), "{printed:?}");
}

#[tokio::test]
async fn the_documents_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let validator = python_tool("openapi-spec-validator");
    let printed = succeed(with_documents(validator), folder.path(), LIMIT).await;
    assert_eq!(printed.stdout.matches(": OK").count(), DOCUMENTS.len(), "{printed:?}");
}

fn with_documents(mut command: tokio::process::Command) -> tokio::process::Command {
    command.args(DOCUMENTS.map(document));
    command
}
