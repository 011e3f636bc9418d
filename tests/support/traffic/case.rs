//! One request of the load: who asks, what the answer counts, and whether the client stays for it. All of it follows from
//! the seed and the number, so that clients, upstreams and the bill agree on it without speaking to each other.

use claude_code_proxy::domain::{Family, RoutingStrategy};
use rust_decimal::Decimal;

use super::Dice;
use crate::{Answer, KeyWish, ServerEvent, Usage};

/// Keys of the load: two ways to Bedrock, two prices.
pub const KEYS: [(RoutingStrategy, &str); 4] = [
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

/// Something large enough to be held back by a client that reads slowly.
const LARGE_PIECES: usize = 60;
const LARGE_PIECE: usize = 8_000;
/// What a large prompt repeats.
const FILLER: &str = "and so on and so forth, ";

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A message, in Anthropic's format.
    Message,
    /// The same in Bedrock's own.
    Native,
    /// How many tokens a message has, which the plan says.
    Count,
    /// The same in Bedrock's own format, which Bedrock says.
    NativeCount,
    /// A message, under a key that there is not.
    WrongKey,
    /// A message of which only half is sent.
    BrokenUpload,
}

/// When the client leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaves {
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
pub enum PlanSays {
    /// The whole answer.
    Serves,
    /// It breaks off after so many events of a stream, or in the middle of a whole answer.
    BreaksOff(usize),
    /// That its limit is reached.
    Limited,
    /// That there are too many requests for the moment.
    Throttled,
    /// That it is overloaded.
    Overloaded,
    /// Nothing: it closes the connection.
    HangsUp,
}

/// How Bedrock's answer ends, if it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ends {
    /// As it should.
    Whole,
    /// It breaks off after so many events of a stream, or in the middle of a whole answer.
    BreaksOff(usize),
    /// With an exception after so many events of a stream.
    Exception(usize),
}

/// One request.
#[derive(Debug)]
pub struct Case {
    /// Its number, which is also in its body.
    pub number: u64,
    /// What is asked.
    pub kind: Kind,
    /// Index of the key.
    pub key: usize,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// Whether the client is slow to read.
    pub slow: bool,
    /// Bytes of text that are asked, beside the question.
    pub size: usize,
    /// When the client leaves.
    pub leaves: Leaves,
    /// What the plan does.
    pub plan: PlanSays,
    /// How Bedrock ends.
    pub ends: Ends,
    /// What is answered.
    pub answer: Answer,
}

impl Case {
    /// The case with this number.
    pub fn of(seed: u64, number: u64) -> Self {
        let mut dice = Dice::of(seed, number);
        let (key, stream) = (dice.below(KEYS.len()), dice.percent(70));
        let kind = match dice.below(100) {
            0..2 => Kind::WrongKey,
            2..4 => Kind::BrokenUpload,
            4..6 => Kind::Count,
            6..8 => Kind::NativeCount,
            8..20 => Kind::Native,
            _ => Kind::Message,
        };
        let slow = kind == Kind::Message && stream && dice.percent(2);
        let size = match (dice.below(100), kind) {
            (_, Kind::BrokenUpload) | (0..2, _) => dice.between(200_000, 1_000_000),
            (2..12, _) => dice.between(10_000, 100_000),
            _ => 0,
        };
        let answer = if slow { large_answer() } else { Answer::deltas(words(&mut dice)) };
        let answer = answer.with_id(format!("msg_bdrk_case_{number}")).with_usage(usage(&mut dice));
        // The first event, and all but the last two, which have the final count.
        let events = answer.to_events().len();
        let leaves = match (dice.below(100), kind, stream) {
            _ if slow => Leaves::Never,
            (0..6, Kind::Message, _) => Leaves::BeforeTheAnswer,
            (6..14, Kind::Message, true) => Leaves::InSilence(dice.between(1, events - 1)),
            (14..24, Kind::Message, true) => Leaves::InMidStream(dice.between(1, events - 1)),
            _ => Leaves::Never,
        };
        // After the first piece of text, so that an answer has begun.
        let in_the_middle = dice.between(3, events - 2);
        let whole = slow || leaves != Leaves::Never;
        let plan = match dice.below(100) {
            // Who leaves before the answer does so when Bedrock has the request.
            _ if leaves == Leaves::BeforeTheAnswer => PlanSays::Limited,
            0..4 if !whole => PlanSays::BreaksOff(in_the_middle),
            4..14 => PlanSays::Limited,
            14..24 => PlanSays::Throttled,
            24..30 => PlanSays::Overloaded,
            30..33 => PlanSays::HangsUp,
            _ => PlanSays::Serves,
        };
        let ends = match dice.below(100) {
            0..4 if !whole => Ends::BreaksOff(in_the_middle),
            4..8 if !whole && stream => Ends::Exception(in_the_middle),
            _ => Ends::Whole,
        };
        Self { number, kind, key, stream, slow, size, leaves, plan, ends, answer }
    }

