//! Changes of access keys as the admin API takes them.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;

use super::access_key_shapes::{model, of_family, region};
use super::change::changed;
use super::problem::Problem;
use crate::domain::Family;
use crate::store::{AccessKeyChange, Change};

/// What to change of an access key; what is left out stays as it is.
#[derive(Object, Debug)]
#[oai(deny_unknown_fields)]
pub(super) struct ChangeAccessKey {
    /// What tells the keys of a user apart; null takes it away.
    #[oai(validator(min_length = 1, max_length = 255))]
    label: MaybeUndefined<String>,
    /// AWS region of its Bedrock calls. Models that are ARNs have to be in it.
    #[oai(validator(min_length = 1, max_length = 32))]
    region: Option<String>,
    /// Bedrock model, inference profile or ARN.
    #[oai(validator(min_length = 1, max_length = 256))]
    model: Option<String>,
    /// Bedrock models for whole families of requested models.
    family_models: Option<ChangeFamilyModels>,
}

/// Bedrock models of families to be changed; a family that is left out stays as it is, null takes its model away.
#[derive(Object, Clone, Debug)]
#[oai(deny_unknown_fields)]
pub(super) struct ChangeFamilyModels {
    /// For all Fable models.
    #[oai(validator(min_length = 1, max_length = 256))]
    fable: MaybeUndefined<String>,
    /// For all Opus models.
    #[oai(validator(min_length = 1, max_length = 256))]
    opus: MaybeUndefined<String>,
    /// For all Sonnet models.
    #[oai(validator(min_length = 1, max_length = 256))]
    sonnet: MaybeUndefined<String>,
    /// For all Haiku models, which Claude Code uses in the background.
    #[oai(validator(min_length = 1, max_length = 256))]
    haiku: MaybeUndefined<String>,
    /// For all other models.
    #[oai(validator(min_length = 1, max_length = 256))]
    other: MaybeUndefined<String>,
}

impl ChangeAccessKey {
    /// The change.
    ///
    /// # Errors
    /// When the region or a model is none.
    pub(super) fn read(self) -> Result<AccessKeyChange, Problem> {
        let mut family_models = Vec::new();
        if let Some(ChangeFamilyModels { fable, opus, sonnet, haiku, other }) = self.family_models {
            for (family, field) in Family::ALL.into_iter().zip([fable, opus, sonnet, haiku, other]) {
                let change = changed(field, |given| model(&of_family(family), given))?;
                if change != Change::Keep {
                    family_models.push((family, change));
                }
            }
        }
        Ok(AccessKeyChange {
            label: changed(self.label, Ok)?,
            region: self.region.map(region).transpose()?,
            model: self.model.map(|given| model("model", given)).transpose()?,
            family_models,
        })
    }
}
