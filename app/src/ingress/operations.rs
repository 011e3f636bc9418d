//! The documented operations of the proxy's side, as OpenAPI describes them. Bodies pass unread: what a request may
//! contain is Anthropic's to say, so they are described as open objects.

use poem::web::Data;
use poem::{Body, Request};
use poem_openapi::param::{Header, Path};
use poem_openapi::{OpenApi, Tags};

use super::SharedIngress;
use super::forward::forward;
use super::health::{HealthResponse, ReadyResponse, health, ready};
use crate::ingress::operations::relayed::{MessageBody, Relayed};
use crate::relay::Operation;

mod relayed;

/// Groups of operations.
#[derive(Tags)]
enum Tag {
    /// What Claude Code and the SDKs call.
    Messages,
    /// What load balancers and monitors call.
    Operations,
}

/// Operations that need no key.
pub struct OpenPart;

#[expect(clippy::unused_async, reason = "poem-openapi takes async functions only")]
#[OpenApi]
impl OpenPart {
    /// Whether the process serves
    ///
    /// For load balancers: 200 while requests are taken, 503 from the moment the process begins to shut down.
    #[oai(path = "/health", method = "get", operation_id = "get_health", tag = "Tag::Operations")]
    async fn health(&self, ingress: Data<&SharedIngress>) -> HealthResponse {
        health(&ingress)
    }

    /// How the parts behind the process are
    ///
    /// Stays 200 while the database is away, as long as known access keys can be served, and whatever AWS's services are
    /// like. Only the database is asked; the other parts are told as they were when they were last needed.
    #[oai(path = "/ready", method = "get", operation_id = "get_readiness", tag = "Tag::Operations")]
    async fn ready(&self, ingress: Data<&SharedIngress>) -> ReadyResponse {
        ready(&ingress).await
    }
}

/// Operations with the access key in the path.
pub struct PathKeyPart;

#[OpenApi]
impl PathKeyPart {
    /// Create a message
    ///
    /// The Messages API of Anthropic, streamed or whole. The plan serves it; when the plan is limited, overloaded or
    /// away, Bedrock does. `x-ccp-provider` says who did.
    #[oai(
        path = "/ak/:access_key/v1/messages",
        method = "post",
        operation_id = "create_message_by_path_key",
        tag = "Tag::Messages"
    )]
    async fn create_message(
        &self,
        ingress: Data<&SharedIngress>,
        request: &Request,
        /// The access key, `ak_` and 43 characters.
        #[oai(name = "access_key")]
        _access_key: Path<String>,
        body: MessageBody,
    ) -> Relayed {
        Relayed(forward(&ingress, request, body.0, Operation::Messages).await)
    }

    /// Count the tokens of a message
    ///
    /// The plan counts; when it cannot, Bedrock does for the models that have it. Otherwise the answer is 501, and the
    /// client estimates.
    #[oai(
        path = "/ak/:access_key/v1/messages/count_tokens",
        method = "post",
        operation_id = "count_tokens_by_path_key",
        tag = "Tag::Messages"
    )]
    async fn count_tokens(
        &self,
        ingress: Data<&SharedIngress>,
        request: &Request,
        /// The access key, `ak_` and 43 characters.
        #[oai(name = "access_key")]
        _access_key: Path<String>,
        body: MessageBody,
    ) -> Relayed {
        Relayed(forward(&ingress, request, body.0, Operation::CountTokens).await)
    }

    /// List models
    ///
    /// The plan's answer. Whoever has no plan to ask gets the models that Bedrock serves, newest first, with the same
    /// parameters: `limit` (1 to 1000, 20 unless given), `after_id`, `before_id`.
    #[oai(
        path = "/ak/:access_key/v1/models",
        method = "get",
        operation_id = "list_models_by_path_key",
        tag = "Tag::Messages"
    )]
    async fn list_models(
        &self,
        ingress: Data<&SharedIngress>,
        request: &Request,
        body: Body,
        /// The access key, `ak_` and 43 characters.
        #[oai(name = "access_key")]
        _access_key: Path<String>,
    ) -> Relayed {
        Relayed(forward(&ingress, request, body, Operation::ListModels).await)
    }

    /// Get a model
    ///
    /// The plan's answer. Whoever has no plan to ask gets the model of the list.
    #[oai(
        path = "/ak/:access_key/v1/models/:model_id",
        method = "get",
        operation_id = "get_model_by_path_key",
        tag = "Tag::Messages"
    )]
    async fn get_model(
        &self,
        ingress: Data<&SharedIngress>,
        request: &Request,
        body: Body,
        /// The access key, `ak_` and 43 characters.
        #[oai(name = "access_key")]
        _access_key: Path<String>,
        /// The name of the model, with or without its date.
        #[oai(name = "model_id")]
        _model_id: Path<String>,
    ) -> Relayed {
        Relayed(forward(&ingress, request, body, Operation::GetModel).await)
    }
}

