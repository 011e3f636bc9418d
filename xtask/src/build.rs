//! `cargo xtask build`: the release binary in an OCI image, without a container engine, and on demand into a registry.
//!
//! The binary is static, linked with musl, so that nothing of this machine gets into the image; zig is the C compiler for both
//! architectures, so that the other one is built in the same way. Beside it the image has certificates and nothing else: no
//! shell, no package manager.

mod binary;
mod certificates;
mod contents;
mod elf;
mod facts;
mod sbom;
mod target;
mod toolchain;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use bytesize::ByteSize;
use serde_json::json;

pub use contents::{ACCOUNT, BINARY, JOURNAL_FOLDER, RDS_CA_BUNDLE};
pub use target::Target;
pub(crate) use toolchain::standard_library;

use crate::oci::{Image, Layout};
use crate::progress::{loud, readable, step};
use crate::registry::{Credentials, Pushed, Reference, Registry, Scheme, push};
use crate::workspace::{Program, Workspace};

/// A larger image takes noticeably longer to start somewhere new.
const LARGE: u64 = 40_000_000;

/// The options of the verb.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
The image lies in target/image/ARCHITECTURE, an OCI image layout:
  skopeo copy oci:target/image/x86_64 docker-daemon:claude-code-proxy:latest
  podman pull oci:target/image/x86_64
  tar -C target/image/x86_64 -c . | docker load

A registry that asks who pushes is told REGISTRY_USER and REGISTRY_PASSWORD, from the environment:
  REGISTRY_USER=AWS REGISTRY_PASSWORD=$(aws ecr get-login-password) cargo xtask build --push ...")]
pub struct Arguments {
    /// Architecture of the image; without it this machine's
    #[arg(long, value_enum, value_name = "ARCHITECTURE")]
    target: Option<Target>,
    /// Cargo profile of the binary; `dev` builds faster, and makes a large and slow image
    #[arg(long, default_value = "release")]
    profile: String,
    /// Certificates of the authorities for RDS, in place of AWS's, which are downloaded once
    #[arg(long, value_name = "FILE")]
    rds_ca_bundle: Option<PathBuf>,
    /// Push the image, and write its name with the digest to target/image/pushed.json
    #[arg(long, value_name = "REGISTRY/REPOSITORY[:TAG]")]
    push: Option<String>,
    /// Speak to the registry without TLS; only where it is on this machine
    #[arg(long, requires = "push")]
    insecure_http: bool,
}

/// What to build.
#[derive(Clone, Debug)]
pub struct Options {
    /// The architecture.
    pub target: Target,
    /// The profile of cargo.
    pub profile: String,
    /// Certificates for RDS in place of those that are downloaded.
    pub rds_ca_bundle: Option<PathBuf>,
    /// Where the image goes.
    pub folder: PathBuf,
}

/// Builds the image, and pushes it if that was asked for.
pub fn run_verb(arguments: &Arguments) -> Result<()> {
    let started = Instant::now();
    let workspace = Workspace::locate()?;
    // Before the build, so that a wrong setting is told at once.
    let registry = arguments.push.as_deref().map(|name| registry(name, arguments.insecure_http)).transpose()?;
    let target = arguments.target.map_or_else(Target::host, Ok)?;
    let folder = workspace.target().join("image");
    let options = Options {
        target,
        profile: arguments.profile.clone(),
        rds_ca_bundle: arguments.rds_ca_bundle.clone(),
        folder: folder.join(target.name()),
    };
    let layout = build(&workspace, &options)?;
    if let Some(registry) = registry {
        let pushed = push(&layout, &registry)?;
        note(&folder.join("pushed.json"), &pushed, target)?;
        println!("{}", pushed.image);
    }
    step(format_args!("done after {}", readable(started.elapsed())));
    Ok(())
}

/// The commit that the checkout is at, with `-dirty` where files differ from it; none where it is not one of git.
pub fn revision(workspace: &Workspace) -> Result<Option<String>> {
    Ok(facts::of(workspace)?.revision)
}

/// Builds the image into its folder, and the list of what is in it beside that.
pub fn build(workspace: &Workspace, options: &Options) -> Result<Layout> {
    let target = options.target;
    let certificates = certificates::rds_bundle(workspace, options.rds_ca_bundle.as_deref())?;
    let binary = binary::build(workspace, target, &options.profile)?;
    let facts = facts::of(workspace)?;
    let sbom = sbom::write(workspace, target, &facts)?;
    let layers = vec![contents::base(&certificates)?, contents::program(&binary, &sbom)?];
    let image = Image::new(&contents::settings(target, &facts), layers)?;
    if let Some(parent) = options.folder.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    let layout = Layout::write(&options.folder, &image, &format!("{}:{}", Program::Proxy.name(), facts.version))?;
    save(&options.folder.with_extension("cdx.json"), &sbom)?;
    report(&image, &options.folder);
    Ok(layout)
}

fn report(image: &Image, folder: &Path) {
    let mut total = 0;
    for layer in &image.layers {
        let size = layer.content.len() as u64;
        total += size;
        step(format_args!(
            "{:<13} {:>9} compressed  {}",
            layer.title,
            ByteSize(size).display().si().to_string(),
            layer.digest
        ));
    }
    step(format_args!(
        "{:<13} {:>9} compressed  {}",
        "image",
        ByteSize(total).display().si().to_string(),
        image.manifest.digest
    ));
    if total > LARGE {
        let [size, large] = [total, LARGE].map(|size| ByteSize(size).display().si().to_string());
        loud(format_args!("the image has {size}, more than the {large} that it should have at the most"));
    }
    step(format_args!("the image is in {}", folder.display()));
}

fn registry(name: &str, insecure_http: bool) -> Result<Registry> {
    let reference = Reference::parse(name)?;
    let scheme = if insecure_http { Scheme::Http } else { Scheme::Https };
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let credentials = match (variable("REGISTRY_USER"), variable("REGISTRY_PASSWORD")) {
        (Some(user), Some(password)) => Some(Credentials { user, password }),
        (None, None) => None,
        (user, _) => {
            let missing = if user.is_some() { "REGISTRY_PASSWORD" } else { "REGISTRY_USER" };
            bail!("{missing} is missing: REGISTRY_USER and REGISTRY_PASSWORD go together (the user of ECR is AWS)");
        }
    };
    Registry::new(&reference, scheme, credentials)
}

/// Leaves the name of what was pushed for those who come after.
fn note(path: &Path, pushed: &Pushed, target: Target) -> Result<()> {
    let note = json!({
        "image": pushed.image,
        "tag": pushed.tag,
        "architecture": target.name(),
    });
    save(path, format!("{note:#}\n").as_bytes())
}

fn save(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_after_reads_the_name_of_the_image_with_its_digest() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("pushed.json");
        let image = format!("registry.example.com/proxy@sha256:{}", "0".repeat(64));
        note(&path, &Pushed { image: image.clone(), tag: None, sent: 3 }, Target::Aarch64)?;
        let noted: serde_json::Value = serde_json::from_slice(&fs::read(path)?)?;
        assert_eq!(noted, json!({ "image": image, "tag": null, "architecture": "aarch64" }));
        Ok(())
    }

    #[test]
    fn a_registry_elsewhere_is_not_spoken_to_without_tls() {
        assert!(
            registry("registry.example.com/proxy", true)
                .is_err_and(|error| error.to_string().contains("--insecure-http"))
        );
        assert!(registry("127.0.0.1:5000/proxy", true).is_ok());
    }
}
