//! Costs worked out by hand. Prices are USD per million tokens, so tokens times price is millionths of a dollar.

use super::*;
use crate::domain::MappedModel;

const BEFORE: &str = "2026-10-06T23:59:59.999Z";
const AFTER: &str = "2026-10-07T00:00:00Z";

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// What the built-in book says, as USD and whether the model was known.
fn cost(model: &str, time: &str, tokens: TokenUsage) -> (String, bool) {
    let cost = PriceBook::built_in().cost(model, time.parse().unwrap(), &tokens);
    (cost.usd.to_string(), cost.priced)
}

fn priced(usd: &str) -> (String, bool) {
    (usd.to_owned(), true)
}

fn unpriced(usd: &str) -> (String, bool) {
    (usd.to_owned(), false)
}

/// A million of everything, writes of both lives, so that the sum is that of the five unit prices.
const MILLIONS: TokenUsage = TokenUsage {
    input: 1_000_000,
    output: 1_000_000,
    cache_read: 1_000_000,
    cache_creation: 2_000_000,
    cache_creation_5m: 1_000_000,
    cache_creation_1h: 1_000_000,
    web_search_requests: 0,
};

/// B-75: written tokens are charged once, and as written. At 3 / 15 / 3.75:
/// 3 × 3 = 9; 12304 × 3.75 = 46140; 550 × 15 = 8250; together 54399 millionths.
#[test]
fn written_tokens_are_charged_once() {
    let tokens = TokenUsage { input: 3, cache_creation: 12_304, output: 550, ..TokenUsage::default() };
    assert_eq!(cost("global.anthropic.claude-sonnet-4-6", AFTER, tokens), priced("0.054399"));
}

/// B-75: read tokens are charged as read. At 3 / 15 / 0.30: 3 × 3 = 9; 100000 × 0.30 = 30000; 10 × 15 = 150.
#[test]
fn read_tokens_are_charged_as_read() {
    let tokens = TokenUsage { input: 3, cache_read: 100_000, output: 10, ..TokenUsage::default() };
    assert_eq!(cost("global.anthropic.claude-sonnet-4-6", AFTER, tokens), priced("0.030159"));
}

/// B-76: at 3.75 for 5 minutes and 6 for an hour, whatever the parts are to their sum.
#[test]
fn writes_are_charged_by_their_life_and_never_forgotten() {
    for (sum, short, long, expected) in [
        // 304 × 3.75 = 1140; 12000 × 6 = 72000.
        (12_304, 304, 12_000, "0.07314"),
        // The rest of 300 as for 5 minutes: 604 × 3.75 = 2265; 12000 × 6 = 72000.
        (12_604, 304, 12_000, "0.074265"),
        // Nothing is known of their lives: 1000 × 3.75 = 3750.
        (1000, 0, 0, "0.00375"),
        // 600 × 3.75 = 2250; 400 × 6 = 2400.
        (1000, 0, 400, "0.00465"),
        // The parts without their sum, or with one that lags behind: 304 × 3.75 = 1140; 12000 × 6 = 72000.
        (0, 304, 12_000, "0.07314"),
        (304, 304, 12_000, "0.07314"),
    ] {
        let tokens = TokenUsage {
            cache_creation: sum,
            cache_creation_5m: short,
            cache_creation_1h: long,
            ..TokenUsage::default()
        };
        assert_eq!(cost("global.anthropic.claude-sonnet-4-6", AFTER, tokens), priced(expected), "{tokens:?}");
    }
}

