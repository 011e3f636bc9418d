//! Access keys for tests, issued as the command line issues them.

use claude_code_proxy::auth::KeyHasher;
use claude_code_proxy::domain::{AccessKey, BedrockKeyKind, Family, RoutingStrategy, Secret};
use claude_code_proxy::store::{Database, NewKey, SealedBedrockKey};
use claude_code_proxy::vault::Vault;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::evidence::secret;

/// What a key shall be like.
#[derive(Clone, Debug)]
pub struct KeyWish {
    /// Whether it has a Bedrock key.
    pub bedrock: bool,
    /// Its Bedrock model.
    pub model: &'static str,
    /// Its Bedrock models for whole families of requested models.
    pub family_models: Vec<(Family, &'static str)>,
    /// Its region.
    pub region: &'static str,
    /// How its user's requests are served.
    pub routing: RoutingStrategy,
    /// What Bedrock may cost for its user in a month, USD.
    pub budget: Option<Decimal>,
}

impl Default for KeyWish {
    fn default() -> Self {
        Self {
            bedrock: true,
            model: "global.anthropic.claude-opus-5-5",
            family_models: Vec::new(),
            region: "ap-northeast-2",
            routing: RoutingStrategy::PlanFirst,
            budget: None,
        }
    }
}

/// A key that works.
#[derive(Clone, Debug)]
pub struct IssuedKey {
    /// `ak_...`
    pub text: String,
    /// `access_keys.id`
    pub id: Uuid,
    /// `users.id`
    pub user_id: Uuid,
    /// The Bedrock key behind it.
    pub bedrock_key: Option<String>,
}

impl KeyWish {
    /// A key that the plan alone serves.
    pub fn without_bedrock() -> Self {
        Self { bedrock: false, ..Self::default() }
    }

    /// A key for another Bedrock model.
    pub fn for_model(model: &'static str) -> Self {
        Self { model, ..Self::default() }
    }

    /// A key for another Bedrock model in place of all models of a family.
    pub fn for_family(family: Family, model: &'static str) -> Self {
        Self { family_models: vec![(family, model)], ..Self::default() }
    }

    /// A key whose user is served in this way.
    pub fn routed(routing: RoutingStrategy) -> Self {
        Self { routing, ..Self::default() }
    }

    pub(crate) async fn issue(self, database: &Database, hasher_secret: &str, vault: &dyn Vault) -> IssuedKey {
        let hasher = KeyHasher::new(&Secret::new(hasher_secret));
        let key = AccessKey::generate().expect("randomness");
        let id = Uuid::new_v4();
        let bedrock_key = self.bedrock.then(|| secret(format!("bedrock-api-key-{}", Uuid::new_v4().simple())));
        let sealed = match &bedrock_key {
            Some(text) => Some(SealedBedrockKey {
                sealed: vault.seal(id, &Secret::new(text)).await.expect("sealing"),
                hash: hasher.hash(text),
                kind: BedrockKeyKind::Unknown,
                expires_at: None,
            }),
            None => None,
        };
        let new = NewKey {
            id,
            user: format!("developer {id}"),
            routing_strategy: Some(self.routing),
            monthly_budget_usd: self.budget,
            hash: hasher.hash(key.expose()),
            prefix: key.shown_prefix().to_owned(),
            region: self.region.to_owned(),
            model: self.model.to_owned(),
            family_models: self.family_models.into_iter().map(|(family, model)| (family, model.to_owned())).collect(),
            bedrock_key: sealed,
        };
        let user_id = database.issue(&new).await.expect("issuing");
        IssuedKey { text: secret(key.expose()), id, user_id, bedrock_key }
    }
}
