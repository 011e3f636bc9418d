//! Bodies that pass through poem-openapi unread, with their description for the OpenAPI document.

use poem::{Body, IntoResponse, Request, RequestBody, Response};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaRequest, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::{ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions};

const JSON: &str = "application/json";

fn open_object(description: &'static str) -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(MetaSchema { description: Some(description), ..MetaSchema::new("object") }))
}

/// The body of a request, not read and not checked.
pub(super) struct MessageBody(pub Body);

impl<'a> ApiExtractor<'a> for MessageBody {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let schema = open_object("A request as the Messages API of Anthropic takes it; unknown fields pass.");
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType { content_type: JSON, schema }],
            required: true,
        })
    }

    async fn from_request(_: &'a Request, body: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        Ok(Self(body.take()?))
    }
}

/// An answer that is relayed as it is.
pub(super) struct Relayed(pub Response);

impl IntoResponse for Relayed {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for Relayed {
    fn meta() -> MetaResponses {
        let stream = MetaSchemaRef::Inline(Box::new(MetaSchema {
            description: Some("The server-sent events of a streamed answer."),
            ..MetaSchema::new("string")
        }));
        let answer = vec![
            MetaMediaType { content_type: JSON, schema: open_object("The answer of the provider.") },
            MetaMediaType { content_type: "text/event-stream", schema: stream },
        ];
        let error = || {
            vec![MetaMediaType {
                content_type: JSON,
                schema: open_object("An error in the shape of the Messages API."),
            }]
        };
        let refused = [
            (Some(400), None, "The request is wrong; as the provider says it."),
            (Some(403), None, "The access key is not valid, or the provider refuses the login."),
            (Some(413), None, "The body is larger than the limit."),
            (Some(429), None, "The plan is limited and Bedrock cannot serve."),
            (Some(501), None, "The plan would be needed, and there is no login for it."),
            (None, Some("5XX"), "The providers could not serve."),
        ];
        let responses = std::iter::once((Some(200), None, "The answer, as the provider gave it.", answer))
            .chain(refused.map(|(status, range, description)| (status, range, description, error())));
        MetaResponses {
            responses: responses
                .map(|(status, range, description, content)| MetaResponse {
                    description,
                    status,
                    status_range: range.map(str::to_owned),
                    content,
                    headers: headers(),
                })
                .collect(),
        }
    }

    fn register(_: &mut Registry) {}
}

fn headers() -> Vec<MetaHeader> {
    let described = [
        ("x-ccp-request-id", "The proxy's own id of the request."),
        ("x-ccp-provider", "Who answered: plan or bedrock."),
        ("x-ccp-fallback", "Why it was not the plan."),
    ];
    described
        .map(|(name, description)| MetaHeader {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required: false,
            deprecated: false,
            schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
        })
        .into()
}