/// B-77: a model that is not in the book costs what the dearest of its family does, else the dearest of all.
#[test]
fn unknown_models_cost_what_the_dearest_known_one_does() {
    let tokens = TokenUsage { input: 1000, output: 100, ..TokenUsage::default() };
    for (model, expected) in [
        // Fable: 1000 × 10 + 100 × 50 = 15000.
        ("global.anthropic.claude-fable-5-2", "0.015"),
        // Outside of global profiles 1.10 times that.
        ("us.anthropic.claude-fable-5-2", "0.0165"),
        // Opus, where 4.1 is the dearest, and costs the same everywhere: 1000 × 15 + 100 × 75 = 22500.
        ("global.anthropic.claude-opus-6", "0.0225"),
        ("eu.anthropic.claude-opus-6", "0.0225"),
        // Never by the beginning of a name.
        ("global.anthropic.claude-opus-5-5-v2:0", "0.0225"),
        // Sonnet: 1000 × 3 + 100 × 15 = 4500, and 1.10 times that.
        ("global.anthropic.claude-sonnet-6", "0.0045"),
        ("anthropic.claude-sonnet-4-20250514-v1:0", "0.00495"),
        // Haiku: 4.5, and not the newer and cheaper 5.5: 1000 × 1 + 100 × 5 = 1500.
        ("global.anthropic.claude-haiku-6", "0.0015"),
        // No family: Opus 4.1 is the dearest of all.
        ("amazon.nova-pro-v1:0", "0.0225"),
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", "0.0225"),
        ("", "0.0225"),
        (".", "0.0225"),
        ("global.", "0.0225"),
    ] {
        assert_eq!(cost(model, AFTER, tokens), unpriced(expected), "{model}");
    }
    // Before every price of the book those to come are taken.
    assert_eq!(cost("global.anthropic.claude-fable-5", "1970-01-01T00:00:00Z", tokens), unpriced("0.0225"));
}

/// B-78: the price of the time of the request. A million tokens read: 0.20 before, 0.10 from that moment on.
#[test]
fn prices_change_at_their_time() {
    let tokens = TokenUsage { cache_read: 1_000_000, ..TokenUsage::default() };
    assert_eq!(cost("global.anthropic.claude-sonnet-5-5", BEFORE, tokens), priced("0.2"));
    assert_eq!(cost("global.anthropic.claude-sonnet-5-5", AFTER, tokens), priced("0.1"));
    assert_eq!(cost("global.anthropic.claude-sonnet-5", AFTER, tokens), priced("0.2"));
}

/// B-78: the whole prompt (input, read, written) decides on the price of all tokens, those of the answer included.
#[test]
fn long_prompts_are_dearer_from_their_first_token() {
    let prompt = |input| TokenUsage {
        input,
        cache_read: 40_000,
        cache_creation: 50_000,
        cache_creation_1h: 20_000,
        output: 1000,
        ..TokenUsage::default()
    };
    let model = "global.anthropic.claude-haiku-5-5";
    // 100000 in all: 10000 × 0.10 = 1000; 40000 × 0.01 = 400; 30000 × 0.125 = 3750; 20000 × 0.20 = 4000;
    // 1000 × 0.50 = 500; together 9650.
    assert_eq!(cost(model, AFTER, prompt(10_000)), priced("0.00965"));
    // 100001 in all: 10001 × 0.50 = 5000.5; 40000 × 0.05 = 2000; 30000 × 0.625 = 18750; 20000 × 1 = 20000;
    // 1000 × 2.50 = 2500; together 48250.5.
    assert_eq!(cost(model, AFTER, prompt(10_001)), priced("0.0482505"));
    // The answer does not count for the band: 1 × 0.10 + 200000 × 0.50 = 100000.1.
    let answer = TokenUsage { input: 1, output: 200_000, ..TokenUsage::default() };
    assert_eq!(cost(model, AFTER, answer), priced("0.1000001"));
    assert_eq!(cost(model, AFTER, TokenUsage::default()), priced("0"));
}

/// Global profiles have the list price, all others, and bare ids, 1.10 times that from the 4.5 generation on.
#[test]
fn geographies_have_their_price() {
    let tokens = TokenUsage { input: 1_000_000, output: 1_000_000, ..TokenUsage::default() };
    for (model, expected) in [
        // 4 + 20 = 24; × 1.10 = 26.4.
        ("global.anthropic.claude-opus-5-5", "24"),
        ("us.anthropic.claude-opus-5-5", "26.4"),
        ("us-gov.anthropic.claude-opus-5-5", "26.4"),
        ("eu.anthropic.claude-opus-5-5", "26.4"),
        ("jp.anthropic.claude-opus-5-5", "26.4"),
        ("anthropic.claude-opus-5-5", "26.4"),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-opus-5-5", "24"),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5-5", "26.4"),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-5-5", "26.4"),
        // 15 + 75 = 90, everywhere.
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", "90"),
    ] {
        assert_eq!(cost(model, AFTER, tokens), priced(expected), "{model}");
    }
    let unit = PriceBook::built_in().cost("us.anthropic.claude-sonnet-5-5", AFTER.parse().unwrap(), &tokens).prices;
    let expected = UnitPrices {
        input: decimal("2.2"),
        output: decimal("11"),
        cache_read: decimal("0.11"),
        cache_write_5m: decimal("2.75"),
        cache_write_1h: decimal("4.4"),
    };
    assert_eq!(unit, expected, "the prices that were taken are told with the geography in them");
}

