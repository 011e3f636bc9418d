//! Writes the audit log.

use std::net::IpAddr;

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;

/// Who does something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    /// The administrator's name.
    pub name: String,
    /// Where the request came from.
    pub address: IpAddr,
    /// The request.
    pub request_id: Uuid,
}

/// What was done to what. `before` and `after` hold what the admin API shows of it, and so no secret.
#[derive(Clone, Debug)]
pub(super) struct Deed<'d> {
    /// Such as `user.create`.
    pub(super) action: &'static str,
    /// Such as `user`.
    pub(super) object_type: &'static str,
    /// Its id.
    pub(super) object_id: &'d str,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

/// Writes what an actor does, in the transaction in which it is done.
pub(super) async fn write(connection: &mut PgConnection, actor: &Actor, deed: Deed<'_>) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO audit_log (request_id, actor, address, action, object_type, object_id, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        actor.request_id,
        actor.name,
        actor.address.to_string(),
        deed.action,
        deed.object_type,
        deed.object_id,
        deed.before,
        deed.after
    )
    .execute(connection)
    .await?;
    Ok(())
}
