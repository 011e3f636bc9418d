//! What models on Bedrock were learnt to refuse.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::SharedAdmin;
use super::caller::Caller;
use super::list::{self, DEFAULT_LIMIT, Page};
use super::problem::Problem;
use super::service::Tag;
use super::sorts::{Listing, Refused, Showing};
use crate::store::{CapabilityFilter, CapabilityRow};

/// Something that a model on Bedrock has refused, and that it is not sent any more.
#[derive(Object, Clone, Debug)]
pub(super) struct Capability {
    id: Uuid,
    /// Bedrock's interface: `invoke` or `messages`.
    dialect: String,
    region: String,
    /// Bedrock id, profile or ARN.
    model: String,
    /// What kind of thing: `beta`, `field`, `thinking_type`, `effort`, `tool_choice` or `count_tokens`.
    kind: String,
    /// Which one, such as `cache_control.ttl`.
    name: String,
    /// When it was last refused.
    learned_at: DateTime<Utc>,
    /// When the model is asked again.
    expires_at: DateTime<Utc>,
}

/// The refusal is gone.
#[derive(ApiResponse)]
pub enum CapabilityDeleted {
    /// The model is asked again, by every instance.
    #[oai(status = 204)]
    Deleted,
}

/// Operations on what was learnt.
pub struct CapabilitiesPart;

#[OpenApi(prefix_path = "/admin/capabilities", tag = "Tag::State")]
impl CapabilitiesPart {
    /// List what models refuse
    ///
    /// What was learnt from refusals of Bedrock and is believed at the moment, the latest first.
    #[oai(path = "/", method = "get", operation_id = "list_capabilities")]
    async fn list(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// Of this Bedrock id, profile or ARN only.
        #[oai(validator(max_length = 256))]
        model: Query<Option<String>>,
        /// In this region only.
        #[oai(validator(max_length = 32))]
        region: Query<Option<String>>,
        /// `next` of the page before.
        #[oai(validator(max_length = 256))]
        cursor: Query<Option<String>>,
        /// Refusals on a page, 50 unless given.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u32>>,
    ) -> Result<Json<Page<Capability>>, Refused<Listing>> {
        let limit = limit.0.unwrap_or(DEFAULT_LIMIT);
        let after = list::cursor(cursor.0.as_deref())?;
        let filter = CapabilityFilter { model: model.0, region: region.0 };
        let (rows, total) = admin.database.capability_rows(&filter, after, i64::from(limit) + 1).await?;
        Ok(Json(list::page(rows, limit, total, |row| (row.learned_at, row.id), Capability::from)))
    }

    /// Forget what a model refuses
    ///
    /// The model is asked again with the next request that has it, and may refuse it again.
    #[oai(path = "/:capability_id", method = "delete", operation_id = "delete_capability")]
    async fn delete(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Which.
        capability_id: Path<Uuid>,
    ) -> Result<CapabilityDeleted, Refused<Showing>> {
        let row = admin.database.delete_capability(caller.actor(), capability_id.0).await?;
        let row = row.ok_or_else(|| Problem::not_found("capability", capability_id.0))?;
        if let Some(news) = row.news() {
            admin.changes.apply(&news).await;
        }
        Ok(CapabilityDeleted::Deleted)
    }
}

impl From<CapabilityRow> for Capability {
    fn from(row: CapabilityRow) -> Self {
        Self {
            id: row.id,
            dialect: row.dialect,
            region: row.region,
            model: row.model,
            kind: row.kind,
            name: row.name,
            learned_at: row.learned_at,
            expires_at: row.expires_at,
        }
    }
}
