//! Finds the access key among the headers of a request that has none in its path.

use http::header::{self, HeaderMap};

use crate::domain::AccessKey;
use crate::wire::headers;

/// What a client presented as its access key.
#[derive(Clone, Debug)]
pub enum PresentedKey {
    /// Something of the right form; whether it is valid is yet to be seen.
    WellFormed(AccessKey),
    /// Something that is no access key.
    Malformed,
    /// Nothing.
    Missing,
}

impl PresentedKey {
    /// Reads the key that stood in the path.
    pub fn from_path(text: &str) -> Self {
        AccessKey::parse(text).map_or(Self::Malformed, Self::WellFormed)
    }
}

/// Takes the key out of `x-ccp-access-key`, else out of `x-api-key` or `Authorization: Bearer` where that holds an
/// `ak_...` value. A header that held our key is removed: it is no credential for the plan and never leaves the proxy.
pub fn take_from_headers(map: &mut HeaderMap) -> PresentedKey {
    let own = map.remove(headers::ACCESS_KEY).and_then(|value| value.to_str().ok().map(str::to_owned));
    let in_api_key =
        map.get(headers::API_KEY).and_then(|value| value.to_str().ok()).filter(|v| AccessKey::looks_like_one(v));
    let in_bearer = headers::bearer(map).filter(|v| AccessKey::looks_like_one(v));
    let found = own.as_deref().or(in_api_key).or(in_bearer).map(PresentedKey::from_path);
    let (drop_api_key, drop_bearer) = (in_api_key.is_some(), in_bearer.is_some());
    if drop_api_key {
        map.remove(headers::API_KEY);
    }
    if drop_bearer {
        map.remove(header::AUTHORIZATION);
    }
    found.unwrap_or(PresentedKey::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ak_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

    fn taken(pairs: &[(&'static str, &str)]) -> (Option<String>, Vec<String>) {
        let mut map: HeaderMap =
            pairs.iter().map(|(n, v)| (header::HeaderName::from_static(n), v.parse().unwrap())).collect();
        let key = match take_from_headers(&mut map) {
            PresentedKey::WellFormed(key) => Some(key.expose().to_owned()),
            PresentedKey::Malformed | PresentedKey::Missing => None,
        };
        (key, map.keys().map(ToString::to_string).collect())
    }

    #[test]
    fn each_place_works_and_is_emptied() {
        for (name, value) in [
            ("x-ccp-access-key", KEY.to_owned()),
            ("x-api-key", KEY.to_owned()),
            ("authorization", format!("Bearer {KEY}")),
        ] {
            assert_eq!(taken(&[(name, &value)]), (Some(KEY.to_owned()), vec![]), "{name}");
        }
    }

    #[test]
    fn the_credential_for_the_plan_stays() {
        let (key, left) = taken(&[("x-ccp-access-key", KEY), ("authorization", "Bearer sk-ant-oat-x")]);
        assert_eq!((key.as_deref(), left), (Some(KEY), vec!["authorization".to_owned()]));
    }

    #[test]
    fn a_malformed_key_is_not_forwarded_either() {
        assert_eq!(taken(&[("x-api-key", "ak_wrong")]), (None, vec![]));
    }

    #[test]
    fn our_key_in_two_places_leaves_neither() {
        let bearer = format!("Bearer {KEY}");
        assert_eq!(taken(&[("x-api-key", KEY), ("authorization", &bearer)]), (Some(KEY.to_owned()), vec![]));
    }
}
