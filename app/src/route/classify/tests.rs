//! The table of classification, once more and by hand.

use super::*;

const NOW: u64 = 1_800_000_000;

fn read(status: u16, pairs: &[(&'static str, &str)], body: &str) -> Verdict {
    let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    classify(status, &headers, body.as_bytes(), NOW)
}

fn fall_back(reason: FallbackReason, effect: Effect) -> Verdict {
    Verdict::FallBack(Fault { reason, effect })
}

fn closed(seconds: u64) -> Effect {
    Effect::ClosedFor(Duration::from_secs(seconds))
}

/// B-62, B-63, B-64: every status, with and without headers that mean something only with 429.
#[test]
fn every_status_has_its_row() {
    let limits: &[(&str, &str)] = &[
        ("anthropic-ratelimit-unified-status", "rejected"),
        ("anthropic-ratelimit-unified-reset", "1800000060"),
        ("retry-after", "9"),
    ];
    for status in 100..=599 {
        let expected = match status {
            301 | 302 | 303 | 307 | 308 => {
                Verdict::Refuse(Fault { reason: FallbackReason::InvalidAnswer, effect: Effect::CountsForAll })
            }
            429 => continue,
            529 => fall_back(FallbackReason::Overloaded, Effect::CountsForAll),
            500 | 502 | 503 | 504 | 520 | 521 | 522 | 523 | 524 => {
                fall_back(FallbackReason::ServerError, Effect::CountsForAll)
            }
            _ => Verdict::Relay,
        };
        assert_eq!(read(status, &[], ""), expected, "{status}");
        assert_eq!(read(status, limits, r#"{"error":{"type":"overloaded_error"}}"#), expected, "{status} with limits");
    }
}

type Row<'r> = (&'r [(&'static str, &'r str)], &'r str, FallbackReason, Effect);

/// B-60, B-61, C13: the family of 429.
#[test]
fn every_429_has_its_row() {
    use FallbackReason::{ExtraUsage, PlanLimit, SpendLimit, Throttled};
    const STATUS: (&str, &str) = ("anthropic-ratelimit-unified-status", "rejected");
    const RESET: (&str, &str) = ("anthropic-ratelimit-unified-reset", "1800003600");
    let limit = r#"{"type":"error","error":{"type":"rate_limit_error","message":"You have hit your limit"}}"#;
    let extra = r#"{"type":"error","error":{"type":"rate_limit_error","message":"Extra usage is required for long context requests."}}"#;
    let credits = r#"{"type":"error","error":{"type":"rate_limit_error","message":"Usage credits are required for 1M context."}}"#;
    let billing = r#"{"type":"error","error":{"type":"billing_error","message":"Monthly cap reached."}}"#;
    let spend = r#"{"type":"error","error":{"type":"rate_limit_error","message":"This organization's spend limit is reached"}}"#;
    let rows: &[Row<'_>] = &[
        // The plan is used up: until the reset, whatever else is said.
        (&[STATUS, RESET], limit, PlanLimit, closed(3600)),
        (&[STATUS, RESET, ("retry-after", "5")], limit, PlanLimit, closed(3600)),
        (&[RESET], "", PlanLimit, closed(3600)),
        (&[STATUS, ("retry-after", "7200")], limit, PlanLimit, closed(7200)),
        (&[STATUS], limit, PlanLimit, Effect::Counts),
        // Resets of windows count when the window is closed and the plan names no reset for the whole.
        (
            &[
                STATUS,
                ("anthropic-ratelimit-unified-5h-status", "allowed"),
                ("anthropic-ratelimit-unified-5h-reset", "1800009999"),
                ("anthropic-ratelimit-unified-7d-status", "rejected"),
                ("anthropic-ratelimit-unified-7d-reset", "1800000120"),
            ],
            limit,
            PlanLimit,
            closed(120),
        ),
        // Nonsense: a reset in the past, one that is no number, one in another age.
        (&[STATUS, ("anthropic-ratelimit-unified-reset", "1700000000")], limit, PlanLimit, Effect::Counts),
        (&[STATUS, ("anthropic-ratelimit-unified-reset", "soon")], limit, PlanLimit, Effect::Counts),
        (&[STATUS, ("anthropic-ratelimit-unified-reset", "99999999999")], limit, PlanLimit, closed(8 * 24 * 3600)),
        // The headers of a plan in good health make no limit of a throttle.
        (
            &[("anthropic-ratelimit-unified-status", "allowed"), RESET, ("retry-after", "3")],
            limit,
            Throttled,
            closed(3),
        ),
        (&[("anthropic-ratelimit-unified-status", "allowed_warning"), RESET], limit, Throttled, Effect::Counts),
        // A throttle.
        (&[], limit, Throttled, Effect::Counts),
        (&[("retry-after", "3")], limit, Throttled, closed(3)),
        (&[("retry-after", "60")], limit, Throttled, closed(60)),
        (&[("retry-after", "61")], limit, Throttled, Effect::Counts),
        (&[("retry-after", "0")], limit, Throttled, Effect::Counts),
        (&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], limit, Throttled, Effect::Counts),
        (&[("anthropic-ratelimit-requests-reset", "2026-10-21T07:28:00Z")], "<html>", Throttled, Effect::Counts),
        // What this request alone may not have.
        (&[], extra, ExtraUsage, Effect::None),
        (&[STATUS, RESET], extra, ExtraUsage, Effect::None),
        (&[STATUS], credits, ExtraUsage, Effect::None),
        (&[], billing, SpendLimit, Effect::None),
        (&[STATUS], spend, SpendLimit, Effect::None),
        (&[STATUS, RESET], spend, PlanLimit, closed(3600)),
    ];
    for (headers, body, reason, effect) in rows {
        assert_eq!(read(429, headers, body), fall_back(*reason, *effect), "{headers:?} {body}");
    }
}

/// B-40: errors inside of a stream, by their type.
#[test]
fn every_error_event_has_its_row() {
    let fault = |reason, effect| Some(Fault { reason, effect });
    for (error_type, expected) in [
        ("overloaded_error", fault(FallbackReason::Overloaded, Effect::CountsForAll)),
        ("api_error", fault(FallbackReason::ServerError, Effect::CountsForAll)),
        ("rate_limit_error", fault(FallbackReason::Throttled, Effect::Counts)),
        ("invalid_request_error", None),
        ("authentication_error", None),
        ("permission_error", None),
        ("not_found_error", None),
        ("request_too_large", None),
        ("an_error_of_tomorrow", None),
        ("", None),
    ] {
        assert_eq!(classify_event(error_type), expected, "{error_type}");
    }
}
