//! Access keys: issued, changed, replaced and revoked.

use std::time::Duration;

use poem::web::Data;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};
use uuid::Uuid;

use super::SharedAdmin;
use super::access_key_change::ChangeAccessKey;
use super::access_key_shapes::{
    AccessKey, AccessKeyStatus, CreateAccessKey, IssuedAccessKey, RotateAccessKey, RotatedAccessKey,
};
use super::bedrock_keys::vault_problem;
use super::caller::Caller;
use super::idempotency::{key_of_before, once, once_with_key};
use super::list::{self, DEFAULT_LIMIT, Page};
use super::problem::{Kind, Problem};
use super::service::Tag;
use super::sorts::{Changing, Refused, Showing};
use super::users::no_user;
use crate::domain;
use crate::store::{Made, News, Resealed, Rotation};

/// An access key is there.
#[derive(ApiResponse)]
pub(super) enum AccessKeyCreated {
    /// The key, which is shown this once.
    #[oai(status = 201)]
    Created(Json<IssuedAccessKey>),
}

/// An access key has taken the place of another.
#[derive(ApiResponse)]
pub(super) enum AccessKeyReplaced {
    /// The new key, which is shown this once.
    #[oai(status = 201)]
    Created(Json<RotatedAccessKey>),
}

/// An access key is revoked.
#[derive(ApiResponse)]
pub(super) enum AccessKeyRevoked {
    /// It works no more; usage stays.
    #[oai(status = 204)]
    Revoked,
}

/// Operations on access keys.
pub struct AccessKeysPart;

#[OpenApi(prefix_path = "/admin", tag = "Tag::AccessKeys")]
impl AccessKeysPart {
    /// List the access keys of a user
    ///
    /// Newest first, with those that are revoked.
    #[oai(path = "/users/:user_id/access-keys", method = "get", operation_id = "list_access_keys")]
    async fn list(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// Whose.
        user_id: Path<Uuid>,
        /// Those with this status only.
        status: Query<Option<AccessKeyStatus>>,
        /// `next` of the page before.
        #[oai(validator(max_length = 256))]
        cursor: Query<Option<String>>,
        /// Access keys on a page, 50 unless given.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u32>>,
    ) -> Result<Json<Page<AccessKey>>, Refused<Showing>> {
        let limit = limit.0.unwrap_or(DEFAULT_LIMIT);
        let after = list::cursor(cursor.0.as_deref())?;
        let status = status.0.map(AccessKeyStatus::name);
        let keys = admin.database.access_keys(user_id.0, status, after, i64::from(limit) + 1).await?;
        let (rows, total) = keys.ok_or_else(|| no_user(user_id.0))?;
        Ok(Json(list::page(rows, limit, total, |row| (row.created_at, row.id), AccessKey::from)))
    }

    /// Issue an access key
    ///
    /// The key itself is in this answer only. Bedrock serves it once a Bedrock key is registered for it.
    #[oai(path = "/users/:user_id/access-keys", method = "post", operation_id = "create_access_key")]
    async fn create(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// For whom.
        user_id: Path<Uuid>,
        /// Has the request do nothing when it comes again within 24 hours; the answer is the same, with the same key.
        #[oai(name = "Idempotency-Key", validator(min_length = 1, max_length = 255, pattern = "^[ -~]+$"))]
        idempotency_key: Header<Option<String>>,
        key: Json<CreateAccessKey>,
    ) -> Result<AccessKeyCreated, Refused<Changing>> {
        let once = once(&admin, idempotency_key.0, "create_access_key", Some(user_id.0), &key.0);
        let text = generated()?;
        let new = key.0.read(Uuid::new_v4(), admin.hasher.hash(text.expose()), text.shown_prefix())?;
        let once = once_with_key(&admin, once, new.id, &text).await?;
        let made = admin.database.create_access_key(caller.actor(), user_id.0, &new, once.as_ref()).await?;
        let (row, key) = match made.ok_or_else(|| no_user(user_id.0))? {
            Made::Now(row) => (row, text.expose().to_owned()),
            Made::Before { row, sealed_key } => {
                let key = key_of_before(&admin, row.id, sealed_key).await?;
                (row, key)
            }
        };
        Ok(AccessKeyCreated::Created(Json(IssuedAccessKey { key, access_key: row.into() })))
    }

    /// Show an access key
    ///
    /// Never the key itself, of which only the hash is stored.
    #[oai(path = "/access-keys/:access_key_id", method = "get", operation_id = "get_access_key")]
    async fn show(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// Which.
        access_key_id: Path<Uuid>,
    ) -> Result<Json<AccessKey>, Refused<Showing>> {
        let row = admin.database.access_key(access_key_id.0).await?;
        Ok(Json(row.ok_or_else(|| no_key(access_key_id.0))?.into()))
    }

