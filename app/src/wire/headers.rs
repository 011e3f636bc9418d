//! Which headers pass through the proxy, in both directions.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The header that may carry the access key instead of the path.
pub const ACCESS_KEY: HeaderName = HeaderName::from_static("x-ccp-access-key");
/// The proxy's own id of a request, on every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-ccp-request-id");
/// Who served a request.
pub const PROVIDER: HeaderName = HeaderName::from_static("x-ccp-provider");
/// Why the plan did not serve it.
pub const FALLBACK: HeaderName = HeaderName::from_static("x-ccp-fallback");
/// Fields that were left out because Bedrock refuses them.
pub const BEDROCK_DROPPED: HeaderName = HeaderName::from_static("x-ccp-bedrock-dropped");
/// How many thinking blocks were left out because Bedrock refused their signatures.
pub const THINKING: HeaderName = HeaderName::from_static("x-ccp-thinking");
/// How much of the monthly budget is spent, once that is most of it.
pub const BUDGET: HeaderName = HeaderName::from_static("x-ccp-budget");
/// Anthropic's header for API keys.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Beta features, a comma-separated list on one or more lines.
pub const ANTHROPIC_BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// Claude Code's session.
pub const SESSION_ID: HeaderName = HeaderName::from_static("x-claude-code-session-id");
/// Claude Code's subagent.
pub const AGENT_ID: HeaderName = HeaderName::from_static("x-claude-code-agent-id");

/// Says that Claude Code has just compacted the context: whatever a provider remembered of it is of no use any more.
pub const CONTEXT_COMPACTED: HeaderName = HeaderName::from_static("x-claude-code-context-compacted");

/// Headers of one connection (RFC 9110, 7.6.1), never forwarded.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Set anew on the way out, ours, or added by the load balancer in front of us.
const NOT_FORWARDED: &[&str] = &[
    "host",
    "content-length",
    "expect",
    "x-ccp-access-key",
    "forwarded",
    "via",
    "x-real-ip",
    "x-amzn-trace-id",
    "referer",
];
/// What load balancers and reverse proxies add; some of it holds the path, and with it the access key.
const NOT_FORWARDED_PREFIXES: &[&str] = &["x-forwarded-", "x-original-", "x-envoy-"];

/// Removes from a request what must not reach the plan; everything else stays, repeated lines and their order included.
pub fn strip_request(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    for name in NOT_FORWARDED {
        headers.remove(*name);
    }
    let added: Vec<HeaderName> = headers
        .keys()
        .filter(|name| NOT_FORWARDED_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix)))
        .cloned()
        .collect();
    for name in added {
        headers.remove(name);
    }
}

/// What a client of AWS or of Anthropic proves itself with.
const CREDENTIALS: &[&str] =
    &["authorization", "x-api-key", "cookie", "x-amz-security-token", "x-amz-date", "x-amz-content-sha256"];

/// Removes every credential of the client, signatures included: where the proxy brings its own, theirs are nobody's business.
pub fn strip_credentials(headers: &mut HeaderMap) {
    for name in CREDENTIALS {
        headers.remove(*name);
    }
}

/// Removes the headers of the connection, those that `Connection` names included. `content-length` of an answer stays.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // A client must not be able to have the proxy drop a header that decides about the request.
        .filter(|name| ![header::AUTHORIZATION, header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name))
        .collect();
    for name in HOP_BY_HOP {
        headers.remove(*name);
    }
    for name in named {
        headers.remove(name);
    }
}

/// The credential in a value of `x-api-key` or `Authorization`, whatever its scheme.
pub fn credential(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()?.trim().rsplit([' ', '\t']).next()
}

/// Whether the request brings a credential for the plan.
pub fn has_credential(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key(API_KEY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.parse::<HeaderName>().unwrap(), v.parse().unwrap())).collect()
    }

    #[test]
    fn what_connection_names_goes_and_the_rest_stays() {
        let mut map = headers(&[
            ("connection", "keep-alive, X-Private"),
            ("x-private", "1"),
            ("x-app", "cli"),
            ("te", "trailers"),
        ]);
        strip_request(&mut map);
        assert_eq!(map, headers(&[("x-app", "cli")]));
    }

    #[test]
    fn connection_cannot_take_the_login_away() {
        let mut map = headers(&[("connection", "authorization"), ("authorization", "Bearer x")]);
        strip_request(&mut map);
        assert!(map.contains_key("authorization"));
    }

    #[test]
    fn repeated_lines_survive() {
        let mut map = HeaderMap::new();
        map.append(ANTHROPIC_BETA, "a, b".parse().unwrap());
        map.append(ANTHROPIC_BETA, "c".parse().unwrap());
        strip_request(&mut map);
        assert_eq!(map.get_all(ANTHROPIC_BETA).iter().count(), 2);
    }

    #[test]
    fn the_credential_is_read_with_any_scheme_and_without_one() {
        for value in ["Bearer ak_x", "bearer  ak_x", "Basic ak_x", "ak_x", " ak_x ", "Bearer\tak_x"] {
            assert_eq!(credential(&HeaderValue::from_str(value).unwrap()), Some("ak_x"), "{value}");
        }
    }
}
