//! The map of models: what developers can ask for, and what serves it on Bedrock.

use poem::web::Data;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::SharedAdmin;
use super::caller::Caller;
use super::idempotency::once;
use super::list::{self, DEFAULT_LIMIT, Page};
use super::problem::Problem;
use super::service::Tag;
use super::sorts::{Changing, Listing, Refused, Showing};
use crate::domain::MappedModel;
use crate::domain::bedrock_target::check_chosen_model;
use crate::store::{ModelRow, News};

/// A model that developers can ask for.
#[derive(Object, Clone, Debug)]
#[oai(rename = "Model")]
pub struct Mapping {
    /// Its name in the Messages API, without a date.
    model: String,
    /// Its name for people.
    display_name: String,
    /// What serves it on Bedrock.
    bedrock_model: String,
}

/// A model to be added.
#[derive(Object, Debug)]
#[oai(deny_unknown_fields)]
pub(super) struct CreateModel {
    /// Its name in the Messages API, without a date and without `[1m]`, such as `claude-opus-6`.
    #[oai(validator(min_length = 1, max_length = 128, pattern = r"^[a-z0-9][a-z0-9._-]*$"))]
    model: String,
    /// Its name for people, such as `Claude Opus 6`.
    #[oai(validator(min_length = 1, max_length = 128))]
    display_name: String,
    /// A Bedrock id without geography (`anthropic.claude-opus-6`), which gets that of the access key; or a whole profile or
    /// ARN.
    #[oai(validator(min_length = 1, max_length = 256, pattern = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$"))]
    bedrock_model: String,
}

/// What a model becomes.
#[derive(Object, Debug)]
#[oai(deny_unknown_fields)]
pub(super) struct ChangeModel {
    /// Its name for people.
    #[oai(validator(min_length = 1, max_length = 128))]
    display_name: String,
    /// What serves it on Bedrock: an id without geography, a whole profile or an ARN.
    #[oai(validator(min_length = 1, max_length = 256, pattern = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$"))]
    bedrock_model: String,
}

/// The model is there.
#[derive(ApiResponse)]
pub enum ModelCreated {
    /// The model as it is now.
    #[oai(status = 201)]
    Created(Json<Mapping>),
}

/// The model is gone.
#[derive(ApiResponse)]
pub enum ModelDeleted {
    /// The name stands for nothing any more: access keys' own models serve it.
    #[oai(status = 204)]
    Deleted,
}

/// Operations on the map of models.
pub struct ModelsPart;

#[OpenApi(prefix_path = "/admin/models", tag = "Tag::Models")]
impl ModelsPart {
    /// List models
    ///
    /// Newest first, as `GET /v1/models` lists them to developers whom Bedrock serves.
    #[oai(path = "/", method = "get", operation_id = "list_models")]
    async fn list(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// `next` of the page before.
        #[oai(validator(max_length = 256))]
        cursor: Query<Option<String>>,
        /// Models on a page, 50 unless given.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u32>>,
    ) -> Result<Json<Page<Mapping>>, Refused<Listing>> {
        let limit = limit.0.unwrap_or(DEFAULT_LIMIT);
        let after = list::cursor(cursor.0.as_deref())?;
        let (rows, total) = admin.database.model_rows(after, i64::from(limit) + 1).await?;
        Ok(Json(list::page(rows, limit, total, |row| row.position, Mapping::from)))
    }

    /// Add a model
    ///
    /// It is the first in the list from then on.
    #[oai(path = "/", method = "post", operation_id = "create_model")]
    async fn create(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Has the request do nothing when it comes again within 24 hours; the answer is the same.
        #[oai(name = "Idempotency-Key", validator(min_length = 1, max_length = 255, pattern = "^[ -~]+$"))]
        idempotency_key: Header<Option<String>>,
        model: Json<CreateModel>,
    ) -> Result<ModelCreated, Refused<Changing>> {
        let once = once(&admin, idempotency_key.0, "create_model", None, &model.0);
        let CreateModel { model, display_name, bedrock_model } = model.0;
        let new = checked(model, display_name, bedrock_model)?;
        let row = admin.database.create_model(caller.actor(), &new, once.as_ref()).await?;
        admin.changes.apply(&News::Models).await;
        Ok(ModelCreated::Created(Json(row.into())))
    }

    /// Change a model
    ///
    /// Takes the place of all that is there of it; its place in the list stays.
    #[oai(path = "/:model", method = "put", operation_id = "update_model")]
    async fn change(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Its name.
        #[oai(validator(max_length = 128))]
        model: Path<String>,
        change: Json<ChangeModel>,
    ) -> Result<Json<Mapping>, Refused<Changing>> {
        let change = checked(model.0, change.0.display_name, change.0.bedrock_model)?;
        let row = admin.database.change_model(caller.actor(), &change).await?;
        let row = row.ok_or_else(|| Problem::not_found("model", &change.name))?;
        admin.changes.apply(&News::Models).await;
        Ok(Json(row.into()))
    }

    /// Remove a model
    ///
    /// Requests for it go to the model that is chosen for the access key from then on.
    #[oai(path = "/:model", method = "delete", operation_id = "delete_model")]
    async fn delete(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Its name.
        #[oai(validator(max_length = 128))]
        model: Path<String>,
    ) -> Result<ModelDeleted, Refused<Showing>> {
        if !admin.database.delete_model(caller.actor(), &model.0).await? {
            return Err(Problem::not_found("model", &model.0).into());
        }
        admin.changes.apply(&News::Models).await;
        Ok(ModelDeleted::Deleted)
    }
}

fn checked(name: String, display_name: String, bedrock_model: String) -> Result<MappedModel, Problem> {
    check_chosen_model(&bedrock_model).map_err(|what| Problem::field("bedrock_model", what))?;
    Ok(MappedModel { name, display_name, bedrock_model })
}

impl From<ModelRow> for Mapping {
    fn from(row: ModelRow) -> Self {
        Self { model: row.model, display_name: row.display_name, bedrock_model: row.bedrock_model }
    }
}
