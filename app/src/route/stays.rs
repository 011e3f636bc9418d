//! Conversations that fell back stay on Bedrock until a good moment to return: switching in the middle of a turn would
//! lose the thinking and the prompt cache on both sides.

use std::time::{Duration, Instant};

use moka::sync::Cache;
use uuid::Uuid;

use crate::domain::Family;

/// Conversations that are remembered at the most.
const MAX_STAYS: u64 = 50_000;
/// A conversation that was silent for so long has no cache left to lose.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);

/// A conversation: a session of Claude Code (or all requests of an access key without one), one of its agents, and
/// the family of models, because side requests go to small models.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Conversation {
    /// `access_keys.id`; nobody can touch the conversations of another key.
    pub access_key_id: Uuid,
    /// `x-claude-code-session-id`
    pub session_id: Option<String>,
    /// `x-claude-code-agent-id`
    pub agent_id: Option<String>,
    /// The family that was asked for.
    pub family: Family,
}

/// The conversations that stay on Bedrock.
#[derive(Clone, Debug)]
pub struct Stays {
    begun: Cache<Conversation, Instant>,
    limit: Duration,
}

impl Stays {
    /// `limit`: how long a conversation stays at the most after the plan could have served it again.
    pub fn new(limit: Duration) -> Self {
        Self { begun: Cache::builder().max_capacity(MAX_STAYS).time_to_idle(FORGOTTEN_AFTER).build(), limit }
    }

    /// Bedrock has begun to serve a conversation in place of the plan.
    pub fn begin(&self, conversation: Conversation, now: Instant) {
        // What has begun goes on: only a return ends a stay.
        self.begun.entry(conversation).or_insert(now);
    }

    /// When the stay of a conversation began, if it stays.
    pub fn begun(&self, conversation: &Conversation) -> Option<Instant> {
        self.begun.get(conversation)
    }

    /// The conversation returns to the plan.
    pub fn end(&self, conversation: &Conversation) {
        self.begun.invalidate(conversation);
    }

    /// Whether a stay goes on, as far as time alone tells.
    pub fn at(&self, begun: Instant, open_until: Option<Instant>, now: Instant) -> Stay {
        let allowed_since = open_until.map_or(begun, |until| until.max(begun));
        if now < allowed_since {
            Stay::PlanIsClosed
        } else if now < allowed_since + self.limit {
            Stay::UntilTurnEnds
        } else {
            Stay::Over
        }
    }
}

/// How a stay stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stay {
    /// The plan's circuit is open.
    PlanIsClosed,
    /// The plan could serve; the conversation returns at the next turn boundary.
    UntilTurnEnds,
    /// The turn takes too long: the prompt cache over there is gone, and Bedrock costs money.
    Over,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(session: &str) -> Conversation {
        Conversation {
            access_key_id: Uuid::nil(),
            session_id: Some(session.to_owned()),
            agent_id: None,
            family: Family::Opus,
        }
    }

    #[test]
    fn a_stay_lasts_until_the_plan_is_back_and_the_turn_is_over() {
        let (stays, now) = (Stays::new(Duration::from_mins(5)), Instant::now());
        let minute = |number: u64| now + Duration::from_mins(number);
        let until = Some(minute(60));
        assert_eq!(stays.at(now, until, minute(59)), Stay::PlanIsClosed);
        assert_eq!(stays.at(now, until, minute(60)), Stay::UntilTurnEnds);
        assert_eq!(stays.at(now, until, minute(65)), Stay::Over);
        // A failure that opened nothing, or a circuit that was open before the stay began.
        assert_eq!(stays.at(minute(70), until, minute(70)), Stay::UntilTurnEnds);
        assert_eq!(stays.at(now, None, minute(5)), Stay::Over);
    }

    #[test]
    fn conversations_are_apart_and_a_stay_begins_once() {
        let (stays, now) = (Stays::new(Duration::from_mins(5)), Instant::now());
        stays.begin(conversation("a"), now);
        stays.begin(conversation("a"), now + Duration::from_secs(9));
        assert_eq!(stays.begun(&conversation("a")), Some(now));
        assert_eq!(stays.begun(&conversation("b")), None);
        stays.end(&conversation("a"));
        assert_eq!(stays.begun(&conversation("a")), None);
    }
}
