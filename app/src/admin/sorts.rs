//! Sorts of operations: what each can be refused for, as the document says it.

use std::marker::PhantomData;

use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry};
use poem_openapi::types::Type as _;

use super::problem::{ErrorBody, Kind, Problem};

/// Which kinds of refusals operations of a sort can have, beside those that all have.
pub trait Sort: Send + Sync + 'static {
    const KINDS: &'static [Kind];
}

/// What all operations with a login can answer.
const OF_ALL: [Kind; 5] = [Kind::Malformed, Kind::Unauthenticated, Kind::Forbidden, Kind::OutOfRange, Kind::Away];

macro_rules! sorts {
    ($($(#[$doc:meta])* $name:ident: $($kind:ident),*;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(super) struct $name;
        impl Sort for $name {
            const KINDS: &'static [Kind] = &[$(Kind::$kind),*];
        })*
    };
}

sorts! {
    /// Lists.
    Listing:;
    /// Shows one thing.
    Showing: NotFound;
    /// Makes or changes something with a body.
    Changing: NotFound, Conflict, TooLarge, MediaType;
    /// Logs in.
    LoggingIn: TooOften;
    /// Reads a report, which waits for its turn.
    Reporting: TooOften;
}

/// A refusal of an operation of this sort.
#[derive(Clone, Debug)]
pub struct Refused<S>(Problem, PhantomData<S>);

impl<S, P: Into<Problem>> From<P> for Refused<S> {
    fn from(problem: P) -> Self {
        Self(problem.into(), PhantomData)
    }
}

impl<S: Sort> From<Refused<S>> for poem::Error {
    fn from(refused: Refused<S>) -> Self {
        Self::from_response(refused.0.response())
    }
}

impl<S: Sort> IntoResponse for Refused<S> {
    fn into_response(self) -> Response {
        self.0.response()
    }
}

impl<S: Sort> ApiResponse for Refused<S> {
    fn meta() -> MetaResponses {
        let mut kinds: Vec<Kind> = OF_ALL.iter().chain(S::KINDS).copied().collect();
        kinds.sort_by_key(|kind| kind.status());
        MetaResponses { responses: kinds.into_iter().map(documented).collect() }
    }

    fn register(registry: &mut Registry) {
        ErrorBody::register(registry);
    }
}

fn documented(kind: Kind) -> MetaResponse {
    let header = |name: &str, description: &str, schema: MetaSchemaRef| MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: true,
        deprecated: false,
        schema,
    };
    let headers = match kind {
        Kind::TooOften => vec![header("retry-after", "Seconds until it may be tried again.", u64::schema_ref())],
        Kind::Unauthenticated => vec![header("www-authenticate", "How to log in.", String::schema_ref())],
        _ => Vec::new(),
    };
    MetaResponse {
        description: kind.description(),
        status: Some(kind.status()),
        status_range: None,
        content: vec![MetaMediaType {
            content_type: "application/json; charset=utf-8",
            schema: ErrorBody::schema_ref(),
        }],
        headers,
    }
}
