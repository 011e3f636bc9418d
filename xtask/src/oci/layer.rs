//! A layer: a compressed archive of files, the same bytes for the same files.

use std::io::{Cursor, Write as _};

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::{Digest, Tree};

/// One layer of an image.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What is in it, for people.
    pub title: String,
    /// The digest of the compressed archive.
    pub digest: Digest,
    /// The digest of the archive before its compression.
    pub diff_id: Digest,
    /// The compressed archive.
    pub content: Vec<u8>,
}

impl Layer {
    /// Packs a tree. Times are the epoch: a time would give an unchanged layer a new digest with each commit.
    pub fn pack(title: &str, tree: &Tree) -> Result<Self> {
        let archive = archive(tree).context("cannot pack a layer")?;
        // Without a name and a time in its head; gzip is what every registry and runtime reads.
        let mut compressor = GzBuilder::new().write(Vec::new(), Compression::best());
        compressor.write_all(&archive).context("cannot compress a layer")?;
        let content = compressor.finish().context("cannot compress a layer")?;
        Ok(Self { title: title.to_owned(), digest: Digest::of(&content), diff_id: Digest::of(&archive), content })
    }
}

fn archive(tree: &Tree) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (path, node) in tree.nodes() {
        let content = node.content.as_deref().unwrap_or_default();
        let mut header = Header::new_ustar();
        header.set_mode(node.mode);
        header.set_uid(node.owner.into());
        header.set_gid(node.owner.into());
        header.set_mtime(0);
        header.set_size(content.len().try_into().context("a file is too large")?);
        let name = if node.content.is_some() {
            header.set_entry_type(EntryType::Regular);
            path.to_owned()
        } else {
            header.set_entry_type(EntryType::Directory);
            format!("{path}/")
        };
        archive.append_data(&mut header, name, Cursor::new(content)).with_context(|| path.to_owned())?;
    }
    archive.into_inner().context("cannot end an archive")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use tar::Archive;

    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_with_modes_and_owners() -> Result<()> {
        let tree =
            Tree::default().file("/bin/a", 0o755, "content").folder("/tmp", 0o1777, 0).folder("/home", 0o750, 10001);
        let layer = Layer::pack("files", &tree)?;
        let mut seen = Vec::new();
        for entry in Archive::new(GzDecoder::new(layer.content.as_slice())).entries()? {
            let mut entry = entry?;
            let mut content = String::new();
            entry.read_to_string(&mut content)?;
            let (path, header) = (entry.path()?.display().to_string(), entry.header());
            seen.push((path, header.mode()?, header.uid()?, header.gid()?, header.mtime()?, content));
        }
        let wanted = [
            ("bin/", 0o755, 0, 0, 0, ""),
            ("bin/a", 0o755, 0, 0, 0, "content"),
            ("home/", 0o750, 10001, 10001, 0, ""),
            ("tmp/", 0o1777, 0, 0, 0, ""),
        ];
        assert_eq!(
            seen,
            wanted.map(|(path, mode, user, group, time, content)| {
                (path.to_owned(), mode, user, group, time, content.to_owned())
            })
        );
        Ok(())
    }

    /// The digest of the archive is written down here: another one would be a new layer for everybody, for the same files.
    #[test]
    fn the_same_files_have_the_same_digest_for_ever() -> Result<()> {
        let tree = Tree::default().file("/etc/passwd", 0o644, "root:x:0:0::/:/sbin/nologin\n");
        let layer = Layer::pack("files", &tree)?;
        assert_eq!(layer.content, Layer::pack("other title", &tree)?.content);
        assert_eq!(layer.diff_id.hex(), "04a84a36ef76b4321b7b356ab934486b859c3b2449359bd28a937ebff73bfb9b");
        Ok(())
    }
}
