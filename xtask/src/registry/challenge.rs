//! What a registry asks for when it does not know who asks: the header `www-authenticate`.

use std::collections::BTreeMap;

/// A way to say who one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// With user and password in each request.
    Basic,
    /// With a token, which another server gives for user and password, or for nothing.
    Bearer {
        /// Where it is to be had.
        realm: String,
        /// For which registry; not every server wants to hear it.
        service: Option<String>,
    },
}

impl Challenge {
    /// Reads the header; other schemes are nothing.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut parameters = parameters(rest);
        Some(Self::Bearer { realm: parameters.remove("realm")?, service: parameters.remove("service") })
    }
}

/// `name="value", name=value`; a comma inside of quotes is a part of the value.
fn parameters(mut text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    while let Some((name, rest)) = text.split_once('=') {
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(',').unwrap_or((rest, "")),
        };
        found.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        text = rest.trim_start().trim_start_matches(',');
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) }
    }

    #[test]
    fn the_challenges_of_known_registries_are_read() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        assert_eq!(Challenge::parse(hub), Some(bearer("https://auth.docker.io/token", Some("registry.docker.io"))));
        let ecr = r#"Basic realm="https://123456789012.dkr.ecr.us-east-1.amazonaws.com/",service="ecr.amazonaws.com""#;
        assert_eq!(Challenge::parse(ecr), Some(Challenge::Basic));
        assert_eq!(
            Challenge::parse("bearer realm=https://r.example/token"),
            Some(bearer("https://r.example/token", None))
        );
    }

    #[test]
    fn what_cannot_be_answered_is_nothing() {
        for header in ["", "Negotiate", "Bearer", r#"Bearer service="x""#] {
            assert_eq!(Challenge::parse(header), None, "{header}");
        }
    }
}
