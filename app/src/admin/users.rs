//! Users: the developers who hold access keys.

use poem::web::Data;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};
use uuid::Uuid;

use super::SharedAdmin;
use super::caller::Caller;
use super::idempotency::once;
use super::list::{self, DEFAULT_LIMIT, Page};
use super::problem::Problem;
use super::service::Tag;
use super::sorts::{Changing, Listing, Refused, Showing};
use super::user_shapes::{ChangeUser, CreateUser, User, UserStatus};
use crate::store::{News, UserFilter};

/// The user is there.
#[derive(ApiResponse)]
pub enum UserCreated {
    /// The user as it is now.
    #[oai(status = 201)]
    Created(Json<User>),
}

/// The user is gone.
#[derive(ApiResponse)]
pub enum UserDeleted {
    /// The user and all keys of the user work no more; usage stays.
    #[oai(status = 204)]
    Deleted,
}

/// Operations on users.
pub struct UsersPart;

#[OpenApi(prefix_path = "/admin/users", tag = "Tag::Users")]
impl UsersPart {
    /// List users
    ///
    /// Newest first, without those that are deleted.
    #[oai(path = "/", method = "get", operation_id = "list_users")]
    async fn list(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// Part of the name or of the description, whatever the case of its letters.
        #[oai(validator(max_length = 255))]
        search: Query<Option<String>>,
        /// Those with this status only.
        status: Query<Option<UserStatus>>,
        /// `next` of the page before.
        #[oai(validator(max_length = 256))]
        cursor: Query<Option<String>>,
        /// Users on a page, 50 unless given.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u32>>,
    ) -> Result<Json<Page<User>>, Refused<Listing>> {
        let filter = UserFilter { search: search.0, status: status.0.map(UserStatus::name) };
        let limit = limit.0.unwrap_or(DEFAULT_LIMIT);
        let after = list::cursor(cursor.0.as_deref())?;
        let (rows, total) = admin.database.users(&filter, after, i64::from(limit) + 1).await?;
        Ok(Json(list::page(rows, limit, total, |row| (row.created_at, row.id), User::from)))
    }

    /// Create a user
    ///
    /// A user can do nothing before an access key is issued.
    #[oai(path = "/", method = "post", operation_id = "create_user")]
    async fn create(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Has the request do nothing when it comes again within 24 hours; the answer is the same.
        #[oai(name = "Idempotency-Key", validator(min_length = 1, max_length = 255, pattern = "^[ -~]+$"))]
        idempotency_key: Header<Option<String>>,
        user: Json<CreateUser>,
    ) -> Result<UserCreated, Refused<Changing>> {
        let once = once(&admin, idempotency_key.0, "create_user", None, &user.0);
        let new = user.0.read()?;
        let row = admin.database.create_user(caller.actor(), &new, once.as_ref()).await?;
        Ok(UserCreated::Created(Json(row.into())))
    }

    /// Show a user
    ///
    /// As it is now, with the number of access keys that work.
    #[oai(path = "/:user_id", method = "get", operation_id = "get_user")]
    async fn show(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// Whom.
        user_id: Path<Uuid>,
    ) -> Result<Json<User>, Refused<Showing>> {
        let row = admin.database.user(user_id.0).await?;
        Ok(Json(row.ok_or_else(|| no_user(user_id.0))?.into()))
    }

    /// Change a user
    ///
    /// What is left out stays as it is. Running requests go on as they began.
    #[oai(path = "/:user_id", method = "patch", operation_id = "update_user")]
    async fn change(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Whom.
        user_id: Path<Uuid>,
        change: Json<ChangeUser>,
    ) -> Result<Json<User>, Refused<Changing>> {
        let change = change.0.read()?;
        let row = admin.database.change_user(caller.actor(), user_id.0, &change).await?;
        let row = row.ok_or_else(|| no_user(user_id.0))?;
        admin.changes.apply(&News::User(user_id.0)).await;
        Ok(Json(row.into()))
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
            admin.changes.apply(&News::User(user_id.0)).await;
            Ok(UserDeleted::Deleted)
        } else {
            Err(no_user(user_id.0).into())
        }
    }
}

pub(super) fn no_user(id: Uuid) -> Problem {
    Problem::not_found("user", id)
}
