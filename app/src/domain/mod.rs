//! Plain data that every layer speaks of; imports nothing of ours and does no IO.

pub mod access_key;
pub mod bedrock_key;
pub mod bedrock_target;
pub mod budget;
pub mod circuit_id;
pub mod cost;
pub mod failure;
pub mod family;
pub mod model_map;
pub mod price_book;
pub mod principal;
pub mod provider;
pub mod provider_error;
pub mod refusal;
pub mod secret;
pub mod usage;

pub use access_key::{AccessKey, KeyHash};
pub use bedrock_key::{BedrockKey, BedrockKeyKind};
pub use bedrock_target::{BedrockTarget, Dialect};
pub use circuit_id::CircuitId;
pub use cost::{Cost, UnitPrices};
pub use failure::{ErrorType, Failure};
pub use family::Family;
pub use model_map::{MappedModel, ModelMap};
pub use price_book::{ModelPrice, PriceBook};
pub use principal::ClientPrincipal;
pub use provider::{FallbackReason, Provider, RoutingStrategy};
pub use provider_error::ProviderError;
pub use refusal::{LearnedRefusal, Refusal, RefusalKind};
pub use secret::Secret;
pub use usage::{DROPPED_LENGTH, Outcome, Route, TokenUsage, UsageRecord};
