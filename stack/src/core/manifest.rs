//! The manifest: what a deployment needs to know about a template without reading it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::assembly::Assembly;

/// Written beside the template as `manifest.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// SHA-256 of the template as it is deployed, in hex.
    pub template_sha256: String,
    /// Whether it goes with the call; otherwise it is uploaded to S3 first.
    pub inline: bool,
    /// What CloudFormation wants acknowledged.
    pub capabilities: BTreeSet<&'static str>,
    /// The image that the stack runs; a deployment pushes it.
    pub image: Image,
    /// The parameters with their constraints.
    pub parameters: BTreeMap<String, Json>,
    /// The revision of the checkout; none where there is no git.
    pub revision: Option<String>,
    /// Construct path to logical id.
    pub constructs: BTreeMap<String, String>,
}

/// Where an image is pushed, and how the template hears of it.
#[derive(Clone, Debug, Serialize)]
pub struct Image {
    /// The repository's name.
    pub repository: &'static str,
    /// The parameter that takes the digest.
    pub parameter: &'static str,
}

impl Manifest {
    /// The manifest of a synthesised stack. The revision comes from outside, because synthesis reads nothing.
    pub fn new(assembly: &Assembly, image: Image, revision: Option<String>) -> Self {
        let template = &assembly.template;
        Self {
            template_sha256: hex::encode(Sha256::digest(&assembly.json)),
            inline: assembly.fits_inline(),
            capabilities: assembly.capabilities.clone(),
            image,
            parameters: template.parameters.iter().map(|(name, entry)| (name.clone(), entry.body.clone())).collect(),
            revision,
            constructs: template
                .resources
                .iter()
                .map(|(id, resource)| (resource.origin.path.clone(), id.clone()))
                .collect(),
        }
    }
}
