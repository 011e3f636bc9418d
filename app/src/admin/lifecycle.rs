//! Users who are to pause: their keys work no more, until they are back.

use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use uuid::Uuid;

use super::SharedAdmin;
use super::caller::Caller;
use super::service::Tag;
use super::sorts::{Refused, Showing};
use super::user_shapes::User;
use super::users::no_user;
use crate::store::News;

/// Operations on the status of users.
pub struct LifecyclePart;

#[OpenApi(prefix_path = "/admin/users", tag = "Tag::Users")]
impl LifecyclePart {
    /// Deactivate a user
    ///
    /// The user's access keys work no more until the user is reactivated. Their Bedrock keys are removed, and have to be
    /// registered again then. Running requests end as they began. A user who is inactive stays so.
    #[oai(path = "/:user_id/deactivate", method = "post", operation_id = "deactivate_user")]
    async fn deactivate(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Whom.
        user_id: Path<Uuid>,
    ) -> Result<Json<User>, Refused<Showing>> {
        let row = admin.database.deactivate_user(caller.actor(), user_id.0).await?;
        let row = row.ok_or_else(|| no_user(user_id.0))?;
        admin.changes.apply(&News::User(user_id.0)).await;
        Ok(Json(row.into()))
    }

    /// Reactivate a user
    ///
    /// The user's access keys work again, those that were revoked excepted. Bedrock keys were removed when the user was
    /// deactivated. A user who is active stays so.
    #[oai(path = "/:user_id/reactivate", method = "post", operation_id = "reactivate_user")]
    async fn reactivate(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Whom.
        user_id: Path<Uuid>,
    ) -> Result<Json<User>, Refused<Showing>> {
        let row = admin.database.reactivate_user(caller.actor(), user_id.0).await?;
        let row = row.ok_or_else(|| no_user(user_id.0))?;
        admin.changes.apply(&News::User(user_id.0)).await;
        Ok(Json(row.into()))
    }
}
