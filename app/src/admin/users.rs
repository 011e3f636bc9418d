//! Users: the developers who hold access keys.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use uuid::Uuid;

use super::SharedAdmin;
use super::caller::Caller;
use super::change::changed;
use super::idempotency::once;
use super::list::{self, DEFAULT_LIMIT, Page};
use super::money::{Usd, usd};
use super::problem::{Changing, Listing, Problem, Refused, Showing};
use super::service::Tag;
use crate::domain::RoutingStrategy;
use crate::store::{NewUser, News, UserChange, UserFilter, UserRow};

const BUDGET: &str = "monthly_budget_usd";

/// A developer.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub struct User {
    id: Uuid,
    /// How people call the user.
    name: String,
    /// Whatever helps to know who that is.
    description: Option<String>,
    /// Whether the user's keys work.
    status: UserStatus,
    /// How requests are served.
    routing: Routing,
    /// What Bedrock may cost in a calendar month, in US dollars; missing: no limit.
    monthly_budget_usd: Option<Usd>,
    /// Access keys that are not revoked.
    access_keys: u64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Whether a user's keys work.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum UserStatus {
    /// They do.
    Active,
    /// They do not, until the user is reactivated.
    Inactive,
}

/// How a user's requests are served.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum Routing {
    /// The plan, and Bedrock when the plan does not serve.
    PlanFirst,
    /// Bedrock alone.
    BedrockOnly,
    /// The plan alone.
    PlanOnly,
}

/// A user to be made.
#[derive(Object, Debug)]
#[oai(deny_unknown_fields)]
pub(super) struct CreateUser {
    /// How people call the user; no two that are not deleted have the same name.
    #[oai(validator(min_length = 1, max_length = 255, pattern = r"^\S(.*\S)?$"))]
    name: String,
    /// Whatever helps to know who that is.
    #[oai(validator(max_length = 4096))]
    description: Option<String>,
    /// How requests are served; `plan_first` unless given.
    routing: Option<Routing>,
    /// What Bedrock may cost in a calendar month, in US dollars; no limit unless given.
    #[oai(validator(pattern = r"^[0-9]{1,12}(\.[0-9]{1,12})?$"))]
    monthly_budget_usd: Option<String>,
}

/// What to change of a user; what is left out stays as it is.
#[derive(Object, Debug)]
#[oai(deny_unknown_fields)]
pub(super) struct ChangeUser {
    /// How people call the user; no two that are not deleted have the same name.
    #[oai(validator(min_length = 1, max_length = 255, pattern = r"^\S(.*\S)?$"))]
    name: Option<String>,
    /// Whatever helps to know who that is; null takes it away.
    #[oai(validator(max_length = 4096))]
    description: MaybeUndefined<String>,
    /// How requests are served.
    routing: Option<Routing>,
    /// What Bedrock may cost in a calendar month, in US dollars; null takes the limit away.
    #[oai(validator(pattern = r"^[0-9]{1,12}(\.[0-9]{1,12})?$"))]
    monthly_budget_usd: MaybeUndefined<String>,
}

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
        let new = NewUser {
            name: user.0.name,
            description: user.0.description,
            routing_strategy: user.0.routing.map_or_else(RoutingStrategy::default, Routing::strategy),
            monthly_budget_usd: user.0.monthly_budget_usd.map(|text| usd(BUDGET, &text)).transpose()?,
        };
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
        let change = UserChange {
            name: change.0.name,
            description: changed(change.0.description, Ok)?,
            routing_strategy: change.0.routing.map(Routing::strategy),
            monthly_budget_usd: changed(change.0.monthly_budget_usd, |text| usd(BUDGET, &text))?,
        };
        let row = admin.database.change_user(caller.actor(), user_id.0, &change).await?;
        admin.changes.apply(&News::User(user_id.0)).await;
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
            admin.changes.apply(&News::User(user_id.0)).await;
            Ok(UserDeleted::Deleted)
        } else {
            Err(no_user(user_id.0).into())
        }
    }
}

impl UserStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}

impl Routing {
    fn strategy(self) -> RoutingStrategy {
        match self {
            Self::PlanFirst => RoutingStrategy::PlanFirst,
            Self::BedrockOnly => RoutingStrategy::BedrockOnly,
            Self::PlanOnly => RoutingStrategy::PlanOnly,
        }
    }
}

impl From<RoutingStrategy> for Routing {
    fn from(strategy: RoutingStrategy) -> Self {
        match strategy {
            RoutingStrategy::PlanFirst => Self::PlanFirst,
            RoutingStrategy::BedrockOnly => Self::BedrockOnly,
            RoutingStrategy::PlanOnly => Self::PlanOnly,
        }
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            description: row.description,
            status: if row.status == "active" { UserStatus::Active } else { UserStatus::Inactive },
            routing: RoutingStrategy::parse(&row.routing_strategy).unwrap_or_default().into(),
            monthly_budget_usd: row.monthly_budget_usd.map(Usd),
            access_keys: row.access_keys.unsigned_abs(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

pub(super) fn no_user(id: Uuid) -> Problem {
    Problem::not_found("user", id)
}
