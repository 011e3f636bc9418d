//! Money: what a request cost, and the prices that were taken.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::TokenUsage;

const ONE_MILLIONTH: Decimal = Decimal::from_parts(1, 0, 0, false, 6);

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

impl UnitPrices {
    /// All of them so many times.
    #[must_use]
    pub fn times(self, factor: Decimal) -> Self {
        let times = |price: Decimal| (price * factor).normalize();
        Self {
            input: times(self.input),
            output: times(self.output),
            cache_read: times(self.cache_read),
            cache_write_5m: times(self.cache_write_5m),
            cache_write_1h: times(self.cache_write_1h),
        }
    }

    /// What these tokens cost, in USD; not rounded.
    pub fn cost_of(&self, tokens: &TokenUsage) -> Decimal {
        let (short, long) = tokens.cache_writes();
        let of = |count: u32, price: Decimal| Decimal::from(count) * price;
        let millionths = of(tokens.input, self.input)
            + of(tokens.output, self.output)
            + of(tokens.cache_read, self.cache_read)
            + of(short, self.cache_write_5m)
            + of(long, self.cache_write_1h);
        (millionths * ONE_MILLIONTH).normalize()
    }
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
