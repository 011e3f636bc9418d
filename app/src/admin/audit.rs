//! The audit log: who has done what.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde_json::Value;
use uuid::Uuid;

use super::SharedAdmin;
use super::caller::Caller;
use super::list::{self, DEFAULT_LIMIT, Page};
use super::service::Tag;
use super::sorts::{Listing, Refused};
use crate::store::{DeedFilter, DeedRow};

/// Something that an administrator did.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct AuditEntry {
    /// Its place in the log.
    id: u64,
    happened_at: DateTime<Utc>,
    /// The request by which it was done; it is in the log of the proxy, too.
    request_id: Uuid,
    /// The administrator's name.
    actor: String,
    /// Where the request came from.
    address: String,
    /// What was done, such as `user.create`.
    action: String,
    /// To what kind of thing, such as `user`.
    object_type: String,
    /// To which one.
    object_id: String,
    /// What it was; missing when it was made.
    before: Option<HashMap<String, Value>>,
    /// What it became; missing when it was removed.
    after: Option<HashMap<String, Value>>,
}

/// Operations on the audit log.
pub struct AuditPart;

#[OpenApi(prefix_path = "/admin/audit", tag = "Tag::Audit")]
impl AuditPart {
    /// List what administrators did
    ///
    /// The latest first. An entry is written together with what it tells of, and is never changed; no secret is in it.
    #[oai(path = "/", method = "get", operation_id = "list_audit")]
    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the query")]
    async fn list(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// What was done to this kind of thing, such as `user`.
        #[oai(validator(max_length = 32))]
        object_type: Query<Option<String>>,
        /// What was done to the thing with this id.
        #[oai(validator(max_length = 256))]
        object_id: Query<Option<String>>,
        /// What the administrator with this name did.
        #[oai(validator(max_length = 255))]
        actor: Query<Option<String>>,
        /// Deeds of this kind, such as `user.create`.
        #[oai(validator(max_length = 64))]
        action: Query<Option<String>>,
        /// What was done at this time or later.
        from: Query<Option<DateTime<Utc>>>,
        /// What was done before this time.
        to: Query<Option<DateTime<Utc>>>,
        /// `next` of the page before.
        #[oai(validator(max_length = 256))]
        cursor: Query<Option<String>>,
        /// Entries on a page, 50 unless given.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u32>>,
    ) -> Result<Json<Page<AuditEntry>>, Refused<Listing>> {
        let limit = limit.0.unwrap_or(DEFAULT_LIMIT);
        let before = list::cursor(cursor.0.as_deref())?;
        let filter = DeedFilter {
            object_type: object_type.0,
            object_id: object_id.0,
            actor: actor.0,
            action: action.0,
            from: from.0,
            to: to.0,
        };
        let (rows, total) = admin.database.deed_rows(&filter, before, i64::from(limit) + 1).await?;
        Ok(Json(list::page(rows, limit, total, |row| row.id, AuditEntry::from)))
    }
}

impl From<DeedRow> for AuditEntry {
    fn from(row: DeedRow) -> Self {
        let fields = |value: Option<Value>| match value {
            Some(Value::Object(fields)) => Some(fields.into_iter().collect()),
            _ => None,
        };
        Self {
            id: row.id.unsigned_abs(),
            happened_at: row.happened_at,
            request_id: row.request_id,
            actor: row.actor,
            address: row.address,
            action: row.action,
            object_type: row.object_type,
            object_id: row.object_id,
            before: fields(row.before),
            after: fields(row.after),
        }
    }
}
