//! Looks up who an access key belongs to.

use std::time::Duration;

use uuid::Uuid;

use super::{Database, StoreError};
use crate::domain::bedrock_target::{check_model, check_region};
use crate::domain::principal::SealedKey;
use crate::domain::{ClientPrincipal, Family, KeyHash, RoutingStrategy};

/// A request waits for this look-up, so it must not wait long.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(3);

impl Database {
    /// The holder of the key with this hash; `None` when it is unknown, revoked, expired, or its user is not active.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn principal(&self, hash: KeyHash) -> Result<Option<ClientPrincipal>, StoreError> {
        let hash = hash.to_hex();
        let query = sqlx::query!(
            r#"SELECT k.id, k.user_id, k.key_prefix, k.bedrock_region, k.bedrock_model, u.routing_strategy,
                      u.monthly_budget_usd, k.rotation_expires_at,
                      b.encrypted_key AS "encrypted_key?",
                      ARRAY(SELECT m.family::text FROM access_key_models m
                             WHERE m.access_key_id = k.id ORDER BY m.family) AS "families!",
                      ARRAY(SELECT m.bedrock_model::text FROM access_key_models m
                             WHERE m.access_key_id = k.id ORDER BY m.family) AS "family_models!"
                 FROM access_keys k
                 JOIN users u ON u.id = k.user_id
            LEFT JOIN bedrock_keys b ON b.access_key_id = k.id
                WHERE k.key_hash = $1
                  AND k.status IN ('active', 'rotating')
                  AND k.revoked_at IS NULL
                  AND (k.rotation_expires_at IS NULL OR k.rotation_expires_at > now())
                  AND u.status = 'active'
                  AND u.deleted_at IS NULL"#,
            hash
        )
        .fetch_optional(&self.pool);
        let row =
            tokio::time::timeout(LOOK_UP_TIMEOUT, query).await.map_err(|_| StoreError::Timeout(LOOK_UP_TIMEOUT))??;
        Ok(row.map(|row| {
            // Both become part of a URL, whoever wrote the row.
            let usable = check_region(&row.bedrock_region).and_then(|()| check_model(&row.bedrock_model));
            if let Err(what) = &usable {
                tracing::error!(access_key_id = %row.id, what, "this access key cannot be served by Bedrock");
            }
            let family_models = family_models(row.id, row.families, row.family_models);
            ClientPrincipal {
                user_id: row.user_id,
                access_key_id: row.id,
                key_prefix: row.key_prefix,
                // A strategy of a newer version is served as the default until this one is replaced.
                routing_strategy: RoutingStrategy::parse(&row.routing_strategy).unwrap_or_default(),
                monthly_budget_usd: row.monthly_budget_usd,
                bedrock_region: row.bedrock_region,
                bedrock_model: row.bedrock_model,
                family_models,
                expires_at: row.rotation_expires_at,
                bedrock_key: row.encrypted_key.filter(|_| usable.is_ok()).map(SealedKey::new),
            }
        }))
    }
}

/// The usable ones of a key's models by family; a family of a newer version is nobody's here.
fn family_models(access_key_id: Uuid, families: Vec<String>, models: Vec<String>) -> Vec<(Family, String)> {
    let pairs = families.into_iter().zip(models).filter_map(|(name, model)| {
        let family = Some(Family::parse(&name)).filter(|family| family.name() == name)?;
        match check_model(&model) {
            Ok(()) => Some((family, model)),
            Err(what) => {
                tracing::error!(%access_key_id, family = family.name(), what, "this model of an access key is not used");
                None
            }
        }
    });
    pairs.collect()
}
