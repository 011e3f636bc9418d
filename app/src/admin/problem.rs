//! Why an operation was refused, in the one shape that all errors of the admin API have; the only place that makes it.

use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use poem::{IntoResponse, Response};
use poem_openapi::Object;
use poem_openapi::payload::Json;
use uuid::Uuid;

use crate::store::StoreError;

/// What went wrong.
#[derive(Object, Clone, Debug)]
pub(super) struct ErrorBody {
    error: ErrorDetail,
}

/// What went wrong, for programs and for people.
#[derive(Object, Clone, Debug)]
#[oai(rename = "Error")]
pub(super) struct ErrorDetail {
    /// A word that never changes, such as `not_found` or `user_name_taken`.
    code: String,
    /// What, with which value, and what to do about it.
    message: String,
    /// The id of the request; it is in the log, too.
    request_id: Uuid,
    /// The fields that are wrong, if single ones are.
    fields: Vec<FieldProblem>,
}

/// A field that is wrong.
#[derive(Object, Clone, PartialEq, Eq, Debug)]
pub struct FieldProblem {
    /// Its name, as in the request.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Why an operation was refused.
#[derive(Clone, Debug)]
pub struct Problem {
    pub kind: Kind,
    pub code: &'static str,
    pub message: String,
    pub fields: Vec<FieldProblem>,
    /// Seconds after which it may be tried again.
    pub retry_after: Option<u64>,
}

/// Kinds of refusals, each with its status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// 400: it cannot be read.
    Malformed,
    /// 401: it is not known who asks.
    Unauthenticated,
    /// 403: not from there.
    Forbidden,
    /// 404: there is no such thing.
    NotFound,
    /// 405: not with this method.
    Method,
    /// 409: something else is in the way.
    Conflict,
    /// 413: the body is too large.
    TooLarge,
    /// 415: the body is not JSON.
    MediaType,
    /// 422: it can be read, and a value cannot be used.
    OutOfRange,
    /// 429: too often.
    TooOften,
    /// 500: the proxy has a bug.
    Broken,
    /// 503: the database or the vault is away.
    Away,
}

impl Kind {
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Method => 405,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::MediaType => 415,
            Self::OutOfRange => 422,
            Self::TooOften => 429,
            Self::Broken => 500,
            Self::Away => 503,
        }
    }

    /// As the document describes it.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Malformed => "The request cannot be read.",
            Self::Unauthenticated => "No valid login came with the request.",
            Self::Forbidden => "The admin API is not open to the address of the client.",
            Self::NotFound => "There is no such thing.",
            Self::Method => "The path does not take the method.",
            Self::Conflict => "Something that is there already is in the way.",
            Self::TooLarge => "The body is too large.",
            Self::MediaType => "The body is not `application/json`.",
            Self::OutOfRange => "The request can be read, and a value in it cannot be used.",
            Self::TooOften => "Tried too often; `retry-after` says when again.",
            Self::Broken => "The proxy failed.",
            Self::Away => "The database, or what keeps the Bedrock keys, does not answer. Try again soon.",
        }
    }
}

impl Problem {
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), fields: Vec::new(), retry_after: None }
    }

    /// There is no such thing, `what` with its id.
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(Kind::NotFound, "not_found", format!("There is no {what} {id}. List them to see which there are."))
    }

    /// A value that cannot be used.
    pub fn field(name: &str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        let told = Self::new(Kind::OutOfRange, "invalid_field", format!("`{name}` cannot be used: {problem}"));
        Self { fields: vec![FieldProblem { name: name.to_owned(), problem }], ..told }
    }

    /// Something with a name that cannot be read: a parameter, a header, a field of the body.
    pub fn unreadable(name: &str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        let told = Self::new(Kind::Malformed, "malformed", format!("`{name}` cannot be read: {problem}"));
        Self { fields: vec![FieldProblem { name: name.to_owned(), problem }], ..told }
    }

    pub fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The answer. The id of the request is that of the span in which it is made.
    pub fn response(&self) -> Response {
        let detail = ErrorDetail {
            code: self.code.to_owned(),
            message: self.message.clone(),
            request_id: super::routes::request_id(),
            fields: self.fields.clone(),
        };
        let mut response = Json(ErrorBody { error: detail }).into_response();
        response.set_status(StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if self.kind == Kind::Unauthenticated {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"admin\""));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_about_a_value() {
            let message = "A value in the request cannot be looked for or stored. Texts have no NUL characters, and dates are \
                           in the years 1 to 9999.";
            return Self::new(Kind::OutOfRange, "invalid_value", message);
        }
        tracing::error!(%error, "an operation of the admin API failed");
        Self::new(Kind::Away, "database_away", "The database does not answer. Nothing was changed. Try again soon.")
            .after(5)
    }
}
