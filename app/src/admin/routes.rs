//! The way of a request to its operation: its id, where it comes from, how large it is, and one line in the log.

use std::net::IpAddr;

use chrono::Utc;
use http::header::{ALLOW, CACHE_CONTROL, HeaderName, HeaderValue};
use poem::{Endpoint, EndpointExt as _, IntoEndpoint as _, Request, Response};
use poem_openapi::auth::{Bearer, BearerAuthorization};
use poem_openapi::payload::{Json, Payload};
use tracing::Instrument as _;
use uuid::Uuid;

use super::access::{Entrance, client_address, is_relayed_by_a_stranger};
use super::caller::ClientAddress;
use super::docs::docs;
use super::problem::{Kind, Problem};
use super::refusal::refusal;
use super::service::admin_service;
use super::{Admin, SharedAdmin, deadline, idempotency, queries, texts};
use crate::openapi::Document;
use crate::telemetry;
use crate::wire::headers;

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
                Err(error) => refusal(error, &self.document, &path),
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
        let address = allowed(&self.admin, &request).map_err(|(log, message)| {
            tracing::warn!("{log}");
            poem::Error::from_response(Problem::new(Kind::Forbidden, "forbidden", message).response())
        })?;
        let body = deadline::read(request.take_body()).await?;
        // Whoever is not logged in is told that first, and who sends something else than JSON that, by the operation.
        if signed(&self.admin, &request).await {
            let (method, path) = (request.method().as_str(), request.uri().path());
            let is_json = request.content_type().is_some_and(<Json<String> as Payload>::check_content_type);
            let checked = idempotency::check(request.headers())
                .and_then(|()| queries::check(&self.document, method, path, request.uri().query().unwrap_or_default()))
                .and_then(|()| if is_json { texts::check(&self.document, method, path, &body) } else { Ok(()) });
            checked.map_err(|problem| poem::Error::from_response(problem.response()))?;
        }
        request.set_body(body);
        request.set_data(ClientAddress(address));
        request.set_data(SharedAdmin::clone(&self.admin));
        let path = request.uri().path().to_owned();
        deadline::over(&path, self.operations.call(request)).await
    }
}

/// The address of the client, if it may; else what the log and what the client is told.
fn allowed(admin: &Admin, request: &Request) -> Result<IpAddr, (&'static str, &'static str)> {
    const OUTSIDE: (&str, &str) = (
        "somebody outside of ADMIN_ALLOWED_CIDRS asked for the admin API",
        "The admin API is not open to your address. An operator can add it to ADMIN_ALLOWED_CIDRS.",
    );
    const STRANGER: (&str, &str) = (
        "a proxy that is not in TRUSTED_PROXIES asked for the admin API",
        "The admin API does not know the proxy that you come through. An operator can add its network to TRUSTED_PROXIES.",
    );
    let (config, headers) = (&admin.config, request.headers());
    let peer = request.remote_addr().as_socket_addr().ok_or(OUTSIDE)?.ip();
    if is_relayed_by_a_stranger(peer, headers, &config.trusted_proxies) {
        return Err(STRANGER);
    }
    let address = client_address(peer, headers, &config.trusted_proxies).ok_or(OUTSIDE)?;
    config.allowed.iter().any(|network| network.contains(&address)).then_some(address).ok_or(OUTSIDE)
}

/// Whether there is a token of ours, taken back or not. It may be of a password that another instance knows already.
async fn signed(admin: &Admin, request: &Request) -> bool {
    let Ok(bearer) = <Bearer as BearerAuthorization>::from_request(request) else { return false };
    let reads = |entrance: &Entrance| entrance.tokens.read(&bearer.token, Utc::now()).is_some();
    reads(&admin.entrance.current()) || admin.entrance.doubted().await.is_some_and(|newer| reads(&newer))
}
