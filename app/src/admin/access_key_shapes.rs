//! Access keys as the admin API shows and takes them.

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use uuid::Uuid;

use super::problem::Problem;
use crate::domain::bedrock_target::{DEFAULT_MODEL, DEFAULT_REGION, check_chosen_model, check_in_region, check_region};
use crate::domain::{Family, KeyHash};
use crate::store::{AccessKeyRow, NewAccessKey};

/// An access key, without the key itself.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct AccessKey {
    id: Uuid,
    /// Whose it is.
    user_id: Uuid,
    /// How the key begins; logs name it so.
    prefix: String,
    /// What tells the keys of a user apart.
    label: Option<String>,
    /// Whether it works.
    status: AccessKeyStatus,
    /// AWS region of its Bedrock calls.
    region: String,
    /// Bedrock model that serves when the requested one has none of its own.
    model: String,
    /// Bedrock models for whole families of requested models.
    family_models: FamilyModels,
    /// Whether a Bedrock key is registered; without one there is no fallback.
    has_bedrock_key: bool,
    created_at: DateTime<Utc>,
    /// When it was last used, a minute late at most. Missing: never.
    last_used_at: Option<DateTime<Utc>>,
    /// When it ends, once another key has taken its place.
    rotation_expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    revoked_at: Option<DateTime<Utc>>,
}

/// Whether an access key works.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum AccessKeyStatus {
    /// It does, as long as its user is active.
    Active,
    /// It does until `rotation_expires_at`, because another key has taken its place.
    Rotating,
    /// It does not, and never will again.
    Revoked,
}

/// Bedrock models for whole families of requested models; a family that is missing has none.
#[derive(Object, Clone, Default, Debug)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub(super) struct FamilyModels {
    /// For all Fable models.
    #[oai(validator(min_length = 1, max_length = 256))]
    fable: Option<String>,
    /// For all Opus models.
    #[oai(validator(min_length = 1, max_length = 256))]
    opus: Option<String>,
    /// For all Sonnet models.
    #[oai(validator(min_length = 1, max_length = 256))]
    sonnet: Option<String>,
    /// For all Haiku models, which Claude Code uses in the background.
    #[oai(validator(min_length = 1, max_length = 256))]
    haiku: Option<String>,
    /// For all other models.
    #[oai(validator(min_length = 1, max_length = 256))]
    other: Option<String>,
}

/// An access key to be issued.
#[derive(Object, Debug)]
#[oai(deny_unknown_fields, example)]
pub(super) struct CreateAccessKey {
    /// What tells the keys of a user apart.
    #[oai(validator(min_length = 1, max_length = 255))]
    label: Option<String>,
    /// AWS region of its Bedrock calls; `ap-northeast-2` unless given.
    #[oai(validator(min_length = 1, max_length = 32))]
    region: Option<String>,
    /// Bedrock model, inference profile or ARN that serves when the plan cannot and the requested model has none of its
    /// own; `global.anthropic.claude-opus-5-5` unless given.
    #[oai(validator(min_length = 1, max_length = 256))]
    model: Option<String>,
    /// Bedrock models for whole families of requested models.
    family_models: Option<FamilyModels>,
}

/// How an access key is replaced.
#[derive(Object, Debug)]
#[oai(deny_unknown_fields, example)]
pub(super) struct RotateAccessKey {
    /// For how long the old key works on; 0 revokes it at once, and 604800 is a week.
    #[oai(default = "five_minutes", validator(maximum(value = "604800")))]
    pub grace_seconds: u32,
}

/// A new access key.
#[derive(Object)]
pub(super) struct IssuedAccessKey {
    /// The key. It is in this answer only, and stored as a hash.
    pub key: String,
    /// What may be known of it.
    pub access_key: AccessKey,
}

/// A new access key in place of another.
#[derive(Object)]
pub(super) struct RotatedAccessKey {
    /// The new key. It is in this answer only, and stored as a hash.
    pub key: String,
    /// What may be known of it.
    pub access_key: AccessKey,
    /// The old key, which ends at its `rotation_expires_at`.
    pub previous: AccessKey,
}

fn five_minutes() -> u32 {
    300
}

impl poem_openapi::types::Example for RotateAccessKey {
    fn example() -> Self {
        Self { grace_seconds: 3600 }
    }
}

impl poem_openapi::types::Example for CreateAccessKey {
    fn example() -> Self {
        let haiku = Some("global.anthropic.claude-haiku-5-5".to_owned());
        Self {
            label: Some("laptop".to_owned()),
            region: Some("us-east-1".to_owned()),
            model: Some("global.anthropic.claude-opus-5-5".to_owned()),
            family_models: Some(FamilyModels { haiku, ..FamilyModels::default() }),
        }
    }
}

impl AccessKeyStatus {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Rotating => "rotating",
            Self::Revoked => "revoked",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "active" => Self::Active,
            "rotating" => Self::Rotating,
            _ => Self::Revoked,
        }
    }
}

impl CreateAccessKey {
    /// The key to be issued.
    ///
    /// # Errors
    /// When the region or a model is none, or they do not go together.
    pub(super) fn read(self, id: Uuid, hash: KeyHash, prefix: &str) -> Result<NewAccessKey, Problem> {
        let region = region(self.region.unwrap_or_else(|| DEFAULT_REGION.to_owned()))?;
        let there = |name: &str, given: String| {
            let model = model(name, given)?;
            check_in_region(&model, &region).map_err(|problem| Problem::field(name, problem))?;
            Ok::<_, Problem>(model)
        };
        let model = there("model", self.model.unwrap_or_else(|| DEFAULT_MODEL.to_owned()))?;
        let FamilyModels { fable, opus, sonnet, haiku, other } = self.family_models.unwrap_or_default();
        let given = Family::ALL.into_iter().zip([fable, opus, sonnet, haiku, other]);
        let family_models = given
            .filter_map(|(family, model)| Some((family, model?)))
            .map(|(family, model)| Ok((family, there(&of_family(family), model)?)))
            .collect::<Result<_, Problem>>()?;
        let prefix = prefix.to_owned();
        Ok(NewAccessKey { id, hash, prefix, label: self.label, region, model, family_models })
    }
}

impl From<AccessKeyRow> for AccessKey {
    fn from(row: AccessKeyRow) -> Self {
        let mut models = row.family_models.0;
        let [fable, opus, sonnet, haiku, other] = Family::ALL.map(|family| models.remove(family.name()));
        Self {
            id: row.id,
            user_id: row.user_id,
            prefix: row.key_prefix,
            label: row.label,
            status: AccessKeyStatus::parse(&row.status),
            region: row.bedrock_region,
            model: row.bedrock_model,
            family_models: FamilyModels { fable, opus, sonnet, haiku, other },
            has_bedrock_key: row.bedrock_key,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            rotation_expires_at: row.rotation_expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

pub(super) fn of_family(family: Family) -> String {
    format!("family_models.{}", family.name())
}

pub(super) fn region(given: String) -> Result<String, Problem> {
    check_region(&given).map(|()| given).map_err(|problem| Problem::field("region", problem))
}

pub(super) fn model(name: &str, given: String) -> Result<String, Problem> {
    check_chosen_model(&given).map(|()| given).map_err(|problem| Problem::field(name, problem))
}
