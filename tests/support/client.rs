//! What a developer's client does: requests with an access key, and answers read to their end.

use bytes::Bytes;
use http::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::evidence::secret;
use crate::{IssuedKey, ServerEvent, TestApp, http_client, sse, within};

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Got {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Got {
    /// A header as text; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of visible characters"))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }

    /// The body as server-sent events.
    pub fn events(&self) -> Vec<ServerEvent> {
        sse::decode(std::str::from_utf8(&self.body).expect("events are text"))
    }

    /// `error.type` of an error.
    pub fn error_type(&self) -> String {
        self.json()["error"]["type"].as_str().unwrap_or_default().to_owned()
    }
}

/// A client with a login for the plan, which it must never see again anywhere else.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    /// The login, a bearer token.
    pub login: String,
    /// What it asks: a text that belongs in no log.
    pub prompt: String,
}

impl Client {
    /// A client that has the key in its base URL, as developers do.
    pub fn of(app: &TestApp, key: &IssuedKey) -> Self {
        Self::at(format!("{}/ak/{}", app.url(), key.text))
    }

    /// A client with any base URL.
    pub fn at(base: String) -> Self {
        let login = secret(format!("sk-ant-oat01-{}", uuid::Uuid::new_v4().simple()));
        let prompt = secret(format!("what is {}?", uuid::Uuid::new_v4().simple()));
        Self { http: http_client(), base, login, prompt }
    }

    /// The same, over other connections.
    #[must_use]
    pub fn over(self, http: reqwest::Client) -> Self {
        Self { http, ..self }
    }

    /// Its base URL, access key included.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request with the login and without a body.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.without_login(method, path).bearer_auth(&self.login)
    }

    /// A request without a login.
    pub fn without_login(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).header("anthropic-version", "2023-06-01")
    }

    /// `POST /v1/messages` with the prompt, ready to be sent.
    pub fn message(&self, stream: bool) -> RequestBuilder {
        self.request(Method::POST, "/v1/messages?beta=true")
            .header("content-type", "application/json")
            .body(self.body(stream))
    }

    /// The body of [`Client::message`].
    pub fn body(&self, stream: bool) -> String {
        serde_json::json!({
            "model": "claude-opus-5-5",
            "max_tokens": 64,
            "stream": stream,
            "messages": [{"role": "user", "content": self.prompt}],
        })
        .to_string()
    }

    /// Asks for a whole answer.
    pub async fn ask(&self) -> Got {
        get(self.message(false)).await
    }

    /// Asks for a stream and reads it to its end.
    pub async fn ask_streamed(&self) -> Got {
        get(self.message(true)).await
    }
}

/// Reads from a body until an event has come whole.
///
/// # Panics
/// When the body ends, breaks, or stays silent.
pub async fn next_event<S>(body: &mut S) -> Vec<u8>
where
    S: futures_util::Stream<Item = reqwest::Result<Bytes>> + Unpin,
{
    let mut seen = Vec::new();
    while !seen.ends_with(b"\n\n") {
        let chunk = within("an event", futures_util::StreamExt::next(body)).await;
        seen.extend(chunk.expect("more of the body").expect("a body that does not break"));
    }
    seen
}

/// Sends a request and reads the answer.
///
/// # Panics
/// When the connection fails or breaks; see [`try_get`].
pub async fn get(request: RequestBuilder) -> Got {
    try_get(request).await.expect("an answer, read to its end")
}

/// Sends a request and reads the answer, whose connection may break.
///
/// # Errors
/// When it does.
pub async fn try_get(request: RequestBuilder) -> Result<Got, reqwest::Error> {
    within("an answer", async {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Got { status, headers, body: response.bytes().await? })
    })
    .await
}
