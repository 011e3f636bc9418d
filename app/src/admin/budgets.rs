//! How users stand to their monthly budgets.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::SharedAdmin;
use super::caller::Caller;
use super::money::Usd;
use super::problem::Problem;
use super::service::Tag;
use super::sorts::{Refused, Showing};
use crate::domain::budget::percent;

/// What Bedrock may cost for a user this month, and has cost.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Budget {
    user_id: Uuid,
    /// What Bedrock may cost in the month, in US dollars; missing: no limit.
    monthly_budget_usd: Option<Usd>,
    /// What Bedrock has cost in the month, in US dollars, as far as it is stored.
    spent_usd: Usd,
    /// What it may still cost; missing without a limit.
    remaining_usd: Option<Usd>,
    /// The share that is spent, in whole percent; missing without a limit.
    percent_spent: Option<u32>,
    /// The first instant of the month.
    month_start: DateTime<Utc>,
    /// The first instant of the next month, in which the budget begins anew.
    resets_at: DateTime<Utc>,
    /// The date of that in the time zone.
    #[oai(validator(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    reset_date: String,
    /// The time zone of the month (`REPORT_TIMEZONE`).
    time_zone: String,
}

/// Operations on budgets.
pub struct BudgetsPart;

#[OpenApi(prefix_path = "/admin/users", tag = "Tag::Users")]
impl BudgetsPart {
    /// Show a user's budget
    ///
    /// The budget of the current month, and what is left of it. `PATCH /admin/users/{user_id}` changes it.
    #[oai(path = "/:user_id/budget", method = "get", operation_id = "get_user_budget")]
    async fn show(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// Whose.
        user_id: Path<Uuid>,
    ) -> Result<Json<Budget>, Refused<Showing>> {
        let user = admin.database.user(user_id.0).await?;
        let limit = user.ok_or_else(|| Problem::not_found("user", user_id.0))?.monthly_budget_usd;
        let stored = admin.database.spend(Utc::now(), &[user_id.0], &[]).await?;
        let spent = stored.totals.first().map_or(Decimal::ZERO, |(_, total)| *total);
        Ok(Json(Budget {
            user_id: user_id.0,
            monthly_budget_usd: limit.map(Usd),
            spent_usd: Usd(spent),
            remaining_usd: limit.map(|limit| Usd((limit - spent).max(Decimal::ZERO))),
            percent_spent: limit.map(|limit| percent(spent, limit)),
            month_start: stored.month.start,
            resets_at: stored.month.end,
            reset_date: stored.month.reset.to_string(),
            time_zone: stored.month.zone,
        }))
    }
}
