//! An image in a folder: an OCI image layout, which podman and skopeo read, with the list that makes `docker load` read it too.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Digest, Image};

/// A folder with one image.
#[derive(Clone, Debug)]
pub struct Layout {
    folder: PathBuf,
    manifest: Vec<u8>,
    digest: Digest,
}

/// A blob that lies in a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its name.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    /// Where it lies.
    pub path: PathBuf,
}

impl Layout {
    /// Writes an image under a name such as `claude-code-proxy:1.0`. What was in the folder before is gone; a half-written
    /// folder is never there.
    pub fn write(folder: &Path, image: &Image, name: &str) -> Result<Self> {
        let draft = folder.with_extension("new");
        for old in [&draft, folder] {
            if old.exists() {
                fs::remove_dir_all(old).with_context(|| format!("cannot empty {}", old.display()))?;
            }
        }
        let blobs = draft.join("blobs/sha256");
        fs::create_dir_all(&blobs).with_context(|| format!("cannot make {}", blobs.display()))?;
        for (digest, content) in image.blobs() {
            save(&blobs.join(digest.hex()), content)?;
        }
        save(&draft.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        save(&draft.join("index.json"), &serde_json::to_vec(&index(image, name))?)?;
        save(&draft.join("manifest.json"), &serde_json::to_vec(&docker_list(image, name))?)?;
        fs::rename(&draft, folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Self::open(folder)
    }

    /// Finds the image of a folder.
    pub fn open(folder: &Path) -> Result<Self> {
        let index = folder.join("index.json");
        let read = || -> Result<(Digest, Vec<u8>)> {
            let index: Value = serde_json::from_slice(&fs::read(&index)?)?;
            let digest = Digest::parse(index["manifests"][0]["digest"].as_str().unwrap_or_default())?;
            let manifest = fs::read(folder.join("blobs/sha256").join(digest.hex()))?;
            ensure!(Digest::of(&manifest) == digest, "the manifest is not what its name says");
            Ok((digest, manifest))
        };
        let (digest, manifest) = read()
            .with_context(|| format!("there is no image in {}; make one with `cargo xtask build`", folder.display()))?;
        Ok(Self { folder: folder.to_owned(), manifest, digest })
    }

    /// The digest of the image.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The manifest, byte for byte.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// The media type of the manifest.
    pub fn media_type(&self) -> Result<String> {
        let manifest: Value = serde_json::from_slice(&self.manifest).context("the manifest is no JSON")?;
        manifest["mediaType"].as_str().map(str::to_owned).context("the manifest has no media type")
    }

    /// What the manifest names: the layers, lowest first, and then the settings.
    pub fn blobs(&self) -> Result<Vec<StoredBlob>> {
        let manifest: Value = serde_json::from_slice(&self.manifest).context("the manifest is no JSON")?;
        let layers = manifest["layers"].as_array().into_iter().flatten();
        layers
            .chain(std::iter::once(&manifest["config"]))
            .map(|named| {
                let digest = Digest::parse(named["digest"].as_str().unwrap_or_default())?;
                let path = self.folder.join("blobs/sha256").join(digest.hex());
                let size = File::open(&path).and_then(|file| file.metadata());
                let size = size.with_context(|| format!("cannot read {}", path.display()))?.len();
                ensure!(Some(size) == named["size"].as_u64(), "{} is not as long as the manifest says", path.display());
                Ok(StoredBlob { digest, size, path })
            })
            .collect()
    }
}

fn index(image: &Image, name: &str) -> Value {
    let mut described = image.described();
    let tag = name.rsplit_once(':').map_or(name, |(_, tag)| tag);
    described["annotations"] = json!({
        // Two readers, two meanings: skopeo takes the tag alone, containerd and Docker the whole name.
        "org.opencontainers.image.ref.name": tag,
        "io.containerd.image.name": format!("docker.io/library/{name}"),
    });
    json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [described] })
}

/// What `docker load` reads where it knows nothing of OCI layouts yet.
fn docker_list(image: &Image, name: &str) -> Value {
    let path = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
    let layers: Vec<_> = image.layers.iter().map(|layer| path(&layer.digest)).collect();
    json!([{ "Config": path(&image.config.digest), "RepoTags": [name], "Layers": layers }])
}

fn save(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}
