//! Users as the admin API shows and takes them.

use chrono::{DateTime, Utc};
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Enum, Object};
use uuid::Uuid;

use super::change::changed;
use super::money::{Usd, usd};
use super::problem::Problem;
use crate::domain::RoutingStrategy;
use crate::store::{NewUser, UserChange, UserRow};

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

impl CreateUser {
    /// The user to be made.
    ///
    /// # Errors
    /// When the budget is none.
    pub(super) fn read(self) -> Result<NewUser, Problem> {
        Ok(NewUser {
            name: self.name,
            description: self.description,
            routing_strategy: self.routing.map_or_else(RoutingStrategy::default, Routing::strategy),
            monthly_budget_usd: self.monthly_budget_usd.map(|text| usd(BUDGET, &text)).transpose()?,
        })
    }
}

impl ChangeUser {
    /// The change.
    ///
    /// # Errors
    /// When the budget is none.
    pub(super) fn read(self) -> Result<UserChange, Problem> {
        Ok(UserChange {
            name: self.name,
            description: changed(self.description, Ok)?,
            routing_strategy: self.routing.map(Routing::strategy),
            monthly_budget_usd: changed(self.monthly_budget_usd, |text| usd(BUDGET, &text))?,
        })
    }
}

impl UserStatus {
    pub(super) fn name(self) -> &'static str {
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
