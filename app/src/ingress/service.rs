//! The operations of the proxy's side as one OpenAPI service, which serves them and describes them.

use poem_openapi::OpenApiService;

use super::operations::{HeaderKeyPart, OpenPart, PathKeyPart};

/// The operations of the proxy's side.
pub(super) type ProxyApi = (OpenPart, PathKeyPart, HeaderKeyPart);

/// The service behind the documented operations.
pub fn proxy_service() -> OpenApiService<ProxyApi, ()> {
    OpenApiService::new((OpenPart, PathKeyPart, HeaderKeyPart), "Claude Code Proxy", env!("CARGO_PKG_VERSION"))
        .description(
            "Requests go to the plan with the developer's own login; when the plan is limited, overloaded or away, \
             Amazon Bedrock serves them. Bodies and headers are those of Anthropic's Messages API.\n\n\
             Clients that speak Bedrock's own format find the following operations, which pass to Bedrock as they are and \
             are described by AWS, below `/ak/{access_key}` and, with the key in `x-ccp-access-key`, `x-api-key` or \
             `Authorization: Bearer`, without it: `POST /model/{model_id}/invoke`, \
             `POST /model/{model_id}/invoke-with-response-stream`, `POST /model/{model_id}/count-tokens`, \
             `GET /inference-profiles`, `GET /inference-profiles/{inference_profile_id}`.",
        )
        .contact(poem_openapi::ContactObject::new().name("Whoever operates this proxy"))
        .license(poem_openapi::LicenseObject::new("MIT OR Apache-2.0"))
        .server(
            poem_openapi::ServerObject::new("http://localhost:8000")
                .description("The proxy as `cargo xtask dev` starts it"),
        )
}
