//! Sends a blob in chunks.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;
use reqwest::blocking::Body;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE};

use super::Registry;
use super::bar::{Bar, Watched};
use crate::oci::StoredBlob;

/// More than the 5 MiB that ECR wants of each chunk but the last.
const CHUNK: u64 = 8 * 1024 * 1024;

/// Whether the repository has a blob.
pub(super) fn is_present(registry: &Registry, blob: &StoredBlob) -> Result<bool> {
    let url = registry.url(&format!("blobs/{}", blob.digest))?;
    let answer = registry.send(|client| Ok(client.head(url.clone())))?;
    match answer.status() {
        StatusCode::OK => Ok(true),
        StatusCode::NOT_FOUND => Ok(false),
        _ => Err(registry.unexpected(answer, "ask for a layer")),
    }
}

/// Sends a blob, from its beginning.
pub(super) fn upload(registry: &Registry, blob: &StoredBlob) -> Result<()> {
    let begin = registry.url("blobs/uploads/")?;
    // Said to be empty: some registries want a length of every POST.
    let answer = registry.send(|client| Ok(client.post(begin.clone()).body("")))?;
    if answer.status() != StatusCode::ACCEPTED {
        return Err(registry.unexpected(answer, "begin an upload"));
    }
    let mut next = registry.next(&answer)?;
    let mut sent = 0;
    while sent < blob.size {
        let size = CHUNK.min(blob.size - sent);
        let answer = registry.send(|client| {
            let range = format!("{sent}-{}", sent + size - 1);
            let request = client.patch(next.clone()).header(CONTENT_TYPE, "application/octet-stream");
            Ok(request.header(CONTENT_RANGE, range).body(chunk(blob, sent, size)?))
        })?;
        if answer.status() != StatusCode::ACCEPTED {
            return Err(registry.unexpected(answer, "send a layer"));
        }
        next = registry.next(&answer)?;
        sent += size;
    }
    next.query_pairs_mut().append_pair("digest", &blob.digest.to_string());
    let answer = registry.send(|client| Ok(client.put(next.clone()).body("")))?;
    ensure!(answer.status() == StatusCode::CREATED, registry.unexpected(answer, "end an upload"));
    Ok(())
}

fn chunk(blob: &StoredBlob, from: u64, size: u64) -> Result<Body> {
    let mut file = File::open(&blob.path).with_context(|| format!("cannot read {}", blob.path.display()))?;
    file.seek(SeekFrom::Start(from)).with_context(|| format!("cannot read {}", blob.path.display()))?;
    let title: String = blob.digest.hex().chars().take(12).collect();
    let watched = Watched { inner: file.take(size), sent: from, bar: Bar::new(&title, blob.size) };
    Ok(Body::sized(watched, size))
}
