//! The answers for what the web framework refuses by itself.

use poem::Response;
use poem::error::ReadBodyError;
use poem_openapi::error::{
    AuthorizationError, ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError,
};

use super::caller::unauthenticated;
use super::deadline::MAX_BODY;
use super::problem::{Kind, Problem};
use super::words;
use crate::openapi::Document;

/// How the framework calls the first, the second... parameter of a path.
const PLACE: &str = "param";
/// How the framework says that there is no body.
const NO_BODY: &str = ", found null.";

/// The answer for this path.
pub(super) fn refusal(error: poem::Error, document: &Document, path: &str) -> Response {
    let told = error.to_string();
    let problem = if let Some(error) = error.downcast_ref::<ParseParamError>() {
        of_field(document, error.name, &error.reason)
    } else if let Some(error) = error.downcast_ref::<ParsePathError>() {
        let place = error.name.strip_prefix(PLACE).and_then(|place| place.parse().ok());
        let name = place.and_then(|place| document.path_parameter(path, place));
        of_field(document, name.unwrap_or(error.name), &error.reason)
    } else if let Some(error) = error.downcast_ref::<ParseRequestPayloadError>() {
        of_body(document, &error.reason)
    } else if error.downcast_ref::<ContentTypeError>().is_some() {
        Problem::new(
            Kind::MediaType,
            "media_type",
            "The body has to be JSON; send it with content-type: application/json.",
        )
    } else if error.downcast_ref::<AuthorizationError>().is_some() {
        unauthenticated()
    } else if matches!(error.downcast_ref::<ReadBodyError>(), Some(ReadBodyError::PayloadTooLarge)) {
        Problem::new(Kind::TooLarge, "too_large", format!("The body has more than {MAX_BODY} bytes."))
    } else if error.is_from_response() {
        return error.into_response();
    } else {
        match error.status().as_u16() {
            404 => Problem::new(
                Kind::NotFound,
                "no_such_path",
                "There is nothing at this path. /admin/docs shows what there is.",
            ),
            405 => Problem::new(
                Kind::Method,
                "method",
                "This path does not take this method. /admin/docs shows what there is.",
            ),
            400..=499 => Problem::new(Kind::Malformed, "malformed", "The request cannot be read."),
            _ => {
                tracing::error!(error = told, "an operation of the admin API broke");
                Problem::new(Kind::Broken, "broken", "The proxy failed. Look for the request's id in its log.")
            }
        }
    };
    problem.response()
}

fn of_field(document: &Document, name: &str, reason: &str) -> Problem {
    if let Some((_, check)) = reason.split_once(words::OUT_OF_RANGE) {
        return Problem::field(name, words::of_check(check));
    }
    Problem::unreadable(name, words::of_reading(document, reason))
}

fn of_body(document: &Document, reason: &str) -> Problem {
    if let Some((before, check)) = reason.split_once(words::OUT_OF_RANGE) {
        let name = before.rsplit('`').nth(1).unwrap_or("body");
        return Problem::field(name, words::of_check(check));
    }
    let problem = if reason.ends_with(NO_BODY) {
        "there is none; send a JSON object, {} if there is nothing to say".to_owned()
    } else {
        words::of_reading(document, reason)
    };
    Problem::new(Kind::Malformed, "malformed", format!("The body cannot be read: {problem}"))
}
