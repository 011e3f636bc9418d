//! The queries of reports: of everybody in the range that most people look at, and of few in all there is.

use super::{LAST, Question, ask};

const LIST: &str = "AS user_name, access_key_id, provider";
const COUNT: &str = "LIMIT $9) AS counted;";
const SUMS: &str = "[width_bucket(bucket_start, $2)]";
const ROWS: &str = "[width_bucket(timestamp, $1)]";
const TOP: &str = "ranked AS (";
const COSTS: &str = "AS \"cache_write_1h_usd!\"";

/// So many requests are on a page, and one more is read.
const PAGE: &str = "51";
/// Requests are counted up to this number, and one more.
const COUNTED: &str = "10001";
/// Points of a series, and one more.
const POINTS: &str = "20001";

const MONTH: &str = "30 days";
const YEAR: &str = "365 days";
const MODEL: &str = "'claude-opus-5-5'";
const USER: &str = "(SELECT user_id FROM token_usage ORDER BY timestamp DESC LIMIT 1)";
const KEY: &str = "(SELECT access_key_id FROM token_usage ORDER BY timestamp DESC LIMIT 1)";
const SESSION: &str = "(SELECT session_id FROM token_usage ORDER BY timestamp DESC LIMIT 1)";

/// Whose usage, and of which kind; what is "NULL" does not matter.
#[derive(Clone, Copy)]
struct Only {
    user: &'static str,
    key: &'static str,
    provider: &'static str,
    model: &'static str,
}

const ALL: Only = Only { user: "NULL", key: "NULL", provider: "NULL", model: "NULL" };
const OF_USER: Only = Only { user: USER, ..ALL };
const OF_KEY: Only = Only { key: KEY, ..ALL };
const OF_MODEL: Only = Only { model: MODEL, ..ALL };

/// All of them.
pub(super) fn questions() -> Vec<Question> {
    let mut questions = lists();
    questions.extend(series());
    questions.extend([
        ask("costs of a month", COSTS, &costs(MONTH, ALL)),
        ask("costs of a user in a year", COSTS, &costs(YEAR, OF_USER)),
        ask("who cost most in a month", TOP, &top(MONTH)),
    ]);
    questions.into_iter().map(|question| Question { is_of_a_report: true, ..question }).collect()
}

fn lists() -> Vec<Question> {
    vec![
        ask("requests of a month, first page", LIST, &list(MONTH, ALL, ["NULL"; 2], None)),
        ask("requests of a month, a page behind ten days", LIST, &list(MONTH, ALL, ["NULL"; 2], Some("10 days"))),
        ask("requests of a month that failed", LIST, &list(MONTH, ALL, ["'failed'", "NULL"], None)),
        ask("requests of a month that were truncated: none", LIST, &list(MONTH, ALL, ["'truncated'", "NULL"], None)),
        ask("requests of a user in a year", LIST, &list(YEAR, OF_USER, ["NULL"; 2], None)),
        ask("requests of an access key in a year", LIST, &list(YEAR, OF_KEY, ["NULL"; 2], None)),
        ask("requests of a session in a year", LIST, &list(YEAR, ALL, ["NULL", SESSION], None)),
        ask("how many requests a month has", COUNT, &count(MONTH, ALL, ["NULL"; 2])),
        ask("how many requests of a month failed", COUNT, &count(MONTH, ALL, ["'failed'", "NULL"])),
        ask("how many requests a user has in a year", COUNT, &count(YEAR, OF_USER, ["NULL"; 2])),
    ]
}

fn series() -> Vec<Question> {
    vec![
        ask("a month by the day", SUMS, &sums("day", MONTH, "nothing", ALL)),
        ask("a month by the hour", SUMS, &sums("hour", MONTH, "nothing", ALL)),
        ask("a year by the month", SUMS, &sums("month", YEAR, "nothing", ALL)),
        ask("a month by user", SUMS, &sums("month", MONTH, "user", ALL)),
        ask("a month by the day and provider", SUMS, &sums("day", MONTH, "provider", ALL)),
        ask("a user's year by the day", SUMS, &sums("day", YEAR, "nothing", OF_USER)),
        ask("a user's year by the month and key", SUMS, &sums("month", YEAR, "access_key", OF_USER)),
        ask("a key's year by the day", SUMS, &sums("day", YEAR, "nothing", OF_KEY)),
        ask("a day by the minute", ROWS, &rows("minute", "1 day", "nothing", ALL)),
        ask("a month by the day and model", ROWS, &rows("day", MONTH, "model", ALL)),
        ask("a month of a model by the day", ROWS, &rows("day", MONTH, "nothing", OF_MODEL)),
        ask("a user's year by the month and model", ROWS, &rows("month", YEAR, "model", OF_USER)),
        ask("a key's year by the month and model", ROWS, &rows("month", YEAR, "model", OF_KEY)),
    ]
}

impl Only {
    fn parameters(self) -> [&'static str; 4] {
        [self.user, self.key, self.provider, self.model]
    }
}

/// The moment so long before the last row.
fn before(span: &str) -> String {
    format!("{LAST} - interval '{span}'")
}

fn buckets(bucket: &str, span: &str) -> String {
    format!("ARRAY(SELECT usage_buckets('{bucket}', {}, {LAST}, 'UTC', 1501))", before(span))
}

fn parameters<const N: usize>(first: [&str; N], only: &[&str], rest: &[&str]) -> Vec<String> {
    first.iter().chain(only).chain(rest).map(|&parameter| parameter.to_owned()).collect()
}

/// `outcome_and_session` are filters as well.
fn list(span: &str, only: Only, outcome_and_session: [&str; 2], behind: Option<&str>) -> Vec<String> {
    let [outcome, session] = outcome_and_session;
    let (time, id) = behind.map_or(("NULL".to_owned(), "NULL"), |span| (before(span), "'ffffffff'"));
    parameters([&before(span), LAST], &only.parameters(), &[outcome, session, &time, id, PAGE])
}

fn count(span: &str, only: Only, outcome_and_session: [&str; 2]) -> Vec<String> {
    let [outcome, session] = outcome_and_session;
    parameters([&before(span), LAST], &only.parameters(), &[outcome, session, COUNTED])
}

fn sums(bucket: &str, span: &str, grouping: &str, only: Only) -> Vec<String> {
    let by_key = if grouping == "access_key" || only.key != "NULL" { "TRUE" } else { "FALSE" };
    let (kind, grouping) = (format!("'{bucket}'"), format!("'{grouping}'"));
    let first = [kind.as_str(), &buckets(bucket, span), LAST, &grouping, by_key];
    parameters(first, &[only.user, only.key, only.provider], &[POINTS])
}

fn rows(bucket: &str, span: &str, grouping: &str, only: Only) -> Vec<String> {
    let grouping = format!("'{grouping}'");
    parameters([&buckets(bucket, span), LAST, &grouping], &only.parameters(), &[POINTS])
}

fn costs(span: &str, only: Only) -> Vec<String> {
    parameters([&before(span), LAST], &only.parameters(), &["1001"])
}

fn top(span: &str) -> Vec<String> {
    parameters([&before(span), LAST, "NULL", "'cost'", "10"], &[], &[])
}
