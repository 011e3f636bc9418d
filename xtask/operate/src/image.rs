//! The image that a deployment runs: one that was built here, or one that is in the registry already.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use xtask::build::Target;
use xtask::oci::Layout;
use xtask::registry::{Credentials, Reference, Registry, Scheme, has, push};

use crate::aws::Aws;
use crate::deployed::Deployed;
use crate::failure::told;

/// Characters of the digest that are in the tag.
const SHORT: usize = 12;

/// The options that say which image.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Wanted {
    /// Architecture of the image; without it that of the deployment, or else that of what was built
    #[arg(long, value_enum, value_name = "ARCHITECTURE")]
    target: Option<Target>,
    /// An image that is in the registry already, in place of the one built here: the way back
    #[arg(long, value_name = "sha256:...")]
    image: Option<String>,
    /// Folder with the image, an OCI image layout, in place of target/image/ARCHITECTURE: where it was built elsewhere
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["image", "target"])]
    image_layout: Option<PathBuf>,
    /// The image that runs; where only parameters or the infrastructure change, or no image was built
    #[arg(long, conflicts_with_all = ["image", "target", "image_layout"])]
    keep_image: bool,
}

/// The image.
#[derive(Debug)]
pub(crate) struct Image {
    /// `sha256:...`
    pub(crate) digest: String,
    /// Its architecture.
    pub(crate) target: Target,
    /// Where it lies, if it was built here.
    layout: Option<Layout>,
}

impl Image {
    /// Finds it. `folder` is where images are built.
    pub(crate) fn choose(wanted: &Wanted, folder: &Path, deployed: Option<&Deployed>) -> Result<Self> {
        if let Some(layout) = &wanted.image_layout {
            let layout = Layout::open(layout)?;
            return Ok(Self {
                digest: layout.digest().to_string(),
                target: architecture(&layout)?,
                layout: Some(layout),
            });
        }
        let running = deployed.filter(|deployed| deployed.image().is_some());
        let running =
            running.and_then(|deployed| deployed.parameters.get("Architecture")).and_then(|name| parameter(name));
        if wanted.keep_image {
            // Where nothing runs yet, the difference is that of everything but the service.
            let digest = deployed.and_then(Deployed::image).unwrap_or_default().to_owned();
            return Ok(Self { digest, target: running.map_or_else(Target::host, Ok)?, layout: None });
        }
        let there = |target: &Target| folder.join(target.name()).join("index.json").is_file();
        let built = [Target::X86_64, Target::Aarch64].into_iter().filter(there).collect::<Vec<_>>();
        let target = wanted.target.or(running).or(if let [one] = built[..] { Some(one) } else { None });
        let target = target.map_or_else(Target::host, Ok)?;
        if let Some(digest) = &wanted.image {
            let hex = digest.strip_prefix("sha256:").unwrap_or_default();
            let proper = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            ensure!(
                proper,
                "{digest:?} is no digest of an image: sha256: and 64 hexadecimal digits; `cargo xtask status` shows that which runs"
            );
            return Ok(Self { digest: digest.clone(), target, layout: None });
        }
        let layout = Layout::open(&folder.join(target.name()))?;
        Ok(Self { digest: layout.digest().to_string(), target, layout: Some(layout) })
    }

    /// Whether it was in the registry before, so that a later version may have run meanwhile.
    pub(crate) fn is_of_before(&self) -> bool {
        self.layout.is_none()
    }

    /// What the stack's parameter calls its architecture.
    pub(crate) fn architecture(&self) -> &'static str {
        match self.target {
            Target::X86_64 => "X86_64",
            Target::Aarch64 => "ARM64",
        }
    }

    /// Brings it into the repository of the stack; one that shall be there already is only looked for.
    pub(crate) async fn publish(&self, aws: &Aws, repository_uri: &str) -> Result<()> {
        let (_, repository) =
            repository_uri.split_once('/').context("the address of the repository has no name in it")?;
        let answer = aws.ecr().get_authorization_token().send().await;
        let answer = answer.map_err(|error| told(error, "log in to the registry"))?;
        let data = answer.authorization_data().first().context("ECR gives no token")?;
        let endpoint = data.proxy_endpoint().context("ECR does not say where to push")?;
        let (scheme, host) = match endpoint.split_once("://") {
            Some(("http", host)) => (Scheme::Http, host),
            Some((_, host)) => (Scheme::Https, host),
            None => (Scheme::Https, endpoint),
        };
        let credentials = credentials(data.authorization_token().unwrap_or_default())?;
        let tag = self.layout.as_ref().map(tag).transpose()?;
        let reference = Reference { host: host.to_owned(), repository: repository.to_owned(), tag };
        let (layout, digest) = (self.layout.clone(), self.digest.clone());
        // The registry's client is of the other kind, and must not wait in this thread.
        let pushing = tokio::task::spawn_blocking(move || -> Result<()> {
            let registry = Registry::new(&reference, scheme, Some(credentials))?;
            match layout {
                Some(layout) => push(&layout, &registry).map(drop),
                None if has(&registry, &digest)? => Ok(()),
                None => bail!(
                    "there is no image {digest} in {reference}: the last 30 are kept, and `aws ecr describe-images` lists them"
                ),
            }
        });
        pushing.await.context("the upload stopped")?
    }
}

fn parameter(name: &str) -> Option<Target> {
    match name {
        "X86_64" => Some(Target::X86_64),
        "ARM64" => Some(Target::Aarch64),
        _ => None,
    }
}

/// For which architecture an image is, by its own word.
fn architecture(layout: &Layout) -> Result<Target> {
    match settings(layout)?["architecture"].as_str() {
        Some("amd64") => Ok(Target::X86_64),
        Some("arm64") => Ok(Target::Aarch64),
        other => bail!("the image is for {}, and tasks run on amd64 or arm64", other.unwrap_or("no architecture")),
    }
}

fn settings(layout: &Layout) -> Result<Json> {
    let blobs = layout.blobs()?;
    let settings = blobs.last().context("the image has no settings")?;
    let settings = std::fs::read(&settings.path).with_context(|| format!("cannot read {}", settings.path.display()))?;
    serde_json::from_slice(&settings).context("the image's settings are no JSON")
}

/// A tag that is never another image's, and says what it is: tags of the repository never move.
fn tag(layout: &Layout) -> Result<String> {
    let settings = settings(layout)?;
    let version = settings["config"]["Labels"]["org.opencontainers.image.version"].as_str().unwrap_or("0");
    let short: String = layout.digest().hex().chars().take(SHORT).collect();
    Ok(format!("{version}-{short}"))
}

fn credentials(token: &str) -> Result<Credentials> {
    let plain = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = plain.as_deref().and_then(|plain| plain.split_once(':'));
    let (user, password) = pair.context("ECR gives a token that cannot be read")?;
    Ok(Credentials { user: user.to_owned(), password: password.to_owned() })
}
