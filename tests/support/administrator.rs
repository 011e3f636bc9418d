//! An administrator: calls the operations of the admin API by the names that the OpenAPI document gives them, and holds every
//! answer to what the document says.

use std::sync::LazyLock;

use argon2::password_hash::PasswordHasher as _;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::evidence::secret;
use crate::{Got, Surroundings, TestApp, get, http_client};

/// The administrator's name in tests.
pub const ADMINISTRATOR: &str = "ada";

/// Documents of the admin API, as checked in.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/admin.json");
    let text = std::fs::read_to_string(path).expect("openapi/admin.json");
    serde_json::from_str(&text).expect("an OpenAPI document")
});

/// The administrator's password in tests, and its hash at the least cost.
static PASSWORD: LazyLock<(String, String)> = LazyLock::new(|| {
    let password = secret(format!("admin-{}", uuid::Uuid::new_v4().simple()));
    let cheap = argon2::Params::new(8, 1, 1, None).expect("parameters of Argon2");
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, cheap);
    let hash = hasher.hash_password(password.as_bytes()).expect("a hash").to_string();
    (password, hash)
});

/// The password of the administrator.
pub fn password() -> &'static str {
    &PASSWORD.0
}

impl Surroundings {
    /// With an administrator.
    #[must_use]
    pub fn administered(self) -> Self {
        self.with("ADMIN_USERNAME", ADMINISTRATOR).with("ADMIN_PASSWORD_HASH", PASSWORD.1.clone())
    }
}

/// An administrator at a running proxy.
#[derive(Clone, Debug)]
pub struct Administrator {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// A call of an operation.
#[derive(Clone, Debug)]
pub struct Call {
    operation: &'static Value,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    /// What is added as it is.
    headers: Vec<(&'static str, String)>,
    base: String,
    http: reqwest::Client,
    token: Option<String>,
}

impl Administrator {
    /// Starts an app with an administrator, who logs in.
    pub async fn with_app() -> (TestApp, Self) {
        let app = TestApp::start_in(Surroundings::start().await.administered()).await;
        let administrator = Self::at(app.url()).logged_in().await;
        (app, administrator)
    }

    /// An administrator who has not logged in.
    pub fn at(base: impl Into<String>) -> Self {
        Self { http: http_client(), base: base.into(), token: None }
    }

    /// The same at another instance.
    #[must_use]
    pub fn moved_to(&self, base: impl Into<String>) -> Self {
        Self { base: base.into(), ..self.clone() }
    }

    /// The same after logging in.
    pub async fn logged_in(self) -> Self {
        let login = self.call("create_session").basic(ADMINISTRATOR, password()).ok().await;
        let token = secret(login["token"].as_str().expect("a token"));
        Self { token: Some(token), ..self }
    }

    /// The token of the login.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("a login")
    }

    /// A call of the operation with this id.
    pub fn call(&self, operation_id: &str) -> Call {
        let paths = DOCUMENT["paths"].as_object().expect("paths");
        let all = paths.iter().flat_map(|(path, operations)| {
            operations.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
        });
        let (path, method, operation) = all
            .into_iter()
            .find(|(_, _, operation)| operation["operationId"] == operation_id)
            .unwrap_or_else(|| panic!("openapi/admin.json has no operation {operation_id}"));
        Call {
            operation,
            method: method.to_ascii_uppercase().parse().expect("a method"),
            path: path.clone(),
            query: Vec::new(),
            body: None,
            headers: Vec::new(),
            base: self.base.clone(),
            http: self.http.clone(),
            token: self.token.clone(),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "calls read better without a & before every value")]
impl Call {
    /// Fills in a parameter of the path.
    #[must_use]
    pub fn on(self, name: &str, value: impl ToString) -> Self {
        let path = self.path.replace(&format!("{{{name}}}"), &value.to_string());
        assert_ne!(path, self.path, "the path has no {name}");
        Self { path, ..self }
    }

    /// Adds a parameter of the query.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Sends this JSON.
    #[must_use]
    pub fn json(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// Proves with name and password who it is.
    #[must_use]
    pub fn basic(self, username: &str, password: &str) -> Self {
        let login =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{username}:{password}"));
        Self { token: None, ..self.header("authorization", format!("Basic {login}")) }
    }

    /// The request as it is sent.
    pub fn request(&self) -> RequestBuilder {
        let url = format!("{}{}", self.base, self.path);
        let mut request = self.http.request(self.method.clone(), url).query(&self.query);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &self.body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request
    }

    /// Sends it. The document has to name the status of the answer, and errors have to be in the one shape of errors.
    pub async fn send(&self) -> Got {
        let got = get(self.request()).await;
        let id = &self.operation["operationId"];
        assert!(self.operation["responses"][got.status.to_string()].is_object(), "{id}: {got:?} is not documented");
        assert_eq!(got.header("cache-control"), "no-store");
        if got.status >= 400 {
            let error = &got.json()["error"];
            assert!(error["code"].is_string() && error["fields"].is_array(), "{id}: {got:?}");
            assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{id}: {got:?}");
            assert_eq!(error["request_id"], got.header("x-ccp-request-id"));
        }
        got
    }

    /// Sends it; it has to succeed. The body is JSON, or null where there is none.
    pub async fn ok(&self) -> Value {
        let got = self.send().await;
        assert!((200..300).contains(&got.status), "{}: {got:?}", self.operation["operationId"]);
        if got.body.is_empty() { Value::Null } else { got.json() }
    }

    /// Sends it; it has to be refused with this status. What comes back is the `error` of the answer.
    pub async fn refused(&self, status: u16) -> Value {
        let got = self.send().await;
        assert_eq!(got.status, status, "{}: {got:?}", self.operation["operationId"]);
        got.json()["error"].take()
    }
}
