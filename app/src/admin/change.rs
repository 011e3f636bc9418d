//! Changes: fields that are left out, fields that are null, and what stands against a change.

use poem_openapi::types::MaybeUndefined;

use super::problem::{Kind, Problem};
use crate::store::{Change, ChangeError, Obstacle};

/// What becomes of a field.
///
/// # Errors
/// Those of `read`, which makes a value of what was given.
pub(super) fn changed<T, V>(
    field: MaybeUndefined<T>,
    read: impl FnOnce(T) -> Result<V, Problem>,
) -> Result<Change<V>, Problem> {
    Ok(match field {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Set(None),
        MaybeUndefined::Value(given) => Change::Set(Some(read(given)?)),
    })
}

/// What each constraint that input can meet has to say, so that input never is an error of the server.
const CONSTRAINTS: &[(&str, Kind, &str, &str)] = &[
    (
        "users_name_key",
        Kind::Conflict,
        "user_name_taken",
        "There is a user with this name already. Take another name, or change that user.",
    ),
    (
        "model_map_pkey",
        Kind::Conflict,
        "model_taken",
        "There is a model with this name already. Change it with PUT /admin/models/{model}.",
    ),
    (
        "model_prices_pkey",
        Kind::Conflict,
        "price_taken",
        "There are prices of this model, date and length of the prompt already, and prices never change. Add others that \
         begin later.",
    ),
    (
        "price_in_past",
        Kind::Conflict,
        "price_in_past",
        "These prices would begin in the past, in which others have been billed already. Leave effective_from out to have \
         them begin now.",
    ),
];

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let constraint = match error {
            ChangeError::Store(error) => return error.into(),
            ChangeError::Field { name, problem } => return Self::field(&name, problem),
            ChangeError::Obstacle(obstacle) => return obstacle.into(),
            ChangeError::Constraint(constraint) => constraint,
        };
        if let Some((_, kind, code, message)) = CONSTRAINTS.iter().find(|(name, ..)| *name == constraint) {
            return Self::new(*kind, code, *message);
        }
        tracing::error!(constraint, "a change of the admin API was stopped by the schema only");
        Self::new(Kind::Conflict, "conflict", format!("What is stored already forbids this ({constraint})."))
    }
}

impl From<Obstacle> for Problem {
    fn from(obstacle: Obstacle) -> Self {
        let (kind, code, message) = match obstacle {
            Obstacle::UserInactive => {
                (Kind::Conflict, "user_inactive", "The user is deactivated or deleted. Reactivate the user first.")
            }
            Obstacle::KeyRevoked => {
                (Kind::Conflict, "access_key_revoked", "The access key is revoked, for ever. Issue another one.")
            }
            Obstacle::KeyRotating => (
                Kind::Conflict,
                "access_key_rotating",
                "Another access key has taken the place of this one already. Rotate that one, or revoke this one.",
            ),
            Obstacle::BedrockKeyChanged => (
                Kind::Conflict,
                "bedrock_key_changed",
                "The Bedrock key of this access key was changed at the same moment. Nothing was done; try again.",
            ),
            Obstacle::IdempotencyKeyReused => (
                Kind::OutOfRange,
                "idempotency_key_reused",
                "Another request came with this Idempotency-Key within 24 hours. Take a new one for each thing to be made.",
            ),
        };
        Self::new(kind, code, message)
    }
}
