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
             Amazon Bedrock serves them. Bodies and headers are those of Anthropic's Messages API.",
        )
        .license(poem_openapi::LicenseObject::new("MIT OR Apache-2.0"))
        .server(
            poem_openapi::ServerObject::new("http://localhost:8000")
                .description("The proxy as `cargo xtask dev` starts it"),
        )
}
