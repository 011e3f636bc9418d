//! What the checkout says: the synthesised template, the parameters, and the state that both make.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, anyhow};
use stack::core::{Assembly, Lock};
use xtask::workspace::Workspace;

use crate::aws::Aws;
use crate::bucket;
use crate::change_set::Template;
use crate::changes::Snapshot;
use crate::settings::{Choices, Values, check};

/// The sources of a deployment.
#[derive(Debug)]
pub(crate) struct Source {
    /// The checkout.
    pub(crate) workspace: Workspace,
    /// The template.
    pub(crate) assembly: Assembly,
    values: Values,
}

impl Source {
    /// Synthesises the template, which is refused where it would lose a stateful resource, and checks the parameters.
    pub(crate) fn read(choices: &Choices, offline: bool) -> Result<Self> {
        let workspace = Workspace::locate()?;
        let assembly = stack::proxy_stack::proxy_stack().synth()?;
        let lock = workspace.root().join("stack/golden/logical-ids.lock");
        let text = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        Lock::parse(&text).map_err(|error| anyhow!("{}: {error}", lock.display()))?.check(&assembly.template)?;
        let values = choices.read(workspace.root(), offline)?;
        check(&assembly.template, &values)?;
        Ok(Self { workspace, assembly, values })
    }

    /// The state with an image of an architecture; without a digest there is everything but the service.
    pub(crate) fn snapshot(&self, digest: &str, architecture: &str) -> Result<Snapshot> {
        let mut values = self.values.clone();
        values.insert("ImageDigest".to_owned(), digest.to_owned());
        values.insert("Architecture".to_owned(), architecture.to_owned());
        Snapshot::new(&self.assembly.json, &values)
    }

    /// Construct paths by logical id.
    pub(crate) fn paths(&self) -> BTreeMap<String, String> {
        let resources = self.assembly.template.resources.iter();
        resources.map(|(id, resource)| (id.clone(), resource.origin.path.clone())).collect()
    }

    /// The template where CloudFormation can read it.
    pub(crate) async fn publish(&self, aws: &Aws, bucket: Option<&str>) -> Result<Template> {
        if self.assembly.fits_inline() {
            return Ok(Template::Text(self.assembly.json.clone()));
        }
        Ok(Template::Url(bucket::upload(aws, bucket, &self.assembly.json).await?))
    }
}
