//! Every query of the service on usage, with parameters as it has them. A new query is added here and nowhere else; a test
//! finds the one that is missing.

mod reports;

use super::cache::{Cache, Statement};

/// A query and what it is asked with.
#[derive(Debug)]
pub(super) struct Question {
    /// What it is for.
    pub(super) name: &'static str,
    /// What of all queries in the cache only this one has in it; blanks are single ones, and `;` is the end.
    pub(super) part: &'static str,
    /// SQL expressions, evaluated in the filled database before anything is measured.
    pub(super) parameters: Vec<String>,
    /// Whether anything that it finds would be a mistake.
    pub(super) finds_nothing: bool,
    /// Whether it runs with the settings of a report.
    pub(super) is_of_a_report: bool,
}

/// A query for which no index is of use.
#[derive(Debug)]
pub(super) struct Exception {
    /// What it is for.
    pub(super) name: &'static str,
    /// As in [`Question::part`].
    pub(super) part: &'static str,
    /// Why; completes "It ...".
    pub(super) reason: &'static str,
}

/// Queries that are not measured.
pub(super) const READ_EVERYTHING: [Exception; 2] = [
    Exception {
        name: "is anything stored",
        part: "AS \"used!\"",
        reason: "stops at the first row, whichever it is, and is asked only where the settings name another zone than the database",
    },
    Exception {
        name: "delete all sums",
        part: "DELETE FROM usage_aggregates;",
        reason: "is part of `usage-verify --rebuild`, which makes all of them anew",
    },
];

/// What a report begins with, as in [`Question::part`].
pub(super) const REPORT_SETTINGS: &str = "set_config('plan_cache_mode'";

const STORE: &str = "INSERT INTO token_usage (";
const COMPARE: &str = "), differing AS MATERIALIZED (";
const NEXT_WINDOW: &str = "WITH begun AS (";

/// All that are measured.
pub(super) fn questions() -> Vec<Question> {
    let mut questions = of_the_service();
    questions.extend(reports::questions());
    questions
}

fn of_the_service() -> Vec<Question> {
    vec![
        ask("store a batch of 500 records", STORE, &store(500, NEW_ID)),
        ask("store one record", STORE, &store(1, NEW_ID)),
        ask("store 500 records that are known", STORE, &store(500, "request_id")),
        ask(
            "which of 500 records are stored",
            "SELECT request_id FROM token_usage WHERE",
            &[of_last(500, "request_id")],
        ),
        ask(
            "what 500 users have spent this month",
            "spent AS (",
            &[LAST.to_owned(), array("SELECT id FROM users ORDER BY id LIMIT 500"), of_last(500, "request_id")],
        ),
        ask(
            "delete 2000 old sums by the minute",
            "ORDER BY bucket_start LIMIT $2 FOR UPDATE SKIP LOCKED",
            &[MINUTES_KEPT.to_owned(), "2000".to_owned()],
        ),
        ask("verify: the next day", NEXT_WINDOW, &next_window("day", 36, DAYS, &at_start_of("day"))),
        ask("verify: the next month", NEXT_WINDOW, &next_window("month", 32 * 24, MONTHS, &at_start_of("month"))),
        ask("verify: the first month", NEXT_WINDOW, &next_window("month", 32 * 24, MONTHS, "to_timestamp(0)")),
        finding_nothing(ask("verify: compare a day", COMPARE, &compare("day", DAYS))),
        finding_nothing(ask("verify: compare a week", COMPARE, &compare("week", "'{week}'::text[]"))),
        finding_nothing(ask("verify: compare a month", COMPARE, &compare("month", MONTHS))),
        finding_nothing(ask(
            "verify: delete empty sums of a day",
            "AND total_requests = 0",
            &[DAYS.to_owned(), at_start_of("day"), LAST.to_owned()],
        )),
        ask("a request by its id", "WHERE t.request_id = $1;", &[SOME_REQUEST.to_owned()]),
    ]
}

