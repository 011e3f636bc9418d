//! Serves clients that speak Bedrock's own format, on `/ak/{access key}/model/...` and the same without the key.

use std::time::Instant;

use poem::web::Data;
use poem::{Body, Request, Response, handler};
use uuid::Uuid;

use super::error::Shape;
use super::forward::{admitted, declared, facts, identify, split, unserved};
use super::{SharedIngress, body};
use crate::domain::{ErrorType, Failure};
use crate::meter::RequestFacts;
use crate::relay::{Refusal, Reply};
use crate::upstream::bedrock::native::NativeCall;
use crate::wire::native_path::{self, NativePathError};

/// Whatever stands below these paths.
#[handler]
pub(super) async fn native(ingress: Data<&SharedIngress>, request: &Request, body: Body) -> Response {
    admitted(&ingress, Shape::Aws, |request_id| relayed(&ingress, request, body, request_id)).await
}

async fn relayed(
    ingress: &SharedIngress,
    request: &Request,
    request_body: Body,
    request_id: Uuid,
) -> Result<Reply, Refusal> {
    let refuse = |failure| unserved(failure, Shape::Aws);
    let (_, path_and_query) = split(request.original_uri());
    let path = native_path::read(request.method(), path_and_query).map_err(|error| refuse(told(&error)))?;
    let mut facts = RequestFacts { model: path.model.clone(), ..facts(request, request_id, path.operation.name()) };
    // The body is not read for strangers.
    let caller = identify(ingress, request).await.map_err(refuse)?;
    if path.operation.runs_a_model() {
        ingress.rate.take(caller.principal.access_key_id).map_err(refuse)?;
    }
    let uploading = Instant::now();
    let limit = ingress.server.max_body.min(ingress.relay.native.max_body());
    let body = body::read(request_body, declared(&caller.headers), limit, ingress.timeouts.idle);
    let call = NativeCall {
        path,
        method: request.method().clone(),
        path_and_query: caller.path_and_query.to_owned(),
        body: body.await.map_err(refuse)?,
        headers: caller.headers,
    };
    facts.uploading = uploading.elapsed();
    ingress.relay.serve_native(facts, caller.principal, call).await
}

fn told(error: &NativePathError) -> Failure {
    let (status, error_type) = match error {
        NativePathError::Unknown => (404, ErrorType::NotSupported),
        NativePathError::Model(_) | NativePathError::Presigned => (400, ErrorType::InvalidRequest),
    };
    Failure::new(status, error_type, error.to_string()).final_answer()
}
