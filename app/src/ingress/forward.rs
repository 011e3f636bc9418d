//! Takes a request apart, has the relay serve it, and puts the answer together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Uri};
use poem::{Body, Request, Response};
use tracing::Instrument as _;
use uuid::Uuid;

use super::error::Shape;
use super::{Ingress, body, in_flight};
use crate::auth::{self, PresentedKey};
use crate::domain::{ClientPrincipal, Failure};
use crate::meter::RequestFacts;
use crate::relay::{Arrival, Operation, Refusal, Reply};
use crate::telemetry;
use crate::upstream::plan::Exchange;
use crate::wire::headers;

/// Longest session or agent id that is kept.
const ID_CHARS: usize = 128;

/// Whose request it is, and what is left of it when all that concerns the proxy alone is taken away.
pub(super) struct Caller<'r> {
    /// The holder of the access key.
    pub(super) principal: Arc<ClientPrincipal>,
    /// What follows the access key, byte for byte.
    pub(super) path_and_query: &'r str,
    /// The headers without the access key.
    pub(super) headers: HeaderMap,
}

/// Serves a request on `/ak/{access key}/v1/...` or `/v1/...`.
pub(super) async fn forward(
    ingress: &Ingress,
    request: &Request,
    request_body: Body,
    operation: Operation,
) -> Response {
    let serve = |request_id| relayed(ingress, request, request_body, operation, request_id);
    admitted(ingress, Shape::Messages, serve).await
}

/// Gives a request its id and a place among those in flight, and has it served, unless the process ends first. What
/// goes wrong is told in this shape.
pub(super) async fn admitted<F>(ingress: &Ingress, shape: Shape, serve: impl FnOnce(Uuid) -> F) -> Response
where
    F: Future<Output = Result<Reply, Refusal>>,
{
    let request_id = Uuid::now_v7();
    let span = tracing::error_span!("request", %request_id);
    let mut response = match ingress.in_flight.enter() {
        Ok(place) => {
            let served = Box::pin(serve(request_id));
            let served = until_the_end(ingress, shape, served).instrument(span).await;
            let mut response = served.map_or_else(|refusal| refused(&refusal, shape), into_response);
            response.extensions_mut().insert(place);
            response
        }
        Err(failure) => refused(&span.in_scope(|| unserved(failure, shape)), shape),
    };
    if let Ok(value) = HeaderValue::from_str(&request_id.to_string()) {
        response.headers_mut().insert(headers::REQUEST_ID, value);
    }
    response
}

/// Answers in place of `served` when the proxy ends before it has begun to answer.
async fn until_the_end(
    ingress: &Ingress,
    shape: Shape,
    served: impl Future<Output = Result<Reply, Refusal>>,
) -> Result<Reply, Refusal> {
    let ended = || in_flight::overloaded("The proxy is shutting down before it has an answer. Try again.");
    let served = async {
        ingress.opened.wait().await;
        served.await
    };
    let served = ingress.stages.ending.run_until_cancelled(served).await;
    served.unwrap_or_else(|| Err(unserved(ended(), shape)))
}

/// Logs that a request was refused before anybody was asked to serve it.
pub(super) fn unserved(failure: Failure, shape: Shape) -> Refusal {
    let failure = shape.fitted(failure);
    tracing::info!(
        target: telemetry::RECORDS,
        status = failure.status,
        error_type = failure.error_type.name(),
        outcome = "refused",
        "request"
    );
    Refusal { failure, served: None }
}

async fn relayed(
    ingress: &Ingress,
    request: &Request,
    request_body: Body,
    operation: Operation,
    request_id: Uuid,
) -> Result<Reply, Refusal> {
    let mut facts = facts(request, request_id, operation.name());
    let refuse = |failure| unserved(failure, Shape::Messages);
    // The body is not read for strangers.
    let caller = identify(ingress, request).await.map_err(refuse)?;
    if operation == Operation::Messages {
        ingress.rate.take(caller.principal.access_key_id).map_err(refuse)?;
    }
    let uploading = Instant::now();
    let body = body::read(request_body, declared(&caller.headers), ingress.server.max_body, ingress.timeouts.idle);
    let exchange = Exchange {
        method: request.method().clone(),
        path_and_query: caller.path_and_query.to_owned(),
        body: body.await.map_err(refuse)?,
        headers: caller.headers,
        stream: false,
    };
    facts.uploading = uploading.elapsed();
    ingress.relay.serve(Arrival { operation, facts }, caller.principal, exchange).await
}

/// What is known of a request by its head.
pub(super) fn facts(request: &Request, request_id: Uuid, operation: &'static str) -> RequestFacts {
    RequestFacts {
        request_id,
        arrived: Instant::now(),
        timestamp: chrono::Utc::now(),
        operation,
        model: String::new(),
        session_id: short_text(request.headers(), &headers::SESSION_ID),
        agent_id: short_text(request.headers(), &headers::AGENT_ID),
        uploading: Duration::ZERO,
    }
}

/// Finds the holder of the key in the path or in the headers.
pub(super) async fn identify<'r>(ingress: &Ingress, request: &'r Request) -> Result<Caller<'r>, Failure> {
    let mut headers = request.headers().clone();
    let in_headers = auth::take_from_headers(&mut headers);
    let (in_path, path_and_query) = split(request.original_uri());
    let presented = in_path.map_or(in_headers, PresentedKey::from_path);
    if let PresentedKey::WellFormed(key) = &presented {
        auth::sweep(&mut headers, key);
    }
    let principal = ingress.relay.identify(&presented).await?;
    Ok(Caller { principal, path_and_query, headers })
}

/// The length that the body has, as its sender says.
pub(super) fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok())
}

/// The access key in the path, if the path has one, and what follows it, byte for byte.
pub(super) fn split(uri: &Uri) -> (Option<&str>, &str) {
    let whole = uri.path_and_query().map_or("/", |path| path.as_str());
    let Some(behind) = whole.strip_prefix("/ak/") else { return (None, whole) };
    let key_end = behind.find(['/', '?']).unwrap_or(behind.len());
    (Some(&behind[..key_end]), &behind[key_end..])
}

fn short_text(map: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = map.get(name)?.to_str().ok()?;
    Some(text.chars().take(ID_CHARS).collect())
}

fn into_response(reply: Reply) -> Response {
    let mut response = Response::builder()
        .status(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY))
        .body(Body::from_bytes_stream(reply.body));
    *response.headers_mut() = reply.headers;
    response
}

fn refused(refusal: &Refusal, shape: Shape) -> Response {
    let mut response = shape.response(&refusal.failure);
    if let Some(served) = refusal.served {
        let map = response.headers_mut();
        map.insert(headers::PROVIDER, HeaderValue::from_static(served.provider.name()));
        if let Some(reason) = served.fallback {
            map.insert(headers::FALLBACK, HeaderValue::from_static(reason.name()));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_cut_off_and_the_rest_is_untouched() {
        for (uri, expected) in [
            ("/ak/ak_x/v1/messages?beta=true", (Some("ak_x"), "/v1/messages?beta=true")),
            ("/ak/ak_x/v1/a%2Fb/%7e?q=%20&&x", (Some("ak_x"), "/v1/a%2Fb/%7e?q=%20&&x")),
            ("/v1/messages", (None, "/v1/messages")),
            ("/ak/ak_x", (Some("ak_x"), "")),
        ] {
            assert_eq!(split(&uri.parse().unwrap()), expected);
        }
    }
}
