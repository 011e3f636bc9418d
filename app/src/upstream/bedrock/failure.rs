//! What went wrong at Bedrock, and what the client is told of it.

use std::time::Duration;

use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;

use crate::domain::{ErrorType, Failure, ProviderError};

/// Seconds a throttled client is told to wait when Bedrock names no number.
const THROTTLED_SECONDS: u32 = 5;
/// Above this Claude Code gives up at once.
const LONGEST_WAIT_SECONDS: u32 = 60;

/// Our code for a call without an answer in time.
const TIMEOUT: &str = "Timeout";
/// Our code for a call that found no connection.
const UNREACHABLE: &str = "Unreachable";
/// Our code for a connection that broke before the answer was whole.
const BROKEN: &str = "BrokenConnection";
/// Our code for an answer that is none of the Messages API.
const INVALID_ANSWER: &str = "InvalidAnswer";
/// Our code for a call that could not even be made.
const UNSENDABLE: &str = "Unsendable";

/// A call that Bedrock did not serve.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("bedrock: {status} {code}: {message}")]
pub struct BedrockFailure {
    /// HTTP status; 0 when there was no answer.
    pub status: u16,
    /// AWS's name of the error, whichever interface has answered, or ours where there was no answer.
    pub code: String,
    /// AWS's words; they may name accounts.
    pub message: String,
    /// `retry-after` of the answer, seconds.
    pub retry_after: Option<u32>,
}

impl BedrockFailure {
    /// No answer in time.
    pub fn timeout(limit: Duration) -> Self {
        Self::without_answer(TIMEOUT, format!("no answer within {}", humantime::format_duration(limit)))
    }

    /// An answer that is none of the Messages API.
    pub fn invalid_answer() -> Self {
        Self { status: 502, ..Self::without_answer(INVALID_ANSWER, "Bedrock's answer could not be read".to_owned()) }
    }

    /// Whether it is sure that Bedrock has counted no tokens: it said no, or it was never reached. After a time-out, a
    /// broken connection or an answer that cannot be read it may have worked, and counted, all the same.
    pub fn counted_nothing(&self) -> bool {
        self.status >= 400 && self.code != INVALID_ANSWER || matches!(self.code.as_str(), UNREACHABLE | UNSENDABLE)
    }

    /// Whether it says something about Bedrock as a whole: it was not reached, did not answer, or failed inside.
    pub fn is_about_bedrock(&self) -> bool {
        matches!(self.status, 0 | 500..=599)
    }

    /// What went wrong where Bedrock gave no answer, or none of its own.
    pub fn without_answer_error(&self) -> Option<ProviderError> {
        match self.code.as_str() {
            TIMEOUT => Some(ProviderError::Timeout),
            UNREACHABLE => Some(ProviderError::Unreachable),
            BROKEN => Some(ProviderError::BrokenStream),
            INVALID_ANSWER => Some(ProviderError::InvalidAnswer),
            _ => None,
        }
    }

    /// A call that cannot be made.
    pub(super) fn unsendable(why: &str) -> Self {
        Self::without_answer(UNSENDABLE, why.to_owned())
    }

    fn without_answer(code: &str, message: String) -> Self {
        Self { status: 0, code: code.to_owned(), message, retry_after: None }
    }

    /// The answer for the client: status and type of the Messages API, words without account ids.
    pub fn to_client(&self) -> Failure {
        let text = redacted(&self.message);
        match (self.code.as_str(), self.status) {
            (TIMEOUT, _) => Failure::new(504, ErrorType::Timeout, "Bedrock did not begin to answer in time."),
            (UNREACHABLE, _) => Failure::new(502, ErrorType::Api, "Bedrock could not be reached."),
            (BROKEN, _) => Failure::new(502, ErrorType::Api, "Bedrock's answer broke off. Try again."),
            (INVALID_ANSWER, _) => Failure::new(
                502,
                ErrorType::Api,
                "Bedrock gave an answer that is none of the Messages API. Try again; if it stays so, ask your administrator.",
            ),
            ("ValidationException", _) if text.contains("Input is too long") => {
                Failure::new(400, ErrorType::InvalidRequest, format!("capability_rejected: prompt_too_long ({text})"))
            }
            ("ThrottlingException" | "ServiceQuotaExceededException", _) => Failure::new(429, ErrorType::RateLimit, text)
                .after_seconds(self.retry_after.unwrap_or(THROTTLED_SECONDS).clamp(1, LONGEST_WAIT_SECONDS)),
            ("ModelNotReadyException" | "ServiceUnavailableException", _) | (_, 503 | 529) => Failure::new(529, ErrorType::Overloaded, text),
            ("ModelTimeoutException", _) | (_, 408) => Failure::new(504, ErrorType::Timeout, text),
            ("ModelErrorException", _) | (_, 424 | 500) => Failure::new(500, ErrorType::Api, text),
            ("ResourceNotFoundException", _) | (_, 404) => Failure::new(404, ErrorType::NotFound, text),
            // Never 401: Claude Code would take its own login for broken.
            (_, 401 | 403) => Failure::new(
                502,
                ErrorType::Api,
                "Bedrock refused the key or the model that is registered for your access key. Ask your administrator to check both.",
            )
            .final_answer(),
            (_, 413) => Failure::new(413, ErrorType::RequestTooLarge, text),
            (_, 429) => Failure::new(429, ErrorType::RateLimit, text).after_seconds(THROTTLED_SECONDS),
            (_, 400..=499) => Failure::new(400, ErrorType::InvalidRequest, text),
            _ => Failure::new(502, ErrorType::Api, text),
        }
    }
}

