//! The paths of Bedrock's own API: which operation a request asks for, and of which model.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::domain::bedrock_target::check_model;

/// What a client that speaks Bedrock's format can ask for here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NativeOperation {
    /// `InvokeModel`
    Invoke,
    /// `InvokeModelWithResponseStream`
    InvokeStream,
    /// `CountTokens`
    CountTokens,
    /// `ListInferenceProfiles` and `GetInferenceProfile`, which the control plane serves.
    Profiles,
}

impl NativeOperation {
    /// The name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invoke => "bedrock_invoke",
            Self::InvokeStream => "bedrock_stream",
            Self::CountTokens => "bedrock_count_tokens",
            Self::Profiles => "bedrock_profiles",
        }
    }

    /// Whether a model runs for it, which is what counts, costs and is limited.
    pub fn runs_a_model(self) -> bool {
        matches!(self, Self::Invoke | Self::InvokeStream)
    }
}

/// A path, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NativePath {
    /// What is asked for.
    pub operation: NativeOperation,
    /// The model, profile or ARN in the path, percent-decoded once and checked; empty where the path has none.
    pub model: String,
}

/// Why a request is not passed on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NativePathError {
    /// Nothing that is passed on.
    #[error(
        "The proxy passes invoke, invoke-with-response-stream and count-tokens of a model on to Bedrock, and inference-profiles."
    )]
    Unknown,
    /// The model is none; the text says what is expected.
    #[error("{0}")]
    Model(String),
    /// The query holds a signature of the client, which the proxy replaces by a credential of its own.
    #[error("Presigned requests are not passed on. Send the request without X-Amz- parameters in its query.")]
    Presigned,
}

/// Reads what follows the access key: path and query as they came.
///
/// # Errors
/// When the proxy does not pass such a request on.
pub fn read(method: &Method, path_and_query: &str) -> Result<NativePath, NativePathError> {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let segments: Vec<&str> = path.split('/').collect();
    let (operation, id) = match (method, &segments[..]) {
        (&Method::POST, ["", "model", id, "invoke"]) => (NativeOperation::Invoke, Some(id)),
        (&Method::POST, ["", "model", id, "invoke-with-response-stream"]) => (NativeOperation::InvokeStream, Some(id)),
        (&Method::POST, ["", "model", id, "count-tokens"]) => (NativeOperation::CountTokens, Some(id)),
        (&Method::GET, ["", "inference-profiles"]) => (NativeOperation::Profiles, None),
        (&Method::GET, ["", "inference-profiles", id]) => (NativeOperation::Profiles, Some(id)),
        _ => return Err(NativePathError::Unknown),
    };
    if percent_decode_str(query).decode_utf8_lossy().to_ascii_lowercase().contains("x-amz-") {
        return Err(NativePathError::Presigned);
    }
    let model = id.map_or_else(|| Ok(String::new()), |id| model(id))?;
    Ok(NativePath { operation, model })
}

fn model(segment: &str) -> Result<String, NativePathError> {
    let decoded = percent_decode_str(segment).decode_utf8_lossy();
    check_model(&decoded).map_err(NativePathError::Model)?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(path: &str) -> Result<(NativeOperation, String), NativePathError> {
        read(&Method::POST, path).map(|path| (path.operation, path.model))
    }

    #[test]
    fn every_operation_is_known_by_its_path() {
        let get = |path| read(&Method::GET, path).map(|path| (path.operation, path.model));
        let nova = || "anthropic.claude-haiku-4-5-20251001-v1:0".to_owned();
        for (found, operation, model) in [
            (post("/model/anthropic.claude-haiku-4-5-20251001-v1:0/invoke"), NativeOperation::Invoke, nova()),
            (post("/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke?x=1"), NativeOperation::Invoke, nova()),
            (
                post("/model/us.anthropic.claude-opus-5-5/invoke-with-response-stream"),
                NativeOperation::InvokeStream,
                "us.anthropic.claude-opus-5-5".to_owned(),
            ),
            (post("/model/x/count-tokens"), NativeOperation::CountTokens, "x".to_owned()),
            (get("/inference-profiles?type=SYSTEM_DEFINED"), NativeOperation::Profiles, String::new()),
            (
                get("/inference-profiles/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx"),
                NativeOperation::Profiles,
                "arn:aws:bedrock:us-east-1:1:inference-profile/x".to_owned(),
            ),
        ] {
            assert_eq!(found, Ok((operation, model)));
        }
    }

    #[test]
    fn whatever_else_is_asked_for_is_unknown() {
        for path in [
            "/model/x",
            "/model/x/converse",
            "/model/x/invoke/",
            "/model//x/invoke",
            "/model/arn:aws:bedrock:us-east-1:1:inference-profile/x/invoke",
            "//model/x/invoke",
            "/models/x/invoke",
            "/inference-profiles",
            "",
        ] {
            assert_eq!(post(path), Err(NativePathError::Unknown), "{path}");
        }
        for path in ["/model/x/invoke", "/inference-profiles/", "/inference-profiles/a/b", "/foundation-models"] {
            assert_ne!(read(&Method::GET, path).map(|path| path.model), Ok(String::new()), "{path}");
        }
        assert_eq!(read(&Method::PUT, "/model/x/invoke"), Err(NativePathError::Unknown));
    }

    /// B-32: decoded once and no more.
    #[test]
    fn a_model_that_is_none_is_refused() {
        for id in [
            "",
            "..",
            "%2e%2e",
            "a%2Fb",
            "arn:x%2F..%2Fy",
            "arn:x%252Fy",
            "x%00",
            "%ff",
            "x%zz",
            "a%20b",
            "a;b",
            "a%3Fb",
        ] {
            let refused = post(&format!("/model/{id}/invoke"));
            assert!(matches!(refused, Err(NativePathError::Model(_))), "{id}: {refused:?}");
        }
    }

    #[test]
    fn a_signature_in_the_query_is_refused() {
        for query in ["X-Amz-Signature=00", "a=b&x-amz-security-token=x", "x%2damz-credential=x"] {
            assert_eq!(post(&format!("/model/x/invoke?{query}")), Err(NativePathError::Presigned), "{query}");
        }
    }
}