/// Every row: input + output + 5-minute write + 1-hour write + read.
#[test]
fn every_model_of_the_book_has_its_price() {
    let rows = [
        // 10 + 50 + 12.50 + 20 + 0.25
        ("anthropic.claude-fable-5-1", "92.75", "102.025"),
        // 10 + 50 + 12.50 + 20 + 1
        ("anthropic.claude-fable-5", "93.5", "102.85"),
        // 4 + 20 + 5 + 8 + 0.20
        ("anthropic.claude-opus-5-5", "37.2", "40.92"),
        // 5 + 25 + 6.25 + 10 + 0.50
        ("anthropic.claude-opus-5", "46.75", "51.425"),
        ("anthropic.claude-opus-4-8", "46.75", "51.425"),
        ("anthropic.claude-opus-4-7", "46.75", "51.425"),
        ("anthropic.claude-opus-4-6-v1", "46.75", "51.425"),
        ("anthropic.claude-opus-4-5-20251101-v1:0", "46.75", "51.425"),
        // 15 + 75 + 18.75 + 30 + 1.50
        ("anthropic.claude-opus-4-1-20250805-v1:0", "140.25", "140.25"),
        // 2 + 10 + 2.50 + 4 + 0.10
        ("anthropic.claude-sonnet-5-5", "18.6", "20.46"),
        // 2 + 10 + 2.50 + 4 + 0.20
        ("anthropic.claude-sonnet-5", "18.7", "20.57"),
        // 3 + 15 + 3.75 + 6 + 0.30
        ("anthropic.claude-sonnet-4-6", "28.05", "30.855"),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "28.05", "30.855"),
        // Above 100000: 0.50 + 2.50 + 0.625 + 1 + 0.05
        ("anthropic.claude-haiku-5-5", "4.675", "5.1425"),
        // 1 + 5 + 1.25 + 2 + 0.10
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "9.35", "10.285"),
    ];
    for (model, at_list, elsewhere) in rows {
        assert_eq!(cost(&format!("global.{model}"), AFTER, MILLIONS), priced(at_list), "{model}");
        assert_eq!(cost(&format!("us.{model}"), AFTER, MILLIONS), priced(elsewhere), "{model}");
    }
    // 2 + 10 + 2.50 + 4 + 0.20
    assert_eq!(cost("global.anthropic.claude-sonnet-5-5", BEFORE, MILLIONS), priced("18.7"));
    // A prompt of 80000: 20000 × (0.10 + 0.50 + 0.125 + 0.20 + 0.01) = 20000 × 0.935 = 18700.
    let short = TokenUsage {
        input: 20_000,
        output: 20_000,
        cache_read: 20_000,
        cache_creation: 40_000,
        cache_creation_5m: 20_000,
        cache_creation_1h: 20_000,
        web_search_requests: 0,
    };
    assert_eq!(cost("global.anthropic.claude-haiku-5-5", AFTER, short), priced("0.0187"));
    let models: std::collections::BTreeSet<_> = rows.iter().map(|(model, ..)| *model).collect();
    let book: std::collections::BTreeSet<_> =
        PriceBook::built_in().prices.iter().map(|price| price.model.as_str()).collect();
    assert_eq!(models, book, "each model of the book is in this test");
}

#[test]
fn every_row_of_the_book_is_of_the_family_that_its_model_names() {
    for price in &PriceBook::built_in().prices {
        assert_eq!(price.family, Family::of(&price.model), "{}", price.model);
    }
}

fn row(model: &str, from: &str, above: u32, output: &str) -> ModelPrice {
    let output = decimal(output);
    ModelPrice {
        model: model.to_owned(),
        family: Family::Opus,
        effective_from: from.parse().unwrap(),
        prompt_tokens_above: above,
        list: UnitPrices { input: output, output, cache_read: output, cache_write_5m: output, cache_write_1h: output },
        geographic_multiplier: decimal("2"),
        source: "this test".to_owned(),
    }
}

