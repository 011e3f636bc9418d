//! Money: what a request cost, and the prices that were taken.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Prices of a model, USD per million tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnitPrices {
    /// Prompt tokens outside the cache.
    pub input: Decimal,
    /// Tokens of the answer.
    pub output: Decimal,
    /// Prompt tokens read from the cache.
    pub cache_read: Decimal,
    /// Prompt tokens written to the cache for 5 minutes.
    pub cache_write_5m: Decimal,
    /// Prompt tokens written to the cache for 1 hour.
    pub cache_write_1h: Decimal,
}

/// What a request cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cost {
    /// USD.
    pub usd: Decimal,
    /// The prices that were taken, geography and band included.
    pub prices: UnitPrices,
    /// Whether the model was in the price book; else the dearest known price was taken in its place.
    pub priced: bool,
}
