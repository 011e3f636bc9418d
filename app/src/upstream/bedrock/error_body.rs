//! Reads what the Messages API of Bedrock says when it does not serve: in Anthropic's envelope or in AWS's own form, with
//! or without a status that fits.

use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde_json::Value;

use super::BedrockFailure;

/// Where AWS names an error outside of its body.
const ERROR_TYPE: &str = "x-amzn-errortype";
/// Longest name of an error; what is longer is no name.
const NAME_CHARS: usize = 64;
const NO_REASON: &str = "Bedrock gave no reason";

/// Anthropic's types of errors, each with AWS's name for the same and its status.
const TYPES: &[(&str, &str, u16)] = &[
    ("invalid_request_error", "ValidationException", 400),
    ("authentication_error", "AccessDeniedException", 403),
    ("permission_error", "AccessDeniedException", 403),
    ("not_found_error", "ResourceNotFoundException", 404),
    ("timeout_error", "ModelTimeoutException", 408),
    ("request_too_large", "RequestTooLarge", 413),
    ("rate_limit_error", "ThrottlingException", 429),
    ("api_error", "InternalServerException", 500),
    ("overloaded_error", "ServiceUnavailableException", 503),
];

/// The error in an answer. One that comes with a status below 400 has the status of its type; what is no error then is
/// no answer of the Messages API at all.
pub(super) fn of_answer(status: u16, headers: &HeaderMap, body: &[u8]) -> BedrockFailure {
    let Said { code, message, status: of_type } = Said::read(headers, body);
    let status = match status {
        400.. => status,
        _ if code.is_some() => of_type.unwrap_or(502),
        _ => return BedrockFailure::invalid_answer(),
    };
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    BedrockFailure { status, code: code.unwrap_or_else(|| "Unknown".to_owned()), message, retry_after }
}

/// The error in an `error` event.
pub(super) fn of_event(data: &[u8]) -> BedrockFailure {
    let Said { code, message, status } = Said::read(&HeaderMap::new(), data);
    let code = code.unwrap_or_else(|| "Unknown".to_owned());
    BedrockFailure { status: status.unwrap_or(500), code, message, retry_after: None }
}

/// What can be made out.
struct Said {
    /// AWS's name of the error.
    code: Option<String>,
    message: String,
    /// The status that belongs to its type.
    status: Option<u16>,
}

impl Said {
    fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let message =
            |of: &Value| text(&of["message"]).or_else(|| text(&of["Message"])).unwrap_or(NO_REASON.to_owned());
        if let Some(kind) = body["error"]["type"].as_str() {
            let known = TYPES.iter().find(|(name, ..)| *name == kind);
            let code = known.map_or(kind, |(_, code, _)| code);
            return Self {
                code: name(code),
                message: message(&body["error"]),
                status: known.map(|(.., status)| *status),
            };
        }
        let of_header = headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok());
        let code = of_header.or(body["__type"].as_str()).or(body["code"].as_str()).and_then(name);
        Self { code, message: message(&body), status: None }
    }
}

/// The name of an error without the name space before it or the address behind it.
fn name(text: &str) -> Option<String> {
    let name = text.split(':').next().unwrap_or_default();
    let name = name.rsplit('#').next().unwrap_or_default();
    let well_formed = (1..=NAME_CHARS).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    well_formed.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, pairs: &[(&'static str, &str)], body: &str) -> (u16, String, String) {
        let headers = pairs.iter().map(|(n, v)| (n.parse::<http::HeaderName>().unwrap(), v.parse().unwrap())).collect();
        let failure = of_answer(status, &headers, body.as_bytes());
        (failure.status, failure.code, failure.message)
    }

    fn said(status: u16, code: &str, message: &str) -> (u16, String, String) {
        (status, code.to_owned(), message.to_owned())
    }

    #[test]
    fn every_type_of_anthropic_has_its_answer() {
        for (kind, status, expected) in [
            ("invalid_request_error", 400, (400, "invalid_request_error")),
            ("authentication_error", 401, (502, "api_error")),
            ("permission_error", 403, (502, "api_error")),
            ("not_found_error", 404, (404, "not_found_error")),
            ("timeout_error", 504, (504, "timeout_error")),
            ("request_too_large", 413, (413, "request_too_large")),
            ("rate_limit_error", 429, (429, "rate_limit_error")),
            ("api_error", 500, (500, "api_error")),
            ("overloaded_error", 529, (529, "overloaded_error")),
            ("error_of_tomorrow", 500, (500, "api_error")),
        ] {
            let body = format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"the reason"}}}}"#);
            let answered = of_answer(status, &HeaderMap::new(), body.as_bytes());
            for failure in [&answered, &of_event(body.as_bytes())] {
                let told = failure.to_client();
                assert_eq!((told.status, told.error_type.name()), expected, "{kind}");
                assert_eq!(failure.message, "the reason");
            }
        }
    }

    #[test]
    fn errors_of_aws_are_named_by_header_or_body() {
        let header = [("x-amzn-errortype", "ThrottlingException:http://internal.amazon.com/coral/")];
        assert_eq!(of(429, &header, r#"{"message":"slow down"}"#), said(429, "ThrottlingException", "slow down"));
        let typed = r#"{"__type":"com.amazon.bedrock#AccessDeniedException","Message":"no"}"#;
        assert_eq!(of(403, &[], typed), said(403, "AccessDeniedException", "no"));
        for body in ["", "<html>", "[]", r#"{"error":"text","message":7}"#] {
            assert_eq!(of(503, &[], body), said(503, "Unknown", NO_REASON), "{body}");
        }
    }

    /// B-51: a status of success does not make an answer of what is none.
    #[test]
    fn an_error_is_one_whatever_its_status() {
        let unknown = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
        assert_eq!(of(200, &[], unknown), said(502, "UnknownOperationException", NO_REASON));
        let busy = r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#;
        assert_eq!(of(200, &[], busy), said(503, "ServiceUnavailableException", "busy"));
        for body in ["", "<html>", "{}", r#"{"type":"completion"}"#] {
            assert_eq!(of_answer(200, &HeaderMap::new(), body.as_bytes()), BedrockFailure::invalid_answer(), "{body}");
        }
    }

    #[test]
    fn names_that_are_none_are_not_kept() {
        for odd in ["two words", "", "#", &"x".repeat(65), "a\u{e9}"] {
            assert_eq!(name(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_wait_is_read_where_it_is_a_number() {
        let wait = |text: &str| {
            let headers = [(RETRY_AFTER, text.parse().unwrap())].into_iter().collect();
            of_answer(429, &headers, b"").retry_after
        };
        assert_eq!((wait("7"), wait("Wed, 21 Oct 2026 07:28:00 GMT")), (Some(7), None));
    }
}
