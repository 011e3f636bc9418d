//! Circuits: whom the proxy does not ask at the moment, and until when.

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};

use super::SharedAdmin;
use super::caller::Caller;
use super::families::Family;
use super::list::{self, DEFAULT_LIMIT, Page};
use super::problem::Problem;
use super::service::Tag;
use super::sorts::{Listing, Refused};
use crate::domain::CircuitId;
use crate::route::breaker::Phase;
use crate::route::circuits::CircuitKey;
use crate::store::{News, PlanLimit};

/// A circuit that is not closed, or a limit that the plan has named.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Circuit {
    /// What to reset it by.
    id: String,
    /// What is not asked.
    of: CircuitOf,
    /// Of the plan for a login: the first digits of the login's hash. Logins themselves are kept nowhere.
    login: Option<String>,
    /// Of the plan for a login: for which models.
    family: Option<Family>,
    /// Of Bedrock: where.
    region: Option<String>,
    /// How it is on the instance that answers.
    state: CircuitState,
    /// When that instance tries again, if it does not yet.
    open_until: Option<DateTime<Utc>>,
    /// The reset that the plan has named, which all instances know of.
    limited_until: Option<DateTime<Utc>>,
}

/// What a circuit is about.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum CircuitOf {
    /// The plan, whoever asks.
    Plan,
    /// The plan for one login and one family of models.
    Login,
    /// Bedrock in a region.
    Bedrock,
}

/// The state of a circuit.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum CircuitState {
    /// Requests pass; the instance has not heard of the limit yet.
    Closed,
    /// Requests do not pass.
    Open,
    /// The next request is a try.
    HalfOpen,
}

/// The circuit is closed.
#[derive(ApiResponse)]
pub enum CircuitReset {
    /// It is closed, and what led to it is forgotten.
    #[oai(status = 204)]
    Done,
}

/// Operations on circuits.
pub struct CircuitsPart;

#[OpenApi(prefix_path = "/admin/circuits", tag = "Tag::State")]
impl CircuitsPart {
    /// List circuits
    ///
    /// Those that are not closed on the instance that answers, and the limits of plans that all instances share.
    #[oai(path = "/", method = "get", operation_id = "list_circuits")]
    async fn list(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// `next` of the page before.
        #[oai(validator(max_length = 256))]
        cursor: Query<Option<String>>,
        /// Circuits on a page, 50 unless given.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u32>>,
    ) -> Result<Json<Page<Circuit>>, Refused<Listing>> {
        let limit = limit.0.unwrap_or(DEFAULT_LIMIT);
        let after: Option<String> = list::cursor(cursor.0.as_deref())?;
        let limits = admin.database.limits_after(DateTime::UNIX_EPOCH).await?;
        let limits = limits.into_iter().map(|known| known.what).collect();
        let all = circuits(admin.changes.circuits.not_closed(Instant::now()), limits);
        let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
        let rest = all.into_iter().filter(|(id, _)| after.as_ref().is_none_or(|after| id > after));
        let size = usize::try_from(limit).unwrap_or(usize::MAX);
        let rows: Vec<_> = rest.map(|(_, circuit)| circuit).take(size.saturating_add(1)).collect();
        Ok(Json(list::page(rows, limit, total, |circuit| circuit.id.clone(), |circuit| circuit)))
    }

    /// Reset a circuit
    ///
    /// It is closed on every instance, and a limit that the plan has named is forgotten: the plan is asked again, and may
    /// name it again. To reset one that is not open changes nothing.
    #[oai(path = "/:circuit_id/reset", method = "post", operation_id = "reset_circuit")]
    async fn reset(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Which: `plan`, `bedrock-` and a region, or `login-`, the login's digits, `-` and a family.
        #[oai(validator(max_length = 64))]
        circuit_id: Path<String>,
    ) -> Result<CircuitReset, Refused<Listing>> {
        let id: CircuitId =
            circuit_id.0.parse().map_err(|what| Problem::field("circuit_id", format!("{:?} {what}", circuit_id.0)))?;
        admin.database.reset_circuit(caller.actor(), &id).await?;
        admin.changes.apply(&News::Circuit(id)).await;
        Ok(CircuitReset::Done)
    }
}

/// What the instance and what the database know, by id.
fn circuits(open: Vec<(CircuitId, Phase)>, limits: Vec<PlanLimit>) -> BTreeMap<String, Circuit> {
    let (now, instant) = (Utc::now(), Instant::now());
    let mut all = BTreeMap::new();
    for (id, phase) in open {
        let mut circuit = Circuit::closed(&id);
        circuit.state = match phase {
            Phase::Closed => CircuitState::Closed,
            Phase::Open { until } => {
                let wait = TimeDelta::from_std(until.saturating_duration_since(instant)).ok();
                circuit.open_until = wait.and_then(|wait| now.checked_add_signed(wait));
                CircuitState::Open
            }
            Phase::HalfOpen => CircuitState::HalfOpen,
        };
        all.insert(circuit.id.clone(), circuit);
    }
    for limit in limits {
        let id = CircuitKey { credential: limit.credential, family: limit.family }.id();
        let circuit = all.entry(id.to_string()).or_insert_with(|| Circuit::closed(&id));
        circuit.limited_until = circuit.limited_until.max(Some(limit.closed_until));
    }
    all
}

impl Circuit {
    fn closed(id: &CircuitId) -> Self {
        let mut circuit = Self {
            id: id.to_string(),
            of: CircuitOf::Plan,
            login: None,
            family: None,
            region: None,
            state: CircuitState::Closed,
            open_until: None,
            limited_until: None,
        };
        match id {
            CircuitId::Plan => {}
            CircuitId::Bedrock(region) => {
                (circuit.of, circuit.region) = (CircuitOf::Bedrock, Some(region.clone()));
            }
            CircuitId::Login(login, family) => {
                circuit.of = CircuitOf::Login;
                (circuit.login, circuit.family) = (Some(login.clone()), Some((*family).into()));
            }
        }
        circuit
    }
}
