//! What the admin API does with the database: every change in one transaction with its row of the audit log.

mod access_key_changes;
mod access_keys;
mod announce;
mod audit;
mod bedrock_keys;
mod capabilities;
mod circuits;
mod deeds;
mod expiry;
mod idempotency;
mod lifecycle;
mod models;
mod prices;
mod requests;
mod rotation;
mod tokens;
mod usage;
mod users;

pub use access_key_changes::{AccessKeyChange, NewAccessKey};
pub use access_keys::AccessKeyRow;
pub use announce::{CHANNEL, News};
pub use audit::Actor;
pub use bedrock_keys::{BedrockKeyRow, SealedBedrockKey};
pub use capabilities::{CapabilityFilter, CapabilityRow};
pub use deeds::{DeedFilter, DeedRow};
pub use idempotency::{Made, Once};
pub use models::ModelRow;
pub use prices::{NewPrice, PriceKey, PriceRow};
pub use requests::RequestRow;
pub use rotation::{Resealed, Rotated, Rotation};
pub use usage::{
    Buckets, CostRow, REPORT_TIMEOUT, ReportClock, ReportEnd, TopOrder, TopUser, UsageFilter, UsageGrouping,
    UsageListFilter, UsagePoint, UsageReader, UsageRow, UsageRowKey, UsageSource, UsageSums,
};
pub use users::{NewUser, UserChange, UserFilter, UserRow};

use super::StoreError;

/// What becomes of a value that may be missing.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It becomes this, or is taken away.
    Set(Option<T>),
}

impl<T> Change<T> {
    /// Whether it changes, and to what: two parameters of a statement.
    fn parameters(&self) -> (bool, Option<&T>) {
        match self {
            Self::Keep => (false, None),
            Self::Set(value) => (true, value.as_ref()),
        }
    }
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// A constraint of the schema forbids it: something that is there already is in the way, or a value is out of range.
    #[error("the constraint {0} forbids it")]
    Constraint(String),
    /// A value does not go with what is there.
    #[error("{name}: {problem}")]
    Field {
        /// The value's name in the admin API.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Something is not in the state for it.
    #[error("{0:?} is in the way")]
    Obstacle(#[from] Obstacle),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A state that is in the way of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{self:?} is in the way")]
pub enum Obstacle {
    /// The user is deactivated or deleted.
    UserInactive,
    /// The access key is revoked.
    KeyRevoked,
    /// Another access key has taken the place of this one already.
    KeyRotating,
    /// The Bedrock key was changed at the same moment.
    BedrockKeyChanged,
    /// The `Idempotency-Key` came with another request before.
    IdempotencyKeyReused,
}

impl From<sqlx::Error> for ChangeError {
    fn from(error: sqlx::Error) -> Self {
        let constraint = error.as_database_error().and_then(|error| error.constraint()).map(str::to_owned);
        constraint.map_or_else(|| Self::Store(error.into()), Self::Constraint)
    }
}

/// A text that `LIKE` and `ILIKE` find anywhere, with nothing in it that means something to them.
fn pattern(text: &str) -> String {
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}
