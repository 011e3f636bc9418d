//! The table of routes. Documented operations go through poem-openapi; everything else under `/v1` passes to the plan.

use std::sync::Arc;

use http::Method;
use poem::endpoint::BoxEndpoint;
use poem::middleware::{AddData, CatchPanic, PanicHandler};
use poem::web::Data;
use poem::{
    Body, Endpoint, EndpointExt as _, IntoEndpoint as _, IntoResponse, Request, Response, Route, get, handler, head,
};

use super::error::Shape;
use super::forward::forward;
use super::native::native;
use super::service::proxy_service;
use super::{SharedIngress, error};
use crate::admin::{self, SharedAdmin};
use crate::relay::Operation;

/// Operations of the Messages API that the OpenAPI document describes; a test holds it to them. Other methods on these
/// paths pass to the plan like everything else.
pub(crate) const DOCUMENTED: &[(Method, &str)] = &[
    (Method::POST, "/ak/:access_key/v1/messages"),
    (Method::POST, "/ak/:access_key/v1/messages/count_tokens"),
    (Method::GET, "/ak/:access_key/v1/models"),
    (Method::GET, "/ak/:access_key/v1/models/:model_id"),
    (Method::POST, "/v1/messages"),
    (Method::POST, "/v1/messages/count_tokens"),
    (Method::GET, "/v1/models"),
    (Method::GET, "/v1/models/:model_id"),
];

/// Paths that are described too and are the proxy's own.
pub(crate) const OPEN: &[&str] = &["/health", "/ready"];

/// Paths for clients that speak Bedrock's own format. AWS describes what is below them.
const NATIVE: &[&str] = &[
    "/ak/:access_key/model/*rest",
    "/ak/:access_key/inference-profiles",
    "/ak/:access_key/inference-profiles/*rest",
    "/model/*rest",
    "/inference-profiles",
    "/inference-profiles/*rest",
];

/// All routes of the proxy.
pub(super) fn routes(ingress: SharedIngress, admin: SharedAdmin) -> impl Endpoint<Output = Response> + 'static {
    let documented: Arc<BoxEndpoint<'static>> = Arc::new(proxy_service().into_endpoint().map_to_response().boxed());
    let mut route = Route::new();
    for path in OPEN {
        route = route.at(path, Takes { methods: "GET, HEAD", served: Arc::clone(&documented) });
    }
    for (method, path) in DOCUMENTED {
        route = route.at(path, ByMethod { method: method.clone(), documented: Arc::clone(&documented) });
    }
    let of_bedrock: Arc<BoxEndpoint<'static>> = Arc::new(native.with(caught(Shape::Aws)).map_to_response().boxed());
    for path in NATIVE {
        route = route.at(path, Arc::clone(&of_bedrock));
    }
    route
        .nest_no_strip("/admin", admin::routes(admin).around(once_opened))
        .at("/ak/:access_key/v1/*rest", pass_through)
        .at("/v1/*rest", pass_through)
        .at("/ak/:access_key", Takes { methods: "HEAD", served: head(greet) })
        .at("/ak/:access_key/", Takes { methods: "HEAD", served: head(greet) })
        .at("/ak/:access_key/api/hello", Takes { methods: "GET, HEAD", served: get(greet).head(greet) })
        .with(AddData::new(ingress))
        .with(caught(Shape::Messages))
        .catch_all_error(|failure| async move { error::from_framework(&failure, Shape::Messages) })
        .map_to_response()
}

/// Serves what waits for the first look at the tables.
async fn once_opened<E: Endpoint>(served: Arc<E>, request: Request) -> poem::Result<E::Output> {
    if let Some(ingress) = request.data::<SharedIngress>() {
        ingress.opened.wait().await;
    }
    served.call(request).await
}

/// Turns a panic into an answer.
fn caught(shape: Shape) -> CatchPanic<impl PanicHandler> {
    CatchPanic::new().with_handler(move |_: Box<dyn std::any::Any + Send>| {
        error::from_framework(&poem::Error::from_status(http::StatusCode::INTERNAL_SERVER_ERROR), shape)
    })
}

/// Tells with a refused method which ones there are, for the header `Allow` (RFC 9110).
struct Takes<E> {
    methods: &'static str,
    served: E,
}

impl<E: Endpoint> Endpoint for Takes<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> poem::Result<E::Output> {
        let mut served = self.served.call(request).await;
        if let Err(error) = &mut served {
            error.set_data(error::Methods(self.methods));
        }
        served
    }
}

/// The documented operation for its method, the plan for every other.
struct ByMethod {
    method: Method,
    documented: Arc<BoxEndpoint<'static>>,
}

impl Endpoint for ByMethod {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if request.method() == self.method {
            self.documented.call(request).await
        } else {
            pass_through.call(request).await.map(IntoResponse::into_response)
        }
    }
}

/// Whatever the Messages API offers beyond the documented operations.
#[handler]
async fn pass_through(ingress: Data<&SharedIngress>, request: &Request, body: Body) -> Response {
    forward(&ingress, request, body, Operation::Passthrough).await
}

/// What Claude Code asks at its start, without a credential, to warm up the connection.
#[handler]
fn greet() -> Response {
    http::StatusCode::OK.into_response()
}