/// Operations with the access key in a header.
pub struct HeaderKeyPart;

#[OpenApi]
impl HeaderKeyPart {
    /// Create a message
    ///
    /// As below `/ak/{access_key}`; the key comes in `x-ccp-access-key`, or as an `ak_...` value in `x-api-key` or
    /// `Authorization: Bearer`.
    #[oai(path = "/v1/messages", method = "post", operation_id = "create_message", tag = "Tag::Messages")]
    async fn create_message(
        &self,
        ingress: Data<&SharedIngress>,
        request: &Request,
        /// The access key, `ak_` and 43 characters.
        #[oai(name = "x-ccp-access-key")]
        _access_key: Header<Option<String>>,
        body: MessageBody,
    ) -> Relayed {
        Relayed(forward(&ingress, request, body.0, Operation::Messages).await)
    }

    /// Count the tokens of a message
    ///
    /// The plan counts; when it cannot, Bedrock does for the models that have it. Otherwise the answer is 501, and the
    /// client estimates.
    #[oai(path = "/v1/messages/count_tokens", method = "post", operation_id = "count_tokens", tag = "Tag::Messages")]
    async fn count_tokens(
        &self,
        ingress: Data<&SharedIngress>,
        request: &Request,
        /// The access key, `ak_` and 43 characters.
        #[oai(name = "x-ccp-access-key")]
        _access_key: Header<Option<String>>,
        body: MessageBody,
    ) -> Relayed {
        Relayed(forward(&ingress, request, body.0, Operation::CountTokens).await)
    }

    /// List models
    ///
    /// The plan's answer. Whoever has no plan to ask gets the models that Bedrock serves, newest first, with the same
    /// parameters: `limit` (1 to 1000, 20 unless given), `after_id`, `before_id`.
    #[oai(path = "/v1/models", method = "get", operation_id = "list_models", tag = "Tag::Messages")]
    async fn list_models(
        &self,
        ingress: Data<&SharedIngress>,
        request: &Request,
        body: Body,
        /// The access key, `ak_` and 43 characters.
        #[oai(name = "x-ccp-access-key")]
        _access_key: Header<Option<String>>,
    ) -> Relayed {
        Relayed(forward(&ingress, request, body, Operation::ListModels).await)
    }

    /// Get a model
    ///
    /// The plan's answer. Whoever has no plan to ask gets the model of the list.
    #[oai(path = "/v1/models/:model_id", method = "get", operation_id = "get_model", tag = "Tag::Messages")]
    async fn get_model(
        &self,
        ingress: Data<&SharedIngress>,
        request: &Request,
        body: Body,
        /// The access key, `ak_` and 43 characters.
        #[oai(name = "x-ccp-access-key")]
        _access_key: Header<Option<String>>,
        /// The name of the model, with or without its date.
        #[oai(name = "model_id")]
        _model_id: Path<String>,
    ) -> Relayed {
        Relayed(forward(&ingress, request, body, Operation::GetModel).await)
    }
}
