//! Lists in pages: a cursor says where the next page begins, so that what is added meanwhile moves nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use poem_openapi::Object;
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// Items of a page unless something else is asked for.
pub(super) const DEFAULT_LIMIT: u32 = 50;

/// A page of a list.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Page<T: Type + ParseFromJSON + ToJSON + Send + Sync> {
    /// What is on the page.
    pub items: Vec<T>,
    /// Where the next page begins: give it as `cursor`. Missing on the last page.
    pub next: Option<String>,
    /// How many there are on all pages.
    pub total: u64,
}

/// A list of which one item more was read than asked for, to see whether there is more.
pub(super) fn page<R, T, K>(
    rows: Vec<R>,
    limit: u32,
    total: i64,
    key: impl Fn(&R) -> K,
    item: impl FnMut(R) -> T,
) -> Page<T>
where
    T: Type + ParseFromJSON + ToJSON + Send + Sync,
    K: Serialize,
{
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let last = limit.checked_sub(1).and_then(|last| rows.get(last)).filter(|_| rows.len() > limit);
    let next = last.map(|row| URL_SAFE_NO_PAD.encode(serde_json::to_vec(&key(row)).unwrap_or_default()));
    Page { items: rows.into_iter().take(limit).map(item).collect(), next, total: total.unsigned_abs() }
}

/// What a cursor says: the sort key of the last item of the page before.
///
/// # Errors
/// When it is none of ours.
pub(super) fn cursor<K: DeserializeOwned>(text: Option<&str>) -> Result<Option<K>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let read = || serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    read().map(Some).ok_or_else(no_cursor)
}

/// What comes as a cursor is none.
pub(super) fn no_cursor() -> Problem {
    Problem::field("cursor", "it is no cursor of this list; take it from `next` of the page before")
}
