//! The bill against what was delivered, request by request.

use std::collections::HashMap;
use std::time::Duration;

use rust_decimal::Decimal;
use sqlx::FromRow;

use super::{Case, Ending, Ends, Kind, Leaves, Visit};
use crate::{IssuedKey, TestDatabase, Usage};

/// A proxy notices that a client has left in less than this; one that is killed meanwhile may not have written it down.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

#[derive(FromRow, Debug)]
struct Row {
    request_id: String,
    session_id: Option<String>,
    user_id: uuid::Uuid,
    access_key_id: uuid::Uuid,
    upstream_model: String,
    upstream_message_id: Option<String>,
    input_tokens: i32,
    output_tokens: i32,
    cache_read_input_tokens: i32,
    cache_creation_5m_tokens: i32,
    cache_creation_1h_tokens: i32,
    provider: String,
    outcome: String,
    estimated: bool,
    priced: bool,
    cost_usd: Decimal,
}

impl Row {
    fn usage(&self) -> Usage {
        let count = |tokens: i32| u64::try_from(tokens).unwrap();
        Usage {
            input: count(self.input_tokens),
            output: count(self.output_tokens),
            cache_read: count(self.cache_read_input_tokens),
            cache_creation_5m: count(self.cache_creation_5m_tokens),
            cache_creation_1h: count(self.cache_creation_1h_tokens),
        }
    }
}

/// What the load came to.
#[derive(Default, Debug)]
pub struct Bill {
    /// Everything that is not as it has to be.
    pub wrong: Vec<String>,
    /// How many rows there are.
    pub rows: usize,
    /// Requests with the whole answer, from Bedrock.
    pub whole_from_bedrock: usize,
    /// The same, from the plan.
    pub whole_from_plan: usize,
    /// Requests whose client left.
    pub left: usize,
    /// Requests whose provider failed in the middle of its answer.
    pub failed: usize,
    /// Requests that cost nothing.
    pub free: usize,
    /// Requests that broke because the proxy was killed.
    pub broken_by_kill: usize,
    /// Rows that hold an estimate.
    pub estimates: usize,
    /// Rows of requests whose client was cut off or left: answers that were whole all the same.
    pub whole_unread: usize,
    /// What Bedrock has delivered to the requests of `completed` rows: how many, and the sums.
    pub completed: (u64, Usage, Decimal),
}

impl Bill {
    /// Holds the rows against what was delivered.
    pub async fn of(seed: u64, visits: &[Visit], keys: &[IssuedKey], database: &TestDatabase) -> Self {
        let query = sqlx::query_as("SELECT * FROM token_usage ORDER BY id");
        let rows: Vec<Row> = query.fetch_all(&database.pool).await.unwrap();
        let mut bill = Self { rows: rows.len(), ..Self::default() };
        let mut by_session = HashMap::new();
        for row in rows {
            if let Some(other) = by_session.insert(row.session_id.clone().unwrap_or_default(), row) {
                bill.wrong.push(format!("a second row: {other:?}"));
            }
        }
        for visit in visits {
            let case = Case::of(seed, visit.number);
            let row = by_session.remove(&case.session());
            if let Err(what) = bill.check(&case, visit, row.as_ref(), &keys[case.key]) {
                bill.wrong.push(format!("{what}: {visit:?} of {}, {row:?}", case.told()));
            }
        }
        bill.wrong.extend(by_session.into_values().map(|row| format!("a row that nobody asked for: {row:?}")));
        bill
    }

    fn check(&mut self, case: &Case, visit: &Visit, row: Option<&Row>, key: &IssuedKey) -> Result<(), String> {
        let from_plan = visit.head.as_ref().is_some_and(|head| head.provider == "plan");
        let killed_at = visit.fate.killed_at.get();
        let may_be_missing = match &visit.ending {
            Ending::Wrong(what) => return Err(format!("a request that failed ({what})")),
            Ending::Broke(what) if killed_at.is_none_or(|at| *at > visit.ended_at) => {
                return Err(format!("a connection that broke, and not because the proxy was killed ({what})"));
            }
            Ending::Broke(_) => {
                self.broken_by_kill += 1;
                true
            }
            Ending::Left(_) => {
                self.left += 1;
                killed_at.is_some_and(|at| *at < visit.ended_at + NOTICED_WITHIN)
            }
            Ending::Failed => {
                self.failed += 1;
                killed_at.is_some_and(|at| *at < visit.ended_at + NOTICED_WITHIN)
            }
            Ending::Free => {
                self.free += 1;
                return row.map_or(Ok(()), |_| Err("a row of what costs nothing".to_owned()));
            }
            Ending::Whole if from_plan => {
                self.whole_from_plan += 1;
                false
            }
            Ending::Whole => {
                self.whole_from_bedrock += 1;
                false
            }
        };
        match row {
            Some(_) if from_plan => Err("a row of what the plan has served".to_owned()),
            Some(row) => Ok(self.check_row(case, visit, row, key)?),
            None if from_plan || may_be_missing => Ok(()),
            None => Err("a row is missing".to_owned()),
        }
    }

