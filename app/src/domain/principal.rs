//! Who a request belongs to once its access key is known.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Family, RoutingStrategy};

/// The holder of a valid access key, with what the key says about Bedrock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientPrincipal {
    /// `users.id`
    pub user_id: Uuid,
    /// `access_keys.id`
    pub access_key_id: Uuid,
    /// First twelve characters of the key, for logs.
    pub key_prefix: String,
    /// What the administrator has set for the user.
    pub routing_strategy: RoutingStrategy,
    /// What Bedrock may cost for the user in a calendar month, USD; `None`: as much as it will.
    pub monthly_budget_usd: Option<Decimal>,
    /// AWS region of the Bedrock calls.
    pub bedrock_region: String,
    /// Bedrock model id, inference profile or ARN that serves what has no model of its own on Bedrock.
    pub bedrock_model: String,
    /// Models that serve a whole family of requested models, each family once.
    pub family_models: Vec<(Family, String)>,
    /// When the access key ends, because another one has taken its place.
    pub expires_at: Option<DateTime<Utc>>,
    /// The Bedrock key as the vault sealed it; without one there is no fallback.
    pub bedrock_key: Option<SealedKey>,
}

impl ClientPrincipal {
    /// Whether the access key works at a moment: nobody has to have ended it for it to be over.
    pub fn works_at(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// The model that the administrator has set for a family, if any.
    pub fn family_model(&self, family: Family) -> Option<&str> {
        self.family_models.iter().find(|(of, _)| *of == family).map(|(_, model)| model.as_str())
    }
}

/// A Bedrock key that only the vault can open. It is kept with the principal, so that a key which is known works on
/// while the database is away. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SealedKey(Arc<[u8]>);

impl SealedKey {
    /// Takes over what the vault made.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// What the vault made.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedKey({} bytes)", self.0.len())
    }
}
