//! What an operator is told once, and not with every request that it is true of.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use uuid::Uuid;

/// Betas of models that are told of in a day at the most; clients make up as many as they like.
const BETAS: u64 = 1000;
/// Betas of one request that are looked at.
const BETAS_OF_A_REQUEST: usize = 32;
/// After this time everything is told again.
const BETAS_AGAIN: Duration = Duration::from_hours(24);
/// Access keys with refused Bedrock keys that are remembered.
const KEYS: u64 = 10_000;
/// A refused key is told of no more often than this.
const KEYS_AGAIN: Duration = Duration::from_mins(1);

/// What has been told.
#[derive(Clone, Debug)]
pub struct Notices {
    betas: Cache<u64, ()>,
    hasher: Arc<RandomState>,
    keys: Cache<Uuid, ()>,
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            betas: Cache::builder().max_capacity(BETAS).time_to_live(BETAS_AGAIN).build(),
            hasher: Arc::default(),
            keys: Cache::builder().max_capacity(KEYS).time_to_live(KEYS_AGAIN).build(),
        }
    }
}

impl Notices {
    /// Tells which betas a model is not asked for, each once.
    pub(super) fn betas(&self, dropped: &[String], model: &str) {
        for beta in dropped.iter().filter(|beta| is_beta(beta)).take(BETAS_OF_A_REQUEST) {
            if self.is_news(beta, model) {
                tracing::info!(beta, model, "a beta is not asked for at Bedrock");
            }
        }
    }

    /// Tells that Bedrock has refused the Bedrock key of an access key.
    pub(in crate::relay) fn key_refused(&self, access_key_id: Uuid, region: &str, model: &str) {
        if self.keys.entry(access_key_id).or_insert(()).is_fresh() {
            let message = "Bedrock refuses the key, or the model to it; register another one, or check its rights";
            tracing::error!(%access_key_id, region, model, "{message}");
        }
    }

    fn is_news(&self, beta: &str, model: &str) -> bool {
        let known = self.hasher.hash_one((beta, model));
        // Full of what clients made up, it stays silent until some of that is forgotten.
        !self.betas.contains_key(&known) && self.betas.entry_count() < BETAS && {
            self.betas.entry(known).or_insert(()).is_fresh()
        }
    }
}

/// Whether a text can be the name of a beta, and so a part of a line in the log.
fn is_beta(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_makes_up_is_bounded_and_checked() {
        let notices = Notices::default();
        assert!(notices.is_news("a-2030-01-01", "m") && !notices.is_news("a-2030-01-01", "m"));
        assert!(notices.is_news("a-2030-01-01", "another model"));
        let told = (0..10 * BETAS)
            .filter(|n| {
                notices.betas.run_pending_tasks();
                notices.is_news(&n.to_string(), "m")
            })
            .count();
        assert!(told < usize::try_from(BETAS).unwrap(), "{told}");
        for text in ["", "A", "a b", "a\nb", "é", &"x".repeat(65)] {
            assert!(!is_beta(text), "{text:?}");
        }
    }
}