    fn check_row(&mut self, case: &Case, visit: &Visit, row: &Row, key: &IssuedKey) -> Result<(), &'static str> {
        let names = (row.user_id, row.access_key_id, row.upstream_model.as_str(), row.provider.as_str());
        if names != (key.user_id, key.id, case.model(), "bedrock") {
            return Err("a row in another's name");
        }
        if visit.head.as_ref().is_some_and(|head| head.id != row.request_id) {
            return Err("a row with another request id");
        }
        if row.upstream_message_id.as_ref().is_some_and(|id| *id != case.answer.id) {
            return Err("a row of another answer");
        }
        if !row.priced || row.cost_usd != case.cost(row.usage()) {
            return Err("another price");
        }
        match (row.outcome.as_str(), &visit.ending) {
            ("completed", _) => {
                if row.estimated || row.usage() != case.usage() || row.upstream_message_id.is_none() {
                    return Err("not what Bedrock has delivered");
                }
                self.whole_unread += usize::from(!matches!(visit.ending, Ending::Whole));
                self.add(case);
                Ok(())
            }
            ("failed" | "truncated", Ending::Failed) => self.check_failed(case, row),
            ("cancelled", Ending::Left(characters)) => self.check_cancelled(case, row, *characters),
            _ => Err("an outcome that was not"),
        }
    }

    /// Who left has what Bedrock said of the prompt, and of the answer a token for four characters that were relayed.
    fn check_cancelled(&mut self, case: &Case, row: &Row, characters: u64) -> Result<(), &'static str> {
        let (usage, got) = (case.usage(), row.usage());
        // The event before the last one has the final count.
        if !row.estimated {
            let may_be = matches!(case.leaves, Leaves::InMidStream(_));
            return if may_be && got == usage { Ok(()) } else { Err("no estimate, and not what Bedrock has counted") };
        }
        self.estimates += 1;
        let (prompt, output) = match case.leaves {
            Leaves::BeforeTheAnswer => (asked(case), 0..=0),
            // `message_start` has counted one token by then.
            Leaves::InSilence(_) => (usage, estimate(characters)..=estimate(characters)),
            Leaves::InMidStream(_) => {
                let all = Case::characters(&case.answer.to_events());
                (usage, estimate(characters)..=estimate(all))
            }
            Leaves::Never => return Err("nobody left"),
        };
        let expected = Usage { output: got.output, ..prompt };
        if got == expected && output.contains(&got.output) { Ok(()) } else { Err("not the estimate") }
    }

    /// What broke off has what was said of the prompt, and an estimate of what was relayed; half a whole answer says nothing.
    fn check_failed(&mut self, case: &Case, row: &Row) -> Result<(), &'static str> {
        self.estimates += 1;
        let (outcome, after) = match case.ends {
            // A whole answer is read before anything of it is relayed, unless it passes as it is.
            Ends::BreaksOff(_) if !case.stream && case.kind == Kind::Message => ("failed", 0),
            Ends::BreaksOff(after) => ("truncated", after),
            Ends::Exception(after) => ("failed", after),
            Ends::Whole => return Err("nobody failed"),
        };
        let expected = if case.stream {
            let relayed = Case::characters(&case.answer.to_events()[..after]);
            Usage { output: estimate(relayed), ..case.usage() }
        } else {
            asked(case)
        };
        let is_it = row.estimated && row.outcome == outcome && row.usage() == expected;
        if is_it { Ok(()) } else { Err("not what was known when it failed") }
    }

    fn add(&mut self, case: &Case) {
        let (usage, (count, sum, cost)) = (case.usage(), &mut self.completed);
        *count += 1;
        *cost += case.cost(usage);
        sum.input += usage.input;
        sum.output += usage.output;
        sum.cache_read += usage.cache_read;
        sum.cache_creation_5m += usage.cache_creation_5m;
        sum.cache_creation_1h += usage.cache_creation_1h;
    }
}

/// A prompt that Bedrock never counted: a token for four bytes of its text.
fn asked(case: &Case) -> Usage {
    let text = case.body().bytes().filter(|byte| *byte != b'"').count();
    Usage { input: u64::try_from(text.div_ceil(4)).unwrap(), ..Usage::default() }
}

fn estimate(characters: u64) -> u64 {
    characters.div_ceil(4).max(1)
}
