//! Whether the process serves, and how the parts behind it are.

use chrono::{DateTime, Utc};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object};

use super::Ingress;
use crate::store::DatabaseState;
use crate::telemetry::standing::State;

/// Whether the process serves.
#[derive(Object, Debug)]
pub struct Health {
    /// `healthy`, or `draining` while the process is about to end.
    status: HealthStatus,
}

/// The state of the process.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum HealthStatus {
    /// It takes requests.
    Healthy,
    /// It finishes what it has and takes no more.
    Draining,
}

/// The answer for load balancers.
#[derive(ApiResponse, Debug)]
pub enum HealthResponse {
    /// The process serves.
    #[oai(status = 200)]
    Serving(Json<Health>),
    /// The process is shutting down.
    #[oai(status = 503)]
    Draining(Json<Health>),
}

/// How the parts behind the process are.
#[derive(Object, Debug)]
#[oai(skip_serializing_if_is_none)]
pub struct Readiness {
    /// Whether requests can be served.
    ready: bool,
    /// The database. While it is away, access keys that are known go on working.
    database: DatabaseHealth,
    /// Access keys that are remembered.
    remembered_keys: u64,
    /// Usage records that wait for the database.
    queued_usage: u64,
    /// Where Bedrock keys are sealed. While it is away, keys that were used a moment ago go on working.
    vault: PartHealth,
    /// AWS Secrets Manager. While it is away, what was read there stays.
    secrets: PartHealth,
    /// CloudWatch. While it is away, metrics wait.
    metrics: PartHealth,
    /// When CloudWatch last took metrics; missing until it has.
    metrics_sent_at: Option<DateTime<Utc>>,
}

/// How a part was when it was last needed; it is not asked for this.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(crate) enum PartHealth {
    /// The settings name none.
    Unused,
    /// It has not been needed yet.
    Untried,
    /// It did what it was last asked for.
    Ready,
    /// It did not.
    Failing,
}

impl From<State> for PartHealth {
    fn from(state: State) -> Self {
        match state {
            State::Unused => Self::Unused,
            State::Untried => Self::Untried,
            State::Ready => Self::Ready,
            State::Failing => Self::Failing,
        }
    }
}

/// How the database is.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(crate) enum DatabaseHealth {
    /// It answers and has the schema that this version needs.
    Ready,
    /// It answers, and `claude-code-proxy migrate` has to be run.
    NotMigrated,
    /// It does not answer.
    Away,
}

impl From<DatabaseState> for DatabaseHealth {
    fn from(state: DatabaseState) -> Self {
        match state {
            DatabaseState::Ready => Self::Ready,
            DatabaseState::NotMigrated => Self::NotMigrated,
            DatabaseState::Away => Self::Away,
        }
    }
}

/// The answer for people and monitors.
#[derive(ApiResponse, Debug)]
pub enum ReadyResponse {
    /// Requests can be served, perhaps to known access keys only.
    #[oai(status = 200)]
    Ready(Json<Readiness>),
    /// The database does not answer and no access key is remembered.
    #[oai(status = 503)]
    NotReady(Json<Readiness>),
}

pub(super) fn health(ingress: &Ingress) -> HealthResponse {
    if ingress.stages.draining.is_cancelled() {
        HealthResponse::Draining(Json(Health { status: HealthStatus::Draining }))
    } else {
        HealthResponse::Serving(Json(Health { status: HealthStatus::Healthy }))
    }
}

pub(super) async fn ready(ingress: &Ingress) -> ReadyResponse {
    let state = ingress.database.state().await;
    let database = state.into();
    let remembered_keys = ingress.relay.directory.remembered();
    let ready = state == DatabaseState::Ready || (state == DatabaseState::Away && remembered_keys > 0);
    let queued_usage = ingress.relay.recorder.queued() as u64;
    let parts = &ingress.standings;
    let readiness = Json(Readiness {
        ready,
        database,
        remembered_keys,
        queued_usage,
        vault: parts.vault.state().into(),
        secrets: parts.secrets.state().into(),
        metrics: parts.metrics.state().into(),
        metrics_sent_at: parts.metrics.succeeded_at(),
    });
    if ready { ReadyResponse::Ready(readiness) } else { ReadyResponse::NotReady(readiness) }
}
