//! What is done with what was counted.

use std::hint::black_box;

use chrono::DateTime;
use claude_code_proxy::domain::{PriceBook, TokenUsage};
use claude_code_proxy::meter::UsageMerge;

use super::{Case, Prepared, events, requests};

pub(super) const CASES: &[Case] = &[
    Case { name: "merge-usage", prepare: merge },
    Case { name: "price-of-bedrock", prepare: price_of_bedrock },
    Case { name: "price-of-plan", prepare: price_of_plan },
];

/// 2027, when no price of the book is still to come.
const TIME: i64 = 1_800_000_000;
const TOKENS: TokenUsage = TokenUsage {
    input: 12,
    output: 550,
    cache_read: 40_000,
    cache_creation: 1200,
    cache_creation_5m: 200,
    cache_creation_1h: 1000,
    web_search_requests: 0,
};

/// All events of an answer that carry counts.
fn merge() -> Prepared {
    let events = events::with_counts();
    Prepared::repeated(move || {
        let mut usage = UsageMerge::default();
        for event in &events {
            usage.observe(black_box(event));
        }
        usage.tokens()
    })
}

fn price_of_bedrock() -> Prepared {
    let (book, time) = (PriceBook::built_in(), DateTime::from_timestamp(TIME, 0).expect("a time"));
    Prepared::repeated(move || book.cost(black_box("us.anthropic.claude-sonnet-4-6"), time, black_box(&TOKENS)))
}

fn price_of_plan() -> Prepared {
    let (book, time) = (PriceBook::built_in(), DateTime::from_timestamp(TIME, 0).expect("a time"));
    let map = requests::map();
    Prepared::repeated(move || book.list_cost(black_box("claude-opus-5-5"), &map, time, black_box(&TOKENS)))
}
