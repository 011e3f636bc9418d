//! Takes a request apart, has the relay serve it, and puts the answer together.

use std::time::Instant;

use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Uri};
use poem::{Body, Request, Response};
use tracing::Instrument as _;
use uuid::Uuid;

use super::{Ingress, body, error, in_flight};
use crate::auth::{self, PresentedKey};
use crate::domain::Failure;
use crate::meter::RequestFacts;
use crate::relay::{Arrival, Operation, Refusal, Reply};
use crate::telemetry;
use crate::upstream::plan::Exchange;
use crate::wire::headers;

/// Longest session or agent id that is kept.
const ID_CHARS: usize = 128;

/// Serves a request on `/ak/{access key}/v1/...` or `/v1/...`.
pub(super) async fn forward(
    ingress: &Ingress,
    request: &Request,
    request_body: Body,
    operation: Operation,
) -> Response {
    let request_id = Uuid::now_v7();
    let span = tracing::error_span!("request", %request_id);
    let mut response = match ingress.in_flight.enter() {
        Ok(place) => {
            let served = Box::pin(serve(ingress, request, request_body, operation, request_id));
            let mut response = until_the_end(ingress, served).instrument(span).await;
            response.extensions_mut().insert(place);
            response
        }
        Err(failure) => span.in_scope(|| refused(&unserved(failure))),
    };
    if let Ok(value) = HeaderValue::from_str(&request_id.to_string()) {
        response.headers_mut().insert(headers::REQUEST_ID, value);
    }
    response
}

/// Answers in place of `served` when the proxy ends before it has begun to answer.
async fn until_the_end(ingress: &Ingress, served: impl Future<Output = Response>) -> Response {
    let response = ingress.stages.ending.run_until_cancelled(served).await;
    response.unwrap_or_else(|| {
        refused(&unserved(in_flight::overloaded("The proxy is shutting down before it has an answer. Try again.")))
    })
}

fn unserved(failure: Failure) -> Refusal {
    tracing::info!(
        target: telemetry::RECORDS,
        status = failure.status,
        error_type = failure.error_type.name(),
        outcome = "refused",
        "request"
    );
    Refusal { failure, served: None }
}

async fn serve(
    ingress: &Ingress,
    request: &Request,
    request_body: Body,
    operation: Operation,
    request_id: Uuid,
) -> Response {
    let facts = RequestFacts {
        request_id,
        arrived: Instant::now(),
        timestamp: chrono::Utc::now(),
        operation: operation.name(),
        model: String::new(),
        session_id: short_text(request.headers(), &headers::SESSION_ID),
        agent_id: short_text(request.headers(), &headers::AGENT_ID),
    };
    match relayed(ingress, request, request_body, Arrival { operation, facts }).await {
        Ok(reply) => into_response(reply),
        Err(refusal) => refused(&refusal),
    }
}

async fn relayed(ingress: &Ingress, request: &Request, request_body: Body, arrival: Arrival) -> Result<Reply, Refusal> {
    let mut map = request.headers().clone();
    let in_headers = auth::take_from_headers(&mut map);
    let (in_path, path_and_query) = split(request.original_uri());
    let presented = in_path.map_or(in_headers, PresentedKey::from_path);
    if let PresentedKey::WellFormed(key) = &presented {
        auth::sweep(&mut map, key);
    }
    // The body is not read for strangers.
    let principal = ingress.relay.identify(&presented).await.map_err(unserved)?;
    if arrival.operation == Operation::Messages {
        ingress.rate.take(principal.access_key_id).map_err(unserved)?;
    }
    let declared = map.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
    let bytes =
        body::read(request_body, declared, ingress.server.max_body, ingress.timeouts.idle).await.map_err(unserved)?;
    let exchange = Exchange {
        method: request.method().clone(),
        path_and_query: path_and_query.to_owned(),
        headers: map,
        body: bytes,
        stream: false,
    };
    ingress.relay.serve(arrival, principal, exchange).await
}

/// The access key in the path, if the path has one, and what follows it, byte for byte.
fn split(uri: &Uri) -> (Option<&str>, &str) {
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

fn refused(refusal: &Refusal) -> Response {
    let mut response = error::response(&refusal.failure);
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
