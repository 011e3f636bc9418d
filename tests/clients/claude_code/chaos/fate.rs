//! What can happen to a request at the plan, how often it does, and what that looks like on the wire.

use bytes::Bytes;
use support::{Answer, Reply, ServerEvent};

use super::dice::Dice;
use super::story::STEPS;

/// One request's fate at the plan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fate {
    Served,
    /// 429 with the headers of a plan, and a reset one second ahead.
    LimitedForASecond,
    /// The same, with a reset that is over.
    LimitedUntilThePast,
    /// 429 without a word on a plan.
    Throttled,
    /// The same with `retry-after: 1`.
    ThrottledForASecond,
    /// 529
    Overloaded,
    /// 500
    ServerError,
    /// The connection is closed in place of an answer.
    ClosedBeforeAnswer,
    /// The connection is reset in place of an answer.
    ResetBeforeAnswer,
    /// The stream is one `overloaded_error`.
    OverloadedAtOnce,
    /// The stream begins and then has an `overloaded_error` before any content.
    OverloadedBeforeContent,
    /// The same with an `api_error`.
    ErrorBeforeContent,
    /// The stream begins and ends.
    EndsBeforeContent,
    /// The stream begins and the connection is reset.
    ResetBeforeContent,
    /// The connection is closed in the middle of the first block.
    ClosedInBlock,
    /// The connection is reset there.
    ResetInBlock,
    /// An `overloaded_error` comes there.
    OverloadedInBlock,
    /// The connection is reset when the first block is complete, with others to come.
    ResetAfterBlock,
    /// The stream ends as if all had been said, when the first block is complete.
    EndsAfterBlock,
    /// The stream ends when all blocks are complete, without `message_delta` and `message_stop`.
    EndsAfterContent,
}

/// Each fate and its share, in hundredths.
const SHARES: [(Fate, u64); 20] = [
    (Fate::Served, 48),
    (Fate::LimitedForASecond, 3),
    (Fate::LimitedUntilThePast, 3),
    (Fate::Throttled, 3),
    (Fate::ThrottledForASecond, 3),
    (Fate::Overloaded, 4),
    (Fate::ServerError, 3),
    (Fate::ClosedBeforeAnswer, 3),
    (Fate::ResetBeforeAnswer, 3),
    (Fate::OverloadedAtOnce, 2),
    (Fate::OverloadedBeforeContent, 3),
    (Fate::ErrorBeforeContent, 3),
    (Fate::EndsBeforeContent, 3),
    (Fate::ResetBeforeContent, 3),
    (Fate::ClosedInBlock, 2),
    (Fate::ResetInBlock, 2),
    (Fate::OverloadedInBlock, 2),
    (Fate::ResetAfterBlock, 2),
    (Fate::EndsAfterBlock, 2),
    (Fate::EndsAfterContent, 3),
];

impl Fate {
    /// What happens to the plan's `attempt`-th request about a step.
    pub(super) fn drawn(dice: Dice, step: usize, attempt: usize) -> Self {
        let mut left = dice.throw("fate", step, attempt, 100);
        for (fate, share) in SHARES {
            match left.checked_sub(share) {
                None => return fate,
                Some(less) => left = less,
            }
        }
        unreachable!("the shares come to a hundred")
    }

    /// The plan's reply. Without a stream there is no middle: what would break there is served.
    pub(super) fn reply(self, answer: &Answer, stream: bool) -> Reply {
        match self {
            Self::LimitedForASecond => Reply::plan_limited(now() + 1),
            Self::LimitedUntilThePast => Reply::plan_limited(now() - 60),
            Self::Throttled => Reply::throttled(None),
            Self::ThrottledForASecond => Reply::throttled(Some(1)),
            Self::Overloaded => Reply::overloaded(),
            Self::ServerError => Reply::plan_error(500, "api_error", "Internal server error"),
            Self::ClosedBeforeAnswer => Reply::drops_connection(),
            Self::ResetBeforeAnswer => Reply::drops_connection().with_reset(),
            _ if stream => self.stream(answer).as_plan_stream(),
            _ => Reply::plan_json(answer),
        }
    }

    fn stream(self, answer: &Answer) -> Reply {
        let events = answer.to_events();
        let stop = events.iter().position(|event| event.name == "content_block_stop").unwrap();
        let until = |end: usize| events[..end].iter().map(ServerEvent::to_bytes).collect::<Vec<Bytes>>();
        let overloaded = ServerEvent::error("overloaded_error", "Overloaded").to_bytes();
        match self {
            Self::OverloadedAtOnce => Reply::chunks([overloaded]),
            Self::OverloadedBeforeContent => Reply::chunks([until(1), vec![overloaded]].concat()),
            Self::ErrorBeforeContent => {
                let error = ServerEvent::error("api_error", "Internal server error").to_bytes();
                Reply::chunks([until(1), vec![error]].concat())
            }
            Self::EndsBeforeContent => Reply::chunks(until(1)),
            Self::ResetBeforeContent => Reply::truncated(until(1)).with_reset(),
            Self::ClosedInBlock => Reply::truncated(until(stop)),
            Self::ResetInBlock => Reply::truncated(until(stop)).with_reset(),
            Self::OverloadedInBlock => Reply::chunks([until(stop), vec![overloaded]].concat()),
            Self::ResetAfterBlock => Reply::truncated(until(stop + 1)).with_reset(),
            Self::EndsAfterBlock => Reply::chunks(until(stop + 1)),
            Self::EndsAfterContent => Reply::chunks(until(events.len() - 2)),
            _ => Reply::chunks(until(events.len())),
        }
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// And in the seeds that are always played each has its turn more than once.
#[test]
fn the_shares_come_to_a_hundred() {
    assert_eq!(SHARES.iter().map(|(_, share)| share).sum::<u64>(), 100);
    for (fate, _) in SHARES {
        let steps = super::SEEDS.flat_map(|seed| (0..STEPS).map(move |step| (Dice::new(seed), step)));
        let turns = steps.filter(|(dice, step)| Fate::drawn(*dice, *step, 0) == fate).count();
        assert!(turns >= 3, "{turns} of {fate:?}");
    }
}
