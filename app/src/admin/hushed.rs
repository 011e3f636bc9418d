//! A body with a secret in it: JSON like any other, but what is wrong with it is never told in its own words.

use poem::{Request, RequestBody, Result};
use poem_openapi::error::{ContentTypeError, ParseRequestPayloadError};
use poem_openapi::payload::{Json, ParsePayload, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::types::ParseFromJSON;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

/// The body.
#[derive(Debug)]
pub(super) struct Hushed<T>(pub T);

impl<T: ParseFromJSON> Payload for Hushed<T> {
    const CONTENT_TYPE: &'static str = Json::<T>::CONTENT_TYPE;

    fn check_content_type(content_type: &str) -> bool {
        Json::<T>::check_content_type(content_type)
    }

    fn schema_ref() -> MetaSchemaRef {
        Json::<T>::schema_ref()
    }

    fn register(registry: &mut Registry) {
        <Json<T> as Payload>::register(registry);
    }
}

impl<T: ParseFromJSON> ParsePayload for Hushed<T> {
    const IS_REQUIRED: bool = Json::<T>::IS_REQUIRED;

    async fn from_request(request: &Request, body: &mut RequestBody) -> Result<Self> {
        match <Json<T> as ParsePayload>::from_request(request, body).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(error) if error.is::<ParseRequestPayloadError>() => {
                let reason = "it is not what the document describes; its values are not repeated here".to_owned();
                Err(ParseRequestPayloadError { reason }.into())
            }
            Err(error) => Err(error),
        }
    }
}

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for Hushed<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Self as Payload>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let (content_type, schema) = (Self::CONTENT_TYPE, Self::schema_ref());
        let content = vec![MetaMediaType { content_type, schema }];
        Some(MetaRequest { description: None, content, required: Self::IS_REQUIRED })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<Self::ParamType>,
    ) -> Result<Self> {
        match request.content_type() {
            Some(given) if Self::check_content_type(given) => <Self as ParsePayload>::from_request(request, body).await,
            Some(_) => Err(ContentTypeError::NotSupported { content_type: String::new() }.into()),
            None => Err(ContentTypeError::ExpectContentType.into()),
        }
    }
}
