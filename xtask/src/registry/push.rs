//! Brings an image into a registry: what is missing of it, and then the manifest, under its digest or a tag.

use anyhow::{Result, ensure};
use bytesize::ByteSize;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use super::Registry;
use super::retry::retry;
use super::upload::{is_present, upload};
use crate::oci::{Digest, Layout, MANIFEST};
use crate::progress::step;

/// An image that is in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// `registry/repository@sha256:...`
    pub image: String,
    /// The tag that it has, too.
    pub tag: Option<String>,
    /// How many layers and settings were sent, as far as they were not there.
    pub sent: usize,
}

/// Pushes an image.
pub fn push(layout: &Layout, registry: &Registry) -> Result<Pushed> {
    let reference = registry.reference();
    let digest = layout.digest().to_string();
    let name = reference.tag.as_deref().unwrap_or(&digest);
    let mut pushed = Pushed { image: format!("{reference}@{digest}"), tag: reference.tag.clone(), sent: 0 };
    if retry("the look at the registry", || stored_as(registry, layout, name))?.as_ref() == Some(layout.digest()) {
        step(format_args!("{reference} has this image already"));
        return Ok(pushed);
    }
    for blob in layout.blobs()? {
        let title: String = blob.digest.hex().chars().take(12).collect();
        if retry("the look at the registry", || is_present(registry, &blob))? {
            step(format_args!("{title} is there already"));
            continue;
        }
        step(format_args!("sending {title}, {}", ByteSize(blob.size).display().si()));
        retry("an upload", || upload(registry, &blob))?;
        pushed.sent += 1;
    }
    retry("the end of the push", || name_it(registry, layout, name))?;
    Ok(pushed)
}

/// Whether the repository has an image with this digest.
pub fn has(registry: &Registry, digest: &str) -> Result<bool> {
    retry("the look at the registry", || Ok(described(registry, MANIFEST, digest)?.is_some()))
}

/// The digest of the image under a name, if there is one.
fn stored_as(registry: &Registry, layout: &Layout, name: &str) -> Result<Option<Digest>> {
    described(registry, &layout.media_type()?, name)
}

fn described(registry: &Registry, media_type: &str, name: &str) -> Result<Option<Digest>> {
    let url = registry.url(&format!("manifests/{name}"))?;
    let answer = registry.send(|client| Ok(client.head(url.clone()).header(ACCEPT, media_type)))?;
    match answer.status() {
        StatusCode::NOT_FOUND => Ok(None),
        StatusCode::OK => {
            let digest = answer.headers().get("docker-content-digest").and_then(|digest| digest.to_str().ok());
            Ok(digest.and_then(|digest| Digest::parse(digest).ok()))
        }
        _ => Err(registry.unexpected(answer, "ask for the image")),
    }
}

fn name_it(registry: &Registry, layout: &Layout, name: &str) -> Result<()> {
    let (url, media_type) = (registry.url(&format!("manifests/{name}"))?, layout.media_type()?);
    let answer = registry.send(|client| {
        Ok(client.put(url.clone()).header(CONTENT_TYPE, &media_type).body(layout.manifest().to_vec()))
    })?;
    ensure!(answer.status() == StatusCode::CREATED, registry.unexpected(answer, "store the image"));
    let told = answer.headers().get("docker-content-digest").and_then(|digest| digest.to_str().ok());
    let ours = layout.digest().to_string();
    ensure!(
        told.is_none_or(|told| told == ours),
        "{} stored {} and not {ours}: something on the way has changed the image",
        registry.reference().host,
        told.unwrap_or_default()
    );
    Ok(())
}
