//! The bill against what was delivered: request by request, and in sums.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::FromRow;
use support::{IssuedKey, TestDatabase, Usage};

use crate::case::{Case, Leaves};
use crate::load::{Ending, Visit};

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
        let tokens = [
            self.input_tokens,
            self.output_tokens,
            self.cache_read_input_tokens,
            self.cache_creation_5m_tokens,
            self.cache_creation_1h_tokens,
        ];
        let [input, output, cache_read, cache_creation_5m, cache_creation_1h] =
            tokens.map(|count| u64::try_from(count).unwrap());
        Usage { input, output, cache_read, cache_creation_5m, cache_creation_1h }
    }
}

/// What the load came to.
#[derive(Default, Debug)]
pub(crate) struct Bill {
    /// Everything that is not as it has to be.
    pub(crate) wrong: Vec<String>,
    pub(crate) rows: usize,
    /// Requests of each ending, by name.
    pub(crate) whole_from_bedrock: usize,
    pub(crate) whole_from_plan: usize,
    pub(crate) left: usize,
    pub(crate) broken_by_kill: usize,
    pub(crate) estimates: usize,
    /// Rows of requests whose client was cut off or left: answers that were whole all the same.
    pub(crate) whole_unread: usize,
    /// Of `completed` rows: how many, and the sums that Bedrock has delivered to them.
    completed: (i64, Usage, Decimal),
}

impl Bill {
    pub(crate) async fn of(visits: &[Visit], keys: &[IssuedKey], database: &TestDatabase) -> Self {
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
            let row = by_session.remove(&visit.case.session());
            if let Err(what) = bill.check(visit, row.as_ref(), &keys[visit.case.key]) {
                bill.wrong.push(format!("{what}: {visit:?}, {row:?}"));
            }
        }
        bill.wrong.extend(by_session.into_values().map(|row| format!("a row that nobody asked for: {row:?}")));
        bill.check_sums(database).await;
        bill
    }

    fn check(&mut self, visit: &Visit, row: Option<&Row>, key: &IssuedKey) -> Result<(), String> {
        let from_plan = visit.head.as_ref().is_some_and(|(_, provider)| provider == "plan");
        let killed_at = visit.life.killed_at.get();
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
            Some(row) => Ok(self.check_row(visit, row, key)?),
            None if from_plan || may_be_missing => Ok(()),
            None => Err("a row is missing".to_owned()),
        }
    }

    fn check_row(&mut self, visit: &Visit, row: &Row, key: &IssuedKey) -> Result<(), &'static str> {
        let case = &visit.case;
        let names = (row.user_id, row.access_key_id, row.upstream_model.as_str(), row.provider.as_str());
        if names != (key.user_id, key.id, case.model(), "bedrock") {
            return Err("a row in another's name");
        }
        if visit.head.as_ref().is_some_and(|(id, _)| *id != row.request_id) {
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
                self.add(row);
                Ok(())
            }
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
            Leaves::BeforeTheAnswer => {
                let asked = case.body().bytes().filter(|byte| *byte != b'"').count().div_ceil(4);
                (Usage { input: u64::try_from(asked).unwrap(), ..Usage::default() }, 0..=0)
            }
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

    fn add(&mut self, row: &Row) {
        let (count, sum, cost) = &mut self.completed;
        let usage = row.usage();
        *count += 1;
        *cost += row.cost_usd;
        sum.input += usage.input;
        sum.output += usage.output;
        sum.cache_read += usage.cache_read;
        sum.cache_creation_5m += usage.cache_creation_5m;
        sum.cache_creation_1h += usage.cache_creation_1h;
    }

    /// The sums of the rows are what was delivered, and those of each kind of bucket, per key and per user, are the rows'.
    async fn check_sums(&mut self, database: &TestDatabase) {
        let query = "SELECT count(*), sum(input_tokens)::bigint, sum(output_tokens)::bigint,
                            sum(cache_read_input_tokens)::bigint, sum(cache_creation_5m_tokens)::bigint,
                            sum(cache_creation_1h_tokens)::bigint, sum(cost_usd)
                       FROM token_usage WHERE outcome = 'completed'";
        let sums: (i64, i64, i64, i64, i64, i64, Decimal) = sqlx::query_as(query).fetch_one(&database.pool).await.unwrap();
        let (count, usage, cost) = self.completed;
        let of = |count: u64| i64::try_from(count).unwrap();
        let delivered = (
            count,
            of(usage.input),
            of(usage.output),
            of(usage.cache_read),
            of(usage.cache_creation_5m),
            of(usage.cache_creation_1h),
            cost,
        );
        if sums != delivered {
            self.wrong.push(format!("the rows say {sums:?}, delivered was {delivered:?}"));
        }
        let query = "SELECT ARRAY[sum(total_requests), sum(total_input_tokens), sum(total_output_tokens),
                                  sum(total_cache_read_tokens), sum(total_cache_write_tokens), sum(total_tokens),
                                  sum(total_cost_usd)]::numeric[]
                       FROM usage_aggregates GROUP BY bucket_type, access_key_id IS NULL";
        let buckets: Vec<Vec<Decimal>> = sqlx::query_scalar(query).fetch_all(&database.pool).await.unwrap();
        let query = "SELECT ARRAY[count(*), sum(input_tokens), sum(output_tokens), sum(cache_read_input_tokens),
                                  sum(cache_creation_input_tokens), sum(total_tokens), sum(cost_usd)]::numeric[]
                       FROM token_usage";
        let rows: Vec<Decimal> = sqlx::query_scalar(query).fetch_one(&database.pool).await.unwrap();
        if buckets != vec![rows; 10] {
            self.wrong.push(format!("the sums are {buckets:?}, the rows come to {rows:?}"));
        }
    }

    /// What the proxies have said: whatever is a `usage` line is a row, and nothing was an error.
    pub(crate) async fn check_logs(&mut self, logs: &[PathBuf], database: &TestDatabase) {
        let query = sqlx::query_scalar("SELECT request_id FROM token_usage").fetch_all(&database.pool);
        let stored: HashSet<String> = query.await.unwrap().into_iter().collect();
        for path in logs {
            let log = std::fs::read_to_string(path).unwrap();
            // A process that was killed may not have come to the end of its last line.
            for line in log.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                let entry: Value = serde_json::from_str(line).unwrap();
                let is_missing = || entry["request_id"].as_str().is_none_or(|id| !stored.contains(id));
                if entry["level"] == "ERROR" || (entry["message"] == "usage" && is_missing()) {
                    self.wrong.push(format!("{}: {line}", path.display()));
                }
            }
        }
    }

    /// What PostgreSQL has said: nothing but that it went away under those who were connected.
    pub(crate) fn check_server_log(&mut self, log: &str) {
        const EXPECTED: [&str; 6] = [
            "terminating connection due to administrator command",
            "the database system is shutting down",
            "the database system is starting up",
            "the database system is in recovery mode",
            "the database system is not yet accepting connections",
            "connection to client lost",
        ];
        let told = |line: &&str| ["ERROR:", "FATAL:", "PANIC:", "deadlock"].iter().any(|word| line.contains(word));
        let unexpected = log.lines().filter(told).filter(|line| !EXPECTED.iter().any(|text| line.contains(text)));
        self.wrong.extend(unexpected.map(|line| format!("PostgreSQL: {line}")));
    }
}

fn estimate(characters: u64) -> u64 {
    characters.div_ceil(4).max(1)
}
