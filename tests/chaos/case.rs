//! One request of the load: who asks, what the answer counts, and whether the client stays for it. All of it follows from
//! the seed and the number, so that clients, upstreams and the bill agree on it without speaking to each other.

use claude_code_proxy::domain::{Family, RoutingStrategy};
use rust_decimal::Decimal;
use support::{Answer, KeyWish, ServerEvent, Usage};

use crate::dice::Dice;

/// Keys of the load: two ways to Bedrock, two prices.
pub(crate) const KEYS: [(RoutingStrategy, &str); 4] = [
    (RoutingStrategy::BedrockOnly, OPUS),
    (RoutingStrategy::BedrockOnly, HAIKU),
    (RoutingStrategy::PlanFirst, OPUS),
    (RoutingStrategy::PlanFirst, HAIKU),
];
const OPUS: &str = "global.anthropic.claude-opus-5-5";
const HAIKU: &str = "us.anthropic.claude-haiku-5-5";

/// In thousandths of a dollar for a million tokens: input, output, cache reads, cache writes for 5 minutes and for an hour.
const OPUS_PRICES: [u64; 5] = [4_000, 20_000, 200, 5_000, 8_000];
/// Of a profile in a geography, which costs 1.10 times the list price: in ten-thousandths of a dollar.
const HAIKU_PRICES: [u64; 5] = [1_100, 5_500, 110, 1_375, 2_200];
/// The prompt above which Haiku 5.5 costs five times as much.
const LONG_PROMPT: u64 = 100_000;

/// When the client leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Leaves {
    /// It stays for the whole answer.
    Never,
    /// Bedrock has the request, and says nothing.
    BeforeTheAnswer,
    /// After so many events of a stream, when no more come.
    InSilence(usize),
    /// After so many events of a stream, while more come.
    InMidStream(usize),
}

/// What the plan says, if it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PlanSays {
    Serves,
    Limited,
    Throttled,
}

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) number: u64,
    /// Index of the key.
    pub(crate) key: usize,
    pub(crate) stream: bool,
    pub(crate) leaves: Leaves,
    pub(crate) plan: PlanSays,
    pub(crate) answer: Answer,
}

impl Case {
    pub(crate) fn of(seed: u64, number: u64) -> Self {
        let mut dice = Dice::of(seed, number);
        let (key, stream) = (dice.below(KEYS.len()), dice.percent(70));
        let mut tokens = |end| u64::try_from(dice.below(end)).unwrap();
        let usage = Usage {
            input: 1 + tokens(3_000),
            output: 2 + tokens(5_000),
            cache_read: tokens(180_000),
            cache_creation_5m: tokens(9_000),
            cache_creation_1h: tokens(9_000),
        };
        let words = ["ein ", "großes ", "Wort, ", "two ", "and ", "fünfundzwanzig "];
        let text: Vec<&str> = (0..dice.between(3, 25)).map(|_| dice.one_of(&words)).collect();
        let answer = Answer::deltas(text).with_id(format!("msg_bdrk_case_{number}")).with_usage(usage);
        // The first event, and all but the last two, which have the final count.
        let events = answer.to_events().len();
        let leaves = match (dice.below(100), stream) {
            (0..6, _) => Leaves::BeforeTheAnswer,
            (6..14, true) => Leaves::InSilence(dice.between(1, events - 1)),
            (14..24, true) => Leaves::InMidStream(dice.between(1, events - 1)),
            _ => Leaves::Never,
        };
        // Who leaves before the answer does so when Bedrock has the request.
        let plan = if leaves == Leaves::BeforeTheAnswer {
            PlanSays::Limited
        } else {
            dice.one_of(&[PlanSays::Serves, PlanSays::Serves, PlanSays::Limited, PlanSays::Throttled])
        };
        Self { number, key, stream, leaves, plan, answer }
    }

    /// The case that a request belongs to, from its body.
    pub(crate) fn asked_in(seed: u64, body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).unwrap();
        let (_, after) = text.split_once("case-").unwrap();
        Self::of(seed, after.split_once('.').unwrap().0.parse().unwrap())
    }

    pub(crate) fn body(&self) -> String {
        serde_json::json!({
            "model": "claude-opus-5-5",
            "max_tokens": 64,
            "stream": self.stream,
            "messages": [{"role": "user", "content": format!("what is case-{}.", self.number)}],
        })
        .to_string()
    }

    /// The session of the request, which its row has as well.
    pub(crate) fn session(&self) -> String {
        format!("session-{}", self.number)
    }

    pub(crate) fn usage(&self) -> Usage {
        self.answer.usage
    }

    /// What its key calls.
    pub(crate) fn model(&self) -> &'static str {
        KEYS[self.key].1
    }

    /// Characters in these events.
    pub(crate) fn characters(events: &[ServerEvent]) -> u64 {
        let texts =
            events.iter().map(|event| event.json()["delta"]["text"].as_str().map_or(0, |text| text.chars().count()));
        texts.map(|count| u64::try_from(count).unwrap()).sum()
    }

    /// What these counts cost, in dollars.
    pub(crate) fn cost(&self, usage: Usage) -> Decimal {
        let Usage { input, output, cache_read, cache_creation_5m, cache_creation_1h } = usage;
        let tokens = [input, output, cache_read, cache_creation_5m, cache_creation_1h];
        let sum = |prices: [u64; 5]| tokens.iter().zip(prices).map(|(tokens, price)| tokens * price).sum::<u64>();
        let prompt = usage.input + usage.cache_read + usage.cache_creation_5m + usage.cache_creation_1h;
        let (amount, scale) = match (self.model() == OPUS, prompt > LONG_PROMPT) {
            (true, _) => (sum(OPUS_PRICES), 9),
            (false, false) => (sum(HAIKU_PRICES), 10),
            (false, true) => (5 * sum(HAIKU_PRICES), 10),
        };
        Decimal::new(i64::try_from(amount).unwrap(), scale)
    }
}

/// The key of this index.
pub(crate) fn wish(index: usize) -> KeyWish {
    let (routing, model) = KEYS[index];
    // A budget that is never used up, so that it is asked for and added to all the time.
    let budget = index.is_multiple_of(2).then(|| Decimal::from(1_000_000));
    KeyWish { family_models: vec![(Family::Opus, model)], budget, ..KeyWish::routed(routing) }
}
