//! What the head of a plan's answer means: relay it, or try Bedrock.

use http::HeaderMap;

use crate::domain::FallbackReason;

/// The meaning of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The client gets it as it is: a success, or an error that the client heals itself or must be told.
    Relay,
    /// Bedrock may serve the request instead; without Bedrock the client gets the answer as it is.
    FallBack(FallbackReason),
    /// Nothing that may reach a client (a redirect would be followed, credentials and all): Bedrock, else 502.
    Refuse(FallbackReason),
}

/// Reads the status and, for 429, the headers.
pub fn classify(status: u16, headers: &HeaderMap) -> Verdict {
    match status {
        429 if names_a_plan_limit(headers) => Verdict::FallBack(FallbackReason::PlanLimit),
        429 => Verdict::FallBack(FallbackReason::Throttled),
        529 => Verdict::FallBack(FallbackReason::Overloaded),
        500 | 502 | 503 | 504 | 520..=524 => Verdict::FallBack(FallbackReason::ServerError),
        // 304 cannot answer a POST, and no other 3xx is an answer of the Messages API.
        300..=399 => Verdict::Refuse(FallbackReason::InvalidAnswer),
        _ => Verdict::Relay,
    }
}

fn names_a_plan_limit(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("anthropic-ratelimit-unified-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_row() {
        let none = HeaderMap::new();
        for status in 100..=599 {
            let expected = match status {
                300..=399 => Verdict::Refuse(FallbackReason::InvalidAnswer),
                429 => Verdict::FallBack(FallbackReason::Throttled),
                529 => Verdict::FallBack(FallbackReason::Overloaded),
                500 | 502 | 503 | 504 | 520 | 521 | 522 | 523 | 524 => Verdict::FallBack(FallbackReason::ServerError),
                _ => Verdict::Relay,
            };
            assert_eq!(classify(status, &none), expected, "{status}");
        }
    }

    #[test]
    fn a_plan_limit_is_told_from_a_throttle_by_its_headers() {
        let mut limit = HeaderMap::new();
        limit.insert("anthropic-ratelimit-unified-status", "rejected".parse().unwrap());
        assert_eq!(classify(429, &limit), Verdict::FallBack(FallbackReason::PlanLimit));
        let mut throttle = HeaderMap::new();
        throttle.insert("retry-after", "3".parse().unwrap());
        throttle.insert("anthropic-ratelimit-requests-limit", "50".parse().unwrap());
        assert_eq!(classify(429, &throttle), Verdict::FallBack(FallbackReason::Throttled));
        // The plan sends them with successes too.
        assert_eq!(classify(200, &limit), Verdict::Relay);
    }
}
