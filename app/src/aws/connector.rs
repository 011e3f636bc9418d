//! Lets the AWS SDK speak through the proxy's own HTTP client: one pool, one TLS stack.

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

/// A connector over `reqwest`; time-outs are set on that client and around the calls.
#[derive(Clone, Debug)]
pub(crate) struct ReqwestConnector {
    http: reqwest::Client,
}

impl ReqwestConnector {
    pub(crate) fn new(http: reqwest::Client) -> Self {
        Self { http }
    }

    pub(crate) fn into_client(self) -> SharedHttpClient {
        let shared = SharedHttpConnector::new(self);
        http_client_fn(move |_, _| shared.clone())
    }
}

impl HttpConnector for ReqwestConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.http.clone();
        HttpConnectorFuture::new(async move { send(http, request).await })
    }
}

async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))
        .map_err(|error| ConnectorError::user(error.into()))?;
    let response = http.execute(request).await.map_err(|error| {
        // The URL is not secret here, but it is long and says nothing.
        let error = error.without_url();
        if error.is_connect() {
            // The SDK has no kind for this. It matters: without a connection Bedrock has counted nothing.
            ConnectorError::user(error.into())
        } else if error.is_timeout() {
            ConnectorError::timeout(error.into())
        } else {
            ConnectorError::io(error.into())
        }
    })?;
    let response = http::Response::<reqwest::Body>::from(response).map(SdkBody::from_body_1_x);
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}
