//! What models on Bedrock were learnt to refuse, as administrators see it and have it forgotten.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::announce::{News, announce};
use super::audit::{self, Actor, Deed};
use crate::domain::{BedrockTarget, Refusal, RefusalKind};
use crate::store::{Database, StoreError};

/// Something that a model refuses.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct CapabilityRow {
    /// `learned_capabilities.id`
    pub id: Uuid,
    /// The name of a [`crate::domain::Dialect`].
    pub dialect: String,
    /// AWS region.
    pub region: String,
    /// Bedrock id, profile or ARN.
    pub model: String,
    /// The name of a [`RefusalKind`].
    pub kind: String,
    /// Which one of the kind.
    pub name: String,
    /// When it was last learnt.
    pub learned_at: DateTime<Utc>,
    /// Until when it is believed.
    pub expires_at: DateTime<Utc>,
}

/// Which refusals a list has.
#[derive(Clone, Default, Debug)]
pub struct CapabilityFilter {
    /// Those of this model.
    pub model: Option<String>,
    /// Those in this region.
    pub region: Option<String>,
}

impl Database {
    /// Refusals that are believed, the latest first, those after a sort key only, and how many there are on all pages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn capability_rows(
        &self,
        filter: &CapabilityFilter,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<(Vec<CapabilityRow>, i64), StoreError> {
        let (after_time, after_id) = after.unzip();
        let rows = sqlx::query_as!(
            CapabilityRow,
            "SELECT id, dialect, region, model, kind, name, learned_at, expires_at FROM learned_capabilities
              WHERE expires_at > now()
                AND ($1::text IS NULL OR model = $1)
                AND ($2::text IS NULL OR region = $2)
                AND ($3::timestamptz IS NULL OR (learned_at, id) < ($3, $4))
              ORDER BY learned_at DESC, id DESC
              LIMIT $5",
            filter.model,
            filter.region,
            after_time,
            after_id,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let total = sqlx::query_scalar!(
            r#"SELECT count(*) AS "total!" FROM learned_capabilities
                WHERE expires_at > now() AND ($1::text IS NULL OR model = $1) AND ($2::text IS NULL OR region = $2)"#,
            filter.model,
            filter.region
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((rows, total))
    }

    /// Removes a refusal and has all instances forget it. What comes back is what it was; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_capability(&self, actor: &Actor, id: Uuid) -> Result<Option<CapabilityRow>, StoreError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query_as!(
            CapabilityRow,
            "DELETE FROM learned_capabilities WHERE id = $1
             RETURNING id, dialect, region, model, kind, name, learned_at, expires_at",
            id
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let name = id.to_string();
        let before = serde_json::to_value(&row).ok();
        let deed =
            Deed { action: "capability.delete", object_type: "capability", object_id: &name, before, after: None };
        audit::write(&mut transaction, actor, deed).await?;
        if let Some(news) = row.news() {
            announce(&mut transaction, &news).await?;
        }
        transaction.commit().await?;
        Ok(Some(row))
    }
}

impl CapabilityRow {
    /// That it is to be forgotten; `None` where only a newer version remembers it.
    pub fn news(&self) -> Option<News> {
        let refusal = Refusal { kind: RefusalKind::parse(&self.kind)?, name: self.name.clone() };
        let target = BedrockTarget { region: self.region.clone(), model: self.model.clone() };
        Some(News::Capability(self.dialect.parse().ok()?, target, refusal))
    }
}
