//! The way of a request to its operation: its id, where it comes from, how large it is, and one line in the log.

use std::net::IpAddr;

use http::header::{ALLOW, CACHE_CONTROL, HeaderName, HeaderValue};
use poem::error::ReadBodyError;
use poem::{Endpoint, EndpointExt as _, IntoEndpoint as _, Request, Response};
use poem_openapi::error::{
    AuthorizationError, ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError,
};
use tracing::Instrument as _;
use uuid::Uuid;

use super::access::client_address;
use super::caller::{ClientAddress, unauthenticated};
use super::docs::docs;
use super::problem::{FieldProblem, Kind, Problem};
use super::service::admin_service;
use super::{Admin, SharedAdmin, deadline, idempotency, texts};
use crate::openapi::Document;
use crate::telemetry;
use crate::wire::headers;

/// Largest body of a request.
const MAX_BODY: usize = 1 << 20;

tokio::task_local! {
    static REQUEST_ID: Uuid;
}

/// The id of the request that is being served.
pub(super) fn request_id() -> Uuid {
    REQUEST_ID.try_with(|id| *id).unwrap_or_default()
}

/// All paths below `/admin`.
pub fn routes(admin: SharedAdmin) -> impl Endpoint<Output = Response> + 'static {
    let service = admin_service();
    let document = Document::of(&service);
    let operations = docs(&service, &document).nest_no_strip("/admin", service).into_endpoint();
    Admitted { admin, document, operations: operations.map_to_response().boxed() }
}

struct Admitted {
    admin: SharedAdmin,
    document: Document,
    operations: poem::endpoint::BoxEndpoint<'static>,
}

impl Endpoint for Admitted {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let id = Uuid::now_v7();
        let span = tracing::error_span!("request", request_id = %id);
        let served = async {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            let mut response = match self.serve(request).await {
                Ok(response) => response,
                Err(error) => refusal(error),
            };
            if response.status().as_u16() == 405 {
                let methods = HeaderValue::from_str(&self.document.methods(&path)).ok();
                // What is not in the document are the pages that show it.
                let methods = methods.filter(|methods| !methods.is_empty());
                response.headers_mut().insert(ALLOW, methods.unwrap_or(HeaderValue::from_static("GET, HEAD")));
            }
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            let nosniff = HeaderName::from_static("x-content-type-options");
            response.headers_mut().insert(nosniff, HeaderValue::from_static("nosniff"));
            if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
                response.headers_mut().insert(headers::REQUEST_ID, value);
            }
            let (status, method) = (response.status().as_u16(), method.as_str());
            tracing::info!(target: telemetry::RECORDS, status, method, operation = "admin", "request");
            response
        };
        Ok(REQUEST_ID.scope(id, served).instrument(span).await)
    }
}

impl Admitted {
    async fn serve(&self, mut request: Request) -> poem::Result<Response> {
        let address = allowed(&self.admin, &request).ok_or_else(|| {
            tracing::warn!("somebody outside of ADMIN_ALLOWED_CIDRS asked for the admin API");
            let message = "The admin API is not open to your address. An operator can add it to ADMIN_ALLOWED_CIDRS.";
            poem::Error::from_response(Problem::new(Kind::Forbidden, "forbidden", message).response())
        })?;
        let body = deadline::read(request.take_body(), MAX_BODY).await?;
        idempotency::check(request.headers())
            .and_then(|()| texts::check(&self.document, request.method().as_str(), request.uri().path(), &body))
            .map_err(|problem| poem::Error::from_response(problem.response()))?;
        request.set_body(body);
        request.set_data(ClientAddress(address));
        request.set_data(SharedAdmin::clone(&self.admin));
        let path = request.uri().path().to_owned();
        deadline::over(&path, self.operations.call(request)).await
    }
}

fn allowed(admin: &Admin, request: &Request) -> Option<IpAddr> {
    let peer = request.remote_addr().as_socket_addr()?.ip();
    let address = client_address(peer, request.headers(), &admin.config.trusted_proxies)?;
    admin.config.allowed.iter().any(|network| network.contains(&address)).then_some(address)
}

/// The answer for what the web framework refuses itself.
fn refusal(error: poem::Error) -> Response {
    let told = error.to_string();
    let problem = if let Some(error) = error.downcast_ref::<ParseParamError>() {
        of_field(error.name, &error.reason)
    } else if let Some(error) = error.downcast_ref::<ParsePathError>() {
        of_field(error.name, &error.reason)
    } else if let Some(error) = error.downcast_ref::<ParseRequestPayloadError>() {
        of_body(&error.reason)
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

/// Marks a value that could be read and is not allowed, in the words of the framework and of our own types.
const OUT_OF_RANGE: &str = "verification failed. ";

fn of_field(name: &str, reason: &str) -> Problem {
    if let Some((_, problem)) = reason.split_once(OUT_OF_RANGE) {
        return Problem::field(name, problem);
    }
    let fields = vec![FieldProblem { name: name.to_owned(), problem: reason.to_owned() }];
    Problem { fields, ..Problem::new(Kind::Malformed, "malformed", format!("`{name}` cannot be read: {reason}")) }
}

fn of_body(reason: &str) -> Problem {
    // What the framework was at when it happened.
    let reason = reason.split_once(" (occurred while").map_or(reason, |(reason, _)| reason);
    match reason.split_once(OUT_OF_RANGE) {
        Some((before, problem)) => {
            let name = before.rsplit('`').nth(1).unwrap_or("body");
            Problem::field(name, problem)
        }
        None => Problem::new(Kind::Malformed, "malformed", format!("The body cannot be read: {reason}")),
    }
}
