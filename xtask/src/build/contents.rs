//! What is in the image, layer by layer, and how it is started.

use std::collections::BTreeMap;

use anyhow::Result;

use super::facts::Facts;
use super::{Target, certificates};
use crate::oci::{Account, Layer, Settings, Tree};

/// The user that the proxy runs as. Numbers from 10000 on are no system's own.
pub const ACCOUNT: u32 = 10001;
/// The program.
pub const BINARY: &str = "/claude-code-proxy";
/// The authorities of RDS, for `sslrootcert`.
pub const RDS_CA_BUNDLE: &str = "/etc/ssl/certs/rds-global-bundle.pem";
/// A folder that belongs to the proxy, for a volume with the usage journal. Without a volume the root may be read-only.
pub const JOURNAL_FOLDER: &str = "/var/lib/claude-code-proxy";

const ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
const PORT: u16 = 8000;

/// What changes rarely, and so is rarely sent.
pub(super) fn base(rds_bundle: &[u8]) -> Result<Layer> {
    let users = format!("root:x:0:0:root:/:/sbin/nologin\nproxy:x:{ACCOUNT}:{ACCOUNT}:proxy:/:/sbin/nologin\n");
    let tree = Tree::default()
        .file("/etc/passwd", 0o644, users)
        .file("/etc/group", 0o644, format!("root:x:0:\nproxy:x:{ACCOUNT}:\n"))
        .file(ROOTS, 0o644, certificates::roots())
        .file(RDS_CA_BUNDLE, 0o644, rds_bundle)
        .folder("/tmp", 0o1777, 0)
        .folder(JOURNAL_FOLDER, 0o750, ACCOUNT);
    Layer::pack("certificates", &tree)
}

/// The program, and the list of what it was made of where scanners of images look for it.
pub(super) fn program(binary: &[u8], sbom: &[u8]) -> Result<Layer> {
    let tree =
        Tree::default().file(BINARY, 0o755, binary).file("/usr/share/sbom/claude-code-proxy.cdx.json", 0o644, sbom);
    Layer::pack("program", &tree)
}

/// How it is started, and what it says about itself.
pub(super) fn settings(target: Target, facts: &Facts) -> Settings {
    let label = |name: &str, value: &str| (format!("org.opencontainers.image.{name}"), value.to_owned());
    let mut labels = BTreeMap::from([
        label("title", "Claude Code Proxy"),
        label("version", &facts.version),
        label("licenses", &facts.licence),
        label("created", &facts.created),
    ]);
    labels.extend(facts.revision.iter().map(|revision| label("revision", revision)));
    labels.extend(facts.source.iter().map(|source| label("source", source)));
    Settings {
        architecture: target.oci(),
        created: facts.created.clone(),
        entrypoint: vec![BINARY.to_owned()],
        arguments: vec!["serve".to_owned()],
        environment: vec!["PATH=/".to_owned(), format!("SSL_CERT_FILE={ROOTS}")],
        working_folder: "/".to_owned(),
        port: PORT,
        // Fargate mounts its scratch space there with the owner that the folder has, only if the image says that it is one.
        volume: JOURNAL_FOLDER.to_owned(),
        account: Account(ACCOUNT),
        labels,
    }
}