    /// Change an access key
    ///
    /// What is left out stays as it is. Running requests go on as they began.
    #[oai(path = "/access-keys/:access_key_id", method = "patch", operation_id = "update_access_key")]
    async fn change(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Which.
        access_key_id: Path<Uuid>,
        change: Json<ChangeAccessKey>,
    ) -> Result<Json<AccessKey>, Refused<Changing>> {
        let change = change.0.read()?;
        let row = admin.database.change_access_key(caller.actor(), access_key_id.0, &change).await?;
        let row = row.ok_or_else(|| no_key(access_key_id.0))?;
        admin.changes.apply(&News::AccessKey(access_key_id.0)).await;
        Ok(Json(row.into()))
    }

    /// Replace an access key
    ///
    /// A new key takes over everything that the old one has: region, models, label, and the Bedrock key. It is in this
    /// answer only. The old key works on for a while, so that its user can change over, and is revoked then.
    #[oai(path = "/access-keys/:access_key_id/rotate", method = "post", operation_id = "rotate_access_key")]
    async fn rotate(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Which.
        access_key_id: Path<Uuid>,
        /// Has the request do nothing when it comes again within 24 hours; the answer is the same, with the same key.
        #[oai(name = "Idempotency-Key", validator(min_length = 1, max_length = 255, pattern = "^[ -~]+$"))]
        idempotency_key: Header<Option<String>>,
        rotation: Json<RotateAccessKey>,
    ) -> Result<AccessKeyReplaced, Refused<Changing>> {
        let old = access_key_id.0;
        let once = once(&admin, idempotency_key.0, "rotate_access_key", Some(old), &rotation.0);
        let (id, text) = (Uuid::new_v4(), generated()?);
        let once = once_with_key(&admin, once, id, &text).await?;
        let rotation = Rotation {
            id,
            hash: admin.hasher.hash(text.expose()),
            prefix: text.shown_prefix().to_owned(),
            grace: Duration::from_secs(rotation.0.grace_seconds.into()),
            bedrock_key: resealed(&admin, old, id).await?,
        };
        let made = admin.database.rotate_access_key(caller.actor(), old, &rotation, once.as_ref()).await?;
        let made = made.ok_or_else(|| no_key(old))?;
        admin.changes.apply(&News::AccessKey(old)).await;
        let (rotated, key) = match made {
            Made::Now(rotated) => (rotated, text.expose().to_owned()),
            Made::Before { row, sealed_key } => {
                let key = key_of_before(&admin, row.new.id, sealed_key).await?;
                (row, key)
            }
        };
        let (access_key, previous) = (rotated.new.into(), rotated.old.into());
        Ok(AccessKeyReplaced::Created(Json(RotatedAccessKey { key, access_key, previous })))
    }

    /// Revoke an access key
    ///
    /// It works no more, and its Bedrock key is removed. Running requests end as they began. There is no way back; a key
    /// that is revoked stays so.
    #[oai(path = "/access-keys/:access_key_id", method = "delete", operation_id = "revoke_access_key")]
    async fn revoke(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Which.
        access_key_id: Path<Uuid>,
    ) -> Result<AccessKeyRevoked, Refused<Showing>> {
        if admin.database.revoke_access_key(caller.actor(), access_key_id.0).await? {
            admin.changes.apply(&News::AccessKey(access_key_id.0)).await;
            Ok(AccessKeyRevoked::Revoked)
        } else {
            Err(no_key(access_key_id.0).into())
        }
    }
}

/// The Bedrock key of one access key, sealed for another.
async fn resealed(admin: &SharedAdmin, from: Uuid, to: Uuid) -> Result<Option<Resealed>, Problem> {
    let Some(sealed) = admin.database.sealed_bedrock_key(from).await? else { return Ok(None) };
    let resealed = async { admin.vault.seal(to, &admin.vault.open(from, &sealed).await?).await };
    let resealed = resealed.await.map_err(|error| vault_problem(&error))?;
    Ok(Some(Resealed { from: sealed, to: resealed }))
}

fn generated() -> Result<domain::AccessKey, Problem> {
    domain::AccessKey::generate().map_err(|error| {
        tracing::error!(%error, "the system has no randomness");
        Problem::new(Kind::Away, "no_randomness", "The system has no randomness for a key. Try again soon.").after(5)
    })
}

pub(super) fn no_key(id: Uuid) -> Problem {
    Problem::not_found("access key", id)
}
