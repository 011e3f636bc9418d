//! Usage, summed up, as it is shown.

use poem_openapi::Object;

use super::csv::Lines;
use crate::admin::money::Usd;
use crate::store::UsageSums;

/// Usage, summed up.
#[derive(Object, Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct UsageTotals {
    requests: u64,
    /// Tokens of prompts that were neither read from the cache nor written to it.
    input_tokens: u64,
    /// Tokens of answers.
    output_tokens: u64,
    /// Tokens of prompts that were read from the cache.
    cache_read_tokens: u64,
    /// Tokens of prompts that were written to the cache.
    cache_write_tokens: u64,
    /// All of them.
    total_tokens: u64,
    /// What they cost, in US dollars; of the plan, what they would have at the list price.
    pub(super) cost_usd: Usd,
}

impl UsageTotals {
    /// The columns of a line.
    pub(super) const COLUMNS: [&'static str; 7] = [
        "requests",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "total_tokens",
        "cost_usd",
    ];

    /// Writes them.
    pub(super) fn write(&self, lines: &mut Lines) {
        for count in [
            self.requests,
            self.input_tokens,
            self.output_tokens,
            self.cache_read_tokens,
            self.cache_write_tokens,
            self.total_tokens,
        ] {
            lines.value(count);
        }
        lines.value(self.cost_usd);
    }
}

impl From<UsageSums> for UsageTotals {
    fn from(sums: UsageSums) -> Self {
        Self {
            requests: sums.requests.unsigned_abs(),
            input_tokens: sums.input_tokens.unsigned_abs(),
            output_tokens: sums.output_tokens.unsigned_abs(),
            cache_read_tokens: sums.cache_read_tokens.unsigned_abs(),
            cache_write_tokens: sums.cache_write_tokens.unsigned_abs(),
            total_tokens: sums.total_tokens.unsigned_abs(),
            cost_usd: Usd(sums.cost_usd),
        }
    }
}
