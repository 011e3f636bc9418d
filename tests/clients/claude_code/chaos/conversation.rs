//! One conversation of the real client, from its prompt to the last look at the rows.

use support::{IssuedKey, Surroundings, TestApp};

use super::dice::Dice;
use super::figures::Figures;
use super::providers::{AtBedrock, Entries, Journal};
use super::story;
use crate::claude_code::tools::ALLOWED;
use crate::claude_code::{ClaudeCode, Report};
use crate::usage::{self, Row};

/// How the proxy and the developer's login are set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Setup {
    /// As they come: after a failure the conversation stays on Bedrock to its end, for it is a single turn.
    Ordinary,
    /// So that the plan is asked at every step all the same: conversations do not stay on Bedrock, and each request
    /// has another login, as with a helper that hands out keys of a short life, so that no login's breaker opens.
    Returning,
}

impl Setup {
    /// One in four is as it comes.
    pub(super) fn of(seed: u64) -> Self {
        if seed.is_multiple_of(4) { Self::Ordinary } else { Self::Returning }
    }
}

/// Holds the conversation of a seed; panics where something is not as it must be.
pub(super) async fn hold(seed: u64, journal: Journal) -> Figures {
    let (dice, setup) = (Dice::new(seed), Setup::of(seed));
    let around = Surroundings::start().await;
    let app = TestApp::start_in(match setup {
        Setup::Ordinary => around,
        Setup::Returning => around.with("STAY_LIMIT", "1ms"),
    })
    .await;
    journal.keep(dice, app.plan(), app.bedrock());
    let key = app.key().await;
    let report = converse(&app, &key, setup).await;
    assert_eq!(report.text(), story::LAST_WORD);
    let around = app.stop().await;
    let rows = usage::rows(&around.database).await;
    let entries = journal.entries();
    assert_rows(&rows, &entries.bedrock, &key, report.result()["session_id"].as_str().unwrap());
    figures(&entries, &report, rows.len())
}

/// That there is a row for each answer of Bedrock, with its counts, and no other.
fn assert_rows(rows: &[Row], served: &[AtBedrock], key: &IssuedKey, session: &str) {
    assert!(served.iter().all(|served| served.in_full), "nobody has left an answer of Bedrock: {served:#?}");
    let stored: Vec<_> = rows.iter().map(|row| (row.upstream_message_id.as_deref(), row.outcome.as_str())).collect();
    let expected: Vec<_> = served.iter().map(|served| (Some(served.id.as_str()), "completed")).collect();
    assert_eq!(stored, expected, "the rows, and what Bedrock served");
    for (stored, served) in rows.iter().zip(served) {
        assert_eq!(*stored, row(served, key, session));
    }
}

async fn converse(app: &TestApp, key: &IssuedKey, setup: Setup) -> Report {
    let claude = match setup {
        Setup::Ordinary => ClaudeCode::of(app, key),
        Setup::Returning => ClaudeCode::of(app, key).with_a_login_for_each_request(),
    };
    claude.report(&[&["--bare"], ALLOWED].concat(), "Say step-0 to step-19, one after the other.").await
}

/// Looks at what the client brought last: the result of every step, in order.
fn figures(entries: &Entries, report: &Report, rows: usize) -> Figures {
    let mut results = entries.last.clone();
    // A client that has run a tool twice brings its result twice.
    results.dedup();
    assert_eq!(results, story::all_results());
    let mut figures = Figures {
        conversations: 1,
        at_bedrock: entries.bedrock.len(),
        rows,
        without_stream: entries.without_stream,
        retries: report.retries().len(),
        continued: entries.continued,
        repeated: entries.last.len() - results.len(),
        ..Figures::default()
    };
    for at_plan in &entries.plan {
        *figures.fates.entry(at_plan.fate).or_default() += 1;
    }
    figures
}

/// The row that must be there for an answer of Bedrock.
fn row(served: &AtBedrock, key: &IssuedKey, session: &str) -> Row {
    let number = |count: u64| i32::try_from(count).unwrap();
    let usage = served.usage;
    let total = usage.input + usage.output + usage.cache_read + usage.cache_creation_5m + usage.cache_creation_1h;
    Row {
        user_id: key.user_id,
        access_key_id: key.id,
        model: "claude-opus-5-5".to_owned(),
        upstream_model: "global.anthropic.claude-opus-5-5".to_owned(),
        upstream_message_id: Some(served.id.clone()),
        input_tokens: number(usage.input),
        output_tokens: number(usage.output),
        cache_read_input_tokens: number(usage.cache_read),
        cache_creation_5m_tokens: number(usage.cache_creation_5m),
        cache_creation_1h_tokens: number(usage.cache_creation_1h),
        total_tokens: number(total),
        is_fallback: true,
        outcome: "completed".to_owned(),
        session_id: Some(session.to_owned()),
    }
}