/// The order of the rows says nothing; a new price for short prompts leaves that of long ones.
#[test]
fn each_band_has_its_own_newest_price() {
    let (first, second, third) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
    let book = PriceBook::of(vec![
        row("m.x", third, 0, "3"),
        row("m.other", first, 0, "7"),
        row("m.x", first, 100, "10"),
        row("m.x", first, 0, "1"),
        row("m.x", second, 0, "2"),
    ])
    .unwrap();
    for (time, input, expected) in [
        ("2026-01-31T23:59:59Z", 100, "1"),
        (second, 100, "2"),
        (third, 100, "3"),
        (first, 101, "10"),
        (third, 101, "10"),
    ] {
        let tokens = TokenUsage { input, ..TokenUsage::default() };
        let cost = book.cost("global.m.x", time.parse().unwrap(), &tokens);
        assert_eq!((cost.prices.output, cost.priced), (decimal(expected), true), "{time} {input}");
    }
    assert_eq!(PriceBook::of(Vec::new()), None);
}

/// What the plan serves is worth the list price, under the plan's own names; here at 5 / 25, which is 30 for a million each.
#[test]
fn models_of_the_plan_have_the_list_price() {
    let mapped = |name: &str, bedrock_model: &str| MappedModel {
        name: name.to_owned(),
        display_name: name.to_owned(),
        bedrock_model: bedrock_model.to_owned(),
    };
    let arn = "arn:aws:bedrock:us-east-1:123456789012:";
    let (map, wrong) = ModelMap::of(vec![
        mapped("claude-opus-4-5", "anthropic.claude-opus-4-5-20251101-v1:0"),
        mapped("claude-opus-4-6", "eu.anthropic.claude-opus-4-6-v1"),
        mapped("claude-opus-4-7-fast", &format!("{arn}inference-profile/us.anthropic.claude-opus-4-7")),
        mapped("claude-opus-7", &format!("{arn}application-inference-profile/abc123")),
        // What serves in place of a model says nothing of its price.
        mapped("claude-opus-4-8", "anthropic.claude-haiku-5-5"),
    ]);
    assert_eq!(wrong, Vec::<String>::new());
    let tokens = TokenUsage { input: 1_000_000, output: 1_000_000, ..TokenUsage::default() };
    for (name, expected) in [
        ("claude-opus-5", priced("30")),
        ("claude-opus-4-8", priced("30")),
        ("claude-opus-4-5", priced("30")),
        ("claude-opus-4-5-20251101", priced("30")),
        ("claude-opus-4-6-20260205", priced("30")),
        ("claude-opus-4-7-fast", priced("30")),
        // As the dearest of its family, at the list price too: fable is 10 + 50, opus 15 + 75.
        ("claude-fable-5-2", unpriced("60")),
        ("claude-opus-7", unpriced("90")),
        ("", unpriced("90")),
    ] {
        let cost = PriceBook::built_in().list_cost(name, &map, AFTER.parse().unwrap(), &tokens);
        assert_eq!((cost.usd.to_string(), cost.priced), expected, "{name}");
    }
}

/// An application profile says nothing of its model; its own rows are its price, wherever it runs.
#[test]
fn an_application_profile_can_have_rows_of_its_own() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
    let first = "2026-01-01T00:00:00Z";
    let book = PriceBook::of(vec![row("m.x", first, 0, "3"), row(arn, first, 0, "2")]).unwrap();
    let output = |model: &str| book.cost(model, first.parse().unwrap(), &TokenUsage::default()).prices.output;
    assert_eq!(output(arn), decimal("2"));
    // 3 × 2, the dearest there is.
    assert_eq!(output(&arn.replace("abc123", "def456")), decimal("6"));
}

/// The largest counts at the longest price that the table takes: every digit is there.
#[test]
fn costs_are_exact_to_the_last_digit() {
    let mut price = row("m.x", "2026-01-01T00:00:00Z", 0, "9999.999999");
    price.geographic_multiplier = decimal("9.9999");
    let book = PriceBook::of(vec![price]).unwrap();
    let count = u32::MAX;
    let tokens = TokenUsage {
        input: count,
        output: count,
        cache_read: count,
        cache_creation: count,
        cache_creation_5m: count,
        cache_creation_1h: count,
        web_search_requests: count,
    };
    let cost = book.cost("us.m.x", AFTER.parse().unwrap(), &tokens);
    // 9999.999999 × 9.9999 = 99998.9999900001; × 5 × 4294967295 / 1000000 as integers, with 16 digits after the point.
    let exact = 999_989_999_900_001_i128 * 5 * i128::from(count);
    assert_eq!(cost.usd, Decimal::from_i128_with_scale(exact, 16));
}
