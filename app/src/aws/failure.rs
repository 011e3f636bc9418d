//! What became of a call of AWS, in words that may be logged: AWS's name of the error or ours, never AWS's sentences.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The name of the error.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> &str {
    match error {
        // A success that cannot be read.
        SdkError::ServiceError(context) if context.raw().status().is_success() => "InvalidAnswer",
        SdkError::ServiceError(context) => context.err().code().unwrap_or("Unknown"),
        SdkError::TimeoutError(_) => "Timeout",
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "Timeout",
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_user() => "Unreachable",
        SdkError::ResponseError(_) => "InvalidAnswer",
        // No credentials, no region.
        _ => "Unsendable",
    }
}

/// Whether the service, or the way to it, is out of order or has no room, which passes by itself.
pub(crate) fn is_away<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            status < 300
                || status == 429
                || status >= 500
                || context.err().code().is_some_and(|code| code.contains("Throttl"))
        }
        _ => code(error) != "Unsendable",
    }
}
