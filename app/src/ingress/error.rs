//! Turns failures into answers in the shape that the client reads; the only place on the proxy's side that does.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use poem::Response;

use crate::domain::{ErrorType, Failure};
use crate::telemetry;
use crate::wire::headers;

/// In whose words errors are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// Those of the Messages API.
    Messages,
    /// Those of AWS.
    Aws,
}

impl Shape {
    /// The failure with a status that clients of this shape know.
    pub(super) fn fitted(self, failure: Failure) -> Failure {
        match self {
            Self::Messages => failure,
            Self::Aws => Failure { status: aws_exception(&failure).1, ..failure },
        }
    }

    /// The answer for a failure.
    pub(super) fn response(self, failure: &Failure) -> Response {
        let (status, body) = match self {
            Self::Messages => (failure.status, failure.to_json()),
            Self::Aws => (aws_exception(failure).1, serde_json::json!({ "message": failure.message }).to_string()),
        };
        let mut response =
            Response::builder().status(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY)).body(body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self == Self::Aws {
            let name = HeaderValue::from_static(aws_exception(failure).0);
            headers.insert(HeaderName::from_static("x-amzn-errortype"), name);
        }
        advise(headers, failure);
        response
    }
}

/// The exception of Bedrock that says the same, and its status.
fn aws_exception(failure: &Failure) -> (&'static str, u16) {
    match (failure.error_type, failure.status) {
        (ErrorType::InvalidRequest | ErrorType::RequestTooLarge, status) => ("ValidationException", status),
        (ErrorType::Permission, _) => ("AccessDeniedException", 403),
        (ErrorType::NotFound, _) => ("ResourceNotFoundException", 404),
        (ErrorType::NotSupported, _) => ("UnknownOperationException", 404),
        (ErrorType::RateLimit, _) => ("ThrottlingException", 429),
        (ErrorType::Billing, _) => ("ServiceQuotaExceededException", 429),
        (ErrorType::Timeout, _) => ("ModelTimeoutException", 408),
        (ErrorType::Api, 500) => ("InternalServerException", 500),
        (ErrorType::Overloaded | ErrorType::Api, _) => ("ServiceUnavailableException", 503),
    }
}

/// Whether and when to try again.
fn advise(headers: &mut HeaderMap, failure: &Failure) {
    if let Some(retry) = failure.should_retry {
        let value = HeaderValue::from_static(if retry { "true" } else { "false" });
        headers.insert(HeaderName::from_static("x-should-retry"), value);
    }
    if let Some(seconds) = failure.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// The methods that a path takes, told with the error of one that it does not.
#[derive(Clone, Copy)]
pub(super) struct Methods(pub &'static str);

/// The answer for what the web framework refuses itself: unknown paths, wrong methods, broken requests.
pub(super) fn from_framework(error: &poem::Error, shape: Shape) -> Response {
    let request_id = uuid::Uuid::now_v7();
    let _entered = tracing::error_span!("request", %request_id).entered();
    let status = error.status();
    let failure = match status.as_u16() {
        404 => Failure::new(
            404,
            ErrorType::NotFound,
            "There is nothing at this path. The proxy serves /ak/{access key}/v1/... and /v1/..., and for clients of Bedrock \
             /ak/{access key}/model/... and /model/...",
        ),
        405 => Failure::new(405, ErrorType::InvalidRequest, "This path does not take this method."),
        500..=599 => {
            tracing::error!(status = status.as_u16(), "a request failed inside of the proxy");
            Failure::new(status.as_u16(), ErrorType::Api, "The proxy failed. Try again soon.")
        }
        other => Failure::new(other, ErrorType::InvalidRequest, "The request cannot be read."),
    };
    tracing::info!(target: telemetry::RECORDS, status = failure.status, outcome = "refused", "request");
    let mut response = shape.response(&failure);
    if let (405, Some(Methods(methods))) = (failure.status, error.data()) {
        response.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static(methods));
    }
    if let Ok(value) = HeaderValue::from_str(&request_id.to_string()) {
        response.headers_mut().insert(headers::REQUEST_ID, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_name_and_a_status_of_aws() {
        for (status, error_type, expected) in [
            (400, ErrorType::InvalidRequest, ("ValidationException", 400)),
            (408, ErrorType::InvalidRequest, ("ValidationException", 408)),
            (413, ErrorType::RequestTooLarge, ("ValidationException", 413)),
            (403, ErrorType::Permission, ("AccessDeniedException", 403)),
            (404, ErrorType::NotFound, ("ResourceNotFoundException", 404)),
            (501, ErrorType::NotSupported, ("UnknownOperationException", 404)),
            (429, ErrorType::RateLimit, ("ThrottlingException", 429)),
            (429, ErrorType::Billing, ("ServiceQuotaExceededException", 429)),
            (504, ErrorType::Timeout, ("ModelTimeoutException", 408)),
            (529, ErrorType::Overloaded, ("ServiceUnavailableException", 503)),
            (502, ErrorType::Api, ("ServiceUnavailableException", 503)),
            (500, ErrorType::Api, ("InternalServerException", 500)),
        ] {
            let failure = Failure::new(status, error_type, "text");
            assert_eq!(aws_exception(&failure), expected, "{failure}");
            let fitted = Shape::Aws.fitted(failure.clone());
            assert_eq!((aws_exception(&fitted), fitted.status), (expected, expected.1), "{failure}");
            assert_eq!(Shape::Messages.fitted(failure.clone()), failure);
        }
    }
}