impl<E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static> From<SdkError<E, HttpResponse>>
    for BedrockFailure
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::ServiceError(context) => {
                let raw = context.raw();
                let retry_after = raw.headers().get("retry-after").and_then(|value| value.parse().ok());
                Self {
                    status: raw.status().as_u16(),
                    code: context.err().code().unwrap_or("Unknown").to_owned(),
                    message: context.err().message().unwrap_or("Bedrock gave no reason").to_owned(),
                    retry_after,
                }
            }
            SdkError::ResponseError(context) => {
                let status = context.raw().status().as_u16();
                Self { status: if status < 400 { 502 } else { status }, ..Self::invalid_answer() }
            }
            SdkError::TimeoutError(_) => Self::without_answer(TIMEOUT, "the call timed out".to_owned()),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Self::without_answer(TIMEOUT, "connecting timed out".to_owned())
            }
            SdkError::DispatchFailure(failure) => {
                let never_connected = failure.as_connector_error().is_some_and(ConnectorError::is_user);
                let cause = failure.as_connector_error().map_or_else(String::new, |error| deepest(error));
                Self::without_answer(if never_connected { UNREACHABLE } else { BROKEN }, cause)
            }
            other => Self::without_answer(UNSENDABLE, deepest(other)),
        }
    }
}

impl From<reqwest::Error> for BedrockFailure {
    fn from(error: reqwest::Error) -> Self {
        let code = match &error {
            error if error.is_connect() => UNREACHABLE,
            error if error.is_timeout() => TIMEOUT,
            error if error.is_builder() => UNSENDABLE,
            _ => BROKEN,
        };
        Self::without_answer(code, deepest(&error.without_url()))
    }
}

fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string()
}

/// AWS's words without ARNs and account numbers, which are nobody's business outside the administration.
fn redacted(text: &str) -> String {
    let is_border = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '(' | ')');
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(is_border) {
        let body = word.trim_end_matches(is_border);
        match body.find("arn:aws") {
            Some(at) => {
                out.push_str(&body[..at]);
                out.push_str("[arn]");
            }
            None => out.push_str(&without_account(body)),
        }
        out.push_str(&word[body.len()..]);
    }
    out
}

/// Replaces every run of exactly twelve digits.
fn without_account(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[start..].bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(&rest[..start]);
        out.push_str(if digits == 12 { "[account]" } else { &rest[start..start + digits] });
        rest = &rest[start + digits..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, code: &str, message: &str) -> (u16, &'static str) {
        let failure = BedrockFailure { status, code: code.to_owned(), message: message.to_owned(), retry_after: None }
            .to_client();
        (failure.status, failure.error_type.name())
    }

    #[test]
    fn every_error_of_bedrock_has_its_answer() {
        for (status, code, expected) in [
            (403, "AccessDeniedException", (502, "api_error")),
            (400, "ValidationException", (400, "invalid_request_error")),
            (404, "ResourceNotFoundException", (404, "not_found_error")),
            (408, "ModelTimeoutException", (504, "timeout_error")),
            (424, "ModelErrorException", (500, "api_error")),
            (429, "ThrottlingException", (429, "rate_limit_error")),
            (429, "ModelNotReadyException", (529, "overloaded_error")),
            (400, "ServiceQuotaExceededException", (429, "rate_limit_error")),
            (500, "InternalServerException", (500, "api_error")),
            (503, "ServiceUnavailableException", (529, "overloaded_error")),
            (401, "Unknown", (502, "api_error")),
            (0, UNREACHABLE, (502, "api_error")),
            (0, TIMEOUT, (504, "timeout_error")),
            (502, "Unknown", (502, "api_error")),
            (529, "Unknown", (529, "overloaded_error")),
            (413, "Unknown", (413, "request_too_large")),
            (502, INVALID_ANSWER, (502, "api_error")),
        ] {
            assert_eq!(told(status, code, "text"), expected, "{status} {code}");
        }
    }

    /// B-72
    #[test]
    fn a_prompt_that_is_too_long_is_told_in_the_words_that_compact_it() {
        let failure = BedrockFailure {
            status: 400,
            code: "ValidationException".to_owned(),
            message: "Input is too long for requested model.".to_owned(),
            retry_after: None,
        };
        assert!(failure.to_client().message.starts_with("capability_rejected: prompt_too_long"));
    }

    /// B-74
    #[test]
    fn accounts_and_arns_are_not_told() {
        let text =
            "User: arn:aws:iam::123456789012:user/x is not authorized (account 123456789012), request 1234567890123";
        assert_eq!(redacted(text), "User: [arn] is not authorized (account [account]), request 1234567890123");
    }
}
