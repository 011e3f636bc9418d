//! What AWS says when it refuses, with what to do about it.

use anyhow::{Error, anyhow};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// A call that failed; `doing` completes "cannot ...".
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub(crate) fn told<E>(error: SdkError<E, HttpResponse>, doing: &str) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    let (code, message) = (error.code().map(str::to_owned), error.message().map(str::to_owned));
    match (code, message) {
        (Some(code), message) => {
            let remedy = remedy(&code).map(|remedy| format!("; {remedy}")).unwrap_or_default();
            anyhow!(
                "cannot {doing}: {}{remedy}",
                [Some(code), message].into_iter().flatten().collect::<Vec<_>>().join(": ")
            )
        }
        // An answer without a body, as to HEAD.
        (None, _) if status == Some(403) => {
            anyhow!("cannot {doing}: AWS refuses it (403); is it somebody else's, or not allowed?")
        }
        // Not an answer: no way to AWS, or nobody to sign as.
        (None, _) => {
            let chain = DisplayErrorContext(&error).to_string();
            // What follows the chain of causes is the whole structure once more, for debugging.
            let chain = chain.split_once(" (").map_or(chain.as_str(), |(chain, _)| chain).trim().to_owned();
            let remedy = if chain.contains("credentials") {
                "log in (`aws sso login`, `aws configure`), or give --profile"
            } else {
                "look at the network, --region and --endpoint-url"
            };
            anyhow!("cannot {doing}: {chain}; {remedy}")
        }
    }
}

/// Whether AWS says that the thing is not there, in one of its many ways.
pub(crate) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let bare = error.code().is_none() && error.raw_response().is_some_and(|answer| answer.status().as_u16() == 404);
    let code = error.code().unwrap_or_default();
    bare || code.contains("NotFound")
        || code.contains("NoSuch")
        || (code == "ValidationError" && error.message().is_some_and(|message| message.contains("does not exist")))
}

fn remedy(code: &str) -> Option<&'static str> {
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
            Some("`cargo xtask policy` prints what a deployer has to be allowed")
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Some("log in again"),
        "InvalidClientTokenId" | "UnrecognizedClientException" | "SignatureDoesNotMatch" | "AuthFailure" => {
            Some("look at the credentials, and at the clock of this machine")
        }
        _ => None,
    }
}
