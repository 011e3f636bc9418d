//! Finds the access key among the headers of a request that has none in its path.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

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

/// Takes the key out of `x-ccp-access-key`, else out of `x-api-key` or `Authorization` where that holds an `ak_...`
/// value. Every line that held such a value is removed: it is no credential for the plan and never leaves the proxy.
pub fn take_from_headers(map: &mut HeaderMap) -> PresentedKey {
    let own = map.remove(headers::ACCESS_KEY).and_then(|value| value.to_str().ok().map(str::to_owned));
    let found = [headers::API_KEY, header::AUTHORIZATION].map(|name| take_our_lines(map, &name));
    let presented = own.or_else(|| found.into_iter().flatten().next());
    presented.map_or(PresentedKey::Missing, |text| PresentedKey::from_path(&text))
}

/// Removes the lines of a header that hold a key of ours, and returns the first.
fn take_our_lines(map: &mut HeaderMap, name: &HeaderName) -> Option<String> {
    let is_ours = |value: &HeaderValue| headers::credential(value).is_some_and(AccessKey::looks_like_one);
    let first = map.get_all(name).iter().find(|value| is_ours(value))?;
    let first = headers::credential(first).map(str::to_owned);
    let others: Vec<HeaderValue> = map.get_all(name).iter().filter(|value| !is_ours(value)).cloned().collect();
    map.remove(name);
    for value in others {
        map.append(name, value);
    }
    first
}

/// Removes every header whose value holds the key, wherever a proxy in between or a client has put it.
pub fn sweep(map: &mut HeaderMap, key: &AccessKey) {
    let finder = memchr::memmem::Finder::new(key.expose().as_bytes());
    let holding: Vec<HeaderName> =
        map.iter().filter(|(_, value)| finder.find(value.as_bytes()).is_some()).map(|(name, _)| name.clone()).collect();
    for name in holding {
        map.remove(name);
    }
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
    fn our_key_is_taken_from_every_line_and_the_others_stay() {
        let mut map = HeaderMap::new();
        map.append("x-api-key", "sk-ant-api03-x".parse().unwrap());
        map.append("x-api-key", KEY.parse().unwrap());
        map.insert("authorization", KEY.parse().unwrap());
        map.insert("x-odd", format!("https://proxy/ak/{KEY}/v1").parse().unwrap());
        assert!(matches!(take_from_headers(&mut map), PresentedKey::WellFormed(_)));
        sweep(&mut map, &AccessKey::parse(KEY).unwrap());
        assert_eq!(map.len(), 1);
        assert_eq!(map["x-api-key"], "sk-ant-api03-x");
    }

    #[test]
    fn our_key_in_two_places_leaves_neither() {
        let bearer = format!("Bearer {KEY}");
        assert_eq!(taken(&[("x-api-key", KEY), ("authorization", &bearer)]), (Some(KEY.to_owned()), vec![]));
    }
}
