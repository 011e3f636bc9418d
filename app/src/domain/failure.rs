//! An answer that the proxy gives itself, in the words of the Messages API.

/// `error.type` of an Anthropic error body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorType {
    /// The request is wrong as it stands.
    InvalidRequest,
    /// The holder of this key may not do this.
    Permission,
    /// There is no such thing.
    NotFound,
    /// The body is larger than the limit.
    RequestTooLarge,
    /// Requests came too fast.
    RateLimit,
    /// The money that may be spent is spent.
    Billing,
    /// Something broke behind the proxy.
    Api,
    /// The provider has no room at the moment.
    Overloaded,
    /// The provider took too long.
    Timeout,
    /// The proxy has no way to do this.
    NotSupported,
}

impl ErrorType {
    /// The text of `error.type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request_error",
            Self::Permission => "permission_error",
            Self::NotFound => "not_found_error",
            Self::RequestTooLarge => "request_too_large",
            Self::RateLimit => "rate_limit_error",
            Self::Billing => "billing_error",
            Self::Api => "api_error",
            Self::Overloaded => "overloaded_error",
            Self::Timeout => "timeout_error",
            Self::NotSupported => "not_supported",
        }
    }
}

/// A refusal or failure on its way to the client: status, type and a message for the developer who reads it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{status} {}: {message}", error_type.name())]
pub struct Failure {
    /// HTTP status.
    pub status: u16,
    /// `error.type`
    pub error_type: ErrorType,
    /// `error.message`: what was wrong and what to do; never a secret, never an account id.
    pub message: String,
    /// Claude Code and the SDKs obey `x-should-retry` on every status; `None` leaves it to the status.
    pub should_retry: Option<bool>,
    /// Whole seconds for `retry-after`; above 60 Claude Code gives up at once.
    pub retry_after: Option<u32>,
}

impl Failure {
    /// A failure that the client handles by its status.
    pub fn new(status: u16, error_type: ErrorType, message: impl Into<String>) -> Self {
        Self { status, error_type, message: message.into(), should_retry: None, retry_after: None }
    }

    /// The same, with the word to the client that trying again is of no use.
    #[must_use]
    pub fn final_answer(mut self) -> Self {
        self.should_retry = Some(false);
        self
    }

    /// The same, with a number of seconds to wait.
    #[must_use]
    pub fn after_seconds(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The body: `{"type":"error","error":{"type":...,"message":...}}`, which is also the data of an `error` event.
    pub fn to_json(&self) -> String {
        serde_json::json!({"type": "error", "error": {"type": self.error_type.name(), "message": self.message}})
            .to_string()
    }
}
