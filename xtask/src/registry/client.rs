//! Requests to one repository of a registry, with the credentials that it asks for.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{AUTHORIZATION, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{StatusCode, Url};
use serde_json::Value;

use super::challenge::Challenge;
use super::reference::{Reference, Scheme, is_loopback};
use super::retry::Passing;

const CONNECTED_WITHIN: Duration = Duration::from_secs(10);
/// For the largest chunk over the slowest line.
const ANSWERED_WITHIN: Duration = Duration::from_mins(5);
/// What is shown of an answer that nobody expected.
const SHOWN: usize = 300;

/// Who pushes. A registry that asks nobody needs none.
#[derive(Clone)]
pub struct Credentials {
    /// The user; `AWS` for ECR.
    pub user: String,
    /// The password, or a token in its place.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A repository of a registry.
#[derive(Debug)]
pub struct Registry {
    client: Client,
    base: Url,
    reference: Reference,
    credentials: Option<Credentials>,
    /// What the registry has accepted.
    authorization: RefCell<Option<HeaderValue>>,
}

impl Registry {
    /// Prepares requests; nothing is sent yet.
    pub fn new(reference: &Reference, scheme: Scheme, credentials: Option<Credentials>) -> Result<Self> {
        let base = reference.base(scheme)?;
        let base = Url::parse(&base).with_context(|| format!("{base} is no address"))?;
        let base = base.join(&format!("{}/", reference.repository)).context("the repository has no address")?;
        Ok(Self {
            client: client()?,
            base,
            reference: reference.clone(),
            credentials,
            authorization: RefCell::default(),
        })
    }

    /// The repository.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// An address below the repository, such as `manifests/1.0`.
    pub(super) fn url(&self, path: &str) -> Result<Url> {
        self.base.join(path).with_context(|| format!("{path} is no address"))
    }

    /// Sends a request, once more with the credentials that the registry asks for. `make` may be called twice.
    ///
    /// A failure that may be over soon has [`Passing`] in its chain. Any other answer of the registry is returned.
    pub(super) fn send(&self, make: impl Fn(&Client) -> Result<RequestBuilder>) -> Result<Response> {
        let answer = self.send_once(make(&self.client)?)?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let header = answer.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let challenge = Challenge::parse(header).with_context(|| {
            format!("{} asks for credentials in a way that is not known: {header:?}", self.reference.host)
        })?;
        *self.authorization.borrow_mut() = Some(self.authorize(&challenge)?);
        let answer = self.send_once(make(&self.client)?)?;
        ensure!(answer.status() != StatusCode::UNAUTHORIZED, "{}", self.refused());
        Ok(answer)
    }

    /// The address that an answer names for the next step.
    pub(super) fn next(&self, answer: &Response) -> Result<Url> {
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.with_context(|| format!("{} does not say where to go on", self.reference.host))?;
        let next = answer.url().join(location).with_context(|| format!("{location:?} is no address"))?;
        ensure!(next.scheme() == self.base.scheme(), "{} sends us to an address without TLS", self.reference.host);
        Ok(next)
    }

    /// Says why an answer is not the one that was expected.
    pub(super) fn unexpected(&self, answer: Response, doing: &str) -> anyhow::Error {
        let (status, host) = (answer.status(), &self.reference.host);
        let said = reason(&answer.text().unwrap_or_default());
        let remedy = match status {
            StatusCode::FORBIDDEN => "; the user may not push to this repository",
            StatusCode::NOT_FOUND => "; where repositories are not made by a push, as in ECR, make it first",
            _ => "",
        };
        anyhow::anyhow!("cannot {doing}: {host} answered {status}{said}{remedy}")
    }

    fn send_once(&self, request: RequestBuilder) -> Result<Response> {
        let mut request = request.build().context("cannot make a request")?;
        // An upload may go on at another server, whose business the credentials are not.
        if request.url().origin() == self.base.origin()
            && let Some(authorization) = self.authorization.borrow().as_ref()
        {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let host = &self.reference.host;
        let answer = self.client.execute(request).map_err(|error| {
            // Addresses of uploads may hold tokens.
            anyhow::Error::new(error.without_url()).context(Passing(format!("{host} gave no answer")))
        })?;
        let status = answer.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            let said = reason(&answer.text().unwrap_or_default());
            return Err(Passing(format!("{host} answered {status}{said}")).into());
        }
        Ok(answer)
    }

