//! Why Bedrock did not serve, and what that means for the request.

use crate::domain::{ErrorType, Failure, ProviderError};
use crate::upstream::bedrock::{BedrockFailure, EventError};

/// Bedrock did not serve.
pub(in crate::relay) struct Refused {
    /// What the client is told.
    pub(in crate::relay) failure: Failure,
    /// Whether it is sure that no tokens were counted.
    pub(super) counted_nothing: bool,
    pub(super) cause: Cause,
}

/// What was at fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    /// The request as it stands, in AWS's words, which may be mended.
    Request(String),
    /// The moment: too much was asked for; with the seconds to wait, if they were named.
    Throttled(Option<u32>),
    /// The key, which was refused.
    Key,
    /// The account or the model.
    Model,
    /// Bedrock itself, or the way there.
    Bedrock(ProviderError),
    /// Something else about this request.
    Other,
}

impl Refused {
    /// Whether the key or the model is at fault, so that trying again is of no use before somebody mends them.
    pub(in crate::relay) fn is_about_the_setup(&self) -> bool {
        matches!(self.cause, Cause::Key | Cause::Model)
    }

    /// What the metrics call it; `None`: the request is at fault.
    pub(super) fn error(&self) -> Option<ProviderError> {
        match self.cause {
            Cause::Key => Some(ProviderError::KeyRefused),
            Cause::Model => Some(ProviderError::ModelRefused),
            Cause::Throttled(_) => Some(ProviderError::Throttled),
            Cause::Bedrock(error) => Some(error),
            Cause::Other => ProviderError::of_status(self.failure.status),
            Cause::Request(_) => None,
        }
    }

    /// AWS's words about the request itself, which may be mended.
    pub(super) fn words(&self) -> Option<&str> {
        if let Cause::Request(words) = &self.cause { Some(words) } else { None }
    }

    /// What stands in the place of the first event. Its words may still be mended: nothing has been sent to the client.
    pub(super) fn before_content(error: EventError) -> Self {
        match error {
            EventError::Reported(failure) | EventError::Refused(failure) => {
                let cause = match failure.status {
                    400 => Cause::Request(failure.message.clone()),
                    429 => Cause::Throttled(None),
                    500.. => Cause::Bedrock(server_error(failure.status)),
                    _ => Cause::Other,
                };
                tracing::info!(status = failure.status, "Bedrock began its answer with an exception");
                // What says no has not run the model; what failed on the way may have.
                let counted_nothing = matches!(failure.status, 400..=499 | 529);
                Self { failure, counted_nothing, cause }
            }
            EventError::Broken(what) => {
                tracing::warn!(what, "the answer of Bedrock broke off before it began");
                let words = "Bedrock broke off before its answer began. Try again.";
                let failure = Failure::new(502, ErrorType::Api, words);
                Self { failure, counted_nothing: false, cause: Cause::Bedrock(ProviderError::BrokenStream) }
            }
        }
    }
}

fn server_error(status: u16) -> ProviderError {
    ProviderError::of_status(status).unwrap_or(ProviderError::ServerError)
}

/// The wordings of a 400 for a model that the region does not have, or not in this form.
fn names_a_wrong_model(message: &str) -> bool {
    let wordings = ["model identifier is invalid", "on-demand throughput", "inference profile"];
    wordings.iter().any(|words| message.contains(words))
}

impl From<BedrockFailure> for Refused {
    fn from(failure: BedrockFailure) -> Self {
        tracing::info!(status = failure.status, code = failure.code, "Bedrock did not serve");
        let told = failure.to_client();
        let counted_nothing = failure.counted_nothing();
        let cause = match failure.status {
            401 | 403 => Cause::Key,
            404 => Cause::Model,
            429 => Cause::Throttled(failure.retry_after),
            _ if failure.is_about_bedrock() => {
                Cause::Bedrock(failure.without_answer_error().unwrap_or_else(|| server_error(told.status)))
            }
            400 if names_a_wrong_model(&failure.message) => Cause::Model,
            400 if failure.code != "ServiceQuotaExceededException" => Cause::Request(failure.message),
            _ => Cause::Other,
        };
        Self { failure: told, counted_nothing, cause }
    }
}