/// The queries on usage that are neither measured nor an exception.
pub(super) fn missing(cache: &Cache) -> Vec<&str> {
    let questions = questions();
    let measured = questions.iter().map(|question| question.part);
    let parts: Vec<&str> = measured.chain(READ_EVERYTHING.iter().map(|exception| exception.part)).collect();
    let unknown = cache.on_usage().filter(|statement| !parts.iter().any(|part| statement.has(part)));
    unknown.map(Statement::line).collect()
}

/// The moment of the last row.
const LAST: &str = "(SELECT max(timestamp) FROM token_usage)";
const SOME_REQUEST: &str = "(SELECT request_id FROM token_usage ORDER BY timestamp LIMIT 1)";
/// The default of `MINUTE_AGGREGATES_KEPT`, in seconds.
const MINUTES_KEPT: &str = "14 * 86400";
const DAYS: &str = "'{minute,hour,day}'::text[]";
const MONTHS: &str = "'{month}'::text[]";
/// An id that sorts behind all others, as those of the service do.
const NEW_ID: &str = "'ffffffff' || substr(gen_random_uuid()::text, 9)";

fn ask(name: &'static str, part: &'static str, parameters: &[String]) -> Question {
    Question { name, part, parameters: parameters.to_vec(), finds_nothing: false, is_of_a_report: false }
}

fn finding_nothing(question: Question) -> Question {
    Question { finds_nothing: true, ..question }
}

fn array(query: &str) -> String {
    format!("ARRAY({query})")
}

/// An expression for each of the last rows.
fn of_last(count: u32, expression: &str) -> String {
    array(&format!("SELECT {expression} FROM token_usage ORDER BY timestamp DESC, request_id LIMIT {count}"))
}

/// Records like the last ones, a few of them in the same buckets, with these ids.
fn store(count: u32, id: &str) -> Vec<String> {
    let columns = [
        id,
        "timestamp",
        "user_id",
        "access_key_id",
        "model",
        "upstream_model",
        "upstream_message_id",
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "cache_creation_5m_tokens",
        "cache_creation_1h_tokens",
        "total_tokens",
        "provider",
        "is_fallback",
        "latency_ms",
        "time_to_first_token_ms",
        "outcome",
        "session_id",
        "agent_id",
        "web_search_requests",
        "estimated",
        "cost_usd",
        "input_price_usd",
        "output_price_usd",
        "cache_read_price_usd",
        "cache_write_5m_price_usd",
        "cache_write_1h_price_usd",
        "priced",
        "fallback_reason",
        "circuit",
        "bedrock_dropped",
    ];
    columns.map(|column| of_last(count, column)).to_vec()
}

/// The start of the last whole bucket.
fn at_start_of(bucket: &str) -> String {
    format!("date_trunc('{bucket}', {LAST}, 'UTC') - interval '1 {bucket}'")
}

fn next_window(bucket: &str, hours: u32, buckets: &str, after: &str) -> Vec<String> {
    vec![
        format!("'{bucket}'"),
        after.to_owned(),
        "'UTC'".to_owned(),
        hours.to_string(),
        buckets.to_owned(),
        "NULL".to_owned(),
    ]
}

fn compare(bucket: &str, buckets: &str) -> Vec<String> {
    let (start, end) = (at_start_of(bucket), format!("date_trunc('{bucket}', {LAST}, 'UTC')"));
    let parameters = [buckets, &start, &end, "'UTC'", MINUTES_KEPT, "FALSE", "TRUE"];
    parameters.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_on_usage_is_measured_or_an_exception() {
        let cache = Cache::read().unwrap();
        assert_eq!(missing(&cache), Vec::<&str>::new(), "add these to {}", file!());
    }

    #[test]
    fn each_part_finds_one_query_with_so_many_parameters() {
        let cache = Cache::read().unwrap();
        for question in questions() {
            let statement = cache.find(question.part).unwrap();
            assert_eq!(statement.parameters, question.parameters.len(), "{}", question.name);
        }
        for exception in READ_EVERYTHING {
            cache.find(exception.part).unwrap();
        }
        assert_eq!(cache.find(REPORT_SETTINGS).unwrap().parameters, 1);
    }
}