    fn authorize(&self, challenge: &Challenge) -> Result<HeaderValue> {
        let value = match challenge {
            Challenge::Basic => {
                let Some(credentials) = &self.credentials else { bail!("{}", self.refused()) };
                format!("Basic {}", STANDARD.encode(format!("{}:{}", credentials.user, credentials.password)))
            }
            Challenge::Bearer { realm, service } => format!("Bearer {}", self.token(realm, service.as_deref())?),
        };
        let mut value =
            HeaderValue::from_str(&value).context("the credentials hold a character that no header may have")?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn token(&self, realm: &str, service: Option<&str>) -> Result<String> {
        let mut realm = Url::parse(realm).with_context(|| format!("{realm:?} is no address"))?;
        let host = realm.host_str().unwrap_or_default().to_owned();
        ensure!(
            realm.scheme() == "https" || is_loopback(&host),
            "{} wants the password to be sent to {host} without TLS",
            self.reference.host
        );
        let scope = format!("repository:{}:pull,push", self.reference.repository);
        realm.query_pairs_mut().extend_pairs(service.map(|service| ("service", service))).append_pair("scope", &scope);
        let mut request = self.client.get(realm);
        if let Some(credentials) = &self.credentials {
            request = request.basic_auth(&credentials.user, Some(&credentials.password));
        }
        let answer = request.send().map_err(|error| {
            anyhow::Error::new(error.without_url()).context(Passing(format!("{host} gave no token")))
        })?;
        ensure!(answer.status().is_success(), "{host} answered {}: {}", answer.status(), self.refused());
        let body: Value =
            serde_json::from_str(&answer.text().context("cannot read the token")?).context("the token is no JSON")?;
        let token = ["token", "access_token"].iter().find_map(|name| body[name].as_str());
        token.map(str::to_owned).with_context(|| format!("{host} answered without a token"))
    }

    fn refused(&self) -> String {
        let host = &self.reference.host;
        let remedy = "set REGISTRY_USER and REGISTRY_PASSWORD (for ECR: AWS, and what `aws ecr get-login-password` prints, \
                      which is good for twelve hours)";
        match &self.credentials {
            Some(credentials) => format!("{host} refuses the password of {:?}; {remedy}", credentials.user),
            None => format!("{host} asks for credentials; {remedy}"),
        }
    }
}

/// A client for this machine's roots of trust.
pub(crate) fn client() -> Result<Client> {
    // Only the first call in a process has an effect, which is all we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .connect_timeout(CONNECTED_WITHIN)
        .timeout(ANSWERED_WITHIN)
        .user_agent("claude-code-proxy-xtask");
    builder.build().context("cannot make an HTTP client; are CA certificates installed on this machine?")
}

/// What a registry says in its error, as `: CODE message`.
fn reason(body: &str) -> String {
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    let error = &parsed["errors"][0];
    let said = match (error["code"].as_str(), error["message"].as_str()) {
        (None, None) => body.trim().to_owned(),
        (code, message) => [code, message].into_iter().flatten().collect::<Vec<_>>().join(" "),
    };
    let said: String = said.chars().filter(|character| !character.is_control()).take(SHOWN).collect();
    if said.is_empty() { said } else { format!(": {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_registry_is_told() {
        let body = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository","detail":{}}]}"#;
        assert_eq!(reason(body), ": NAME_UNKNOWN no such repository");
        assert_eq!(reason("<html>\n"), ": <html>");
        assert_eq!(reason(""), "");
        assert_eq!(reason(&"x".repeat(1000)).len(), 302);
    }

    #[test]
    fn credentials_are_not_printed() {
        let credentials = Credentials { user: "ada".to_owned(), password: "lovelace".to_owned() };
        assert!(!format!("{credentials:?}").contains("lovelace"));
    }
}
