//! A journal that is harmed, cannot be written or has to wait: told, counted, and never a reason to fail a request.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use claude_code_proxy::domain::RoutingStrategy;
use rustix::process::Signal;
use support::process::ServeProcess;
use support::{Answer, Client, Counters, KeyWish, PATIENCE, Reply, Surroundings, TestApp, within};

use super::{Journaled, end, kill, rows_are, sums_are_those_of_the_rows};

/// A machine that stopped in the middle of a write, a disk that forgot, a version that was taken back: each line is
/// told with its place, and costs no other.
#[tokio::test]
async fn lines_that_cannot_be_read_cost_no_other() {
    let journaled = Journaled::start().await;
    let (process, client) = journaled.serve().await;
    journaled.database().take_away().await;
    assert_eq!(client.ask().await.status, 200);
    kill(process).await;
    let segment = journaled.files("jsonl").pop().unwrap();
    let good = std::fs::read_to_string(&segment).unwrap().lines().last().unwrap().to_owned();
    let before = std::fs::metadata(&segment).unwrap().len();
    let newer = good.replacen("{\"v\":1,", "{\"v\":2,", 1);
    let changed = good.replace("\"is_fallback\":false", "\"is_fallback\":true");
    let another = good.replace("{\"v\":1,", "");
    let mut file = OpenOptions::new().append(true).open(&segment).unwrap();
    write!(file, "{changed}\n{another}\n{newer}\n{good}\n{}", &good[..good.len() / 2]).unwrap();
    journaled.database().bring_back().await;
    let next = journaled.recover(2).await;
    let damaged = next.lines("a line of the usage journal is damaged; the log has its record", 3).await;
    assert_eq!((&damaged[0]["offset"], &damaged[0]["level"]), (&before.into(), &"ERROR".into()));
    assert!(damaged.iter().all(|line| line["file"] == segment.display().to_string()));
    end(next).await;
    assert_eq!(journaled.files("jsonl"), [] as [PathBuf; 0]);
    let kept = journaled.files("kept");
    assert!(std::fs::read_to_string(&kept[0]).unwrap().contains(&newer), "for the version that can read it");
    sums_are_those_of_the_rows(journaled.database()).await;
}

/// Without a folder that can be written the service runs as it did without a journal, and says so once.
#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_once() {
    // Nobody can make a folder there, whatever the user of the test may do.
    let journaled = Journaled::start().await.with("USAGE_JOURNAL_DIR", "/proc/usage");
    let (process, client) = journaled.serve().await;
    for _ in 0..3 {
        assert_eq!(client.ask().await.status, 200);
    }
    rows_are(journaled.database(), 4).await;
    let log = process.log();
    let told: Vec<_> = log.iter().filter(|line| line.to_string().contains("USAGE_JOURNAL_DIR")).collect();
    assert_eq!((told.len(), &told[0]["level"], &told[0]["folder"]), (1, &"ERROR".into(), &"/proc/usage".into()));
    end(process).await;
}

/// The database is away when the process is told to end: usage is in the journal then, and the next process stores it.
#[tokio::test]
async fn what_cannot_be_stored_at_the_end_is_stored_at_the_next_start() {
    let journaled = Journaled::start().await;
    let (process, client) = journaled.serve().await;
    journaled.database().take_away().await;
    assert_eq!(client.ask().await.status, 200);
    process.signal(Signal::TERM);
    let log = process.log_path().to_owned();
    assert_eq!(process.slow_exit_code().await, Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("usage is in the journal until the next start") && !log.contains("usage_lost"));
    journaled.database().bring_back().await;
    end(journaled.recover(2).await).await;
}

/// The database hangs when the process is told to end: what is under way is given up as soon as the rest.
#[tokio::test]
async fn a_database_that_hangs_does_not_hold_up_the_end() {
    let journaled = Journaled::start().await;
    let (process, client) = journaled.serve().await;
    let mut other = journaled.database().pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE token_usage").execute(&mut *other).await.unwrap();
    assert_eq!(client.ask().await.status, 200);
    let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'token_usage'::regclass AND NOT granted";
    within("the writer to wait", async {
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut *other).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let told = Instant::now();
    process.signal(Signal::TERM);
    assert_eq!(process.slow_exit_code().await, Some(0));
    // Ten seconds of last tries; a statement may take thirty.
    assert!(told.elapsed() < Duration::from_secs(20), "{:?}", told.elapsed());
    other.rollback().await.unwrap();
    end(journaled.recover(2).await).await;
}

/// The zone of the sums is one that the server does not know, or is missing: that is no fault of the records, so they wait.
#[tokio::test]
async fn records_wait_for_a_zone_that_the_server_knows() {
    let journaled = Journaled::start().await;
    let (process, client) = journaled.serve().await;
    let pool = &journaled.database().pool;
    let mend = "INSERT INTO usage_time_zone (name) VALUES ('UTC') ON CONFLICT (only_row) DO UPDATE SET name = 'UTC'";
    let spoil = ["UPDATE usage_time_zone SET name = 'Mars/Phobos'", "DELETE FROM usage_time_zone"];
    let told = "usage cannot be stored for the moment";
    for (spoil, rows) in spoil.into_iter().zip(2..) {
        let before = process.lines(told, 0).await.len();
        sqlx::query(spoil).execute(pool).await.unwrap();
        assert_eq!(client.ask().await.status, 200);
        process.lines(told, before + 1).await;
        sqlx::query(mend).execute(pool).await.unwrap();
        rows_are(journaled.database(), rows).await;
    }
    assert!(!process.log().iter().any(|line| line["message"] == "usage_lost"));
    sums_are_those_of_the_rows(journaled.database()).await;
    end(process).await;
}

/// How much waits can be seen while it waits.
#[tokio::test]
async fn what_waits_is_counted() {
    let counters = Counters::default();
    let _seen = metrics::set_default_local_recorder(&counters);
    let folder = tempfile::tempdir().unwrap();
    let around = Surroundings::start().await.with("USAGE_JOURNAL_DIR", folder.path().display().to_string());
    around.bedrock.otherwise(|_| Reply::bedrock_json(&Answer::text("an answer")));
    let app = TestApp::start_in(around).await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    assert_eq!(client.ask().await.status, 200);
    rows_are(&app.around().database, 1).await;
    app.around().database.take_away().await;
    for _ in 0..3 {
        assert_eq!(client.ask().await.status, 200);
    }
    let gauges = || ["usage_queue_depth", "usage_journal_backlog", "usage_oldest"].map(|name| counters.gauge(name));
    until(|| gauges()[0] == 3 && gauges().iter().all(|value| *value > 0)).await;
    let ready = support::get(support::http_client().get(format!("{}/ready", app.url()))).await;
    assert_eq!(ready.json()["queued_usage"], 3);
    app.around().database.bring_back().await;
    rows_are(&app.around().database, 4).await;
    until(|| gauges()[0] == 0 && gauges()[2] == 0).await;
    app.stop().await;
    assert_eq!(gauges(), [0; 3]);
}

async fn until(holds: impl Fn() -> bool) {
    let held = tokio::time::timeout(PATIENCE, async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    });
    held.await.unwrap();
}

/// Nothing is set: one line at the start says what that means.
#[tokio::test]
async fn without_a_journal_the_start_says_so() {
    let around = Surroundings::start().await;
    let process = ServeProcess::start(&around).await;
    let told = process.log().iter().filter(|line| line.to_string().contains("USAGE_JOURNAL_DIR")).count();
    assert_eq!(told, 1);
    end(process).await;
}
