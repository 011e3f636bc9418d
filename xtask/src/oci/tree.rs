//! The files of a layer, in memory.

use std::collections::BTreeMap;

/// Files and folders by their path. Folders above a file are made with it.
#[derive(Clone, Debug, Default)]
pub struct Tree(BTreeMap<String, Node>);

/// A file or a folder. Everything that is not said here is the same for all: owner root, no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Permissions.
    pub(super) mode: u32,
    /// User and group, by number.
    pub(super) owner: u32,
    /// The content of a file; none for a folder.
    pub(super) content: Option<Vec<u8>>,
}

impl Tree {
    /// Adds a file. The path is absolute.
    #[must_use]
    pub fn file(mut self, path: &str, mode: u32, content: impl Into<Vec<u8>>) -> Self {
        self.add(path, Node { mode, owner: 0, content: Some(content.into()) });
        self
    }

    /// Adds a folder that belongs to a user and the group of the same number.
    #[must_use]
    pub fn folder(mut self, path: &str, mode: u32, owner: u32) -> Self {
        self.add(path, Node { mode, owner, content: None });
        self
    }

    /// All of them, a folder before what is in it, by paths without the first slash.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(path, node)| (path.as_str(), node))
    }

    fn add(&mut self, path: &str, node: Node) {
        let path = path.trim_matches('/');
        for (end, _) in path.match_indices('/') {
            let folder = Node { mode: 0o755, owner: 0, content: None };
            self.0.entry(path[..end].to_owned()).or_insert(folder);
        }
        self.0.insert(path.to_owned(), node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_before_their_files_in_whatever_order_these_were_added() {
        let tree = Tree::default().file("/etc/ssl/b", 0o644, "b").file("/etc-a", 0o644, "a").folder("/etc", 0o700, 7);
        let nodes: Vec<_> = tree.nodes().map(|(path, node)| (path, node.mode, node.owner)).collect();
        assert_eq!(nodes, [("etc", 0o700, 7), ("etc-a", 0o644, 0), ("etc/ssl", 0o755, 0), ("etc/ssl/b", 0o644, 0)]);
    }
}
