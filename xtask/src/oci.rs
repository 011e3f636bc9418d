//! Container images after the OCI image specification 1.1, made without a container engine.
//!
//! Pure but for `layout.rs`, which writes an image to a folder and finds it there again. The same content has the same digest,
//! on every machine and on every day.

mod digest;
mod image;
mod layer;
mod layout;
mod tree;

pub use digest::Digest;
pub use image::{Account, Blob, Image, MANIFEST, Settings};
pub use layer::Layer;
pub use layout::{Layout, StoredBlob};
pub use tree::Tree;
