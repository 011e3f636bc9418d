//! Circuits, as administrators reset them.

use serde_json::json;

use super::announce::{News, announce};
use super::audit::{self, Actor, Deed};
use crate::domain::CircuitId;
use crate::store::{Database, StoreError};

impl Database {
    /// Forgets the limits that a circuit is open for, and has all instances close it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reset_circuit(&self, actor: &Actor, id: &CircuitId) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let mut limits = Vec::new();
        if let CircuitId::Login(login, family) = id {
            limits = sqlx::query_scalar!(
                "DELETE FROM plan_limits WHERE starts_with(credential_hash, $1) AND family = $2 RETURNING closed_until",
                login,
                family.name()
            )
            .fetch_all(&mut *transaction)
            .await?;
        }
        let name = id.to_string();
        let before = Some(json!({ "limited_until": limits.iter().max() }));
        let deed = Deed { action: "circuit.reset", object_type: "circuit", object_id: &name, before, after: None };
        audit::write(&mut transaction, actor, deed).await?;
        announce(&mut transaction, &News::Circuit(id.clone())).await?;
        Ok(transaction.commit().await?)
    }
}
