//! `Idempotency-Key`: a request that comes again is answered again, and does nothing.

use http::HeaderMap;
use poem_openapi::types::ToJSON;
use uuid::Uuid;

use super::Admin;
use super::bedrock_keys::vault_problem;
use super::problem::Problem;
use crate::domain::{AccessKey, Secret};
use crate::store::Once;

/// The header with the key.
const HEADER: &str = "Idempotency-Key";

/// Refuses a key that the web framework would pass over because it is no text, and the request with it: it would do its
/// work again when it comes again.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get_all(HEADER).iter().all(|value| value.to_str().is_ok()) {
        return Ok(());
    }
    Err(Problem::unreadable(HEADER, "it has to be of printable ASCII characters"))
}

/// The request as it is remembered: its key, and a hash of everything that has to be the same when it comes again.
pub(super) fn once(
    admin: &Admin,
    key: Option<String>,
    operation: &str,
    target: Option<Uuid>,
    body: &impl ToJSON,
) -> Option<Once> {
    let key = key?;
    let request = serde_json::json!([operation, target, body.to_json()]).to_string();
    Some(Once { key, request: admin.hasher.hash(&request), sealed_key: None })
}

/// The same with the access key that the answer has, which only the vault can open again.
///
/// # Errors
/// When the vault is away.
pub(super) async fn once_with_key(
    admin: &Admin,
    once: Option<Once>,
    id: Uuid,
    key: &AccessKey,
) -> Result<Option<Once>, Problem> {
    let Some(once) = once else { return Ok(None) };
    let sealed = admin.vault.seal(id, &Secret::new(key.expose())).await.map_err(|error| vault_problem(&error))?;
    Ok(Some(Once { sealed_key: Some(sealed), ..once }))
}

/// The access key of an answer that is given again.
///
/// # Errors
/// When the vault is away, or cannot open it any more.
pub(super) async fn key_of_before(admin: &Admin, id: Uuid, sealed: Option<Vec<u8>>) -> Result<String, Problem> {
    let opened = admin.vault.open(id, &sealed.unwrap_or_default()).await;
    Ok(opened.map_err(|error| vault_problem(&error))?.expose().to_owned())
}
