//! Turns failures into answers in the shape of the Messages API; the only place on the proxy's side that does.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use poem::Response;

use crate::domain::{ErrorType, Failure};
use crate::telemetry;
use crate::wire::headers;

/// The answer for a failure.
pub(super) fn response(failure: &Failure) -> Response {
    let mut response = Response::builder()
        .status(StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_GATEWAY))
        .body(failure.to_json());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    advise(headers, failure);
    response
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

/// The answer for what the web framework refuses itself: unknown paths, wrong methods, broken requests.
pub(super) fn from_framework(error: &poem::Error) -> Response {
    let request_id = uuid::Uuid::now_v7();
    let _entered = tracing::error_span!("request", %request_id).entered();
    let status = error.status();
    let failure = match status.as_u16() {
        404 => Failure::new(
            404,
            ErrorType::NotFound,
            "There is nothing at this path. The proxy serves /ak/{access key}/v1/... and /v1/...",
        ),
        405 => Failure::new(405, ErrorType::InvalidRequest, "This path does not take this method."),
        500..=599 => {
            tracing::error!(status = status.as_u16(), "a request failed inside of the proxy");
            Failure::new(status.as_u16(), ErrorType::Api, "The proxy failed. Try again soon.")
        }
        other => Failure::new(other, ErrorType::InvalidRequest, "The request cannot be read."),
    };
    tracing::info!(target: telemetry::RECORDS, status = failure.status, outcome = "refused", "request");
    let mut response = response(&failure);
    if let Ok(value) = HeaderValue::from_str(&request_id.to_string()) {
        response.headers_mut().insert(headers::REQUEST_ID, value);
    }
    response
}
