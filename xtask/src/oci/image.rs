//! An image: its layers, how its program is started, and what it says about itself.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Digest, Layer};

/// The media type of an image's manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The user that the program runs as, by number: a runtime can check a number against "not root" without any file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account(pub u32);

/// How the program is started, and what the image says about itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The architecture's name in Go, `amd64` or `arm64`.
    pub architecture: &'static str,
    /// When the source was made, in RFC 3339.
    pub created: String,
    /// The program and arguments that are always there.
    pub entrypoint: Vec<String>,
    /// Arguments that a user of the image may replace.
    pub arguments: Vec<String>,
    /// Environment of the program, `NAME=value`.
    pub environment: Vec<String>,
    /// The folder that the program is started in.
    pub working_folder: String,
    /// The port that the program listens on.
    pub port: u16,
    /// A folder of the image that runtimes mount a volume at, with the owner that it has here.
    pub volume: String,
    /// The user that the program runs as.
    pub account: Account,
    /// Labels, and annotations of the manifest as well.
    pub labels: BTreeMap<String, String>,
}

/// A piece of an image under its digest.
#[derive(Clone, Debug)]
pub struct Blob {
    /// What it is.
    pub media_type: &'static str,
    /// Its name.
    pub digest: Digest,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// A whole image.
#[derive(Clone, Debug)]
pub struct Image {
    /// The list of all that belongs to it; its digest is the image's.
    pub manifest: Blob,
    /// The settings.
    pub config: Blob,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
}

impl Image {
    /// Puts layers and settings together.
    pub fn new(settings: &Settings, layers: Vec<Layer>) -> Result<Self> {
        let config = Blob::json(CONFIG, &config(settings, &layers))?;
        let described: Vec<_> = layers.iter().map(|layer| describe(LAYER, &layer.digest, &layer.content)).collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": describe(config.media_type, &config.digest, &config.content),
            "layers": described,
            "annotations": settings.labels,
        });
        Ok(Self { manifest: Blob::json(MANIFEST, &manifest)?, config, layers })
    }

    /// Everything of it as blobs: the layers, the settings, and at last the manifest that names them.
    pub fn blobs(&self) -> impl Iterator<Item = (Digest, &[u8])> {
        let layers = self.layers.iter().map(|layer| (layer.digest.clone(), layer.content.as_slice()));
        let others = [&self.config, &self.manifest].map(|blob| (blob.digest.clone(), blob.content.as_slice()));
        layers.chain(others)
    }

    /// How a list of images describes it.
    pub(super) fn described(&self) -> Value {
        describe(MANIFEST, &self.manifest.digest, &self.manifest.content)
    }
}

impl Blob {
    fn json(media_type: &'static str, value: &Value) -> Result<Self> {
        // Keys are in order, because serde_json keeps them in a sorted map.
        let content = serde_json::to_vec(value).context("cannot write JSON")?;
        Ok(Self { media_type, digest: Digest::of(&content), content })
    }
}

fn describe(media_type: &str, digest: &Digest, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest.to_string(), "size": content.len() })
}

fn config(settings: &Settings, layers: &[Layer]) -> Value {
    let history = |layer: &Layer| json!({ "created": settings.created, "created_by": "cargo xtask build", "comment": layer.title });
    json!({
        "created": settings.created,
        "architecture": settings.architecture,
        "os": "linux",
        "config": {
            "User": format!("{0}:{0}", settings.account.0),
            "ExposedPorts": { format!("{}/tcp", settings.port): {} },
            "Env": settings.environment,
            "Entrypoint": settings.entrypoint,
            "Cmd": settings.arguments,
            "Volumes": { &settings.volume: {} },
            "WorkingDir": settings.working_folder,
            "Labels": settings.labels,
        },
        "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|layer| layer.diff_id.to_string()).collect::<Vec<_>>() },
        "history": layers.iter().map(history).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Tree;

    fn image(revision: &str) -> Result<Image> {
        let settings = Settings {
            architecture: "amd64",
            created: "2026-01-02T03:04:05Z".to_owned(),
            entrypoint: vec!["/program".to_owned()],
            arguments: vec!["serve".to_owned()],
            environment: Vec::new(),
            working_folder: "/".to_owned(),
            port: 8000,
            volume: "/var/lib/program".to_owned(),
            account: Account(10001),
            labels: BTreeMap::from([("revision".to_owned(), revision.to_owned())]),
        };
        let layer = Layer::pack("program", &Tree::default().file("/program", 0o755, "binary"))?;
        Image::new(&settings, vec![layer])
    }

    #[test]
    fn the_manifest_names_every_other_blob_by_digest_and_size() -> Result<()> {
        let image = image("abc")?;
        let manifest: Value = serde_json::from_slice(&image.manifest.content)?;
        let named: Vec<_> =
            std::iter::once(&manifest["config"]).chain(manifest["layers"].as_array().into_iter().flatten()).collect();
        let mut blobs: Vec<_> = image.blobs().collect();
        assert_eq!(blobs.pop().map(|(digest, _)| digest), Some(image.manifest.digest.clone()));
        blobs.rotate_right(1);
        assert_eq!(named.len(), blobs.len());
        for (name, (digest, content)) in named.iter().zip(&blobs) {
            assert_eq!(
                (name["digest"].as_str(), name["size"].as_u64()),
                (Some(digest.to_string().as_str()), Some(content.len() as u64))
            );
        }
        Ok(())
    }

    #[test]
    fn the_settings_say_who_runs_what() -> Result<()> {
        let content = image("abc")?.config.content;
        assert!(
            content.starts_with(br#"{"architecture":"#),
            "keys are in alphabetical order, in whatever way this is built"
        );
        let config: Value = serde_json::from_slice(&content)?;
        assert_eq!(config["config"]["User"], "10001:10001");
        assert_eq!(config["config"]["Entrypoint"], json!(["/program"]));
        assert_eq!(config["config"]["Volumes"], json!({ "/var/lib/program": {} }));
        assert_eq!(config["config"]["ExposedPorts"], json!({ "8000/tcp": {} }));
        assert_eq!((config["architecture"].as_str(), config["os"].as_str()), (Some("amd64"), Some("linux")));
        Ok(())
    }

    #[test]
    fn another_revision_is_another_image_of_the_same_layers() -> Result<()> {
        let (one, same, other) = (image("abc")?, image("abc")?, image("def")?);
        assert_eq!(one.manifest.digest, same.manifest.digest);
        assert_ne!(one.manifest.digest, other.manifest.digest);
        assert_eq!(one.layers[0].content, other.layers[0].content);
        Ok(())
    }
}
