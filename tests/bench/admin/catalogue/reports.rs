//! Reports on usage: of everybody and of a few, over short and long ranges, by all that they can be cut and grouped by.

use super::super::values::Values::{self, Always, Each, NextOf};
use super::{Bound, KEYS, LARGE, Read, USERS, read};

const MODELS: Values = Each("SELECT * FROM unnest(ARRAY['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-5-5'])");
const SESSIONS: Values = Each(
    "SELECT session_id FROM (SELECT DISTINCT session_id::text FROM token_usage TABLESAMPLE SYSTEM (0.1) REPEATABLE (1)) AS s
      ORDER BY md5(session_id) LIMIT 100",
);
/// The first day of the database, so that what is about it is about all there is.
const FIRST_DAY: Values = Each("SELECT min(timestamp)::date::text FROM token_usage");
const MONTH: Values = Always("last_30_days");
/// What reports from single requests of everybody are bounded to.
const QUARTER: Values = Each("SELECT (now() - interval '92 days')::date::text");
/// Requests behind those of a month.
const BEHIND_A_MONTH: Values = NextOf(&[
    ("from", "SELECT (now() - interval '92 days')::date::text"),
    ("to", "SELECT (now() - interval '30 days')::date::text"),
    ("limit", "SELECT '500'"),
]);

/// All that are measured.
pub(super) fn reads() -> Vec<Read> {
    let mut reads = sums();
    reads.extend(lists());
    reads.extend(from_requests().into_iter().map(|read| Read { bound: Bound::Report, ..read }));
    reads
}

fn usage(about: &'static str, cut: &'static str) -> Read {
    read("get_usage", about).with("bucket", Always(cut))
}

fn sums() -> Vec<Read> {
    vec![
        read("get_usage", "everybody, this month"),
        usage("everybody, 30 days by the day", "day").with("period", MONTH),
        usage("everybody, 30 days by the hour", "hour").with("period", MONTH),
        usage("everybody, 30 days by the day and provider", "day")
            .with("period", MONTH)
            .with("group_by", Always("provider")),
        usage("everybody, a year by the month", "month").with("from", FIRST_DAY),
        usage("everybody, a year by the week", "week").with("from", FIRST_DAY),
        usage("everybody, a year by the day", "day").with("from", FIRST_DAY),
        usage("everybody, a month by user", "month")
            .with("period", Always("last_month"))
            .with("group_by", Always("user")),
        usage("a user, 30 days by the day", "day").with("period", MONTH).with("user_id", USERS),
        usage("a user, 30 days by the hour", "hour").with("period", MONTH).with("user_id", USERS),
        usage("a user, a year by the day", "day").with("from", FIRST_DAY).with("user_id", USERS),
        usage("a user, a year by the month and key", "month")
            .with("from", FIRST_DAY)
            .with("group_by", Always("access_key"))
            .with("user_id", USERS),
        usage("a user, a year by the month and model", "month")
            .with("from", FIRST_DAY)
            .with("group_by", Always("model"))
            .with("user_id", USERS),
        usage("an access key, a year by the day", "day").with("from", FIRST_DAY).with("access_key_id", KEYS),
        read("get_usage_costs", "of a user in a year").with("from", FIRST_DAY).with("user_id", USERS),
        read("list_top_users", "30 days by cost").with("period", MONTH),
        read("list_top_users", "30 days by requests, 100 of them")
            .with("period", MONTH)
            .with("by", Always("requests"))
            .with("limit", Always("100")),
        read("list_top_users", "a year by tokens").with("from", FIRST_DAY).with("by", Always("tokens")),
    ]
}

fn lists() -> Vec<Read> {
    let list = |about| read("list_usage_requests", about);
    vec![
        list("30 days, first page"),
        list("30 days, 500 of them").with("limit", LARGE),
        list("92 days, behind 400,000 others").with("from", QUARTER).with("cursor", BEHIND_A_MONTH),
        list("30 days of a model").with("model", MODELS),
        list("a year of a user").with("from", FIRST_DAY).with("user_id", USERS),
        list("a year of an access key").with("from", FIRST_DAY).with("access_key_id", KEYS),
        list("a year of a session").with("from", FIRST_DAY).with("session_id", SESSIONS),
        list("a year of a user and a model").with("from", FIRST_DAY).with("user_id", USERS).with("model", MODELS),
    ]
}

fn from_requests() -> Vec<Read> {
    let list = |about| read("list_usage_requests", about);
    vec![
        list("30 days, failed").with("outcome", Always("failed")),
        list("92 days, failed").with("from", QUARTER).with("outcome", Always("failed")),
        list("92 days, truncated: none").with("from", QUARTER).with("outcome", Always("truncated")),
        usage("everybody, a day by the minute", "minute").with("period", Always("yesterday")),
        usage("everybody, 30 days by the day and model", "day").with("period", MONTH).with("group_by", Always("model")),
        usage("everybody, 92 days by the day and model", "day").with("from", QUARTER).with("group_by", Always("model")),
        usage("a model, 92 days by the day", "day").with("from", QUARTER).with("model", MODELS),
        read("get_usage_costs", "of 30 days").with("period", MONTH),
        read("get_usage_costs", "of 92 days").with("from", QUARTER),
    ]
}
