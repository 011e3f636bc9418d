//! Users come and go.

use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};
use uuid::Uuid;

use super::SharedAdmin;
use super::caller::Caller;
use super::problem::{Refused, Showing};
use super::service::Tag;
use super::users::{User, no_user};

/// The user is gone.
#[derive(ApiResponse)]
pub enum UserDeleted {
    /// The user and all keys of the user work no more; usage stays.
    #[oai(status = 204)]
    Deleted,
}

/// Operations on the life of users.
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
        Ok(Json(row.ok_or_else(|| no_user(user_id.0))?.into()))
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
        Ok(Json(row.ok_or_else(|| no_user(user_id.0))?.into()))
    }

    /// Delete a user
    ///
    /// All access keys of the user are revoked, their Bedrock keys removed, and the name is free for another user. There
    /// is no way back. Usage and audit log stay.
    #[oai(path = "/:user_id", method = "delete", operation_id = "delete_user")]
    async fn delete(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Whom.
        user_id: Path<Uuid>,
    ) -> Result<UserDeleted, Refused<Showing>> {
        if admin.database.delete_user(caller.actor(), user_id.0).await? {
            Ok(UserDeleted::Deleted)
        } else {
            Err(no_user(user_id.0).into())
        }
    }
}