    /// The case that a request belongs to, from its body.
    pub fn asked_in(seed: u64, body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).unwrap();
        let (_, after) = text.split_once("case-").unwrap();
        Self::of(seed, after.split_once('.').unwrap().0.parse().unwrap())
    }

    /// What is asked.
    pub fn body(&self) -> String {
        let filler = FILLER.repeat(self.size / FILLER.len());
        let messages =
            serde_json::json!([{"role": "user", "content": format!("what is case-{}. {filler}", self.number)}]);
        let body = match self.kind {
            Kind::Native | Kind::NativeCount => serde_json::json!({
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 64,
                "messages": messages,
            }),
            _ => serde_json::json!({
                "model": "claude-opus-5-5",
                "max_tokens": 64,
                "stream": self.stream,
                "messages": messages,
            }),
        };
        body.to_string()
    }

    /// Whether its answer is on the bill when Bedrock gives one.
    pub fn is_billed(&self) -> bool {
        matches!(self.kind, Kind::Message | Kind::Native)
    }

    /// The case without its answer, which is long.
    pub fn told(&self) -> String {
        let Self { kind, stream, slow, size, leaves, plan, ends, .. } = self;
        format!("{kind:?}, stream {stream}, slow {slow}, size {size}, {leaves:?}, plan {plan:?}, Bedrock {ends:?}")
    }

    /// What is counted when tokens are.
    pub fn count(&self) -> u64 {
        self.usage().input
    }

    /// The session of the request, which its row has as well.
    pub fn session(&self) -> String {
        format!("session-{}", self.number)
    }

    /// The tokens of its answer.
    pub fn usage(&self) -> Usage {
        self.answer.usage
    }

    /// What its key calls.
    pub fn model(&self) -> &'static str {
        KEYS[self.key].1
    }

    /// Characters in these events.
    pub fn characters(events: &[ServerEvent]) -> u64 {
        let texts =
            events.iter().map(|event| event.json()["delta"]["text"].as_str().map_or(0, |text| text.chars().count()));
        texts.map(|count| u64::try_from(count).unwrap()).sum()
    }

    /// What these counts cost, in dollars.
    pub fn cost(&self, usage: Usage) -> Decimal {
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
pub fn wish(index: usize) -> KeyWish {
    let (routing, model) = KEYS[index];
    // A budget that is never used up, so that it is asked for and added to all the time.
    let budget = index.is_multiple_of(2).then(|| Decimal::from(1_000_000));
    KeyWish { family_models: vec![(Family::Opus, model)], budget, ..KeyWish::routed(routing) }
}

fn usage(dice: &mut Dice) -> Usage {
    let mut tokens = |end| u64::try_from(dice.below(end)).unwrap();
    Usage {
        input: 1 + tokens(3_000),
        output: 2 + tokens(5_000),
        cache_read: tokens(180_000),
        cache_creation_5m: tokens(9_000),
        cache_creation_1h: tokens(9_000),
    }
}

fn words(dice: &mut Dice) -> Vec<&'static str> {
    let words = ["ein ", "großes ", "Wort, ", "two ", "and ", "fünfundzwanzig "];
    (0..dice.between(3, 25)).map(|_| dice.one_of(&words)).collect()
}

fn large_answer() -> Answer {
    Answer::deltas((0..LARGE_PIECES).map(|_| "x".repeat(LARGE_PIECE)))
}
